/**
 * The applied state of a node in the Paxos world: what is on disk, behind what is in memory. A
 * batch of commands, the slot it leads to, and the place in the log that goes with it reach the
 * disk together or not at all.
 */
import type { Base } from '../../../packages/server/src/paxos/record.js';
import { diskDelayMs, type DiskFaults } from '../disk.js';
import type { Random } from '../random.js';
import type { Process, World } from '../world.js';
import { ListsState, type ListCommand } from './lists-state.js';

export interface StoredLists {
  readonly slot: number;
  /** Of this store alone: a copy goes to whoever else wants it. */
  readonly state: ListsState;
  /** Of the snapshot that the state came from, if it did not grow here from the first slot. */
  readonly base: Base | undefined;
}

export class ListStore {
  readonly #world: World;
  readonly #process: Process;
  readonly #random: Random;
  readonly #faults: DiskFaults;
  #stored: StoredLists = { slot: 0, state: new ListsState(), base: undefined };
  #waiting: { slot: number; readonly commands: ListCommand[] } = { slot: 0, commands: [] };
  #isWriting = false;

  constructor(world: World, process: Process, options: { random: Random; faults: DiskFaults }) {
    this.#world = world;
    this.#process = process;
    this.#random = options.random;
    this.#faults = options.faults;
  }

  get stored(): StoredLists {
    return this.#stored;
  }

  crash(): void {
    this.#isWriting = false;
    this.#waiting = { slot: this.#stored.slot, commands: [] };
  }

  wipe(): void {
    this.#stored = { slot: 0, state: new ListsState(), base: undefined };
    this.crash();
  }

  /** `done` with the slot that the state on disk stands at; several applies may be told by one. */
  apply(slot: number, command: ListCommand | undefined, done: (slot: number) => void): void {
    // A snapshot that came meanwhile holds it.
    if (slot <= this.#waiting.slot) return;
    this.#waiting.slot = slot;
    if (command !== undefined) this.#waiting.commands.push(command);
    this.#maybeWrite(done);
  }

  /** Replaces everything; `done` once that is on disk. */
  install(snapshot: StoredLists, done: () => void): void {
    this.#later(() => {
      this.#stored = { ...snapshot, state: new ListsState(snapshot.state) };
      this.#waiting = { slot: snapshot.slot, commands: [] };
      done();
    });
  }

  #maybeWrite(done: (slot: number) => void): void {
    if (this.#isWriting || this.#waiting.slot <= this.#stored.slot) return;
    this.#isWriting = true;
    const { slot, commands } = this.#waiting;
    this.#waiting = { slot, commands: [] };
    this.#later(() => {
      this.#isWriting = false;
      // A snapshot that was installed meanwhile holds these already.
      if (slot <= this.#stored.slot) return this.#maybeWrite(done);
      for (const command of commands) this.#stored.state.apply(command);
      this.#stored = { ...this.#stored, slot };
      done(slot);
      this.#maybeWrite(done);
    });
  }

  #later(run: () => void): void {
    this.#world.after(diskDelayMs(this.#random, this.#faults), this.#process.bound(run));
  }
}
