/**
 * A record of the state store: a key, and a text behind eight hexadecimal digits of CRC-32 over key
 * and text. The key is covered too, for rot moves records as well as it changes them.
 *
 * A checksum finds what is wrong, not what is missing, and a tree whose inner page is damaged hides
 * whole runs of records. So a space's own record carries the number of its rows and ledger lines
 * and the sum of their checksums, and the store knows which spaces there are.
 */
import { crc32 } from 'node:zlib';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { SpaceHead } from '../space/state-store.js';

export const SEAL_CHARS = 8;

/** What stands under a space's name. */
export interface SpaceRecord extends SpaceHead {
  /** Stands for the space in keys. Counts from 1, never given twice. */
  readonly number: number;
  /** csn of the oldest kept entry. */
  readonly first: number;
  /** Characters of the kept entries. */
  readonly chars: number;
  /** Rows and ledger lines. */
  readonly count: number;
  /** Of their checksums, modulo 2³². */
  readonly sum: number;
}

/** A frozen view of records, in key order. */
export interface RecordView {
  get(key: Buffer): string | undefined;
  range(start: Buffer, end: Buffer): Iterable<{ readonly key: Buffer; readonly value: string }>;
}

export function sealRecord(key: Uint8Array, text: string): string {
  return crc32(text, crc32(key)).toString(16).padStart(SEAL_CHARS, '0') + text;
}

/** The text within. Errors: `store-damaged`. */
export function openRecord(key: Uint8Array, value: string): string {
  const text = value.slice(SEAL_CHARS);
  if (crc32(text, crc32(key)) !== sealOf(value)) throw damaged('a record is not what was written');
  return text;
}

/** The same of bytes, without making a text of them. */
export function isSound(key: Uint8Array, value: Buffer): boolean {
  if (value.length < SEAL_CHARS) return false;
  return sealOfBytes(value) === crc32(value.subarray(SEAL_CHARS), crc32(key));
}

/** NaN if they are no digits. */
export function sealOfBytes(value: Uint8Array): number {
  let seal = 0;
  for (let at = 0; at < SEAL_CHARS; at++) {
    const code = value[at] ?? 0;
    if (code >= 48 && code <= 57) seal = seal * 16 + code - 48;
    else seal = code >= 97 && code <= 102 ? seal * 16 + code - 87 : NaN;
  }
  return seal;
}

export const sealOf = (value: string): number => parseInt(value.slice(0, SEAL_CHARS), 16);

/** Errors: `store-damaged`. */
export function readSpaceRecord(key: Buffer, value: string): SpaceRecord {
  // reason: the checksum says that it is what the store wrote.
  return JSON.parse(openRecord(key, value)) as SpaceRecord;
}

export function damaged(what: string, cause?: unknown): OxbowError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new OxbowError(
    'store-damaged',
    `The state store is damaged: ${what}${why}. Restore the data directory from a backup; ` +
      'in a cluster the node takes its state from another.',
    { cause },
  );
}
