/**
 * The state store in memory: for the simulation and for tests. `MemoryDisk` is what survives a
 * crash; a `MemoryStore` is one process's use of it, through which transactions come to the disk
 * one after the other, each whole or not at all. What a crash finds waiting is lost. Nothing here
 * waits for anything but `later`, so virtual time rules it.
 */
import { invariant, OxbowError, type SpaceId } from '@oxbow/sdk/protocol';
import type {
  SpaceEntries, StateStore, StoredSpace, StorePlace,
} from '../../space/state-store.js';
import type {
  ImportHead, StateChunk, StateExport, StateHead, StateImport,
} from '../../space/state-transfer.js';
import { SlotMarks } from '../slot-marks.js';
import { badSnapshot, decodeRecords } from '../state-chunks.js';
import { mustBeNewer, mustBelong } from '../store-refusals.js';
import { MemoryRecords, type MemoryDisk } from './memory-disk.js';

export { MemoryDisk } from './memory-disk.js';

/** Runs a task in a later turn; a disk's delay in the simulation. After a crash it runs none. */
export type Later = (task: () => void) => void;

export class MemoryStore implements StateStore {
  readonly #disk: MemoryDisk;
  readonly #later: Later;
  /** Done one after the other, each after a delay of its own. */
  readonly #tasks: (() => void)[] = [];
  readonly #marks = new SlotMarks();
  /** Of the newest `apply`, done or waiting. */
  #lastSlot: number;
  /** Where the state stood that was last taken in. */
  #takenSlot = 0;
  #import: MemoryImport | undefined;
  #isDead = false;

  constructor(disk: MemoryDisk, later: Later) {
    this.#disk = disk;
    this.#later = later;
    this.#lastSlot = disk.appliedSlot;
  }

  /**
   * Its process ends: nobody is told anything any more. What was under way may yet have come to the
   * disk.
   */
  die(isFirstDone: boolean): void {
    this.#isDead = true;
    if (isFirstDone) this.#tasks[0]?.();
    this.#tasks.length = 0;
  }

  opened(done: (at: StorePlace, error?: Error) => void): void {
    this.#enqueue(() => this.#tell(() => done(this.#place())));
  }

  bind(cluster: string, done: (error?: Error) => void): void {
    this.#enqueue(() => this.#answer(done, () => {
      mustBelong(this.#disk, cluster);
      this.#disk.history = cluster;
      this.#disk.isBound = true;
    }));
  }

  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void {
    this.#enqueue(() => this.#answerWith(done, () => this.#disk.read(space)));
  }

  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void {
    // It waited for the log while a state that holds it was taken in.
    if (slot <= this.#takenSlot) return this.#later(() => this.#tell(done));
    invariant(slot > this.#lastSlot, 'slots are applied in order');
    this.#lastSlot = slot;
    this.#enqueue(() => {
      // A state that was taken in meanwhile holds the slot already.
      if (slot > this.#disk.appliedSlot) {
        this.#marks.reached(this.#disk.appliedSlot, slot);
        this.#disk.apply(slot, batches);
        this.#marks.reached(slot, undefined);
      }
      this.#tell(done);
    });
  }

  exportState(done: (picture: StateExport | undefined, error?: Error) => void): void {
    this.#enqueue(() => this.#tell(() => done(this.#picture())));
  }

  exportAt(slot: number, done: (picture: StateExport | undefined, error?: Error) => void): void {
    const take = (error?: Error): void => {
      const picture = error === undefined ? this.#picture() : undefined;
      this.#later(() => done(picture, error));
    };
    this.#marks.add({ slot, take }, this.#lastSlot);
    this.#enqueue(() => this.#marks.reached(this.#disk.appliedSlot, undefined));
  }

  importState(
    head: ImportHead, done: (taking: StateImport | undefined, error?: Error) => void,
  ): void {
    this.#enqueue(() => this.#answerWith(done, () => {
      mustBelong(this.#disk, head.cluster);
      mustBeNewer(head.slot, this.#disk.appliedSlot);
      this.#import?.giveUp();
      this.#import = new MemoryImport(head, {
        disk: this.#disk,
        enqueue: (done, task) => this.#enqueue(() => this.#answer(done, task)),
        replaced: () => {
          this.#lastSlot = Math.max(this.#lastSlot, head.slot);
          this.#takenSlot = head.slot;
        },
      });
      return this.#import;
    }));
  }

  setAside(done: (at: StorePlace, error?: Error) => void): void {
    this.#enqueue(() => {
      this.#disk.setAside();
      this.#lastSlot = 0;
      this.#tell(() => done(this.#place()));
    });
  }

  close(done: () => void): void {
    this.#enqueue(() => this.#tell(done));
  }

  #tell(call: () => void): void {
    if (!this.#isDead) call();
  }

  #answer(done: (error?: Error) => void, task: () => void): void {
    answer((error) => this.#tell(() => done(error)), task);
  }

  #answerWith<T>(
    done: (value: T | undefined, error?: Error) => void, task: () => T | undefined,
  ): void {
    answerWith((value, error) => this.#tell(() => done(value, error)), task);
  }

  #place(): StorePlace {
    const { appliedSlot, history, isBound, base } = this.#disk;
    return { appliedSlot, history, isBound, base };
  }

  #picture(): StateExport {
    const { appliedSlot, history, records } = this.#disk;
    const head = { slot: appliedSlot, cluster: history, bytes: records.bytes };
    return new MemoryExport(head, records.copy(), this.#later);
  }

  #enqueue(task: () => void): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#later(() => this.#next());
  }

  #next(): void {
    if (this.#isDead) return;
    const task = this.#tasks[0];
    task?.();
    this.#tasks.shift();
    if (this.#tasks.length > 0) this.#later(() => this.#next());
  }
}

class MemoryExport implements StateExport {
  readonly head: StateHead;
  readonly #records: MemoryRecords;
  readonly #later: Later;

  constructor(head: StateHead, records: MemoryRecords, later: Later) {
    this.head = head;
    this.#records = records;
    this.#later = later;
  }

  read(
    cursor: Uint8Array | undefined, bytesMax: number,
    done: (chunk: StateChunk | undefined, error?: Error) => void,
  ): void {
    this.#later(() => answerWith(done, () => this.#records.chunk(cursor, bytesMax)));
  }

  digest(done: (hex: string | undefined, error?: Error) => void): void {
    this.#later(() => answerWith(done, () => this.#records.digest()));
  }

  close(): void {
    // A copy: nothing is held.
  }
}

interface ImportParts {
  readonly disk: MemoryDisk;
  readonly enqueue: (done: (error?: Error) => void, task: () => void) => void;
  readonly replaced: () => void;
}

class MemoryImport implements StateImport {
  readonly #head: ImportHead;
  readonly #parts: ImportParts;
  readonly #records = new MemoryRecords();
  #last: Buffer | undefined;
  #isOver = false;

  constructor(head: ImportHead, parts: ImportParts) {
    this.#head = head;
    this.#parts = parts;
  }

  giveUp(): void {
    this.#isOver = true;
  }

  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#parts.enqueue(done, () => {
      this.#mustGoOn();
      const records = decodeRecords(bytes, this.#last);
      this.#records.write(records.map(({ key, value }) => [key.toString('latin1'), value.toString()]));
      this.#last = records.at(-1)?.key ?? this.#last;
    });
  }

  finish(digest: string, done: (error?: Error) => void): void {
    this.#parts.enqueue(done, () => {
      this.#mustGoOn();
      this.#isOver = true;
      mustBeNewer(this.#head.slot, this.#parts.disk.appliedSlot);
      if (this.#records.digest() !== digest) throw badSnapshot('its digest is another one');
      this.#parts.disk.replace(this.#records, this.#head);
      this.#parts.replaced();
    });
  }

  abort(done: () => void): void {
    this.#isOver = true;
    this.#parts.enqueue(() => done(), () => undefined);
  }

  #mustGoOn(): void {
    if (this.#isOver) throw new OxbowError('snapshot-given-up', 'This import was given up for another.');
  }
}

function answer(done: (error?: Error) => void, task: () => void): void {
  const error = errorOf(task);
  if (error === undefined) done();
  else done(error);
}

function answerWith<T>(
  done: (value: T | undefined, error?: Error) => void, task: () => T | undefined,
): void {
  let value: T | undefined;
  const error = errorOf(() => (value = task()));
  if (error === undefined) done(value);
  else done(undefined, error);
}

/** Only what was foreseen is an answer: anything else is a bug and must surface. */
function errorOf(task: () => void): Error | undefined {
  try {
    task();
    return undefined;
  } catch (error) {
    if (error instanceof OxbowError && error.code !== 'invariant') return error;
    throw error;
  }
}
