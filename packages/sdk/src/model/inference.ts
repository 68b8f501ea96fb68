/**
 * The typed face of the app model: how rows, keys, indexes and arguments follow from what
 * `defineApp` was given. Nothing here exists at run time.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { AppDefinition, Inverse, RefusalPolicy } from './definition.js';
import type { Key } from './key.js';
import type { Rejection } from './rejection.js';

/** Fields of a row that can be its key or stand in an index. */
export type KeyField<R> = {
  [F in keyof R]-?: Exclude<R[F], undefined> extends Key ? F : never;
}[keyof R] & string;

/** No index. */
export type NoIndexes = Readonly<Record<never, never>>;

export type IndexFields<R> = { readonly [name: string]: readonly [KeyField<R>, ...KeyField<R>[]] };

/**
 * A table as `table()` made it: `R` is what reads give, `In` what `put` takes, `K` the key field,
 * `I` the indexes.
 */
export interface TableOf<R, In, K, I> {
  readonly key: K & string;
  readonly indexes: I;
  readonly schema: StandardSchemaV1<In, R> | undefined;
}

export type AnyTable = TableOf<object, unknown, string, unknown>;
export type AnyTables = { readonly [name: string]: AnyTable };

/** A part of an index prefix: the field's value, null where a row may lack it. */
type Part<R, F> = F extends keyof R
  ? Exclude<R[F], undefined> | (undefined extends R[F] ? null : never)
  : Key;

/**
 * The parts of an index key: its fields, then the primary key, which tells rows of equal fields
 * apart.
 */
type Parts<R, K, F> = F extends readonly [infer First, ...infer Rest]
  ? [Part<R, First>, ...Parts<R, K, Rest>]
  : F extends readonly []
    ? [Part<R, K>]
    : Key[];

/** Any number of leading parts. */
export type Prefix<P extends readonly unknown[]> =
  number extends P['length'] ? P : P extends [...infer Head, unknown] ? P | Prefix<Head> : P;

/**
 * A range of an index in index order. Lazy: nothing is read before `all`, `first`, `none`, `count`
 * or a loop, and a loop that stops early has read only so far. Each refinement gives a new scan. A
 * prefix stands for the place just before all rows that begin with it, so every range is half-open.
 * It sees the writes made before it is read.
 */
export interface ScanOf<R, P extends readonly unknown[]> extends Iterable<Readonly<R>> {
  /** Rows whose key begins with these parts. */
  get(...parts: Prefix<P>): ScanOf<R, P>;
  /**
   * From `low` up to, not including, `high`: `between(['blue', 9], ['blue', 12])`, `between(['a'],
   * ['c'])`.
   */
  between(low: Prefix<P>, high: Prefix<P>): ScanOf<R, P>;
  /** `low` and all above it. */
  from(low: Prefix<P>): ScanOf<R, P>;
  /** All below `high`. */
  before(high: Prefix<P>): ScanOf<R, P>;
  /** The other way round. */
  reverse(): ScanOf<R, P>;
  /** At most so many rows, from the end where reading begins, whatever the order of calls. */
  limit(rows: number): ScanOf<R, P>;
  all(): Readonly<R>[];
  first(): Readonly<R> | undefined;
  /** Whether there is no row in the range. */
  none(): boolean;
  count(): number;
}

/** `tx.<table>` where nothing may be written. Rows are given by reference: do not change them. */
export interface TableReadTx<R, K, I> {
  get(key: Part<R, K>): Readonly<R> | undefined;
  has(key: Part<R, K>): boolean;
  /** All rows in key order. */
  all(): Readonly<R>[];
  /** All rows in key order, to be narrowed by key. */
  scan(): ScanOf<R, [Part<R, K>]>;
  index<N extends keyof I & string>(name: N): ScanOf<R, Parts<R, K, I[N]>>;
}

export interface TableTx<R, In, K, I> extends TableReadTx<R, K, I> {
  /**
   * Inserts or replaces. The row is copied. Reads nothing. Errors: `bad-row`, `bad-key`,
   * `bad-value`.
   */
  put(row: In): void;
  /** Replaces some fields; undefined removes one. Errors: `row-missing` besides those of `put`. */
  update(key: Part<R, K>, patch: Patch<R, K>): void;
  /** Nothing happens if there is no such row. Reads nothing. */
  delete(key: Part<R, K>): void;
}

export type Patch<R, K> = { readonly [F in Exclude<keyof R, K>]?: R[F] | undefined };

/** What is the same in every execution of an update, on every replica. */
export interface UpdateFacts {
  /** Wall time at the author when the update was made, ms since 1970. */
  readonly now: number;
  /** The author as the server verified him; null without a sign-in. */
  readonly user: string | null;
  /** A fresh id (UUID text), derived from the update: each execution draws the same ones. */
  id(): string;
  /** From 0 up to, not including, 1; derived like `id`. */
  random(): number;
}

type ReadsOf<T> = {
  readonly [N in keyof T]: T[N] extends TableOf<infer R, unknown, infer K, infer I>
    ? TableReadTx<R, K, I> : never;
};

type WritesOf<T> = {
  readonly [N in keyof T]: T[N] extends TableOf<infer R, infer In, infer K, infer I>
    ? TableTx<R, In, K, I> : never;
};

export type TxOf<T> = WritesOf<T> & UpdateFacts;
export type CheckTxOf<T> = ReadsOf<T> & UpdateFacts;

/** What a schema takes; without one, nothing. */
export type ArgsIn<S> = S extends StandardSchemaV1<infer In, unknown> ? In : undefined;
/** What a schema gives: what `check`, `apply` and the rest get. */
export type ArgsOut<S> = S extends StandardSchemaV1<unknown, infer Out> ? Out : undefined;

/** Method syntax, so that a lift may say what it takes. */
type Lift = { lift(args: unknown): unknown }['lift'];

export interface MutationOptions<T, S> {
  /** Any Standard Schema, or `unchecked<T>()`. Without it the mutation takes no arguments. */
  readonly args?: S;
  /** Version of the arguments' form, from 1. */
  readonly version?: number;
  /**
   * version → lifts its arguments to the next version's. What is no longer lifted is rejected:
   * `mutation-outdated`.
   */
  readonly upgrade?: { readonly [version: number]: Lift };
  /**
   * What becomes of it when an update that it was built on, one without a final place whose rows it
   * read or wrote over, is refused in the end. `keep` (default): its check runs again, as after
   * every change, and it stands if that passes. `reject`: it is refused with `dependency-refused`.
   * `review`: it is refused with `dependency-review`, for its author to look at: `retry()` asks the
   * same again. What was decided when it was made holds for it everywhere.
   */
  readonly ifNeededIsRefused?: RefusalPolicy;
  /**
   * What takes it back: a mutation with its arguments, from the rows that it wrote, as they were
   * before it and after it (other rows are not in them). For `receipt.undo()`. Undefined: there is
   * nothing to take back.
   */
  readonly inverse?: (
    args: ArgsOut<S>, rows: { readonly before: ReadsOf<T>; readonly after: ReadsOf<T> },
  ) => Inverse | undefined;
  /**
   * Whether it fits the state, as a predicate. `reject(…)` is a `false` that says why. Default: it
   * always does.
   */
  readonly check?: (tx: CheckTxOf<T>, args: ArgsOut<S>) => boolean | Rejection;
  readonly apply: (tx: TxOf<T>, args: ArgsOut<S>) => void | Rejection;
  /** Other arguments in order of preference, each tried through `check` when these do not fit. */
  readonly alternatives?: (args: ArgsOut<S>) => readonly ArgsOut<S>[];
  /** What to do when nothing fits. Default: rejected with what `check` said, or `check-failed`. */
  readonly merge?: (tx: TxOf<T>, args: ArgsOut<S>) => void | Rejection;
  /** Rules that only the server runs: for what the client cannot know or must not decide. */
  readonly server?: {
    /** Whether the author may. For each alternative, too. `false`: rejected with `forbidden`. */
    readonly authorize?: (tx: CheckTxOf<T>, args: ArgsOut<S>) => boolean | Rejection;
    /** After `check`, to the same effect. */
    readonly check?: (tx: CheckTxOf<T>, args: ArgsOut<S>) => boolean | Rejection;
    /** After `apply` or `merge`, on what they wrote, in the same transaction. */
    readonly after?: (tx: TxOf<T>, args: ArgsOut<S>) => void | Rejection;
  };
}

/**
 * A mutation as `mutation()` made it. That it is a function is what lets TypeScript put off looking
 * into `mutation({…})` until the tables beside it are known (it defers generic calls that return
 * functions).
 */
export type MutationOf<T, S> = () => MutationOptions<T, S>;

/** `T`: the tables. `M`: for each mutation the schema of its arguments. */
export interface App<T = unknown, M = unknown> extends AppDefinition {
  readonly tables: T;
  readonly schemas: M;
}

type TablesIn<A> = A extends App<infer T> ? T : A;
type SchemasIn<A> = A extends App<unknown, infer M> ? M : never;

/** The `tx` of `apply`, `merge` and `server.after`; of an app or of a record of tables. */
export type Tx<A> = TxOf<TablesIn<A>>;
/**
 * The `tx` of queries; those of checks and mutations fit it. Of an app or of a record of tables.
 */
export type ReadTx<A> = ReadsOf<TablesIn<A>>;
/** The `tx` of `check` and `server.authorize`. */
export type CheckTx<A> = CheckTxOf<TablesIn<A>>;

export type MutationName<A> = keyof SchemasIn<A> & string;
/** What `mutate.<name>` takes. */
export type ArgsOf<A, N extends MutationName<A>> = ArgsIn<SchemasIn<A>[N]>;
/** The parameters of `mutate.<name>`: none to give where the schema allows none. */
export type ArgsListOf<A, N extends MutationName<A>> =
  undefined extends ArgsOf<A, N> ? [args?: ArgsOf<A, N>] : [args: ArgsOf<A, N>];
/** What reads of the table give. */
export type RowOf<A, N extends keyof TablesIn<A>> =
  TablesIn<A>[N] extends TableOf<infer R, unknown, unknown, unknown> ? Readonly<R> : never;
