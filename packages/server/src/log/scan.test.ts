import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32.js';
import {
  CHAIN_START, MARK_BYTES, bytesOf, draftLink, draftMark, recordBytes, sealLink,
} from './record.js';
import type { Bytes, ChainEnd, ChainPlace } from './record.js';
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

const EMPTY_BYTES = recordBytes(0);

function record(segment: Bytes, offset: number, chain: ChainEnd, length = 0): void {
  draftLink(segment.view, offset, 'record', length);
  sealLink(segment, offset, chain);
}

/**
 * A segment of a mark and `count` empty records; the chain's end, and the offset after each link.
 */
function segment(count: number): { file: Bytes; chain: ChainEnd; ends: number[] } {
  const file = bytesOf(new Uint8Array(1_024));
  const chain: ChainEnd = { ...CHAIN_START, durable: 0 };
  draftMark(file.view, 0, 'mark', 1);
  const ends = [sealLink(file, 0, chain)];
  chain.durable = 1;
  for (let i = 0; i < count; i++) {
    const offset = MARK_BYTES + i * EMPTY_BYTES;
    record(file, offset, chain);
    ends.push(offset + EMPTY_BYTES);
  }
  return { file, chain, ends };
}

describe('scanSegment', () => {
  it('reads links up to the zeros', () => {
    const { file, ends } = segment(3);
    const scan = scanSegment(file.bytes, CHAIN_START);
    expect(scan).toMatchObject({ isDamaged: false, offset: ends[3] });
    expect(scan.links.map(({ kind, index }) => [kind, index])).toEqual([
      ['mark', 0], ['record', 1], ['record', 2], ['record', 3],
    ]);
  });

  it('lets the first mark of the oldest segment tell where the log begins', () => {
    const file = bytesOf(new Uint8Array(256));
    draftMark(file.view, 0, 'mark', 60);
    sealLink(file, 0, { link: 70, index: 60, crc: 5, durable: 70 });
    expect(scanSegment(file.bytes, undefined).last).toMatchObject({ link: 71, index: 60 });
  });

  it('does not take a record whose predecessor is another one, whatever its numbers', () => {
    const { file, chain, ends } = segment(1);
    record(file, ends[1] ?? 0, { ...chain, crc: 1234 });
    expect(scanSegment(file.bytes, CHAIN_START)).toMatchObject({ isDamaged: false, offset: ends[1] });
  });

  it('reads nothing behind an end mark, whatever a former life of the file left there', () => {
    const { file, chain, ends } = segment(2);
    draftMark(file.view, ends[1] ?? 0, 'end', 1);
    const before: ChainPlace = { link: 2, index: 1, crc: file.view.getUint32(MARK_BYTES + 40, true) };
    const end = sealLink(file, ends[1] ?? 0, { ...before, durable: 2 });
    record(file, end, chain);
    const scan = scanSegment(file.bytes, CHAIN_START);
    expect(scan).toMatchObject({ isDamaged: false, offset: end });
    expect(scan.links.map(({ kind }) => kind)).toEqual(['mark', 'record', 'end']);
  });

  it('takes a bad record for a torn tail when later ones do not prove that it was on disk', () => {
    const { file, ends } = segment(3);
    file.bytes[(ends[1] ?? 0) + 40] = 0xff;
    expect(scanSegment(file.bytes, CHAIN_START)).toMatchObject({
      isDamaged: false, last: { index: 1 },
    });
  });

  it('takes a bad record for damage when a later one was written after its sync', () => {
    const { file, chain, ends } = segment(3);
    record(file, ends[3] ?? 0, { ...chain, durable: chain.link }, 9);
    file.bytes[(ends[1] ?? 0) + 40] = 0xff;
    expect(scanSegment(file.bytes, CHAIN_START)).toMatchObject({ isDamaged: true, offset: ends[1] });
    expect(recordBytes(9)).toBe(64);
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), fc.nat(255), (junk, at, byte) => {
        scanSegment(junk, undefined);
        const { bytes } = segment(3).file;
        bytes[at] = byte;
        bytes.set(junk, Math.min(at, bytes.length - junk.length));
        const scan = scanSegment(bytes, CHAIN_START);
        expect(scan.offset).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2_000 },
    );
  });
});
