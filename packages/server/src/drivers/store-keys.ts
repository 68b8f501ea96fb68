/**
 * Keys of the state store as bytes, so that LMDB's own order is ours: one byte for the kind, the
 * space's number, then the rest. LMDB takes keys of at most 1,978 bytes, a row's key may be 4,096
 * characters: the tail of a long one is replaced by its SHA-256. The full key stands in the value,
 * so nothing is ever read back from these bytes.
 */
import { createHash } from 'node:crypto';
import type { KeyText, SpaceId } from '@oxbow/sdk/protocol';

export type MetaName = 'layout' | 'history' | 'bound' | 'applied' | 'base' | 'spaces';

const KIND = { meta: 0, space: 1, ledger: 2, entry: 3, row: 4 } as const;
/** Kind and space number. */
const PREFIX_BYTES = 5;
const KEY_BYTES_MAX = 1024;
const KEY_HEAD_BYTES = 992;

/** All keys of one kind in one space: from ≤ key < to. */
export interface KeySpan {
  readonly start: Buffer;
  readonly end: Buffer;
}

export const metaKey = (name: MetaName): Buffer => Buffer.from(`\0${name}`, 'latin1');

const SPACES_KEY = metaKey('spaces');
/** Every space's own record: from ≤ key < to. */
export const SPACES: KeySpan = {
  start: Buffer.from([KIND.space]), end: Buffer.from([KIND.ledger]),
};

/** What belongs to the state and not to the store that keeps it. */
export function isTravelling(key: Buffer): boolean {
  const kind = key[0] ?? KIND.meta;
  return kind === KIND.meta ? key.equals(SPACES_KEY) : kind <= KIND.row;
}

export const isSpaceKey = (key: Buffer): boolean => key[0] === KIND.space;
/** Of a space's own key. */
export const spaceOf = (key: Buffer): string => key.toString('utf8', 1);

export function spaceKey(space: SpaceId): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(space));
  key[0] = KIND.space;
  key.write(space, 1);
  return key;
}

export function ledgerKey(spaceNumber: number, replica: string): Buffer {
  const key = prefixed(KIND.ledger, spaceNumber, Buffer.byteLength(replica));
  key.write(replica, PREFIX_BYTES);
  return key;
}

export function entryKey(spaceNumber: number, csn: number): Buffer {
  const key = prefixed(KIND.entry, spaceNumber, 6);
  key.writeUIntBE(csn, PREFIX_BYTES, 6);
  return key;
}

export function rowKey(spaceNumber: number, table: string, row: KeyText): Buffer {
  const tableBytes = Buffer.byteLength(table);
  const rowBytes = Buffer.byteLength(row);
  if (rowBytes > KEY_BYTES_MAX) return longRowKey(spaceNumber, table, row);
  const key = prefixed(KIND.row, spaceNumber, tableBytes + 1 + rowBytes);
  key.write(table, PREFIX_BYTES);
  key[PREFIX_BYTES + tableBytes] = 0;
  key.write(row, PREFIX_BYTES + tableBytes + 1);
  return key;
}

/** Longer than any plain key, by one byte: the two can never meet. */
function longRowKey(spaceNumber: number, table: string, row: KeyText): Buffer {
  return Buffer.concat([
    prefixed(KIND.row, spaceNumber, 0),
    Buffer.from(`${table}\0`),
    Buffer.from(row).subarray(0, KEY_HEAD_BYTES),
    Buffer.alloc(1),
    createHash('sha256').update(row).digest(),
  ]);
}

export function spanOf(kind: 'ledger' | 'entry' | 'row', spaceNumber: number): KeySpan {
  return {
    start: prefixed(KIND[kind], spaceNumber, 0),
    end: prefixed(KIND[kind], spaceNumber + 1, 0),
  };
}

/** Of a row's key as stored. */
export function tableOf(key: Buffer): string {
  return key.toString('utf8', PREFIX_BYTES, key.indexOf(0, PREFIX_BYTES));
}

function prefixed(kind: number, spaceNumber: number, moreBytes: number): Buffer {
  const key = Buffer.allocUnsafe(PREFIX_BYTES + moreBytes);
  key[0] = kind;
  key.writeUInt32BE(spaceNumber, 1);
  return key;
}
