/** One table's part in a transaction: its own writes, laid over the rows below. */
import type { KeyText, Row } from '../protocol/index.js';
import { OrderedMap } from './ordered-map.js';
import { TableData } from './table-data.js';
import type { TableShape } from './table-shape.js';
import type { Transaction, Write } from './transaction.js';

/** Own writes in the orders of the table's indexes. */
export interface Ordered {
  readonly rows: TableData;
  /** Every key written, deleted ones too: what is below is hidden. */
  readonly hidden: OrderedMap<true>;
}

export class TablePart {
  readonly transaction: Transaction;
  readonly shape: TableShape;
  /** Mostly there is one; a map for it would take longer than all the rest of the writing. */
  #first: Write | undefined;
  #others: Map<KeyText, Write> | undefined;
  /** Kept from the first scan over own writes on; most executions never need it. */
  #ordered: Ordered | undefined;

  constructor(transaction: Transaction, shape: TableShape) {
    this.transaction = transaction;
    this.shape = shape;
  }

  row(key: KeyText): Row | undefined {
    this.transaction.step();
    const own = this.#own(key);
    if (own !== undefined) return own.row ?? undefined;
    this.transaction.readKey(this.shape.name, key);
    return this.transaction.reader.row(this.shape.name, key);
  }

  /** `units` as `copyValue` counts. */
  write(key: KeyText, row: Row | null, units: number): void {
    const known = this.#own(key);
    if (known === undefined) {
      const write = { table: this.shape.name, key, row };
      this.transaction.addWrite(write, units);
      if (this.#first === undefined) this.#first = write;
      else (this.#others ??= new Map<KeyText, Write>()).set(key, write);
    } else {
      this.transaction.weighWrite(units);
      known.row = row;
    }
    if (this.#ordered !== undefined) addTo(this.#ordered, key, row);
  }

  /**
   * The writes so far as a scan sees them to its end, whatever is written meanwhile; undefined if
   * there are none.
   */
  ownRows(): Ordered | undefined {
    if (this.#first === undefined) return undefined;
    const { rows, hidden } = (this.#ordered ??= this.#order(this.#first));
    return { rows: rows.clone(), hidden: hidden.clone() };
  }

  #own(key: KeyText): Write | undefined {
    return this.#first?.key === key ? this.#first : this.#others?.get(key);
  }

  #order(first: Write): Ordered {
    const ordered: Ordered = {
      rows: TableData.empty(this.shape.indexes),
      hidden: new OrderedMap<true>(),
    };
    addTo(ordered, first.key, first.row);
    for (const { key, row } of this.#others?.values() ?? []) addTo(ordered, key, row);
    return ordered;
  }
}

function addTo(ordered: Ordered, key: KeyText, row: Row | null): void {
  ordered.hidden.set(key, true);
  const { rows } = ordered;
  if (row === null) rows.delete(key, rows.row(key));
  else rows.put(key, row, rows.row(key));
}
