/**
 * The end of a replica, as every promise that outlives a call has to know it: a wait that can never
 * end is refused. Closing takes a while, in which what is unsaved is saved: who waits for just that
 * gets it.
 */
import { OxbowError } from '../protocol/index.js';

/** How a call that waits may be told to wait no longer. */
export interface Waiting {
  /** Aborted, the call rejects with its `reason`; what was waited for goes on. */
  readonly signal?: AbortSignal | undefined;
}

interface Race<T> extends Waiting {
  /** What the end gives; without it, or where it gives nothing: `replica-closed`. */
  readonly atEnd?: () => { readonly value: T } | undefined;
}

export class Closing {
  readonly #ends = new Set<() => void>();
  #phase: 'open' | 'closing' | 'ended' = 'open';

  /**
   * A promise that `begin` settles, the end, or the signal. `begin` returns the way to stop
   * waiting.
   */
  race<T>(
    begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
    { signal, atEnd }: Race<T> = {},
  ): Promise<T> {
    if (this.#phase === 'ended') return Promise.reject(replicaClosed());
    let abort: (() => void) | undefined;
    let end: (() => void) | undefined;
    let stop: (() => void) | undefined;
    const raced = new Promise<T>((resolve, reject) => {
      signal?.throwIfAborted();
      abort = () => reject(signal?.reason);
      signal?.addEventListener('abort', abort);
      end = () => {
        const last = atEnd?.();
        if (last === undefined) reject(replicaClosed());
        else resolve(last.value);
      };
      this.#ends.add(end);
      stop = begin(resolve, reject);
    });
    return raced.finally(() => {
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
      if (end !== undefined) this.#ends.delete(end);
      stop?.();
    });
  }

  /** Throws `replica-closed` once closing has begun. */
  check(): void {
    if (this.#phase !== 'open') throw replicaClosed();
  }

  /** Nothing new may begin. */
  begin(): void {
    this.#phase = 'closing';
  }

  /** Nothing more will happen. */
  end(): void {
    this.#phase = 'ended';
    for (const end of [...this.#ends]) end();
  }
}

export const replicaClosed = (): OxbowError =>
  new OxbowError('replica-closed', 'This replica is closed. Open it again.');
