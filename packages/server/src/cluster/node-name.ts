/** Names of nodes as operators give them, and the ids of their disks. */
import type { MemberId } from '../paxos/ballot.js';

const NAME = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;
const RANDOM = /^[0-9a-z]{8,32}$/;

/**
 * 1 to 32 characters of a-z, 0-9 and inner hyphens: what a DNS label and a certificate take too.
 */
export const isNodeName = (value: unknown): value is string =>
  typeof value === 'string' && NAME.test(value);

/** `random`: 8 to 32 characters of a-z and 0-9, never given out before. */
export function makeMemberId(name: string, random: string): MemberId {
  // reason: the only place where member ids are made.
  return `${name}.${random}` as MemberId;
}

export function isMemberId(value: unknown): value is MemberId {
  if (typeof value !== 'string') return false;
  const [name, random = '', ...rest] = value.split('.');
  return isNodeName(name) && RANDOM.test(random) && rest.length === 0;
}

/** The node's name within its id. */
export const nameOfMember = (id: MemberId): string => id.slice(0, id.indexOf('.'));
