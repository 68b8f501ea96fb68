/**
 * The app model: what tables and mutations an app has, and what becomes of a mutation on a given
 * state. Browser, Node and server run the same code.
 */
export { defineApp } from './app.js';
export { copyValue } from './copy.js';
export type {
  AppDefinition, Inverse, MutationDefinition, RefusalPolicy,
} from './definition.js';
export { execute } from './execute.js';
export type { Execution, Invocation } from './execution.js';
export {
  FIRST_FORM, FORM_TABLE, formAt, formEffect, formIn, formOf, hasSteps, liftRow,
} from './form.js';
export type { Form } from './form.js';
export { freezeValue } from './freeze.js';
// Whoever wants to build one takes it from its own file: pages load it in development only.
export type { Guard, NewGuard, NondeterminismReport } from './guard.js';
export type {
  AnyTables, App, ArgsIn, ArgsListOf, ArgsOf, ArgsOut, CheckTx, KeyField, MutationName, MutationOf,
  MutationOptions, NoIndexes, Patch, Prefix, ReadTx, RowOf, ScanOf, TableOf, TableReadTx, TableTx,
  Tx, UpdateFacts,
} from './inference.js';
export { inverseOf } from './inverse.js';
export { compareTexts, fieldText, keyText, keyValue, prefixText } from './key.js';
export type { Key } from './key.js';
export * as modelLimits from './limits.js';
export { mutation, unchecked } from './mutation.js';
export { neededBy, Refusals, refusalByNeeds } from './needs.js';
export type { Standing } from './needs.js';
export { liftArgs, parseArgs } from './parse-args.js';
export type { ParsedArgs } from './parse-args.js';
export { observe, runQuery } from './query.js';
export type { Observed, QueryRun } from './query.js';
export * from './reader.js';
export { reject, Rejection } from './rejection.js';
export { sameValue } from './same.js';
export type { Issue } from './schema.js';
export { table } from './table.js';
export { TableData } from './table-data.js';
export { keyOfRow, placeOf, placeWithin, samePlace } from './table-shape.js';
export type { IndexShape, Shapes, TableShape } from './table-shape.js';
export { Tables } from './tables.js';
export { NO_EFFECTS, NO_READS } from './transaction.js';
export type { TxCore } from './tx.js';
