/**
 * What the tentative updates have written, laid over the committed base: for each row the versions
 * in log order, each marked with the update that wrote it. A reader at rank r sees the newest
 * version below r, else the base. So the tentative view (r = ∞), the committed view (the base
 * itself) and the view of any update in the middle of the log can be read at any time, none is a
 * copy, and an update is undone by taking its versions out. (Multi-version storage as in Spanner
 * §4, with positions of a log in place of timestamps.)
 */
import type { IndexHit, IndexShape, Reader, Shapes } from '../model/index.js';
import { PRIMARY } from '../model/index.js';
import { invariant } from '../protocol/index.js';
import type { KeyText, Row } from '../protocol/index.js';
import type { LogEntry } from './log.js';
import { PlaceOrder } from './place-order.js';
import { firstAtOrAbove, versionBelow } from './version.js';
import type { TentativeRow, Version, Versions } from './version.js';

/** The tentative rows of one table. */
class TableOverlay {
  readonly rows = new Map<KeyText, TentativeRow>();
  /** By index, those that are scanned. */
  readonly orders = new Map<string, PlaceOrder>();
  /** What some order has not seen yet. */
  journal: TentativeRow[] = [];

  changed(row: TentativeRow): void {
    if (this.orders.size === 0) return;
    this.journal.push(row);
    if (this.journal.length <= JOURNAL_MIN + 2 * this.rows.size) return;
    // An order that is no longer scanned is made anew when it is needed.
    this.orders.clear();
    this.journal = [];
  }

  upToDate(index: string, shape: IndexShape | undefined): PlaceOrder {
    let order = this.orders.get(index);
    if (order === undefined) {
      order = new PlaceOrder(shape, this.rows);
      order.read = this.journal.length;
      this.orders.set(index, order);
    } else if (order.read < this.journal.length) {
      order.catchUp(this.journal);
      this.#trim();
    }
    return order;
  }

  /** Once every order has seen it all. */
  #trim(): void {
    const { length } = this.journal;
    for (const { read } of this.orders.values()) if (read < length) return;
    this.journal = [];
    for (const order of this.orders.values()) order.read = 0;
  }
}

/** A journal may be so long, and as long as twice the rows. */
const JOURNAL_MIN = 1024;

export class Overlay {
  readonly #shapes: Shapes;
  readonly #base: () => Reader;
  readonly #tables = new Map<string, TableOverlay>();
  /** The tentative view. */
  readonly top: Reader;

  constructor(shapes: Shapes, base: () => Reader) {
    this.#shapes = shapes;
    this.#base = base;
    this.top = this.readerAt(Infinity);
  }

  versions(table: string, key: KeyText): Versions | undefined {
    return this.#tables.get(table)?.rows.get(key)?.versions;
  }

  /** Rows of the table that tentative updates have written. */
  tentative(table: string): Iterable<TentativeRow> {
    return this.#tables.get(table)?.rows.values() ?? [];
  }

  /** What this update wrote there: a row, null for a deletion, undefined for nothing. */
  written(table: string, key: KeyText, entry: LogEntry): Row | null | undefined {
    const versions = this.versions(table, key);
    if (versions === undefined) return undefined;
    const version = versions[firstAtOrAbove(versions, entry.rank)];
    return version?.entry === entry ? version.row : undefined;
  }

  /** The row as a reader at that rank sees it. */
  rowBelow(table: string, key: KeyText, rank: number): Row | undefined {
    const versions = this.versions(table, key);
    const version = versions === undefined ? undefined : versionBelow(versions, rank);
    if (version === undefined) return this.#base().row(table, key);
    return version.row ?? undefined;
  }

  /** Adds the version that this update writes, or replaces the one that it wrote before. */
  put(table: string, key: KeyText, version: Version): void {
    const overlay = this.#tables.get(table) ?? this.#create(table);
    let row = overlay.rows.get(key);
    if (row === undefined) {
      row = { key, versions: [version] };
      overlay.rows.set(key, row);
    } else {
      const { versions } = row;
      const top = versions[versions.length - 1];
      if (top !== undefined && top.entry.rank < version.entry.rank) versions.push(version);
      else replace(versions, version);
    }
    overlay.changed(row);
  }

  /**
   * Takes out the version that this update wrote, if there is one: what stands below shows again.
   */
  remove(table: string, key: KeyText, entry: LogEntry): void {
    const overlay = this.#tables.get(table);
    const row = overlay?.rows.get(key);
    if (overlay === undefined || row === undefined) return;
    const { versions } = row;
    const at = firstAtOrAbove(versions, entry.rank);
    if (versions[at]?.entry !== entry) return;
    versions.splice(at, 1);
    if (versions.length === 0) overlay.rows.delete(key);
    overlay.changed(row);
  }

  clear(): void {
    this.#tables.clear();
  }

  readerAt(rank: number): Reader {
    return {
      row: (table, key) => this.rowBelow(table, key, rank),
      scan: (table, index, range, reverse) => {
        const base = this.#base().scan(table, index, range, reverse);
        const overlay = this.#tables.get(table);
        if (overlay === undefined || overlay.rows.size === 0) return base;
        const order = this.#orderOf(overlay, table, index);
        // An unknown index: the base has answered with its error, or has no rows.
        if (order === undefined) return base;
        const over = order.scan(range, reverse, rank);
        return new LaidOver(base, over, { rows: overlay.rows, reverse, rank });
      },
    };
  }

  #create(table: string): TableOverlay {
    const overlay = new TableOverlay();
    this.#tables.set(table, overlay);
    return overlay;
  }

  #orderOf(overlay: TableOverlay, table: string, index: string): PlaceOrder | undefined {
    if (index === PRIMARY) return overlay.upToDate(index, undefined);
    const indexes = this.#shapes.shapes.get(table)?.indexes ?? [];
    const shape = indexes.find(({ name }) => name === index);
    return shape === undefined ? undefined : overlay.upToDate(index, shape);
  }
}

function replace(versions: Version[], version: Version): void {
  const at = firstAtOrAbove(versions, version.entry.rank);
  const there = versions[at];
  const isSame = there?.entry === version.entry;
  invariant(isSame || there?.entry.rank !== version.entry.rank, 'a rank belongs to one update');
  versions.splice(at, isSame ? 1 : 0, version);
}

interface Seen {
  readonly rows: ReadonlyMap<KeyText, TentativeRow>;
  readonly reverse: boolean;
  readonly rank: number;
}

/**
 * Two ordered streams as one: base hits that no visible version hides, and visible versions at
 * their places. Lazy, so that a query that stops early has read no further on either side.
 */
class LaidOver implements IterableIterator<IndexHit, undefined> {
  readonly #base: Iterator<IndexHit>;
  readonly #over: Iterator<IndexHit, undefined>;
  readonly #seen: Seen;
  #nextBase: IndexHit | undefined;
  #nextOver: IndexHit | undefined;
  #begun = false;

  constructor(base: Iterable<IndexHit>, over: Iterator<IndexHit, undefined>, seen: Seen) {
    this.#base = base[Symbol.iterator]();
    this.#over = over;
    this.#seen = seen;
  }

  next(): IteratorResult<IndexHit, undefined> {
    if (!this.#begun) {
      this.#begun = true;
      this.#nextBase = this.#pullBase();
      this.#nextOver = this.#over.next().value;
    }
    const base = this.#nextBase;
    const over = this.#nextOver;
    if (over !== undefined && (base === undefined || this.#isFirst(over, base))) {
      this.#nextOver = this.#over.next().value;
      return { done: false, value: over };
    }
    if (base === undefined) return { done: true, value: undefined };
    this.#nextBase = this.#pullBase();
    return { done: false, value: base };
  }

  [Symbol.iterator](): IterableIterator<IndexHit, undefined> {
    return this;
  }

  #isFirst(a: IndexHit, b: IndexHit): boolean {
    return this.#seen.reverse ? a.place > b.place : a.place < b.place;
  }

  #pullBase(): IndexHit | undefined {
    const { rows, rank } = this.#seen;
    for (;;) {
      const { done, value } = this.#base.next();
      if (done === true) return undefined;
      const row = rows.get(value.key);
      if (row === undefined || versionBelow(row.versions, rank) === undefined) return value;
    }
  }
}
