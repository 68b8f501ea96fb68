/**
 * The places of tentative rows in one index. Every version of a row has its place; which of them counts depends on the
 * reader's rank, so all are listed and the reader picks. Writing must be cheap and most writes are
 * never scanned: a write only notes the key, and the next scan brings the list up to date.
 */
import type { IndexShape, OrderedMap, Range } from '../model/index.js';
import { newOrderedMap, placeOf } from '../model/index.js';
import type { KeyText } from '../protocol/index.js';
import type { Version, Versions } from './overlay.js';

const NO_PLACES: readonly KeyText[] = [];

export class PlaceOrder {
  /** Undefined: the primary order, where a row's place is its key. */
  readonly #shape: IndexShape | undefined;
  /** Among the orders of the table. */
  readonly #number: number;
  readonly #versions: ReadonlyMap<KeyText, Versions>;
  readonly #keysByPlace: OrderedMap<KeyText> = newOrderedMap<KeyText>();
  /** What `#keysByPlace` lists for a key. */
  readonly #listed = new Map<KeyText, readonly KeyText[]>();
  /** Keys whose versions have changed since they were listed. */
  readonly #changed: Set<KeyText>;

  constructor(
    shape: IndexShape | undefined, number: number, versions: ReadonlyMap<KeyText, Versions>,
  ) {
    this.#shape = shape;
    this.#number = number;
    this.#versions = versions;
    this.#changed = new Set(versions.keys());
  }

  noteChange(key: KeyText): void {
    this.#changed.add(key);
  }

  /** Of a version with a row. */
  placeOf(version: Version, key: KeyText): KeyText {
    const shape = this.#shape;
    if (shape === undefined || version.row === null) return key;
    const known = version.places?.[this.#number];
    if (known !== undefined) return known;
    const place = placeOf(shape, version.row, key);
    version.places ??= [];
    version.places[this.#number] = place;
    return place;
  }

  /** Places in the range with the keys of their rows. The overlay must not change while the scan is in use. */
  scan(range: Range, reverse: boolean): Iterable<readonly [place: KeyText, key: KeyText]> {
    this.#update();
    return reverse ? this.#down(range) : this.#up(range);
  }

  *#up({ from, to }: Range): Generator<readonly [KeyText, KeyText], void> {
    for (const pair of this.#keysByPlace.entries(from)) {
      if (to !== undefined && pair[0] >= to) return;
      yield pair;
    }
  }

  *#down({ from, to }: Range): Generator<readonly [KeyText, KeyText], void> {
    for (const pair of this.#keysByPlace.entriesReversed(to, undefined, true)) {
      if (pair[0] < from) return;
      yield pair;
    }
  }

  #update(): void {
    for (const key of this.#changed) this.#list(key);
    this.#changed.clear();
  }

  #list(key: KeyText): void {
    const before = this.#listed.get(key) ?? NO_PLACES;
    const after = this.#placesOf(key);
    for (const place of before) if (!after.includes(place)) this.#keysByPlace.delete(place);
    for (const place of after) if (!before.includes(place)) this.#keysByPlace.set(place, key);
    if (after.length === 0) this.#listed.delete(key);
    else this.#listed.set(key, after);
  }

  /** Each place once. Versions that follow each other mostly stand at the same place. */
  #placesOf(key: KeyText): readonly KeyText[] {
    const places: KeyText[] = [];
    for (const version of this.#versions.get(key) ?? []) {
      if (version.row === null) continue;
      const place = this.placeOf(version, key);
      if (place !== places.at(-1) && !places.includes(place)) places.push(place);
    }
    return places;
  }
}
