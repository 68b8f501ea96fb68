/** What takes an update back, from the rows that it wrote. */
import { OxbowError } from '../protocol/index.js';
import type { Effect, Row } from '../protocol/index.js';
import { copyValue } from './copy.js';
import type { AppDefinition, Inverse } from './definition.js';
import type { ParsedArgs } from './parse-args.js';
import { Tables } from './tables.js';
import { Transaction } from './transaction.js';
import type { TxCore } from './tx.js';

/** What an update did: for each effect the row that stood there before. */
export interface Done {
  readonly parsed: ParsedArgs | undefined;
  readonly effects: readonly Effect[];
  readonly before: readonly (Row | undefined)[];
}

/** Undefined: its mutation declares none, or says that there is nothing. Errors: `bad-inverse`. */
export function inverseOf(
  app: AppDefinition, { parsed, effects, before }: Done,
): Inverse | undefined {
  if (parsed?.kind !== 'ready' || parsed.definition.inverse === undefined) return undefined;
  const { args, definition: { inverse } } = parsed;
  const old = effects.map(({ table, key }, i) => ({ table, key, row: before[i] ?? null }));
  try {
    const given = inverse(args, { before: viewOf(app, old), after: viewOf(app, effects) });
    return given && { name: given.name, args: copyValue(given.args) };
  } catch (cause) {
    throw new OxbowError(
      'bad-inverse', 'The inverse of a mutation failed, or gave what cannot travel. Mend it.', { cause },
    );
  }
}

function viewOf(app: AppDefinition, effects: readonly Effect[]): TxCore {
  const tables = new Tables(app);
  tables.apply(effects);
  return new app.Tx(new Transaction(tables, undefined, false));
}
