/**
 * The browser's store. A write is one short transaction with an explicit `commit()`: a frozen
 * background tab that holds one open would block every other tab. Records are plain strings under
 * string keys: the layout above packs rows into pages, as a record per row takes six times as long
 * to load.
 */
import { deleteDB } from 'idb';
import { OxbowError } from '../protocol/index.js';
import { holdName } from './held-name.js';
import type { HeldName } from './held-name.js';
import { IndexedDbConnection } from './indexeddb-connection.js';
import type { Attempt } from './indexeddb-connection.js';
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
import { failed, succeeded } from './store-queue.js';

export interface IndexedDbOptions {
  /**
   * `relaxed` (default): saved means handed to the operating system, which survives a crash of the
   * browser but not a power cut in the next seconds. `strict`: on disk, several times slower.
   */
  readonly durability?: 'relaxed' | 'strict';
  /** Wait until another tab lets go of the store, instead of failing with `store-in-use`. */
  readonly waitForLock?: boolean;
  /** Ask the browser not to evict the store (default true). Firefox shows a question for it. */
  readonly persist?: boolean;
}

/**
 * Records per round trip: a page may have a megabyte, and Chromium sends one answer in one message.
 */
const READ_CHUNK: Readonly<Record<Collection, number>> = {
  meta: 4096,
  updates: 4096,
  entries: 1024,
  pages: 64,
};

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

  open(done: Done<Store>): void {
    this.#hold(this.#options.waitForLock ?? false, done, (held) => {
      const store = new IndexedDbStore(this.#name, this.#options, held);
      store.start((result) => {
        if (!result.ok) held.release();
        done(result.ok ? succeeded(store) : result);
      });
    });
  }

  destroy(done: Done<void>): void {
    this.#hold(false, done, (held) => {
      const settle: Done<void> = (result) => {
        held.release();
        done(result);
      };
      // In a promise of its own, as a missing IndexedDB makes `deleteDB` throw instead of reject.
      Promise.resolve()
        .then(() => deleteDB(this.#name))
        .then(
          () => settle(succeeded(undefined)),
          (cause: unknown) => settle(failed(cannotDelete(this.#name, cause))),
        );
    });
  }

  #hold<T>(wait: boolean, done: Done<T>, then: (held: HeldName) => void): void {
    holdName(this.#name, wait, { held: then, taken: () => done(failed(inUse(this.#name))) });
  }
}

class IndexedDbStore extends QueuedStore {
  readonly kind = 'indexeddb';
  readonly #connection: IndexedDbConnection;
  readonly #options: IndexedDbOptions;
  readonly #held: HeldName;

  constructor(name: string, options: IndexedDbOptions, held: HeldName) {
    super(name);
    this.#options = options;
    this.#held = held;
    this.#connection = new IndexedDbConnection(name, (error) => this.lose(error));
  }

  override get fresh(): boolean {
    return this.#connection.fresh;
  }

  start(done: Done<void>): void {
    this.#connection.open((result) => {
      if (result.ok && this.#options.persist !== false) void askToKeep();
      done(result);
    });
  }

  condition(done: Done<StoreCondition>): void {
    void storageCondition().then((condition) => done(succeeded(condition)));
  }

  protected override pairs(
    collection: Collection, range: KeyRange, settle: Done<readonly Pair[]>,
  ): void {
    this.#connection.run(readAttempt(collection, range), settle);
  }

  protected override commit(ops: readonly StoreOp[], settle: Done<void>): void {
    this.#connection.run(writeAttempt(ops, this.#options.durability ?? 'relaxed'), settle);
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
): Attempt<void> {
  return (database, done, lost) => {
    const collections = [...new Set(ops.map((op) => op.collection))];
    const transaction = database.transaction(collections, 'readwrite', { durability });
    transaction.oncomplete = () => done();
    transaction.onabort = () => lost(transaction.error);
    try {
      for (const op of ops) {
        const records = transaction.objectStore(op.collection);
        if (op.kind === 'put') records.put(op.value, op.key);
        else records.delete(op.key);
      }
      transaction.commit();
    } catch (cause) {
      abandon(transaction);
      throw cause;
    }
  };
}

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

function readAttempt(collection: Collection, range: KeyRange): Attempt<readonly Pair[]> {
  return (database, done, lost) => {
    const transaction = database.transaction(collection, 'readonly');
    const records = transaction.objectStore(collection);
    const pairs: Pair[] = [];
    let isRead = false;
    const readOn = (bounds: IDBKeyRange): void => {
      const keys = records.getAllKeys(bounds, READ_CHUNK[collection]);
      const values = records.getAll(bounds, READ_CHUNK[collection]);
      const goOn = (): void => {
        const last = keys.result.at(-1);
        if (keys.result.length < READ_CHUNK[collection] || last === undefined) isRead = true;
        else readOn(IDBKeyRange.bound(last, range.to, true, true));
      };
      values.onsuccess = () => {
        keys.result.forEach((key, at) => pairs.push([String(key), String(values.result[at])]));
        goOn();
      };
      values.onerror = (event) => {
        if (isUnreadable(event, values)) readSingly(records, keys.result, pairs, goOn);
      };
    };
    transaction.oncomplete = () => done(pairs);
    // Chromium aborts at the end because of unreadable values, although their errors were dealt
    // with.
    transaction.onabort = () => (isRead ? done(pairs) : lost(transaction.error));
    readOn(IDBKeyRange.bound(range.from, range.to, false, true));
  };
}

/** One by one, with an empty value for those that cannot be read. */
function readSingly(
  records: IDBObjectStore, keys: readonly IDBValidKey[], pairs: Pair[], done: () => void,
): void {
  let left = keys.length;
  const add = (key: IDBValidKey, value: unknown): void => {
    pairs.push([String(key), String(value)]);
    left--;
    if (left === 0) done();
  };
  for (const key of keys) {
    const value = records.get(key);
    value.onsuccess = () => add(key, value.result);
    value.onerror = (event) => {
      if (isUnreadable(event, value)) add(key, '');
    };
  }
}

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
      ...(usage === undefined ? {} : { usageBytes: usage }),
      ...(quota === undefined ? {} : { quotaBytes: quota }),
    };
  } catch {
    // Not known here, which is what an empty answer says.
    return {};
  }
}

const inUse = (name: string): OxbowError =>
  new OxbowError(
    'store-in-use',
    `Cannot open IndexedDB '${name}' as another tab or worker of this site has it open. ` +
      'Close that one, or pass { waitForLock: true } to take over when it is gone.',
  );

const cannotDelete = (name: string, cause: unknown): OxbowError =>
  new OxbowError(
    'store-unavailable',
    `Cannot delete IndexedDB '${name}'. Allow storage for this site, or clear its data in the browser.`,
    { cause },
  );
