/**
 * Simulated disks. A segment file holds what was synced and a list of writes that the operating
 * system has not yet put down: a crash keeps any subset of those and tears the last one kept. A
 * key-value disk completes each transaction after a delay; a crash loses those under way, or
 * completes one whose completion was never told.
 */
import type { SegmentDirectory, SegmentFile } from '../../packages/server/src/log/append-file.js';
import type { Random } from './random.js';
import { isOfLog } from './rot.js';
import type { Process, World } from './world.js';

export interface DiskFaults {
  /** Mean time of a sync or a transaction, ms. */
  readonly meanMs: number;
  /** Probability that one takes a hundred times as long. */
  readonly slow: number;
  /** Whether a crash tears the last surviving write. */
  readonly tears: boolean;
}

export function diskDelayMs(random: Random, faults: DiskFaults): number {
  const base = 0.05 + random.exponential(faults.meanMs);
  return random.chance(faults.slow) ? base * 100 : base;
}

interface Write {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface FileState {
  durable: Uint8Array;
  unsynced: Write[];
  /** What the newest sync has written. */
  syncedFrom: number;
  syncedEnd: number;
  /** Something that was written after what is before it has reached the disk. */
  followedEnd: number;
}

function put(file: Uint8Array, write: Write): Uint8Array {
  const end = write.offset + write.bytes.length;
  let target = file;
  if (end > file.length) {
    target = new Uint8Array(end);
    target.set(file);
  }
  target.set(write.bytes, write.offset);
  return target;
}

function noteSynced(file: FileState, writes: readonly Write[]): void {
  if (writes.length === 0) return;
  file.syncedFrom = Math.min(...writes.map(({ offset }) => offset));
  file.followedEnd = Math.min(file.syncedEnd, file.syncedFrom);
  file.syncedEnd = Math.max(...writes.map(({ offset, bytes }) => offset + bytes.length));
}

/** What had not been synced has reached the disk all the same. */
function noteSurvivors(file: FileState, writes: readonly Write[]): void {
  const offsets = writes.filter(({ offset }) => offset >= file.syncedEnd).map(({ offset }) => offset);
  if (offsets.length > 0) file.followedEnd = Math.max(file.followedEnd, file.syncedEnd);
}

export class SimDirectory implements SegmentDirectory {
  readonly #files = new Map<string, FileState>();
  readonly #world: World;
  readonly #process: Process;
  readonly #random: Random;
  readonly #faults: DiskFaults;
  readonly #onSync: () => void;
  #stalledUntil = 0;
  #isFailing = false;

  /** `onSync` is told that a sync has begun: the moment at which a crash hurts most. */
  constructor(
    world: World, process: Process,
    options: { random: Random; faults: DiskFaults; onSync: () => void },
  ) {
    this.#world = world;
    this.#process = process;
    this.#random = options.random;
    this.#faults = options.faults;
    this.#onSync = options.onSync;
  }

  /**
   * What a power failure leaves: each unsynced write survives by chance, the last survivor torn.
   * When only the process dies, the system still has all that it wrote.
   */
  crash(isPowerLost = true): void {
    this.#isFailing = false;
    if (!isPowerLost) return this.#keepAll();
    for (const file of this.#files.values()) {
      const survivors = file.unsynced.filter(() => this.#random.chance(0.5));
      const last = survivors.at(-1);
      const isTorn = last !== undefined && this.#faults.tears;
      noteSurvivors(file, isTorn ? survivors.slice(0, -1) : survivors);
      if (isTorn) {
        const kept = this.#random.int(0, last.bytes.length);
        survivors[survivors.length - 1] = { offset: last.offset, bytes: last.bytes.subarray(0, kept) };
      }
      for (const write of survivors) file.durable = put(file.durable, write);
      file.unsynced = [];
    }
  }

  #keepAll(): void {
    for (const file of this.#files.values()) {
      noteSurvivors(file, file.unsynced);
      for (const write of file.unsynced) file.durable = put(file.durable, write);
      file.unsynced = [];
    }
  }

  /** Nothing comes to an end for so long. */
  stall(ms: number): void {
    this.#stalledUntil = this.#world.now + ms;
  }

  /** Full, or broken: whatever is synced or made fails, until the next crash. */
  fail(): void {
    this.#isFailing = true;
  }

  /** While nobody uses it: another disk is put in. */
  wipe(): void {
    this.#files.clear();
  }

  /**
   * While nobody uses it: one bit of what was written is another. What nothing has followed on the
   * disk is spared: damage there can't be told from a torn write. Else the newest sync's bytes are
   * hit most. `log`: a part of the log was hit, which must be noticed. Undefined: nothing to rot.
   */
  rot(random: Random): 'log' | 'unused' | undefined {
    const sorted = [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1));
    const files = sorted.filter(([, { followedEnd }]) => followedEnd > 0);
    if (files.length === 0) return undefined;
    const newest = files.findLast(([, file]) => file.followedEnd > file.syncedFrom);
    const isNewest = newest !== undefined && random.chance(0.5);
    const [name, { durable, syncedFrom, followedEnd }] = isNewest ? newest : random.pick(files);
    const at = random.int(isNewest ? syncedFrom : 0, followedEnd);
    const isHit = isOfLog(sorted.map(([each, file]) => [each, file.durable]), name, at);
    durable[at] = (durable[at] ?? 0) ^ (1 << random.int(0, 8));
    return isHit ? 'log' : 'unused';
  }

  list(done: (names: readonly string[], error?: Error) => void): void {
    this.#later(() => done([...this.#files.keys()].sort()));
  }

  read(name: string, done: (bytes: Uint8Array, error?: Error) => void): void {
    this.#later(() => {
      const file = this.#files.get(name);
      if (file === undefined) return done(new Uint8Array(), new Error(`no file ${name}`));
      let view: Uint8Array = file.durable.slice();
      for (const write of file.unsynced) view = put(view, write);
      done(view);
    });
  }

  open(
    name: string,
    sizeBytes: number,
    done: (file: SegmentFile | undefined, error?: Error) => void,
  ): void {
    this.#later(() => {
      if (this.#isFailing) return done(undefined, new Error('no space left on the disk'));
      const file = this.#files.get(name) ?? {
        durable: new Uint8Array(sizeBytes), unsynced: [],
        syncedFrom: 0, syncedEnd: 0, followedEnd: 0,
      };
      this.#files.set(name, file);
      done(this.#handle(name, file));
    });
  }

  rename(name: string, newName: string, done: (error?: Error) => void): void {
    this.#later(() => {
      const file = this.#files.get(name);
      if (file === undefined) return done(new Error(`no file ${name}`));
      this.#files.delete(name);
      // What it holds is of a former life.
      this.#files.set(newName, { ...file, syncedFrom: 0, syncedEnd: 0, followedEnd: 0 });
      done();
    });
  }

  remove(name: string, done: (error?: Error) => void): void {
    this.#later(() => {
      this.#files.delete(name);
      done();
    });
  }

  #handle(name: string, file: FileState): SegmentFile {
    return {
      name,
      write: (offset, bytes) => {
        file.unsynced.push({ offset, bytes: bytes.slice() });
      },
      sync: (done) => {
        const writes = [...file.unsynced];
        this.#onSync();
        this.#later(() => {
          if (this.#isFailing) return done(new Error('the disk has failed'));
          for (const write of writes) file.durable = put(file.durable, write);
          noteSynced(file, writes);
          file.unsynced = file.unsynced.filter((write) => !writes.includes(write));
          done();
        });
      },
      close: () => {},
    };
  }

  #later(run: () => void): void {
    const stalledMs = Math.max(0, this.#stalledUntil - this.#world.now);
    const delayMs = stalledMs + diskDelayMs(this.#random, this.#faults);
    this.#world.after(delayMs, this.#process.bound(run));
  }
}
