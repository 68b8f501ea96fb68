/**
 * A connection to one database that comes back. Browsers close connections on their own (memory
 * pressure, a sleeping phone, Safari's "Connection to Indexed Database server lost"), so each job
 * opens the database when it has none, and a job whose transaction died is repeated: puts and
 * deletes may be done twice. What must not happen is opening an emptied database as if it were
 * ours: that is `store-lost`.
 */
import { OxbowError } from '../protocol/index.js';
import { COLLECTIONS } from './storage.js';
import type { Done } from './storage.js';
import { failed, succeeded } from './store-queue.js';

/** Raised when object stores change. A database above it was written by newer code. */
export const DATABASE_VERSION = 1;

/** Pauses before a job is tried again, ms. After the last one it has failed. */
const RETRY_PAUSES_MS = [0, 100, 500] as const;

/** What may be better a moment later. The others stay as they are. */
const RETRIED_CODES: ReadonlySet<string> = new Set(['store-failed', 'store-unavailable']);

/** A browser that has not answered by then does not answer (seen in Safari after a reload). */
const OPEN_WAIT_MS = 15_000;

/** One transaction's work. Calls `done` when it has completed, `lost` when it has not. */
export type Attempt<T> = (
  database: IDBDatabase,
  done: (value: T) => void,
  lost: (cause: unknown) => void,
) => void;

export interface ConnectionEvents {
  /** The database cannot be used any more. */
  lost(error: OxbowError): void;
  /**
   * The browser has closed the connection, or somebody wants to delete the database: whether it is
   * still there shows at the next job. Idle apps would learn of it too late.
   */
  doubted(): void;
}

export class IndexedDbConnection {
  readonly #name: string;
  readonly #events: ConnectionEvents;
  #database: IDBDatabase | undefined;
  #wasOpen = false;
  /** Reads that came side by side and found no connection: one is made for all. */
  readonly #waiting: Done<IDBDatabase>[] = [];
  fresh = false;

  constructor(name: string, events: ConnectionEvents) {
    this.#name = name;
    this.#events = events;
  }

  open(done: Done<void>): void {
    this.#connected((result) => done(result.ok ? succeeded(undefined) : result));
  }

  /** Runs `attempt`, again where the connection was lost under it. */
  run<T>(attempt: Attempt<T>, settle: Done<T>, tries = 0): void {
    const again = (cause: unknown): void => {
      const pauseMs = RETRY_PAUSES_MS[tries];
      const error = storeError(this.#name, cause);
      if (pauseMs === undefined || !RETRIED_CODES.has(error.code)) {
        settle(failed(error));
        return;
      }
      this.close();
      setTimeout(() => this.run(attempt, settle, tries + 1), pauseMs);
    };
    this.#connected((result) => {
      if (!result.ok) {
        if (RETRIED_CODES.has(result.error.code)) again(result.error);
        else this.#giveUp(result.error, settle);
        return;
      }
      try {
        attempt(result.value, (value) => settle(succeeded(value)), again);
      } catch (cause) {
        // `transaction()` throws InvalidStateError on a connection that is closing.
        again(cause);
      }
    });
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** The database is gone, and an empty one in its place is what is wanted now. */
  renew(done: Done<void>): void {
    this.close();
    this.#wasOpen = false;
    this.open(done);
  }

  #giveUp<T>(error: OxbowError, settle: Done<T>): void {
    settle(failed(error));
    this.#events.lost(error);
  }

  #connected(done: Done<IDBDatabase>): void {
    if (this.#database !== undefined) return done(succeeded(this.#database));
    this.#waiting.push(done);
    if (this.#waiting.length > 1) return;
    this.#connect((result) => {
      for (const waiting of this.#waiting.splice(0)) waiting(result);
    });
  }

  #connect(done: Done<IDBDatabase>): void {
    let isWaiting = true;
    const answer: Done<IDBDatabase> = (result) => {
      if (!isWaiting) {
        if (result.ok) result.value.close();
        return;
      }
      isWaiting = false;
      clearTimeout(timer);
      if (result.ok) {
        this.#database = result.value;
        this.#wasOpen = true;
      }
      done(result);
    };
    const timer = setTimeout(() => answer(failed(silent(this.#name))), OPEN_WAIT_MS);
    this.#openDatabase().then(
      (database) => answer(succeeded(database)),
      (cause: unknown) => answer(failed(openError(this.#name, cause))),
    );
  }

  async #openDatabase(): Promise<IDBDatabase> {
    let isGone = false;
    try {
      const database = await answerOf(() => {
        const request = indexedDB.open(this.#name, DATABASE_VERSION);
        request.onupgradeneeded = ({ oldVersion }) => {
          isGone = oldVersion === 0 && this.#wasOpen;
          if (isGone) {
            request.transaction?.abort();
            return;
          }
          this.fresh = oldVersion === 0;
          for (const collection of COLLECTIONS) request.result.createObjectStore(collection);
        };
        return request;
      });
      this.#watch(database);
      return database;
    } catch (cause) {
      throw isGone ? lostError(this.#name) : cause;
    }
  }

  #watch(database: IDBDatabase): void {
    const forget = (): void => {
      if (this.#database === database) this.#database = undefined;
    };
    const doubt = (): void => {
      forget();
      this.#events.doubted();
    };
    // Somebody deletes or upgrades the database: whoever holds on blocks them for ever.
    database.onversionchange = ({ newVersion }) => {
      database.close();
      if (newVersion === null) doubt();
      else forget();
    };
    database.onclose = doubt;
  }
}

/** Rejects, too, where there is no IndexedDB at all. */
export function answerOf<T>(ask: () => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = ask();
    request.onsuccess = () => resolve(request.result);
    // reason: a request that has failed says why.
    request.onerror = () => reject(request.error as DOMException);
  });
}

/** The error of a transaction or request that did not complete. */
function storeError(name: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  if (errorName(cause) === 'QuotaExceededError') {
    return new OxbowError(
      'store-full',
      `The browser gives IndexedDB '${name}' no more room. Free disk space, or close spaces.`,
      { cause },
    );
  }
  return new OxbowError(
    'store-failed',
    `IndexedDB '${name}' failed ${RETRY_PAUSES_MS.length + 1} times (${errorText(cause)}). ` +
      'Reload the page; if it stays, the profile is damaged.',
    { cause },
  );
}

function openError(name: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  if (errorName(cause) === 'VersionError') {
    return new OxbowError(
      'store-newer',
      `Newer code wrote IndexedDB '${name}': this one knows version ${DATABASE_VERSION}. ` +
        'Reload the page.',
      { cause },
    );
  }
  return new OxbowError(
    'store-unavailable',
    `Cannot open IndexedDB '${name}' (${errorText(cause)}). ` +
      'Allow storage for this site, free disk space, or use memory().',
    { cause },
  );
}

const lostError = (name: string): OxbowError =>
  new OxbowError(
    'store-lost',
    `IndexedDB '${name}' was deleted while it was open. ` +
      'What is in memory is written anew; what was synced comes back.',
  );

const silent = (name: string): OxbowError =>
  new OxbowError(
    'store-unavailable',
    `Cannot open IndexedDB '${name}': no answer within ${OPEN_WAIT_MS / 1000} s. Reload the page, or use memory().`,
  );

const errorName = (cause: unknown): string => (cause instanceof Error ? cause.name : '');

const errorText = (cause: unknown): string =>
  cause instanceof Error ? `${cause.name}: ${cause.message}` : 'the connection was lost';
