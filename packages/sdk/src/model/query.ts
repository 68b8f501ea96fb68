/** A function over the tables that only reads: what `query` and `live` run. */
import type { AppDefinition } from './definition.js';
import type { App, ReadTx } from './inference.js';
import { Transaction } from './transaction.js';
import type { Reader, ReadSet } from './reader.js';
import type { TxCore } from './tx.js';

export interface QueryRun<R> {
  readonly result: R;
  readonly reads: ReadSet;
}

/**
 * What `fn` throws is thrown on. Errors: `tx-read-only` for a write, `tx-query` for `tx.now` and
 * the like.
 */
export function runQuery<T, M, R>(
  app: App<T, M>, reader: Reader, fn: (tx: ReadTx<App<T, M>>) => R,
): QueryRun<R>;
/** The same without the app's types, for machines that serve any app. */
export function runQuery<R>(
  app: AppDefinition, reader: Reader, fn: (tx: TxCore) => R,
): QueryRun<R>;
export function runQuery<R>(
  app: AppDefinition, reader: Reader, fn: (tx: never) => R,
): QueryRun<R> {
  // reason: the app's class has a getter for each table; the overloads say which of them `fn`
  // knows.
  const observed = observe(app, reader, fn as (tx: TxCore) => R);
  if (observed.ok) return observed;
  throw observed.error;
}

export type Observed<R> =
  | (QueryRun<R> & { readonly ok: true })
  | { readonly ok: false; readonly error: unknown; readonly reads: ReadSet };

/**
 * Like `runQuery`; what `fn` throws is told with what it had read: when that changes, it may not
 * throw again.
 */
export function observe<R>(
  app: AppDefinition, reader: Reader, fn: (tx: TxCore) => R,
): Observed<R> {
  const transaction = new Transaction(reader, undefined, false);
  try {
    return { ok: true, result: fn(new app.Tx(transaction)), reads: transaction.reads() };
  } catch (error) {
    return { ok: false, error, reads: transaction.reads() };
  } finally {
    transaction.end();
  }
}
