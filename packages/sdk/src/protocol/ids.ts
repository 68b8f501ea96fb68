/**
 * Names of things that travel. An update is known for ever by (space, replica, seq); the stamp
 * (lamport, replica) orders tentative updates. Lamport, "Time, Clocks", 1978; Terry et al., SOSP'95
 * §4.
 */

declare const brand: unique symbol;
export type ReplicaId = string & { readonly [brand]: 'ReplicaId' };
export type SpaceId = string & { readonly [brand]: 'SpaceId' };

/**
 * `seq` is dense per (space, replica) and starts at 1. The space is known from where the id is
 * used.
 */
export interface UpdateId {
  readonly replica: ReplicaId;
  readonly seq: number;
}

/** One string per update id within a space: a map key, never parsed. */
export const updateKey = (id: UpdateId): string => `${id.replica}/${id.seq}`;

export interface Stamp {
  readonly lamport: number;
  readonly replica: ReplicaId;
}

/**
 * Total order of tentative updates: by Lamport counter, ties by replica id (code units: ids are
 * ASCII).
 */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.lamport !== b.lamport) return a.lamport < b.lamport ? -1 : 1;
  if (a.replica === b.replica) return 0;
  return a.replica < b.replica ? -1 : 1;
}

/**
 * replica → highest update sequence held, without gaps. A missing replica means: none beyond csn.
 */
export type VersionVector = Readonly<Record<ReplicaId, number>>;

/**
 * What a holder of a space has. `history` names the sequence of commits that `csn` counts in: a
 * server restored from a backup starts another history. Empty while nothing was ever received (then
 * csn = 0). `vector` covers tentative updates only: those beyond the ledger at `csn`.
 */
export interface Summary {
  readonly history: string;
  readonly csn: number;
  readonly vector: VersionVector;
}
