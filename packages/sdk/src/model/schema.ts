/** Arguments and rows pass through the app's schemas: any Standard Schema, synchronous only. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OxbowError } from '../protocol/index.js';
import type { Value } from '../protocol/index.js';
import * as modelLimits from './limits.js';

export type AnySchema = StandardSchemaV1<unknown, unknown>;

/** One thing that a schema did not like; `path` is dotted. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Errors: `schema-async` when the schema answers with a promise. */
export function validate<T>(schema: StandardSchemaV1<unknown, T>, value: Value): Validation<T> {
  const result = schema['~standard'].validate(value);
  if ('then' in result) {
    throw new OxbowError(
      'schema-async',
      'A schema answered with a promise. Use one without async checks.',
    );
  }
  if (result.issues) {
    return { ok: false, issues: result.issues.slice(0, modelLimits.issuesMax).map(toIssue) };
  }
  return { ok: true, value: result.value };
}

function toIssue(issue: StandardSchemaV1.Issue): Issue {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return { path: path.join('.'), message: issue.message.slice(0, modelLimits.messageCharsMax) };
}

/** The issues in one line, for an error's message. */
export const issuesText = (issues: readonly Issue[]): string =>
  issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
