/**
 * The records of the write-ahead log, and how a reader tells the end from damage.
 *
 * A crash may leave any part of what was written after the last completed sync: half a record, a
 * later record without an earlier one, or what a former run, or a former life of a recycled file,
 * had written at the same place. So a record names its predecessor's checksum (a chain: what does
 * not continue the chain is not part of the log), and each carries `durable`, the last link of the
 * chain that was surely on disk when it was written. A bad record is a torn tail unless a later
 * one proves that it had once been on disk: then it is damage, and what follows must not be thrown
 * away. Alagappan et al., "Protocol-Aware Recovery", FAST'18 §3.
 *
 * Marks are links of the chain that are no records: at the start of a segment and of a run, before
 * segments are given up, at a graceful stop, and, without a sync of its own, after the last group
 * when nothing follows at once. An end mark says that the log goes on in the next
 * segment, so that the loss of that file is noticed.
 */
import { crc32 } from './crc32.js';

/** "OXL" and the layout's number, in the file's (little-endian) order. */
const MAGIC = 0x324c584f;
/** What all layouts have in common. */
const MAGIC_STEM = 0x004c584f;
export const HEADER_BYTES = 48;

const kinds = { record: 1, mark: 2, end: 3 } as const;
export type LinkKind = keyof typeof kinds;
const KIND_NAMES: readonly (LinkKind | undefined)[] = [undefined, 'record', 'mark', 'end'];

/** Field offsets. Counters are float64: exact up to 2^53, and one instruction to read. */
const at = { kind: 4, length: 8, previous: 12, link: 16, index: 24, durable: 32, crc: 40 } as const;

/** Where the chain stands. */
export interface ChainPlace {
  /** Records and marks so far. */
  readonly link: number;
  /** Records so far. */
  readonly index: number;
  /** Checksum of the last link. */
  readonly crc: number;
}

export const CHAIN_START: ChainPlace = { link: 0, index: 0, crc: 0 };

/**
 * The growing end of a chain: changed in place, for there is one for each of many thousand records
 * a second.
 */
export interface ChainEnd {
  link: number;
  index: number;
  crc: number;
  // durable ≤ link
  durable: number;
}

export interface ChainLink extends ChainPlace {
  readonly kind: LinkKind;
  /** Checksum of the link before. */
  readonly previous: number;
  // durable < link
  readonly durable: number;
  /** A record's own bytes. Of a mark: see `keptFrom`. */
  readonly payload: Uint8Array;
  readonly offset: number;
  /** Offset of the next link. */
  readonly end: number;
}

/** A file's bytes with the view that reads numbers in them. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export const bytesOf = (bytes: Uint8Array): Bytes => ({
  bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
});

/** Room that a link takes: links start at multiples of eight. */
export const recordBytes = (payloadBytes: number): number =>
  (HEADER_BYTES + payloadBytes + 7) & ~7;

/** A mark's payload: the first record that is still needed. */
const MARK_PAYLOAD_BYTES = 8;
export const MARK_BYTES = recordBytes(MARK_PAYLOAD_BYTES);

/** First half of writing: what is known before its turn to be written has come. */
export function draftLink(view: DataView, offset: number, kind: LinkKind, length: number): void {
  view.setUint32(offset, MAGIC, true);
  view.setUint32(offset + at.kind, kinds[kind], true);
  view.setUint32(offset + at.length, length, true);
}

/** Drafts a mark whole. Records before `keepFrom` are not needed any more. */
export function draftMark(
  view: DataView, offset: number, kind: 'mark' | 'end', keepFrom: number,
): void {
  draftLink(view, offset, kind, MARK_PAYLOAD_BYTES);
  view.setFloat64(offset + HEADER_BYTES, keepFrom, true);
}

/** Room that the drafted link at `offset` takes. */
export const draftBytes = (view: DataView, offset: number): number =>
  recordBytes(view.getUint32(offset + at.length, true));

/**
 * Second half: makes the draft at `offset` the next link of the chain, and answers its end. Only
 * now, since `durable` must be as new as the write itself: an older one would prove less.
 */
export function sealLink({ bytes, view }: Bytes, offset: number, chain: ChainEnd): number {
  const length = view.getUint32(offset + at.length, true);
  chain.link += 1;
  if (view.getUint32(offset + at.kind, true) === kinds.record) chain.index += 1;
  view.setUint32(offset + at.previous, chain.crc, true);
  view.setFloat64(offset + at.link, chain.link, true);
  view.setFloat64(offset + at.index, chain.index, true);
  view.setFloat64(offset + at.durable, chain.durable, true);
  chain.crc = checksum(bytes, offset, length);
  // The word after it is padding: zero, as the buffer has been used before.
  view.setUint32(offset + at.crc, chain.crc, true);
  view.setUint32(offset + at.crc + 4, 0, true);
  const end = offset + recordBytes(length);
  bytes.fill(0, offset + HEADER_BYTES + length, end);
  return end;
}

/**
 * The link at `offset` if one is there whole and sound by itself; whether it continues a chain is
 * another question.
 */
export function readLink({ bytes, view }: Bytes, offset: number): ChainLink | undefined {
  if (offset + HEADER_BYTES > view.byteLength || view.getUint32(offset, true) !== MAGIC) {
    return undefined;
  }
  const kind = KIND_NAMES[view.getUint32(offset + at.kind, true)];
  const length = view.getUint32(offset + at.length, true);
  if (kind === undefined) return undefined;
  // Before any arithmetic on it: garbage may name four gigabytes.
  if (length > view.byteLength - offset - HEADER_BYTES) return undefined;
  if (kind !== 'record' && length !== MARK_PAYLOAD_BYTES) return undefined;
  const crc = checksum(bytes, offset, length);
  if (crc !== view.getUint32(offset + at.crc, true)) return undefined;
  return {
    kind,
    link: view.getFloat64(offset + at.link, true),
    index: view.getFloat64(offset + at.index, true),
    durable: view.getFloat64(offset + at.durable, true),
    previous: view.getUint32(offset + at.previous, true),
    crc,
    payload: bytes.subarray(offset + HEADER_BYTES, offset + HEADER_BYTES + length),
    offset,
    end: offset + recordBytes(length),
  };
}

/** What a mark says: records before this index were not needed any more. */
export const keptFrom = ({ payload }: ChainLink): number =>
  bytesOf(payload).view.getFloat64(0, true);

/** Whether `link` is the one after `before`. */
export const continues = (before: ChainPlace, link: ChainLink): boolean =>
  link.previous === before.crc &&
  link.link === before.link + 1 &&
  link.index === before.index + (link.kind === 'record' ? 1 : 0);

/** Whether the bytes start like a log that another version of this program has written. */
export function isOtherLayout(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = bytesOf(bytes).view.getUint32(0, true);
  const number = String.fromCharCode(magic >>> 24);
  return magic !== MAGIC && (magic & 0xffffff) === MAGIC_STEM && /\d/.test(number);
}

function checksum(bytes: Uint8Array, offset: number, length: number): number {
  const head = crc32(bytes, offset, offset + at.crc);
  const payload = offset + HEADER_BYTES;
  return crc32(bytes, payload, payload + length, head);
}
