/**
 * What the machines see of an app: the same definitions that `defineApp` takes, without their
 * types. The typed face of them is in inference.ts.
 */
import type { Needs, Value } from '../protocol/index.js';
import type { Rejection } from './rejection.js';
import type { AnySchema } from './schema.js';
import type { Shapes } from './table-shape.js';
import type { TxClass, TxCore } from './tx.js';

export type Verdict = boolean | Rejection;

/**
 * What becomes of an update when one that it was built on is refused (needs.ts). `keep`: its check
 * runs again, and it stands if that passes. `reject`: it is refused, too. `review`: as `reject`,
 * and its author is asked.
 */
export type RefusalPolicy = 'keep' | Needs['policy'];

/** An update that takes another back. */
export interface Inverse {
  readonly name: string;
  readonly args?: Value;
}

/** The rows that an update wrote, and nothing else: as they were, and as it left them. */
export interface RowsOfUpdate {
  readonly before: TxCore;
  readonly after: TxCore;
}

export interface ServerRules {
  readonly authorize?: (tx: TxCore, args: Value) => Verdict;
  readonly check?: (tx: TxCore, args: Value) => Verdict;
  readonly after?: (tx: TxCore, args: Value) => void | Rejection;
}

export interface MutationDefinition {
  readonly args?: AnySchema;
  readonly version?: number;
  readonly ifNeededIsRefused?: RefusalPolicy;
  readonly inverse?: (args: Value, rows: RowsOfUpdate) => Inverse | undefined;
  /** version → how its arguments become those of the next version. */
  readonly upgrade?: Readonly<Record<number, (args: Value) => Value>>;
  readonly check?: (tx: TxCore, args: Value) => Verdict;
  readonly apply: (tx: TxCore, args: Value) => void | Rejection;
  readonly alternatives?: (args: Value) => readonly Value[];
  readonly merge?: (tx: TxCore, args: Value) => void | Rejection;
  readonly server?: ServerRules;
}

export interface AppDefinition extends Shapes {
  readonly name: string;
  readonly version: number;
  readonly definitions: ReadonlyMap<string, MutationDefinition>;
  readonly Tx: TxClass;
}
