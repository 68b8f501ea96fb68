/**
 * What the machines see of an app: the same definitions that `defineApp` takes, without their
 * types. The typed face of them is in inference.ts.
 */
import type { Value } from '../protocol/index.js';
import type { Rejection } from './rejection.js';
import type { AnySchema } from './schema.js';
import type { Shapes } from './table-shape.js';
import type { TxClass, TxCore } from './tx.js';

export type Verdict = boolean | Rejection;

export interface ServerRules {
  readonly authorize?: (tx: TxCore, args: Value) => Verdict;
  readonly check?: (tx: TxCore, args: Value) => Verdict;
  readonly after?: (tx: TxCore, args: Value) => void | Rejection;
}

export interface MutationDefinition {
  readonly args?: AnySchema;
  readonly version?: number;
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
