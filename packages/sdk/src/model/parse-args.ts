/**
 * From the arguments that travelled to those that the mutation of this version takes: lifted
 * version by version, then through the schema. Done once per update and replica; the result is kept
 * beside the update.
 */
import { OxbowError } from '../protocol/index.js';
import type { Value } from '../protocol/index.js';
import { copyValue } from './copy.js';
import type { AppDefinition, MutationDefinition } from './definition.js';
import { issuesText, validate } from './schema.js';
import type { Issue } from './schema.js';

export type ParsedArgs =
  /** No such mutation here, or only an older version of it: this code is older than the update. */
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'invalid';
      readonly code: 'args-invalid' | 'mutation-outdated' | 'schema-async';
      readonly message: string;
      readonly issues: readonly Issue[];
    }
  | { readonly kind: 'ready'; readonly definition: MutationDefinition; readonly args: Value };

const UNKNOWN: ParsedArgs = Object.freeze({ kind: 'unknown' });

/** Never throws: what is wrong is in the result. */
export function parseArgs(
  app: AppDefinition, name: string, version: number, args: Value,
): ParsedArgs {
  const definition = app.definitions.get(name);
  const known = definition?.version ?? 1;
  if (definition === undefined || version > known) return UNKNOWN;
  try {
    if (version === known) return checked(definition, args);
    const lifted = liftArgs(definition, version, args);
    if (lifted.version < known) return outdated(name, version, known);
    return checked(definition, lifted.args);
  } catch (error) {
    const isAsync = error instanceof OxbowError && error.code === 'schema-async';
    return invalid(isAsync ? 'schema-async' : 'args-invalid', messageOf(error));
  }
}

/** As far as there are lifts. What a lift throws is thrown on. */
export function liftArgs(
  { version: known = 1, upgrade }: MutationDefinition, version: number, args: Value,
): { readonly version: number; readonly args: Value } {
  let lifted = args;
  for (let from = version; from < known; from++) {
    const lift = upgrade?.[from];
    if (lift === undefined) return { version: from, args: lifted };
    // A copy: one that changed them in place would change what travels, and they are lifted again
    // elsewhere.
    lifted = lift(copyValue(lifted));
  }
  return { version: Math.max(version, known), args: lifted };
}

function checked(definition: MutationDefinition, args: Value): ParsedArgs {
  if (definition.args === undefined) return { kind: 'ready', definition, args };
  const result = validate(definition.args, args);
  if (result.ok) return { kind: 'ready', definition, args: result.value };
  return invalid('args-invalid', issuesText(result.issues), result.issues);
}

const invalid = (
  code: 'args-invalid' | 'mutation-outdated' | 'schema-async',
  message: string,
  issues: readonly Issue[] = [],
): ParsedArgs => ({ kind: 'invalid', code, message, issues });

const outdated = (name: string, version: number, known: number): ParsedArgs =>
  invalid(
    'mutation-outdated',
    `'${name}' is at version ${known}, which no longer lifts version ${version}.`,
  );

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
