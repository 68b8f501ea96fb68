/**
 * `defineApp`: tables and mutations as one value that browser, Node and server all load. What is
 * wrong with it is said here, once and by name, and not when the first update fails.
 */
import { isReserved, OxbowError } from '../protocol/index.js';
import type { MutationDefinition, RefusalPolicy, ServerRules } from './definition.js';
import type { AnyTables, App, MutationOf } from './inference.js';
import * as modelLimits from './limits.js';
import type { AnySchema } from './schema.js';
import { TableDefinition } from './table.js';
import type { TableShape } from './table-shape.js';
import { RESERVED, txClass } from './tx.js';

/**
 * Declares an app. `name` and `version` (from 1) are told to every peer. Errors: `bad-app`, with
 * what is wrong and where.
 *
 *     export const calendar = defineApp({
 *       name: 'calendar',
 *       version: 1,
 *       tables: {
 *         booking: table({ schema: Booking, key: 'id', indexes: { bySlot: ['room', 'start'] } }),
 *       },
 *       mutations: { book: mutation({ args: BookArgs, check: …, apply: … }) },
 *     });
 */
export function defineApp<const T extends AnyTables, M extends Record<string, unknown>>(options: {
  readonly name: string;
  readonly version: number;
  readonly tables: T;
  readonly mutations: { readonly [N in keyof M]: MutationOf<T, M[N]> };
}): App<T, M> {
  must(typeof options === 'object' && options !== null, 'defineApp takes an object');
  const { name, version, tables, mutations } = options;
  mustBeName(name, 'the app');
  mustBeVersion(version, 'the app');
  mustBeRecord(tables, 'tables', modelLimits.tablesMax);
  mustBeRecord(mutations, 'mutations', modelLimits.mutationsMax);
  const shapes = new Map<string, TableShape>();
  for (const [table, definition] of Object.entries(tables)) {
    shapes.set(table, shapeOf(table, definition, version));
  }
  const definitions = new Map<string, MutationDefinition>();
  for (const [mutation, given] of Object.entries(mutations)) {
    definitions.set(mutation, definitionOf(mutation, given));
  }
  const schemas = Object.fromEntries([...definitions].map(([key, { args }]) => [key, args]));
  return Object.freeze({
    name, version, tables, shapes, definitions, Tx: txClass(shapes.values()),
    // reason: built key by key from `mutations`, whose schemas M names.
    schemas: schemas as M,
  });
}

function shapeOf(name: string, definition: unknown, version: number): TableShape {
  const where = `table '${name}'`;
  mustBeName(name, where);
  must(!RESERVED.has(name), `${where} has the name of something that tx itself offers`);
  must(definition instanceof TableDefinition, `${where} is not made by table({…})`);
  const { key, indexes, schema, migrate } = definition;
  mustBeField(key, `the key of ${where}`);
  mustBeRecord(indexes, `the indexes of ${where}`, modelLimits.indexesPerTableMax);
  if (schema !== undefined) mustBeSchema(schema, `the schema of ${where}`);
  const steps = Object.entries(migrate).map(([to, step]) => {
    const isFitting = Number(to) > 1 && Number(to) <= version;
    must(isFitting, `${where} migrates to version ${to}, which is not 2 to the app's own`);
    must(typeof step === 'function', `${where} migrates to version ${to} by what is no function`);
    return [Number(to), step] as const;
  });
  return {
    name, key, schema, steps: new Map(steps),
    indexes: Object.entries(indexes).map(([index, fields]) => {
      mustBeFields(index, fields, where);
      return { name: index, fields: [...fields] };
    }),
  };
}

function mustBeFields(index: string, fields: readonly string[], where: string): void {
  const what = `index '${index}' of ${where}`;
  mustBeName(index, what);
  must(Array.isArray(fields) && fields.length > 0, `${what} is not a list of fields`);
  must(fields.length <= modelLimits.indexFieldsMax, `${what} has too many fields`);
  must(new Set(fields).size === fields.length, `${what} names a field twice`);
  for (const field of fields) mustBeField(field, `a field of ${what}`);
}

function definitionOf(name: string, given: unknown): MutationDefinition {
  const where = `mutation '${name}'`;
  mustBeName(name, where);
  must(typeof given === 'function', `${where} is not made by mutation({…})`);
  const options: unknown = given();
  must(typeof options === 'object' && options !== null, `${where} is not made by mutation({…})`);
  // reason: the types were checked where it was written; what can be seen at run time is checked
  // below.
  const definition = options as MutationDefinition;
  must(typeof definition.apply === 'function', `${where} has no apply`);
  mustBeFunctions(definition, ['check', 'alternatives', 'merge', 'inverse'], where);
  const { ifNeededIsRefused: policy = 'keep' } = definition;
  must(POLICIES.has(policy), `${where} has no such ifNeededIsRefused: keep, reject or review`);
  if (definition.server !== undefined) {
    mustBeFunctions(definition.server, ['authorize', 'check', 'after'], `the server part of ${where}`);
  }
  if (definition.args !== undefined) mustBeSchema(definition.args, `args of ${where}`);
  mustBeVersion(definition.version ?? 1, where);
  for (const [from, lift] of Object.entries(definition.upgrade ?? {})) {
    const below = Number(from) >= 1 && Number(from) < (definition.version ?? 1);
    must(below, `${where} lifts version ${from}, which is not below its own`);
    must(typeof lift === 'function', `${where} lifts version ${from} by something that is no function`);
  }
  return definition;
}

const POLICIES: ReadonlySet<string> = new Set<RefusalPolicy>(['keep', 'reject', 'review']);

function mustBeFunctions(
  rules: MutationDefinition | ServerRules, names: readonly string[], where: string,
): void {
  const found = new Map<string, unknown>(Object.entries(rules));
  for (const name of names) {
    const rule = found.get(name);
    must(rule === undefined || typeof rule === 'function', `${name} of ${where} is no function`);
  }
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Awaiting an object that answers to `then` would call it. */
const mustBeName = (name: string, where: string): void => {
  must(
    typeof name === 'string' && name.length <= modelLimits.nameCharsMax && NAME.test(name),
    `the name of ${where} is not 1 to ${modelLimits.nameCharsMax} letters, digits, _ or -`,
  );
  must(!isReserved(name) && name !== 'then', `the name of ${where} means something in JavaScript`);
};

const mustBeField = (field: string, where: string): void =>
  must(typeof field === 'string' && field !== '' && !isReserved(field), `${where} is not a field's name`);

const mustBeVersion = (version: number, where: string): void =>
  must(Number.isSafeInteger(version) && version >= 1, `the version of ${where} is not a number from 1`);

function mustBeSchema(schema: AnySchema, where: string): void {
  // reason: looked at as unknown; a schema may be a function with properties.
  const found = schema as { readonly '~standard'?: { readonly validate?: unknown } } | null;
  must(typeof found?.['~standard']?.validate === 'function', `${where} is not a Standard Schema`);
}

function mustBeRecord(value: object, where: string, max: number): void {
  must(typeof value === 'object' && value !== null && !Array.isArray(value), `${where} is no object`);
  must(Object.keys(value).length <= max, `${where} are more than ${max}`);
}

function must(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new OxbowError('bad-app', `Cannot define the app: ${sentence}.`);
}
