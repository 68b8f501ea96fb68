/** The end of a replica, as every promise that outlives a call has to know it: a wait that can never end is refused. */
import { OxbowError } from '../protocol/index.js';

export class Closing {
  readonly #rejects = new Set<(error: OxbowError) => void>();
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A promise that `begin` settles, or the closing does. `begin` returns the way to stop waiting. */
  race<T>(begin: (resolve: (value: T) => void, reject: (error: OxbowError) => void) => () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(replicaClosed());
        return;
      }
      const close = (error: OxbowError): void => {
        settle();
        reject(error);
      };
      let stop: (() => void) | undefined;
      let isSettled = false;
      const settle = (): void => {
        isSettled = true;
        this.#rejects.delete(close);
        stop?.();
      };
      this.#rejects.add(close);
      stop = begin(
        (value) => { settle(); resolve(value); },
        (error) => { settle(); reject(error); },
      );
      // `begin` may have settled at once, when there was nothing to stop yet.
      if (isSettled) stop();
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
