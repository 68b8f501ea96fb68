/**
 * LMDB maps its file into memory and trusts it: a file that is something else, or that lost its end, ends the process
 * with a signal instead of an error. So its two meta pages are looked at before it is opened (layout: `MDB_meta` in
 * lmdb's mdb.c, as lmdb-js 3 writes it). Rot inside pages is not found here.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';

const META_AT = 24;
const MAGIC = 0xbeefc0de;
const PAGE_BYTES_AT = META_AT + 24;
const LAST_PAGE_AT = META_AT + 120;
const HEAD_BYTES = LAST_PAGE_AT + 8;

/** What is wrong with the file in that folder; undefined if nothing, or if there is none yet. */
export function findDamage(folder: string): string | undefined {
  const path = join(folder, 'data.mdb');
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return undefined;
  const descriptor = fs.openSync(path, 'r');
  try {
    const first = readHead(descriptor, 0);
    if (first.readUInt32LE(META_AT) !== MAGIC) return `'${path}' is not an LMDB file`;
    const pageBytes = first.readUInt32LE(PAGE_BYTES_AT);
    const second = readHead(descriptor, pageBytes);
    if (second.readUInt32LE(META_AT) !== MAGIC) return `'${path}' has no second meta page`;
    const pages = 1 + Math.max(...[first, second].map((head) => lastPage(head)));
    // Pages that were taken and given back in one transaction are counted and never written: hence the half.
    if (size * 2 < pages * pageBytes) return `'${path}' has lost its end`;
    return undefined;
  } finally {
    fs.closeSync(descriptor);
  }
}

function readHead(descriptor: number, offset: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  fs.readSync(descriptor, head, 0, HEAD_BYTES, offset);
  return head;
}

function lastPage(head: Buffer): number {
  return Number(head.readBigUInt64LE(LAST_PAGE_AT));
}
