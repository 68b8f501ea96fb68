/**
 * LMDB's own pages, read from the file and believed in nothing. LMDB maps the file into memory and
 * trusts it: one flipped bit in a page ends the process with a signal, again at every start, or
 * hides rows without a word. So whoever must know whether a file is sound, or must survive that it
 * is not (the check after an unclean end, the scrub, the export), reads through these functions
 * instead.
 *
 * Layout: `MDB_page`, `MDB_node`, `MDB_meta` in mdb.c as lmdb-js 3 builds it: headers of 24 bytes
 * that carry the page's transaction, offsets counted from behind the header, free lists with runs.
 */
import { damaged } from './store-records.js';

export const PAGE_HEAD_BYTES = 24;
const NODE_HEAD_BYTES = 8;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const KEY_BYTES_MAX = 1_978;
export const META_BYTES = PAGE_HEAD_BYTES + 144;

export const PAGE = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const;
const NODE_IS_BIG = 1;
/** The free list's keys are numbers. */
const FREE_FLAGS = 8;

/** One B+tree: the free list, or the records. */
export interface Tree {
  readonly flags: number;
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** -1: empty. */
  readonly root: number;
}

/** A snapshot's root. */
export interface Meta {
  readonly pageBytes: number;
  readonly free: Tree;
  readonly main: Tree;
  readonly lastPage: number;
  readonly transaction: number;
}

export interface PageBounds {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly transaction: number;
}

export interface BranchNode {
  readonly key: Buffer;
  readonly page: number;
}

export interface LeafNode {
  readonly key: Buffer;
  /** Undefined: it stands on pages of its own, at `overflow`. */
  readonly value: Buffer | undefined;
  readonly overflow: { readonly page: number; readonly bytes: number; readonly pages: number };
}

export function mustHold(condition: boolean, what: string): asserts condition {
  if (!condition) throw damaged(what);
}

/** Both meta pages, the newer one that counts. `second` is read at `pageBytesOf(first)`. */
export function newerMeta(first: Buffer, second: Buffer): Meta {
  const [a, b] = [parseMeta(first, 0), parseMeta(second, 1)];
  mustHold(a.pageBytes === b.pageBytes, 'its meta pages disagree');
  return a.transaction >= b.transaction ? a : b;
}

export function pageBytesOf(first: Buffer): number {
  mustHold(first.length >= META_BYTES, 'the file has no meta page');
  mustHold(first.readUInt32LE(PAGE_HEAD_BYTES) === MAGIC, 'the file is not an LMDB file');
  const bytes = first.readUInt32LE(PAGE_HEAD_BYTES + 24);
  mustHold(bytes >= 512 && bytes <= 65_536 && Number.isInteger(Math.log2(bytes)), 'odd page size');
  return bytes;
}

function parseMeta(page: Buffer, number: number): Meta {
  const pageBytes = pageBytesOf(page);
  const at = PAGE_HEAD_BYTES;
  mustHold((page.readUInt32LE(at + 4) & 0xffff) === DATA_VERSION, 'unknown LMDB format');
  mustHold((page.readUInt16LE(18) & PAGE.meta) !== 0, `page ${number} is no meta page`);
  const meta = {
    pageBytes,
    free: parseTree(page, at + 24),
    main: parseTree(page, at + 72),
    lastPage: wide(page, at + 120),
    transaction: wide(page, at + 128),
  };
  const mapBytes = wide(page, at + 16);
  mustHold(mapBytes < 2 ** 47 && mapBytes >= (meta.lastPage + 1) * pageBytes, 'odd map size');
  mustHold(meta.free.flags === FREE_FLAGS && meta.main.flags === 0, 'odd flags of a tree');
  return meta;
}

function parseTree(page: Buffer, at: number): Tree {
  const root = page.readBigUInt64LE(at + 40) === 0xffff_ffff_ffff_ffffn ? -1 : wide(page, at + 40);
  const depth = page.readUInt16LE(at + 6);
  const entries = wide(page, at + 32);
  mustHold((root === -1) === (depth === 0) && (depth > 0 || entries === 0), 'odd tree');
  return {
    flags: page.readUInt16LE(at + 4),
    depth, entries, root,
    branchPages: wide(page, at + 8),
    leafPages: wide(page, at + 16),
    overflowPages: wide(page, at + 24),
  };
}

/** Checks a page's head against what led to it. */
export function mustBePage(page: Buffer, number: number, kind: number, bounds: PageBounds): void {
  mustHold(number >= 2 && number <= bounds.lastPage, `page ${number} does not exist`);
  mustHold(wide(page, 0) === number, `page ${number} is another one`);
  mustHold(wide(page, 8) <= bounds.transaction, `page ${number} is newer than its snapshot`);
  mustHold(page.readUInt16LE(18) === kind, `page ${number} is of another kind`);
}

export function branchNodes(page: Buffer, number: number): BranchNode[] {
  return nodesOf(page, number).map((at) => {
    const child = page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 2 ** 32;
    return { key: keyAt(page, at), page: child };
  });
}

export function leafNodes(page: Buffer, number: number): LeafNode[] {
  return nodesOf(page, number).map((at) => {
    const bytes = page.readUInt32LE(at);
    const key = keyAt(page, at);
    mustHold(key.length > 0 && key.length <= KEY_BYTES_MAX, `a key of page ${number} has no size`);
    const from = at + NODE_HEAD_BYTES + key.length;
    if (!isBig(page, at)) {
      return { key, value: page.subarray(from, from + bytes), overflow: NO_OVERFLOW };
    }
    const overflow = { page: wide(page, from), bytes, pages: wide(page, from + 16) };
    mustHold(overflow.pages === pagesFor(bytes, page.length), `a value's size in page ${number} is odd`);
    return { key, value: undefined, overflow };
  });
}

const NO_OVERFLOW = { page: 0, bytes: 0, pages: 0 };

function pagesFor(bytes: number, pageBytes: number): number {
  return Math.floor((PAGE_HEAD_BYTES - 1 + bytes) / pageBytes) + 1;
}

/** Where the nodes of a page begin; they fill its end without gaps, however they lie there. */
function nodesOf(page: Buffer, number: number): number[] {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  const room = page.length - PAGE_HEAD_BYTES;
  const isSane = lower % 2 === 0 && lower > 0 && lower <= upper && upper <= room;
  mustHold(isSane, `page ${number} has no order`);
  const isLeaf = page.readUInt16LE(18) === PAGE.leaf;
  const nodes: number[] = [];
  let used = 0;
  for (let slot = 0; slot < lower; slot += 2) {
    const at = page.readUInt16LE(PAGE_HEAD_BYTES + slot);
    mustHold(at >= upper && at + NODE_HEAD_BYTES <= room, `a node of page ${number} lies outside`);
    const bytes = nodeBytes(page, PAGE_HEAD_BYTES + at, isLeaf);
    mustHold(at + bytes <= room, `a node of page ${number} leaves it`);
    used += bytes + (bytes & 1);
    nodes.push(PAGE_HEAD_BYTES + at);
  }
  mustHold(used === room - upper, `the nodes of page ${number} do not fill it`);
  return nodes;
}

function nodeBytes(page: Buffer, at: number, isLeaf: boolean): number {
  const keyBytes = page.readUInt16LE(at + 6);
  if (!isLeaf) return NODE_HEAD_BYTES + keyBytes;
  const flags = page.readUInt16LE(at + 4);
  mustHold(flags === 0 || flags === NODE_IS_BIG, 'a node has flags that we never give');
  return NODE_HEAD_BYTES + keyBytes + (flags === NODE_IS_BIG ? 24 : page.readUInt32LE(at));
}

const isBig = (page: Buffer, at: number): boolean => page.readUInt16LE(at + 4) === NODE_IS_BIG;

const keyAt = (page: Buffer, at: number): Buffer =>
  page.subarray(at + NODE_HEAD_BYTES, at + NODE_HEAD_BYTES + page.readUInt16LE(at + 6));

/**
 * Runs of free pages in a record of the free list: a length below zero stands before the first page
 * of a run.
 */
export function freeRuns(value: Buffer): { readonly page: number; readonly pages: number }[] {
  const count = value.length < 8 ? -1 : wide(value, 0);
  mustHold(count >= 0 && (count + 1) * 8 <= value.length, 'a free list is longer than its record');
  const runs: { page: number; pages: number }[] = [];
  for (let index = 1; index <= count; index++) {
    const entry = Number(value.readBigInt64LE(index * 8));
    if (entry === 0) continue;
    if (entry > 0) runs.push({ page: entry, pages: 1 });
    else if (++index <= count) runs.push({ page: wide(value, index * 8), pages: -entry });
  }
  return runs;
}

/** A number of 64 bits, which must be one that counts exactly. */
export function wide(page: Buffer, at: number): number {
  const high = page.readUInt32LE(at + 4);
  mustHold(high < 2 ** 21, 'a number is too large to be true');
  return page.readUInt32LE(at) + high * 2 ** 32;
}
