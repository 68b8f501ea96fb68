/**
 * A space whose rows are of an older version of the app is lifted before anything else happens in
 * it: by commits like any other, whose effects are the lifted rows. So every node and every replica
 * gets them alike, whatever version it runs itself, and none lifts a row twice: each commit says
 * how far the rows are, beside those rows, and whoever leads next goes on from there.
 */
import { formAt, formEffect, formOf, hasSteps, liftRow } from '@oxbow/sdk/model';
import type { AppDefinition, Form, Tables } from '@oxbow/sdk/model';
import { encodeRow, limits, OxbowError } from '@oxbow/sdk/protocol';
import type { Effect, ReplicaId, Row } from '@oxbow/sdk/protocol';

/**
 * Who makes these commits. No client writes under this name.
 * reason: a name like any other.
 */
export const LIFTER = 'lifter' as ReplicaId;
/** The name of what they do; no mutation's name has a dot. */
export const LIFT = '.lift';

/** Rows of a newer version than the app's: only a newer server may go on here. */
export const isAhead = (app: AppDefinition, tables: Tables): boolean =>
  formOf(tables).version > app.version;

/** What the first commit of a space says of its form; nothing where no app ever migrated. */
export const birthEffects = (app: AppDefinition): readonly Effect[] =>
  hasSteps(app, 1) ? [formEffect({ version: app.version })] : [];

export interface LiftParts {
  readonly app: AppDefinition;
  readonly tables: Tables;
  /** About so many chars of rows in one piece. */
  readonly charsMax: number;
  /** A row could not be lifted: it stays as it was. */
  readonly failed: (error: OxbowError) => void;
}

/**
 * The effects that lift a space, piece by piece, in order of table and key; the last piece says
 * that all is done. To be applied one after the other.
 */
export function* pieces(parts: LiftParts): Generator<readonly Effect[], void, undefined> {
  const { app, tables } = parts;
  let form = formOf(tables);
  if (!hasSteps(app, Math.min(form.version, form.from ?? form.version))) return;
  // What another version began is finished first: there are never rows of three forms.
  if (form.until !== undefined) {
    yield* lifted(parts, form, form.version);
    form = { version: form.version };
  }
  if (hasSteps(app, form.version)) yield* lifted(parts, form, app.version);
}

function* lifted(
  { app, tables, charsMax, failed }: LiftParts, form: Form, to: number,
): Generator<readonly Effect[], void, undefined> {
  const { version, from = version } = form;
  let effects: Effect[] = [];
  let chars = 0;
  // A clone: it stays as it is while pieces are applied.
  const standing = tables.clone();
  for (const [name, shape] of [...app.shapes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const [key, row] of standing.rows(name)) {
      if (formAt(form, name, key) === to) continue;
      const fresh = tryLift(() => liftRow(shape, row, from, to), failed);
      if (fresh === undefined || fresh === row) continue;
      const { length } = encodeRow([key, fresh]);
      effects.push({ table: name, key, row: fresh });
      chars += length;
      if (chars < charsMax && effects.length < limits.effectsPerEntryMax - 1) continue;
      yield [...effects, formEffect({ version: to, from, until: [name, key] })];
      effects = [];
      chars = 0;
    }
  }
  yield [...effects, formEffect({ version: to })];
}

function tryLift(lift: () => Row, failed: (error: OxbowError) => void): Row | undefined {
  try {
    return lift();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    failed(new OxbowError('bad-migration', message, { cause }));
    return undefined;
  }
}
