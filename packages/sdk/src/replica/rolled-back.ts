/**
 * What a server that was restored from a backup has forgotten of ours. Its state has another
 * history, and whatever was committed after the backup is not in it: its author was told that it is
 * done, and nobody would ever say otherwise (etcd #16028: caches never notice a restore). It is not
 * issued anew by itself, as only a person knows whether it still is wanted: it goes into the list
 * of conflicts.
 */
import { OxbowError } from '../protocol/index.js';
import type { CommitEntry, ReplicaId } from '../protocol/index.js';
import type { ConflictRecord } from './conflict.js';
import type { Ledger } from './ledger.js';

export interface RolledBack {
  /** One for each that is still known here, in the order of their commits. */
  readonly records: readonly ConflictRecord[];
  /** Others, of which only their numbers are known. */
  readonly forgotten: number;
}

export interface Restored {
  /** Of the former history; each entry has its body. */
  readonly kept: readonly CommitEntry[];
  readonly before: Ledger;
  readonly after: Ledger;
  /** Whether updates of that replica are, or were, ours. */
  readonly isOwn: (replica: ReplicaId) => boolean;
}

export function rolledBack({ kept, before, after, isOwn }: Restored): RolledBack {
  let forgotten = 0;
  for (const { replica, seq } of before.lines()) {
    if (isOwn(replica)) forgotten += Math.max(0, seq - after.seqOf(replica));
  }
  const records: ConflictRecord[] = [];
  for (const entry of kept) {
    const { id, body } = entry;
    const isOurs = isOwn(id.replica);
    if (!isOurs && !(body?.formerly && isOwn(body.formerly.replica))) continue;
    if (id.seq <= after.seqOf(id.replica)) continue;
    if (isOurs) forgotten--;
    const record = recordOf(entry);
    if (record !== undefined) records.push(record);
  }
  return { records, forgotten };
}

/** What was refused left nothing that could be missed. */
function recordOf({ id, at, outcome, effects, body }: CommitEntry): ConflictRecord | undefined {
  if (body === undefined || outcome.kind === 'rejected') return undefined;
  const { name, version, args, at: askedAt } = body;
  return {
    id, csn: 0, at, name, version, args, askedAt,
    attempt: effects, outcome: { kind: 'rolled-back', was: outcome }, effects: [],
    obstacles: [], refused: [],
  };
}

export const forgottenError = (count: number): OxbowError => new OxbowError(
  'updates-rolled-back',
  'The server was restored to an older state. Own updates that it lacks and that are no longer '
    + `known here: ${count}. Look at the data, and ask for what is missing.`,
);
