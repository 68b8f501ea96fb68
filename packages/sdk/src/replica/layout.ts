/**
 * How a space lies on disk (store-keys.ts has the table). Changes come in one by one as they
 * happen, and go out as one atomic write; in idle time pages are rewritten, and entries that all
 * pages have reached are dropped. At every moment, after any write, the pages and the entries over
 * them are the base at `head.csn`: a crash needs no repair.
 */
import { PRIMARY, type IndexHit, type Range } from '../model/index.js';
import {
  cutPages, invariant, isSeatOf, LEDGER_TABLE, ledgerPages,
  ledgerRow, seatOf,
  type BaseSnapshot, type CommitEntry, type LedgerLine, type PageRow, type Row,
  type SnapshotPage, type Update, type UpdateId,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import { PAGE_BOUNDS } from '../protocol/page.js';
import type { PageBounds } from '../protocol/page.js';
import { entryTextAlone, rowLines, updateText } from '../protocol/record-codec.js';
import type { ReplicaChanges, SpaceHead, StoredUpdate } from './changes.js';
import type { ConflictRecord } from './conflict.js';
import { conflictText, undoText } from './conflict-text.js';
import type { PersistOp } from './effects.js';
import { pageRecord, slotOfPage, type PageMap, type PageSlot } from './pages.js';
import {
  conflictKey, entryKey, headKey, pageKey, pagesKey, sealed, undoKey, updateRecordKey,
} from './store-keys.js';
import type { UndoRecord, Undos } from './undo.js';

/** Raised when older code would misread what this code writes. */
export const LAYOUT_VERSION = 2;

/** What the rows of rewritten pages are taken from: a `SpaceReplica`. */
export interface CheckpointSource {
  readonly head: SpaceHead;
  readonly base: {
    scan(table: string, index: string, range: Range, reverse: boolean): Iterable<IndexHit>;
  };
  ledger(): readonly LedgerLine[];
  /** What a row of the base is kept as (lifting.ts). */
  given?(row: Row): Row;
}

/** A space as memory has it: a `SpaceReplica`. */
export interface HeldSpace {
  readonly head: SpaceHead;
  readonly tentative: readonly Update[];
  snapshot(): BaseSnapshot;
  conflicts(): readonly ConflictRecord[];
  readonly insides: { readonly state: { readonly undos: Pick<Undos, 'list'> } };
}

/** What is on disk, as `readSpace` (layout-reading.ts) found it. */
export interface LayoutState {
  readonly head: SpaceHead;
  /** False: `head` is to be written with whatever comes first. */
  readonly isHeadStored: boolean;
  /** The highest number that an own update was given under `head.replica`. */
  readonly issued: number;
  /** The same for the profile's other seats. */
  readonly issuedBySeat?: Readonly<Record<number, number>>;
  readonly pages: PageMap;
  /** Every entry up to it is in the pages. */
  readonly reached: number;
  /** Entry records on disk and their size in chars, in csn order. */
  readonly entryChars: Map<number, number>;
  /** Records that are of no use any more. */
  readonly garbage: readonly PersistOp[];
}

/** What the record of a head holds. */
export interface WrittenHead {
  readonly layout: number;
  readonly head: SpaceHead;
  /**
   * The highest number that an own update was given. Kept apart from the updates themselves, as
   * whoever forgets his own numbers uses them twice.
   */
  readonly issued: number;
  /** The same for the profile's other seats, by number; absent where they never wrote. */
  readonly issuedBySeat?: Readonly<Record<number, number>>;
}

/** Of one collection, by key, what is to be written there; undefined: the record goes. */
type Pending = Map<string, (() => string) | undefined>;

/** `limits` has them; tests make them small. */
export interface LayoutBounds extends PageBounds {
  readonly checkpointEntriesMin: number;
  readonly checkpointCharsMin: number;
}

const LAYOUT_BOUNDS: LayoutBounds = {
  ...PAGE_BOUNDS,
  checkpointEntriesMin: limits.checkpointEntriesMin,
  checkpointCharsMin: limits.checkpointCharsMin,
};

export class SpaceLayout implements ReplicaChanges {
  readonly #space: string;
  readonly #bounds: LayoutBounds;
  readonly #pages: PageMap;
  readonly #entryChars: Map<number, number>;
  #pending = new Map<PersistOp['collection'], Pending>();
  /** Not in `#pending` yet: to name a record takes a good part of the time of a mutation. */
  #added: StoredUpdate[] = [];
  #isHeadDue = false;
  #head: SpaceHead;
  /** By seat. */
  #issued: Map<number, number>;
  #isHeadStored: boolean;
  #csn: number;
  #reached: number;
  #trimmed = 0;
  #nextPage = 1;
  /** Entries above `#reached`: what a start has to lay over the pages. */
  #over = { entries: 0, chars: 0 };

  constructor(space: string, state: LayoutState, bounds = LAYOUT_BOUNDS) {
    this.#space = space;
    this.#bounds = bounds;
    this.#pages = state.pages;
    this.#head = state.head;
    this.#issued = new Map([[0, state.issued]]);
    for (const [seat, issued] of Object.entries(state.issuedBySeat ?? {})) {
      this.#issued.set(Number(seat), issued);
    }
    this.#isHeadStored = state.isHeadStored;
    this.#csn = state.head.csn;
    this.#reached = state.reached;
    this.#entryChars = state.entryChars;
    for (const { page = 0 } of state.pages.slots()) {
      this.#nextPage = Math.max(this.#nextPage, page + 1);
    }
    for (const { collection, key } of state.garbage) this.#drop(collection, key);
    for (const [csn, chars] of state.entryChars) if (csn > state.reached) this.#weigh(1, chars);
  }

  /** `take` would give something. */
  get hasChanges(): boolean {
    return this.#isHeadDue || this.#added.length + this.#pending.size > 0;
  }

  /**
   * Everything named since the last call, for one atomic write. Writes happen in the order of the
   * calls.
   */
  take(): PersistOp[] {
    this.#nameAdded();
    if (this.#isHeadDue) {
      this.#put('meta', headKey(this.#space), () => {
        return sealed(JSON.stringify(writtenHead(this.#head, this.#issued)));
      });
    }
    const ops: PersistOp[] = [];
    for (const [collection, pending] of this.#pending) {
      for (const [key, text] of pending) {
        if (text === undefined) ops.push({ kind: 'delete', collection, key });
        else ops.push({ kind: 'put', collection, key, value: text() });
      }
    }
    this.#pending = new Map();
    this.#isHeadDue = false;
    return ops;
  }

  #nameAdded(): void {
    for (const stored of this.#added) {
      const key = updateRecordKey(this.#space, stored.update.id);
      this.#put('updates', key, () => updateRecord(stored, this.#head));
    }
    this.#added = [];
  }

  updateAdded(stored: StoredUpdate): void {
    const { id } = stored.update;
    this.#added.push(stored);
    this.#noteHead();
    const seat = seatOf(this.#head.replica, id.replica);
    if (seat !== undefined) this.#raiseIssued(seat, id.seq);
  }

  updateRemoved(id: UpdateId): void {
    this.#nameAdded();
    this.#drop('updates', updateRecordKey(this.#space, id));
  }

  entriesCommitted(entries: readonly CommitEntry[]): void {
    for (const entry of entries) {
      invariant(entry.csn === this.#csn + 1, 'entries are committed without gaps');
      this.#csn = entry.csn;
      this.#put('entries', entryKey(this.#space, entry.csn), () => this.#entryRecord(entry));
      this.#entryChars.set(entry.csn, 0);
      this.#weigh(1, 0);
      for (const { table, key } of entry.effects) this.#pages.touch(table, key, entry.csn);
      this.#pages.touch(LEDGER_TABLE, entry.id.replica, entry.csn);
    }
  }

  /** Made when it is written, which may be later than somebody looks at the page; weighed then. */
  #entryRecord(entry: CommitEntry): string {
    const record = sealed(entryTextAlone(entry));
    this.#entryChars.set(entry.csn, record.length);
    this.#weigh(0, record.length);
    return record;
  }

  entriesTrimmed(throughCsn: number): void {
    this.#trimmed = Math.max(this.#trimmed, throughCsn);
    this.#dropEntries();
  }

  baseReplaced(snapshot: BaseSnapshot): void {
    for (const csn of this.#entryChars.keys()) this.#drop('entries', entryKey(this.#space, csn));
    this.#entryChars.clear();
    this.#over = { entries: 0, chars: 0 };
    const old = [...this.#pages.slots()];
    this.#pages.clear();
    for (const slot of this.#write(pagesOf(snapshot), old)) this.#pages.append(slot);
    this.#csn = snapshot.csn;
    this.#reached = snapshot.csn;
    this.#trimmed = snapshot.csn;
    this.#putDirectory();
  }

  conflictPut(record: ConflictRecord): void {
    const key = conflictKey(this.#space, record.id);
    this.#put('meta', key, () => sealed(conflictText(record)));
  }

  conflictRemoved(id: UpdateId): void {
    this.#drop('meta', conflictKey(this.#space, id));
  }

  undoPut(record: UndoRecord): void {
    this.#put('meta', undoKey(this.#space, record.id), () => sealed(undoText(record)));
  }

  undoRemoved(id: UpdateId): void {
    this.#drop('meta', undoKey(this.#space, id));
  }

  headChanged(head: SpaceHead): void {
    if (head.replica !== this.#head.replica) this.#issued = new Map();
    this.#head = head;
    this.#isHeadStored = true;
    this.#isHeadDue = true;
  }

  /** The disk is another one, and empty: all that is held is named again. */
  startOver(held: HeldSpace): void {
    this.take();
    this.#pages.clear();
    this.#entryChars.clear();
    this.headChanged(held.head);
    this.baseReplaced(held.snapshot());
    for (const update of held.tentative) this.updateAdded({ update });
    for (const record of held.conflicts()) this.conflictPut(record);
    for (const record of held.insides.state.undos.list) this.undoPut(record);
  }

  /** In the write that has the update itself: once a write, however many updates are in it. */
  #raiseIssued(seat: number, seq: number): void {
    if (seq > (this.#issued.get(seat) ?? 0)) this.#issued.set(seat, seq);
    this.headChanged(this.#head);
  }

  /** So much lies over the pages that the next start would feel it. */
  get needsCheckpoint(): boolean {
    return this.#over.entries >= this.#bounds.checkpointEntriesMin ||
      this.#over.chars >= this.#bounds.checkpointCharsMin;
  }

  /**
   * One atomic write that rewrites the pages over which entries have lain longest, about
   * `budgetChars` of them; nothing while too little lies over the pages, or while changes wait to
   * be taken. To be called in idle time, again until it gives nothing.
   */
  maybeCheckpoint(source: CheckpointSource, budgetChars: number): PersistOp[] {
    if (this.hasChanges || !this.needsCheckpoint) return [];
    invariant(source.head.csn === this.#csn, 'every commit was named before the checkpoint');
    let chars = 0;
    while (chars < budgetChars) {
      const slot = this.#pages.oldestDirty();
      if (slot === undefined) break;
      chars += this.#rewrite(slot, source);
    }
    this.#raiseReached();
    this.#dropEntries();
    this.#putDirectory();
    return this.take();
  }

  /** The chars written. */
  #rewrite(slot: PageSlot, source: CheckpointSource): number {
    const removed = [slot];
    let cut = this.#cut(removed, source);
    const next = this.#pages.after(slot);
    // What has shrunk joins its neighbour: a table must not end up in crumbs.
    if (next !== undefined && cut.length > 0 && charsOf(cut) < this.#bounds.pageCharsMin) {
      removed.push(next);
      cut = this.#cut(removed, source);
    }
    this.#pages.replace(removed, this.#write(cut, removed));
    return charsOf(cut);
  }

  /** The rows of neighbouring pages as they are now, in new pages. */
  #cut(slots: readonly PageSlot[], source: CheckpointSource): SnapshotPage[] {
    const [first, last] = [slots[0], slots.at(-1)];
    invariant(first && last, 'there is a page to cut');
    const from = this.#pages.isFirst(first) ? '' : first.from;
    const range = { from, to: this.#pages.after(last)?.from };
    const rows = first.table === LEDGER_TABLE
      ? ledgerRows(source.ledger(), range)
      : tableRows(source, first.table, range);
    return [...cutPages(first.table, rows, this.#bounds)];
  }

  /**
   * Puts what is new, keeps what is on disk already, drops what is left of `old`. The slots in the
   * order of `cut`.
   */
  #write(cut: Iterable<SnapshotPage>, old: readonly PageSlot[]): PageSlot[] {
    const oldByHash = new Map<string, PageSlot>();
    for (const slot of old) if (slot.page !== undefined) oldByHash.set(slot.hash, slot);
    const kept = new Set<PageSlot>();
    const slots = [...cut].map((page): PageSlot => {
      const same = oldByHash.get(page.hash);
      if (same?.table !== page.table || same.from !== page.rows[0]?.[0] || kept.has(same)) {
        return this.#putPage(page);
      }
      kept.add(same);
      same.dirtyCsn = undefined;
      return same;
    });
    for (const slot of old) {
      if (slot.page !== undefined && !kept.has(slot)) {
        this.#drop('pages', pageKey(this.#space, slot.page));
      }
    }
    return slots;
  }

  #putPage(cut: SnapshotPage): PageSlot {
    const page = this.#nextPage++;
    const slot = slotOfPage(cut, page);
    // Which says in which layout pages are.
    this.headChanged(this.#head);
    this.#put('pages', pageKey(this.#space, page), () => pageRecord(slot, cut.rows));
    return slot;
  }

  #raiseReached(): void {
    const reached = this.#pages.reached(this.#csn);
    for (let csn = this.#reached + 1; csn <= reached; csn++) {
      this.#weigh(-1, -(this.#entryChars.get(csn) ?? 0));
    }
    this.#reached = Math.max(this.#reached, reached);
  }

  /** Entries that neither the pages nor the kept log need. */
  #dropEntries(): void {
    const through = Math.min(this.#trimmed, this.#reached);
    for (const csn of this.#entryChars.keys()) {
      if (csn > through) return;
      this.#entryChars.delete(csn);
      this.#drop('entries', entryKey(this.#space, csn));
    }
  }

  #putDirectory(): void {
    const pages = [...this.#pages.slots()].flatMap(({ page }) => page ?? []);
    const text = JSON.stringify({ reached: this.#reached, pages });
    this.#put('meta', pagesKey(this.#space), () => sealed(text));
  }

  #weigh(entries: number, chars: number): void {
    this.#over = { entries: this.#over.entries + entries, chars: this.#over.chars + chars };
  }

  #put(collection: PersistOp['collection'], key: string, text: () => string): void {
    this.#set(collection, key, text);
  }

  #drop(collection: PersistOp['collection'], key: string): void {
    this.#set(collection, key, undefined);
  }

  #set(
    collection: PersistOp['collection'], key: string, text: (() => string) | undefined,
  ): void {
    this.#noteHead();
    const pending = this.#pending.get(collection);
    if (pending === undefined) this.#pending.set(collection, new Map([[key, text]]));
    else pending.set(key, text);
  }

  /** Without it a start could not tell a new space from a damaged one. */
  #noteHead(): void {
    if (!this.#isHeadStored) this.headChanged(this.#head);
  }
}

/** A tentative update as its record tells it. */
export interface OwnedUpdate extends StoredUpdate {
  /** It was ours when it was written; counts when the head cannot be read. */
  readonly own: boolean;
}

function writtenHead(head: SpaceHead, issuedBy: ReadonlyMap<number, number>): WrittenHead {
  const others = [...issuedBy].filter(([seat]) => seat > 0);
  const written = { layout: LAYOUT_VERSION, head, issued: issuedBy.get(0) ?? 0 };
  return others.length === 0 ? written : { ...written, issuedBySeat: Object.fromEntries(others) };
}

/** A line that says whose it is, then the update. */
function updateRecord({ update }: StoredUpdate, head: SpaceHead): string {
  const line: Omit<OwnedUpdate, 'update'> = { own: isSeatOf(head.replica, update.id.replica) };
  return sealed(`${JSON.stringify(line)}\n${updateText(update)}`);
}

function* pagesOf(snapshot: BaseSnapshot): Generator<SnapshotPage, void, undefined> {
  yield* ledgerPages(snapshot.ledger);
  const pages = snapshot.pages();
  for (let next = pages.next(); next.done !== true; next = pages.next()) yield next.value;
}

function* tableRows(
  source: CheckpointSource, table: string, range: Range,
): Generator<PageRow, void, undefined> {
  for (const { key, row } of source.base.scan(table, PRIMARY, range, false)) {
    yield [key, source.given?.(row) ?? row];
  }
}

function ledgerRows(lines: readonly LedgerLine[], { from, to }: Range): PageRow[] {
  return lines
    .filter(({ replica }) => replica >= from && (to === undefined || replica < to))
    .sort((a, b) => (a.replica < b.replica ? -1 : 1))
    .map(ledgerRow);
}

const charsOf = (pages: readonly SnapshotPage[]): number =>
  pages.reduce((chars, { rows }) => chars + rowLines(rows).length, 0);
