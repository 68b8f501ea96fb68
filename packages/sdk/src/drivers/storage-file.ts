/**
 * The store of a Node process: one LMDB file. LMDB gives what is asked for here as it is: ordered
 * keys, atomic batches, no recovery after a crash. It is an optional dependency, loaded when a
 * store is opened, so that neither browsers nor servers without it pay for it.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type * as Lmdb from 'lmdb';
import { OxbowError } from '../protocol/index.js';
import { keyBytes, keyOfBytes } from './key-bytes.js';
import { QueuedStore, type Pair } from './queued-store.js';
import type { Collection, Done, KeyRange, Storage, Store, StoreOp } from './storage.js';
import { failed, succeeded } from './store-queue.js';
import { releasePath, takeOwnership, takePath } from './store-owner.js';

export interface FileOptions {
  /**
   * `strict` (default): saved means on disk. `relaxed`: saved means handed to the operating system,
   * which survives a crash of the process but not a power cut.
   */
  readonly durability?: 'strict' | 'relaxed';
}

type Result<T> = Parameters<Done<T>>[0];
type Database = Lmdb.RootDatabase<string, Buffer>;

/** First byte of a key. 0 is the store's own. */
const PREFIX: Readonly<Record<Collection, number>> = { meta: 1, updates: 2, entries: 3, pages: 4 };
const FORMAT_KEY = keyBytes(0, 'format');
/** Raised when the file's content changes in a way that older code would misread. */
const FORMAT = 1;

/**
 * Keeps a replica in a folder of this machine (created when it is missing). One process has it open
 * at a time, in one thread; a process that died does not hold it. Needs the package `lmdb`.
 *
 * Works offline. Errors of opening: `store-in-use`, `store-newer`, `store-unavailable` (`lmdb` is
 * not installed, or the folder cannot be written).
 *
 * @example
 * const replica = await openReplica({ app, storage: file('./data/kiosk'), sync: [server(url)] });
 */
export function file(path: string, options: FileOptions = {}): Storage {
  return new FileStorage(resolve(path), options);
}

class FileStorage implements Storage {
  readonly #folder: string;
  readonly #options: FileOptions;

  constructor(folder: string, options: FileOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  open(done: Done<Store>): void {
    this.#openStore().then(
      (store) => done(succeeded(store)),
      (cause: unknown) => done(failed(unavailable(this.#folder, cause))),
    );
  }

  destroy(done: Done<void>): void {
    if (!existsSync(databasePath(this.#folder))) {
      queueMicrotask(() => done(succeeded(undefined)));
      return;
    }
    this.open((opened) => {
      if (!opened.ok) {
        done(opened);
        return;
      }
      opened.value.close(() => done(this.#removed()));
    });
  }

  #removed(): Result<void> {
    try {
      for (const suffix of ['', '-lock']) {
        rmSync(databasePath(this.#folder) + suffix, { force: true });
      }
      return succeeded(undefined);
    } catch (cause) {
      return failed(brokenError(databasePath(this.#folder), cause));
    }
  }

  async #openStore(): Promise<FileStore> {
    const { open } = await loadLmdb();
    mkdirSync(this.#folder, { recursive: true });
    const path = databasePath(this.#folder);
    takePath(path);
    let database: Database | undefined;
    try {
      database = open<string, Buffer>({
        path,
        noSubdir: true,
        encoding: 'string',
        keyEncoding: 'binary',
        // With it, a write counts as done before it is on disk.
        overlappingSync: this.#options.durability === 'relaxed',
        // With it, lmdb makes promises that nobody has; that of a failed commit ends the process.
        eventTurnBatching: false,
      });
      const fresh = isFresh(path, database);
      takeOwnership(path, database);
      if (fresh) await database.put(FORMAT_KEY, String(FORMAT));
      return new FileStore(path, database, fresh);
    } catch (error) {
      await database?.close();
      releasePath(path);
      throw error;
    }
  }
}

class FileStore extends QueuedStore {
  readonly kind = 'file';
  readonly fresh: boolean;
  readonly #path: string;
  readonly #database: Database;

  constructor(path: string, database: Database, fresh: boolean) {
    super(path);
    this.#path = path;
    this.#database = database;
    this.fresh = fresh;
  }

  protected override pairs(
    collection: Collection, { from, to }: KeyRange, settle: Done<readonly Pair[]>,
  ): void {
    settle(this.#read(PREFIX[collection], from, to));
  }

  protected override commit(ops: readonly StoreOp[], settle: Done<void>): void {
    const written = this.#database.batch(() => {
      for (const op of ops) {
        const key = keyBytes(PREFIX[op.collection], op.key);
        // What goes wrong comes out of the batch's promise, too.
        (op.kind === 'put' ? this.#database.put(key, op.value) : this.#database.remove(key))
          .catch(() => undefined);
      }
    });
    written.then(
      () => settle(succeeded(undefined)),
      async (cause: unknown) =>
        this.#failed(brokenError(this.#path, await reasonOf(cause)), settle),
    );
  }

  protected override release(done: () => void): void {
    const finish = (): void => {
      releasePath(this.#path);
      done();
    };
    this.#database.close().then(finish, finish);
  }

  #read(prefix: number, from: string, to: string): Result<readonly Pair[]> {
    try {
      const range = { start: keyBytes(prefix, from), end: keyBytes(prefix, to) };
      const records = [...this.#database.getRange(range)];
      return succeeded(records.map(({ key, value }): Pair => [keyOfBytes(key), value]));
    } catch (cause) {
      return failed(brokenError(this.#path, cause));
    }
  }

  /**
   * What a failed write left in the operating system's cache is anybody's guess: it is never tried
   * again.
   */
  #failed(error: OxbowError, settle: Done<void>): void {
    settle(failed(error));
    if (error.code !== 'store-full') this.lose(error);
  }
}

const databasePath = (folder: string): string => join(folder, 'store.mdb');

async function loadLmdb(): Promise<typeof Lmdb> {
  try {
    return await import('lmdb');
  } catch (cause) {
    throw new OxbowError(
      'store-unavailable',
      "Cannot keep a store in a file as the package 'lmdb' does not load. Install it: npm install lmdb.",
      { cause },
    );
  }
}

/** Whether nobody has written a format yet. Throws `store-newer`. */
function isFresh(path: string, database: Database): boolean {
  const format = database.get(FORMAT_KEY);
  if (format === undefined) return true;
  if (Number(format) <= FORMAT) return false;
  throw new OxbowError(
    'store-newer',
    `Cannot open the store file '${path}' as its format is newer: found ${format}, know ${FORMAT}. ` +
      'Update @oxbow/sdk.',
  );
}

function unavailable(folder: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  return new OxbowError(
    'store-unavailable',
    `Cannot open a store in '${folder}' (${String(cause)}). Choose a folder that this process may write.`,
    { cause },
  );
}

/**
 * Why a commit failed lmdb says in a promise of its own, at the error: left alone, its rejection
 * would end the process.
 */
async function reasonOf(cause: unknown): Promise<unknown> {
  try {
    if (cause instanceof Error && 'commitError' in cause) await cause.commitError;
  } catch (reason) {
    return reason;
  }
  return cause;
}

function brokenError(path: string, cause: unknown): OxbowError {
  if (/ENOSPC|No space left|MDB_MAP_FULL/.test(String(cause))) {
    return new OxbowError(
      'store-full',
      `Cannot write to the store file '${path}' as the disk is full. Free disk space.`,
      { cause },
    );
  }
  return new OxbowError(
    'store-failed',
    `The store file '${path}' failed (${String(cause)}). Check the disk, then open the replica again.`,
    { cause },
  );
}
