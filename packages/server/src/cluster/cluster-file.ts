/**
 * The configuration file, for those who would rather keep one file for all nodes than flags for
 * each:
 *
 *     {
 *       "nodes": {
 *         "a": { "peer": "10.0.0.1:8701", "client": "wss://a.example.org/sync" },
 *         "b": { "peer": "10.0.0.2:8701" }
 *       },
 *       "node": "a",
 *       "secretFile": "/etc/oxbow/cluster-secret"
 *     }
 *
 * or, instead of `secretFile`, `"tls": { "ca": "…", "cert": "…", "key": "…" }`. What is not known
 * is refused: a misspelt field must not be a field that is silently missing.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { checkNodeList, type ListedNode, type NodeList } from './node-list.js';

export interface ClusterFile {
  readonly nodes?: NodeList;
  readonly node?: string;
  readonly secretFile?: string;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

type Fields = Readonly<Record<string, unknown>>;

/** Errors: `config-invalid`. */
export function parseClusterFile(text: string): ClusterFile {
  const fields = mustFields(mustJson(text), 'the file', ['nodes', 'node', 'secretFile', 'tls']);
  const { nodes, node, secretFile, tls } = fields;
  return {
    ...(nodes === undefined ? {} : { nodes: nodesOf(nodes) }),
    ...(node === undefined ? {} : { node: mustText(node, 'node') }),
    ...(secretFile === undefined ? {} : { secretFile: mustText(secretFile, 'secretFile') }),
    ...(tls === undefined ? {} : { tls: tlsOf(tls) }),
  };
}

function nodesOf(value: unknown): NodeList {
  const entries = Object.entries(mustFields(value, 'nodes')).map(([name, given]): [string, ListedNode] => {
    const { peer, client } = mustFields(given, `nodes.${name}`, ['peer', 'client']);
    const peerAddress = mustText(peer, `nodes.${name}.peer`);
    if (client === undefined) return [name, { peerAddress }];
    return [name, { peerAddress, clientUrl: mustText(client, `nodes.${name}.client`) }];
  });
  return checkNodeList(entries);
}

function tlsOf(value: unknown): { ca: string; cert: string; key: string } {
  const { ca, cert, key } = mustFields(value, 'tls', ['ca', 'cert', 'key']);
  return { ca: mustText(ca, 'tls.ca'), cert: mustText(cert, 'tls.cert'), key: mustText(key, 'tls.key') };
}

function mustJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(`it is no JSON (${cause instanceof Error ? cause.message : String(cause)})`);
  }
}

function mustFields(value: unknown, where: string, known?: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${where} is no object`);
  }
  const strange = Object.keys(value).find((name) => known !== undefined && !known.includes(name));
  if (strange === undefined) return { ...value };
  throw invalid(`'${strange}' in ${where} is not known (${known?.join(', ') ?? ''} are)`);
}

function mustText(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(`${where} is no text`);
}

function invalid(why: string): OxbowError {
  return new OxbowError('config-invalid', `Cannot use the cluster's configuration file: ${why}.`);
}
