/**
 * What the tentative updates have written, laid over the committed base: for each row the versions in log order, each
 * marked with the update that wrote it. A reader at rank r sees the newest version below r, else the base. So
 * the tentative view (r = ∞), the committed view (the base itself) and the view of any update in the middle
 * of the log can be read at any time, none is a copy, and an update is undone by taking its versions out.
 * (Multi-version storage as in Spanner §4, with positions of a log in place of timestamps.)
 */
import type { IndexHit, Range, Reader, Shapes } from '../model/index.js';
import { PRIMARY } from '../model/index.js';
import { invariant } from '../protocol/index.js';
import type { KeyText, Row } from '../protocol/index.js';
import type { LogEntry } from './log.js';
import { PlaceOrder } from './place-order.js';

export class Version {
  readonly entry: LogEntry;
  /** Null: the update deleted it. */
  readonly row: Row | null;
  /** Where the row stands in the orders that were asked about, by their number (place-order.ts). */
  places: (KeyText | undefined)[] | undefined = undefined;

  constructor(entry: LogEntry, row: Row | null) {
    this.entry = entry;
    this.row = row;
  }
}

/** In rank order, never empty. The overlay changes its lists in place: who compares later keeps a copy. */
export type Versions = readonly Version[];

/** The newest version below that rank. */
export function versionBelow(versions: Versions, rank: number): Version | undefined {
  const top = versions[versions.length - 1];
  // Most readers stand on top.
  if (top !== undefined && top.entry.rank < rank) return top;
  return versions[firstAtOrAbove(versions, rank) - 1];
}

function firstAtOrAbove(versions: Versions, rank: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle]?.entry.rank ?? Infinity) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The tentative rows of one table. */
class TableOverlay {
  readonly versions = new Map<KeyText, Version[]>();
  /** One per index that was ever scanned. */
  readonly orders = new Map<string, PlaceOrder>();
}

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
    return this.#tables.get(table)?.versions.get(key);
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
    let overlay = this.#tables.get(table);
    if (overlay === undefined) {
      overlay = new TableOverlay();
      this.#tables.set(table, overlay);
    }
    const versions = overlay.versions.get(key);
    if (versions === undefined) {
      overlay.versions.set(key, [version]);
    } else {
      const top = versions[versions.length - 1];
      if (top !== undefined && top.entry.rank < version.entry.rank) versions.push(version);
      else replace(versions, version);
    }
    noteChange(overlay, key);
  }

  /** Takes out the version that this update wrote, if there is one: what stands below shows again. */
  remove(table: string, key: KeyText, entry: LogEntry): void {
    const overlay = this.#tables.get(table);
    const versions = overlay?.versions.get(key);
    if (overlay === undefined || versions === undefined) return;
    const at = firstAtOrAbove(versions, entry.rank);
    if (versions[at]?.entry !== entry) return;
    versions.splice(at, 1);
    if (versions.length === 0) overlay.versions.delete(key);
    noteChange(overlay, key);
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
        if (overlay === undefined || overlay.versions.size === 0) return base;
        const order = this.#orderOf(overlay, table, index);
        return order === undefined ? base : laidOver(base, { overlay, order, range, reverse, rank });
      },
    };
  }

  #orderOf(overlay: TableOverlay, table: string, index: string): PlaceOrder | undefined {
    const known = overlay.orders.get(index);
    if (known !== undefined) return known;
    const shape = this.#shapes.shapes.get(table)?.indexes.find(({ name }) => name === index);
    // An unknown index: the base has answered with its error.
    if (shape === undefined && index !== PRIMARY) return undefined;
    const order = new PlaceOrder(shape, overlay.orders.size, overlay.versions);
    overlay.orders.set(index, order);
    return order;
  }
}

function noteChange({ orders }: TableOverlay, key: KeyText): void {
  if (orders.size === 0) return;
  for (const order of orders.values()) order.noteChange(key);
}

function replace(versions: Version[], version: Version): void {
  const at = firstAtOrAbove(versions, version.entry.rank);
  const there = versions[at];
  const isSame = there?.entry === version.entry;
  invariant(isSame || there?.entry.rank !== version.entry.rank, 'a rank belongs to one update');
  versions.splice(at, isSame ? 1 : 0, version);
}

interface OverlayScan {
  readonly overlay: TableOverlay;
  readonly order: PlaceOrder;
  readonly range: Range;
  readonly reverse: boolean;
  readonly rank: number;
}

/**
 * Two ordered streams as one: base hits that no visible version hides, and visible versions at their places. Lazy, so
 * that a query that stops early has read no further on either side.
 */
function* laidOver(base: Iterable<IndexHit>, scan: OverlayScan): Generator<IndexHit, void> {
  const { overlay, rank, reverse } = scan;
  const tentative = visibleHits(scan);
  let over = tentative.next();
  for (const hit of base) {
    const versions = overlay.versions.get(hit.key);
    if (versions !== undefined && versionBelow(versions, rank) !== undefined) continue;
    while (over.done !== true && over.value.place < hit.place !== reverse) {
      yield over.value;
      over = tentative.next();
    }
    yield hit;
  }
  while (over.done !== true) {
    yield over.value;
    over = tentative.next();
  }
}

function* visibleHits({ overlay, order, range, reverse, rank }: OverlayScan): Generator<IndexHit, void> {
  for (const [place, key] of order.scan(range, reverse)) {
    const versions = overlay.versions.get(key);
    const version = versions === undefined ? undefined : versionBelow(versions, rank);
    if (version === undefined || version.row === null) continue;
    // The place may be that of another version of the same row.
    if (order.placeOf(version, key) === place) yield { place, key, row: version.row };
  }
}
