import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32.js';
import { CHAIN_START, MARK_BYTES, recordBytes, writeRecord } from './record.js';
import type { ChainPlace } from './record.js';
import { scanSegment } from './scan.js';

describe('crc32', () => {
  it('agrees with zlib on any bytes, and continues', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
        const middle = Math.min(cut, bytes.length);
        const first = crc32(bytes, 0, middle);
        expect(crc32(bytes, middle, bytes.length, first)).toBe(zlibCrc32(bytes));
      }),
    );
  });
});

const EMPTY = new Uint8Array(0);

/** A segment of a mark and `count` empty slots; the place of each record. */
function segment(count: number): { bytes: Uint8Array; view: DataView; places: ChainPlace[] } {
  const bytes = new Uint8Array(1_024);
  const view = new DataView(bytes.buffer);
  const places = [writeRecord(view, 0, { ...CHAIN_START, durable: 0 }, undefined)];
  for (let i = 1; i <= count; i++) {
    const before = places[i - 1] ?? CHAIN_START;
    places.push(writeRecord(view, i * MARK_BYTES, { ...before, durable: 1 }, EMPTY));
  }
  return { bytes, view, places };
}

describe('scanSegment', () => {
  it('reads records up to the zeros', () => {
    const { bytes } = segment(3);
    const scan = scanSegment(bytes, CHAIN_START);
    expect(scan).toMatchObject({ verdict: 'clean', offset: 4 * MARK_BYTES });
    expect(scan.records.map(({ kind, slot }) => [kind, slot])).toEqual([
      ['mark', 0], ['slot', 1], ['slot', 2], ['slot', 3],
    ]);
  });

  it('lets the first mark of the oldest segment tell where the log begins', () => {
    const bytes = new Uint8Array(256);
    const before = { index: 70, slot: 60, crc: 5, durable: 70 };
    writeRecord(new DataView(bytes.buffer), 0, before, undefined);
    expect(scanSegment(bytes, undefined).last).toMatchObject({ index: 71, slot: 60 });
  });

  it('does not take a record whose predecessor is another one, whatever its numbers', () => {
    const { bytes, view, places } = segment(1);
    const forged = { ...(places[1] ?? CHAIN_START), crc: 1234, durable: 1 };
    writeRecord(view, 2 * MARK_BYTES, forged, EMPTY);
    expect(scanSegment(bytes, CHAIN_START)).toMatchObject({
      verdict: 'torn-tail', offset: 2 * MARK_BYTES,
    });
  });

  it('takes a bad record for a torn tail when later ones do not prove that it was on disk', () => {
    const { bytes } = segment(3);
    bytes[2 * MARK_BYTES + 40] = 0xff;
    expect(scanSegment(bytes, CHAIN_START)).toMatchObject({ verdict: 'torn-tail', last: { slot: 1 } });
  });

  it('takes a bad record for damage when a later one was written after its sync', () => {
    const { bytes, view, places } = segment(3);
    const last = places[3] ?? CHAIN_START;
    writeRecord(view, 4 * MARK_BYTES, { ...last, durable: last.index }, new Uint8Array(9));
    bytes[2 * MARK_BYTES + 40] = 0xff;
    expect(scanSegment(bytes, CHAIN_START)).toMatchObject({
      verdict: 'damaged', offset: 2 * MARK_BYTES,
    });
    expect(recordBytes(9)).toBe(64);
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), fc.nat(255), (junk, at, byte) => {
        scanSegment(junk, undefined);
        const { bytes } = segment(3);
        bytes[at] = byte;
        bytes.set(junk, Math.min(at, bytes.length - junk.length));
        const scan = scanSegment(bytes, CHAIN_START);
        expect(scan.offset).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2_000 },
    );
  });
});
