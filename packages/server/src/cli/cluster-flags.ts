/**
 * The cluster's part of `oxbow serve`: flags, a configuration file, or both; a flag goes before the
 * file.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { parseClusterFile, type ClusterFile } from '../cluster/cluster-file.js';
import { parseNodeList, type NodeList } from '../cluster/node-list.js';
import type { ClusterNodeOptions, ClusterOptions } from '../host/cluster-options.js';
import { mustRead } from './must-read.js';

export interface ClusterFlags {
  readonly cluster?: string;
  readonly node?: string;
  readonly peer?: string;
  readonly clusterSecretFile?: string;
  readonly clusterTlsCa?: string;
  readonly clusterTlsCert?: string;
  readonly clusterTlsKey?: string;
  readonly clientUrl?: string;
  readonly peerHost?: string;
  readonly config?: string;
}

/** Undefined: a node that stays alone. Errors: `config-invalid`. */
export function clusterOf(flags: ClusterFlags): ClusterOptions | undefined {
  const file = flags.config === undefined ? {} : parseClusterFile(mustRead(flags.config, 'configuration'));
  const node = flags.node ?? file.node;
  const list = listOf(flags, file, node);
  if (list === undefined && node === undefined) {
    refuseStray(flags);
    return undefined;
  }
  if (list === undefined) throw invalid(`--node ${node ?? ''} needs --cluster a=host:port,…, --peer host:port or --config`);
  if (node === undefined) throw invalid('say which of the nodes this one is: --node');
  return {
    node, nodes: namedNodes(list), ...trustOf(flags, file),
    ...(flags.clientUrl === undefined ? {} : { clientUrl: flags.clientUrl }),
    ...(flags.peerHost === undefined ? {} : { peerHost: flags.peerHost }),
  };
}

function listOf(
  flags: ClusterFlags, file: ClusterFile, node: string | undefined,
): NodeList | undefined {
  if (flags.cluster !== undefined && flags.peer !== undefined) {
    throw invalid('--peer is for a node that starts alone; with --cluster its address stands in the list');
  }
  if (flags.cluster !== undefined) return parseNodeList(flags.cluster);
  if (flags.peer === undefined) return file.nodes;
  if (node === undefined) throw invalid('--peer needs --node');
  return parseNodeList(`${node}=${flags.peer}`);
}

function trustOf(flags: ClusterFlags, file: ClusterFile): Pick<ClusterOptions, 'secret' | 'tls'> {
  const { clusterTlsCa: ca, clusterTlsCert: cert, clusterTlsKey: key } = flags;
  const secretFile = flags.clusterSecretFile ?? (ca === undefined ? file.secretFile : undefined);
  const isGiven = [ca, cert, key].filter((path) => path !== undefined).length;
  if (isGiven > 0 && isGiven < 3) {
    throw invalid('--cluster-tls-ca, --cluster-tls-cert and --cluster-tls-key belong together');
  }
  const isWhole = ca !== undefined && cert !== undefined && key !== undefined;
  const given = isWhole ? { ca, cert, key } : undefined;
  const tls = given ?? (flags.clusterSecretFile === undefined ? file.tls : undefined);
  return {
    ...(secretFile === undefined ? {} : { secret: mustRead(secretFile, 'cluster secret').trim() }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function namedNodes(list: NodeList): Readonly<Record<string, ClusterNodeOptions>> {
  return Object.fromEntries([...list].map(([name, { peerAddress: peer, clientUrl: client }]) =>
    [name, { peer, ...(client === undefined ? {} : { client }) }]));
}

/** A flag that does nothing would look as if it did. */
function refuseStray(flags: ClusterFlags): void {
  const strays = Object.entries({
    '--cluster-secret-file': flags.clusterSecretFile, '--cluster-tls-ca': flags.clusterTlsCa,
    '--cluster-tls-cert': flags.clusterTlsCert, '--cluster-tls-key': flags.clusterTlsKey,
    '--client-url': flags.clientUrl, '--peer-host': flags.peerHost,
  }).filter(([, value]) => value !== undefined);
  const [stray] = strays;
  if (stray !== undefined) throw invalid(`${stray[0]} needs --cluster and --node`);
}

function invalid(why: string): OxbowError {
  return new OxbowError('config-invalid', `Cannot start as part of a cluster: ${why}.`);
}
