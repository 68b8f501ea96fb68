/**
 * What happens to the log and the base when others are heard: commits, their updates, whole bases,
 * and when own updates have to be issued anew. Every step keeps the same order: decide, change,
 * name what must be kept.
 */
import type { AppDefinition } from '../model/index.js';
import { inverseOf, NO_READS } from '../model/index.js';
import { isRival, isSeatOf, ledgerLineOf, OxbowError, updateKey } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type {
  BaseSnapshot, CommitEntry, Effect, LedgerLine, ReceivedBase, ReplicaId, Row, Update, UpdateBody,
  UpdateId,
} from '../protocol/index.js';
import { snapshotOf, tablesOf } from './base-picture.js';
import type { ReplicaChanges } from './changes.js';
import { needsAnew } from './built-on.js';
import { conflictRecord, noteRefused, obstaclesTo } from './conflict.js';
import type { ConflictRecord, Settlement } from './conflict.js';
import { isEntryOf } from './kept-log.js';
import { Ledger } from './ledger.js';
import { LogEntry } from './log.js';
import { Rebase, replayAll } from './rebase.js';
import type { Rebased } from './rebase.js';
import { takenOver } from './reception.js';
import { forgottenError, rolledBack, type RolledBack } from './rolled-back.js';
import type { FinalOutcome, UpdateReceipt } from './receipt.js';
import type { SpaceState } from './state.js';

/** Who has to hear of it. */
export interface Witness {
  readonly changes: ReplicaChanges;
  /** The update's stage, outcome or effects are others now. */
  changed(entry: LogEntry): void;
  rebased(rebased: Rebased): void;
  /** All views may be others. */
  replaced(): void;
  report(error: OxbowError): void;
}

export class Settler<A extends AppDefinition> {
  readonly #state: SpaceState<A>;
  readonly #witness: Witness;
  /** Receipts of updates that were forgotten here: they come again, or are settled elsewhere. */
  readonly #parted = new Map<string, UpdateReceipt>();

  constructor(state: SpaceState<A>, witness: Witness) {
    this.#state = state;
    this.#witness = witness;
  }

  /** Dense, checked (reception.ts). */
  commit(history: string, entries: readonly CommitEntry[]): void {
    const state = this.#state;
    const { changes } = this.#witness;
    state.history = history;
    const batch = new Rebase(state.ground);
    changes.entriesCommitted(entries.map((entry) => this.#commit(batch, entry)));
    const trimmed = state.kept.trim();
    if (trimmed !== undefined) changes.entriesTrimmed(trimmed);
    changes.headChanged(state.head);
    this.#finish(batch);
  }

  /** Others' updates, each the next of its replica. */
  insert(updates: readonly Update[]): void {
    const state = this.#state;
    const batch = new Rebase(state.ground);
    const entries = updates.map((update) => this.#arrived(batch, update));
    for (const { update } of entries) {
      state.lamport = Math.max(state.lamport, update.lamport);
      this.#witness.changes.updateAdded({ update });
    }
    batch.insert(entries);
    // What our tabs bring to us stays home until it is on disk.
    const isHeldBack = ({ own }: LogEntry): boolean => own && state.isKeeper;
    for (const entry of entries) if (!isHeldBack(entry)) state.ground.log.release(entry);
    this.#finish(batch);
  }

  /**
   * Forgets held updates of another replica from that one on: they are not those that its primary
   * knows.
   */
  drop(replica: ReplicaId, fromSeq: number): void {
    const batch = new Rebase(this.#state.ground);
    for (const entry of this.#state.ground.log.of(replica).toReversed()) {
      if (entry.update.id.seq < fromSeq) break;
      batch.remove(entry);
      this.#witness.changes.updateRemoved(entry.update.id);
    }
    this.#finish(batch);
  }

  /** Takes those out of the log; whoever made them has them, or nobody was told of them. */
  forget(entries: readonly LogEntry[]): void {
    if (entries.length === 0) return;
    const batch = new Rebase(this.#state.ground);
    // From the end of each sequence: it stays without a hole.
    for (const entry of entries.toReversed()) {
      batch.remove(entry);
      if (entry.receipt !== undefined) this.#parted.set(updateKey(entry.update.id), entry.receipt);
      this.#witness.changes.updateRemoved(entry.update.id);
    }
    this.#finish(batch);
  }

  /**
   * Throws where the rows are not in order, before anything is changed. True when others of our
   * updates are settled in it than we hold: those stay, to be issued anew.
   */
  replace(base: ReceivedBase): boolean {
    const state = this.#state;
    const { ground } = state;
    const isNewHistory = state.history !== '' && state.history !== base.history;
    const { dev, lifting } = state;
    const tables = tablesOf(base, { app: state.runner.app, dev, lifting });
    state.history = base.history;
    state.csn = base.csn;
    state.at = base.at;
    state.committedLamport = base.lamport;
    state.lamport = Math.max(state.lamport, base.lamport);
    const before = state.ledger;
    state.ledger = new Ledger(base.ledger);
    const gone = isNewHistory ? rolledBackIn(state, before) : undefined;
    state.refusals = state.refusalsSince(base.ledger, () => []);
    state.kept.clear();
    ground.base = tables;
    this.#witness.changes.baseReplaced(this.snapshot());
    this.#witness.changes.headChanged(state.head);
    if (gone !== undefined) this.#rollBack(gone);
    for (const entry of ground.log.entries) this.#outlive(entry, isNewHistory);
    for (const { id, name, args, at } of [...this.#parted.values()]) {
      if (id.seq > state.ledger.seqOf(id.replica)) continue;
      const update = { id, lamport: 0, context: state.context, name, version: 1, args, at };
      this.#settleParted(update, { kind: 'unknown' });
    }
    ground.log.compact();
    state.heldChanged();
    for (const entry of replayAll(ground)) this.#witness.changed(entry);
    this.#witness.replaced();
    return state.firstOwns().some(({ update: { id } }) =>
      state.isOnlyOurs(id.replica) && id.seq <= state.ledger.seqOf(id.replica));
  }

  /**
   * Own unsettled updates get new ids and stamps, on top, in their old order; arguments and wall
   * time stay.
   */
  reissue(replica: ReplicaId): readonly LogEntry[] {
    const state = this.#state;
    const { ground } = state;
    const { changes } = this.#witness;
    const batch = new Rebase(ground);
    // What another tab has issued anew already is in the log under the new id.
    const old = ground.log.entries.filter(({ own, update: { id } }) =>
      own && !isSeatOf(replica, id.replica));
    for (const entry of old) {
      batch.remove(entry);
      changes.updateRemoved(entry.update.id);
    }
    state.noteFormer([state.profile]);
    state.profile = replica;
    state.nextProfile = undefined;
    state.lost = undefined;
    state.nextSeq = state.knownSeq(state.replica) + 1;
    state.heldChanged();
    // First: whose updates these are is told by it.
    changes.headChanged(state.head);
    const anew = new Map<string, UpdateId>();
    const fresh = old.map((entry) => {
      const issued = this.#issuedAnew(entry, (id) => anew.get(updateKey(id)) ?? id);
      anew.set(updateKey(entry.update.id), issued.update.id);
      return issued;
    });
    batch.insert(fresh);
    this.#finish(batch);
    return fresh;
  }

  snapshot(): BaseSnapshot {
    const { history, csn, at, committedLamport: lamport, ledger, ground, lifting } = this.#state;
    const head = { history, csn, at, lamport, ledger: ledger.lines() };
    return snapshotOf(head, ground.base, (row) => lifting.given(row));
  }

  /** Own updates run as another user from now on. */
  setUser(user: string | null): void {
    this.#state.user = user;
    const batch = new Rebase(this.#state.ground);
    for (const entry of this.#state.ground.log.entries) {
      if (!entry.own) continue;
      entry.user = user;
      entry.stale = true;
    }
    this.#finish(batch);
  }

  /** One of our own that another tab issued anew takes the place of what it was. */
  #arrived(batch: Rebase, update: Update): LogEntry {
    const state = this.#state;
    const own = state.isOurs(update.id.replica);
    const entry = new LogEntry(update, own, state.userOf(update.id.replica));
    if (!own) return entry;
    // Taken back in another tab.
    const undone = update.needs?.undoes;
    if (undone !== undefined && state.undos.remove(undone)) {
      this.#witness.changes.undoRemoved(undone);
    }
    const { replica, seq } = update.id;
    if (!state.isKeeper && seq <= (state.savedByKeeper[replica] ?? 0)) entry.stage = 'saved';
    this.#rejoin(entry);
    const former = update.formerly && state.ownBy(update.formerly);
    if (former === undefined) return entry;
    batch.remove(former);
    this.#witness.changes.updateRemoved(former.update.id);
    entry.receipt = former.receipt;
    entry.receipt?.follow(entry);
    return entry;
  }

  /** Its receipt, if the app has had one since before the update was forgotten here. */
  #rejoin(entry: LogEntry): void {
    const key = updateKey(entry.update.id);
    entry.receipt = this.#parted.get(key);
    if (entry.receipt === undefined) return;
    this.#parted.delete(key);
    entry.receipt.follow(entry);
    this.#witness.changed(entry);
  }

  /** An update that was forgotten here is settled: its receipt says so. */
  #settleParted(update: Update, outcome: FinalOutcome): void {
    if (!this.#parted.has(updateKey(update.id))) return;
    const entry = new LogEntry(update, true, this.#state.user);
    entry.stage = 'committed';
    entry.final = outcome;
    this.#rejoin(entry);
  }

  #finish(batch: Rebase): void {
    const rebased = batch.finish();
    this.#state.heldChanged();
    for (const entry of rebased.changed) this.#witness.changed(entry);
    this.#witness.rebased(rebased);
  }

  #commit(batch: Rebase, entry: CommitEntry): CommitEntry {
    const state = this.#state;
    const held = state.ground.log.get(entry.id);
    const isHeld = held !== undefined && isEntryOf(entry, held.update);
    const former = takenOver(state, entry);
    for (const { row } of entry.effects) state.row(row);
    const shown = state.lifting.effects(entry.effects);
    if (shown !== entry.effects) for (const { row } of shown) state.row(row);
    const { effects, before } = batch.commit(shown, former ?? held);
    state.lifting.laidIn(effects, shown, entry.effects);
    const body = isHeld ? bodyOf(held.update) : entry.body;
    // Kept and passed on as it came, lifted or not.
    const full = entryToKeep(entry, shown === entry.effects ? effects : entry.effects, body);
    const done = shown === entry.effects ? full : { ...full, effects };
    // An own one that is not this one stays, to be issued anew.
    if (held !== undefined && (isHeld || !held.own)) this.#settleBy(batch, held, done);
    if (former !== undefined) this.#settleBy(batch, former, done);
    const { id, lamport, outcome } = full;
    if (this.#parted.size > 0 && full.body !== undefined) {
      this.#settleParted({ ...full.body, id, lamport }, outcome);
    }
    state.refusals.note(full);
    const own = former ?? (isHeld && held.own ? held : undefined);
    if (own !== undefined) this.#keepInverse(own, done, before);
    state.csn = entry.csn;
    state.at = entry.at;
    state.committedLamport = Math.max(state.committedLamport, entry.lamport);
    state.lamport = Math.max(state.lamport, entry.lamport);
    this.#enterLedger(ledgerLineOf(full));
    state.kept.add({ entry: full, before });
    return full;
  }

  /** Of an update of ours, so that it can be taken back later. */
  #keepInverse(
    { parsed, update: { id: heldAs } }: LogEntry, { id, csn, outcome, effects }: CommitEntry,
    before: readonly (Row | undefined)[],
  ): void {
    const { runner: { app }, undos } = this.#state;
    if (outcome.kind === 'rejected' || parsed?.kind !== 'ready') return;
    if (parsed.definition.inverse === undefined) return;
    if (this.#state.undoOf(heldAs) !== undefined) return;
    try {
      const inverse = inverseOf(app, { parsed, effects, before });
      if (inverse === undefined) return;
      const { name, args } = inverse;
      const version = app.definitions.get(name)?.version ?? 1;
      const record = { id, csn, name, version, args };
      const dropped = undos.put(record);
      this.#witness.changes.undoPut(record);
      if (dropped !== undefined) this.#witness.changes.undoRemoved(dropped.id);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      this.#witness.report(error);
    }
  }

  #settleBy(batch: Rebase, held: LogEntry, entry: CommitEntry): void {
    const { csn, at, outcome, effects } = entry;
    const { kept, runner } = this.#state;
    const self = held.update.id.replica;
    const isConflict = held.own && outcome.kind !== 'applied';
    const obstacles = isConflict
      ? obstaclesTo(held, kept.since(held.update.context.csn), { shapes: runner.app, self })
      : [];
    if (held.own && outcome.kind === 'rejected') {
      noteRefused(held, this.#laterThan(held), runner.app);
      // Those that need it know it under this id.
      this.#state.refusals.note({ ...entry, id: held.update.id });
    }
    batch.remove(held);
    const settled = held.update.id.replica === entry.id.replica ? held : this.#movedTo(entry, held);
    this.#settle(settled, { csn, at, outcome, effects, obstacles });
  }

  #laterThan({ update: { id: { replica, seq } } }: LogEntry): readonly LogEntry[] {
    return this.#state.ground.log.of(replica).filter(({ update }) => update.id.seq > seq);
  }

  /** An own update under the id that it was settled under: its receipt follows it. */
  #movedTo({ id, lamport }: CommitEntry, held: LogEntry): LogEntry {
    this.#witness.changes.updateRemoved(held.update.id);
    const update = { ...held.update, id, lamport, formerly: held.firstId };
    const moved = new LogEntry(update, true, held.user);
    moved.execution = held.execution;
    moved.attempt = held.attempt;
    moved.receipt = held.receipt;
    moved.receipt?.follow(moved);
    return moved;
  }

  /** It is out of the log. */
  #settle(entry: LogEntry, settled: Settlement): void {
    const { changes } = this.#witness;
    changes.updateRemoved(entry.update.id);
    if (!entry.own) return;
    if (settled.outcome.kind !== 'applied') this.#putConflict(conflictRecord(entry, settled));
    entry.stage = 'committed';
    entry.final = settled.outcome;
    // Whoever keeps the receipt need not keep what was read.
    const { outcome } = entry.execution;
    entry.execution = { outcome, effects: settled.effects, reads: NO_READS, opaque: false };
    this.#witness.changed(entry);
  }

  /** Updates of ours that were done are not, in the history that is here now. */
  #rollBack({ records, forgotten }: RolledBack): void {
    const { ledger, undos, isKeeper } = this.#state;
    for (const record of records) this.#putConflict(record);
    for (const { id } of undos.list) {
      if (id.seq <= ledger.seqOf(id.replica)) continue;
      undos.remove(id);
      this.#witness.changes.undoRemoved(id);
    }
    // Other tabs may have come later, and know less than the one that keeps the disk.
    if (forgotten > 0 && isKeeper) this.#witness.report(forgottenError(forgotten));
  }

  #putConflict(record: ConflictRecord): void {
    const { changes } = this.#witness;
    const dropped = this.#state.conflicts.put(record);
    changes.conflictPut(record);
    if (dropped === undefined) return;
    changes.conflictRemoved(dropped.id);
    this.#witness.report(new OxbowError(
      'conflicts-dropped',
      `More than ${limits.conflictsMax} conflicts wait; the oldest was dropped. `
        + 'Show the list, or dismiss what nobody will look at.',
    ));
  }

  #enterLedger(line: LedgerLine): void {
    const { ledger } = this.#state;
    const before = ledger.userOf(line.replica);
    ledger.settle(line);
    const isOthers = !this.#state.isOurs(line.replica);
    if (isOthers && line.user !== before) this.#authored(line.replica, line.user);
  }

  #authored(replica: ReplicaId, user: string | null): void {
    for (const entry of this.#state.ground.log.of(replica)) {
      entry.user = user;
      entry.stale = true;
    }
  }

  /** What a new base means for an update of the log. */
  #outlive(entry: LogEntry, isNewHistory: boolean): void {
    const { log } = this.#state.ground;
    const { ledger, at } = this.#state;
    const { id } = entry.update;
    if (id.seq <= ledger.seqOf(id.replica)) {
      const settled = ledger.markOf(id.replica);
      if (entry.own && settled !== undefined && isRival(entry.update, settled)) return;
      log.remove(entry);
      this.#settle(entry, { csn: 0, at, outcome: { kind: 'unknown' }, effects: [], obstacles: [] });
    } else if (isNewHistory && !entry.own) {
      // Its author, too, will issue it anew.
      log.remove(entry);
      this.#witness.changes.updateRemoved(id);
    } else if (!entry.own) {
      entry.user = ledger.userOf(id.replica);
    }
  }

  /** `anew`: the present id of an own update. */
  #issuedAnew(old: LogEntry, anew: (id: UpdateId) => UpdateId): LogEntry {
    const state = this.#state;
    state.lamport += 1;
    const { name, version, args, at, needs, app } = old.update;
    const update: Update = {
      id: { replica: state.replica, seq: state.nextSeq }, lamport: state.lamport,
      context: state.context, name, version, args, at, formerly: old.firstId, app,
      ...(needs && { needs: needsAnew(needs, anew) }),
    };
    state.nextSeq += 1;
    const entry = new LogEntry(update, true, state.user);
    entry.receipt = old.receipt;
    entry.receipt?.follow(entry);
    this.#witness.changes.updateAdded({ update });
    return entry;
  }
}

function rolledBackIn<A extends AppDefinition>(state: SpaceState<A>, before: Ledger): RolledBack {
  const isOwn = (replica: ReplicaId): boolean => state.wasOurs(replica);
  return rolledBack({ kept: state.kept.entries(), before, after: state.ledger, isOwn });
}

/** As it is kept and passed on. */
function entryToKeep(
  { csn, at, id, lamport, user, outcome }: CommitEntry,
  effects: readonly Effect[],
  body: UpdateBody | undefined,
): CommitEntry {
  if (body === undefined) return { csn, at, id, lamport, user, outcome, effects };
  return { csn, at, id, lamport, user, outcome, effects, body };
}

const bodyOf = (update: Update): UpdateBody => {
  const { context, name, version, args, at, formerly, needs, app } = update;
  return {
    context, name, version, args, at,
    ...(formerly && { formerly }), ...(needs && { needs }), ...(app && { app }),
  };
};
