/**
 * A node's disk in the Paxos world: records in a row, of which a crash keeps what was flushed and
 * some of what was not. A log with checksums and a chain loses a suffix, never something in between
 * (that is the write-ahead log's own affair and its own tests); a record that was flushed stays.
 */
import type { Ballot } from '../../../packages/server/src/paxos/ballot.js';
import type { PaxosRecord } from '../../../packages/server/src/paxos/record.js';
import { diskDelayMs, type DiskFaults } from '../disk.js';
import type { Random } from '../random.js';
import type { Process, World } from '../world.js';

export interface RecordDiskOptions {
  readonly random: Random;
  readonly faults: DiskFaults;
  /** A flush has begun: the moment at which a crash hurts most. */
  readonly onFlush: () => void;
  readonly onPromise: (ballot: Ballot) => void;
}

interface Kept {
  /** Dense, from 1. */
  readonly index: number;
  readonly record: PaxosRecord;
}

export class RecordDisk {
  readonly #world: World;
  readonly #process: Process;
  readonly #options: RecordDiskOptions;
  #kept: Kept[] = [];
  #lastIndex = 0;
  /** Records up to this index are surely there. */
  #flushedIndex = 0;
  #isFlushing = false;
  #waiting: (() => void)[] = [];
  /** Virtual time until which nothing ends. */
  #stalledUntil = 0;

  constructor(world: World, process: Process, options: RecordDiskOptions) {
    this.#world = world;
    this.#process = process;
    this.#options = options;
  }

  append(record: PaxosRecord): void {
    this.#kept.push({ index: ++this.#lastIndex, record });
    if (record.kind === 'promised') this.#options.onPromise(record.ballot);
  }

  /** `done` once all that was appended before is on disk, in order, never in this turn. */
  flushed(done: () => void): void {
    this.#waiting.push(done);
    this.#maybeFlush();
  }

  recovered(done: (records: readonly PaxosRecord[]) => void): void {
    this.#later(() => done(this.#kept.map(({ record }) => record)));
  }

  /** The power goes, or just the process, whose writes the system still has. */
  crash(isPowerLost: boolean): void {
    this.#isFlushing = false;
    this.#waiting = [];
    if (isPowerLost) {
      this.#lastIndex = this.#options.random.int(this.#flushedIndex, this.#lastIndex + 1);
      this.#kept = this.#kept.filter(({ index }) => index <= this.#lastIndex);
    }
    this.#flushedIndex = this.#lastIndex;
  }

  stall(ms: number): void {
    this.#stalledUntil = this.#world.now + ms;
  }

  wipe(): void {
    this.#kept = [];
  }

  /** Forgets what a base at `slot` makes needless; what is not flushed yet stays. */
  trim(slot: number): void {
    const newest = new Map<string, number>();
    for (const { index, record } of this.#kept) {
      if (index <= this.#flushedIndex) newest.set(record.kind, index);
    }
    this.#kept = this.#kept.filter(({ index, record }) => {
      if (index > this.#flushedIndex || record.kind === 'joined') return true;
      return record.kind === 'accepted' ? record.slot > slot : newest.get(record.kind) === index;
    });
  }

  #maybeFlush(): void {
    if (this.#isFlushing || this.#waiting.length === 0) return;
    this.#isFlushing = true;
    const upTo = this.#lastIndex;
    const told = this.#waiting;
    this.#waiting = [];
    this.#options.onFlush();
    this.#later(() => {
      this.#flushedIndex = upTo;
      this.#isFlushing = false;
      for (const done of told) done();
      this.#maybeFlush();
    });
  }

  #later(run: () => void): void {
    const { random, faults } = this.#options;
    const stalledMs = Math.max(0, this.#stalledUntil - this.#world.now);
    this.#world.after(stalledMs + diskDelayMs(random, faults), this.#process.bound(run));
  }
}
