/** The base of a space as pages, for those who get it whole, and back. */
import { FORM_TABLE, freezeValue, Tables } from '../model/index.js';
import type { AppDefinition } from '../model/index.js';
import { cutPages, LEDGER_TABLE } from '../protocol/index.js';
import type {
  BaseSnapshot, PageRow, ReceivedBase, Row, SnapshotPage,
} from '../protocol/index.js';
import type { Lifting } from './lifting.js';

type Head = Omit<BaseSnapshot, 'pages'>;

/** Frozen at the moment of the call; pages are cut as they are asked for. */
export function snapshotOf(head: Head, base: Tables, given = asItIs): BaseSnapshot {
  const frozen = base.clone();
  return { ...head, pages: () => pagesOf(frozen, given) };
}

/** `given`: what a row was made of (lifting.ts). */
function* pagesOf(
  tables: Tables, given: (row: Row) => Row,
): Generator<SnapshotPage, void, undefined> {
  for (const table of tables.names()) yield* cutPages(table, rowsIn(tables, table, given));
}

function* rowsIn(
  tables: Tables, table: string, given: (row: Row) => Row,
): Generator<PageRow, void, undefined> {
  for (const [key, row] of tables.rows(table)) yield [key, given(row)];
}

const asItIs = (row: Row): Row => row;

/**
 * The pages that a sender was told it need not send. They are kept as promised, whatever becomes of
 * the base.
 */
export class PromisedPages {
  #rowsByHash: ReadonlyMap<string, readonly PageRow[]> = new Map();

  promise(base: Tables, given: (row: Row) => Row): readonly string[] {
    const rowsByHash = new Map<string, readonly PageRow[]>();
    for (const { hash, rows } of pagesOf(base, given)) rowsByHash.set(hash, rows);
    this.#rowsByHash = rowsByHash;
    return [...rowsByHash.keys()];
  }

  get(hash: string): readonly PageRow[] | undefined {
    return this.#rowsByHash.get(hash);
  }

  forget(): void {
    this.#rowsByHash = new Map();
  }
}

/** Throws where the rows are not in order, as no honest sender has them. */
export function tablesOf(
  { pages }: ReceivedBase,
  { app, dev, lifting }: {
    readonly app: AppDefinition; readonly dev: boolean; readonly lifting: Lifting;
  },
): Tables {
  const pagesByTable = new Map<string, SnapshotPage[]>();
  for (const page of pages) {
    const parts = pagesByTable.get(page.table);
    if (parts === undefined) pagesByTable.set(page.table, [page]);
    else parts.push(page);
  }
  const tables = new Tables(app);
  const load = (table: string, parts: readonly SnapshotPage[]): void => {
    const rows = parts.flatMap((page) => page.rows);
    if (dev) freezeValue(rows);
    tables.load(table, lifting.rows(table, rows));
  };
  const form = pagesByTable.get(FORM_TABLE);
  if (form !== undefined) load(FORM_TABLE, form);
  lifting.begin(tables);
  for (const [table, parts] of pagesByTable) {
    if (table !== LEDGER_TABLE && table !== FORM_TABLE) load(table, parts);
  }
  return tables;
}
