/**
 * A store that several programs may open, of which the last one to take it over writes. A tab that
 * leads may be frozen in the midst of its work; another takes its place; hours later the first goes
 * on where it was. A lock does not help then, as it believes that it still holds it. So each
 * takeover puts a record with the next number, and each write says in its own transaction that the
 * number after the writer's must not be there (the fencing token of Chubby, OSDI'06 §2.4, checked
 * where it counts). Nothing is read for it: a transaction that waited for an answer to be looked at
 * would stay open in a frozen page, and keep everybody from the store.
 */
import { OxbowError } from '../protocol/index.js';
import type { Collection, Done, KeyRange, Storage, Store, StoreCondition, StoreOp } from './storage.js';
import { failed, succeeded } from './store-queue.js';

/** Keys of spaces start with the space's name, which is never empty. */
const PREFIX = '\u0000leader\u0000';
const DIGITS = 16;

const keyOf = (epoch: number): string => PREFIX + String(epoch).padStart(DIGITS, '0');
const numberIn = (key: string): number => Number(key.slice(PREFIX.length));

/** Who slept through more takeovers than this could write again: that many are remembered. */
const EPOCHS_KEPT = 1_000;

/** A connection that breaks is made anew by the driver; a claim that fell with it is made again. */
const CLAIMS_MAX = 4;

/**
 * Opens the store and takes it over from whoever has it. Where there is no room even for that, it
 * can be read; it is taken over with the first write for which there is room, and that write fails
 * with `store-overtaken`: whoever had it may have written since it was read. Errors: those of
 * `Storage.share`, of `Store.read` and of `Store.write`.
 */
export function takeOver(storage: Required<Pick<Storage, 'share'>>, done: Done<Store>): void {
  storage.share((opened) => {
    if (opened.ok) claim(opened.value, done, CLAIMS_MAX);
    else done(opened);
  });
}

function claim(store: Store, done: Done<Store>, claimsLeft: number): void {
  const giveUp = (error: OxbowError): void => store.close(() => done(failed(error)));
  store.read('meta', { from: PREFIX, to: `${PREFIX}\uffff` }, (read) => {
    if (!read.ok) return giveUp(read.error);
    const epochs = read.value.map(([key]) => numberIn(key));
    const epoch = (epochs.at(-1) ?? 0) + 1;
    const old = epochs.slice(0, Math.max(0, epochs.length - EPOCHS_KEPT));
    const ops: StoreOp[] = old.map((of) =>
      ({ kind: 'delete', collection: 'meta', key: keyOf(of) }));
    ops.push({ kind: 'put', collection: 'meta', key: keyOf(epoch), value: '' });
    store.write(ops, (written) => {
      if (written.ok) return done(succeeded(new FencedStore(store, epoch, true)));
      const { code } = written.error;
      // Another one was faster: it is overtaken in turn.
      if (code === 'store-key-taken') return claim(store, done, claimsLeft);
      if (code === 'store-full') return done(succeeded(new FencedStore(store, epoch, false)));
      if (code === 'store-failed' && claimsLeft > 1) return claim(store, done, claimsLeft - 1);
      giveUp(written.error);
    }, keyOf(epoch));
  });
}

class FencedStore implements Store {
  readonly #store: Store;
  readonly #epoch: number;
  /** The mark of our takeover is on disk. */
  #isOurs: boolean;
  readonly keep: Store['keep'];
  readonly renew: Store['renew'];

  constructor(store: Store, epoch: number, isOurs: boolean) {
    this.#store = store;
    this.#epoch = epoch;
    this.#isOurs = isOurs;
    this.keep = store.keep?.bind(store);
    this.renew = store.renew && ((done) => this.#renew(done));
  }

  /** The marks of all takeovers are gone, too: who slept through one must still find it out. */
  #renew(done: Done<void>): void {
    this.#store.renew?.((renewed) => {
      if (!renewed.ok) return done(renewed);
      const first = Math.max(1, this.#epoch - EPOCHS_KEPT);
      const ops = Array.from({ length: this.#epoch - first + 1 }, (_, at): StoreOp =>
        ({ kind: 'put', collection: 'meta', key: keyOf(first + at), value: '' }));
      this.#isOurs = true;
      this.write(ops, done);
    });
  }

  get kind(): string {
    return this.#store.kind;
  }

  get fresh(): boolean {
    return this.#store.fresh;
  }

  get checksPages(): boolean | undefined {
    return this.#store.checksPages;
  }

  get onLost(): Store['onLost'] {
    return this.#store.onLost;
  }

  set onLost(listener: Store['onLost']) {
    this.#store.onLost = listener;
  }

  read(
    collection: Collection, range: KeyRange,
    done: Done<readonly (readonly [key: string, value: string])[]>,
  ): void {
    this.#store.read(collection, range, done);
  }

  write(ops: readonly StoreOp[], done: Done<void>): void {
    if (!this.#isOurs) return this.#claimLate(done);
    this.#store.write(ops, (written) => {
      const isOvertaken = !written.ok && written.error.code === 'store-key-taken';
      done(isOvertaken ? failed(overtaken(written.error)) : written);
    }, keyOf(this.#epoch + 1));
  }

  #claimLate(done: Done<void>): void {
    const mark: StoreOp = { kind: 'put', collection: 'meta', key: keyOf(this.#epoch), value: '' };
    this.#store.write([mark], (written) => {
      const isKnown = written.ok || written.error.code === 'store-key-taken';
      done(isKnown ? failed(overtaken()) : written);
    }, keyOf(this.#epoch));
  }

  close(done: Done<void>): void {
    this.#store.close(done);
  }

  get vanished(): Store['vanished'] {
    return this.#store.vanished;
  }

  get asksToBeKept(): boolean {
    return this.#store.asksToBeKept ?? false;
  }

  noteUnsynced(space: string, hasUnsynced: boolean): void {
    this.#store.noteUnsynced?.(space, hasUnsynced);
  }

  condition(done: Done<StoreCondition>): void {
    if (this.#store.condition === undefined) done(succeeded({}));
    else this.#store.condition(done);
  }
}

const overtaken = (cause?: OxbowError): OxbowError => new OxbowError(
  'store-overtaken',
  'The store is another tab\'s now, or was when this one read it; what was not written goes to whoever keeps it.',
  cause && { cause },
);
