import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { OxbowError } from '@oxbow/sdk/protocol';
import { openSegmentDirectory } from '../drivers/segment-file.js';
import { MARK_BYTES, bytesOf, readLink, recordBytes } from './record.js';
import type { ChainPlace } from './record.js';
import { scanSegment } from './scan.js';
import { SegmentLog } from './segment-log.js';
import type { SegmentLogLimits } from './segment-log.js';
import { MemorySegments } from './testing/memory-segments.js';
import { appendText, listenWal, writeAheadLogLaws } from './testing/write-ahead-log-laws.js';
import type { WalHeard } from './testing/write-ahead-log-laws.js';

const small: SegmentLogLimits = {
  segmentBytes: 640, payloadBytesMax: 200, inFlightBytesMax: 8_000,
};
const settle = (disk: MemorySegments): void => {
  while (disk.run());
};
const folder = fs.mkdtempSync(join(tmpdir(), 'oxbow-wal-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

writeAheadLogLaws('SegmentLog over segment files in memory', () => {
  const disk = new MemorySegments();
  return {
    log: () => new SegmentLog(disk, small),
    settle: () => Promise.resolve(settle(disk)),
    crash: () => disk.crash(() => false),
  };
});

let folders = 0;
writeAheadLogLaws('SegmentLog over real files', () => {
  const path = join(folder, String(++folders));
  let pending = 0;
  /** Files whose process is gone: nothing of it calls back. */
  let run = 0;
  const observed = (): SegmentLog => {
    const directory = openSegmentDirectory({ path });
    const mine = ++run;
    const later = <A extends unknown[]>(done: (...args: A) => void) => {
      pending += 1;
      return (...args: A): void => {
        pending -= 1;
        if (mine === run) done(...args);
      };
    };
    return new SegmentLog({
      list: (done) => directory.list(later(done)),
      read: (name, done) => directory.read(name, later(done)),
      open: (name, size, done) => directory.open(name, size, later((file, error?: Error) => {
        done(file === undefined ? file : {
          name, write: (at, bytes) => file.write(at, bytes),
          sync: (synced) => file.sync(later(synced)), close: () => file.close(),
        }, error);
      })),
      rename: (name, newName, done) => directory.rename(name, newName, later(done)),
      remove: (name, done) => directory.remove(name, later(done)),
    }, small);
  };
  return {
    log: observed,
    settle: async () => {
      while (pending > 0) await new Promise((next) => setImmediate(next));
    },
    crash: () => void (run += 1),
  };
});

/** A run on `disk`, recovered. */
function restart(disk: MemorySegments, limits = small): { log: SegmentLog; heard: WalHeard } {
  const log = new SegmentLog(disk, limits);
  const heard = listenWal(log);
  settle(disk);
  return { log, heard };
}

function write(disk: MemorySegments, log: SegmentLog, ...texts: readonly string[]): void {
  for (const text of texts) {
    appendText(log, text);
    log.flushed(() => undefined);
    settle(disk);
  }
}

/** A log with `count` records on disk, its run over. */
function written(count: number): MemorySegments {
  const disk = new MemorySegments();
  const { log } = restart(disk);
  for (let i = 1; i <= count; i++) write(disk, log, `payload ${i}`);
  disk.crash(() => false);
  return disk;
}

const textsOf = (heard: WalHeard): string[] => [...(heard.recovered?.values() ?? [])];
const codeOf = (heard: WalHeard): string | undefined => heard.fatal?.code;
const namesOf = (disk: MemorySegments): string[] => [...disk.files.keys()].sort();

function bytesIn(disk: MemorySegments, name: string | undefined): Uint8Array {
  const file = disk.files.get(name ?? '');
  if (file === undefined) throw new Error(`no segment ${name}`);
  return file.durable;
}

/** Offsets of all bytes that belong to links; padding belongs to none. */
function linkBytes(segment: Uint8Array): number[] {
  const first = readLink(bytesOf(segment), 0);
  if (first === undefined) return [];
  const before: ChainPlace = { link: first.link - 1, index: first.index, crc: first.previous };
  return scanSegment(segment, before).links.flatMap(({ offset, payload }) => [
    ...Array.from({ length: 44 }, (_, i) => offset + i),
    ...Array.from({ length: payload.length }, (_, i) => offset + 48 + i),
  ]);
}

/** Keeps and loses stretches of pieces in turn. */
function keepStretches(lengths: Iterator<number>): () => boolean {
  let keeps = false;
  let left = 0;
  return () => {
    if (left-- > 0) return keeps;
    keeps = !keeps;
    left = (lengths.next().value ?? 1) - 1;
    return keeps;
  };
}

describe('SegmentLog', () => {
  it('lets everything appended during a sync share the next one', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk, { ...small, segmentBytes: 64_000 });
    const before = disk.syncs;
    let told = 0;
    for (let i = 1; i <= 50; i++) {
      appendText(log, `${i}`);
      log.flushed(() => (told += 1));
    }
    settle(disk);
    expect([told, disk.syncs - before]).toEqual([50, 2]);
  });

  it('is full at its bound, and takes more once it is flushed', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk, { ...small, inFlightBytesMax: 400 });
    appendText(log, 'x'.repeat(200));
    expect(() => appendText(log, 'x'.repeat(200))).toThrow(/waits for the disk/);
    log.flushed(() => undefined);
    settle(disk);
    appendText(log, 'x'.repeat(200));
  });

  it('tells nothing after a failed sync but its end, once', () => {
    const disk = new MemorySegments();
    const { log, heard } = restart(disk);
    let told = 0;
    appendText(log, 'a');
    log.flushed(() => (told += 1));
    disk.failSync = new Error('EIO');
    appendText(log, 'b');
    log.flushed(() => (told += 1));
    settle(disk);
    expect([told, codeOf(heard)]).toEqual([0, 'log-failed']);
    expect(() => appendText(log, 'c')).toThrow();
  });

  it('does not mind a full disk while its segment has room, then stops, and loses nothing', () => {
    const disk = new MemorySegments();
    const { log, heard } = restart(disk);
    disk.failCreate = new OxbowError('disk-full', 'The disk is full.');
    const told: string[] = [];
    for (let i = 1; i <= 20 && heard.fatal === undefined; i++) {
      appendText(log, `record ${i}`);
      log.flushed(() => told.push(`record ${i}`));
      settle(disk);
    }
    expect(codeOf(heard)).toBe('disk-full');
    expect(told.length).toBeGreaterThan(4);
    disk.failCreate = undefined;
    disk.crash(() => false);
    const later = restart(disk);
    expect(textsOf(later.heard)).toEqual(told);
    write(disk, later.log, 'goes on');
    disk.crash(() => false);
    expect(textsOf(restart(disk).heard)).toEqual([...told, 'goes on']);
  });

  it('goes on when room was made before the next segment was needed', () => {
    const disk = new MemorySegments();
    const { log, heard } = restart(disk);
    disk.failCreate = new Error('ENOSPC');
    write(disk, log, '1', '2', '3', '4');
    disk.failCreate = undefined;
    write(disk, log, '5', '6', '7', '8', '9');
    expect(heard.fatal).toBeUndefined();
    disk.crash(() => false);
    expect(textsOf(restart(disk).heard)).toHaveLength(9);
  });

  it('cuts a torn tail and goes on', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk);
    write(disk, log, 'kept');
    appendText(log, 'torn apart by the crash');
    log.flushed(() => undefined);
    let piece = 0;
    disk.crash(() => piece++ !== 1);
    const next = restart(disk);
    expect(textsOf(next.heard)).toEqual(['kept']);
    write(disk, next.log, 'after');
    disk.crash(() => false);
    expect(textsOf(restart(disk).heard)).toEqual(['kept', 'after']);
  });

  it('never takes what a former run left behind a cut for its own', () => {
    const disk = new MemorySegments();
    const first = restart(disk);
    for (const text of ['a', 'b', 'c']) {
      appendText(first.log, text);
      first.log.flushed(() => undefined);
    }
    // 'a' is under way alone; 'b' and 'c' form the next group, of which only 'c' reaches the disk.
    disk.run(1);
    let piece = 0;
    disk.crash(() => piece++ >= recordBytes(1) / 8, 8);
    const second = restart(disk);
    expect(textsOf(second.heard)).toEqual(['a']);
    write(disk, second.log, 'b');
    disk.crash(() => false);
    expect(textsOf(restart(disk).heard)).toEqual(['a', 'b']);
  });

  it('stops with log-damaged on a bad record in the middle, and changes nothing', () => {
    const disk = written(4);
    const file = bytesIn(disk, 'log-0000000001');
    // The payload of the second record, after the mark and one record.
    const offset = MARK_BYTES + recordBytes(9) + 50;
    file[offset] = (file[offset] ?? 0) ^ 1;
    const before = file.slice();
    const { heard } = restart(disk);
    expect(codeOf(heard)).toBe('log-damaged');
    expect(heard.recovered).toBeUndefined();
    expect(file).toEqual(before);
  });

  it('tells damage of the last record from a torn tail after a graceful stop', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk);
    write(disk, log, 'last words');
    log.stop(() => undefined);
    settle(disk);
    bytesIn(disk, 'log-0000000001')[MARK_BYTES + 50] = 255;
    expect(codeOf(restart(disk).heard)).toBe('log-damaged');
  });

  it('finds any single damaged byte of what was once followed by a sync', () => {
    const sample = written(20);
    const names = namesOf(sample);
    expect(names.length).toBeGreaterThan(2);
    // The newest segment's last record, and a spare after it, are followed by nothing.
    for (const name of names.slice(0, -2)) {
      const inUse = linkBytes(bytesIn(sample, name));
      expect(inUse.length).toBeGreaterThan(100);
      for (const at of inUse) {
        const disk = written(20);
        const file = bytesIn(disk, name);
        file[at] = (file[at] ?? 0) ^ 0x40;
        expect(codeOf(restart(disk).heard), `${name} at ${at}`).toBe('log-damaged');
      }
    }
  });

  it('notices the loss of any segment that holds something', () => {
    const names = namesOf(written(30));
    for (const name of names.slice(0, -1)) {
      const disk = written(30);
      disk.files.delete(name);
      expect(codeOf(restart(disk).heard), name).toBe('log-damaged');
    }
  });

  it('notices the loss of all segments but the spare, whatever that held in a former life', () => {
    const disk = recycled();
    const names = namesOf(disk);
    for (const name of names.slice(0, -1)) disk.files.delete(name);
    expect(codeOf(restart(disk).heard)).toBe('log-damaged');
  });

  it('notices the loss of an old segment after others were given up', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk);
    for (let i = 1; i <= 30; i++) write(disk, log, `payload ${i}`);
    log.trim(12);
    settle(disk);
    disk.crash(() => false);
    const [oldest = ''] = namesOf(disk);
    expect(oldest).not.toBe('log-0000000001');
    disk.files.delete(oldest);
    expect(codeOf(restart(disk).heard)).toBe('log-damaged');
  });

  it('says so when another version has written the log', () => {
    const disk = written(3);
    bytesIn(disk, 'log-0000000001')[3] = 0x39;
    expect(codeOf(restart(disk).heard)).toBe('log-unreadable');
  });

  it('makes a segment that is given up the next one: no file is created any more', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk);
    for (let i = 1; i <= 200; i++) {
      write(disk, log, `payload ${i}`);
      log.trim(i);
      settle(disk);
    }
    expect(disk.created).toBeLessThanOrEqual(3);
    expect(disk.files.size).toBeLessThanOrEqual(3);
    disk.crash(() => false);
    const { heard } = restart(disk);
    expect(heard.fatal).toBeUndefined();
    expect(textsOf(heard).at(-1)).toBe('payload 200');
  });

  it('never takes records of a recycled segment for new ones, wherever a crash leaves it', () => {
    const sample = recycled();
    const current = namesOf(sample).at(-2) ?? '';
    const room = sample.files.get(current)?.durable.length ?? 0;
    // Two records more, of which any prefix of pieces reaches the disk.
    for (let kept = 0; kept <= room / 8; kept++) {
      const disk = recycled();
      const { log, heard } = restart(disk);
      const before = textsOf(heard);
      for (const text of ['new 1', 'new 2', 'new 3', 'new 4', 'new 5', 'new 6']) {
        appendText(log, text);
        log.flushed(() => undefined);
      }
      disk.run(kept % 7);
      let piece = 0;
      disk.crash(() => piece++ < kept, 8);
      const after = restart(disk);
      expect(after.heard.fatal).toBeUndefined();
      const texts = textsOf(after.heard);
      expect(texts.slice(0, before.length)).toEqual(before);
      texts.slice(before.length).forEach((text, i) => expect(text).toBe(`new ${i + 1}`));
    }
  });

  it('keeps the old segments until the next one has its mark on disk', () => {
    for (let records = 1; records < 30; records++) {
      const disk = new MemorySegments();
      const { log } = restart(disk);
      for (let i = 1; i <= records; i++) write(disk, log, `payload ${i}`);
      log.trim(records + 1);
      disk.runNewest();
      disk.crash(() => false);
      const { log: next, heard } = restart(disk);
      expect(heard.fatal, `at record ${records}`).toBeUndefined();
      expect(appendText(next, 'numbers go on')).toBe(records + 1);
    }
  });

  it('keeps what was flushed through any crashes, in order and without holes', () => {
    const run = fc.record({
      trimmed: fc.double({ min: 0, max: 1, noNaN: true }),
      steps: fc.array(
        fc.record({
          size: fc.integer({ min: 0, max: 200 }),
          run: fc.integer({ min: 0, max: 4 }),
          waits: fc.boolean(),
          trims: fc.boolean(),
        }),
        { maxLength: 15 },
      ),
      /**
       * A killed process leaves the page cache; a power cut keeps stretches of what was not
       * synced.
       */
      isPowerCut: fc.boolean(),
      stretches: fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), (runs) => {
        const disk = new MemorySegments();
        /** index → text, of which everybody may know. */
        const known = new Map<number, string>();
        let needed = 1;
        let number = 0;
        for (const { trimmed, steps, isPowerCut, stretches } of runs) {
          const { log, heard } = restart(disk);
          expect(heard.fatal).toBeUndefined();
          const recovered = heard.recovered ?? new Map<number, string>();
          const first = Math.min(...recovered.keys(), Infinity);
          [...recovered.keys()].forEach((index, i) => expect(index).toBe(first + i));
          for (const [index, text] of known) {
            if (index >= needed) expect(recovered.get(index)).toBe(text);
          }
          // What a trim relies on was appended before it, and never comes back without it.
          const claims = [...recovered.values()].filter((text) => text.startsWith('trim '));
          if (first !== Infinity && first > 1) expect(claims.at(-1)).toBeDefined();
          for (const text of claims.slice(-1)) expect(Number(text.slice(5))).toBeGreaterThanOrEqual(first);
          // What came back is on disk, hence known from now on.
          for (const [index, text] of recovered) {
            expect(known.get(index) ?? text).toBe(text);
            known.set(index, text);
          }
          const written = new Map<number, string>();
          for (const step of steps) {
            const text = `${number++}:`.padEnd(step.size, 'x').slice(0, 200);
            written.set(appendText(log, text), text);
            const upTo = new Map(written);
            if (step.waits) log.flushed(() => upTo.forEach((told, index) => known.set(index, told)));
            if (step.trims && known.size > 0) {
              needed = Math.max(needed, Math.floor(trimmed * (Math.max(...known.keys()) + 1)));
              written.set(appendText(log, `trim ${needed}`), `trim ${needed}`);
              log.trim(needed);
            }
            disk.run(step.run);
          }
          if (isPowerCut) disk.crash(keepStretches(stretches), 8);
          else disk.kill();
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

/**
 * A log of which the spare, and the rest of the current segment, held something else in a former
 * life.
 */
function recycled(): MemorySegments {
  const disk = new MemorySegments();
  const { log } = restart(disk);
  for (let i = 1; i <= 40; i++) {
    write(disk, log, `old payload ${i}`);
    log.trim(i - 3);
    settle(disk);
  }
  disk.crash(() => false);
  return disk;
}
