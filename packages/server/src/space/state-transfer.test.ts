import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StateFetch, type FetchEffects } from './state-fetch.js';
import { checkTransferLimits, transferLimits } from './limits.js';
import {
  decodeStateMessage, encodeStateMessage, refusalCodes, type StateMessage,
} from './state-message.js';
import { StateOffer, type OfferEffects } from './state-offer.js';
import { play } from './testing/travel-bench.js';

const folder = new URL('./transcripts/', import.meta.url);
// TRANSCRIPTS=write npx vitest run packages/server/src/space/state-transfer.test.ts
const isWriting = process.env['TRANSCRIPTS'] === 'write';

describe('a state travels as its transcripts say', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt')).sort()) {
    test(file.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = new URL(file, folder);
      const written = readFileSync(path, 'utf8');
      const played = play(written);
      if (isWriting) writeFileSync(path, played);
      else expect(played).toBe(written);
    });
  }
});

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const count = fc.nat(2 ** 31);
const messages: fc.Arbitrary<StateMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('fetch' as const), fetch: count, cluster: fc.string({ maxLength: 40 }), atLeast: count,
    resume: fc.option(fc.record({ picture: fc.string({ maxLength: 40 }), cursor: bytes(64) }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('head' as const), fetch: count, picture: fc.string({ maxLength: 40 }), slot: count,
    base: fc.string({ maxLength: 9_000 }), bytes: count, isResumed: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('chunk' as const), fetch: count, number: count, checksum: fc.nat(2 ** 32 - 1),
    next: fc.option(bytes(64), { nil: undefined }), bytes: bytes(500),
  }),
  fc.record({ kind: fc.constant('digest' as const), fetch: count, hex: fc.string({ maxLength: 64 }) }),
  fc.record({ kind: fc.constant('written' as const), fetch: count, upTo: count }),
  fc.record({ kind: fc.constantFrom('alive' as const, 'end' as const), fetch: count }),
  fc.record({ kind: fc.constant('refused' as const), fetch: count, code: fc.constantFrom(...refusalCodes) }),
);

test('a message comes back as it was', () => {
  fc.assert(fc.property(messages, (message) => {
    expect(decodeStateMessage(encodeStateMessage(message))).toEqual(message);
  }), { numRuns: 2_000 });
});

test('any bytes are a message or bad-message, nothing else', () => {
  const mutated = fc.tuple(messages, fc.nat(), fc.nat(255)).map(([message, at, value]) => {
    const encoded = encodeStateMessage(message);
    encoded[at % encoded.length] = value;
    return at % 3 === 0 ? encoded.subarray(0, at % encoded.length) : encoded;
  });
  fc.assert(fc.property(fc.oneof(bytes(200), mutated), (source) => {
    try {
      decodeStateMessage(source);
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-message' });
    }
  }), { numRuns: 20_000 });
});

test('whatever the other side says, a fetcher and an exporter keep to their bounds', () => {
  const said = fc.array(fc.tuple(messages, fc.constantFrom('x', 'y'), fc.nat(3_000)), { maxLength: 60 });
  fc.assert(fc.property(said, (steps) => {
    let now = 0;
    let reading = 0;
    let opened = 0;
    const fetch = new StateFetch({ cluster: 'k', limits: transferLimits }, silentFetch());
    const offer = new StateOffer({ cluster: 'k', incarnation: 'i', limits: transferLimits }, {
      ...silentOffer(),
      openPicture: () => (opened += 1),
      closePicture: () => (opened -= 1),
      readPicture: () => (reading += 1),
    });
    fetch.start('x', 5, now);
    for (const [message, from, wait] of steps) {
      now += wait;
      // As often as not it speaks of the present fetch.
      const aimed = { ...message, fetch: message.fetch % 3 } as StateMessage;
      fetch.received(from, aimed, now);
      offer.received(from, aimed.kind === 'fetch' ? { ...aimed, cluster: 'k' } : aimed, now);
      offer.opened(opened, { slot: 9, cluster: 'k', bytes: 1, base: '' }, undefined, now);
      fetch.importing(message.fetch % 3, undefined, now);
      fetch.tick(now);
      offer.tick(now);
    }
    expect(opened).toBeLessThanOrEqual(2);
    expect(reading).toBeLessThanOrEqual(steps.length);
  }), { numRuns: 500 });
});

test('limits that contradict each other are refused', () => {
  expect(() => checkTransferLimits({ ...transferLimits, holdMs: 1 })).toThrow('held');
  expect(() => checkTransferLimits({ ...transferLimits, chunksInFlightMax: 1 })).toThrow('at once');
});

function silentFetch(): FetchEffects {
  return {
    send: () => undefined, openImport: () => undefined, writeImport: () => undefined,
    finishImport: () => undefined, abortImport: () => undefined, fetched: () => undefined, log: () => undefined,
  };
}

function silentOffer(): OfferEffects {
  return {
    send: () => undefined, openPicture: () => undefined, readPicture: () => undefined,
    digestPicture: () => undefined, closePicture: () => undefined, damaged: () => undefined, log: () => undefined,
  };
}
