/**
 * One write at a time, in the order asked for; reads side by side with reads. Why not let the
 * platform overlap writes, too: one that is repeated after a lost connection would land behind a
 * later one, and a log with a hole in it is no log.
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
      `at most ${limits.storeKeyUnitsMax} are allowed. Shorten the names in it.`,
  );
}

/** What must not be there is. */
export const keyTaken = (key: string, cause?: unknown): OxbowError => new OxbowError(
  'store-key-taken',
  `The store has the record ${JSON.stringify(key)}, so nothing was written.`,
  { cause },
);

interface Job {
  readonly run: () => void;
  readonly isRead: boolean;
}

export class StoreQueue {
  readonly #jobs: Job[] = [];
  readonly #name: string;
  /** Jobs under way: one, or reads only. */
  #running = 0;
  #isExclusive = false;
  #isClosed = false;
  #lost: OxbowError | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Runs `work` after all that was asked for before. It settles once; `done` comes in a later turn.
   */
  add<T>(work: (settle: Done<T>) => void, done: Done<T>, isRead = false): void {
    const error = this.#refusal();
    if (error !== undefined) {
      queueMicrotask(() => done(failed(error)));
      return;
    }
    this.#enqueue<T>((settle) => {
      if (this.#lost === undefined) work(settle);
      else settle(failed(this.#lost));
    }, done, isRead);
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

  #enqueue<T>(work: (settle: Done<T>) => void, done: Done<T>, isRead = false): void {
    const run = (): void => work((result) => {
      this.#running -= 1;
      try {
        done(result);
      } finally {
        this.#startNext();
      }
    });
    this.#jobs.push({ run, isRead });
    this.#startNext();
  }

  #startNext(): void {
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      if (this.#running > 0 && (this.#isExclusive || !job.isRead)) return;
      this.#jobs.shift();
      this.#running += 1;
      this.#isExclusive = !job.isRead;
      // Never in the turn of the caller: `done` must not come before the call has returned.
      queueMicrotask(job.run);
    }
  }

  #refusal(): OxbowError | undefined {
    if (this.#isClosed) return this.#closed();
    return this.#jobs.length + this.#running > limits.storeJobsMax ? this.#busy() : undefined;
  }

  #closed(): OxbowError {
    return new OxbowError(
      'store-closed',
      `The store '${this.#name}' is closed. Open it again.`,
    );
  }

  #busy(): OxbowError {
    return new OxbowError(
      'store-busy',
      `The store '${this.#name}' has ${limits.storeJobsMax} jobs waiting. ` +
        'Wait for some of them.',
    );
  }
}
