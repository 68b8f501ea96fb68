/**
 * What nodes tell each other about themselves and their group, as JSON on the control channel:
 * rare, small, and worth reading in a capture. A frame starts with one byte that says whose it is;
 * Paxos has frames of its own.
 */
import { isMemberId, isNodeName } from './node-name.js';
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration, Member } from '../paxos/configuration.js';

/** First byte of a frame on the control channel. */
export const controlFrame = { paxos: 0, cluster: 1 } as const;

/**
 * - `fresh`: its disk has never belonged to a cluster
 * - `forgetful`: it belonged to one, under an id that must not be used again; wants to be filled
 *   anew
 * - `joining`: a cluster has taken it, its disk does not say so yet
 * - `member`: it belongs to `cluster`
 */
export type Standing = 'fresh' | 'forgetful' | 'joining' | 'member';

export interface Announcement {
  readonly kind: 'announce';
  readonly id: MemberId;
  readonly peerAddress: string;
  readonly clientUrl: string;
  readonly standing: Standing;
  /** Of a member, of one that joins, and of one that has forgotten; undefined: fresh. */
  readonly cluster: string | undefined;
  /** The names in its own list, sorted. */
  readonly list: readonly string[];
  /** Of its software. */
  readonly version: string;
}

/** What a node says of its progress, a few times a second, to whoever it is linked with. */
export interface Position {
  readonly kind: 'position';
  readonly chosenSlot: number;
  /** In the state, on this node's disk. */
  readonly appliedSlot: number;
  /** Whom it takes for the leader. */
  readonly leader: MemberId | undefined;
  /** The newest sync of the log, ms. */
  readonly fsyncMs: number;
  /** By how much the event loop was late at most, lately, ms. */
  readonly loopLagMs: number;
  /** Its wall clock, ms since 1970. */
  readonly wallMs: number;
}

export type ClusterMessage =
  | Position
  /** At each linking and each change. */
  | Announcement
  /**
   * To one that has no cluster yet: you belong to this one, whose first configuration was `first`.
   */
  | { readonly kind: 'form'; readonly cluster: string; readonly you: MemberId; readonly first: Configuration };

/** Larger than any of them. */
const TEXT_CHARS_MAX = 64 * 1024;

export const encodeClusterMessage = (message: ClusterMessage): string => JSON.stringify(message);

/** Undefined: it is none. */
export function decodeClusterMessage(text: string): ClusterMessage | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined;
  const fields = fieldsOf(parse(text));
  switch (fields['kind']) {
    case 'announce': return announcementOf(fields);
    case 'form': return formOf(fields);
    case 'position': return positionOf(fields);
    default: return undefined;
  }
}

/** Undefined: it is none. Also for what a node keeps on its disk. */
export function configurationOf(value: unknown): Configuration | undefined {
  const { number, fromSlot, voters, learners } = fieldsOf(value);
  const [voting, learning] = [membersOf(voters), membersOf(learners)];
  if (!isCount(number) || !isCount(fromSlot)) return undefined;
  if (voting === undefined || learning === undefined) return undefined;
  return { number, fromSlot, voters: voting, learners: learning };
}

type Fields = Readonly<Record<string, unknown>>;

function announcementOf(fields: Fields): Announcement | undefined {
  const { id, peerAddress, clientUrl, standing, cluster, list, version } = fields;
  if (!isMemberId(id) || !isText(peerAddress) || !isText(clientUrl)) return undefined;
  if (!isText(version)) return undefined;
  if (!isStanding(standing) || !(cluster === undefined || isText(cluster))) return undefined;
  if (!Array.isArray(list) || !list.every(isNodeName)) return undefined;
  return { kind: 'announce', id, peerAddress, clientUrl, standing, cluster, list, version };
}

function formOf({ cluster, you, first }: Fields): ClusterMessage | undefined {
  const configuration = configurationOf(first);
  if (!isText(cluster) || !isMemberId(you) || configuration === undefined) return undefined;
  return { kind: 'form', cluster, you, first: configuration };
}

function positionOf(fields: Fields): ClusterMessage | undefined {
  const { chosenSlot, appliedSlot, leader, fsyncMs, loopLagMs, wallMs } = fields;
  if (!isCount(chosenSlot) || !isCount(appliedSlot)) return undefined;
  if (!isMeasure(fsyncMs) || !isMeasure(loopLagMs) || !isMeasure(wallMs)) return undefined;
  if (leader !== undefined && !isMemberId(leader)) return undefined;
  return { kind: 'position', chosenSlot, appliedSlot, leader, fsyncMs, loopLagMs, wallMs };
}

function membersOf(value: unknown): readonly Member[] | undefined {
  if (!Array.isArray(value) || value.length > 32) return undefined;
  const members = value.flatMap((given) => {
    const { id, name, peerAddress, clientUrl } = fieldsOf(given);
    const isSound = isMemberId(id) && isNodeName(name) && isText(peerAddress) && isText(clientUrl);
    return isSound ? [{ id, name, peerAddress, clientUrl }] : [];
  });
  return members.length === value.length ? members : undefined;
}

function isStanding(value: unknown): value is Standing {
  return value === 'fresh' || value === 'forgetful' || value === 'joining' || value === 'member';
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 512 && !/[^\x20-\x7e]/.test(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const isMeasure = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON: nothing that we know.
    return undefined;
  }
}
