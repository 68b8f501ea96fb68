import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalLog } from './local-log.js';
import type { LocalLogLimits } from './local-log.js';
import { MARK_BYTES, readRecord, recordBytes } from './record.js';
import type { ChainPlace } from './record.js';
import { scanSegment } from './scan.js';
import { commitLogLaws, listen } from './testing/commit-log-laws.js';
import { MemorySegments } from './testing/memory-segments.js';

const small: LocalLogLimits = {
  segmentBytes: 512,
  payloadBytesMax: 200,
  inFlightBytesMax: 4_000,
  inFlightSlotsMax: 100,
};
const settle = (disk: MemorySegments): void => {
  while (disk.run());
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : error;

commitLogLaws('LocalLog over segment files in memory', () => {
  const disk = new MemorySegments();
  return {
    log: () => new LocalLog(disk, small),
    settle: () => settle(disk),
    crash: () => disk.crash(() => false),
  };
});

/** Offsets of all bytes that belong to records; padding belongs to none. */
function scanBytes(segment: Uint8Array): number[] {
  let before: ChainPlace | undefined;
  const first = readRecord(new DataView(segment.buffer), 0);
  if (first) before = { index: first.index - 1, slot: first.slot, crc: first.previous };
  return scanSegment(segment, before).records.flatMap(({ offset, payload }) => [
    ...Array.from({ length: 44 }, (_, i) => offset + i),
    ...Array.from({ length: payload.length }, (_, i) => offset + 48 + i),
  ]);
}

/** A log with `count` slots on disk, its run over. */
function written(count: number, limits = small): MemorySegments {
  const disk = new MemorySegments();
  const log = new LocalLog(disk, limits);
  listen(log, 0);
  settle(disk);
  for (let i = 1; i <= count; i++) {
    log.propose(bytes(`payload ${i}`), i);
    settle(disk);
  }
  disk.crash(() => false);
  return disk;
}

const restart = (disk: MemorySegments, appliedSlot = 0, limits = small) => {
  const log = new LocalLog(disk, limits);
  const heard = listen(log, appliedSlot);
  settle(disk);
  return { log, heard };
};

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

describe('LocalLog', () => {
  it('lets everything proposed during a sync share the next one', () => {
    const disk = new MemorySegments();
    const { log, heard } = restart(disk, 0, { ...small, segmentBytes: 64_000 });
    const before = disk.syncs;
    for (let i = 1; i <= 50; i++) log.propose(bytes(`${i}`), i);
    settle(disk);
    expect(heard.slots).toHaveLength(50);
    expect(disk.syncs - before).toBe(2);
  });

  it('is full at its bounds, and takes more after onChosen', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk, 0, { ...small, inFlightSlotsMax: 2 });
    log.propose(bytes('a'), 1);
    log.propose(bytes('b'), 2);
    expect(() => log.propose(bytes('c'), 3)).toThrow(/in flight/);
    settle(disk);
    log.propose(bytes('c'), 3);
  });

  it('refuses a payload that no segment could hold', () => {
    const { log } = restart(new MemorySegments());
    expect(() => log.propose(new Uint8Array(201), 1)).toThrow(/exceeds 200/);
  });

  it('chooses nothing after a failed sync, and says so once', () => {
    const disk = new MemorySegments();
    const { log, heard } = restart(disk);
    log.propose(bytes('a'), 1);
    disk.failSync = new Error('EIO');
    log.propose(bytes('b'), 2);
    settle(disk);
    expect(heard.slots).toEqual([]);
    expect(codeOf(heard.fatal)).toBe('log-failed');
    expect(() => log.propose(bytes('c'), 3)).toThrow();
  });

  it('cuts a torn tail and goes on', () => {
    const disk = new MemorySegments();
    const { log, heard } = restart(disk);
    log.propose(bytes('kept'), 1);
    settle(disk);
    log.propose(bytes('torn apart by the crash'), 2);
    let piece = 0;
    disk.crash(() => piece++ !== 1);
    expect(heard.slots).toEqual([1]);
    const next = restart(disk);
    expect(next.heard.texts).toEqual(['kept']);
    next.log.propose(bytes('after'), 3);
    settle(disk);
    disk.crash(() => false);
    expect(restart(disk).heard.texts).toEqual(['kept', 'after']);
  });

  it('never takes what a former run left behind a cut for its own', () => {
    const disk = new MemorySegments();
    const first = restart(disk);
    for (const text of ['a', 'b', 'c']) first.log.propose(bytes(text), 1);
    // 'a' is under way alone; 'b' and 'c' form the next group, of which only 'c' reaches the disk.
    disk.run(1);
    let piece = 0;
    disk.crash(() => piece++ >= recordBytes(1) / 8, 8);
    const second = restart(disk);
    expect(second.heard.texts).toEqual(['a']);
    second.log.propose(bytes('b'), 1);
    settle(disk);
    disk.crash(() => false);
    expect(restart(disk).heard.texts).toEqual(['a', 'b']);
  });

  it('stops with log-damaged on a bad record in the middle, and changes nothing', () => {
    const disk = written(4);
    const file = disk.files.get('log-0000000001');
    if (!file) throw new Error('no segment');
    // The payload of the second slot, after two marks' room and one record.
    const offset = MARK_BYTES + recordBytes(9) + 50;
    file.durable[offset] = (file.durable[offset] ?? 0) ^ 1;
    const before = file.durable.slice();
    const { heard } = restart(disk);
    expect(codeOf(heard.fatal)).toBe('log-damaged');
    expect(heard).toMatchObject({ slots: [], leads: undefined });
    expect(file.durable).toEqual(before);
  });

  it('tells damage of the last record from a torn tail after a graceful stop', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk);
    log.propose(bytes('last words'), 1);
    settle(disk);
    log.stop(() => undefined);
    settle(disk);
    const file = disk.files.get('log-0000000001');
    if (file) file.durable[MARK_BYTES + 50] = 255;
    expect(codeOf(restart(disk).heard.fatal)).toBe('log-damaged');
  });

  it('finds any single damaged byte of what was once followed by a sync', () => {
    const sample = written(12);
    const names = [...sample.files.keys()].sort();
    // The newest segment's last record, and a spare after it, are followed by nothing.
    for (const name of names.slice(0, -2)) {
      const whole = sample.files.get(name)?.durable ?? new Uint8Array(0);
      const inUse = scanBytes(whole);
      expect(inUse.length).toBeGreaterThan(100);
      for (const at of inUse) {
        const disk = written(12);
        const file = disk.files.get(name);
        if (file) file.durable[at] = (file.durable[at] ?? 0) ^ 0x40;
        expect(codeOf(restart(disk).heard.fatal), `${name} at ${at}`).toBe('log-damaged');
      }
    }
  });

  it('knows a trimmed log from an empty one', () => {
    const disk = written(20);
    const { log } = restart(disk, 20);
    log.trim(20);
    settle(disk);
    disk.crash(() => false);
    expect(disk.files.has('log-0000000001')).toBe(false);
    expect(restart(disk, 20).heard).toMatchObject({ slots: [], leads: true });
    expect(codeOf(restart(disk, 0).heard.fatal)).toBe('state-behind-log');
  });

  it('keeps the old segments until the next one has its mark on disk', () => {
    for (let slots = 1; slots < 30; slots++) {
      const disk = new MemorySegments();
      const log = new LocalLog(disk, small);
      const heard = listen(log, 0);
      settle(disk);
      for (let slot = 1; slot <= slots; slot++) {
        settle(disk);
        log.propose(bytes(`payload ${slot}`), slot);
      }
      const applied = heard.slots.length;
      log.trim(applied);
      disk.runNewest();
      disk.crash(() => false);
      expect(restart(disk, applied).heard.fatal, `at slot ${slots}`).toBeUndefined();
    }
  });

  it('stops with log-behind-state when log files were lost', () => {
    expect(codeOf(restart(new MemorySegments(), 7).heard.fatal)).toBe('log-behind-state');
    expect(codeOf(restart(written(3), 7).heard.fatal)).toBe('log-behind-state');
  });

  it('stops with log-damaged when a segment in the middle is missing', () => {
    const disk = written(20);
    disk.files.delete('log-0000000002');
    expect(codeOf(restart(disk).heard.fatal)).toBe('log-damaged');
  });

  it('keeps every chosen slot through any crashes, in order and without holes', () => {
    const run = fc.record({
      applied: fc.double({ min: 0, max: 1, noNaN: true }),
      steps: fc.array(
        fc.record({ size: fc.integer({ min: 0, max: 200 }), run: fc.integer({ min: 0, max: 4 }) }),
        { maxLength: 15 },
      ),
      /** A killed process leaves the page cache; a power cut keeps stretches of what was not synced. */
      isPowerCut: fc.boolean(),
      stretches: fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
      trims: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 6 }), (runs) => {
        const disk = new MemorySegments();
        /** slot → payload, as told. */
        const chosen = new Map<number, string>();
        let applied = 0;
        let number = 0;
        for (const { applied: part, steps, isPowerCut, stretches, trims } of runs) {
          const log = new LocalLog(disk, small);
          const heard = listen(log, applied);
          const take = (): void => {
            heard.slots.forEach((slot, i) => {
              const text = heard.texts[i] ?? '';
              const known = chosen.get(slot);
              if (known !== undefined && known !== text) throw new Error(`slot ${slot} changed`);
              if (heard.slots[i] !== (heard.slots[0] ?? 0) + i) throw new Error('slots not dense');
              chosen.set(slot, text);
            });
          };
          settle(disk);
          expect(heard.fatal).toBeUndefined();
          take();
          for (let slot = applied + 1; slot <= chosen.size; slot++) {
            expect(heard.slots).toContain(slot);
          }
          for (const step of steps) {
            log.propose(bytes(`${number}:`.padEnd(step.size, 'x').slice(0, 200)), number++);
            disk.run(step.run);
          }
          take();
          expect([...chosen.keys()].sort((a, b) => a - b)).toEqual([...chosen.keys()].map((_, i) => i + 1));
          applied = Math.max(applied, Math.floor(part * chosen.size));
          if (trims) log.trim(applied);
          disk.run(2);
          take();
          if (isPowerCut) disk.crash(keepStretches(stretches), 8);
          else disk.kill();
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
