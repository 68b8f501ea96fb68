/**
 * What one batch of changes has touched, and whether a read set meets it. For each touched row the
 * state before the batch is kept: the old base row and the old list of versions. So the question
 * "does a reader at rank r see another row than before?" has an exact answer for every r, whatever
 * was committed, inserted or taken out in between. A range is asked of the touched rows one by one
 * or, where many ranges ask, of a sorted list of the places that touched rows had or have in the
 * index: a range that nobody touched then costs one binary search.
 */
import { compareTexts } from '../model/index.js';
import type { RangeRead, Reader, ReadSet, Shapes } from '../model/index.js';
import type { KeyText, Row } from '../protocol/index.js';
import type { Overlay } from './overlay.js';
import { isWithin, placeIn } from './place.js';
import { versionBelow } from './version.js';
import type { Version, Versions } from './version.js';

/** The rank that sees the base alone. */
export const COMMITTED = -1;
/** The rank that sees all. */
export const TENTATIVE = Infinity;

export interface Touch {
  readonly table: string;
  readonly key: KeyText;
  readonly oldBase: Row | undefined;
  readonly oldVersions: Versions | undefined;
}

/** One row as a reader saw it before the batch, and sees it now. */
export interface RowTurn {
  readonly table: string;
  readonly key: KeyText;
  readonly before: Row | undefined;
  readonly now: Row | undefined;
}

/** One row that was or is at the place. */
interface Placed {
  readonly place: KeyText;
  readonly touch: Touch;
}

/** The places of one index. */
interface IndexPlaces {
  /** Ranges that asked before there was a list. */
  asks: number;
  /** Ascending. Made when it pays, kept complete from then on. */
  list: Placed[] | undefined;
}

/** Sorting all places costs about as much as so many walks over the touched rows. */
const ASKS_UNSORTED_MAX = 4;

const NO_VERSIONS: Versions = [];

export class Touches {
  readonly #shapes: Shapes;
  readonly #base: Reader;
  readonly #overlay: Overlay;
  readonly #byTable = new Map<string, Map<KeyText, Touch>>();
  /** table → index → places. */
  readonly #places = new Map<string, Map<string, IndexPlaces>>();

  constructor(shapes: Shapes, base: Reader, overlay: Overlay) {
    this.#shapes = shapes;
    this.#base = base;
    this.#overlay = overlay;
  }

  get isEmpty(): boolean {
    return this.#byTable.size === 0;
  }

  /** Must be called before the row's first change in this batch. `base`: its row there now. */
  touch(table: string, key: KeyText, base = this.#base.row(table, key)): Touch {
    let touches = this.#byTable.get(table);
    if (touches === undefined) {
      touches = new Map();
      this.#byTable.set(table, touches);
    }
    const known = touches.get(key);
    if (known !== undefined) return known;
    const oldVersions = this.#overlay.versions(table, key)?.slice();
    const touch = { table, key, oldBase: base, oldVersions };
    touches.set(key, touch);
    this.#list(touch);
    return touch;
  }

  /**
   * A re-run has written this row at a key touched before: it may stand at a place that is not
   * listed yet.
   */
  wrote(touch: Touch, row: Row | null): void {
    if (row === null) return;
    for (const [index, { list }] of this.#places.get(touch.table) ?? []) {
      if (list) insertPlace(list, { place: this.#placeIn(touch, index, row), touch });
    }
  }

  /**
   * Forgets rows of which no reader at `lowest` or above sees another state than before the batch.
   */
  dropQuiet(lowest: number): Touches {
    const loud = new Touches(this.#shapes, this.#base, this.#overlay);
    for (const [table, touches] of this.#byTable) {
      const kept = new Map<KeyText, Touch>();
      for (const [key, touch] of touches) if (!this.#isQuiet(touch, lowest)) kept.set(key, touch);
      if (kept.size > 0) loud.#byTable.set(table, kept);
    }
    return loud;
  }

  /** Whether a reader at that rank would read something else there now. */
  meets(reads: ReadSet, rank: number): boolean {
    if (this.#byTable.size === 0) return false;
    for (const [table, keys] of reads.keys) {
      for (const key of keys) if (this.meetsRow(table, key, rank)) return true;
    }
    for (const range of reads.ranges) {
      const touches = this.#byTable.get(range.table);
      if (touches !== undefined && this.#meetsRange(touches, range, rank)) return true;
    }
    return false;
  }

  /** The same of one row. */
  meetsRow(table: string, key: KeyText, rank: number): boolean {
    const touch = this.#byTable.get(table)?.get(key);
    return touch !== undefined && this.#before(touch, rank) !== this.#now(touch, rank);
  }

  /** What a reader at that rank would read otherwise now. For the inspector. */
  *changesAt(rank: number): Generator<RowTurn, void, undefined> {
    for (const [table, touches] of this.#byTable) {
      for (const [key, touch] of touches) {
        const [before, now] = [this.#before(touch, rank), this.#now(touch, rank)];
        if (before !== now) yield { table, key, before, now };
      }
    }
  }

  #meetsRange(touches: ReadonlyMap<KeyText, Touch>, range: RangeRead, rank: number): boolean {
    const list = this.#listOf(range.table, range.index);
    if (list === undefined) {
      for (const touch of touches.values()) if (this.#isSeen(touch, range, rank)) return true;
      return false;
    }
    const { to } = range;
    for (let i = firstAtOrAfter(list, range.from); i < list.length; i++) {
      const at = list[i];
      if (at === undefined || (to !== undefined && at.place >= to)) return false;
      if (this.#isSeen(at.touch, range, rank)) return true;
    }
    return false;
  }

  /** Whether what a reader at that rank finds of the row in that range is another row now. */
  #isSeen(touch: Touch, range: RangeRead, rank: number): boolean {
    const before = this.#before(touch, rank);
    const now = this.#now(touch, rank);
    return before !== now
      && (isWithin(this.#shapes, range, before, touch.key)
        || isWithin(this.#shapes, range, now, touch.key));
  }

  #before({ oldVersions, oldBase }: Touch, rank: number): Row | undefined {
    const version = oldVersions === undefined ? undefined : versionBelow(oldVersions, rank);
    return version === undefined ? oldBase : (version.row ?? undefined);
  }

  #now({ table, key }: Touch, rank: number): Row | undefined {
    return this.#overlay.rowBelow(table, key, rank);
  }

  /** What is seen changes only just above a version: so few ranks tell all. */
  #isQuiet(touch: Touch, lowest: number): boolean {
    if (this.#before(touch, lowest) !== this.#now(touch, lowest)) return false;
    const now = this.#overlay.versions(touch.table, touch.key) ?? NO_VERSIONS;
    const isSame = ({ entry: { rank } }: Version): boolean => {
      const above = rank + 0.5;
      return above < lowest || this.#before(touch, above) === this.#now(touch, above);
    };
    return (touch.oldVersions ?? NO_VERSIONS).every(isSame) && now.every(isSame);
  }

  /** Undefined while few have asked. */
  #listOf(table: string, index: string): Placed[] | undefined {
    let byIndex = this.#places.get(table);
    if (byIndex === undefined) {
      byIndex = new Map();
      this.#places.set(table, byIndex);
    }
    let places = byIndex.get(index);
    if (places === undefined) {
      places = { asks: 0, list: undefined };
      byIndex.set(index, places);
    }
    places.asks += 1;
    if (places.asks <= ASKS_UNSORTED_MAX) return undefined;
    return (places.list ??= this.#sorted(table, index));
  }

  #sorted(table: string, index: string): Placed[] {
    const placed: Placed[] = [];
    for (const touch of this.#byTable.get(table)?.values() ?? []) {
      for (const place of this.#placesOf(touch, index)) placed.push({ place, touch });
    }
    return placed.sort((a, b) => compareTexts(a.place, b.place));
  }

  /** Adds a touch to the lists that are made already. */
  #list(touch: Touch): void {
    for (const [index, { list }] of this.#places.get(touch.table) ?? []) {
      if (list === undefined) continue;
      for (const place of this.#placesOf(touch, index)) insertPlace(list, { place, touch });
    }
  }

  /** Each place where any version of the row stood before the batch or stands now. */
  #placesOf(touch: Touch, index: string): KeyText[] {
    const { table, key, oldBase, oldVersions } = touch;
    const places: KeyText[] = [];
    const add = (row: Row | null | undefined): void => {
      if (!row) return;
      const place = this.#placeIn(touch, index, row);
      if (!places.includes(place)) places.push(place);
    };
    add(oldBase);
    add(this.#base.row(table, key));
    for (const { row } of oldVersions ?? NO_VERSIONS) add(row);
    for (const { row } of this.#overlay.versions(table, key) ?? NO_VERSIONS) add(row);
    return places;
  }

  #placeIn({ table, key }: Touch, index: string, row: Row): KeyText {
    return placeIn(this.#shapes, { table, index }, row, key);
  }
}

function firstAtOrAfter(placed: readonly Placed[], place: KeyText): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = placed[middle];
    if (there !== undefined && there.place < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insertPlace(placed: Placed[], added: Placed): void {
  const at = firstAtOrAfter(placed, added.place);
  for (let i = at; placed[i]?.place === added.place; i++) {
    if (placed[i]?.touch === added.touch) return;
  }
  placed.splice(at, 0, added);
}
