/**
 * The base on disk: rows packed into pages, each owning the keys from its first one up to the next
 * page's first one. A record per row would be simple and loads six times slower; one record for all
 * would be rewritten at every change. Here commit entries lie over the pages until idle time, when
 * pages are rewritten one by one. An entry tells rows as they are after it, so one that a page has
 * already may lie over it again: as long as no later one is missing, the last word on each row is
 * the same. Which keys a page owns, and since when entries lie over it, is what this file keeps.
 */
import {
  invariant, OxbowError, pageHash, type KeyText, type PageRow, type SnapshotPage,
} from '../protocol/index.js';
import { ofLines, rowLines } from '../protocol/record-codec.js';
import { sealed, unsealed } from './store-keys.js';

export interface PageSlot {
  readonly table: string;
  /** Its first key. The first page of a table owns all keys below, too. */
  readonly from: KeyText;
  /** Names its record; undefined: its table has nothing on disk yet. */
  readonly page: number | undefined;
  readonly hash: string;
  /** The first entry that lies over it. */
  dirtyCsn: number | undefined;
}

/** All pages of a space, by table and key. */
export class PageMap {
  readonly #slotsByTable = new Map<string, PageSlot[]>();

  /** An entry has changed that key. Gives the page that owns it. */
  touch(table: string, key: KeyText, csn: number): PageSlot {
    const slot = this.#slotOf(table, key);
    slot.dirtyCsn ??= csn;
    return slot;
  }

  /** The page over which entries have lain longest. */
  oldestDirty(): PageSlot | undefined {
    let oldest: PageSlot | undefined;
    for (const slot of this.slots()) {
      const { dirtyCsn = Infinity } = slot;
      if (dirtyCsn < (oldest?.dirtyCsn ?? Infinity)) oldest = slot;
    }
    return oldest;
  }

  /** The next page of the same table. */
  after(slot: PageSlot): PageSlot | undefined {
    const slots = this.#slotsByTable.get(slot.table) ?? [];
    return slots[slots.indexOf(slot) + 1];
  }

  isFirst(slot: PageSlot): boolean {
    return this.#slotsByTable.get(slot.table)?.[0] === slot;
  }

  /** `added` stands where `removed`, which are neighbours, stood; in key order. */
  replace(removed: readonly PageSlot[], added: readonly PageSlot[]): void {
    const [first] = removed;
    invariant(first, 'something is replaced');
    const slots = this.#slotsByTable.get(first.table) ?? [];
    slots.splice(slots.indexOf(first), removed.length, ...added);
    if (slots.length === 0) this.#slotsByTable.delete(first.table);
  }

  /** In any order of tables, each table's in key order. */
  append(slot: PageSlot): void {
    const slots = this.#slotsByTable.get(slot.table);
    if (slots === undefined) this.#slotsByTable.set(slot.table, [slot]);
    else slots.push(slot);
  }

  /** Every entry up to it is in all pages that it touches. */
  reached(headCsn: number): number {
    const oldest = this.oldestDirty()?.dirtyCsn;
    return oldest === undefined ? headCsn : oldest - 1;
  }

  /** Each table's in key order. */
  get slotsByTable(): ReadonlyMap<string, readonly PageSlot[]> {
    return this.#slotsByTable;
  }

  /** Table by table in order of names, each in key order. */
  *slots(): Generator<PageSlot, void, undefined> {
    const tables = [...this.#slotsByTable.keys()].sort();
    for (const table of tables) yield* this.#slotsByTable.get(table) ?? [];
  }

  clear(): void {
    this.#slotsByTable.clear();
  }

  /** The page that owns the key, made up if its table has none. */
  #slotOf(table: string, key: KeyText): PageSlot {
    const slots = this.#slotsByTable.get(table);
    const slot = slots?.[indexOf(slots, key)];
    if (slot !== undefined) return slot;
    const made = { table, from: '', page: undefined, hash: '', dirtyCsn: undefined };
    this.#slotsByTable.set(table, [made]);
    return made;
  }
}

/** Index of the last slot that starts at or below the key; of the first one for keys below all. */
function indexOf(slots: readonly PageSlot[], key: KeyText): number {
  let low = 0;
  let high = slots.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((slots[middle]?.from ?? '') <= key) low = middle;
    else high = middle;
  }
  return low;
}

/** The slot of a page that was just cut. */
export function slotOfPage(cut: SnapshotPage, page: number): PageSlot {
  const [first] = cut.rows;
  invariant(first, 'a page that was cut has rows');
  return { table: cut.table, from: first[0], page, hash: cut.hash, dirtyCsn: undefined };
}

/** One line that says what it is, then a line for each row. The first has its own checksum. */
export function pageRecord(slot: PageSlot, rows: readonly PageRow[]): string {
  const head = JSON.stringify([slot.table, slot.from, slot.hash]);
  return `${sealed(head)}\n${rowLines(rows)}`;
}

export interface ReadPage {
  readonly slot: PageSlot;
  /** A line for each row. */
  readonly lines: string;
}

/**
 * Undefined if anything about the record is damaged. `isChecked`: the store has looked, which it
 * can do several times faster.
 */
export function readPage(
  page: number, record: string, isChecked = false,
): ReadPage | undefined {
  const end = record.indexOf('\n');
  const head = unsealed(record.slice(0, Math.max(end, 0)));
  if (head === undefined) return undefined;
  // reason: the checksum says that `pageRecord` wrote it.
  const [table, from, hash] = JSON.parse(head) as [string, KeyText, string];
  const lines = record.slice(end + 1);
  // In the first layout the rows were one list.
  const isList = lines.startsWith('[[');
  const isKnown = isChecked && !isList;
  if (!isKnown && pageHash(table, isList ? lines : ofLines(lines)) !== hash) return undefined;
  const slot = { table, from, page, hash, dirtyCsn: undefined };
  return { slot, lines: isList ? toLines(lines) : lines };
}

const toLines = (list: string): string =>
  // reason: as above.
  (JSON.parse(list) as unknown[]).map((row) => JSON.stringify(row)).join('\n');

/** What a decoder gives, or undefined where it refuses. */
export function undamaged<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof OxbowError) return undefined;
    throw error;
  }
}
