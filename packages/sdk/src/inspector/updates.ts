/**
 * The log of updates as one list: what waits, what has its final place and is still kept, and what
 * went otherwise than asked and was not acknowledged.
 */
import type { Context, Effect, UpdateId, Value } from '../protocol/index.js';
import { updateKey } from '../protocol/index.js';
import type { ConflictRecord, FinalOutcome, Obstacle } from '../replica/conflict.js';
import type { KeptEntry } from '../replica/kept-log.js';
import type { LogEntry } from '../replica/log.js';
import type { Stage } from '../replica/receipt.js';
import { readWords, type ReadWords } from './key-words.js';
import type { InspectedState } from './inspected-state.js';

export interface UpdateView {
  readonly id: UpdateId;
  readonly own: boolean;
  /** `held`: another's, tentative here. */
  readonly stage: Stage | 'held';
  /** With the replica in `id`, the stamp; undefined where only its conflict is left. */
  readonly lamport: number | undefined;
  /** Its final place; undefined while it has none. */
  readonly csn: number | undefined;
  /** What its author had seen. */
  readonly context: Context | undefined;
  /** Undefined where the update's body was never here. */
  readonly name: string | undefined;
  readonly version: number | undefined;
  readonly args: Value;
  /** Wall time at its author, ms. */
  readonly at: number | undefined;
  readonly committedAt: number | undefined;
  readonly user: string | null;
  readonly outcome: FinalOutcome;
  /** The mutation is unknown to this version of the app: kept and passed on, not run here. */
  readonly opaque: boolean;
  readonly effects: readonly Effect[];
  /** What its first execution here wrote, where that differs from what it writes. */
  readonly attempt: readonly Effect[] | undefined;
  /** Of its latest execution here; undefined when it is settled. */
  readonly reads: ReadWords | undefined;
  /** Its first id, where it had to be issued anew. */
  readonly formerly: UpdateId | undefined;
  /** Not acknowledged yet: which updates stood in its way. */
  readonly obstacles: readonly Obstacle[] | undefined;
}

/** The newest first: tentative ones from the top of the log down, then settled ones by csn. */
export function updatesOf(state: InspectedState): readonly UpdateView[] {
  const conflicts = new Map(state.conflicts.list.map((one) => [updateKey(one.id), one]));
  const tentative = state.ground.log.entries.map(tentativeView).reverse();
  const settled = state.kept.since(0).map(({ entry }) => {
    const conflict = conflicts.get(updateKey(entry.id));
    conflicts.delete(updateKey(entry.id));
    return settledView(state, entry, conflict);
  });
  const older = [...conflicts.values()].map(conflictView);
  return [...tentative, ...settled.reverse(), ...older.reverse()];
}

function tentativeView(entry: LogEntry): UpdateView {
  const { update, own, user, execution, attempt, outcome } = entry;
  const { id, lamport, context, name, version, args, at, formerly } = update;
  const { effects, opaque, reads } = execution;
  return {
    id, own, lamport, context, name, version, args, at, user, outcome, opaque, effects, formerly,
    stage: own ? entry.stage : 'held',
    csn: undefined, committedAt: undefined, obstacles: undefined,
    attempt: attempt === effects ? undefined : attempt,
    reads: readWords(reads),
  };
}

function settledView(
  state: InspectedState, entry: KeptEntry['entry'], conflict: ConflictRecord | undefined,
): UpdateView {
  const { csn, at: committedAt, id, lamport, user, outcome, effects, body } = entry;
  return {
    id, lamport, csn, committedAt, user, outcome, effects,
    own: state.isOurs(id.replica), stage: 'committed',
    context: body?.context, name: body?.name, version: body?.version, args: body?.args,
    at: body?.at ?? entry.madeAt, formerly: body?.formerly,
    opaque: false, reads: undefined,
    attempt: conflict?.attempt, obstacles: conflict?.obstacles,
  };
}

/** Its commit entry is no longer kept. */
function conflictView(record: ConflictRecord): UpdateView {
  const { id, csn, name, version, args, outcome, effects, attempt, obstacles } = record;
  return {
    id, name, version, args, outcome, effects, attempt, obstacles,
    own: true, stage: 'committed', csn: csn === 0 ? undefined : csn,
    at: record.askedAt, committedAt: record.at,
    lamport: undefined, context: undefined, user: null, opaque: false, reads: undefined,
    formerly: undefined,
  };
}
