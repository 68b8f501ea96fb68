/**
 * A space as its records tell it, after a start. What is damaged is left out and said: a base with
 * a hole is no base and comes back from others by a full transfer; tentative updates and conflicts
 * stand on their own and stay.
 */
import {
  decodeEntry, decodeUpdate, isSeatOf, LEDGER_TABLE, ledgerLineOf, ledgerRow, OxbowError, seatOf,
  type CommitEntry, type KeyText, type LedgerLine, type PageRow, type ReplicaId, type Row,
} from '../protocol/index.js';
import type { SpaceHead, StoredReplicaSpace } from './changes.js';
import { readConflict, readUndo } from './conflict-text.js';
import type { PersistOp } from './effects.js';
import { KeptPage } from './kept-page.js';
import {
  LAYOUT_VERSION, SpaceLayout, type LayoutBounds, type OwnedUpdate, type WrittenHead,
} from './layout.js';
import { PageMap, readPage, undamaged, type PageSlot, type ReadPage } from './pages.js';
import {
  conflictPrefix, headKey, pageKey, pagesKey, replicaOfKey, undoPrefix, unsealed,
  type StoredRecords,
} from './store-keys.js';

/** What could not be read. Its records go with the next write. */
export interface SpaceDamage {
  readonly keys: readonly string[];
  /**
   * The base is gone: `stored` stands at csn 0 without rows, and a full transfer brings them back.
   */
  readonly base: boolean;
  /**
   * Own updates may be missing, and their numbers known elsewhere: what is left is sent under a
   * fresh replica id only.
   */
  readonly identity: boolean;
}

export interface SpaceReading {
  /** Undefined: nothing of this space was ever kept here. */
  readonly stored: StoredReplicaSpace | undefined;
  /** To be told of every change from here on. It may have something to write at once. */
  readonly layout: SpaceLayout;
  readonly damage: SpaceDamage | undefined;
}

export interface ReadingOptions {
  /** Stands in where the space's own record of its identity is missing or damaged. */
  readonly replica: ReplicaId;
  readonly bounds?: LayoutBounds;
}

/** Errors: `store-newer`. */
export function readSpace(
  space: string, records: StoredRecords, options: ReadingOptions,
): SpaceReading {
  const { meta, updates, entries, pages: stored } = records;
  const isEmpty = [meta, updates, entries, stored].every(({ length }) => length === 0);
  if (!isEmpty) return new Reading(space, records, options).result();
  const layout = new SpaceLayout(space, {
    head: emptyHead(options.replica), isHeadStored: false, issued: 0,
    pages: new PageMap(), reached: 0, entryChars: new Map(), garbage: [],
  }, options.bounds);
  return { stored: undefined, layout, damage: undefined };
}

type Committed = Pick<StoredReplicaSpace, 'tables' | 'ledger' | 'entries'>;

interface Base {
  readonly pages: readonly ReadPage[];
  readonly map: PageMap;
  readonly reached: number;
  readonly entries: readonly CommitEntry[];
  readonly entryChars: Map<number, number>;
}

class Reading {
  readonly #space: string;
  readonly #records: StoredRecords;
  readonly #options: ReadingOptions;
  readonly #damaged: string[] = [];
  readonly #garbage: PersistOp[] = [];
  #identityLost = false;

  constructor(space: string, records: StoredRecords, options: ReadingOptions) {
    this.#space = space;
    this.#records = records;
    this.#options = options;
  }

  result(): SpaceReading {
    const meta = new Map(this.#records.meta);
    const written = this.#readHead(meta.get(headKey(this.#space)));
    const updates = this.#readUpdates(written?.head);
    const conflicts = this.#readMeta(conflictPrefix(this.#space), readConflict);
    const undos = this.#readMeta(undoPrefix(this.#space), readUndo);
    const base = written && this.#readBase(written.head, meta.get(pagesKey(this.#space)));
    const head = written && base ? written.head : this.#headWithoutBase(written?.head, updates);
    if (base === undefined) this.#dropBase();
    const committed = base === undefined ? NOTHING : contents(base);
    const issuedBy = this.#issuedBy(written, head, { updates, ledger: committed.ledger });
    const { 0: issued = 0, ...issuedBySeat } = issuedBy;
    const lost = this.#identityLost ? 'damaged' : head.lost;
    const present = lost === undefined ? head : { ...head, lost };
    const layout = new SpaceLayout(this.#space, {
      head: present,
      isHeadStored: base !== undefined && !this.#identityLost,
      issued,
      issuedBySeat,
      pages: base?.map ?? new PageMap(),
      reached: base?.reached ?? 0,
      entryChars: base?.entryChars ?? new Map(),
      garbage: this.#garbage,
    }, this.#options.bounds);
    const stored: StoredReplicaSpace = {
      head: present, issued, issuedBySeat, conflicts, undos, ...committed,
      updates: updates.map(({ own: _own, ...update }) => update),
    };
    return { stored, layout, damage: this.#damage(base === undefined) };
  }

  /** Undefined if it is missing or damaged; then nothing says what the rest belongs to. */
  #readHead(record: string | undefined): WrittenHead | undefined {
    const text = unsealed(record);
    if (text === undefined) {
      this.#damaged.push(headKey(this.#space));
      this.#identityLost = true;
      return undefined;
    }
    // reason: the checksum says that a layout wrote it, and every layout puts its version here.
    const written = JSON.parse(text) as WrittenHead;
    if (written.layout > LAYOUT_VERSION) throw newer(this.#space, written.layout);
    return written;
  }

  /** The highest number that each seat gave out. */
  #issuedBy(
    written: WrittenHead | undefined, { replica, lost }: SpaceHead, held: HeldNumbers,
  ): Record<number, number> {
    const issuedBy: Record<number, number> = lastSeqs(replica, held);
    const told = { 0: written?.issued ?? 0, ...written?.issuedBySeat };
    for (const [seat, issued] of Object.entries(told)) {
      if (issued <= (issuedBy[Number(seat)] ?? 0)) continue;
      issuedBy[Number(seat)] = issued;
      // The record of one is gone without a trace: news, unless updates are withheld already.
      if (lost === undefined) this.#identityLost = true;
    }
    return issuedBy;
  }

  #readMeta<T>(prefix: string, read: (text: string) => T): T[] {
    const found: T[] = [];
    for (const [key, record] of this.#records.meta) {
      if (!key.startsWith(prefix)) continue;
      const text = unsealed(record);
      if (text === undefined) this.#lose('meta', key);
      else found.push(read(text));
    }
    return found;
  }

  #readUpdates(head: SpaceHead | undefined): OwnedUpdate[] {
    const own = head?.replica ?? this.#options.replica;
    const updates: OwnedUpdate[] = [];
    for (const [key, record] of this.#records.updates) {
      const update = readUpdate(record);
      if (update !== undefined) {
        updates.push(update);
        continue;
      }
      // It may have been sent: whoever gets its number next would be taken for it.
      if (isSeatOf(own, replicaOfKey(key))) this.#identityLost = true;
      this.#lose('updates', key);
    }
    return updates;
  }

  #readBase(head: SpaceHead, directory: string | undefined): Base | undefined {
    const listed = this.#readDirectory(directory);
    if (listed === undefined) return undefined;
    const pages = this.#readPages(listed.pages);
    const { entries, entryChars } = this.#readEntries(head.csn);
    const firstCsn = entries[0]?.csn ?? head.csn + 1;
    if (pages === undefined || firstCsn > listed.reached + 1) return undefined;
    const map = new PageMap();
    for (const { slot } of pages) map.append(slot);
    return { pages, map, reached: listed.reached, entries, entryChars };
  }

  #readDirectory(
    record: string | undefined,
  ): { readonly reached: number; readonly pages: readonly number[] } | undefined {
    if (record === undefined && this.#records.pages.length === 0) return { reached: 0, pages: [] };
    const text = unsealed(record);
    if (text === undefined) {
      this.#damaged.push(pagesKey(this.#space));
      return undefined;
    }
    // reason: the checksum says that the layout wrote it.
    return JSON.parse(text) as { readonly reached: number; readonly pages: number[] };
  }

  #readPages(numbers: readonly number[]): ReadPage[] | undefined {
    const records = new Map(this.#records.pages);
    const pages: ReadPage[] = [];
    for (const number of numbers) {
      const key = pageKey(this.#space, number);
      const page = readPage(number, records.get(key) ?? '', this.#records.isChecked);
      if (page === undefined) this.#damaged.push(key);
      else pages.push(page);
    }
    return pages.length === numbers.length ? pages : undefined;
  }

  /** The dense run of entries that ends at `csn`. What is before a hole is of no use. */
  #readEntries(csn: number): Pick<Base, 'entries' | 'entryChars'> {
    const entries: CommitEntry[] = [];
    const sizes: [csn: number, chars: number][] = [];
    let expected = csn;
    for (const [key, record] of [...this.#records.entries].reverse()) {
      const text = unsealed(record);
      const entry = text === undefined ? undefined : undamaged(() => decodeEntry(text));
      if (entry === undefined) this.#lose('entries', key);
      else if (entry.csn !== expected) this.#forget('entries', key);
      else {
        entries.push(entry);
        sizes.push([expected, record.length]);
        expected--;
      }
    }
    return { entries: entries.reverse(), entryChars: new Map(sizes.reverse()) };
  }

  #headWithoutBase(written: SpaceHead | undefined, updates: readonly OwnedUpdate[]): SpaceHead {
    const own = updates.find((update) => update.own)?.update.id;
    const replica = written?.replica ?? own?.replica ?? this.#options.replica;
    const lost = written?.lost ?? 'base-lost';
    return { ...emptyHead(replica), lamport: written?.lamport ?? 0, lost };
  }


  #dropBase(): void {
    for (const [key] of this.#records.pages) this.#forget('pages', key);
    for (const [key] of this.#records.entries) this.#forget('entries', key);
    this.#forget('meta', pagesKey(this.#space));
  }

  #damage(base: boolean): SpaceDamage | undefined {
    if (this.#damaged.length === 0 && !base && !this.#identityLost) return undefined;
    return { keys: this.#damaged, base, identity: this.#identityLost };
  }

  #lose(collection: PersistOp['collection'], key: string): void {
    this.#damaged.push(key);
    this.#forget(collection, key);
  }

  #forget(collection: PersistOp['collection'], key: string): void {
    this.#garbage.push({ kind: 'delete', collection, key });
  }
}

function readUpdate(record: string): OwnedUpdate | undefined {
  const text = unsealed(record);
  if (text === undefined) return undefined;
  const end = text.indexOf('\n');
  const update = undamaged(() => decodeUpdate(text.slice(end + 1)));
  if (update === undefined) return undefined;
  // reason: the checksum says that the layout wrote it.
  const line = JSON.parse(text.slice(0, end)) as Omit<OwnedUpdate, 'update'>;
  return { update, ...line };
}

interface HeldNumbers {
  readonly updates: readonly OwnedUpdate[];
  readonly ledger: readonly LedgerLine[];
}

/** The highest number of each seat's updates that is found here. */
function lastSeqs(profile: ReplicaId, { updates, ledger }: HeldNumbers): Record<number, number> {
  const lasts: Record<number, number> = {};
  const raise = (replica: string, seq: number): void => {
    const seat = seatOf(profile, replica);
    if (seat !== undefined) lasts[seat] = Math.max(lasts[seat] ?? 0, seq);
  };
  for (const { replica, seq } of ledger) raise(replica, seq);
  for (const { update: { id } } of updates) raise(id.replica, id.seq);
  return lasts;
}

const emptyHead = (replica: ReplicaId): Omit<SpaceHead, 'lost'> =>
  ({ history: '', csn: 0, at: 0, lamport: 0, replica });

const NOTHING: Committed = { tables: [], ledger: [], entries: [] };

/** The pages, with the entries that are not in all of them laid over. */
function contents(base: Base): Committed {
  const laidOver = new Map<PageSlot, Map<KeyText, Row | null>>();
  const lay = (table: string, key: KeyText, row: Row | null, csn: number): void => {
    const slot = base.map.touch(table, key, csn);
    const rows = laidOver.get(slot) ?? new Map<KeyText, Row | null>();
    laidOver.set(slot, rows.set(key, row));
  };
  for (const entry of base.entries) {
    const { csn, effects } = entry;
    if (csn <= base.reached) continue;
    for (const { table, key, row } of effects) lay(table, key, row, csn);
    const [replica, line] = ledgerRow(ledgerLineOf(entry));
    lay(LEDGER_TABLE, replica, line, csn);
  }
  const linesOf = new Map(base.pages.map(({ slot, lines }) => [slot, lines]));
  const tables = [...base.map.slotsByTable].map(([table, slots]) => ({
    table,
    pages: slots.map((slot) =>
      new KeptPage(slot.from, linesOf.get(slot) ?? '', laidOver.get(slot))),
  }));
  const ledger = tables.find(({ table }) => table === LEDGER_TABLE);
  return {
    tables: tables.filter((one) => one !== ledger),
    ledger: ledger?.pages.flatMap((page) => page.pairs().map(ledgerLine)) ?? [],
    entries: base.entries,
  };
}

function ledgerLine([replica, line]: PageRow): LedgerLine {
  // reason: the key and row of a ledger page, as `ledgerPages` made them.
  return { ...(line as Omit<LedgerLine, 'replica'>), replica: replica as ReplicaId };
}

const newer = (space: string, layout: number): OxbowError =>
  new OxbowError(
    'store-newer',
    `Cannot open space '${space}' as its layout on disk is newer: found ${layout}, ` +
      `know ${LAYOUT_VERSION}. Reload the page, or update @oxbow/sdk.`,
  );
