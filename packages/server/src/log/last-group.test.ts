/**
 * The newest group that was synced has no later one that proves it. A mark does, written without a
 * sync as soon as nothing follows at once: rot in what was acknowledged last is not taken for a
 * torn tail, or an acceptor would forget what it has promised.
 */
import { describe, expect, it } from 'vitest';
import { MARK_BYTES, bytesOf, readLink, recordBytes } from './record.js';
import { SegmentLog } from './segment-log.js';
import { MemorySegments } from './testing/memory-segments.js';
import { appendText, listenWal } from './testing/write-ahead-log-laws.js';
import type { WalHeard } from './testing/write-ahead-log-laws.js';

const limits = { segmentBytes: 64_000, payloadBytesMax: 200, inFlightBytesMax: 8_000 };
const NAME = 'log-0000000001';
const TEXT = 'acknowledged';

function run(disk: MemorySegments): { readonly log: SegmentLog; readonly heard: WalHeard } {
  const log = new SegmentLog(disk, limits);
  const heard = listenWal(log);
  while (disk.run());
  return { log, heard };
}

/** Two records, each told to be on disk; nothing comes after. */
function written(): MemorySegments {
  const disk = new MemorySegments();
  const { log } = run(disk);
  for (const text of ['before', TEXT]) {
    appendText(log, text);
    log.flushed(() => undefined);
    while (disk.run());
  }
  return disk;
}

const LAST = MARK_BYTES + recordBytes('before'.length) + MARK_BYTES;
/** Of the last record: the header up to its checksum, and the text. */
const LAST_BYTES = Array.from({ length: 44 }, (_, i) => LAST + i)
  .concat(Array.from(TEXT, (_, i) => LAST + 48 + i));

function rot(disk: MemorySegments, at: number): void {
  const file = disk.files.get(NAME)?.durable;
  if (file === undefined) throw new Error('no segment');
  file[at] = (file[at] ?? 0) ^ 0x10;
}

/** A byte of the text of the last record in a segment; -1: it has none. */
const spotOfLast = (segment: Uint8Array): number =>
  new TextDecoder('latin1').decode(segment).lastIndexOf('record ');

describe('the last group that was synced', () => {
  it('is where this test looks for it', () => {
    const bytes = written().files.get(NAME)?.durable ?? new Uint8Array();
    expect(readLink(bytesOf(bytes), LAST)).toMatchObject({ kind: 'record', index: 2 });
  });

  it('is proven on disk when the process is killed: any damage in it is noticed', () => {
    for (const at of LAST_BYTES) {
      const disk = written();
      disk.kill();
      // The system goes on and writes out what it has.
      disk.crash(() => true);
      rot(disk, at);
      expect(run(disk).heard.fatal?.code, `byte ${at}`).toBe('log-damaged');
    }
  });

  it('is proven, too, where its segment has no room for a mark: the next one is begun', () => {
    for (let more = 0; more < 20; more++) {
      const disk = new MemorySegments();
      const bounds = { ...limits, segmentBytes: 640 };
      const log = new SegmentLog(disk, bounds);
      listenWal(log);
      while (disk.run());
      for (let i = 0; i <= more; i++) {
        appendText(log, `record ${i} `.padEnd(30 + more * 8, '.'));
        log.flushed(() => undefined);
        while (disk.run());
      }
      disk.crash(() => true);
      const last = [...disk.files.values()].findLast(({ durable }) => spotOfLast(durable) > 0);
      const file = last?.durable ?? new Uint8Array();
      const spot = spotOfLast(file);
      file[spot] = (file[spot] ?? 0) ^ 1;
      const next = new SegmentLog(disk, bounds);
      const heard = listenWal(next);
      while (disk.run());
      expect(heard.fatal?.code, `${more + 1} records`).toBe('log-damaged');
    }
  });

  it('costs no sync', () => {
    const disk = new MemorySegments();
    const { log } = run(disk);
    const before = disk.syncs;
    appendText(log, TEXT);
    log.flushed(() => undefined);
    while (disk.run());
    expect(disk.syncs - before).toBe(1);
  });

  it('is kept when the power goes before the mark is written out, wholly, in part or not', () => {
    for (let kept = 0; kept <= MARK_BYTES / 8; kept++) {
      const disk = written();
      let piece = 0;
      disk.crash(() => piece++ < kept, 8);
      const { heard } = run(disk);
      expect(heard.fatal).toBeUndefined();
      expect([...heard.recovered?.values() ?? []]).toEqual(['before', TEXT]);
    }
  });

  it('is not known from a torn one then: what is not proven is cut', () => {
    const disk = written();
    disk.crash(() => false);
    rot(disk, LAST + 50);
    const { heard } = run(disk);
    expect([heard.fatal, ...heard.recovered?.values() ?? []]).toEqual([undefined, 'before']);
  });
});
