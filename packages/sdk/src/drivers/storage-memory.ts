/**
 * A store that lives as long as its page or process: for tests, for Node tools that need no disk,
 * and to go on with when the browser has no IndexedDB or no room left.
 */
import { OxbowError } from '../protocol/index.js';
import { QueuedStore, type Pair } from './queued-store.js';
import type { Collection, Done, KeyRange, Storage, Store, StoreOp } from './storage.js';
import { failed, keyTaken, succeeded } from './store-queue.js';

type Records = Record<Collection, Map<string, string>>;

/**
 * Keeps a replica in memory. What is `saved` here is gone with the page or process; opening the
 * same `Storage` value again finds it. Errors of `open`: `store-in-use`.
 *
 * @example
 * const replica = await openReplica({ app, storage: memory(), sync: [server(url)] });
 */
export function memory(): Storage {
  return new MemoryStorage();
}

/** In this realm. */
let storages = 0;

class MemoryStorage implements Storage {
  #records: Records | undefined;
  readonly sharedName = `memory/${++storages}`;
  #openers = 0;
  #isShared = false;

  open(done: Done<Store>): void {
    this.#open(false, done);
  }

  share(done: Done<Store>): void {
    this.#open(true, done);
  }

  #open(isShared: boolean, done: Done<Store>): void {
    queueMicrotask(() => {
      if (this.#openers > 0 && !(isShared && this.#isShared)) {
        done(failed(inUse()));
        return;
      }
      this.#openers += 1;
      this.#isShared = isShared;
      const fresh = this.#records === undefined;
      this.#records ??= emptyRecords();
      done(succeeded(new MemoryStore(this.#records, fresh, () => { this.#openers -= 1; })));
    });
  }

  destroy(done: Done<void>): void {
    queueMicrotask(() => {
      if (this.#openers > 0) {
        done(failed(inUse()));
        return;
      }
      this.#records = undefined;
      done(succeeded(undefined));
    });
  }
}

class MemoryStore extends QueuedStore {
  readonly kind = 'memory';
  readonly fresh: boolean;
  readonly #records: Records;
  readonly #letGo: () => void;

  constructor(records: Records, fresh: boolean, letGo: () => void) {
    super('memory');
    this.#records = records;
    this.fresh = fresh;
    this.#letGo = letGo;
  }

  protected override pairs(
    collection: Collection, range: KeyRange, settle: Done<readonly Pair[]>,
  ): void {
    const pairs = [...this.#records[collection]].filter(
      ([key]) => key >= range.from && key < range.to,
    );
    settle(succeeded(pairs.sort(([a], [b]) => (a < b ? -1 : 1))));
  }

  protected override commit(
    ops: readonly StoreOp[], settle: Done<void>, unless: string | undefined,
  ): void {
    if (unless !== undefined && this.#records.meta.has(unless)) {
      return settle(failed(keyTaken(unless)));
    }
    for (const op of ops) {
      const records = this.#records[op.collection];
      if (op.kind === 'put') records.set(op.key, op.value);
      else records.delete(op.key);
    }
    settle(succeeded(undefined));
  }

  protected override release(done: () => void): void {
    this.#letGo();
    done();
  }
}

const emptyRecords = (): Records => ({
  meta: new Map(),
  updates: new Map(),
  entries: new Map(),
  pages: new Map(),
});

const inUse = (): OxbowError =>
  new OxbowError(
    'store-in-use',
    'This memory store is open already. Close its replica first, or use another.',
  );
