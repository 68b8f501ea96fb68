/**
 * What two nodes say to each other while a state travels, on the bulk channel: first in, first out,
 * everything in flight lost at a cut. `fetch` numbers one attempt of the fetcher, so that nothing
 * of an earlier one is taken for it.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { FieldReader } from '../paxos/codec/field-reader.js';
import { FieldSizer, FieldWriter, type Fields } from '../paxos/codec/fields.js';
import { transferLimits } from './limits.js';

/** Where a fetch that was cut goes on. */
export interface ResumePoint {
  /** The exporter's name for its picture: it may be gone. */
  readonly picture: string;
  readonly cursor: Uint8Array;
}

export type StateMessage =
  | {
      readonly kind: 'fetch';
      readonly fetch: number;
      readonly cluster: string;
      /** An older state is of no use. */
      readonly atLeast: number;
      readonly resume: ResumePoint | undefined;
    }
  | {
      readonly kind: 'head';
      readonly fetch: number;
      readonly picture: string;
      readonly slot: number;
      /** The log's words about the slot (`Base` as text). */
      readonly base: string;
      readonly bytes: number;
      /** The chunks go on at the cursor; false: they begin anew. */
      readonly isResumed: boolean;
    }
  | {
      readonly kind: 'chunk';
      readonly fetch: number;
      /** From 1, in this attempt. */
      readonly number: number;
      readonly bytes: Uint8Array;
      /** CRC-32 of the bytes. */
      readonly checksum: number;
      /** Where the next one goes on; undefined: this was the last. */
      readonly next: Uint8Array | undefined;
    }
  /** After the last chunk. */
  | { readonly kind: 'digest'; readonly fetch: number; readonly hex: string }
  /** From the fetcher: chunks up to `upTo` are written, more may come. */
  | { readonly kind: 'written'; readonly fetch: number; readonly upTo: number }
  /** From the exporter: still there. */
  | { readonly kind: 'alive'; readonly fetch: number }
  /** From the exporter: not from here, or not now. */
  | { readonly kind: 'refused'; readonly fetch: number; readonly code: RefusalCode }
  /** From the fetcher: done, or given up. */
  | { readonly kind: 'end'; readonly fetch: number };

/** Only `busy` passes by waiting. */
export const refusalCodes = ['busy', 'other-cluster', 'outdated', 'damaged', 'failed'] as const;
export type RefusalCode = (typeof refusalCodes)[number];

const kinds = [
  'fetch', 'head', 'chunk', 'digest', 'written', 'alive', 'refused', 'end',
] as const satisfies readonly StateMessage['kind'][];

const PART_UNITS = 4_096;

export function encodeStateMessage(message: StateMessage): Uint8Array {
  const sizer = new FieldSizer();
  describe(message, sizer);
  const bytes = new Uint8Array(sizer.size);
  const writer = new FieldWriter();
  writer.moveTo(bytes, 0);
  describe(message, writer);
  return bytes;
}

/** Errors: `bad-message`. */
export function decodeStateMessage(source: Uint8Array): StateMessage {
  const reader = new FieldReader(source, 'bad-message');
  const kind = kinds[reader.u8()];
  const fetch = reader.number();
  const message = read(kind, fetch, reader);
  reader.end();
  return message;
}

function describe(message: StateMessage, fields: Fields): void {
  fields.u8(kinds.indexOf(message.kind));
  fields.number(message.fetch);
  switch (message.kind) {
    case 'fetch':
      fields.text(message.cluster);
      fields.number(message.atLeast);
      fields.u8(message.resume === undefined ? 0 : 1);
      if (message.resume === undefined) return;
      fields.text(message.resume.picture);
      fields.bytes(message.resume.cursor);
      return;
    case 'head':
      fields.text(message.picture);
      fields.number(message.slot);
      describeLong(message.base, fields);
      fields.number(message.bytes);
      fields.u8(message.isResumed ? 1 : 0);
      return;
    case 'chunk':
      fields.number(message.number);
      fields.u32(message.checksum);
      fields.u8(message.next === undefined ? 0 : 1);
      if (message.next !== undefined) fields.bytes(message.next);
      fields.bytes(message.bytes);
      return;
    case 'digest': return fields.text(message.hex);
    case 'written': return fields.number(message.upTo);
    case 'refused': return fields.u8(refusalCodes.indexOf(message.code));
    case 'alive':
    case 'end': return;
  }
}

function read(
  kind: StateMessage['kind'] | undefined, fetch: number, reader: FieldReader,
): StateMessage {
  switch (kind) {
    case 'fetch': {
      const [cluster, atLeast] = [reader.text(), reader.number()];
      const resume = reader.flag()
        ? { picture: reader.text(), cursor: shortBytes(reader) } : undefined;
      return { kind, fetch, cluster, atLeast, resume };
    }
    case 'head': {
      const [picture, slot] = [reader.text(), reader.number()];
      const base = readLong(reader);
      return { kind, fetch, picture, slot, base, bytes: reader.number(), isResumed: reader.flag() };
    }
    case 'chunk': {
      const [number, checksum] = [reader.number(), reader.u32()];
      const next = reader.flag() ? shortBytes(reader) : undefined;
      return { kind, fetch, number, checksum, next, bytes: chunkBytes(reader) };
    }
    case 'digest': return { kind, fetch, hex: reader.text() };
    case 'written': return { kind, fetch, upTo: reader.number() };
    case 'refused': return { kind, fetch, code: refusalCodes[reader.u8()] ?? reader.fail('no such code') };
    case 'alive':
    case 'end': return { kind, fetch };
    case undefined: return reader.fail('no such kind');
  }
}

function describeLong(text: string, fields: Fields): void {
  const parts = Math.ceil(text.length / PART_UNITS);
  fields.u32(parts);
  for (let at = 0; at < text.length; at += PART_UNITS) fields.text(text.slice(at, at + PART_UNITS));
}

function readLong(reader: FieldReader): string {
  const parts = reader.count();
  let text = '';
  for (let part = 0; part < parts; part++) {
    text += reader.text();
    if (text.length > transferLimits.baseCharsMax) reader.fail('the base is too long');
  }
  return text;
}

function shortBytes(reader: FieldReader): Uint8Array {
  const bytes = reader.bytes();
  return bytes.length <= transferLimits.cursorBytesMax ? bytes : reader.fail('a cursor is too long');
}

function chunkBytes(reader: FieldReader): Uint8Array {
  const bytes = reader.bytes();
  return bytes.length <= transferLimits.chunkBytesMax ? bytes : reader.fail('a chunk is too long');
}

/** For whoever must tell a frame that says nothing from a bug. */
export const isBadMessage = (error: unknown): boolean =>
  error instanceof OxbowError && error.code === 'bad-message';
