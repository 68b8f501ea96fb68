/**
 * Segment files in memory with the faults of a disk. Callbacks wait until `run`; a crash keeps any
 * part of what was written since the last completed sync, byte by byte in pieces of a sector, and
 * forgets every open file and waiting callback.
 */
import type { SegmentDirectory, SegmentFile } from '../append-file.js';

interface StoredFile {
  durable: Uint8Array;
  /** Written since the last sync, in order. */
  unsynced: { readonly offset: number; readonly bytes: Uint8Array }[];
}

export class MemorySegments implements SegmentDirectory {
  readonly files = new Map<string, StoredFile>();
  /** Calls back with an error from then on. */
  failSync: Error | undefined;
  /** New files cannot be made: a full disk. */
  failCreate: Error | undefined;
  created = 0;
  syncs = 0;
  #waiting: (() => void)[] = [];

  /** Runs callbacks that wait, at most `most`; answers whether any ran. */
  run(most = Infinity): boolean {
    let ran = 0;
    for (; ran < most; ran++) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next();
    }
    return ran > 0;
  }

  /** Runs the newest callback first: disks do not answer in the order of the questions. */
  runNewest(): void {
    this.#waiting.pop()?.();
  }

  /** The process dies, the machine lives: what was written is still seen, and still not synced. */
  kill(): void {
    this.#waiting = [];
    this.failSync = undefined;
  }

  /** `keep` decides for each piece of what was not synced whether it had reached the disk. */
  crash(keep: () => boolean, pieceBytes = 16): void {
    this.kill();
    for (const file of this.files.values()) {
      for (const { offset, bytes } of file.unsynced) {
        for (let at = 0; at < bytes.length; at += pieceBytes) {
          if (keep()) file.durable.set(bytes.subarray(at, at + pieceBytes), offset + at);
        }
      }
      file.unsynced = [];
    }
  }

  list(done: (names: readonly string[], error?: Error) => void): void {
    this.#later(() => done([...this.files.keys()].sort()));
  }

  read(name: string, done: (bytes: Uint8Array, error?: Error) => void): void {
    this.#later(() => {
      const file = this.files.get(name);
      if (file === undefined) return done(new Uint8Array(0), new Error(`no file '${name}'`));
      done(seen(file));
    });
  }

  open(
    name: string,
    sizeBytes: number,
    done: (file: SegmentFile | undefined, error?: Error) => void,
  ): void {
    const { failCreate } = this;
    if (!this.files.has(name)) {
      if (failCreate !== undefined) return this.#later(() => done(undefined, failCreate));
      this.created += 1;
    }
    const file = this.files.get(name) ?? { durable: new Uint8Array(sizeBytes), unsynced: [] };
    if (file.durable.length < sizeBytes) {
      const longer = new Uint8Array(sizeBytes);
      longer.set(file.durable);
      file.durable = longer;
    }
    this.files.set(name, file);
    this.#later(() => done(this.#handle(name, file)));
  }

  rename(name: string, newName: string, done: (error?: Error) => void): void {
    this.#later(() => {
      const file = this.files.get(name);
      if (file === undefined) return done(new Error(`no file '${name}'`));
      this.files.delete(name);
      this.files.set(newName, file);
      done();
    });
  }

  remove(name: string, done: (error?: Error) => void): void {
    this.#later(() => {
      this.files.delete(name);
      done();
    });
  }

  #handle(name: string, file: StoredFile): SegmentFile {
    return {
      name,
      write: (offset, bytes) => {
        if (offset + bytes.length > file.durable.length) throw new Error('written past the end');
        file.unsynced.push({ offset, bytes: bytes.slice() });
      },
      sync: (done) => {
        const covered = file.unsynced.length;
        this.#later(() => {
          this.syncs += 1;
          if (this.failSync) return done(this.failSync);
          for (const { offset, bytes } of file.unsynced.splice(0, covered)) {
            file.durable.set(bytes, offset);
          }
          done();
        });
      },
      close: () => undefined,
    };
  }

  #later(task: () => void): void {
    this.#waiting.push(task);
  }
}

/** What a reader of this run sees: the page cache. */
function seen(file: StoredFile): Uint8Array {
  const bytes = file.durable.slice();
  for (const written of file.unsynced) bytes.set(written.bytes, written.offset);
  return bytes;
}
