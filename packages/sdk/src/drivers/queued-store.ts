/**
 * What every driver does around its own reading and writing: one write at a time, nothing that no
 * driver could keep, answers in a later turn. What is left to a driver is to read a range, to
 * commit ops, and to let go.
 */
import type { OxbowError } from '../protocol/index.js';
import type { Collection, Done, KeyRange, Store, StoreOp } from './storage.js';
import { StoreQueue, failed, refusal, succeeded } from './store-queue.js';

export type Pair = readonly [key: string, value: string];

export abstract class QueuedStore implements Store {
  abstract readonly kind: string;
  abstract readonly fresh: boolean;
  onLost?: ((error: OxbowError) => void) | undefined;
  readonly #queue: StoreQueue;

  constructor(name: string) {
    this.#queue = new StoreQueue(name);
  }

  read(collection: Collection, range: KeyRange, done: Done<readonly Pair[]>): void {
    this.#queue.add<readonly Pair[]>((settle) => {
      if (range.from >= range.to) settle(succeeded([]));
      else this.pairs(collection, range, settle);
    }, done, true);
  }

  write(ops: readonly StoreOp[], done: Done<void>, unless?: string): void {
    this.#queue.add<void>((settle) => {
      const error = refusal(ops);
      if (error !== undefined) settle(failed(error));
      else if (ops.length === 0) settle(succeeded(undefined));
      else this.commit(ops, settle, unless);
    }, done);
  }

  close(done: Done<void>): void {
    this.#queue.close((settle) => this.release(() => settle(succeeded(undefined))), done);
  }

  /** In key order; the range is not empty. */
  protected abstract pairs(
    collection: Collection, range: KeyRange, settle: Done<readonly Pair[]>,
  ): void;

  /** All of them or none; there is at least one. */
  protected abstract commit(
    ops: readonly StoreOp[], settle: Done<void>, unless: string | undefined,
  ): void;

  /** The last job. */
  protected abstract release(done: () => void): void;

  /** The store is beyond use: what waits is refused, and the owner is told. */
  protected lose(error: OxbowError): void {
    this.#queue.lose(error);
    this.onLost?.(error);
  }

  /** It can be used again. */
  protected renewed(): void {
    this.#queue.renewed();
  }
}
