/** An app of one small table and transactions over it, for the tests of transactions and scans. */
import type { ReplicaId } from '../../protocol/index.js';
import { defineApp, table } from '../index.js';
import type { Reader, Tx } from '../index.js';
import { keyText } from '../key.js';
import { Tables } from '../tables.js';
import { Transaction } from '../transaction.js';

export interface Item {
  readonly id: number;
  readonly room?: string;
  readonly start?: number;
}
export const app = defineApp({
  name: 'test',
  version: 1,
  tables: {
    item: table<Item>()({ key: 'id', indexes: { bySlot: ['room', 'start'] } }),
    other: table<Item>()({ key: 'id' }),
  },
  mutations: {},
});
export type AppTx = Tx<typeof app>;
// reason: a test names its own replica.
export const CALL = { id: { replica: 'r1' as ReplicaId, seq: 1 }, at: 1000, user: 'ann' };

/** A transaction that may write at once. */
export function begin(reader: Reader, dev = false): { transaction: Transaction; tx: AppTx } {
  const transaction = new Transaction(reader, CALL, dev);
  transaction.enter('writing');
  // reason: the class of the app has a getter for each of its tables.
  return { transaction, tx: new app.Tx(transaction) as unknown as AppTx };
}

export function tablesOf(items: readonly Item[]): Tables {
  const tables = new Tables(app);
  for (const item of items) {
    tables.apply([{ table: 'item', key: keyText(item.id), row: { ...item } }]);
  }
  return tables;
}

export const idsOf = (rows: readonly Item[]): number[] => rows.map(({ id }) => id);
