/**
 * What of a space a file must have so that nothing is lost with this replica: own updates without a
 * final place, and those that were taken from such a file. They keep their ids, so each happens
 * once, whoever brings it to the server first.
 */
import type { AppDefinition } from '../model/index.js';
import type { HolderSource, ReplicaId, Update } from '../protocol/index.js';
import type { SpaceReplica } from './space.js';

/** In stamp order, which respects causality. */
export function unsettledUpdates<A extends AppDefinition>(
  { insides }: Pick<SpaceReplica<A>, 'insides'>,
): readonly Update[] {
  const { ground: { log }, ledger, user } = insides.state;
  return log.entries
    .filter(({ own, update: { id } }) => own || (ledger.userOf(id.replica) ?? user) === user)
    .map(({ update }) => update);
}

/** The updates alone, as anti-entropy tells them to one who holds everything before them. */
export function holderOf(updates: readonly Update[]): HolderSource {
  const vector: Record<ReplicaId, number> = {};
  for (const { id: { replica, seq } } of updates) vector[replica] = seq;
  return {
    summary: () => ({ history: '', csn: 0, vector }),
    settledSeq: () => 0,
    entriesAfter: () => [],
    tentativeAfter: (cursor, max) => {
      const run = updates.slice(cursor, cursor + max);
      return { updates: run, cursor: cursor + run.length };
    },
    snapshot: () => undefined,
  };
}
