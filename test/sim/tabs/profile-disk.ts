/**
 * The store of one simulated browser profile, which several tabs open. Transactions belong to the
 * browser: one that was asked for happens, in order, whatever becomes of the tab; only the answer
 * needs the tab. Those of a tab that crashes may or may not have happened.
 */
import { OxbowError, type UpdateId } from '@oxbow/sdk/protocol';
import { COLLECTIONS } from '../../../packages/sdk/src/drivers/storage.js';
import type {
  Collection, Done, KeyRange, Storage, Store, StoreOp,
} from '../../../packages/sdk/src/drivers/storage.js';
import { updateRecordKey } from '../../../packages/sdk/src/replica/store-keys.js';
import { diskDelayMs, type DiskFaults } from '../disk.js';
import type { Random } from '../random.js';
import type { StoreFaults } from '../swarm.js';
import type { Process, World } from '../world.js';

export type SharedStorage = Storage & Required<Pick<Storage, 'share' | 'sharedName'>>;

type Faults = DiskFaults & Pick<StoreFaults, 'broken'>;

export class ProfileDisk {
  readonly #name: string;
  readonly #world: World;
  readonly #random: Random;
  readonly #faults: Faults;
  /** No room for anything more. */
  isFull = false;
  /** Faults are over. */
  isSound = false;
  readonly #data = new Map<Collection, Map<string, string>>();
  #lastDoneAt = 0;

  constructor(name: string, world: World, options: { random: Random; faults: Faults }) {
    this.#name = name;
    this.#world = world;
    this.#random = options.random;
    this.#faults = options.faults;
    for (const collection of COLLECTIONS) this.#data.set(collection, new Map());
  }

  /** As one tab has it. */
  storageFor(tab: Process): SharedStorage {
    const share = (done: Done<Store>): void =>
      this.#later(tab, () => done({ ok: true, value: this.#store(tab) }));
    return { sharedName: this.#name, open: share, share };
  }

  /** That update lies on it. */
  holds(space: string, id: UpdateId): boolean {
    return this.#table('updates').has(updateRecordKey(space, id));
  }

  #store(tab: Process): Store {
    return {
      kind: 'simulated',
      fresh: false,
      read: (collection, range, done) => {
        let read: readonly (readonly [string, string])[] = [];
        this.#transaction(tab, () => {
          read = this.#read(collection, range);
        }, () => done({ ok: true, value: read }));
      },
      write: (ops, done, unless) => {
        let error: OxbowError | undefined;
        this.#transaction(tab, () => {
          error = unless !== undefined && this.#table('meta').has(unless) ? taken() : this.#failure();
          // A connection that breaks does not say how far the transaction came.
          const isDone = error?.code === 'store-failed' ? this.#random.chance(0.5) : error === undefined;
          if (isDone) this.#apply(ops);
        }, () => done(error === undefined ? { ok: true, value: undefined } : { ok: false, error }));
      },
      close: (done) => this.#later(tab, () => done({ ok: true, value: undefined })),
    };
  }

  #failure(): OxbowError | undefined {
    if (this.isSound) return undefined;
    if (this.isFull) return new OxbowError('store-full', 'No room.');
    const isBroken = this.#faults.broken > 0 && this.#random.chance(this.#faults.broken);
    return isBroken ? new OxbowError('store-failed', 'The connection was lost.') : undefined;
  }

  /** What it does happens even while the tab stands still; half the time if it crashes before. */
  #transaction(tab: Process, happens: () => void, answered: () => void): void {
    const survives = this.#random.chance(0.5);
    const answer = tab.bound(answered);
    const isLeft = aliveness(tab);
    this.#after(() => {
      if (!isLeft() && !survives) return;
      happens();
      answer();
    });
  }

  #later(tab: Process, run: () => void): void {
    this.#after(tab.bound(run));
  }

  #after(run: () => void): void {
    const at = this.#world.now + diskDelayMs(this.#random, this.#faults);
    this.#lastDoneAt = Math.max(this.#lastDoneAt + 0.001, at);
    this.#world.after(this.#lastDoneAt - this.#world.now, run);
  }

  #read(collection: Collection, range: KeyRange): readonly (readonly [string, string])[] {
    return [...this.#table(collection)]
      .filter(([key]) => key >= range.from && key < range.to)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  #apply(ops: readonly StoreOp[]): void {
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
}

/** Whether the tab has not crashed since. */
const aliveness = (tab: Process) => (): boolean => tab.isAlive;

const taken = (): OxbowError => new OxbowError('store-key-taken', 'simulated');
