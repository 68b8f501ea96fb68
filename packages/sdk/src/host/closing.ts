/** The end of a replica, as every promise that outlives a call has to know it: a wait that can never end is refused. */
import { OxbowError } from '../protocol/index.js';

export class Closing {
  readonly #rejects = new Set<(error: OxbowError) => void>();
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A promise that `begin` settles, or the closing does. `begin` returns the way to stop waiting. */
  race<T>(
    begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
  ): Promise<T> {
    if (this.#isClosed) return Promise.reject(replicaClosed());
    let end: ((error: OxbowError) => void) | undefined;
    let stop: (() => void) | undefined;
    const raced = new Promise<T>((resolve, reject) => {
      end = reject;
      this.#rejects.add(reject);
      stop = begin(resolve, reject);
    });
    return raced.finally(() => {
      if (end !== undefined) this.#rejects.delete(end);
      stop?.();
    });
  }

  /** Throws `replica-closed` after the end. */
  check(): void {
    if (this.#isClosed) throw replicaClosed();
  }

  close(): void {
    this.#isClosed = true;
    for (const reject of [...this.#rejects]) reject(replicaClosed());
  }
}

export const replicaClosed = (): OxbowError =>
  new OxbowError('replica-closed', 'This replica is closed. Open it again with openReplica().');
