/** A conflict record as text and back. Values keep their types (dates, maps, …), as on the wire. */
import type { Effect, Outcome, Row, Value } from '../protocol/index.js';
import { decodeValue, encodeValue } from '../protocol/value.js';
import type { ConflictRecord, FinalOutcome } from './conflict.js';
import type { UndoRecord } from './undo.js';

/** `[json]` or `[json, meta]`; empty for undefined. */
type Carried = readonly [json?: unknown, meta?: unknown];
type CarriedEffect = readonly [table: string, key: string, row: Carried | null];

interface Fields extends Omit<
  ConflictRecord, 'args' | 'attempt' | 'outcome' | 'effects' | 'refused'
> {
  readonly refused?: ConflictRecord['refused'];
  readonly args: Carried;
  readonly attempt: readonly CarriedEffect[];
  readonly outcome: Exclude<FinalOutcome, { readonly kind: 'rejected' }> | Rejected;
  readonly effects: readonly CarriedEffect[];
}
interface Rejected {
  readonly kind: 'rejected';
  readonly code: string;
  readonly detail: Carried;
}

export function conflictText(record: ConflictRecord): string {
  const fields: Fields = {
    ...record,
    args: carry(record.args),
    attempt: record.attempt.map(carryEffect),
    outcome: record.outcome.kind === 'rejected'
      ? { ...record.outcome, detail: carry(record.outcome.detail) }
      : record.outcome,
    effects: record.effects.map(carryEffect),
  };
  return JSON.stringify(fields);
}

/** `text` came from `conflictText`, unharmed. */
export function readConflict(text: string): ConflictRecord {
  // reason: the record's checksum says that `conflictText` wrote it.
  const fields = JSON.parse(text) as Fields;
  return {
    ...fields,
    args: uncarry(fields.args),
    attempt: fields.attempt.map(uncarryEffect),
    outcome: fields.outcome.kind === 'rejected' ? rejection(fields.outcome) : fields.outcome,
    effects: fields.effects.map(uncarryEffect),
    // Older records lack it.
    refused: fields.refused ?? [],
  };
}

export const undoText = ({ id, csn, name, version, args }: UndoRecord): string =>
  JSON.stringify({ id, csn, name, version, args: carry(args) });

/** `text` came from `undoText`, unharmed. */
export function readUndo(text: string): UndoRecord {
  // reason: the record's checksum says that `undoText` wrote it.
  const fields = JSON.parse(text) as Omit<UndoRecord, 'args'> & { readonly args: Carried };
  return { ...fields, args: uncarry(fields.args) };
}

function rejection({ code, detail }: Rejected): Outcome {
  const value = uncarry(detail);
  return value === undefined ? { kind: 'rejected', code } : { kind: 'rejected', code, detail: value };
}

function carry(value: Value): Carried {
  if (value === undefined) return [];
  const { json, meta } = encodeValue(value);
  return meta === undefined ? [JSON.parse(json)] : [JSON.parse(json), JSON.parse(meta)];
}

const uncarry = (carried: Carried): Value =>
  carried.length === 0 ? undefined : decodeValue(carried[0], carried[1], 'conflict');

const carryEffect = ({ table, key, row }: Effect): CarriedEffect =>
  [table, key, row === null ? null : carry(row)];

const uncarryEffect = ([table, key, row]: CarriedEffect): Effect =>
  // reason: what was carried was a row.
  ({ table, key, row: row === null ? null : (uncarry(row) as Row) });
