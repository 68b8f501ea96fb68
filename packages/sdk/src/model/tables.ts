/**
 * The tables of one space in memory: the committed base of a replica, the actor's state on the
 * server. Effects go in, rows and index ranges come out. Tables that the app does not know (it is
 * older than the data) are kept as they are, without indexes: what this code cannot read must still
 * reach those who can.
 */
import type { Effect, KeyText, PageRow, Row } from '../protocol/index.js';
import type { Sleeper } from './ordered-map.js';
import type { IndexHit, Range, Reader } from './reader.js';
import { TableData } from './table-data.js';
import type { IndexShape, Shapes } from './table-shape.js';

const NO_HITS: readonly IndexHit[] = [];

export class Tables implements Reader {
  readonly #app: Shapes;
  readonly #tables = new Map<string, TableData>();

  constructor(app: Shapes) {
    this.#app = app;
  }

  row(table: string, key: KeyText): Row | undefined {
    return this.#tables.get(table)?.row(key);
  }

  /**
   * The tables must not change while the scan is in use. Errors: `bad-query` for an unknown index.
   */
  scan(table: string, index: string, range: Range, reverse: boolean): Iterable<IndexHit> {
    return this.#tables.get(table)?.scan(index, range, reverse) ?? NO_HITS;
  }

  apply(effects: readonly Effect[]): void {
    for (let i = 0; i < effects.length; i++) {
      const effect = effects[i];
      if (effect !== undefined) this.write(effect, this.row(effect.table, effect.key));
    }
  }

  /** `old`: the row that stands there now. */
  write({ table, key, row }: Effect, old: Row | undefined): void {
    const data = this.#tables.get(table) ?? this.#create(table);
    if (row === null) data.delete(key, old);
    else data.put(key, row, old);
  }

  /** Makes these the rows of the table, faster than one by one. `rows` ascend by key. */
  load(table: string, rows: Iterable<PageRow>): void {
    this.#tables.set(table, TableData.load(this.#indexesOf(table), rows));
  }

  /** The same of rows that nobody has asked for yet; pages in key order. */
  loadAsleep(table: string, pages: readonly Sleeper<Row>[]): void {
    this.#tables.set(table, TableData.asleep(this.#indexesOf(table), pages));
  }

  /**
   * A snapshot in O(tables): the trees are shared until one side writes. Rows are shared for ever.
   */
  clone(): Tables {
    const copy = new Tables(this.#app);
    for (const [name, data] of this.#tables) copy.#tables.set(name, data.clone());
    return copy;
  }

  /**
   * Names of the tables that hold rows, in order of code units, those unknown to the app included.
   */
  names(): string[] {
    const names = [...this.#tables.keys()].filter((name) => this.size(name) > 0);
    return names.sort((a, b) => (a < b ? -1 : 1));
  }

  /** All rows of a table in key order, lazily. */
  rows(table: string): Iterable<readonly [key: KeyText, row: Row]> {
    return this.#tables.get(table)?.entries() ?? [];
  }

  size(table: string): number {
    return this.#tables.get(table)?.size ?? 0;
  }

  #create(name: string): TableData {
    const data = TableData.empty(this.#indexesOf(name));
    this.#tables.set(name, data);
    return data;
  }

  #indexesOf(table: string): readonly IndexShape[] {
    return this.#app.shapes.get(table)?.indexes ?? [];
  }
}
