/**
 * A member's records as bytes of the write-ahead log, each with the number of the group that it
 * belongs to.
 */
import { unreachable } from '@oxbow/sdk/protocol';
import type { PaxosRecord } from '../record.js';
import { FieldReader } from './field-reader.js';
import { FieldSizer, FieldWriter } from './fields.js';
import { PartReader, PartWriter } from './parts.js';

/** Raised when a record changes in a way that older code would misread. */
const VERSION = 1;
const KINDS = ['joined', 'promised', 'accepted', 'chosen', 'trimmed'] as const;

export interface GroupRecord {
  readonly group: number;
  readonly record: PaxosRecord;
}

const sizer = new FieldSizer();
const sizing = new PartWriter(sizer);
const writer = new FieldWriter();
const writing = new PartWriter(writer);

/** Bytes that `writeRecord` will write. */
export function recordSize(record: PaxosRecord): number {
  sizer.size = 0;
  put(sizing, 0, record);
  return sizer.size;
}

export function writeRecord(
  target: Uint8Array, offset: number, group: number, record: PaxosRecord,
): void {
  writer.moveTo(target, offset);
  put(writing, group, record);
}

/** Payloads are parts of `bytes`. Errors: `log-unreadable`. */
export function readRecord(bytes: Uint8Array): GroupRecord {
  const fields = new FieldReader(bytes, 'log-unreadable');
  const version = fields.u8();
  if (version !== VERSION) {
    fields.fail(`the record has version ${version}, this program knows ${VERSION}`);
  }
  const group = fields.u32();
  const record = read(new PartReader(fields));
  fields.end();
  return { group, record };
}

function put(parts: PartWriter, group: number, record: PaxosRecord): void {
  const { fields } = parts;
  parts.restart();
  fields.u8(VERSION);
  fields.u32(group);
  fields.u8(KINDS.indexOf(record.kind));
  switch (record.kind) {
    case 'joined':
      fields.text(record.cluster);
      fields.text(record.self);
      return parts.base(record.base);
    case 'promised':
      return parts.ballot(record.ballot);
    case 'accepted':
      parts.ballot(record.ballot);
      fields.number(record.slot);
      return parts.value(record.value);
    case 'chosen':
      return fields.number(record.upTo);
    case 'trimmed':
      return parts.base(record.base);
    default:
      unreachable(record);
  }
}

function read(parts: PartReader): PaxosRecord {
  const { fields } = parts;
  const kind = KINDS[fields.u8()] ?? fields.fail('no such kind of record');
  switch (kind) {
    case 'joined':
      return { kind, cluster: fields.text(), self: parts.memberId(), base: parts.base() };
    case 'promised':
      return { kind, ballot: parts.ballot() };
    case 'accepted':
      return { kind, ballot: parts.ballot(), slot: fields.number(), value: parts.value() };
    case 'chosen':
      return { kind, upTo: fields.number() };
    case 'trimmed':
      return { kind, base: parts.base() };
  }
}
