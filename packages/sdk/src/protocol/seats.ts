/**
 * Several programs write for one browser profile at the same time: its tabs. Each needs an id of
 * its own, as an update has its final number at once and two writers under one id would give it
 * twice. To remember an id per tab would need a table that all must agree on, and would grow with
 * every tab ever opened. So a profile has one id, and its writers have seats: the id of a seat
 * follows from that of the profile. A seat that is free is taken again, and its sequence goes on.
 */
import type { ReplicaId } from './ids.js';
import * as limits from './limits.js';

/** Never in a fresh id (UUID text). */
const SEPARATOR = '_';

/** What seat n of the profile writes under; seat 0 under the profile's id itself. */
export const seatId = (profile: ReplicaId, seat: number): ReplicaId =>
  // reason: the ids of seats are made here.
  (seat === 0 ? profile : `${profile}${SEPARATOR}${seat}`) as ReplicaId;

/** Which seat of the profile writes under that id; undefined: it is no id of the profile. */
export function seatOf(profile: ReplicaId, id: string): number | undefined {
  if (id === profile) return 0;
  if (!id.startsWith(profile + SEPARATOR)) return undefined;
  const seat = Number(id.slice(profile.length + 1));
  return Number.isInteger(seat) && seat > 0 && seat < limits.seatsMax ? seat : undefined;
}

/** The profile that an id is of, whichever of its seats writes under it. */
export const profileOf = (id: ReplicaId): ReplicaId =>
  // reason: what comes before the separator is the profile's id.
  id.split(SEPARATOR, 1)[0] as ReplicaId;

/** The profile's own id, or that of one of its seats. */
export const isSeatOf = (profile: ReplicaId, id: string): boolean =>
  seatOf(profile, id) !== undefined;
