/**
 * Places in order, for lists that grow in batches between scans. A tree pays for each place at once, also for the many
 * that no scan ever meets. Here a batch is sorted when a scan comes and merged into a short run, and that, when
 * it has grown, into the long one (two levels of a log-structured merge: O'Neil et al. 1996). What was taken out stays
 * until a merge: whoever scans tells by the row whether it still stands there.
 */
import { compareTexts } from '../model/index.js';
import type { Range } from '../model/index.js';
import type { KeyText } from '../protocol/index.js';

/** Parallel lists, places ascending strictly. */
interface Run<R> {
  places: KeyText[];
  rows: R[];
}

const emptyRun = <R>(): Run<R> => ({ places: [], rows: [] });

/** The short run may be so long, and so many times the root of the long one's length. */
const SHORT_MIN = 512;
const SHORT_PER_ROOT = 8;
/** Taken out but still there: more than this, and than half of all, are swept out before the next scan. */
const GONE_MIN = 64;

export class SortedPlaces<R> {
  #long: Run<R> = emptyRun();
  #short: Run<R> = emptyRun();
  #added: { readonly place: KeyText; readonly row: R }[] = [];
  #gone = 0;
  readonly #isListed: (row: R, place: KeyText) => boolean;

  /** `isListed`: whether the row stands at that place still. */
  constructor(isListed: (row: R, place: KeyText) => boolean) {
    this.#isListed = isListed;
  }

  add(place: KeyText, row: R): void {
    this.#added.push({ place, row });
  }

  /** One place is no longer listed. */
  removed(): void {
    this.#gone += 1;
  }

  /** In order; those no longer listed may be among them. */
  scan(range: Range, reverse: boolean): PlaceCursor<R> {
    this.#settle();
    return new PlaceCursor(this.#short, this.#long, { range, reverse });
  }

  #settle(): void {
    if (this.#added.length > 0) {
      this.#short = merged(this.#short, sortedRun(this.#added));
      this.#added = [];
    }
    const { length } = this.#long.places;
    const shortMax = Math.max(SHORT_MIN, SHORT_PER_ROOT * Math.sqrt(length));
    const isShortFull = this.#short.places.length > shortMax;
    const isMuchGone = this.#gone > GONE_MIN + (length + this.#short.places.length) / 2;
    if (!isShortFull && !isMuchGone) return;
    this.#long = this.#swept(merged(this.#long, this.#short));
    this.#short = emptyRun();
    this.#gone = 0;
  }

  #swept(run: Run<R>): Run<R> {
    if (this.#gone === 0) return run;
    const left = emptyRun<R>();
    run.places.forEach((place, i) => {
      const row = run.rows[i];
      if (row === undefined || !this.#isListed(row, place)) return;
      left.places.push(place);
      left.rows.push(row);
    });
    return left;
  }
}

/** Of a place added twice the later row counts. */
function sortedRun<R>(added: { readonly place: KeyText; readonly row: R }[]): Run<R> {
  // Sorting is stable: the later one of equals comes last.
  if (added.length > 1) added.sort((a, b) => compareTexts(a.place, b.place));
  const run = emptyRun<R>();
  added.forEach(({ place, row }, i) => {
    if (added[i + 1]?.place === place) return;
    run.places.push(place);
    run.rows.push(row);
  });
  return run;
}

/** `over` counts where both have a place; it is the shorter one, so it is searched for and the rest copied in stretches. */
function merged<R>(under: Run<R>, over: Run<R>): Run<R> {
  if (under.places.length === 0) return over;
  const all = emptyRun<R>();
  let from = 0;
  for (let i = 0; i < over.places.length; i++) {
    const place = over.places[i];
    const row = over.rows[i];
    if (place === undefined || row === undefined) continue;
    const at = firstAtOrAfter(under.places, place, from);
    copyStretch(under, from, at, all);
    all.places.push(place);
    all.rows.push(row);
    from = under.places[at] === place ? at + 1 : at;
  }
  copyStretch(under, from, under.places.length, all);
  return all;
}

function copyStretch<R>(source: Run<R>, from: number, to: number, target: Run<R>): void {
  for (let i = from; i < to; i++) {
    const place = source.places[i];
    const row = source.rows[i];
    if (place === undefined || row === undefined) continue;
    target.places.push(place);
    target.rows.push(row);
  }
}

function firstAtOrAfter(places: readonly KeyText[], place: KeyText, from = 0): number {
  let low = from;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const there = places[middle];
    if (there !== undefined && there < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Walks both runs as one, over a range, from either end. */
export class PlaceCursor<R> {
  readonly #runs: readonly [short: Run<R>, long: Run<R>];
  readonly #step: 1 | -1;
  #short: number;
  #long: number;
  readonly #shortEnd: number;
  readonly #longEnd: number;
  place: KeyText = '';
  row: R | undefined;

  constructor(
    short: Run<R>,
    long: Run<R>,
    { range, reverse }: { readonly range: Range; readonly reverse: boolean },
  ) {
    this.#runs = [short, long];
    this.#step = reverse ? -1 : 1;
    const [shortFrom, shortTo] = stretch(short.places, range);
    const [longFrom, longTo] = stretch(long.places, range);
    this.#short = reverse ? shortTo - 1 : shortFrom;
    this.#shortEnd = reverse ? shortFrom - 1 : shortTo;
    this.#long = reverse ? longTo - 1 : longFrom;
    this.#longEnd = reverse ? longFrom - 1 : longTo;
  }

  /** False at the end; else `place` and `row` are those of the next one. */
  advance(): boolean {
    const [short, long] = this.#runs;
    const a = this.#short === this.#shortEnd ? undefined : short.places[this.#short];
    const b = this.#long === this.#longEnd ? undefined : long.places[this.#long];
    if (a === undefined && b === undefined) return false;
    const isShort = b === undefined || (a !== undefined && this.#isFirst(a, b));
    this.place = isShort ? (a ?? '') : b;
    this.row = isShort ? short.rows[this.#short] : long.rows[this.#long];
    // The later one of two at the same place counts, and both are passed.
    if (a === b || !isShort) this.#long += this.#step;
    if (isShort) this.#short += this.#step;
    return true;
  }

  #isFirst(a: KeyText, b: KeyText): boolean {
    return a === b || a < b === (this.#step === 1);
  }
}

/** Half-open. */
function stretch(places: readonly KeyText[], { from, to }: Range): [from: number, to: number] {
  const start = from === '' ? 0 : firstAtOrAfter(places, from);
  return [start, to === undefined ? places.length : Math.max(start, firstAtOrAfter(places, to))];
}
