/**
 * The `tx` that mutations and queries get. Each app has a class of its own with a getter per table:
 * reading `tx.booking` costs no proxy, and a transaction allocates only the tables that it touches.
 */
import { invariant } from '../protocol/index.js';
import { TableAccess } from './table-access.js';
import type { TableShape } from './table-shape.js';
import type { Transaction } from './transaction.js';

export class TxCore {
  readonly #transaction: Transaction;
  readonly #tables: (TableAccess | undefined)[];

  /** `tables`: how many the app has. */
  constructor(transaction: Transaction, tables: number) {
    this.#transaction = transaction;
    this.#tables = new Array<TableAccess | undefined>(tables);
  }

  get now(): number {
    return this.#transaction.callNow().at;
  }

  get user(): string | null {
    return this.#transaction.callNow().user;
  }

  id(): string {
    return this.#transaction.chance().id();
  }

  random(): number {
    return this.#transaction.chance().random();
  }

  /** For the getters below. */
  static table(tx: TxCore, slot: number, shape: TableShape): TableAccess {
    return (tx.#tables[slot] ??= new TableAccess(tx.#transaction, shape));
  }
}

export type TxClass = new (transaction: Transaction) => TxCore;

/** Names that tables cannot have. */
export const RESERVED: ReadonlySet<string> = new Set(['now', 'user', 'id', 'random', 'in']);

export function txClass(shapes: Iterable<TableShape>): TxClass {
  let slot = 0;
  class AppTx extends TxCore {
    constructor(transaction: Transaction) {
      super(transaction, slot);
    }
  }
  for (const shape of shapes) {
    invariant(!RESERVED.has(shape.name), 'no table hides what tx offers');
    const at = slot++;
    Object.defineProperty(AppTx.prototype, shape.name, {
      get(this: TxCore): TableAccess {
        return TxCore.table(this, at, shape);
      },
    });
  }
  return AppTx;
}
