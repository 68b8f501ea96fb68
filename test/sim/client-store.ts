/**
 * The simulated disk of a client: a `Storage` whose transactions take time. It outlives crashes of
 * the client's process; a crash loses the transactions under way, or completes one without anybody
 * being told. A power failure also takes back the last completed ones: browsers call a transaction
 * complete before it is on the platter.
 */
import type {
  Collection, Done, KeyRange, Storage, Store, StoreOp,
} from '../../packages/sdk/src/drivers/storage.js';
import { OxbowError } from '@oxbow/sdk/protocol';
import { COLLECTIONS } from '../../packages/sdk/src/drivers/storage.js';
import { diskDelayMs, type DiskFaults } from './disk.js';
import type { Random } from './random.js';
import type { StoreFaults } from './swarm.js';
import type { Process, World } from './world.js';

const UNDO_MAX = 12;

export class SimClientDisk implements Storage {
  readonly #data = new Map<Collection, Map<string, string>>();
  readonly #world: World;
  readonly #process: Process;
  readonly #random: Random;
  readonly #faults: DiskFaults & Pick<StoreFaults, 'broken'>;
  /** No room for anything more. */
  isFull = false;
  /** It holds all that it said it would: not from its deletion to the first write after it. */
  isWhole = true;
  /** Faults are over. */
  isSound = false;
  #isGone = false;
  #open: Store | undefined;
  #underWay: { readonly ops: readonly StoreOp[] }[] = [];
  #lastDoneAt = 0;
  /** How the last transactions are undone, newest last. */
  readonly #undo: (readonly StoreOp[])[] = [];

  constructor(
    world: World, process: Process,
    options: { random: Random; faults: DiskFaults & Pick<StoreFaults, 'broken'> },
  ) {
    this.#world = world;
    this.#process = process;
    this.#random = options.random;
    this.#faults = options.faults;
    for (const collection of COLLECTIONS) this.#data.set(collection, new Map());
  }

  /** The same contents on the disk of another machine. */
  copyFor(process: Process, random: Random): SimClientDisk {
    const copy = new SimClientDisk(this.#world, process, { random, faults: this.#faults });
    for (const [collection, records] of this.#data) copy.#data.set(collection, new Map(records));
    return copy;
  }

  /** Transactions under way: the first may have completed without its completion being told. */
  crash(): void {
    const first = this.#underWay[0];
    if (first !== undefined && this.#random.chance(0.5)) this.#apply(first.ops);
    this.#underWay = [];
    this.#open = undefined;
    this.#isGone = false;
  }

  /** Somebody deletes it, open or not. */
  delete(): void {
    for (const records of this.#data.values()) records.clear();
    this.#undo.length = 0;
    this.isWhole = false;
    if (this.#open === undefined) return;
    this.#isGone = true;
    const store = this.#open;
    this.#later(() => store.onLost?.(lost()));
  }

  /** After `crash`: the disk goes back by some of the last completed transactions. */
  losePower(): void {
    for (let lost = this.#random.int(1, UNDO_MAX); lost > 0; lost--) {
      const undo = this.#undo.pop();
      if (undo !== undefined) this.#put(undo);
    }
    this.#undo.length = 0;
  }

  open(done: Done<Store>): void {
    this.#later(() => done({ ok: true, value: this.#open = this.#store() }));
  }

  #store(): Store {
    return {
      kind: 'simulated',
      fresh: false,
      read: (collection, range, done) => {
        this.#later(() => done(this.#isGone
          ? { ok: false, error: lost() }
          : { ok: true, value: this.#read(collection, range) }));
      },
      write: (ops, done) => {
        const transaction = { ops };
        this.#underWay.push(transaction);
        this.#later(() => {
          this.#underWay = this.#underWay.filter((other) => other !== transaction);
          const error = this.#failure();
          // A connection that breaks does not say how far the transaction came.
          const isDone = error?.code === 'store-failed' ? this.#random.chance(0.5) : error === undefined;
          if (isDone) this.#apply(ops);
          done(error === undefined ? { ok: true, value: undefined } : { ok: false, error });
        });
      },
      renew: (done) => this.#later(() => {
        this.#isGone = false;
        done({ ok: true, value: undefined });
      }),
      close: (done) => this.#later(() => done({ ok: true, value: undefined })),
    };
  }

  #failure(): OxbowError | undefined {
    if (this.#isGone) return lost();
    if (this.isSound) return undefined;
    if (this.isFull) return new OxbowError('store-full', 'No room.');
    const isBroken = this.#faults.broken > 0 && this.#random.chance(this.#faults.broken);
    return isBroken ? new OxbowError('store-failed', 'The connection was lost.') : undefined;
  }

  #read(collection: Collection, range: KeyRange): readonly (readonly [string, string])[] {
    const rows = [...this.#table(collection)];
    return rows
      .filter(([key]) => key >= range.from && key < range.to)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  #apply(ops: readonly StoreOp[]): void {
    this.isWhole = true;
    const undo = ops.map(({ collection, key }): StoreOp => {
      const value = this.#table(collection).get(key);
      return value === undefined
        ? { kind: 'delete', collection, key }
        : { kind: 'put', collection, key, value };
    });
    this.#undo.push(undo.reverse());
    if (this.#undo.length > UNDO_MAX) this.#undo.shift();
    this.#put(ops);
  }

  #put(ops: readonly StoreOp[]): void {
    for (const op of ops) {
      if (op.kind === 'put') this.#table(op.collection).set(op.key, op.value);
      else this.#table(op.collection).delete(op.key);
    }
  }

  #table(collection: Collection): Map<string, string> {
    const table = this.#data.get(collection);
    if (table === undefined) throw new Error(`no collection ${collection}`);
    return table;
  }

  /** In order: a later transaction never completes before an earlier one. */
  #later(run: () => void): void {
    const at = this.#world.now + diskDelayMs(this.#random, this.#faults);
    this.#lastDoneAt = Math.max(this.#lastDoneAt + 0.001, at);
    this.#world.after(this.#lastDoneAt - this.#world.now, this.#process.bound(run));
  }
}

const lost = (): OxbowError => new OxbowError('store-lost', 'It was deleted while it was open.');
