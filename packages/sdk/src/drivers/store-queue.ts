/**
 * One job at a time, in the order asked for. Why not let the platform overlap them: a write that is
 * repeated after a lost connection would land behind a later one, and a log with a hole in it is no
 * log.
 */
import { OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { Done, StoreOp } from './storage.js';

export const succeeded = <T>(value: T): { readonly ok: true; readonly value: T } => ({
  ok: true,
  value,
});

export const failed = (error: OxbowError): { readonly ok: false; readonly error: OxbowError } => ({
  ok: false,
  error,
});

/** The first op that no driver could keep, as an error. */
export function refusal(ops: readonly StoreOp[]): OxbowError | undefined {
  const op = ops.find(({ key }) => key.length > limits.storeKeyUnitsMax);
  if (op === undefined) return undefined;
  return new OxbowError(
    'store-key-too-long',
    `Cannot write to '${op.collection}': the key has ${op.key.length} code units, ` +
      `at most ${limits.storeKeyUnitsMax} are allowed. Shorten the names that it is made of.`,
  );
}

/** What must not be there is. */
export const keyTaken = (key: string, cause?: unknown): OxbowError => new OxbowError(
  'store-key-taken',
  `The store has the record ${JSON.stringify(key)}, so nothing was written.`,
  { cause },
);

export class StoreQueue {
  readonly #jobs: (() => void)[] = [];
  readonly #name: string;
  #isRunning = false;
  #isClosed = false;
  #lost: OxbowError | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Runs `work` after all that was asked for before. It settles once; `done` comes in a later turn.
   */
  add<T>(work: (settle: Done<T>) => void, done: Done<T>): void {
    const error = this.#refusal();
    if (error !== undefined) {
      queueMicrotask(() => done(failed(error)));
      return;
    }
    this.#enqueue<T>((settle) => {
      if (this.#lost === undefined) work(settle);
      else settle(failed(this.#lost));
    }, done);
  }

  /** Refuses all that comes later, and runs `work` last. Closing twice is harmless. */
  close(work: (settle: Done<void>) => void, done: Done<void>): void {
    const isFirst = !this.#isClosed;
    this.#isClosed = true;
    this.#enqueue(isFirst ? work : (settle) => settle(succeeded(undefined)), done);
  }

  /** The store is beyond use: jobs that wait, and later ones, are refused with `error`. */
  lose(error: OxbowError): void {
    this.#lost ??= error;
  }

  /** It is there again, empty. */
  renewed(): void {
    this.#lost = undefined;
  }

  #enqueue<T>(work: (settle: Done<T>) => void, done: Done<T>): void {
    this.#jobs.push(() => {
      work((result) => {
        this.#isRunning = false;
        try {
          done(result);
        } finally {
          this.#startNext();
        }
      });
    });
    this.#startNext();
  }

  #startNext(): void {
    if (this.#isRunning) return;
    const job = this.#jobs.shift();
    if (job === undefined) return;
    this.#isRunning = true;
    // Never in the turn of the caller: `done` must not come before the call has returned.
    queueMicrotask(job);
  }

  #refusal(): OxbowError | undefined {
    if (this.#isClosed) return this.#closed();
    return this.#jobs.length >= limits.storeJobsMax ? this.#busy() : undefined;
  }

  #closed(): OxbowError {
    return new OxbowError(
      'store-closed',
      `The store '${this.#name}' is closed. Open it again before reading or writing.`,
    );
  }

  #busy(): OxbowError {
    return new OxbowError(
      'store-busy',
      `The store '${this.#name}' has ${limits.storeJobsMax} jobs waiting. ` +
        'Wait for some of them to be done.',
    );
  }
}
