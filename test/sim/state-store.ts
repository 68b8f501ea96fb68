/**
 * The simulated store of applied state: each `apply` is atomic and takes time; a crash loses those
 * under way, or completes the first of them without anybody being told. The same for a state that
 * is taken in. It outlives the server's process.
 */
import type {
  SpaceEntries, StateStore, StoredSpace, StorePlace,
} from '../../packages/server/src/space/state-store.js';
import type {
  ImportHead, StateExport, StateImport,
} from '../../packages/server/src/space/state-transfer.js';
import {
  MemoryDisk, MemoryStore,
} from '../../packages/server/src/drivers/testing/memory-store.js';
import type { SpaceId } from '@oxbow/sdk/protocol';
import { diskDelayMs, type DiskFaults } from './disk.js';
import type { Random } from './random.js';
import type { Process, World } from './world.js';

export interface SimStateStoreOptions {
  readonly random: Random;
  readonly faults: DiskFaults;
  readonly keptEntries: number;
  /** Until the node has joined a cluster. Default: 'simulated'. */
  readonly history?: string;
  /** One that has something on it. */
  readonly disk?: MemoryDisk;
}

export class SimStateStore implements StateStore {
  faults: DiskFaults;
  /** For faults and checkers. */
  readonly disk: MemoryDisk;
  readonly #world: World;
  readonly #process: Process;
  readonly #random: Random;
  #store: MemoryStore;
  #lastDoneAt = 0;

  constructor(world: World, process: Process, options: SimStateStoreOptions) {
    this.#world = world;
    this.#process = process;
    this.#random = options.random;
    this.faults = options.faults;
    this.disk = options.disk ?? new MemoryDisk({
      history: options.history ?? 'simulated', keptEntriesMax: options.keptEntries,
    });
    this.#store = this.#opened();
  }

  crash(): void {
    this.#store.die(this.#random.chance(0.5));
    this.#store = this.#opened();
  }

  /** While nobody uses it. */
  setAsideOffline(): void {
    this.disk.setAside();
    this.#store = this.#opened();
  }

  opened(done: (at: StorePlace, error?: Error) => void): void {
    this.#store.opened(done);
  }

  bind(cluster: string, done: (error?: Error) => void): void {
    this.#store.bind(cluster, done);
  }

  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void {
    this.#store.load(space, done);
  }

  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void {
    this.#store.apply(slot, batches, done);
  }

  exportState(done: (picture: StateExport | undefined, error?: Error) => void): void {
    this.#store.exportState(done);
  }

  exportAt(slot: number, done: (picture: StateExport | undefined, error?: Error) => void): void {
    this.#store.exportAt(slot, done);
  }

  importState(
    head: ImportHead, done: (taking: StateImport | undefined, error?: Error) => void,
  ): void {
    this.#store.importState(head, done);
  }

  setAside(done: (at: StorePlace, error?: Error) => void): void {
    this.#store.setAside(done);
  }

  close(done: () => void): void {
    this.#store.close(done);
  }

  #opened(): MemoryStore {
    return new MemoryStore(this.disk, (task) => this.#later(task));
  }

  #later(task: () => void): void {
    const at = this.#world.now + diskDelayMs(this.#random, this.faults);
    this.#lastDoneAt = Math.max(this.#lastDoneAt + 0.001, at);
    this.#world.after(this.#lastDoneAt - this.#world.now, this.#process.bound(task));
  }
}
