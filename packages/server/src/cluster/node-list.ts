/**
 * The list of nodes that an operator writes: `a=host:port,b=host:port`, or the same in a
 * configuration file. What is wrong with it is said at once and in full: a misspelt name would
 * otherwise cost a cluster its tolerance without anyone noticing (Chandra et al., "Paxos Made
 * Live", PODC'07 §6.3).
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { paxosLimits } from '../paxos/limits.js';
import { isNodeName } from './node-name.js';

export interface ListedNode {
  /** `host:port` where other nodes reach it. */
  readonly peerAddress: string;
  /** Where clients reach it; undefined: the node says so itself. */
  readonly clientUrl?: string;
}

/** By name, in the order of names. */
export type NodeList = ReadonlyMap<string, ListedNode>;

/** Reads `a=host:port,b=host:port`. Errors: `config-invalid`. */
export function parseNodeList(text: string): NodeList {
  const entries = text.split(',').map((part): [string, ListedNode] => {
    const [name = '', peerAddress = '', ...rest] = part.trim().split('=');
    if (rest.length > 0 || peerAddress === '') throw invalid(`'${part}' is not name=host:port`);
    return [name, { peerAddress }];
  });
  return checkNodeList(entries);
}

/** Sorted and without contradictions. Errors: `config-invalid`. */
export function checkNodeList(entries: Iterable<readonly [string, ListedNode]>): NodeList {
  const list = new Map<string, ListedNode>();
  const namesByAddress = new Map<string, string>();
  for (const [name, node] of entries) {
    if (!isNodeName(name)) {
      throw invalid(`'${name}' is no name: 1 to 32 characters of a-z, 0-9 and inner hyphens`);
    }
    if (list.has(name)) throw invalid(`'${name}' stands there twice`);
    checkAddress(name, node.peerAddress);
    if (node.clientUrl !== undefined) checkClientUrl(name, node.clientUrl);
    const other = namesByAddress.get(node.peerAddress);
    if (other !== undefined) throw invalid(`'${other}' and '${name}' have the same address`);
    namesByAddress.set(node.peerAddress, name);
    list.set(name, node);
  }
  const countMax = paxosLimits.votersMax + paxosLimits.learnersMax;
  if (list.size > countMax) throw invalid(`it names ${list.size} nodes, more than ${countMax}`);
  return new Map([...list].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The own entry. Errors: `config-invalid`. */
export function mustListed(list: NodeList, node: string): ListedNode {
  const own = list.get(node);
  if (own !== undefined) return own;
  const names = [...list.keys()].join(', ');
  throw invalid(`this node's name, '${node}', is not in it (it names ${names})`);
}

/** Errors: `config-invalid`. */
export function checkClientUrl(name: string, url: string): void {
  if (/^wss?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/.test(url)) return;
  throw invalid(`'${url}', where clients reach '${name}', is not ws://host:port/path or wss://…`);
}

function checkAddress(name: string, address: string): void {
  const [, host = '', port = ''] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(address) ?? [];
  if (host !== '' && Number(port) >= 1 && Number(port) <= 65_535) return;
  throw invalid(`'${address}', the address of '${name}', is not host:port`);
}

function invalid(why: string): OxbowError {
  return new OxbowError(
    'config-invalid',
    `Cannot use the list of nodes: ${why}. Give all nodes the same list, as in a=10.0.0.1:8701,b=10.0.0.2:8701.`,
  );
}
