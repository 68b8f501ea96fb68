/** `table()`: one table's definition, in the three forms that TypeScript's inference asks for. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OxbowError } from '../protocol/index.js';
import type { IndexFields, KeyField, NoIndexes, TableOf } from './inference.js';
import type { AnySchema } from './schema.js';

/** Told from a plain object by its class: `defineApp` takes no other. */
export class TableDefinition {
  readonly key: string;
  readonly indexes: Readonly<Record<string, readonly string[]>>;
  readonly schema: AnySchema | undefined;
  readonly migrate: Steps;

  constructor(options: LooseOptions) {
    this.key = options.key;
    this.indexes = options.indexes ?? {};
    this.schema = options.schema;
    this.migrate = options.migrate ?? {};
  }
}

/** Method syntax, so that a step may say what it takes. */
type Step = { step(row: unknown): unknown }['step'];

/**
 * version of the app → makes a row of the version before into one of that: renames a field, adds
 * one. It keeps the key, depends on nothing but the row, and does not touch rows that it is not
 * given. New tables, new indexes and optional fields need none. Keep the steps as long as data of
 * older versions may be anywhere.
 */
export type Steps = { readonly [version: number]: Step };

interface LooseOptions {
  readonly key: string;
  readonly indexes?: Readonly<Record<string, readonly string[]>>;
  readonly schema?: AnySchema;
  readonly migrate?: Steps;
}

type RowOut<S> = S extends StandardSchemaV1<unknown, infer Out> ? Out : never;
type RowIn<S> = S extends StandardSchemaV1<infer In, unknown> ? In : never;
/** Without `indexes` TypeScript infers their constraint, which has any name: it must have none. */
type Named<I> = string extends keyof I ? NoIndexes : I;
/** Index names that nobody inferred. */
type AnyIndexes = { readonly [name: string]: readonly string[] };

/**
 * What `table<Booking>()` waits for. The intersection is on purpose: of functions that return plain
 * functions TypeScript puts off the call, and it must know the tables before it looks at the
 * mutations (see `MutationOf`).
 */
type CurriedTable<R> = { readonly waitsFor?: 'key and indexes' } & (<
  const K extends KeyField<R>,
  const I extends IndexFields<R> = NoIndexes,
>(options: {
  readonly key: K;
  readonly indexes?: I;
  readonly migrate?: Steps;
}) => TableOf<R, R, K, Named<I>>);

/**
 * Rows and indexes follow from the schema:
 * `table({ schema: Booking, key: 'id', indexes: { bySlot: ['room', 'start'] } })`. The schema must
 * take what it gives, as it also checks rows that an update has changed. Committed rows of other
 * versions of the app are taken as they are; what cannot stand in an index stands there as null.
 */
export function table<
  S extends StandardSchemaV1<unknown, object>,
  const K extends KeyField<RowOut<S>>,
  const I extends IndexFields<RowOut<S>> = NoIndexes,
>(options: {
  readonly schema: S;
  readonly key: K;
  readonly indexes?: I;
  readonly migrate?: Steps;
}): TableOf<RowOut<S>, RowIn<S>, K, Named<I>>;
/** Without a schema: `table<Booking>()({ key: 'id', indexes: { bySlot: ['room', 'start'] } })`. */
export function table<R extends object>(): CurriedTable<R>;
/**
 * The short form `table<Booking>({…})`. TypeScript does not infer the rest once a type is given by
 * hand: names and parts of indexes are checked when they are used (`bad-query`), not when they are
 * compiled.
 */
export function table<R extends object>(options: {
  readonly key: KeyField<R>;
  readonly indexes?: { readonly [name: string]: readonly KeyField<R>[] };
  readonly migrate?: Steps;
}): TableOf<R, R, KeyField<R>, AnyIndexes>;
export function table(options?: LooseOptions): unknown {
  if (options === undefined) return (later: LooseOptions) => new TableDefinition(later);
  if (typeof options === 'object' && options !== null) return new TableDefinition(options);
  throw new OxbowError('bad-app', "table() takes { key, indexes, schema }: found no object.");
}
