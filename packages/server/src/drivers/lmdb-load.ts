/**
 * Reads a whole space out of LMDB, from one snapshot, in slices: a large space must not stop the event loop for as
 * long as it takes to parse it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RootDatabase } from 'lmdb';
import {
  decodeEntry, decodeRows, invariant,
  type CommitEntry, type LedgerLine, type ReplicaId, type SpaceId,
} from '@oxbow/sdk/protocol';
import type { SpaceHead, StoredSpace } from '../space/state-store.js';
import { spaceKey, spanOf, tableOf } from './store-keys.js';

export type Database = RootDatabase<string, Buffer>;

/** What stands under a space's name. */
export interface SpaceRecord extends SpaceHead {
  /** Stands for the space in keys. Counts from 1, never given twice. */
  readonly number: number;
  /** csn of the oldest kept entry. */
  readonly first: number;
  /** Characters of the kept entries. */
  readonly chars: number;
}

/** Parsed in one go: about a millisecond's work. */
const SLICE_CHARS = 256 * 1024;
const SLICE_ROWS = 1_000;

type Snapshot = ReturnType<Database['useReadTransaction']>;

/** Undefined: the space has never been written. Throws when a text cannot be read. */
export async function loadSpace(
  database: Database,
  space: SpaceId,
): Promise<StoredSpace | undefined> {
  const transaction = database.useReadTransaction();
  try {
    const text = database.get(spaceKey(space), { transaction });
    if (text === undefined) return undefined;
    // reason: written by the store only; what it holds is checked against what is found.
    const { number, csn, at, lamport, first } = JSON.parse(text) as SpaceRecord;
    const read = { database, transaction, number };
    const stored: StoredSpace = {
      head: { csn, at, lamport },
      rows: await readRows(read),
      ledger: readLedger(read),
      entries: await readEntries(read),
    };
    invariant(stored.entries[0]?.csn === first, 'the kept log begins where the space says');
    invariant(stored.entries.length === csn - first + 1, 'the kept log has no holes');
    return stored;
  } finally {
    transaction.done();
  }
}

interface Reading {
  readonly database: Database;
  readonly transaction: Snapshot;
  readonly number: number;
}

async function readRows(reading: Reading): Promise<StoredSpace['rows']> {
  const rows: StoredSpace['rows'][number][] = [];
  let slice: { table: string; texts: string[]; chars: number } = { table: '', texts: [], chars: 0 };
  const parse = (): void => {
    for (const [key, row] of decodeRows(`[${slice.texts.join(',')}]`)) {
      rows.push({ table: slice.table, key, row });
    }
  };
  for (const { key, value } of range(reading, 'row')) {
    const table = tableOf(key);
    const isFull = slice.chars > SLICE_CHARS || slice.texts.length >= SLICE_ROWS;
    if (table !== slice.table || isFull) {
      parse();
      slice = { table, texts: [], chars: 0 };
      if (isFull) await nextTurn();
    }
    slice.texts.push(value);
    slice.chars += value.length;
  }
  parse();
  return rows;
}

async function readEntries(reading: Reading): Promise<readonly CommitEntry[]> {
  const entries: CommitEntry[] = [];
  let chars = 0;
  for (const { value } of range(reading, 'entry')) {
    entries.push(decodeEntry(value));
    chars += value.length;
    if (chars < SLICE_CHARS) continue;
    chars = 0;
    await nextTurn();
  }
  return entries;
}

function readLedger(reading: Reading): LedgerLine[] {
  const ledger: LedgerLine[] = [];
  for (const { value } of range(reading, 'ledger')) {
    // reason: written by the store only.
    const [replica, seq, user] = JSON.parse(value) as [ReplicaId, number, string | null];
    ledger.push({ replica, seq, user });
  }
  return ledger;
}

function range({ database, transaction, number }: Reading, kind: 'ledger' | 'entry' | 'row') {
  return database.getRange({ ...spanOf(kind, number), transaction });
}
