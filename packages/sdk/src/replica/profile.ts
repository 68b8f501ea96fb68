/**
 * Who this replica is, across all its spaces: one small record of the store. It is written before
 * anything that depends on it, so a crash never leaves a space under an identity that the profile
 * does not know.
 */
import { isReplicaId, OxbowError, type ReplicaId } from '../protocol/index.js';
import type { PersistOp } from './effects.js';

export interface Profile {
  readonly replica: ReplicaId;
  /** The user that a server has verified last, or that the app named; null: nobody. */
  readonly user: string | null;
  /** `user` was verified by a server, under this `replica`. */
  readonly isVerified: boolean;
}

/**
 * Keys of spaces start with the space's name, which is never empty: no space can collide with it.
 */
export const PROFILE_KEY = '\u0000profile';

export function profileOp(profile: Profile): PersistOp {
  return { kind: 'put', collection: 'meta', key: PROFILE_KEY, value: JSON.stringify(profile) };
}

/** Errors: `store-damaged`. */
export function readProfile(text: string | undefined): Profile | undefined {
  if (text === undefined) return undefined;
  const value = parse(text);
  if (typeof value === 'object' && value !== null && 'replica' in value && 'user' in value) {
    const { replica, user } = value;
    const isUser = user === null || typeof user === 'string';
    if (isUser && typeof replica === 'string' && isReplicaId(replica)) {
      return { replica, user, isVerified: 'isVerified' in value && value.isVerified === true };
    }
  }
  throw new OxbowError(
    'store-damaged',
    'The replica\'s identity cannot be read, and unsent updates may be lost. Export the store, '
      + 'then delete it; the rest comes back.',
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
