/** What a node is told about its cluster, checked before anything is opened. */
import { OxbowError } from '@oxbow/sdk/protocol';
import {
  checkClientUrl, checkNodeList, mustListed, parseNodeList, type ListedNode, type NodeList,
} from '../cluster/node-list.js';
import { nameOfMember } from '../cluster/node-name.js';
import { adminTokenOf, mustAdminToken } from '../drivers/admin-http.js';
import type { MemberNote } from '../drivers/member-note.js';
import type { PeerTrust } from '../drivers/peer-links.js';

export interface ClusterNodeOptions {
  /** `host:port` where other nodes reach it. */
  readonly peer: string;
  /** Where clients reach it: `wss://…`. */
  readonly client?: string;
}

export interface ClusterOptions {
  /** This node's name. */
  readonly node: string;
  /**
   * All nodes, this one included: `a=10.0.0.1:8701,b=10.0.0.2:8701`, or the same by name. The same
   * on all nodes.
   */
  readonly nodes: string | Readonly<Record<string, ClusterNodeOptions>>;
  /**
   * How nodes prove to each other who they are. At least 32 bytes, the same on all; the links are
   * not encrypted.
   */
  readonly secret?: string;
  /**
   * The same by certificates (mTLS), with encryption: PEM files; the certificate names the node.
   * Instead of `secret`.
   */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /**
   * Where clients reach this node, for redirects. Default: its entry in `nodes`, else where it
   * listens.
   */
  readonly clientUrl?: string;
  /** Interface for the other nodes. Default: loopback if the own address is, else all. */
  readonly peerHost?: string;
}

/** Where and how other nodes are let in. */
export interface PeerDoor {
  readonly trust: PeerTrust;
  readonly host: string;
  readonly port: number;
}

export interface ResolvedCluster {
  readonly node: string;
  readonly list: NodeList;
  readonly peerAddress: string;
  readonly clientUrl: string | undefined;
  /** Undefined: a node that stays alone. */
  readonly peers: PeerDoor | undefined;
}

/** The name of a node that nobody gave one. */
const LONE_NAME = 'a';
const UNLISTED = 'unlisted';

/** Errors: `config-invalid`. */
export function resolveCluster(
  options: ClusterOptions | undefined, note: MemberNote | undefined,
): ResolvedCluster {
  const former = note === undefined ? undefined : nameOfMember(note.id);
  if (options === undefined) return lone(former ?? LONE_NAME);
  const { node, nodes, clientUrl, peerHost } = options;
  const list = typeof nodes === 'string' ? parseNodeList(nodes) : checkNodeList(listed(nodes));
  const own = mustListed(list, node);
  if (former !== undefined && former !== node) throw otherName(former, node);
  const url = clientUrl ?? own.clientUrl;
  if (url !== undefined) checkClientUrl(node, url);
  const { host, port } = splitAddress(own.peerAddress);
  return {
    node, list, peerAddress: own.peerAddress, clientUrl: url,
    peers: { trust: trustOf(options), host: peerHost ?? (isLoopback(host) ? host : '::'), port },
  };
}

/** The token of operators: given, or made of the cluster's secret. Errors: `config-invalid`. */
export function resolveAdminToken(
  given: string | undefined, cluster: ClusterOptions | undefined,
): string | undefined {
  if (given !== undefined) return mustAdminToken(given);
  return cluster?.secret === undefined ? undefined : adminTokenOf(cluster.secret);
}

export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(colon + 1)) };
}

function listed(nodes: Readonly<Record<string, ClusterNodeOptions>>): [string, ListedNode][] {
  return Object.entries(nodes).map(([name, { peer, client }]) =>
    [name, { peerAddress: peer, ...(client === undefined ? {} : { clientUrl: client }) }]);
}

function lone(node: string): ResolvedCluster {
  const list = new Map([[node, { peerAddress: UNLISTED }]]);
  return { node, list, peerAddress: UNLISTED, clientUrl: undefined, peers: undefined };
}

/** There is no cluster whose nodes need not prove who they are, on loopback neither. */
function trustOf({ secret, tls }: ClusterOptions): PeerTrust {
  if (secret !== undefined && tls === undefined) return { kind: 'secret', secret };
  if (tls !== undefined && secret === undefined) return { kind: 'tls', files: tls };
  throw new OxbowError(
    'config-invalid',
    'Cannot tell how nodes prove to each other who they are: give exactly one of a cluster secret ' +
      '(--cluster-secret-file) and certificates (--cluster-tls-ca, --cluster-tls-cert, --cluster-tls-key).',
  );
}

function otherName(former: string, node: string): OxbowError {
  const message = `Cannot run as '${node}' on a data directory that belongs to node '${former}': ` +
    `give --node ${former}, or another directory.`;
  return new OxbowError('config-invalid', message);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.');
