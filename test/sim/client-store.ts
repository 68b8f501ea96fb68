/**
 * The simulated disk of a client: a `Storage` whose transactions take time. It outlives crashes of
 * the client's process; a crash loses the transactions under way, or completes one without anybody
 * being told. A power failure also takes back the last completed ones: browsers call a transaction
 * complete before it is on the platter.
 */
import type {
  Collection, Done, KeyRange, Storage, Store, StoreOp,
} from '../../packages/sdk/src/drivers/storage.js';
import { COLLECTIONS } from '../../packages/sdk/src/drivers/storage.js';
import { diskDelayMs, type DiskFaults } from './disk.js';
import type { Random } from './random.js';
import type { Process, World } from './world.js';

const UNDO_MAX = 12;

export class SimClientDisk implements Storage {
  readonly #data = new Map<Collection, Map<string, string>>();
  readonly #world: World;
  readonly #process: Process;
  readonly #random: Random;
  readonly #faults: DiskFaults;
  #underWay: { readonly ops: readonly StoreOp[] }[] = [];
  #lastDoneAt = 0;
  /** How the last transactions are undone, newest last. */
  readonly #undo: (readonly StoreOp[])[] = [];

  constructor(world: World, process: Process, options: { random: Random; faults: DiskFaults }) {
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
    this.#later(() => done({ ok: true, value: this.#store() }));
  }

  #store(): Store {
    return {
      kind: 'simulated',
      fresh: false,
      read: (collection, range, done) => {
        this.#later(() => done({ ok: true, value: this.#read(collection, range) }));
      },
      write: (ops, done) => {
        const transaction = { ops };
        this.#underWay.push(transaction);
        this.#later(() => {
          this.#apply(ops);
          this.#underWay = this.#underWay.filter((other) => other !== transaction);
          done({ ok: true, value: undefined });
        });
      },
      close: (done) => this.#later(() => done({ ok: true, value: undefined })),
    };
  }

  #read(collection: Collection, range: KeyRange): readonly (readonly [string, string])[] {
    const rows = [...this.#table(collection)];
    return rows
      .filter(([key]) => key >= range.from && key < range.to)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  #apply(ops: readonly StoreOp[]): void {
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
