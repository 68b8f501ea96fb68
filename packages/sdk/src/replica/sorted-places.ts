/**
 * Places in order, for lists that grow in batches between scans. A tree pays for each place at
 * once, also for the many that no scan ever meets. Here a batch is sorted when a scan comes and
 * merged into a short run, and that, when it has grown, into the long one (two levels of a
 * log-structured merge: O'Neil et al. 1996). Nothing is taken out at once: whoever scans tells by
 * the item whether it still counts, and when most do not, they are swept out.
 */
import { compareTexts } from '../model/index.js';
import type { Range } from '../model/index.js';
import { firstAtOrAfter } from '../model/ordered-map.js';
import type { KeyText } from '../protocol/index.js';

/** Parallel lists, places ascending strictly. */
interface Run<T> {
  readonly places: KeyText[];
  readonly items: T[];
}

const emptyRun = <T>(): Run<T> => ({ places: [], items: [] });

/** The short run may be so long, and so many times the root of the long one's length. */
const SHORT_MIN = 512;
const SHORT_PER_ROOT = 8;
/** So many more than twice what is of use are too many. */
const USELESS_MIN = 64;

interface AtPlace {
  readonly place: KeyText;
}

export class SortedPlaces<T extends AtPlace> {
  #long: Run<T> = emptyRun();
  #short: Run<T> = emptyRun();
  #added: T[] = [];
  /** What the last sweep left. */
  #sweptLength = 0;
  readonly #isOfUse: (item: T) => boolean;

  /** `isOfUse`: whether a scan may still want the item. */
  constructor(isOfUse: (item: T) => boolean) {
    this.#isOfUse = isOfUse;
  }

  /** Of items added at the same place the last one counts. */
  add(item: T): void {
    this.#added.push(item);
  }

  /** In order; items of no use may be among them. About `useful` items are of use. */
  scan(range: Range, reverse: boolean, useful: number): PlaceCursor<T> {
    this.#settle(useful);
    return new PlaceCursor(this.#short, this.#long, { range, reverse });
  }

  #settle(useful: number): void {
    if (this.#added.length > 0) {
      this.#short = merged(this.#short, sortedRun(this.#added));
      this.#added = [];
    }
    const { length } = this.#long.places;
    const shortLength = this.#short.places.length;
    // A useful item can stand at several places: what a sweep has left counts, too.
    const usefulMax = Math.max(useful, this.#sweptLength);
    const isLittleUse = length + shortLength > 2 * usefulMax + USELESS_MIN;
    const shortMax = Math.max(SHORT_MIN, SHORT_PER_ROOT * Math.sqrt(length));
    if (shortLength <= shortMax && !isLittleUse) return;
    const all = merged(this.#long, this.#short);
    this.#short = emptyRun();
    this.#long = isLittleUse ? this.#swept(all) : all;
    if (isLittleUse) this.#sweptLength = this.#long.places.length;
  }

  #swept(run: Run<T>): Run<T> {
    const left = emptyRun<T>();
    run.items.forEach((item, i) => {
      const place = run.places[i];
      if (place === undefined || !this.#isOfUse(item)) return;
      left.places.push(place);
      left.items.push(item);
    });
    return left;
  }
}

function sortedRun<T extends AtPlace>(added: T[]): Run<T> {
  // Sorting is stable: the last one of equals stays the last.
  if (added.length > 1) added.sort((a, b) => compareTexts(a.place, b.place));
  const items = added.filter(({ place }, i) => added[i + 1]?.place !== place);
  return { places: items.map(({ place }) => place), items };
}

/**
 * `over` counts where both have a place. It is the shorter one: searched for, and the rest copied
 * in stretches.
 */
function merged<T>(under: Run<T>, over: Run<T>): Run<T> {
  if (under.places.length === 0) return over;
  const length = under.places.length + over.places.length;
  const all: Run<T> = { places: new Array<KeyText>(length), items: new Array<T>(length) };
  let from = 0;
  let end = 0;
  for (let i = 0; i < over.places.length; i++) {
    // reason: within the list.
    const place = over.places[i] as KeyText;
    const at = nextAtOrAfter(under.places, place, from);
    end = copyStretch(under, from, at, { all, end });
    all.places[end] = place;
    // reason: both lists have that place.
    all.items[end] = over.items[i] as T;
    end += 1;
    from = under.places[at] === place ? at + 1 : at;
  }
  end = copyStretch(under, from, under.places.length, { all, end });
  all.places.length = end;
  all.items.length = end;
  return all;
}

/** From `from` on in steps that double: the places of both lists lie close together mostly. */
function nextAtOrAfter(places: readonly KeyText[], place: KeyText, from: number): number {
  let low = from;
  for (let step = 1; ; step *= 2) {
    const probe = low + step - 1;
    const there = places[probe];
    if (there === undefined || there >= place) {
      return firstAtOrAfter(places, place, low, Math.min(probe, places.length));
    }
    low = probe + 1;
  }
}

/** Returns where the copy ends. */
function copyStretch<T>(
  { places, items }: Run<T>, from: number, to: number,
  { all, end }: { readonly all: Run<T>; end: number },
): number {
  for (let i = from; i < to; i++, end++) {
    // reason: both lists have that place; a check of each would cost more than the copy.
    all.places[end] = places[i] as KeyText;
    // reason: as above.
    all.items[end] = items[i] as T;
  }
  return end;
}

/** Walks both runs as one, over a range, from either end. */
export class PlaceCursor<T> {
  readonly #runs: readonly [short: Run<T>, long: Run<T>];
  readonly #step: 1 | -1;
  #short: number;
  #long: number;
  readonly #shortEnd: number;
  readonly #longEnd: number;
  place: KeyText = '';
  item: T | undefined;

  constructor(
    short: Run<T>,
    long: Run<T>,
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

  /** False at the end; else `place` and `item` are those of the next one. */
  advance(): boolean {
    const [short, long] = this.#runs;
    const a = this.#short === this.#shortEnd ? undefined : short.places[this.#short];
    const b = this.#long === this.#longEnd ? undefined : long.places[this.#long];
    if (a === undefined && b === undefined) return false;
    const isShort = b === undefined || (a !== undefined && this.#isFirst(a, b));
    this.place = isShort ? (a ?? '') : b;
    this.item = isShort ? short.items[this.#short] : long.items[this.#long];
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
