/**
 * The two views of a row side by side, and which updates stand between them. Neither view is a
 * copy: the committed one is the base, the tentative one is what the overlay lays over it
 * (replica/overlay.ts).
 */
import { sameValue } from '../model/index.js';
import type { KeyText, Row, UpdateId, Value } from '../protocol/index.js';
import { keyWords } from './key-words.js';
import type { InspectedState } from './inspected-state.js';

export interface FieldTurn {
  readonly field: string;
  readonly before: Value;
  readonly now: Value;
}

export interface RowPair {
  readonly table: string;
  /** As people read it, and as it is sorted. */
  readonly key: string;
  readonly keyText: KeyText;
  readonly committed: Row | undefined;
  readonly tentative: Row | undefined;
  /** Fields that the two views show differently. */
  readonly fields: readonly FieldTurn[];
  /** The tentative updates that write it, in stamp order. */
  readonly writers: readonly {
    readonly id: UpdateId;
    readonly name: string;
    /** Null: deleted. */
    readonly row: Row | null;
  }[];
}

export interface RowSearch {
  /** Default: all. */
  readonly table?: string | undefined;
  /** Only rows that tentative updates write. Default: false. */
  readonly changedOnly?: boolean;
  /** In the key or a value, in either view; capitals do not matter. */
  readonly text?: string;
  readonly rowsMax?: number;
}

export interface FoundRows {
  readonly rows: readonly RowPair[];
  /** There are more than `rowsMax`. */
  readonly isCut: boolean;
}

const ROWS_MAX = 200;

/** In order of table and key. */
export function rowsOf(state: InspectedState, search: RowSearch = {}): FoundRows {
  const { changedOnly = false, text = '', rowsMax = ROWS_MAX } = search;
  const sought = text.toLowerCase();
  const rows: RowPair[] = [];
  for (const table of tablesOf(state)) {
    if (search.table !== undefined && table !== search.table) continue;
    for (const key of changedOnly ? writtenKeys(state, table) : keysOf(state, table)) {
      const pair = rowPair(state, table, key);
      if (pair === undefined || !matches(pair, sought)) continue;
      if (rows.length >= rowsMax) return { rows, isCut: true };
      rows.push(pair);
    }
  }
  return { rows, isCut: false };
}

/** Tables of the app, and others that hold rows. */
export function tablesOf({ runner, ground }: InspectedState): readonly string[] {
  return [...new Set([...runner.app.shapes.keys(), ...ground.base.names()])].sort();
}

/** Undefined: it is in neither view, and no update writes it. */
export function rowPair(
  { ground }: InspectedState, table: string, keyText: KeyText,
): RowPair | undefined {
  const { base, overlay } = ground;
  const versions = overlay.versions(table, keyText) ?? [];
  const committed = base.row(table, keyText);
  const tentative = overlay.rowBelow(table, keyText, Infinity);
  if (committed === undefined && versions.length === 0) return undefined;
  return {
    table, key: keyWords(keyText), keyText, committed, tentative,
    fields: fieldTurns(committed, tentative),
    writers: versions.map(({ entry: { update: { id, name } }, row }) => ({ id, name, row })),
  };
}

/** Fields that are not the same; those of a whole row where the other is not there. */
export function fieldTurns(before: Row | undefined, now: Row | undefined): readonly FieldTurn[] {
  if (before === now) return [];
  const fields = new Set([...Object.keys(before ?? {}), ...Object.keys(now ?? {})]);
  return [...fields]
    .map((field) => ({ field, before: before?.[field], now: now?.[field] }))
    .filter((turn) => !sameValue(turn.before, turn.now));
}

function writtenKeys({ ground }: InspectedState, table: string): readonly KeyText[] {
  const keys = new Set<KeyText>();
  for (const { execution: { effects } } of ground.log.entries) {
    for (const effect of effects) if (effect.table === table) keys.add(effect.key);
  }
  return [...keys].sort();
}

/** Of both views, in order; lazily, as a table may be large and a reader of the list is not. */
function* keysOf(state: InspectedState, table: string): Generator<KeyText, void, undefined> {
  const { base } = state.ground;
  const written = writtenKeys(state, table).filter((key) => base.row(table, key) === undefined);
  let next = 0;
  for (const [key] of base.rows(table)) {
    for (let added = written[next]; added !== undefined && added < key; added = written[++next]) {
      yield added;
    }
    yield key;
  }
  yield* written.slice(next);
}

function matches({ key, committed, tentative }: RowPair, sought: string): boolean {
  if (sought === '') return true;
  const texts = [key, ...[committed, tentative].flatMap((row) => Object.values(row ?? {}))];
  return texts.some((value) => String(value).toLowerCase().includes(sought));
}
