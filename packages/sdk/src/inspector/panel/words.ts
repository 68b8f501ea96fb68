/** Values, ids, times and sizes as the panel writes them. */
import type { ReplicaId, Row, UpdateId } from '../../protocol/index.js';
import type { FinalOutcome } from '../../replica/conflict.js';
import type { FieldTurn } from '../rows.js';
import type { PastRow } from '../travel.js';

const DEPTH_MAX = 5;
const CHARS_MAX = 2_000;

/** Anything that can travel, as short text; cut where it is long. */
export function valueWords(value: unknown): string {
  const text = written(value, 0);
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text;
}

function written(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (depth >= DEPTH_MAX) return '…';
  const inner = (each: unknown): string => written(each, depth + 1);
  if (Array.isArray(value)) return `[${value.map(inner).join(', ')}]`;
  if (value instanceof Set) return `Set {${[...value].map(inner).join(', ')}}`;
  if (value instanceof Map) {
    return `Map {${[...value].map(([key, held]) => `${inner(key)} → ${inner(held)}`).join(', ')}}`;
  }
  const fields = Object.entries(value).map(([name, held]) => `${name}: ${inner(held)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

export const rowWords = (row: Row | null | undefined): string =>
  (row === null || row === undefined ? 'no row' : valueWords(row));

export const pastWords = (past: PastRow): string =>
  (past.isKnown ? rowWords(past.row) : 'not known: older than the kept log');

export function turnWords({ field, before, now }: FieldTurn): string {
  return `${field}: ${valueWords(before)} → ${valueWords(now)}`;
}

/** The first chars of a UUID tell replicas apart; the seat behind it tells tabs. */
export function replicaWords(replica: ReplicaId): string {
  const seat = replica.indexOf('_');
  return seat < 0 ? replica.slice(0, 8) : replica.slice(0, 8) + replica.slice(seat);
}

export const idWords = ({ replica, seq }: UpdateId): string => `${replicaWords(replica)}/${seq}`;

export function outcomeWords(outcome: FinalOutcome): string {
  switch (outcome.kind) {
    case 'alternative': return `alternative ${outcome.index + 1}`;
    case 'rejected': return `rejected: ${outcome.code}`;
    default: return outcome.kind;
  }
}

export function timeWords(ms: number | undefined): string {
  if (ms === undefined) return '';
  const time = new Date(ms);
  const clock = time.toLocaleTimeString(undefined, { hour12: false });
  return time.toDateString() === new Date().toDateString()
    ? clock
    : `${time.toLocaleDateString()} ${clock}`;
}

export function sizeWords(units: number): string {
  if (units < 1_000) return `${units}`;
  if (units >= 1_000_000_000) return `${(units / 1_000_000_000).toFixed(1)} G`;
  return units < 1_000_000 ? `${(units / 1_000).toFixed(1)} k` : `${(units / 1_000_000).toFixed(1)} M`;
}
