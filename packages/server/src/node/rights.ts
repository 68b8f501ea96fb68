/** Who may do what where, by the claims of a verified token. */
import type { SpaceId } from '@oxbow/sdk/protocol';
import type { Claims } from './effects.js';

export type Right = 'none' | 'r' | 'rw';

/**
 * The strongest right that any pattern gives: the space's own name, or `prefix*` for all that start
 * with the prefix. Bounded by the space's length, not by the number of patterns, as it runs for
 * every message.
 */
export function rightTo(space: SpaceId, { spaces }: Claims): Right {
  let right: Right = Object.hasOwn(spaces, space) ? (spaces[space] ?? 'none') : 'none';
  for (let length = 0; length <= space.length && right !== 'rw'; length++) {
    const pattern = `${space.slice(0, length)}*`;
    if (Object.hasOwn(spaces, pattern)) right = spaces[pattern] ?? right;
  }
  return right;
}

export const isExpired = ({ expiresAtMs }: Claims, now: number): boolean =>
  expiresAtMs !== undefined && expiresAtMs <= now;
