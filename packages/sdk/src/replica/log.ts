/**
 * The tentative log: updates without a final place, in stamp order. Bayou keeps one list and rolls
 * it back and forth; here the list only says who stands before whom, and the overlay holds what
 * each has written. Three orders meet in it: by stamp (execution), by replica and sequence (what is
 * held, without gaps), and by arrival (what is passed on). Arrival order respects causality, as
 * nothing is taken in before what its author had seen; a cursor in it therefore stays good when an
 * update is put into the middle of the stamp order.
 */
import { sameValue } from '../model/index.js';
import type { Execution, ParsedArgs } from '../model/index.js';
import { invariant } from '../protocol/index.js';
import type {
  Effect, KeyText, Outcome, ReplicaId, Update, UpdateId, VersionVector,
} from '../protocol/index.js';
import type { FinalOutcome, Stage, UpdateReceipt } from './receipt.js';

/** Before the first run. */
const NOT_RUN: Execution = {
  outcome: { kind: 'applied' },
  effects: [],
  reads: { keys: new Map(), ranges: [] },
  opaque: false,
};

/** One tentative update with what its latest execution did. */
export class LogEntry {
  /** Complete when the entry is in the log: what it needs is known only after its first run. */
  update: Update;
  readonly own: boolean;
  /**
   * Position in the log: ascending in stamp order. A reader at this rank sees what stands below.
   */
  rank = 0;
  /** The verified author as far as known; null until a commit of that replica tells it. */
  user: string | null;
  /** Arguments as `parseArgs` gave them, once per update. */
  parsed: ParsedArgs | undefined;
  execution: Execution = NOT_RUN;
  /** Where one row is all that it has read: which one. Each batch asks each entry for it. */
  onlyRead: { readonly table: string; readonly key: KeyText } | undefined;
  /** What the first execution wrote: what was asked for. */
  attempt: readonly Effect[] = NOT_RUN.effects;
  stage: Stage = 'local';
  /** Settled; `stage` is `committed` then. */
  final: FinalOutcome | undefined;
  /** Place in the order of passing on; 0: not to be passed on yet. */
  arrival = 0;
  /**
   * Has left the log, which drops it at the end of the batch: until then it keeps its rank for
   * comparison.
   */
  removed = false;
  /** Has to run in this batch whatever it read. */
  stale = true;
  receipt: UpdateReceipt | undefined;
  /** What stands against it, as of its latest run: something that it needs was refused. */
  refusal: Outcome | undefined;
  /** Earlier own updates that it met and that were refused in the end. */
  refusedBelow: UpdateId[] | undefined;

  constructor(update: Update, own: boolean, user: string | null) {
    this.update = update;
    this.own = own;
    this.user = user;
  }

  /** Under which its author made it first. */
  get firstId(): UpdateId {
    return this.update.formerly ?? this.update.id;
  }

  get outcome(): FinalOutcome {
    return this.final ?? this.execution.outcome;
  }

  /**
   * Takes an execution in. What equals the one before stays the same object; true if anything
   * differs.
   */
  ran(execution: Execution): boolean {
    const before = this.execution;
    this.stale = false;
    this.execution = execution;
    this.onlyRead = onlyReadOf(execution);
    if (before === NOT_RUN) {
      this.attempt = execution.effects;
      return true;
    }
    const isOutcomeSame = sameValue(before.outcome, execution.outcome);
    const areEffectsSame = sameEffects(before.effects, execution.effects);
    const outcome = isOutcomeSame ? before.outcome : execution.outcome;
    const effects = areEffectsSame ? before.effects : execution.effects;
    this.execution = { ...execution, outcome, effects };
    return !isOutcomeSame || !areEffectsSame;
  }
}

function onlyReadOf({ reads: { keys, ranges } }: Execution): LogEntry['onlyRead'] {
  if (keys.size !== 1 || ranges.length > 0) return undefined;
  for (const [table, texts] of keys) {
    if (texts.size === 1) for (const key of texts) return { table, key };
  }
  return undefined;
}

function sameEffects(a: readonly Effect[], b: readonly Effect[]): boolean {
  return a.length === b.length && a.every(({ table, key, row }, i) => {
    const other = b[i];
    return other?.key === key && other.table === table && sameValue(other.row, row);
  });
}

/**
 * What is held of one replica: sequences that ascend, without gaps but where the disk was damaged.
 */
class Held {
  /** Of `entries[0]`, which may have left already. */
  first: number;
  /** By sequence. */
  entries: (LogEntry | undefined)[] = [];
  count = 0;
  last: number;
  /** Up to here all may be passed on; 0: none. */
  released = 0;

  constructor(first: number) {
    this.first = first;
    this.last = first - 1;
  }

  get(seq: number): LogEntry | undefined {
    return this.entries[seq - this.first];
  }

  /** Stages ascend from the newest to the oldest. */
  get lastSaved(): number {
    let seq = this.last;
    while (this.get(seq)?.stage === 'local') seq -= 1;
    return seq;
  }

  add(entry: LogEntry): void {
    const { seq } = entry.update.id;
    invariant(seq > this.last, 'updates of a replica come in sequence');
    while (this.first + this.entries.length < seq) this.entries.push(undefined);
    this.entries.push(entry);
    this.count += 1;
    this.last = seq;
  }

  /** The first or the last of them. */
  remove(seq: number): void {
    this.entries[seq - this.first] = undefined;
    this.count -= 1;
    if (seq === this.last) {
      this.last = seq - 1;
      this.entries.pop();
    }
    this.released = Math.min(this.released, this.last);
  }

  /** Forgets the places of those that have left. */
  compact(): void {
    const gone = this.entries.findIndex((entry) => entry !== undefined);
    if (gone <= 0) return;
    this.entries.splice(0, gone);
    this.first += gone;
  }
}

export class TentativeLog {
  /** In stamp order; ranks ascend strictly. */
  #entries: LogEntry[] = [];
  readonly #held = new Map<ReplicaId, Held>();
  /** What may be passed on, `arrival` ascending. */
  #outbox: LogEntry[] = [];
  #arrivals = 0;
  #removals = 0;
  #ownCount = 0;

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Of the profile. */
  get ownCount(): number {
    return this.#ownCount;
  }

  get(id: UpdateId): LogEntry | undefined {
    return this.#held.get(id.replica)?.get(id.seq);
  }

  /** Highest sequence held of that replica; undefined if none is. */
  lastSeq(replica: ReplicaId): number | undefined {
    return this.#held.get(replica)?.last;
  }

  countOf(replica: ReplicaId): number {
    return this.#held.get(replica)?.count ?? 0;
  }

  /** All held of that replica, by sequence. */
  of(replica: ReplicaId): LogEntry[] {
    return this.#held.get(replica)?.entries.filter((entry) => entry !== undefined) ?? [];
  }

  /** The highest sequence per replica that may be passed on. */
  vector(isLeftOut: (replica: ReplicaId) => boolean): VersionVector {
    const vector: Record<ReplicaId, number> = {};
    for (const [replica, held] of this.#held) {
      if (held.released > 0 && !isLeftOut(replica)) vector[replica] = held.released;
    }
    return vector;
  }

  /**
   * The highest sequence held per replica but that one: what its next update has seen. Of other
   * tabs of the profile only what the disk has: the rest is forgotten here when another tab takes
   * the disk over, and an update that had seen it would wait for it, perhaps for ever.
   */
  seen(by: ReplicaId): VersionVector {
    const vector: Record<ReplicaId, number> = {};
    for (const [replica, held] of this.#held) {
      if (replica === by || held.count === 0) continue;
      const seq = held.get(held.last)?.own === true ? held.lastSaved : held.last;
      if (seq >= held.first) vector[replica] = seq;
    }
    return vector;
  }

  /** The newest of each of our seats. */
  newestOwn(): LogEntry[] {
    const own: LogEntry[] = [];
    for (const held of this.#held.values()) {
      const newest = held.get(held.last);
      if (newest?.own === true) own.push(newest);
    }
    return own;
  }

  /** At one of our seats, at least. Asked at the end of each turn. */
  isNewestOwnAt(stage: Stage): boolean {
    for (const held of this.#held.values()) {
      const newest = held.get(held.last);
      if (newest?.own === true && newest.stage === stage) return true;
    }
    return false;
  }

  /** Everything of ours that may not be passed on yet, in stamp order. */
  unreleasedOwn(): LogEntry[] {
    return this.#entries.filter(({ own, arrival, removed }) => own && arrival === 0 && !removed);
  }

  /** A new highest stamp: the author's own case. */
  push(entry: LogEntry): void {
    const top = this.#entries.at(-1);
    invariant(top === undefined || isBelow(top, entry), 'an own update has the highest stamp');
    entry.rank = top === undefined ? 0 : top.rank + 1;
    this.#entries.push(entry);
    this.#hold(entry);
  }

  /**
   * Puts entries where their stamps belong and ranks all anew, those already removed in this batch
   * included: the order among them must stay comparable. Returns the lowest rank that is new.
   */
  insert(arrived: readonly LogEntry[]): number {
    const fresh = arrived.toSorted((a, b) => (isBelow(a, b) ? -1 : 1));
    const [lowest] = fresh;
    if (lowest === undefined) return Infinity;
    // Per replica in sequence: that is also stamp order.
    for (const entry of fresh) this.#hold(entry);
    this.#entries = merged(this.#entries, fresh);
    this.#entries.forEach((entry, i) => { entry.rank = i; });
    return lowest.rank;
  }

  /** May be passed on from now on. Called in causal order. */
  release(entry: LogEntry): void {
    if (entry.arrival > 0 || entry.removed) return;
    this.#arrivals += 1;
    entry.arrival = this.#arrivals;
    this.#outbox.push(entry);
    const { replica, seq } = entry.update.id;
    const held = this.#held.get(replica);
    if (held !== undefined) held.released = seq;
  }

  /** The last of one or more replicas, in sequence: not to be passed on for now after all. */
  withdraw(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      entry.arrival = 0;
      const { replica, seq } = entry.update.id;
      const held = this.#held.get(replica);
      if (held !== undefined) held.released = Math.min(held.released, seq - 1);
    }
    this.#outbox = this.#outbox.filter(({ arrival }) => arrival > 0);
  }

  /**
   * All that may be passed on comes behind every cursor given out before, in stamp order: that
   * respects causality, too.
   */
  rearrive(): void {
    this.#outbox = this.#entries.filter(({ arrival, removed }) => arrival > 0 && !removed);
    for (const entry of this.#outbox) entry.arrival = ++this.#arrivals;
  }

  /** Those of the replica up to that sequence that may not be passed on yet, in sequence. */
  unreleased(replica: ReplicaId, throughSeq: number): LogEntry[] {
    const held = this.#held.get(replica);
    const entries: LogEntry[] = [];
    if (held === undefined) return entries;
    // Released ones come first: going down ends at them.
    for (let seq = Math.min(held.last, throughSeq); ; seq--) {
      const entry = held.get(seq);
      if (entry === undefined || entry.arrival > 0) return entries.reverse();
      entries.push(entry);
    }
  }

  /**
   * Takes an entry out: the first of its replica, or the last. It keeps its rank and its place in
   * `entries` until `compact`.
   */
  remove(entry: LogEntry): void {
    invariant(!entry.removed, 'an entry leaves the log once');
    entry.removed = true;
    this.#removals += 1;
    if (entry.own) this.#ownCount -= 1;
    const { replica, seq } = entry.update.id;
    const held = this.#held.get(replica);
    if (held === undefined) return;
    held.remove(seq);
    if (held.count === 0) this.#held.delete(replica);
  }

  compact(): void {
    if (this.#removals === 0) return;
    this.#removals = 0;
    this.#entries = this.#entries.filter(isLeft);
    this.#outbox = this.#outbox.filter(isLeft);
    for (const held of this.#held.values()) held.compact();
  }

  /** In order of arrival, from after `cursor` on. */
  after(cursor: number, entriesMax: number): readonly LogEntry[] {
    let low = 0;
    let high = this.#outbox.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const arrival = this.#outbox[middle]?.arrival ?? Infinity;
      if (arrival <= cursor) low = middle + 1;
      else high = middle;
    }
    return this.#outbox.slice(low, low + entriesMax);
  }

  #hold(entry: LogEntry): void {
    if (entry.own) this.#ownCount += 1;
    const { replica, seq } = entry.update.id;
    let held = this.#held.get(replica);
    if (held === undefined) {
      held = new Held(seq);
      this.#held.set(replica, held);
    }
    held.add(entry);
  }
}

const isLeft = (entry: LogEntry): boolean => !entry.removed;

/** Two lists in stamp order as one. */
function merged(kept: readonly LogEntry[], fresh: readonly LogEntry[]): LogEntry[] {
  const all: LogEntry[] = [];
  let next = 0;
  for (const entry of kept) {
    for (let add = fresh[next]; add !== undefined && isBelow(add, entry); add = fresh[next]) {
      all.push(add);
      next += 1;
    }
    all.push(entry);
  }
  return all.concat(fresh.slice(next));
}

/** In stamp order, without making stamps: asked at each mutation. */
const isBelow = ({ update: a }: LogEntry, { update: b }: LogEntry): boolean =>
  a.lamport < b.lamport || (a.lamport === b.lamport && a.id.replica < b.id.replica);
