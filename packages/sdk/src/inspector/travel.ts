/**
 * Time travel over the kept log: what each commit entry changed, and the rows as they were at an
 * earlier csn. Entries say what they wrote; what stood there before is kept with them while the
 * program runs. For entries that came from the disk it is what an earlier kept entry wrote, and
 * where there is none it is not known: that is said, never guessed.
 */
import type { CommitEntry, Effect, KeyText, Row } from '../protocol/index.js';
import type { KeptEntry } from '../replica/kept-log.js';
import { keyWords } from './key-words.js';
import type { InspectedState } from './inspected-state.js';
import { fieldTurns, type FieldTurn } from './rows.js';

/** A row at some time; undefined: there was none. `isKnown` false: the kept log does not tell. */
export type PastRow =
  | { readonly isKnown: true; readonly row: Row | undefined }
  | { readonly isKnown: false };

export interface RowChangeView {
  readonly table: string;
  readonly key: string;
  readonly keyText: KeyText;
  readonly before: PastRow;
  readonly now: Row | undefined;
  /** Empty where what was before is not known. */
  readonly fields: readonly FieldTurn[];
}

export interface EntryView {
  readonly entry: CommitEntry;
  readonly changes: readonly RowChangeView[];
}

export interface RowThen {
  readonly table: string;
  readonly key: string;
  readonly keyText: KeyText;
  readonly then: PastRow;
  /** In the committed view of now. */
  readonly now: Row | undefined;
  readonly isChanged: boolean;
}

export interface RowsThen {
  readonly rows: readonly RowThen[];
  /** There are more than `rowsMax`. */
  readonly isCut: boolean;
}

const NONE: PastRow = { isKnown: true, row: undefined };
const UNKNOWN: PastRow = { isKnown: false };

/** The csns that can be looked at: from before the first kept entry up to now. */
export function reach({ kept, csn }: InspectedState): { from: number; to: number } {
  const [first] = kept.since(0);
  return { from: first === undefined ? csn : first.entry.csn - 1, to: csn };
}

/** The newest first. */
export function entriesOf(state: InspectedState): readonly EntryView[] {
  return new Past(state).views().reverse();
}

/**
 * Rows as of that csn, in key order; those that have changed since first. `csn` outside `reach` is
 * taken for its nearest end.
 */
export function rowsAt(
  state: InspectedState, csn: number, { table, rowsMax = 200 }: RowsThenSearch = {},
): RowsThen {
  const past = new Past(state);
  const isAsked = (row: RowThen): boolean => table === undefined || row.table === table;
  const changed = past.changedSince(csn).filter(isAsked);
  const rows: RowThen[] = changed.slice(0, rowsMax);
  const { base } = state.ground;
  const seen = new Set(changed.map((row) => `${row.table}\u0000${row.keyText}`));
  for (const name of base.names()) {
    if (table !== undefined && name !== table) continue;
    for (const [keyText, row] of base.rows(name)) {
      if (seen.has(`${name}\u0000${keyText}`)) continue;
      if (rows.length >= rowsMax) return { rows, isCut: true };
      const then: PastRow = { isKnown: true, row };
      rows.push({ table: name, key: keyWords(keyText), keyText, then, now: row, isChanged: false });
    }
  }
  return { rows, isCut: changed.length > rowsMax };
}

export interface RowsThenSearch {
  /** Default: all. */
  readonly table?: string | undefined;
  readonly rowsMax?: number;
}

class Past {
  readonly #state: InspectedState;
  readonly #kept: readonly KeptEntry[];

  constructor(state: InspectedState) {
    this.#state = state;
    this.#kept = state.kept.since(0);
  }

  views(): EntryView[] {
    /** What kept entries below the present one have written. */
    const written = new Map<string, Row | undefined>();
    return this.#kept.map(({ entry, before }) => ({
      entry,
      changes: entry.effects.map((effect, i) => {
        const name = nameOf(effect);
        const known = before !== undefined || written.has(name);
        const row = before === undefined ? written.get(name) : before[i];
        written.set(name, effect.row ?? undefined);
        return changeView(effect, known ? { isKnown: true, row } : UNKNOWN);
      }),
    }));
  }

  /** Undoes the entries above, the newest first: what the lowest of them found is what was. */
  changedSince(csn: number): RowThen[] {
    const { base } = this.#state.ground;
    const found = new Map<string, RowThen>();
    for (const { entry, changes } of this.views().reverse()) {
      if (entry.csn <= csn) break;
      for (const { table, key, keyText, before } of changes) {
        const now = base.row(table, keyText);
        const isChanged = !before.isKnown || before.row !== now;
        const row: RowThen = { table, key, keyText, then: before, now, isChanged };
        found.set(`${table}\u0000${keyText}`, row);
      }
    }
    return [...found.values()].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  }
}

function changeView({ table, key, row }: Effect, before: PastRow): RowChangeView {
  const now = row ?? undefined;
  const fields = before.isKnown ? fieldTurns(before.row, now) : [];
  const isNothing = before.isKnown && before.row === undefined;
  return {
    table, key: keyWords(key), keyText: key, before: isNothing ? NONE : before, now, fields,
  };
}

const nameOf = ({ table, key }: Effect): string => `${table}\u0000${key}`;
const orderOf = ({ table, keyText }: RowThen): string => `${table}\u0000${keyText}`;
