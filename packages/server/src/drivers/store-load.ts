/**
 * Reads a whole space out of the store's records, from one snapshot, in slices: a large space must
 * not stop the event loop for as long as it takes to parse it. Every record's checksum is verified,
 * and that none is missing.
 */
import {
  decodeEntry, decodeRows,
  type CommitEntry, type LedgerLine, type SpaceId,
} from '@oxbow/sdk/protocol';
import type { StoredSpace } from '../space/state-store.js';
import { spaceKey, spanOf, tableOf } from './store-keys.js';
import {
  damaged, openRecord, readSpaceRecord, sealOf, type RecordView, type SpaceRecord,
} from './store-records.js';

/** Parsed in one go: about a millisecond's work. */
const SLICE_CHARS = 256 * 1024;
const SLICE_ROWS = 1_000;

/** Undefined: the space has never been written. Errors: `store-damaged`. */
export function* loadSpace(
  view: RecordView, space: SpaceId,
): Generator<undefined, StoredSpace | undefined> {
  const key = spaceKey(space);
  const value = view.get(key);
  if (value === undefined) return undefined;
  const record = readSpaceRecord(key, value);
  const reading = new Reading(view, record);
  const { csn, at, lamport, first } = record;
  const rows = yield* reading.rows();
  const ledger = reading.ledger();
  reading.mustBeWhole();
  const entries = yield* reading.entries();
  if (entries[0]?.csn !== first || entries.length !== csn - first + 1) {
    throw damaged('entries of the kept log are missing');
  }
  return { head: { csn, at, lamport }, rows, ledger, entries };
}

class Reading {
  readonly #view: RecordView;
  readonly #record: SpaceRecord;
  #count = 0;
  #sum = 0;

  constructor(view: RecordView, record: SpaceRecord) {
    this.#view = view;
    this.#record = record;
  }

  *rows(): Generator<undefined, StoredSpace['rows']> {
    const rows: StoredSpace['rows'][number][] = [];
    let slice: { table: string; texts: string[]; chars: number } = { table: '', texts: [], chars: 0 };
    const parse = (): void => {
      for (const [key, row] of decodeRows(`[${slice.texts.join(',')}]`)) {
        rows.push({ table: slice.table, key, row });
      }
    };
    for (const { key, value } of this.#range('row')) {
      const table = tableOf(key);
      const isFull = slice.chars > SLICE_CHARS || slice.texts.length >= SLICE_ROWS;
      if (table !== slice.table || isFull) {
        parse();
        slice = { table, texts: [], chars: 0 };
        if (isFull) yield;
      }
      slice.texts.push(this.#counted(key, value));
      slice.chars += value.length;
    }
    parse();
    return rows;
  }

  ledger(): LedgerLine[] {
    const ledger: LedgerLine[] = [];
    for (const { key, value } of this.#range('ledger')) {
      // reason: the checksum says that it is what the store wrote.
      ledger.push(JSON.parse(this.#counted(key, value)) as LedgerLine);
    }
    return ledger;
  }

  mustBeWhole(): void {
    if (this.#count === this.#record.count && this.#sum === this.#record.sum) return;
    throw damaged('records of the space are missing');
  }

  *entries(): Generator<undefined, readonly CommitEntry[]> {
    const entries: CommitEntry[] = [];
    let chars = 0;
    for (const { key, value } of this.#range('entry')) {
      entries.push(decodeEntry(openRecord(key, value)));
      chars += value.length;
      if (chars < SLICE_CHARS) continue;
      chars = 0;
      yield;
    }
    return entries;
  }

  #counted(key: Buffer, value: string): string {
    const text = openRecord(key, value);
    this.#count += 1;
    this.#sum = (this.#sum + sealOf(value)) >>> 0;
    return text;
  }

  #range(kind: 'ledger' | 'entry' | 'row') {
    const { start, end } = spanOf(kind, this.#record.number);
    return this.#view.range(start, end);
  }
}
