/**
 * The records of the write-ahead log, and how a reader tells the end from damage.
 *
 * A crash may leave any part of what was written after the last completed sync: half a record, a later record without an
 * earlier one, or what a former run had written at the same place. So a record names its predecessor's checksum (a chain: what
 * does not continue the chain is not part of the log), and each carries `durable`, the index of the last record that was
 * surely on disk when it was written. A bad record is a torn tail unless a later one proves that it had once been on
 * disk: then it is damage, and what follows must not be thrown away. Alagappan et al., "Protocol-Aware Recovery", FAST'18 §3.
 *
 * Marks are records without a payload that take no slot: at the start of a segment, at the start of a run, at a graceful stop.
 */
import { crc32 } from './crc32.js';

/** "OXL1" in the file's (little-endian) order. */
const MAGIC = 0x314c584f;
const HEADER_BYTES = 48;
const KIND_SLOT = 1;
const KIND_MARK = 2;

/** Field offsets. Counters are float64: exact up to 2^53, and one instruction to read. */
const at = { kind: 4, length: 8, previous: 12, index: 16, slot: 24, durable: 32, crc: 40 } as const;

/** Where the chain stands: after the record with this index. A mark carries the slot of the record before it. */
export interface ChainPlace {
  readonly index: number;
  readonly slot: number;
  readonly crc: number;
}

export const CHAIN_START: ChainPlace = { index: 0, slot: 0, crc: 0 };

export interface LogRecord extends ChainPlace {
  readonly kind: 'slot' | 'mark';
  /** Checksum of the record before. */
  readonly previous: number;
  // durable < index
  readonly durable: number;
  readonly payload: Uint8Array;
  readonly offset: number;
  /** Offset of the next record. */
  readonly end: number;
}

const EMPTY = new Uint8Array(0);

/** Room that a record takes: records start at multiples of eight. */
export const recordBytes = (payloadBytes: number): number =>
  (HEADER_BYTES + payloadBytes + 7) & ~7;

export const MARK_BYTES = recordBytes(0);

/** Writes one record at `offset` of `view`'s bytes and answers the chain's new place. `payload` undefined: a mark. */
export function writeRecord(
  view: DataView,
  offset: number,
  before: ChainPlace & { readonly durable: number },
  payload: Uint8Array | undefined,
): ChainPlace {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const body = payload ?? EMPTY;
  const slot = payload === undefined ? before.slot : before.slot + 1;
  view.setUint32(offset, MAGIC, true);
  view.setUint32(offset + at.kind, payload === undefined ? KIND_MARK : KIND_SLOT, true);
  view.setUint32(offset + at.length, body.length, true);
  view.setUint32(offset + at.previous, before.crc, true);
  view.setFloat64(offset + at.index, before.index + 1, true);
  view.setFloat64(offset + at.slot, slot, true);
  view.setFloat64(offset + at.durable, before.durable, true);
  bytes.set(body, offset + HEADER_BYTES);
  const crc = crc32(body, 0, body.length, crc32(bytes, offset, offset + at.crc));
  view.setUint32(offset + at.crc, crc, true);
  return { index: before.index + 1, slot, crc };
}

/** The record at `offset` if one is there whole and sound by itself; whether it continues a chain is another question. */
export function readRecord(view: DataView, offset: number): LogRecord | undefined {
  if (offset + HEADER_BYTES > view.byteLength || view.getUint32(offset, true) !== MAGIC) {
    return undefined;
  }
  const kind = view.getUint32(offset + at.kind, true);
  const length = view.getUint32(offset + at.length, true);
  if (kind !== KIND_SLOT && kind !== KIND_MARK) return undefined;
  // Before any arithmetic on it: garbage may name four gigabytes.
  if (length > view.byteLength - offset - HEADER_BYTES) return undefined;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const payload = bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + length);
  const crc = crc32(payload, 0, length, crc32(bytes, offset, offset + at.crc));
  if (crc !== view.getUint32(offset + at.crc, true)) return undefined;
  return {
    kind: kind === KIND_SLOT ? 'slot' : 'mark',
    index: view.getFloat64(offset + at.index, true),
    slot: view.getFloat64(offset + at.slot, true),
    durable: view.getFloat64(offset + at.durable, true),
    previous: view.getUint32(offset + at.previous, true),
    crc,
    payload,
    offset,
    end: offset + recordBytes(length),
  };
}

/** Whether `record` is the one after `before`. */
export const continues = (before: ChainPlace, record: LogRecord): boolean =>
  record.previous === before.crc &&
  record.index === before.index + 1 &&
  record.slot === before.slot + (record.kind === 'slot' ? 1 : 0);
