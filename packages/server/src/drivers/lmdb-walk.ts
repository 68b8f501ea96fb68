/**
 * Walks the records of an LMDB file in key order by reading the file, not the map: what is damaged
 * comes out as `store-damaged` with the page's number, never as a signal. A walk sees one snapshot;
 * while LMDB writes to the file, a read transaction taken before must pin it. Pages that lie side
 * by side are read together.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { OxbowError } from '@oxbow/sdk/protocol';
import {
  branchNodes, freeRuns, leafNodes, META_BYTES, mustBePage, mustHold, newerMeta, PAGE,
  PAGE_HEAD_BYTES, pageBytesOf,
  type BranchNode, type LeafNode, type Meta, type Tree,
} from './lmdb-pages.js';
import type { Pace } from './pace.js';
import { damaged } from './store-records.js';

export interface PageRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Keys of a page lie between its parent's separators: from ≤ key < to. */
interface Expected {
  readonly page: number;
  readonly level: number;
  readonly from: Buffer | undefined;
  readonly to: Buffer | undefined;
}

/** One read at most. */
const RUN_BYTES_MAX = 1024 * 1024;
const LEAVES_AHEAD = 64;

export class PageFile {
  readonly meta: Meta;
  readonly #descriptor: number;
  #walks = 0;
  #isClosing = false;

  /** Undefined: there is no store yet. Errors: `store-damaged`. */
  static open(folder: string): PageFile | undefined {
    const path = join(folder, 'data.mdb');
    const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0) return undefined;
    const descriptor = fs.openSync(path, 'r');
    try {
      return new PageFile(descriptor);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
    const first = readSync(descriptor, 0);
    this.meta = newerMeta(first, readSync(descriptor, pageBytesOf(first)));
  }

  get bytes(): number {
    return (this.meta.lastPage + 1) * this.meta.pageBytes;
  }

  close(): void {
    this.#isClosing = true;
    if (this.#walks === 0) fs.closeSync(this.#descriptor);
  }

  /** Records after `after` (undefined: all), a page's worth at a time. Errors: `store-damaged`. */
  records(pace: Pace, after?: Buffer): AsyncGenerator<PageRecord[]> {
    return this.#guarded(new TreeWalk(this, this.meta.main, Buffer.compare).records(after), pace);
  }

  /**
   * Everything that LMDB would rely on: each page's place, order and count, and that no page is in
   * use and free at once. `visit` judges the records. Errors: `store-damaged`.
   */
  async check(pace: Pace, visit: (records: readonly PageRecord[]) => void): Promise<void> {
    const used = new PageSet(this.meta.lastPage);
    const main = new TreeWalk(this, this.meta.main, Buffer.compare, used);
    for await (const records of this.#guarded(main.records(undefined), pace)) visit(records);
    main.mustBeWhole();
    const free = new TreeWalk(this, this.meta.free, compareNumbers, used);
    const runs: { page: number; pages: number }[] = [];
    for await (const records of this.#guarded(free.records(undefined), pace)) {
      for (const { value } of records) runs.push(...freeRuns(value));
    }
    free.mustBeWhole();
    for (const { page, pages } of runs) {
      const isInside = page >= 2 && pages > 0 && page + pages - 1 <= this.meta.lastPage;
      mustHold(isInside, `free page ${page} does not exist`);
      for (let at = page; at < page + pages; at++) {
        mustHold(!used.has(at), `page ${at} is used and free`);
      }
    }
  }

  /** Pages by number, as they lie in the file; neighbours are read at once. */
  async read(pages: readonly number[]): Promise<ReadonlyMap<number, Buffer>> {
    const { pageBytes, lastPage } = this.meta;
    const sorted = [...pages].sort((a, b) => a - b);
    const found = new Map<number, Buffer>();
    for (let index = 0; index < sorted.length;) {
      const first = sorted[index] ?? 0;
      mustHold(first >= 2 && first <= lastPage, `page ${first} does not exist`);
      let count = 1;
      const countMax = Math.min(sorted.length - index, RUN_BYTES_MAX / pageBytes);
      while (count < countMax && sorted[index + count] === first + count) count++;
      const bytes = await this.readRun(first, count);
      for (let at = 0; at < count; at++) {
        found.set(first + at, bytes.subarray(at * pageBytes, (at + 1) * pageBytes));
      }
      index += count;
    }
    return found;
  }

  readRun(page: number, count: number): Promise<Buffer> {
    const { pageBytes, lastPage } = this.meta;
    mustHold(page >= 2 && page + count - 1 <= lastPage, `page ${page} does not exist`);
    const bytes = Buffer.allocUnsafeSlow(count * pageBytes);
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, bytes, 0, bytes.length, page * pageBytes, (error, read) => {
        if (error !== null) reject(damaged(`page ${page} cannot be read (${error.message})`));
        else if (read < bytes.length) reject(damaged('the file has lost its end'));
        else resolve(bytes);
      });
    });
  }

  /** The file stays open for as long as somebody walks. */
  async *#guarded(
    walk: AsyncGenerator<PageRecord[]>, pace: Pace,
  ): AsyncGenerator<PageRecord[]> {
    this.#walks += 1;
    try {
      for await (const records of walk) {
        if (this.#isClosing) {
          throw new OxbowError('store-closed', 'The state was closed while it was read.');
        }
        yield records;
        await pace.maybeRest();
      }
    } finally {
      this.#walks -= 1;
      if (this.#isClosing && this.#walks === 0) fs.closeSync(this.#descriptor);
    }
  }
}

type Compare = (a: Buffer, b: Buffer) => number;

class TreeWalk {
  readonly #file: PageFile;
  readonly #tree: Tree;
  readonly #compare: Compare;
  readonly #used: PageSet | undefined;
  #branchPages = 0;
  #leafPages = 0;
  #overflowPages = 0;
  #entries = 0;

  constructor(file: PageFile, tree: Tree, compare: Compare, used?: PageSet) {
    this.#file = file;
    this.#tree = tree;
    this.#compare = compare;
    this.#used = used;
  }

  async *records(after: Buffer | undefined): AsyncGenerator<PageRecord[]> {
    const { root } = this.#tree;
    if (root === -1) return;
    const page = (await this.#file.read([root])).get(root);
    mustHold(page !== undefined, 'its root is missing');
    yield* this.#below(page, { page: root, level: 1, from: undefined, to: undefined }, after);
  }

  /** What the snapshot's root says must have been found, or a part of the tree was skipped. */
  mustBeWhole(): void {
    const { branchPages, leafPages, overflowPages, entries } = this.#tree;
    const isWhole = branchPages === this.#branchPages && leafPages === this.#leafPages &&
      overflowPages === this.#overflowPages && entries === this.#entries;
    mustHold(isWhole, 'records are missing, or there are too many');
  }

  async *#below(
    page: Buffer, at: Expected, after: Buffer | undefined,
  ): AsyncGenerator<PageRecord[]> {
    const isLeaf = at.level === this.#tree.depth;
    mustBePage(page, at.page, isLeaf ? PAGE.leaf : PAGE.branch, this.#file.meta);
    this.#take(at.page, 1);
    if (isLeaf) {
      const records = await this.#leaf(page, at, after);
      if (records.length > 0) yield records;
      return;
    }
    this.#branchPages += 1;
    const children = this.#children(page, at).filter(({ to }) =>
      after === undefined || to === undefined || this.#compare(to, after) > 0);
    // Many leaves are wanted soon; of inner pages one, before all that is below it.
    const ahead = at.level + 1 === this.#tree.depth ? LEAVES_AHEAD : 1;
    for (let index = 0; index < children.length; index += ahead) {
      const group = children.slice(index, index + ahead);
      const pages = await this.#file.read(group.map((child) => child.page));
      for (const child of group) {
        const below = pages.get(child.page);
        mustHold(below !== undefined, `page ${child.page} is missing`);
        yield* this.#below(below, child, after);
      }
    }
  }

  #children(page: Buffer, at: Expected): Expected[] {
    const nodes = branchNodes(page, at.page);
    mustHold(nodes.length > 1, `page ${at.page} has no order`);
    return nodes.map((node, index) => {
      const from = index === 0 ? at.from : this.#within(node, at);
      const next = nodes[index + 1];
      const to = next === undefined ? at.to : next.key;
      const isOrdered = from === undefined || to === undefined || this.#compare(from, to) < 0;
      mustHold(isOrdered, `page ${at.page} is out of order`);
      return { page: node.page, level: at.level + 1, from, to };
    });
  }

  #within({ key }: BranchNode, { page, from, to }: Expected): Buffer {
    const isInside = (from === undefined || this.#compare(from, key) <= 0) &&
      (to === undefined || this.#compare(key, to) < 0);
    mustHold(isInside, `page ${page} is out of order`);
    return key;
  }

  async #leaf(page: Buffer, at: Expected, after: Buffer | undefined): Promise<PageRecord[]> {
    this.#leafPages += 1;
    const nodes = leafNodes(page, at.page);
    this.#entries += nodes.length;
    this.#mustAscend(nodes, at);
    const records: PageRecord[] = [];
    for (const node of nodes) {
      if (after !== undefined && this.#compare(node.key, after) <= 0) continue;
      const value = node.value ?? await this.#overflow(node);
      records.push({ key: node.key, value });
    }
    return records;
  }

  #mustAscend(nodes: readonly LeafNode[], { page, from, to }: Expected): void {
    let former: Buffer | undefined;
    for (const { key } of nodes) {
      const isAbove = former === undefined
        ? from === undefined || this.#compare(from, key) <= 0
        : this.#compare(former, key) < 0;
      const isBelow = to === undefined || this.#compare(key, to) < 0;
      mustHold(isAbove && isBelow, `page ${page} is out of order`);
      former = key;
    }
  }

  async #overflow({ overflow }: LeafNode): Promise<Buffer> {
    const { page, pages, bytes } = overflow;
    const run = await this.#file.readRun(page, pages);
    mustBePage(run, page, PAGE.overflow, this.#file.meta);
    mustHold(run.readUInt32LE(20) === pages, `page ${page} has another length`);
    this.#take(page, pages);
    this.#overflowPages += pages;
    return run.subarray(PAGE_HEAD_BYTES, PAGE_HEAD_BYTES + bytes);
  }

  #take(page: number, count: number): void {
    for (let at = page; at < page + count; at++) this.#used?.mustAdd(at);
  }
}

/** A bit per page. */
class PageSet {
  readonly #bits: Uint8Array;

  constructor(lastPage: number) {
    this.#bits = new Uint8Array((lastPage >>> 3) + 1);
  }

  has(page: number): boolean {
    return ((this.#bits[page >>> 3] ?? 0) & (1 << (page & 7))) !== 0;
  }

  mustAdd(page: number): void {
    mustHold(!this.has(page), `page ${page} is used twice`);
    this.#bits[page >>> 3] = (this.#bits[page >>> 3] ?? 0) | (1 << (page & 7));
  }
}

const compareNumbers: Compare = (a, b) => {
  mustHold(a.length === 8 && b.length === 8, 'the free list has odd keys');
  return Number(a.readBigUInt64LE() - b.readBigUInt64LE());
};

function readSync(descriptor: number, offset: number): Buffer {
  const bytes = Buffer.alloc(META_BYTES);
  const read = fs.readSync(descriptor, bytes, 0, META_BYTES, offset);
  mustHold(read === META_BYTES, 'the file has lost its end');
  return bytes;
}
