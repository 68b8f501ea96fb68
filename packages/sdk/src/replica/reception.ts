/**
 * What a space takes in from others and what it turns away, decided before anything is changed: a
 * message is taken as a whole, or up to its first piece that lacks something. Nothing that a
 * stranger sends may break an invariant.
 */
import { sameValue } from '../model/index.js';
import { isRival, updateKey } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type {
  CommitEntry, Mark, Reception, ReplicaId, Told, Update, UpdateId,
} from '../protocol/index.js';
import type { IdentityLoss } from './changes.js';
import { isEntryOf } from './kept-log.js';
import type { LogEntry } from './log.js';

export const OK: Reception = { kind: 'ok' };
const GAP: Reception = { kind: 'gap' };
const refused = (code: string, message: string): Reception => ({ kind: 'refused', code, message });

/** What is asked of the space. */
export interface Holding {
  /** What we write under. */
  readonly replica: ReplicaId;
  readonly history: string;
  readonly csn: number;
  readonly lamport: number;
  /** Tentative updates of others. */
  readonly foreignCount: number;
  settledSeq(replica: ReplicaId): number;
  settledMark(replica: ReplicaId): Mark | undefined;
  held(id: UpdateId): LogEntry | undefined;
  /** Of each seat's updates the one with the lowest number. */
  firstOwns(): readonly LogEntry[];
  /** It is an id of our profile. */
  isOurs(replica: ReplicaId): boolean;
  /** It is one of ours, and we have seen all that was ever written under it. */
  isOnlyOurs(replica: ReplicaId): boolean;
  /** Whom our own updates are of, as far as known. */
  readonly user: string | null;
  /** Own updates are withheld. */
  readonly lost: IdentityLoss | undefined;
  /** The highest sequence of that replica that is settled or held. */
  knownSeq(replica: ReplicaId): number;
}

export interface Taken<T> {
  /** To be taken in, whatever `reception` says of the rest. */
  readonly taken: readonly T[];
  readonly reception: Reception;
  /** Someone else writes, or wrote, under our id. */
  readonly isCloned: boolean;
  /**
   * A held update that is not the one that was committed under its id: it and its replica's later
   * ones are void.
   */
  readonly voided?: UpdateId;
}

export function takeUpdates(holding: Holding, updates: readonly Update[]): Taken<Update> {
  const taken: Update[] = [];
  const last = new Map<ReplicaId, Update>();
  let isCloned = false;
  const end = (reception: Reception): Taken<Update> => ({ taken, reception, isCloned });
  for (const update of updates) {
    const { id } = update;
    if (id.replica === holding.replica) {
      if (!isOwn(holding, update)) isCloned = true;
      continue;
    }
    const known = last.get(id.replica)?.id.seq ?? holding.knownSeq(id.replica);
    if (id.seq <= known) continue;
    if (id.seq > known + 1 || lacksContext(holding, update, last)) return end(GAP);
    const before = last.get(id.replica) ?? holding.held({ ...id, seq: known })?.update;
    const refusal = refusalOf(holding, update, before);
    if (refusal !== undefined) return end(refusal);
    if (holding.foreignCount + taken.length >= limits.foreignPendingMax) {
      return end(refused('too-many-tentative', 'Too many updates wait here for their place.'));
    }
    taken.push(update);
    last.set(id.replica, update);
  }
  return end(OK);
}

/**
 * Whether what the other side knows of our updates is not ours: more than we made, or another one
 * under a number of ours. Copies of a store share what stood in it when it was copied: if the
 * newest is the same, all before it are. `replica`: which of our ids is spoken of.
 */
export function showsClone(
  holding: Holding, replica: ReplicaId, { summary, settledSeq, newest }: Told,
): boolean {
  const seq = Math.max(settledSeq, summary.vector[replica] ?? 0, newest?.seq ?? 0);
  if (seq > holding.knownSeq(replica)) return true;
  if (newest === undefined) return false;
  const held = holding.held({ replica, seq: newest.seq })?.update;
  if (held !== undefined) return isRival(held, newest);
  const settled = holding.settledMark(replica);
  return settled?.seq === newest.seq
    && (settled.lamport !== newest.lamport || settled.madeAt !== newest.madeAt);
}

/**
 * Our own update that this entry settles under another id: a former self that we do not remember,
 * or a copy of us, has issued it anew. What was written once is not done again. Only a program of
 * the same user is believed, and only about the first that waits: they are issued anew in order.
 */
export function takenOver(holding: Holding, { id, user, body }: CommitEntry): LogEntry | undefined {
  if (body?.formerly === undefined || id.replica === holding.replica) return undefined;
  const { formerly } = body;
  const key = updateKey(formerly);
  const first = holding.firstOwns().find((entry) => updateKey(entry.firstId) === key);
  if (first === undefined || updateKey(first.update.id) === updateKey(id)) return undefined;
  // One that goes out under its second id may be settled by itself.
  const isOpen = holding.lost !== undefined || first.update.formerly === undefined;
  const { name, at, args } = first.update;
  const isSame = user === holding.user && name === body.name && at === body.at;
  return isOpen && isSame && sameValue(args, body.args) ? first : undefined;
}

/** It comes back to us: from a peer that forwards all it holds. */
export function isOwn(holding: Holding, { id, lamport, at, name }: Update): boolean {
  if (id.seq <= holding.settledSeq(id.replica)) return true;
  const held = holding.held(id)?.update;
  return held !== undefined && held.lamport === lamport && held.at === at && held.name === name;
}

function lacksContext(
  holding: Holding, { context }: Update, last: ReadonlyMap<ReplicaId, Update>,
): boolean {
  if (context.csn > holding.csn) return true;
  // reason: Object.entries forgets the branded key type.
  const entries = Object.entries(context.vector) as [ReplicaId, number][];
  return entries.some(([replica, seq]) =>
    seq > (last.get(replica)?.id.seq ?? holding.knownSeq(replica)));
}

function refusalOf(
  { lamport }: Holding, update: Update, before: Update | undefined,
): Reception | undefined {
  if (update.lamport > lamport + limits.lamportJumpMax || update.lamport > limits.lamportMax) {
    return refused('lamport-jump', 'The Lamport counter of an update is out of all proportion.');
  }
  if (before !== undefined && update.lamport <= before.lamport) {
    return refused('bad-update', 'The Lamport counters of a replica must ascend.');
  }
  return undefined;
}

export function takeCommits(
  holding: Holding, history: string, entries: readonly CommitEntry[],
): Taken<CommitEntry> {
  const taken: CommitEntry[] = [];
  const settled = new Map<ReplicaId, number>();
  let isCloned = false;
  const end = (reception: Reception): Taken<CommitEntry> => ({ taken, reception, isCloned });
  if (holding.history !== '' && holding.history !== history) {
    return end(refused('history-changed', 'Commits of another history. Send the base.'));
  }
  for (const entry of entries) {
    const next = holding.csn + taken.length + 1;
    if (entry.csn < next) continue;
    if (entry.csn > next) return end(GAP);
    const { id } = entry;
    const before = settled.get(id.replica) ?? holding.settledSeq(id.replica);
    if (id.seq !== before + 1) {
      return end(refused('commit-out-of-order', 'Updates of a replica must commit in sequence.'));
    }
    const held = holding.held(id);
    const isHeld = held !== undefined && isEntryOf(entry, held.update);
    if (holding.isOnlyOurs(id.replica) && !isHeld) isCloned = true;
    const isTaken = !holding.isOurs(id.replica) && takenOver(holding, entry) !== undefined;
    if (isTaken) isCloned = true;
    if (entry.body === undefined && !isHeld) {
      // What we could not pass on we do not take: asked again, the sender sees that we lack it.
      return held === undefined ? end(GAP) : { ...end(GAP), voided: id };
    }
    taken.push(entry);
    settled.set(id.replica, id.seq);
  }
  return end(OK);
}
