import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { Ballot, MemberId } from '../ballot.js';
import type { Member } from '../configuration.js';
import type { PaxosMessage } from '../message.js';
import type { Base, PaxosRecord } from '../record.js';
import type { Value } from '../value.js';
import { baseFromText, baseToText } from './base-text.js';
import { decodeMessage, encodeMessage } from './message-codec.js';
import { readRecord, recordSize, writeRecord } from './record-codec.js';

const number = fc.oneof(fc.nat(20), fc.maxSafeNat());
const flag = fc.boolean();
const text = fc.string({ unit: 'binary', maxLength: 12 });
// reason: any text serves as an id here.
const memberId = fc.oneof(fc.constantFrom('a.1', 'b.2'), text).map((id) => id as MemberId);
const ballot: fc.Arbitrary<Ballot> = fc.record({ round: fc.oneof(fc.nat(2), number), member: memberId });
const maybeBallot = fc.option(ballot, { nil: undefined });
const members: fc.Arbitrary<Member[]> = fc.array(
  fc.record({ id: memberId, name: text, peerAddress: text, clientUrl: text }), { maxLength: 4 },
);
const membership = fc.record({ voters: members, learners: members });
const configuration = fc.record({ number, fromSlot: number, voters: members, learners: members });
const base: fc.Arbitrary<Base> = fc.record({ slot: number, configuration, epoch: maybeBallot });
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ kind: fc.constant('command' as const), origin: ballot, payload: fc.uint8Array() }),
  fc.record({ kind: fc.constantFrom('begin' as const, 'no-op' as const), origin: ballot }),
  fc.record({ kind: fc.constant('stop' as const), origin: ballot, next: membership }),
);
const values = fc.array(value, { maxLength: 6 });
const accepted = fc.array(fc.record({ slot: number, ballot, value }), { maxLength: 6 });

const is = <K extends string>(kind: K): fc.Arbitrary<K> => fc.constant(kind);
const record: fc.Arbitrary<PaxosRecord> = fc.oneof(
  fc.record({ kind: is('joined'), cluster: text, self: memberId, base }),
  fc.record({ kind: is('promised'), ballot }),
  fc.record({ kind: is('accepted'), ballot, slot: number, value }),
  fc.record({ kind: is('chosen'), upTo: number }),
  fc.record({ kind: is('trimmed'), base }),
);
const chosenUpTo = number;
const messageKinds: { [K in PaxosMessage['kind']]: fc.Arbitrary<PaxosMessage> } = {
  'pre-prepare': fc.record({ kind: is('pre-prepare'), ballot, fromSlot: number }),
  'pre-promise': fc.record({ kind: is('pre-promise'), ballot, isGranted: flag, promised: maybeBallot }),
  prepare: fc.record({ kind: is('prepare'), ballot, fromSlot: number, isHandover: flag }),
  promise: fc.record({
    kind: is('promise'), ballot, part: number, isLast: flag, accepted, chosenUpTo, trimmedUpTo: number,
  }),
  refused: fc.record({ kind: is('refused'), ballot, promised: ballot }),
  accept: fc.record({ kind: is('accept'), ballot, firstSlot: number, values, chosenUpTo }),
  accepted: fc.record({ kind: is('accepted'), ballot, upTo: number, chosenUpTo }),
  heartbeat: fc.record({ kind: is('heartbeat'), ballot, round: number, chosenUpTo, lastSlot: number }),
  heard: fc.record({
    kind: is('heard'), ballot, round: number, upTo: number, chosenUpTo, appliedUpTo: number,
  }),
  learn: fc.record({ kind: is('learn'), fromSlot: number }),
  chosen: fc.record({ kind: is('chosen'), firstSlot: number, values, chosenUpTo }),
  trimmed: fc.record({ kind: is('trimmed'), upTo: number }),
  'take-over': fc.record({ kind: is('take-over'), ballot }),
  removed: fc.record({ kind: is('removed'), configurationNumber: number }),
};
const message = fc.oneof(...Object.values(messageKinds));
const group = fc.oneof(fc.nat(3), fc.nat(0xffff_ffff));

function bytesOf(of: number, written: PaxosRecord): Uint8Array {
  const bytes = new Uint8Array(recordSize(written));
  writeRecord(bytes, 0, of, written);
  return bytes;
}

/** What a decoder does with anything: an answer, or an error with its code. */
function codeOf(decode: () => unknown): string | undefined {
  try {
    decode();
    return undefined;
  } catch (error) {
    if (error instanceof OxbowError) return error.code;
    throw error;
  }
}

describe('records', () => {
  it('come back as they were', () => {
    fc.assert(fc.property(group, record, (of, written) => {
      expect(readRecord(bytesOf(of, written))).toEqual({ group: of, record: written });
    }));
  });

  it('are written where they are told, and nowhere else', () => {
    fc.assert(fc.property(record, fc.nat(20), (written, offset) => {
      const size = recordSize(written);
      const target = new Uint8Array(offset + size + 20).fill(7);
      writeRecord(target, offset, 1, written);
      expect(target.subarray(offset, offset + size)).toEqual(bytesOf(1, written));
      target.fill(7, offset, offset + size);
      expect(target.every((byte) => byte === 7)).toBe(true);
    }));
  });

  it('take little more than the payload', () => {
    // reason: ids in tests are what they are.
    const origin = { round: 7, member: 'node-a.0123456789abcdef' as MemberId };
    const payload = new Uint8Array(1_000);
    const size = recordSize({
      kind: 'accepted', ballot: origin, slot: 5, value: { kind: 'command', origin, payload },
    });
    expect(size).toBeLessThan(1_060);
  });

  it('refuse garbage with log-unreadable', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect([undefined, 'log-unreadable']).toContain(codeOf(() => readRecord(bytes)));
    }), { numRuns: 2_000 });
  });
});

describe('a base as text', () => {
  it('comes back as it was', () => {
    fc.assert(fc.property(base, (written) => {
      expect(baseFromText(baseToText(written))).toEqual(written);
    }));
  });

  it('refuses garbage with bad-snapshot', () => {
    const text = fc.oneof(fc.string(), fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('hex')));
    fc.assert(fc.property(text, (garbage) => {
      expect([undefined, 'bad-snapshot']).toContain(codeOf(() => baseFromText(garbage)));
    }));
  });
});

describe('messages', () => {
  it('come back as they were', () => {
    fc.assert(fc.property(group, message, (of, sent) => {
      expect(decodeMessage(encodeMessage(of, sent))).toEqual({ group: of, message: sent });
    }), { numRuns: 1_000 });
  });

  it('refuse garbage with bad-peer-message', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect([undefined, 'bad-peer-message']).toContain(codeOf(() => decodeMessage(bytes)));
    }), { numRuns: 2_000 });
  });

  it('refuse what was cut, lengthened or altered, or say what it then means', () => {
    fc.assert(fc.property(message, fc.nat(), fc.nat(255), (sent, place, byte) => {
      const frame = encodeMessage(1, sent);
      const at = place % frame.length;
      expect(codeOf(() => decodeMessage(frame.subarray(0, at)))).toBe('bad-peer-message');
      const longer = Uint8Array.of(...frame, byte);
      expect(codeOf(() => decodeMessage(longer))).toBe('bad-peer-message');
      frame[at] = byte;
      expect([undefined, 'bad-peer-message']).toContain(codeOf(() => decodeMessage(frame)));
    }), { numRuns: 2_000 });
  });

  it('of another version are refused, and say so', () => {
    const frame = encodeMessage(1, { kind: 'learn', fromSlot: 3 });
    frame[0] = 2;
    expect(() => decodeMessage(frame)).toThrow(/version 2, this program knows 1/);
  });

  it('claim no memory that they do not bring', () => {
    const frame = encodeMessage(1, { kind: 'chosen', firstSlot: 1, chosenUpTo: 1, values: [] });
    new DataView(frame.buffer).setUint32(frame.length - 4, 0xffff_ffff, true);
    expect(() => decodeMessage(frame)).toThrow(/do not fit/);
  });

  it('share the frame\'s memory with their payloads, but keep no larger piece alive', () => {
    // reason: ids in tests are what they are.
    const origin = { round: 1, member: 'a.1' as MemberId };
    const sent: PaxosMessage = {
      kind: 'accept', ballot: origin, firstSlot: 1, chosenUpTo: 0,
      values: [{ kind: 'command', origin, payload: new Uint8Array(500) }],
    };
    const frame = encodeMessage(1, sent);
    expect(payloadOf(frame).buffer).toBe(frame.buffer);
    const received = new Uint8Array(64 * 1024);
    received.set(frame, 100);
    expect(payloadOf(received.subarray(100, 100 + frame.length)).buffer.byteLength).toBe(frame.length);
  });
});

function payloadOf(frame: Uint8Array): Uint8Array {
  const { message } = decodeMessage(frame);
  const [first] = message.kind === 'accept' ? message.values : [];
  if (first?.kind !== 'command') throw new Error('no command');
  return first.payload;
}
