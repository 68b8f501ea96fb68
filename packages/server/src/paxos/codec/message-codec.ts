/**
 * What members say to each other as frames of a peer link, each with the number of the group that
 * it is about.
 */
import { unreachable } from '@oxbow/sdk/protocol';
import type { PaxosMessage } from '../message.js';
import { FieldReader } from './field-reader.js';
import { FieldSizer, FieldWriter } from './fields.js';
import { PartReader, PartWriter } from './parts.js';

/** Raised when a message changes in a way that older code would misread. */
const VERSION = 1;
const KINDS = [
  'pre-prepare', 'pre-promise', 'prepare', 'promise', 'refused', 'accept', 'accepted',
  'heartbeat', 'heard', 'learn', 'chosen', 'trimmed', 'take-over', 'removed',
] as const;

export interface GroupMessage {
  readonly group: number;
  readonly message: PaxosMessage;
}

const sizer = new FieldSizer();
const sizing = new PartWriter(sizer);
const writer = new FieldWriter();
const writing = new PartWriter(writer);

export function encodeMessage(group: number, message: PaxosMessage): Uint8Array {
  sizer.size = 0;
  put(sizing, group, message);
  const frame = new Uint8Array(sizer.size);
  writer.moveTo(frame, 0);
  put(writing, group, message);
  return frame;
}

/** Payloads are parts of the frame. Errors: `bad-peer-message`. */
export function decodeMessage(frame: Uint8Array): GroupMessage {
  const fields = new FieldReader(compact(frame), 'bad-peer-message');
  const version = fields.u8();
  if (version !== VERSION) {
    fields.fail(`the message has version ${version}, this program knows ${VERSION}`);
  }
  const group = fields.u32();
  const message = read(new PartReader(fields));
  fields.end();
  return { group, message };
}

/** A payload that is kept keeps all the memory alive that its frame is a part of. */
const compact = (frame: Uint8Array): Uint8Array =>
  frame.buffer.byteLength > 2 * frame.byteLength ? frame.slice() : frame;

function put(parts: PartWriter, group: number, message: PaxosMessage): void {
  const { fields } = parts;
  parts.restart();
  fields.u8(VERSION);
  fields.u32(group);
  fields.u8(KINDS.indexOf(message.kind));
  switch (message.kind) {
    case 'pre-prepare':
    case 'pre-promise':
    case 'prepare':
    case 'promise':
    case 'refused':
      return putPhase1(parts, message);
    case 'accept':
    case 'accepted':
    case 'heartbeat':
    case 'heard':
      return putPhase2(parts, message);
    case 'learn':
    case 'chosen':
    case 'trimmed':
    case 'take-over':
    case 'removed':
      return putRest(parts, message);
    default:
      unreachable(message);
  }
}

type OfKind<K extends PaxosMessage['kind']> = Extract<PaxosMessage, { readonly kind: K }>;

function putPhase1(
  parts: PartWriter,
  message: OfKind<'pre-prepare' | 'pre-promise' | 'prepare' | 'promise' | 'refused'>,
): void {
  const { fields } = parts;
  parts.ballot(message.ballot);
  switch (message.kind) {
    case 'pre-prepare':
      return fields.number(message.fromSlot);
    case 'pre-promise':
      parts.flag(message.isGranted);
      return parts.ballot(message.promised);
    case 'prepare':
      fields.number(message.fromSlot);
      return parts.flag(message.isHandover);
    case 'promise':
      fields.number(message.part);
      parts.flag(message.isLast);
      fields.number(message.chosenUpTo);
      fields.number(message.trimmedUpTo);
      fields.u32(message.accepted.length);
      for (const { slot, ballot, value } of message.accepted) {
        fields.number(slot);
        parts.ballot(ballot);
        parts.value(value);
      }
      return;
    case 'refused':
      return parts.ballot(message.promised);
  }
}

function putPhase2(
  parts: PartWriter, message: OfKind<'accept' | 'accepted' | 'heartbeat' | 'heard'>,
): void {
  const { fields } = parts;
  parts.ballot(message.ballot);
  fields.number(message.chosenUpTo);
  switch (message.kind) {
    case 'accept':
      fields.number(message.firstSlot);
      fields.u32(message.values.length);
      for (const value of message.values) parts.value(value);
      return;
    case 'accepted':
      return fields.number(message.upTo);
    case 'heartbeat':
      fields.number(message.round);
      return fields.number(message.lastSlot);
    case 'heard':
      fields.number(message.round);
      fields.number(message.upTo);
      return fields.number(message.appliedUpTo);
  }
}

function putRest(
  parts: PartWriter, message: OfKind<'learn' | 'chosen' | 'trimmed' | 'take-over' | 'removed'>,
): void {
  const { fields } = parts;
  switch (message.kind) {
    case 'learn':
      return fields.number(message.fromSlot);
    case 'chosen':
      fields.number(message.firstSlot);
      fields.number(message.chosenUpTo);
      fields.u32(message.values.length);
      for (const value of message.values) parts.value(value);
      return;
    case 'trimmed':
      return fields.number(message.upTo);
    case 'take-over':
      return parts.ballot(message.ballot);
    case 'removed':
      return fields.number(message.configurationNumber);
  }
}

function read(parts: PartReader): PaxosMessage {
  const { fields } = parts;
  const kind = KINDS[fields.u8()] ?? fields.fail('no such kind of message');
  switch (kind) {
    case 'pre-prepare':
    case 'pre-promise':
    case 'prepare':
    case 'promise':
    case 'refused':
      return readPhase1(parts, kind);
    case 'accept':
    case 'accepted':
    case 'heartbeat':
    case 'heard':
      return readPhase2(parts, kind);
    case 'learn':
      return { kind, fromSlot: fields.number() };
    case 'chosen': {
      const [firstSlot, chosenUpTo] = [fields.number(), fields.number()];
      return { kind, firstSlot, chosenUpTo, values: parts.list(() => parts.value()) };
    }
    case 'trimmed':
      return { kind, upTo: fields.number() };
    case 'take-over':
      return { kind, ballot: parts.ballot() };
    case 'removed':
      return { kind, configurationNumber: fields.number() };
  }
}

function readPhase1(
  parts: PartReader, kind: 'pre-prepare' | 'pre-promise' | 'prepare' | 'promise' | 'refused',
): PaxosMessage {
  const { fields } = parts;
  const ballot = parts.ballot();
  switch (kind) {
    case 'pre-prepare':
      return { kind, ballot, fromSlot: fields.number() };
    case 'pre-promise':
      return { kind, ballot, isGranted: fields.flag(), promised: parts.maybeBallot() };
    case 'prepare':
      return { kind, ballot, fromSlot: fields.number(), isHandover: fields.flag() };
    case 'promise': {
      const [part, isLast] = [fields.number(), fields.flag()];
      const [chosenUpTo, trimmedUpTo] = [fields.number(), fields.number()];
      const accepted = parts.list(() => {
        const slot = fields.number();
        return { slot, ballot: parts.ballot(), value: parts.value() };
      });
      return { kind, ballot, part, isLast, accepted, chosenUpTo, trimmedUpTo };
    }
    case 'refused':
      return { kind, ballot, promised: parts.ballot() };
  }
}

function readPhase2(
  parts: PartReader, kind: 'accept' | 'accepted' | 'heartbeat' | 'heard',
): PaxosMessage {
  const { fields } = parts;
  const ballot = parts.ballot();
  const chosenUpTo = fields.number();
  switch (kind) {
    case 'accept': {
      const firstSlot = fields.number();
      return { kind, ballot, firstSlot, values: parts.list(() => parts.value()), chosenUpTo };
    }
    case 'accepted':
      return { kind, ballot, upTo: fields.number(), chosenUpTo };
    case 'heartbeat':
      return { kind, ballot, round: fields.number(), chosenUpTo, lastSlot: fields.number() };
    case 'heard': {
      const [round, upTo] = [fields.number(), fields.number()];
      return { kind, ballot, round, upTo, chosenUpTo, appliedUpTo: fields.number() };
    }
  }
}
