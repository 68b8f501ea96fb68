/**
 * One open space of a replica: what the app reads and writes, and what anti-entropy takes and gives
 * (protocol/holder.ts). A pure, synchronous object: own mutations run at once on top of all that is
 * known; what others send goes beneath or in between (settlement.ts, rebase.ts); both views stay
 * readable throughout. It keeps nothing by itself: each change that must outlive the program is
 * named to its owner (changes.ts).
 */
import type { AppDefinition, Observed, ReadTx, Tables } from '../model/index.js';
import { OxbowError, updateKey } from '../protocol/index.js';
import type {
  BaseSnapshot, CommitEntry, Effect, Holder, LedgerLine, Mark, Outcome, PageRow, ReceivedBase,
  Reception, ReplicaId, Row, Summary, TentativeRun, Told, Update, UpdateId, Value,
} from '../protocol/index.js';
import { allBuiltOn, type Undone } from './built-on.js';
import { PromisedPages } from './base-picture.js';
import type { IdentityLoss, SpaceHead, SpaceOwner } from './changes.js';
import type { ConflictRecord } from './conflict.js';
import { newListeners } from './listeners.js';
import { LiveQueries, type LiveQuery, type View } from './live.js';
import type { LogEntry } from './log.js';
import type { Rebased, RowChange } from './rebase.js';
import { settledReceipt, UpdateReceipt } from './receipt.js';
import type { Receipt } from './receipt.js';
import { isOwn, OK, showsClone, takeCommits, takeUpdates } from './reception.js';
import { restoreLog } from './restore.js';
import { Settler } from './settlement.js';
import { OwnStages } from './stages.js';
import { SpaceState, type StateConfig } from './state.js';
import { takeBack } from './taking-back.js';
import type { SpaceInsides } from './space-insides.js';
import { writeUpdate } from './writing.js';

export interface SpaceConfig<A extends AppDefinition> extends StateConfig<A> {
  readonly owner: SpaceOwner;
}

/** A tentative update as it stands now. */
export interface PendingUpdate {
  readonly id: UpdateId;
  readonly own: boolean;
  readonly name: string;
  readonly args: Value;
  /** Wall time at its author, ms. */
  readonly at: number;
  /**
   * The mutation is unknown to this version of the app: kept and passed on, without effects here.
   */
  readonly opaque: boolean;
  readonly outcome: Outcome;
  readonly effects: readonly Effect[];
  /** Only of own ones. */
  readonly receipt: Receipt | undefined;
}

export interface ViewOptions {
  /** Default: `tentative`. */
  readonly view?: View | undefined;
}

export class SpaceReplica<A extends AppDefinition = AppDefinition> implements Holder {
  readonly #state: SpaceState<A>;
  readonly #owner: SpaceOwner;
  readonly #settler: Settler<A>;
  readonly #lives: LiveQueries;
  /** How far own tentative updates have come. */
  readonly stages: OwnStages<A>;
  readonly #promised = new PromisedPages();
  readonly #listeners = newListeners();
  #changedReceipts = new Set<UpdateReceipt>();
  /** Where an update that was issued anew is found by its first id. */
  readonly #reissued = new Map<string, UpdateId>();
  readonly #onWrite = (change: RowChange): void => this.#lives.onWrite(change);
  readonly #report = (error: OxbowError): void => this.#owner.report(error);
  #pending: readonly PendingUpdate[] | undefined;
  #isFlushAsked = false;
  #isChanged = false;

  constructor(config: SpaceConfig<A>) {
    const { owner, stored } = config;
    this.#owner = owner;
    this.#state = new SpaceState({ ...config, report: (error) => owner.report(error) });
    this.stages = new OwnStages({
      state: this.#state, owner, changed: (entry) => this.#onChanged(entry),
    });
    this.#lives = new LiveQueries(config.app, () => this.#flushSoon());
    this.#settler = new Settler(this.#state, {
      changes: owner.changes,
      changed: (entry) => this.#onChanged(entry),
      rebased: (rebased) => this.#onRebased(rebased),
      replaced: () => this.#onReplaced(),
      report: (error) => owner.report(error),
    });
    const useless = restoreLog(this.#state, stored?.updates ?? []);
    for (const id of useless) owner.changes.updateRemoved(id);
    this.#noteReissued(this.#state.ground.log.entries.filter(({ own }) => own));
    if (stored === undefined) owner.changes.headChanged(this.head);
    if (config.replica !== this.#state.profile) this.reissue(config.replica);
  }

  // ---- the app's side

  /**
   * Writes here and now; it is visible at once. `now`: wall time, ms. Errors: `args-invalid` and
   * the like for arguments that the schema refuses, `mutation-unknown`, `bad-value`,
   * `value-too-large`, `args-too-large`, `too-many-pending`, `too-many-needed`, `mutate-in-query`.
   */
  mutate(name: string, args: Value, now: number): Receipt {
    return this.#mutate(name, args, now);
  }

  #mutate(name: string, args: Value, now: number, undoes?: Undone): Receipt {
    const state = this.#state;
    const entry = writeUpdate(state, { name, args }, { now, undoes, onWrite: this.#onWrite });
    this.#owner.changes.updateAdded({ update: entry.update });
    if (!state.isKeeper && state.lost === undefined) this.stages.releaseToKeeper(entry);
    this.#somethingChanged();
    return this.#receiptOf(entry);
  }

  /**
   * Takes back what an update of ours did, by the inverse that its mutation declares: an ordinary
   * update, durable and offline like any other, which can be taken back itself. Once: asked again
   * it gives the same receipt. Errors: `undo-rejected`, `undo-unknown`, `bad-inverse`, and those of
   * `mutate` (`mutation-unknown` too where a newer version of the app wrote it).
   */
  undo(id: UpdateId, now: number): Receipt {
    return takeBack({
      state: this.#state,
      changes: this.#owner.changes,
      write: (name, args, undoes) => this.#mutate(name, args, now, undoes),
      receiptOf: (entry) => this.#receiptOf(entry),
      outcomeOf: (of) => this.receipt(of)?.outcome,
    }, this.#present(id));
  }

  /**
   * Which updates without a final place a tentative update was built on, as things stand: those
   * whose rows it read or wrote over. Earliest first.
   */
  builtOn(id: UpdateId): readonly UpdateId[] {
    return allBuiltOn(this.#state.ground, this.#present(id));
  }

  /** What `fn` throws is thrown on. */
  query<R>(fn: (tx: ReadTx<A>) => R, { view = 'tentative' }: ViewOptions = {}): R {
    const run = this.#observe(fn, view);
    if (!run.ok) throw run.error;
    return run.result;
  }

  /** Errors: `too-many-queries`. */
  live<R>(fn: (tx: ReadTx<A>) => R, { view = 'tentative' }: ViewOptions = {}): LiveQuery<R> {
    return this.#lives.open(() => this.#observe(fn, view), view);
  }

  /** Another number whenever rows of a view are others: what was read under it still holds. */
  get revision(): number {
    return this.#lives.revision;
  }

  /** Tentative updates, own and others', in stamp order. The same array while nothing changed. */
  pending(): readonly PendingUpdate[] {
    const { entries } = this.#state.ground.log;
    return (this.#pending ??= entries.map((entry) => this.#pendingOf(entry)));
  }

  /**
   * Own updates that did not go as asked, oldest first, until acknowledged. The same array while
   * nothing changed.
   */
  conflicts(): readonly ConflictRecord[] {
    return this.#state.conflicts.list;
  }

  /** Takes what was got. Does nothing if it was acknowledged already, perhaps in another tab. */
  accept(id: UpdateId): void {
    this.#acknowledge(id);
  }

  /** Puts the conflict aside. Does nothing if it was acknowledged already. */
  dismiss(id: UpdateId): void {
    this.#acknowledge(id);
  }

  /**
   * Asks again, with other arguments or with the same (undefined), whatever version they were of.
   * Errors: `conflict-unknown`, and those of `mutate`.
   */
  retry(id: UpdateId, args: Value, now: number): Receipt {
    const record = this.#state.conflicts.get(id);
    if (record === undefined) {
      throw misuse('conflict-unknown', 'There is no such conflict any more. Mutate anew.');
    }
    const again = args === undefined ? this.#state.runner.lift(record) : args;
    const receipt = this.mutate(record.name, again, now);
    this.#acknowledge(id);
    return receipt;
  }

  /** Of an own update: tentative, in conflict, or settled a short while ago. */
  receipt(id: UpdateId): Receipt | undefined {
    const present = this.#present(id);
    const entry = this.#state.ground.log.get(present);
    if (entry !== undefined) return entry.own ? this.#receiptOf(entry) : undefined;
    const conflict = this.#state.conflicts.get(present);
    if (conflict !== undefined) return settledReceipt({ ...conflict, at: conflict.askedAt });
    if (!this.#state.isOurs(present.replica)) return undefined;
    const kept = this.#state.kept.find(present);
    return kept?.body === undefined
      ? undefined
      : settledReceipt({ ...kept.body, id: kept.id, outcome: kept.outcome });
  }

  /**
   * Calls `fn` once per flush in which pending(), conflicts() or the head changed. Returns the way
   * to stop it.
   */
  subscribe(fn: () => void): () => void {
    return this.#listeners.add(fn);
  }

  // ---- the owner's side

  get head(): SpaceHead {
    return this.#state.head;
  }

  /** What own updates made here bear. */
  get replica(): ReplicaId {
    return this.#state.replica;
  }

  /** We keep the disk of the profile; otherwise another tab does. */
  get isKeeper(): boolean {
    return this.#state.isKeeper;
  }

  /** The id of the profile that this replica and its other tabs write for. */
  get profile(): ReplicaId {
    return this.#state.profile;
  }

  /**
   * Set while own updates are withheld until `reissue`. Ask after opening; later losses are told to
   * the owner.
   */
  get lost(): IdentityLoss | undefined {
    return this.#state.lost;
  }

  /** Own and others', in stamp order. */
  get tentative(): readonly Update[] {
    return this.#state.ground.log.entries.map(({ update }) => update);
  }

  /** The committed tables at `head.csn`. Not to be changed. */
  get base(): Tables {
    return this.#state.ground.base;
  }

  /** As it is kept and passed on. */
  given(row: Row): Row {
    return this.#state.lifting.given(row);
  }

  ledger(): LedgerLine[] {
    return this.#state.ledger.lines();
  }

  get csn(): number {
    return this.#state.csn;
  }

  /** Of all updates without a final place: own ones, and such as came out of a file. */
  get awaitedCount(): number {
    return this.#state.ground.log.size;
  }

  /** Of own updates. */
  get unsettledCount(): number {
    return this.#state.ground.log.ownCount;
  }

  /** Wall time of the oldest own tentative update, ms. */
  get oldestAt(): number | undefined {
    const { log } = this.#state.ground;
    return log.ownCount === 0 ? undefined : log.entries.find(({ own }) => own)?.update.at;
  }

  flushNotifications(): void {
    this.#isFlushAsked = false;
    const report = this.#report;
    if (this.#changedReceipts.size > 0) {
      const receipts = this.#changedReceipts;
      this.#changedReceipts = new Set();
      for (const receipt of receipts) receipt.listeners?.call(report);
    }
    this.#lives.flush(report);
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#listeners.call(report);
  }

  /**
   * Own updates are withheld from now on, until `reissue`: the other side takes them for another's.
   */
  disown(loss: IdentityLoss): void {
    this.#received(false, loss);
  }

  /**
   * Own updates leave as they are after all, where only the base was lost and is here again. False,
   * and nothing is changed, if they do not follow what is settled without a gap.
   */
  resume(): boolean {
    const state = this.#state;
    if (state.lost !== 'base-lost' || !state.isSequenceWhole) return false;
    state.lost = undefined;
    // Who asked while they were withheld has passed them by.
    state.ground.log.rearrive();
    state.heldChanged();
    this.#owner.changes.headChanged(state.head);
    this.#somethingChanged();
    this.#owner.pump();
    return true;
  }

  /**
   * Own unsettled updates leave under that fresh replica id, in their old order; receipts follow
   * them.
   */
  reissue(replica: ReplicaId): void {
    this.#noteReissued(this.#settler.reissue(replica));
    this.#somethingChanged();
  }

  /** Another user was verified: own tentative updates are executed as theirs. */
  setUser(user: string | null): void {
    if (user !== this.#state.user) this.#settler.setUser(user);
  }

  // ---- anti-entropy

  summary(): Summary {
    return this.#state.summary;
  }

  settledSeq(replica: string): number {
    return this.#state.ledger.seqOf(replica);
  }

  entriesAfter(csn: number, entriesMax: number): readonly CommitEntry[] | 'trimmed' {
    return this.#state.kept.after(csn, entriesMax, this.#state.csn);
  }

  tentativeAfter(cursor: number, updatesMax: number): TentativeRun {
    const run = this.#state.ground.log.after(cursor, updatesMax);
    const isWithheld = this.#state.lost !== undefined;
    const updates = run.filter(({ own }) => !(own && isWithheld)).map(({ update }) => update);
    return { updates, cursor: run.at(-1)?.arrival ?? cursor };
  }

  snapshot(): BaseSnapshot {
    return this.#settler.snapshot();
  }

  receiveUpdates(updates: readonly Update[]): Reception {
    const { taken, reception, isCloned } = takeUpdates(this.#state, updates);
    if (taken.length > 0) this.#settler.insert(taken);
    this.#received(taken.length > 0, isCloned ? 'cloned' : undefined);
    return reception;
  }

  receiveAgain(update: Update): Reception {
    const isOurs = this.#state.isOnlyOurs(update.id.replica);
    if (isOurs && !isOwn(this.#state, update)) this.#received(false, 'cloned');
    return OK;
  }

  receiveCommits(history: string, entries: readonly CommitEntry[]): Reception {
    const { taken, reception, isCloned, voided } = takeCommits(this.#state, history, entries);
    if (taken.length > 0) this.#settler.commit(history, taken);
    if (voided !== undefined && !this.#state.isOurs(voided.replica)) {
      this.#settler.drop(voided.replica, voided.seq);
    }
    this.#received(taken.length > 0, isCloned ? 'cloned' : undefined);
    return reception;
  }

  havePages(): readonly string[] {
    return this.#promised.promise(this.#state.ground.base, (row) => this.given(row));
  }

  pageByHash(hash: string): readonly PageRow[] | undefined {
    return this.#promised.get(hash);
  }

  receiveBase(base: ReceivedBase): Reception {
    const { history, csn } = this.#state;
    if (history === base.history && base.csn <= csn) return OK;
    let isCloned;
    try {
      isCloned = this.#settler.replace(base);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      return { kind: 'refused', code: 'bad-transfer', message: error.message };
    }
    this.#promised.forget();
    const isNewHistory = history !== '' && history !== base.history;
    this.#received(true, isNewHistory ? 'history-changed' : isCloned ? 'cloned' : undefined);
    return OK;
  }

  learned(told: Told): void {
    const { summary, settledSeq } = told;
    const { profile, replica, history, lost, isKeeper, seat } = this.#state;
    const isOtherHistory = history !== '' && summary.history !== '' && summary.history !== history;
    if (isOtherHistory || lost !== undefined || seat === undefined) return;
    // A keeper is known to others by the profile's id, a tab to its keeper by its own.
    const asked = isKeeper ? profile : replica;
    if (showsClone(this.#state, asked, told)) return this.#received(false, 'cloned');
    if (!isKeeper) return;
    const seq = Math.max(settledSeq, summary.vector[asked] ?? 0);
    this.stages.raise('shared', { ...summary.vector, [asked]: seq });
  }

  newestOf(replica: ReplicaId): Mark | undefined {
    const { ground: { log }, ledger } = this.#state;
    const last = log.get({ replica, seq: log.lastSeq(replica) ?? 0 })?.update;
    if (last === undefined) return ledger.markOf(replica);
    return { seq: last.id.seq, lamport: last.lamport, madeAt: last.at };
  }

  heldSeq(replica: ReplicaId): number {
    return this.#state.ground.log.lastSeq(replica) ?? 0;
  }

  /** For what concerns the profile's other tabs (tab-side.ts). */
  get insides(): SpaceInsides<A> {
    return {
      state: this.#state, settler: this.#settler, owner: this.#owner,
      changed: () => this.#somethingChanged(),
      withhold: () => this.#received(false, 'cloned'),
    };
  }

  // ---- inside

  #observe<R>(fn: (tx: ReadTx<A>) => R, view: View): Observed<R> {
    const { runner, ground } = this.#state;
    return runner.observe(view === 'committed' ? ground.base : ground.overlay.top, fn);
  }

  #receiptOf(entry: LogEntry): UpdateReceipt {
    return (entry.receipt ??= new UpdateReceipt(entry));
  }

  #pendingOf(entry: LogEntry): PendingUpdate {
    const { update: { id, name, args, at }, own, execution: { opaque, outcome, effects } } = entry;
    const receipt = own ? this.#receiptOf(entry) : undefined;
    return { id, own, name, args, at, opaque, outcome, effects, receipt };
  }

  #acknowledge(id: UpdateId): void {
    if (!this.#state.conflicts.remove(id)) return;
    this.#owner.changes.conflictRemoved(id);
    this.#somethingChanged();
  }

  /** The id that it bears now. */
  #present(id: UpdateId): UpdateId {
    return this.#reissued.get(updateKey(id)) ?? id;
  }

  #noteReissued(entries: readonly LogEntry[]): void {
    for (const { update: { id, formerly } } of entries) {
      if (formerly !== undefined) this.#reissued.set(updateKey(formerly), id);
    }
  }

  #received(isNew: boolean, loss: IdentityLoss | undefined): void {
    if (isNew) {
      this.#somethingChanged();
      this.#owner.pump();
    }
    if (loss === undefined || this.#state.lost !== undefined) return;
    this.#state.lost = loss;
    this.#state.heldChanged();
    this.#owner.changes.headChanged(this.#state.head);
    this.#owner.identityLost(loss);
  }

  #onRebased(rebased: Rebased): void {
    this.#lives.onRebase(rebased);
  }

  #onReplaced(): void {
    this.#lives.onReplaced();
  }

  #onChanged({ receipt }: LogEntry): void {
    if (receipt?.listeners !== undefined) this.#changedReceipts.add(receipt);
    this.#somethingChanged();
  }

  #somethingChanged(): void {
    this.#pending = undefined;
    this.#isChanged = true;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    this.#owner.flushSoon();
  }
}

const misuse = (code: string, message: string): OxbowError => new OxbowError(code, message);
