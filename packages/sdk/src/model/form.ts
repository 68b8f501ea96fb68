/**
 * Rows of older versions of the app. A table says how a row of one version becomes one of the next
 * (`migrate`), and the committed state says in which form its rows stand: one row of a table that
 * no app can name. The primary lifts a space by ordinary commits, in pieces, before it executes
 * anything else there (docs/decisions/rows-are-lifted-by-commits.md); replicas that run ahead of it
 * lift what they show.
 */
import { OxbowError } from '../protocol/index.js';
import type { Effect, KeyText, Row } from '../protocol/index.js';
import { copyValue } from './copy.js';
import { keyText } from './key.js';
import { keyOfRow } from './table-shape.js';
import type { Shapes, TableShape } from './table-shape.js';

/** No app's table has a dot in its name. */
export const FORM_TABLE = '.form';
const FORM_KEY: KeyText = keyText('form');

/** The version of the app that rows are of. */
export interface Form {
  readonly version: number;
  /** While they are being lifted: the form of the rows after `until`, in order of table and key. */
  readonly from?: number;
  readonly until?: readonly [table: string, key: KeyText];
}

/** Of a space that says nothing: it is older than any migration. */
export const FIRST_FORM: Form = { version: 1 };

/** What knows rows by key: tables, a stored space. */
interface Rows {
  row(table: string, key: KeyText): Row | undefined;
}

export function formOf(rows: Rows): Form {
  return readForm(rows.row(FORM_TABLE, FORM_KEY)) ?? FIRST_FORM;
}

/**
 * Only primaries write this row, and only by `formEffect`; what a lying peer sends in its place
 * says nothing.
 */
function readForm(row: Row | null | undefined): Form | undefined {
  const { version, from, until } = row ?? {};
  if (typeof version !== 'number') return undefined;
  if (typeof from !== 'number' || !Array.isArray(until)) return { version };
  const [table, key]: readonly unknown[] = until;
  if (typeof table !== 'string' || typeof key !== 'string') return { version };
  return { version, from, until: [table, key] };
}

export const formEffect = (form: Form): Effect =>
  ({ table: FORM_TABLE, key: FORM_KEY, row: { ...form } });

/** The form that rows of these effects are of, if they say so. */
export function formIn(effects: readonly Effect[]): Form | undefined {
  for (const { table, row } of effects) {
    if (table === FORM_TABLE) return readForm(row);
  }
  return undefined;
}

/** Whether some table has a step above that version, up to the app's own. */
export function hasSteps(
  { shapes, version }: Shapes & { readonly version: number }, above: number,
): boolean {
  for (const { steps } of shapes.values()) {
    for (const step of steps.keys()) if (step > above && step <= version) return true;
  }
  return false;
}

/** The form of one row that stands there. */
export function formAt({ version, from, until }: Form, table: string, key: KeyText): number {
  if (from === undefined || until === undefined) return version;
  const [lastTable, lastKey] = until;
  const isLifted = table < lastTable || (table === lastTable && key <= lastKey);
  return isLifted ? version : from;
}

/**
 * The row in the form of version `to`; the same object where no step is on the way. Errors:
 * `bad-migration`.
 */
export function liftRow(shape: TableShape, row: Row, from: number, to: number): Row {
  let lifted = row;
  for (let version = from + 1; version <= to; version++) {
    const step = shape.steps.get(version);
    // Copies: a row is never changed in place, nor held on to.
    if (step === undefined) continue;
    lifted = mustBeRow(shape, copyValue(step(mustBeRow(shape, copyValue(lifted)))));
  }
  if (lifted !== row && keyOfRow(shape, lifted) !== keyOfRow(shape, row)) {
    throw bad(shape, 'gave a row with another key');
  }
  return lifted;
}

function mustBeRow(shape: TableShape, value: unknown): Row {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    // reason: an object with names, as `put` takes it.
    return value as Row;
  }
  throw bad(shape, 'gave no row');
}

const bad = (shape: TableShape, problem: string): OxbowError =>
  new OxbowError('bad-migration', `Migrating a row of '${shape.name}' ${problem}. It stays as it was.`);
