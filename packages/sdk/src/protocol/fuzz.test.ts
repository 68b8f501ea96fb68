/**
 * Whatever comes in, only an OxbowError comes out, soon, and nothing is changed that does not
 * belong to the message. Replay a failure: FUZZ_SEED=… npx vitest run
 * packages/sdk/src/protocol/fuzz.test.ts
 */
import { describe, expect, it } from 'vitest';
import { readBundle, writeBundle } from './bundle.js';
import {
  appliedEntry, checksum, decodeBatch, decodeEntry, decodeMessage, decodeRows, decodeUpdate, encodeBatch,
  encodeEntry,
  encodeMessage, encodeRows, encodeUpdate, Exchange, OxbowError, readBatch,
  type Message, type Wants,
} from './index.js';
import { SPACE } from './testing/exchange-pair.js';
import { mutate, randomFrame, seededChance } from './testing/mutate.js';
import { NaiveHolder } from './testing/naive-holder.js';
import { bare, entry, messages, plainUpdate, rejected, richUpdate, S } from './testing/sample.js';

const seed = Number(process.env.FUZZ_SEED ?? 20_260_101);

interface Target {
  readonly name: string;
  readonly seeds: readonly string[];
  /** Decodes, and encodes again what was good. */
  readonly again: (text: string) => string;
}

const holder = new NaiveHolder('s', 'h1');
for (let i = 0; i < 6; i++) holder.write({ i, when: new Date(i) });
holder.commit(3);
const bundle = writeBundle(SPACE, holder);
holder.trim(3);
const wholeBundle = writeBundle(SPACE, holder);

const targets: readonly Target[] = [
  {
    name: 'decodeMessage', seeds: messages.map(encodeMessage),
    again: (text) => encodeMessage(decodeMessage(text)),
  },
  {
    name: 'decodeEntry', seeds: [entry, rejected, bare].map(encodeEntry),
    again: (text) => encodeEntry(decodeEntry(text)),
  },
  {
    name: 'decodeUpdate', seeds: [plainUpdate, richUpdate].map(encodeUpdate),
    again: (text) => encodeUpdate(decodeUpdate(text)),
  },
  {
    name: 'decodeBatch', seeds: [encodeBatch([{ space: S, entries: [entry, rejected] }])],
    again: (text) => encodeBatch(decodeBatch(text)),
  },
  {
    name: 'readBatch', seeds: [encodeBatch([{ space: S, entries: [entry, rejected] }])],
    again: (text) => {
      const batches = readBatch(text);
      for (const { entries } of batches) entries.map(appliedEntry);
      return encodeBatch(batches);
    },
  },
  {
    name: 'decodeRows',
    seeds: ['[["s:a",{"a":1}]]', '[["s:a",{"a":null},{"values":{"a":["undefined"]},"v":1}]]'],
    again: (text) => encodeRows(decodeRows(text)),
  },
  {
    name: 'readBundle', seeds: [bundle, wholeBundle],
    again: (text) => {
      const reader = new NaiveHolder('c');
      readBundle(text, reader);
      return writeBundle(SPACE, reader);
    },
  },
];

/** A mutated body with a last line that fits it: the damage is inside. */
function resealed(random: () => number, valid: string): string {
  const lines = valid.trimEnd().split('\n').slice(0, -1);
  const victim = Math.floor(random() * lines.length);
  const mutated = lines.with(victim, mutate(random, lines[victim] ?? '').replaceAll('\n', ' '));
  const body = [...mutated, ''].join('\n');
  return `${body}${JSON.stringify({ lines: mutated.length, checksum: checksum(body) })}\n`;
}

const prototypes =
  [Object.prototype, Array.prototype, Map.prototype, Set.prototype, Date.prototype];
const shapeOf = (): string =>
  prototypes.map((prototype) => Object.getOwnPropertyNames(prototype).join()).join(';');

/**
 * What an input did: refused in the proper way, or understood (and then the same when said again).
 */
function outcome(target: Target, text: string): 'refused' | 'understood' {
  let once: string;
  try {
    once = target.again(text);
  } catch (error) {
    if (error instanceof OxbowError && error.code !== 'invariant') return 'refused';
    throw error;
  }
  expect(target.again(once)).toBe(once);
  return 'understood';
}

function strayHolder(): NaiveHolder {
  const stray = new NaiveHolder('s', 'h1');
  for (let i = 0; i < 4; i++) stray.write({ i });
  stray.commit(2);
  stray.trim(1);
  return stray;
}

/** Messages that decode, out of all that mutation yields. */
function strayMessages(random: () => number): Message[] {
  const strays = [...messages];
  for (let i = 0; strays.length < 3000; i++) {
    try {
      const valid = encodeMessage(messages[i % messages.length] ?? { kind: 'ping' });
      strays.push(decodeMessage(mutate(random, valid)));
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
    }
  }
  return strays;
}

function fuzz(
  target: Target, inputs: number, make: (random: () => number, valid: string) => string,
): { refused: number; understood: number } {
  const random = seededChance(seed);
  const counts = { refused: 0, understood: 0 };
  for (let i = 0; i < inputs; i++) {
    const valid = target.seeds[i % target.seeds.length] ?? '';
    const text = make(random, valid);
    try {
      counts[outcome(target, text)] += 1;
    } catch (error) {
      throw new Error(`seed ${seed}, input ${i}: ${text.slice(0, 2000)}`, { cause: error });
    }
  }
  return counts;
}

describe('decoders under fire', () => {
  const before = shapeOf();

  for (const target of targets) {
    const inputs = target.name === 'decodeMessage' ? 40_000 : 7_000;
    it(`${target.name} takes ${inputs} mutated inputs with nothing but proper refusals`, () => {
      const counts = fuzz(target, inputs, mutate);
      expect(counts.refused).toBeGreaterThan(inputs / 4);
      if (target.name !== 'readBundle') expect(counts.understood).toBeGreaterThan(inputs / 50);
      expect(shapeOf()).toBe(before);
    });

    it(`${target.name} takes 2000 inputs of noise`, () => {
      fuzz(target, 2000, randomFrame);
      expect(shapeOf()).toBe(before);
    });
  }

  it('readBundle takes 7000 inputs that are sound outside and damaged inside', () => {
    const target = targets.find(({ name }) => name === 'readBundle');
    if (target === undefined) throw new Error('no such target');
    const counts = fuzz(target, 7000, resealed);
    expect(counts.refused).toBeGreaterThan(1000);
    expect(counts.understood).toBeGreaterThan(100);
  });

  it('an exchange takes 10000 messages that make no sense where they come', () => {
    const random = seededChance(seed);
    const strays = strayMessages(random);
    for (let round = 0; round < 200; round++) {
      const wants: Wants = round % 2 === 0 ? 'all' : 'updates';
      const exchange = new Exchange({
        space: S, holder: strayHolder(), wants, out: (message) => encodeMessage(message).length,
      });
      exchange.start();
      for (let i = 0; i < 50; i++) {
        const stray = strays[Math.floor(random() * strays.length)];
        if (stray !== undefined && 'space' in stray && stray.space !== undefined) {
          // reason: it has a space, so it is a message of one.
          exchange.onMessage(stray as Parameters<Exchange['onMessage']>[0], 100);
        }
        exchange.pump(1000);
        if (random() < 0.1) exchange.beat();
      }
    }
  });

  it('takes the same inputs for the same seed', () => {
    const inputs = (): string[] => {
      const random = seededChance(seed);
      return messages.map((message) => mutate(random, encodeMessage(message)));
    };
    expect(inputs()).toEqual(inputs());
  });
});
