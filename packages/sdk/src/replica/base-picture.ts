/** The base of a space as pages, for those who get it whole, and back. */
import { freezeValue, Tables } from '../model/index.js';
import type { AppDefinition } from '../model/index.js';
import { cutPages, LEDGER_TABLE } from '../protocol/index.js';
import type {
  BaseSnapshot, PageRow, ReceivedBase, SnapshotPage,
} from '../protocol/index.js';

type Head = Omit<BaseSnapshot, 'pages'>;

/** Frozen at the moment of the call; pages are cut as they are asked for. */
export function snapshotOf(head: Head, base: Tables): BaseSnapshot {
  const frozen = base.clone();
  return { ...head, pages: () => pagesOf(frozen) };
}

function* pagesOf(tables: Tables): Generator<SnapshotPage, void, undefined> {
  for (const table of tables.names()) yield* cutPages(table, tables.rows(table));
}

/**
 * The pages that a sender was told it need not send. They are kept as promised, whatever becomes of
 * the base.
 */
export class PromisedPages {
  #rowsByHash: ReadonlyMap<string, readonly PageRow[]> = new Map();

  promise(base: Tables): readonly string[] {
    const rowsByHash = new Map<string, readonly PageRow[]>();
    for (const { hash, rows } of pagesOf(base)) rowsByHash.set(hash, rows);
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
  { pages }: ReceivedBase, { app, dev }: { readonly app: AppDefinition; readonly dev: boolean },
): Tables {
  const pagesByTable = new Map<string, SnapshotPage[]>();
  for (const page of pages) {
    const parts = pagesByTable.get(page.table);
    if (parts === undefined) pagesByTable.set(page.table, [page]);
    else parts.push(page);
  }
  const tables = new Tables(app);
  for (const [table, parts] of pagesByTable) {
    if (table !== LEDGER_TABLE) tables.load(table, rowsOf(parts, dev));
  }
  return tables;
}

function* rowsOf(pages: readonly SnapshotPage[], dev: boolean): Generator<PageRow, void> {
  for (const { rows } of pages) {
    for (const row of rows) {
      if (dev) freezeValue(row[1]);
      yield row;
    }
  }
}
