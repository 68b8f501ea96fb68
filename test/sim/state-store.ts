/**
 * The simulated store of applied state: each `apply` is atomic and takes time; a crash loses those under way, or completes
 * the first of them without anybody being told. It outlives the server's process.
 */
import type { CommitEntry, KeyText, LedgerLine, Row, SpaceId } from '@oxbow/sdk/protocol';
import type {
  SpaceEntries, StateStore, StoredSpace,
} from '../../packages/server/src/space/state-store.js';
import { diskDelayMs, type DiskFaults } from './disk.js';
import type { Random } from './random.js';
import type { Process, World } from './world.js';

interface SpaceState {
  readonly rows: Map<string, { readonly table: string; readonly key: KeyText; readonly row: Row }>;
  readonly ledger: Map<string, LedgerLine>;
  readonly entries: CommitEntry[];
}

interface Apply {
  readonly slot: number;
  readonly batches: readonly SpaceEntries[];
}

export class SimStateStore implements StateStore {
  readonly #world: World;
  readonly #process: Process;
  readonly #random: Random;
  readonly #faults: DiskFaults;
  readonly #keptEntries: number;
  readonly #spaces = new Map<SpaceId, SpaceState>();
  #appliedSlot = 0;
  #underWay: Apply[] = [];
  #lastDoneAt = 0;

  constructor(
    world: World, process: Process,
    options: { random: Random; faults: DiskFaults; keptEntries: number },
  ) {
    this.#world = world;
    this.#process = process;
    this.#random = options.random;
    this.#faults = options.faults;
    this.#keptEntries = options.keptEntries;
  }

  crash(): void {
    const first = this.#underWay[0];
    if (first !== undefined && this.#random.chance(0.5)) this.#apply(first);
    this.#underWay = [];
  }

  opened(done: (at: { appliedSlot: number; history: string }, error?: Error) => void): void {
    this.#later(() => done({ appliedSlot: this.#appliedSlot, history: 'simulated' }));
  }

  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void {
    this.#later(() => {
      const state = this.#spaces.get(space);
      done(state === undefined ? undefined : stored(state));
    });
  }

  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void {
    const apply = { slot, batches };
    this.#underWay.push(apply);
    this.#later(() => {
      this.#apply(apply);
      this.#underWay = this.#underWay.filter((other) => other !== apply);
      done();
    });
  }

  close(done: () => void): void {
    this.#later(done);
  }

  #apply({ slot, batches }: Apply): void {
    if (slot <= this.#appliedSlot) throw new Error(`slot ${slot} applied after ${this.#appliedSlot}`);
    this.#appliedSlot = slot;
    for (const { space, entries } of batches) {
      const state = this.#space(space);
      for (const entry of entries) applyEntry(state, entry);
      state.entries.splice(0, Math.max(0, state.entries.length - this.#keptEntries));
    }
  }

  #space(space: SpaceId): SpaceState {
    const state = this.#spaces.get(space) ?? { rows: new Map(), ledger: new Map(), entries: [] };
    this.#spaces.set(space, state);
    return state;
  }

  #later(run: () => void): void {
    const at = this.#world.now + diskDelayMs(this.#random, this.#faults);
    this.#lastDoneAt = Math.max(this.#lastDoneAt + 0.001, at);
    this.#world.after(this.#lastDoneAt - this.#world.now, this.#process.bound(run));
  }
}

function applyEntry(state: SpaceState, entry: CommitEntry): void {
  for (const { table, key, row } of entry.effects) {
    if (row === null) state.rows.delete(`${table}\0${key}`);
    else state.rows.set(`${table}\0${key}`, { table, key, row });
  }
  const { replica, seq } = entry.id;
  state.ledger.set(replica, { replica, seq, user: entry.user });
  state.entries.push(entry);
}

function stored(state: SpaceState): StoredSpace | undefined {
  const last = state.entries.at(-1);
  if (last === undefined) return undefined;
  const lamport = Math.max(0, ...state.entries.map((entry) => entry.lamport));
  return {
    head: { csn: last.csn, at: last.at, lamport },
    rows: [...state.rows.values()],
    ledger: [...state.ledger.values()],
    entries: [...state.entries],
  };
}
