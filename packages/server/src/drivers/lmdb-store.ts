/**
 * The applied state of a node in LMDB (`lmdb`), far behind the commit log's critical path: what is
 * applied while a transaction is under way, or within `applyDelayMs`, shares the next one, so that
 * a hot row or ledger line is written once. The applied slot travels in the same transaction as the
 * state (etcd #13766 is what happens otherwise).
 */
import { invariant, OxbowError, type SpaceId } from '@oxbow/sdk/protocol';
import { nodeLimits } from '../node/limits.js';
import type {
  SpaceEntries, StateStore, StoredSpace, StorePlace,
} from '../space/state-store.js';
import type { ImportHead, StateExport, StateImport } from '../space/state-transfer.js';
import {
  attachState, closeState, isDamage, mustBeNew, nameHash, openState, reasonOf, replaceFile,
  setFileAside, viewOf, type OpenState,
} from './lmdb-environment.js';
import { LmdbImport } from './lmdb-import.js';
import { Snapshots } from './lmdb-snapshots.js';
import { Pace } from './pace.js';
import { SlotMarks } from './slot-marks.js';
import { RecordExport } from './state-chunks.js';
import { metaKey, spaceKey } from './store-keys.js';
import { loadSpace } from './store-load.js';
import {
  damaged, readSpaceRecord, sealOfBytes, sealRecord, type SpaceRecord,
} from './store-records.js';
import { mustBelong, mustBeNewer } from './store-refusals.js';
import { writeRun, type Former, type KeptBounds } from './store-writes.js';

export interface LmdbStoreOptions {
  /** A folder of its own; created if missing. */
  readonly path: string;
  /**
   * The kept log of a space: at most so many entries, and so many characters (but always the newest
   * entry).
   */
  readonly keptEntriesMax?: number;
  readonly keptCharsMax?: number;
  /**
   * How long what is applied waits for company. Costs nothing but log space, and a busy node writes
   * each ledger line less often. Default: 100.
   */
  readonly applyDelayMs?: number;
  /**
   * Files up to this size are read whole at every start, larger ones after an unclean end. Default:
   * 64 MiB.
   */
  readonly checkBytesMax?: number;
  /** How long what nobody reads may rot before it is noticed. Default: 6 hours. */
  readonly scrubEveryMs?: number;
  /**
   * Damage was found: by the scrub, and then whatever is asked of the store from now on fails with
   * this; or in a space that was loaded, and others may be whole.
   */
  readonly onDamaged?: (error: OxbowError) => void;
  /** Told how long each transaction took, ms. */
  readonly observeApply?: (durationMs: number) => void;
  readonly monotonicMs?: () => number;
}

interface Waiting {
  readonly slot: number;
  readonly batches: readonly SpaceEntries[];
  readonly done: (error?: Error) => void;
}

interface Task {
  /** Run when this slot is written. */
  readonly after: number;
  /** Alone: no transaction is under way. Never throws. */
  readonly run: () => Promise<void> | void;
}

/**
 * Each transaction is a sync, during which the log waits for the disk and nothing commits; what
 * waits is kept alive meanwhile. Measured with 64 writers: a twelfth more commits than at 100.
 */
const APPLY_DELAY_MS = 400;
const ENTRIES_PER_TRANSACTION_MAX = 20_000;
const CHECK_BYTES_MAX = 64 * 1024 * 1024;
const SCRUB_EVERY_MS = 6 * 3_600_000;
/** What was too large to be read at the start is read soon after it. */
const FIRST_SCRUB_MS = 60_000;

const NOWHERE: StorePlace = { appliedSlot: 0, history: '', isBound: false, base: undefined };

/**
 * Opens or creates; what is wrong is told by `opened`: `store-newer`, `store-older`,
 * `store-damaged`, `data-unavailable`.
 */
export function openLmdbStore(options: LmdbStoreOptions): StateStore {
  return new LmdbStore(options);
}

class LmdbStore implements StateStore {
  readonly #options: LmdbStoreOptions;
  readonly #bounds: KeptBounds;
  readonly #delayMs: number;
  #open: OpenState | undefined;
  #place: StorePlace = NOWHERE;
  // written ≤ reaching ≤ last
  /** On disk. */
  #written = 0;
  /** On disk, or in the transaction under way. */
  #reaching = 0;
  /** Of the newest `apply`. */
  #last = 0;
  /** Where the state stood that was last taken in. */
  #taken = 0;
  #waiting: Waiting[] = [];
  #waitingEntries = 0;
  #timer: NodeJS.Timeout | undefined;
  #scrubTimer: NodeJS.Timeout | undefined;
  /** Opening, writing, or at a task. */
  #isBusy = true;
  #tasks: Task[] = [];
  readonly #marks = new SlotMarks();
  readonly #snapshots: Snapshots;
  #import: LmdbImport | undefined;
  /**
   * The first failure is final, until the state is set aside: what the file holds after it is not
   * known.
   */
  #failure: OxbowError | undefined;

  constructor(options: LmdbStoreOptions) {
    this.#options = options;
    this.#bounds = {
      keptEntriesMax: options.keptEntriesMax ?? nodeLimits.keptEntriesMax,
      keptCharsMax: options.keptCharsMax ?? nodeLimits.keptCharsMax,
    };
    this.#snapshots = new Snapshots(options.path);
    this.#delayMs = options.applyDelayMs ?? APPLY_DELAY_MS;
    const checkBytesMax = options.checkBytesMax ?? CHECK_BYTES_MAX;
    void this.#attach(() => openState(options.path, checkBytesMax)).then(() => this.#settle());
    const everyMs = options.scrubEveryMs ?? SCRUB_EVERY_MS;
    this.#scrubLater(Math.min(everyMs, FIRST_SCRUB_MS), everyMs);
  }

  opened(done: (at: StorePlace, error?: Error) => void): void {
    this.#alone(() => done(this.#place, this.#failure), 0);
  }

  bind(cluster: string, done: (error?: Error) => void): void {
    this.#alone(async () => done(await this.#errorOf(async () => {
      const { database } = this.#mustBeOpen();
      mustBelong(this.#place, cluster);
      if (this.#place.isBound) return;
      await database.batch(() => {
        for (const [name, text] of [['history', cluster], ['bound', '1']] as const) {
          const key = metaKey(name);
          database.put(key, sealRecord(key, text)).catch(() => undefined);
        }
      });
      this.#place = { ...this.#place, history: cluster, isBound: true };
    })));
  }

  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void {
    this.#alone(() => {
      if (this.#failure !== undefined) return done(undefined, this.#failure);
      this.#load(space).then(
        (stored) => done(stored),
        (error: unknown) => {
          const damage = damaged(`space '${space}' cannot be read`, error);
          this.#options.onDamaged?.(damage);
          done(undefined, damage);
        },
      );
    });
  }

  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void {
    // It waited for the log while a state that holds it was taken in.
    if (slot <= this.#taken) return void setImmediate(done);
    invariant(slot > this.#last, 'slots are applied in order');
    this.#last = slot;
    this.#waiting.push({ slot, batches, done });
    for (const { entries } of batches) this.#waitingEntries += entries.length;
    const isMuch = this.#waitingEntries >= ENTRIES_PER_TRANSACTION_MAX;
    this.#flushSoon(isMuch ? 0 : this.#delayMs);
  }

  exportState(done: (picture: StateExport | undefined, error?: Error) => void): void {
    this.#alone(() => this.#takePicture(done));
  }

  exportAt(slot: number, done: (picture: StateExport | undefined, error?: Error) => void): void {
    const take = (error?: Error): void => {
      const later: typeof done = (...answer) => setImmediate(() => done(...answer));
      if (error === undefined) this.#takePicture(later);
      else later(undefined, error);
    };
    this.#marks.add({ slot, take }, this.#reaching);
    this.#alone(() => this.#reachMarks(), 0);
  }

  importState(
    head: ImportHead, done: (taking: StateImport | undefined, error?: Error) => void,
  ): void {
    this.#alone(async () => {
      const error = await this.#errorOf(async () => {
        this.#mustBeOpen();
        mustBelong(this.#place, head.cluster);
        mustBeNewer(head.slot, this.#written);
        await this.#import?.giveUp();
        this.#import = new LmdbImport(head, {
          path: this.#options.path,
          replace: (taken) => this.#replace(taken),
          mapError: (cause) => writeError(this.#options.path, cause),
        });
      });
      if (error === undefined) done(this.#import);
      else done(undefined, error);
    });
  }

  setAside(done: (at: StorePlace, error?: Error) => void): void {
    this.#alone(async () => {
      const error = await this.#errorOf(() => this.#setAside());
      done(this.#place, error ?? this.#failure);
    }, 0);
  }

  close(done: () => void): void {
    this.#alone(async () => {
      clearTimeout(this.#scrubTimer);
      await this.#import?.giveUp().catch(() => undefined);
      this.#snapshots.releaseAll();
      const open = this.#open;
      this.#open = undefined;
      // Whoever closes after a failure has been told it; the next start shall look.
      if (open === undefined) return done();
      const closing = this.#failure === undefined
        ? closeState(this.#options.path, open) : open.database.close();
      await closing.catch(() => undefined);
      done();
    });
  }

  #alone(run: () => Promise<void> | void, after = this.#last): void {
    this.#tasks.push({ after, run });
    this.#flushSoon(0);
  }

  /** Runs what waited for what is written by now, then lets the next transaction begin. */
  async #settle(): Promise<void> {
    for (;;) {
      const index = this.#tasks.findIndex(
        ({ after }) => after <= this.#written || this.#failure !== undefined);
      if (index < 0) break;
      await this.#tasks.splice(index, 1)[0]?.run();
    }
    this.#isBusy = false;
    if (this.#tasks.length > 0) this.#flushSoon(0);
    else if (this.#waiting.length > 0) this.#flushSoon(this.#delayMs);
  }

  #flushSoon(delayMs: number): void {
    if (this.#isBusy) return;
    if (delayMs === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      // Later, never in the caller's turn; what else the caller applies comes along.
      this.#isBusy = true;
      setImmediate(() => void this.#flush());
    } else {
      this.#timer ??= setTimeout(() => this.#flushSoon(0), delayMs);
    }
  }

  async #flush(): Promise<void> {
    const group = this.#takeGroup();
    const last = group.at(-1);
    if (last !== undefined && this.#failure === undefined) await this.#write(group, last.slot);
    for (const { done } of group) done(this.#failure);
    await this.#settle();
  }

  #takeGroup(): Waiting[] {
    this.#reachMarks();
    const { lowest } = this.#marks;
    let entries = 0;
    let count = 0;
    for (const { slot, batches } of this.#waiting) {
      if (slot > lowest || entries >= ENTRIES_PER_TRANSACTION_MAX) break;
      count += 1;
      for (const batch of batches) entries += batch.entries.length;
    }
    this.#waitingEntries -= entries;
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Waiting[], slot: number): Promise<void> {
    const now = this.#options.monotonicMs ?? (() => 0);
    const startedMs = now();
    this.#reaching = slot;
    const error = await this.#errorOf(() => this.#writeRun(group, slot));
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    this.#written = slot;
    this.#place = { ...this.#place, appliedSlot: slot };
    this.#options.observeApply?.(now() - startedMs);
    this.#reachMarks();
  }

  async #writeRun(group: readonly Waiting[], slot: number): Promise<void> {
    const open = this.#mustBeOpen();
    const { database } = open;
    invariant((group[0]?.slot ?? slot) > this.#written, 'slots are applied in order');
    const batches = group.flatMap((waiting) => waiting.batches);
    // All is known before the first put: what throws here leaves no half of a transaction behind.
    const puts: [Buffer, string | null][] = [];
    const run = { batches, spaces: open.spaceCount };
    const put = (key: Buffer, value: string | null): unknown => puts.push([key, value]);
    const created = writeRun(run, formerIn(open), this.#bounds, put);
    const applied = metaKey('applied');
    puts.push([applied, sealRecord(applied, String(slot))]);
    await database.batch(() => {
      for (const [key, value] of puts) {
        // What goes wrong comes out of the batch's promise, too.
        (value === null ? database.remove(key) : database.put(key, value)).catch(() => undefined);
      }
    });
    for (const space of created) open.spaces.add(nameHash(space));
    this.#open = { ...open, spaceCount: open.spaceCount + created.length };
  }

  #reachMarks(): void {
    if (this.#failure !== undefined) this.#marks.fail(this.#failure);
    else this.#marks.reached(this.#written, this.#waiting[0]?.slot);
  }

  async #load(space: SpaceId): Promise<StoredSpace | undefined> {
    const { database, spaces, spaceCount } = this.#mustBeOpen();
    const { transaction, release } = this.#snapshots.pin(database);
    const pace = Pace.brisk();
    try {
      const loading = loadSpace(viewOf(database, transaction), space);
      for (;;) {
        const step = loading.next();
        if (step.done !== true) {
          await pace.maybeRest();
          continue;
        }
        const isKnown = spaces.has(nameHash(space));
        if (step.value === undefined && isKnown) mustBeNew(database, spaceCount);
        return step.value;
      }
    } finally {
      release();
    }
  }

  #takePicture(done: (picture: StateExport | undefined, error?: Error) => void): void {
    let picture: StateExport;
    try {
      picture = this.#picture();
    } catch (error) {
      return done(undefined, writeError(this.#options.path, error));
    }
    done(picture);
  }

  /**
   * Between two transactions, in one turn: the snapshot that is pinned is the one that the file's
   * head names.
   */
  #picture(): StateExport {
    const { file, release } = this.#snapshots.open(this.#mustBeOpen().database);
    const head = { slot: this.#written, cluster: this.#place.history, bytes: file.bytes };
    return new RecordExport(head, {
      brisk: (after) => file.records(Pace.brisk(), after),
      calm: (after) => file.records(Pace.calm(), after),
    }, release);
  }

  #replace(head: ImportHead): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#alone(async () => {
        const error = await this.#errorOf(async () => {
          const { database } = this.#mustBeOpen();
          mustBelong(this.#place, head.cluster);
          mustBeNewer(head.slot, this.#written);
          this.#snapshots.releaseAll();
          this.#open = undefined;
          await database.close();
          const failed = await this.#errorOf(() => replaceFile(this.#options.path));
          // Whichever file is there now, it is whole.
          await this.#attach(() => attachState(this.#options.path));
          this.#taken = this.#written;
          if (failed !== undefined) throw failed;
          if (this.#failure !== undefined) throw this.#failure;
        });
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  async #setAside(): Promise<void> {
    const why = this.#failure ?? damaged('it was set aside');
    await this.#import?.giveUp();
    for (const { done } of this.#waiting.splice(0)) done(why);
    this.#waitingEntries = 0;
    this.#marks.fail(why);
    this.#snapshots.releaseAll();
    await this.#open?.database.close();
    this.#open = undefined;
    setFileAside(this.#options.path);
    this.#failure = undefined;
    await this.#attach(() => openState(this.#options.path, Infinity));
  }

  async #attach(open: () => Promise<OpenState>): Promise<void> {
    try {
      this.#open = await open();
      this.#place = this.#open.place;
      this.#written = this.#place.appliedSlot;
      this.#reaching = this.#written;
      this.#last = this.#waiting.at(-1)?.slot ?? this.#written;
    } catch (error) {
      this.#fail(writeError(this.#options.path, error));
    }
  }

  #mustBeOpen(): OpenState {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#open !== undefined) return this.#open;
    throw new OxbowError('store-closed', 'The state store was closed before.');
  }

  #fail(error: OxbowError): void {
    this.#failure ??= error;
    this.#marks.fail(this.#failure);
  }

  async #errorOf(task: () => Promise<void> | void): Promise<OxbowError | undefined> {
    try {
      await task();
      return undefined;
    } catch (error) {
      return writeError(this.#options.path, await reasonOf(error));
    }
  }

  #scrubLater(delayMs: number, everyMs: number): void {
    this.#scrubTimer = setTimeout(() => {
      this.#alone(() => void this.#scrub().then(() => {
        if (this.#open !== undefined) this.#scrubLater(everyMs, everyMs);
      }));
    }, delayMs).unref();
  }

  async #scrub(): Promise<void> {
    const database = this.#open?.database;
    if (database === undefined) return;
    const failure = await this.#errorOf(() => this.#snapshots.check(database));
    // Of a state that was replaced meanwhile nobody needs to know.
    const isPresent = this.#open?.database === database && this.#failure === undefined;
    if (failure?.code !== 'store-damaged' || !isPresent) return;
    this.#fail(failure);
    this.#options.onDamaged?.(failure);
  }
}

function formerIn({ database, spaces, spaceCount }: OpenState): Former {
  return {
    value: (key) => database.get(key),
    seal: (key) => {
      const value = database.getBinaryFast(key);
      // NaN would poison the sum without a word: what is no digit counts as another number.
      return value === undefined ? undefined : sealOfBytes(value) || 0;
    },
    space: (space): SpaceRecord | undefined => {
      const key = spaceKey(space);
      const value = database.get(key);
      if (value !== undefined) return readSpaceRecord(key, value);
      if (spaces.has(nameHash(space))) mustBeNew(database, spaceCount);
      return undefined;
    },
  };
}

function writeError(path: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  if (isDamage(cause)) return damaged('LMDB refuses it', cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError(
    'store-failed',
    `Cannot write the state store '${path}': ${why}. What was acknowledged is safe in the log; ` +
      'mend the disk (is it full?) and start again.',
    { cause },
  );
}
