/**
 * The browser's store. A write is one short transaction with an explicit `commit()`: a frozen
 * background tab that holds one open would block every other tab. Records are plain strings under
 * string keys: the layout above packs rows into pages, as a record per row takes six times as long
 * to load.
 */
import { OxbowError } from '../protocol/index.js';
import { holdName } from './held-name.js';
import type { HeldName, HowToHold } from './held-name.js';
import { answerOf, IndexedDbConnection } from './indexeddb-connection.js';
import type { Attempt } from './indexeddb-connection.js';
import { fromBytes, toBytes } from './page-bytes.js';
import { QueuedStore, type Pair } from './queued-store.js';
import type {
  Collection,
  Done,
  KeyRange,
  Storage,
  Store,
  StoreCondition,
  StoreOp,
} from './storage.js';
import { failed, keyTaken, succeeded } from './store-queue.js';
import { StoreWitness } from './store-witness.js';

/** Holds no record: who reads it asks only whether the store is there. */
const NOTHING: KeyRange = { from: '', to: '\u0000' };

export interface IndexedDbOptions {
  /**
   * `relaxed` (default): saved means handed to the operating system, which survives a crash of the
   * browser but not a power cut in the next seconds. `strict`: on disk, several times slower.
   */
  readonly durability?: 'relaxed' | 'strict';
  /** Wait until another tab lets go of the store, instead of failing with `store-in-use`. */
  readonly waitForLock?: boolean;
  /**
   * Ask the browser not to evict the store, when the first update is saved that nobody else has
   * (default true). Firefox shows a question for it: to ask from a button of your own instead, say
   * false and call `replica.keepStorage()`.
   */
  readonly persist?: boolean;
}

/** Records per request: a page may have a megabyte, and Chromium answers in one message. */
const PAGES_AT_ONCE = 8;
const RECORDS_AT_ONCE = 1024;

/**
 * Keeps a replica in IndexedDB, in the database `oxbow/<name>`. One tab has it open at a time.
 *
 * Works offline. Errors of opening: `store-in-use` (another tab has it), `store-newer`,
 * `store-unavailable` (no IndexedDB here).
 *
 * @example
 * const replica = await openReplica({ app, storage: indexedDb('calendar'), sync: [server(url)] });
 */
export function indexedDb(name: string, options: IndexedDbOptions = {}): Storage {
  return new IndexedDbStorage(`oxbow/${name}`, options);
}

class IndexedDbStorage implements Storage {
  readonly #name: string;
  readonly #options: IndexedDbOptions;

  constructor(name: string, options: IndexedDbOptions) {
    this.#name = name;
    this.#options = options;
  }

  get sharedName(): string {
    return this.#name;
  }

  open(done: Done<Store>): void {
    this.#open(this.#options.waitForLock === true ? 'wait' : 'at-once', done);
  }

  share(done: Done<Store>): void {
    this.#open('shared', done);
  }

  #open(how: HowToHold, done: Done<Store>): void {
    this.#hold(how, done, (held) => {
      const store = new IndexedDbStore(this.#name, this.#options, held);
      store.start((result) => {
        if (!result.ok) held.release();
        done(result.ok ? succeeded(store) : result);
      });
    });
  }

  destroy(done: Done<void>): void {
    this.#hold('at-once', done, (held) => {
      const settle: Done<void> = (result) => {
        if (result.ok) new StoreWitness(this.#name).forget();
        held.release();
        done(result);
      };
      answerOf(() => indexedDB.deleteDatabase(this.#name)).then(
        () => settle(succeeded(undefined)),
        (cause: unknown) => settle(failed(cannotDelete(this.#name, cause))),
      );
    });
  }

  #hold<T>(how: HowToHold, done: Done<T>, then: (held: HeldName) => void): void {
    holdName(this.#name, how, { held: then, taken: () => done(failed(inUse(this.#name))) });
  }
}

class IndexedDbStore extends QueuedStore {
  readonly kind = 'indexeddb';
  readonly checksPages = true;
  readonly #connection: IndexedDbConnection;
  readonly #options: IndexedDbOptions;
  readonly #held: HeldName;
  readonly #witness: StoreWitness;
  readonly asksToBeKept: boolean;
  vanished: readonly string[] | undefined;

  constructor(name: string, options: IndexedDbOptions, held: HeldName) {
    super(name);
    this.#options = options;
    this.#held = held;
    this.asksToBeKept = options.persist !== false;
    this.#witness = new StoreWitness(name);
    this.#connection = new IndexedDbConnection(name, {
      lost: (error) => this.lose(error),
      doubted: () => this.read('meta', NOTHING, () => undefined),
    });
  }

  override get fresh(): boolean {
    return this.#connection.fresh;
  }

  start(done: Done<void>): void {
    this.#connection.open((result) => {
      if (result.ok) this.#meetWitness();
      done(result);
    });
    this.#witness.recall();
  }

  condition(done: Done<StoreCondition>): void {
    void storageCondition().then((condition) => done(succeeded(condition)));
  }

  keep(done: Done<StoreCondition>): void {
    void askToKeep().then(storageCondition).then((condition) => done(succeeded(condition)));
  }

  renew(done: Done<void>): void {
    this.#connection.renew((result) => {
      if (result.ok) {
        this.renewed();
        this.#meetWitness();
      }
      done(result);
    });
  }

  noteUnsynced(space: string, hasUnsynced: boolean): void {
    this.#witness.note(space, hasUnsynced);
  }

  #meetWitness(): void {
    this.vanished = this.fresh ? this.#witness.unsynced : undefined;
    if (this.fresh) this.#witness.begin();
    else this.#witness.meet();
  }

  protected override pairs(
    collection: Collection, range: KeyRange, settle: Done<readonly Pair[]>,
  ): void {
    this.#connection.run(readAttempt(collection, range), settle);
  }

  protected override commit(
    ops: readonly StoreOp[], settle: Done<void>, unless: string | undefined,
  ): void {
    const { durability = 'relaxed' } = this.#options;
    this.#connection.run(writeAttempt(ops, durability, unless), settle);
  }

  protected override release(done: () => void): void {
    this.#connection.close();
    this.#held.release();
    done();
  }
}

function writeAttempt(
  ops: readonly StoreOp[],
  durability: 'relaxed' | 'strict',
  unless: string | undefined,
): Attempt<void> {
  return (database, done, lost) => {
    const written = ops.map((op) => op.collection);
    const collections = [...new Set(unless === undefined ? written : [...written, 'meta'])];
    const transaction = database.transaction(collections, 'readwrite', { durability });
    transaction.oncomplete = () => done();
    transaction.onabort = () => lost(asTaken(transaction.error, unless));
    try {
      if (unless !== undefined) mustNotBeThere(transaction.objectStore('meta'), unless);
      for (const op of ops) {
        const records = transaction.objectStore(op.collection);
        if (op.kind === 'put') records.put(valueOf(op), op.key);
        else records.delete(op.key);
      }
      transaction.commit();
    } catch (cause) {
      abandon(transaction);
      throw cause;
    }
  };
}

/** Only pages are large enough for it to pay. */
const valueOf = ({ collection, value }: Extract<StoreOp, { kind: 'put' }>): string | Uint8Array =>
  collection === 'pages' ? toBytes(value) : value;

/** Earlier layouts had pages as strings, too. */
const textOf = (value: unknown): string =>
  // reason: nothing else but a text is written here.
  typeof value === 'object' ? fromBytes(value as Uint8Array) : String(value);

/**
 * Makes the transaction fail by itself where the key is there. To look first would leave it open
 * until this page runs again, which a frozen page does not: all that it needs is asked for at once.
 */
function mustNotBeThere(records: IDBObjectStore, key: string): void {
  records.add('', key);
  records.delete(key);
}

const asTaken = (cause: DOMException | null, unless: string | undefined): unknown =>
  unless !== undefined && cause?.name === 'ConstraintError' ? keyTaken(unless, cause) : cause;

/** A half-made write must not be committed by the browser at the end of the turn. */
function abandon(transaction: IDBTransaction): void {
  transaction.onabort = null;
  transaction.oncomplete = null;
  try {
    transaction.abort();
  } catch {
    // InvalidStateError: it is over already, and that is all that was wanted.
  }
}

/** Chunks side by side: the texts of one are made while the disk looks for the next. */
function readAttempt(collection: Collection, { from, to }: KeyRange): Attempt<readonly Pair[]> {
  return (database, done, lost) => {
    const pairs: Pair[] = [];
    let awaited = 0;
    const read = (range: IDBKeyRange, step: number): void => {
      awaited += 1;
      readChunk(database.transaction(collection, 'readonly'), { collection, range, step }, {
        read,
        found: (key, text) => pairs.push([String(key), text]),
        end: () => {
          awaited -= 1;
          if (awaited === 0) done(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
        },
        lost: (cause) => {
          if (awaited < Infinity) lost(cause);
          awaited = Infinity;
        },
      });
    };
    const step = collection === 'pages' ? PAGES_AT_ONCE : RECORDS_AT_ONCE;
    read(IDBKeyRange.bound(from, to, false, true), step);
  };
}

interface Chunk {
  readonly collection: Collection;
  readonly range: IDBKeyRange;
  /** So many records of the range are read; others are chunks of their own. */
  readonly step: number;
}

interface ChunkEvents {
  read(range: IDBKeyRange, step: number): void;
  found(key: IDBValidKey | undefined, text: string): void;
  end(): void;
  lost(cause: unknown): void;
}

/**
 * One chunk in a transaction of its own that is committed at once: what it asks for still comes,
 * and a page that is frozen in between keeps no other one waiting. Values that Chromium keeps in
 * files of their own then come after the transaction has completed: both ends are waited for. A
 * chunk with a value that cannot be read is read again one by one, and that one comes out empty.
 */
function readChunk(
  transaction: IDBTransaction, { collection, range, step }: Chunk, events: ChunkEvents,
): void {
  const { read, found, lost } = events;
  const records = transaction.objectStore(collection);
  const keys = records.getAllKeys(range);
  const values = records.getAll(range, step);
  let isUnread = false;
  let isComplete = false;
  keys.onsuccess = orLost(() => {
    const all = keys.result;
    for (let i = step; i < all.length; i += step) {
      read(IDBKeyRange.bound(all[i], all[i + step] ?? range.upper, false, true), step);
    }
  }, lost);
  const end = orLost(() => {
    const unread = isUnread ? keys.result.slice(0, step) : [];
    if (unread.length === 1) found(unread[0], '');
    else for (const key of unread) read(IDBKeyRange.only(key), 1);
    events.end();
  }, lost);
  const maybeEnd = (): void => {
    if (isComplete && values.readyState === 'done') end();
  };
  values.onsuccess = () => {
    values.result.forEach((value, at) => found(keys.result[at], textOf(value)));
    maybeEnd();
  };
  values.onerror = (event) => {
    isUnread = isUnreadable(event, values);
    if (isUnread || !isComplete) maybeEnd();
    else lost(values.error);
  };
  transaction.oncomplete = () => {
    isComplete = true;
    maybeEnd();
  };
  // Chromium aborts because of unreadable values, although their errors were dealt with.
  transaction.onabort = () => (isUnread ? end() : lost(transaction.error));
  transaction.commit();
}

/** The next transaction may throw, on a connection that is closing: then the job is lost. */
const orLost = (task: () => void, lost: (cause: unknown) => void) => (): void => {
  try {
    task();
  } catch (cause) {
    lost(cause);
  }
};

/**
 * Chromium keeps values above 64 KB in files of their own, which get lost: one such value must not
 * take all others with it. Only what is said of the value itself counts; any other failure aborts
 * the transaction as usual.
 */
function isUnreadable(event: Event, request: IDBRequest): boolean {
  const name = request.error?.name;
  if (name !== 'NotReadableError' && name !== 'DataError') return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

async function askToKeep(): Promise<void> {
  try {
    const storage = navigator.storage;
    if (!(await storage.persisted())) await storage.persist();
  } catch {
    // No such API here (insecure page, Node): the store works, and `condition` says that nothing is
    // promised.
  }
}

async function storageCondition(): Promise<StoreCondition> {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    return {
      persisted: await navigator.storage.persisted(),
      ...(usage !== undefined && { usageBytes: usage }),
      ...(quota !== undefined && { quotaBytes: quota }),
    };
  } catch {
    // Not known here, which is what an empty answer says.
    return {};
  }
}

const inUse = (name: string): OxbowError =>
  new OxbowError(
    'store-in-use',
    `Another tab or worker has IndexedDB '${name}' open. ` +
      'Close that one, pass { waitForLock: true }, or use tabs().',
  );

const cannotDelete = (name: string, cause: unknown): OxbowError =>
  new OxbowError(
    'store-unavailable',
    `Cannot delete IndexedDB '${name}'. Allow storage for this site, or clear its data.`,
    { cause },
  );
