/**
 * An inspector of one replica: what it holds and does, as plain data. It reads the living state
 * when it is asked and keeps nothing itself but the newest rebase steps, from the first `inspect`
 * until `close`.
 */
import { INSPECTION, type Inspection } from '../host/inspection.js';
import type { ConnectionView, KeeperView } from '../host/keeper-view.js';
import type { KeyText, SpaceId } from '../protocol/index.js';
import { OxbowError } from '../protocol/index.js';
import type { SpaceFacts } from '../replica/health.js';
import { connectionsOf, isKeeper } from './connections.js';
import type { InspectedState } from './inspected-state.js';
import { rowPair, rowsOf, tablesOf, type FoundRows, type RowPair, type RowSearch } from './rows.js';
import { RebaseRecorder, type RebaseStep } from './steps.js';
import { contentsOf, storageOf, type StorageView, type StoreContents } from './storage-view.js';
import { entriesOf, reach, rowsAt, type EntryView, type RowsThen, type RowsThenSearch } from './travel.js';
import { updatesOf, type UpdateView } from './updates.js';

/** Any `Replica`. */
export interface Inspected {
  readonly [INSPECTION]: unknown;
}

interface Watched {
  readonly state: InspectedState;
  readonly recorder: RebaseRecorder;
  readonly stop: () => void;
}

/** Between two questions to the tab that has disk and network. */
const ASK_MS = 1_000;

const inspectors = new WeakMap<object, Inspector>();

/**
 * The inspector of that replica, the same one at every call until it is closed. From now on rebase
 * steps are recorded.
 *
 * @example
 * const inspector = inspect(replica);
 * console.table(inspector.updates('team-42'));
 * inspector.steps('team-42')[0]?.runs;   // what ran again in the newest rebase, and why
 * inspector.rowsAt('team-42', 17).rows;  // as they were at csn 17
 * inspector.close();
 */
export function inspect(replica: Inspected): Inspector {
  let inspector = inspectors.get(replica);
  if (inspector === undefined) {
    // reason: kept out of the API's types; what stands behind the symbol is this.
    const inspection = replica[INSPECTION] as Inspection;
    inspector = new Inspector(inspection, () => inspectors.delete(replica));
    inspectors.set(replica, inspector);
  }
  return inspector;
}

export class Inspector {
  readonly #inspection: Inspection;
  readonly #onClose: () => void;
  readonly #watched = new Map<SpaceId, Watched>();
  readonly #listeners = new Set<() => void>();
  readonly #stopHealth: () => void;
  #isClosed = false;
  /** What the tab has told that has disk and network, where that is another one. */
  #seen: KeeperView | undefined;
  #askedMs = -Infinity;
  /** Since it was asked last. One that stands still has not told how things are. */
  #isAnswered = false;
  #lookAgain: ReturnType<typeof setTimeout> | undefined;

  constructor(inspection: Inspection, onClose: () => void) {
    this.#inspection = inspection;
    this.#onClose = onClose;
    this.#stopHealth = inspection.health.subscribe(() => {
      this.#watchAll();
      this.#changed();
    });
    this.#watchAll();
  }

  /** The open ones. */
  get spaces(): readonly SpaceId[] {
    this.#watchAll();
    return [...this.#watched.keys()];
  }

  /** How far the space is, what waits, and what is the matter if nothing moves. */
  facts(space: string): SpaceFacts | undefined {
    return this.#inspection.host.facts(this.#mustWatch(space).state.space);
  }

  /** The log of updates, the newest first: tentative ones, then settled ones that are kept. */
  updates(space: string): readonly UpdateView[] {
    return updatesOf(this.#mustWatch(space).state);
  }

  /** Names of the tables, those unknown to this version of the app included. */
  tables(space: string): readonly string[] {
    return tablesOf(this.#mustWatch(space).state);
  }

  /** Rows in both views. */
  rows(space: string, search?: RowSearch): FoundRows {
    return rowsOf(this.#mustWatch(space).state, search);
  }

  /** One row in both views, by the text of its key (`RowPair.keyText`). */
  row(space: string, table: string, key: KeyText): RowPair | undefined {
    return rowPair(this.#mustWatch(space).state, table, key);
  }

  /** What ran again since this inspector was made, and why; the newest first. */
  steps(space: string): readonly RebaseStep[] {
    return this.#mustWatch(space).recorder.steps;
  }

  /** The kept commit entries with what each changed, the newest first. */
  entries(space: string): readonly EntryView[] {
    return entriesOf(this.#mustWatch(space).state);
  }

  /** The csns that `rowsAt` can show. */
  reach(space: string): { readonly from: number; readonly to: number } {
    return reach(this.#mustWatch(space).state);
  }

  /** The committed rows as they were at that csn; those that have changed since come first. */
  rowsAt(space: string, csn: number, search?: RowsThenSearch): RowsThen {
    return rowsAt(this.#mustWatch(space).state, csn, search);
  }

  /**
   * In a tab that leaves the network to another one, that one is asked: what it answers is here a
   * moment later, and subscribers are told.
   */
  connections(): readonly ConnectionView[] {
    return connectionsOf(this.#inspection, this.#keepersView());
  }

  /** Asks live links for an answer, and tries others again at once. */
  ping(): void {
    this.#inspection.host.hurry();
    this.#askedMs = -Infinity;
    this.#keepersView(true);
  }

  /** As for `connections`, in a tab that leaves the disk to another one. */
  storage(): StorageView {
    return storageOf(this.#inspection, this.#keepersView());
  }

  /** Counts what lies in the store; reads all of it. */
  contents(): Promise<StoreContents> {
    return contentsOf(this.#inspection);
  }

  /** Calls `fn` when anything here may be another. Returns the way to stop it. */
  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Records no more, and tells nothing of spaces any more. `inspect` gives a new one. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    this.#stopHealth();
    clearTimeout(this.#lookAgain);
    this.#listeners.clear();
    for (const { state, stop } of this.#watched.values()) {
      stop();
      state.ground.watch = undefined;
    }
    this.#watched.clear();
  }

  /**
   * The newest that is known. Asked for anew, but not at each look, as an answer makes one look;
   * who goes on looking sees it change.
   */
  #keepersView(isPinging = false): KeeperView | undefined {
    const { host } = this.#inspection;
    if (this.#isClosed || host.askKeeper === undefined || isKeeper(this.#inspection)) {
      return (this.#seen = undefined);
    }
    const waitMs = this.#askedMs + ASK_MS - host.now;
    if (waitMs > 0) {
      this.#lookAgain ??= setTimeout(() => {
        this.#lookAgain = undefined;
        this.#changed();
      }, waitMs);
      return this.#seen;
    }
    this.#askedMs = host.now;
    if (!this.#isAnswered) this.#seen = undefined;
    this.#isAnswered = false;
    host.askKeeper(isPinging, (view) => {
      // reason: host/keeper-view.ts has made it, in a tab of the same origin.
      this.#seen = view as KeeperView;
      this.#isAnswered = true;
      this.#changed();
    });
    return this.#seen;
  }

  #watchAll(): void {
    if (this.#isClosed) return;
    for (const { space, replica } of this.#inspection.host.machine.view.slots.values()) {
      if (this.#watched.has(space)) continue;
      const { state } = replica.insides;
      const changed = (): void => this.#changed();
      const recorder = new RebaseRecorder(state, this.#inspection.wallNow, changed);
      state.ground.watch = recorder;
      this.#watched.set(space, { state, recorder, stop: replica.subscribe(changed) });
    }
  }

  #mustWatch(space: string): Watched {
    this.#watchAll();
    for (const [name, watched] of this.#watched) if (name === space) return watched;
    const what = this.#isClosed ? 'the inspector is closed. Inspect anew' : 'it is not open here. Open it first';
    throw new OxbowError('space-not-open', `Cannot look into space '${space}': ${what}.`);
  }

  #changed(): void {
    for (const fn of [...this.#listeners]) fn();
  }
}
