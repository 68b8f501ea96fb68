/**
 * A base as text: what a state that travels keeps with itself of the log
 * (space/state-transfer.ts).
 */
import type { Base } from '../record.js';
import { FieldReader } from './field-reader.js';
import { FieldSizer, FieldWriter } from './fields.js';
import { PartReader, PartWriter } from './parts.js';

/** Raised when a base changes in a way that older code would misread. */
const VERSION = 1;

export function baseToText(base: Base): string {
  const sizer = new FieldSizer();
  put(new PartWriter(sizer), base);
  const bytes = new Uint8Array(sizer.size);
  const writer = new FieldWriter();
  writer.moveTo(bytes, 0);
  put(new PartWriter(writer), base);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Errors: `bad-snapshot`. */
export function baseFromText(text: string): Base {
  const pairs = /^([0-9a-f]{2})*$/.test(text) ? text.match(/../g) ?? [] : [];
  const fields = new FieldReader(Uint8Array.from(pairs, (pair) => parseInt(pair, 16)), 'bad-snapshot');
  const version = fields.u8();
  if (version !== VERSION) {
    fields.fail(`the base has version ${version}, this program knows ${VERSION}`);
  }
  const base = new PartReader(fields).base();
  fields.end();
  return base;
}

function put(parts: PartWriter, base: Base): void {
  parts.fields.u8(VERSION);
  parts.base(base);
}
