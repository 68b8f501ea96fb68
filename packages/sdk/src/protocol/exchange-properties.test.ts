import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExchangePair, side, type Side } from './testing/exchange-pair.js';
import { NaiveHolder } from './testing/naive-holder.js';

/** Mulberry32: the same numbers for the same seed. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

interface Weather { readonly loss: number; readonly copies: number; readonly swaps: number }
const CALM: Weather = { loss: 0, copies: 0, swaps: 0 };

/** Delivers up to `steps` frames, disturbed. */
function weather(pair: ExchangePair, random: () => number, sky: Weather, steps: number): void {
  for (let i = 0; i < steps; i++) {
    pair.pump(1 + Math.floor(random() * 2000));
    if (pair.wire.length === 0) return;
    const at = random() < sky.swaps ? Math.floor(random() * pair.wire.length) : 0;
    const [frame] = pair.wire.splice(at, 1);
    if (random() < sky.loss) continue;
    if (frame !== undefined && random() < sky.copies) pair.wire.push(frame);
    pair.deliver(frame);
  }
}

/** A primary and replicas in a shape: links between indexes. */
const shapes: Record<string, (count: number) => [number, number][]> = {
  star: (count) => range(count - 1).map((i) => [0, i + 1]),
  chain: (count) => range(count - 1).map((i) => [i, i + 1]),
  mesh: (count) => range(count).flatMap((i) => range(i).map((j): [number, number] => [j, i])),
};
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

class World {
  readonly sides: Side[];
  readonly links: [number, number][];
  readonly pairs: ExchangePair[];
  readonly random: () => number;

  constructor(seed: number, shape: string, count: number) {
    this.random = chance(seed);
    this.sides = range(count).map((i) => i === 0
      ? side('s', new NaiveHolder('s', 'h1'), 'updates')
      : side(`r${i}`, new NaiveHolder(`r${i}`)));
    this.links = shapes[shape]?.(count) ?? [];
    this.pairs = this.links.map((link) => this.#connect(link));
  }

  #connect([a, b]: [number, number]): ExchangePair {
    const [left, right] = [this.sides[a], this.sides[b]];
    if (left === undefined || right === undefined) throw new Error('no such side');
    const pair = new ExchangePair(left, right);
    pair.start();
    return pair;
  }

  step(sky: Weather): void {
    const { random } = this;
    const holder = this.sides[Math.floor(random() * this.sides.length)]?.holder;
    const dice = random();
    if (dice < 0.2) holder?.write({ n: Math.floor(random() * 100) });
    else if (dice < 0.4) holder?.write({ when: new Date(Math.floor(random() * 1e12)) });
    else if (dice < 0.6) this.sides[0]?.holder.commit(1 + Math.floor(random() * 3));
    else if (dice < 0.65) holder?.trim(Math.floor(random() * (holder.csn + 1)));
    else if (dice < 0.7) this.#reconnect(Math.floor(random() * this.pairs.length));
    for (const pair of this.pairs) {
      pair.left.changed();
      pair.right.changed();
      if (random() < 0.1) { pair.left.beat(); pair.right.beat(); }
      weather(pair, random, sky, Math.floor(random() * 6));
    }
  }

  #reconnect(index: number): void {
    const link = this.links[index];
    if (link !== undefined) this.pairs[index] = this.#connect(link);
  }

  /** Calm weather, beats, until all are equal. */
  settle(): void {
    for (let round = 0; round < 40; round++) {
      this.sides[0]?.holder.commit(1000);
      for (const pair of this.pairs) {
        pair.messages = 0;
        pair.beat();
        pair.news();
      }
    }
  }

  states(): Set<string> {
    return new Set(this.sides.map(({ holder }) => holder.state()));
  }
}

describe('anti-entropy', () => {
  it('converges in any shape once a disturbed network heals', () => {
    fc.assert(fc.property(
      fc.integer(), fc.constantFrom('star', 'chain', 'mesh'), fc.integer({ min: 2, max: 4 }),
      fc.record({
        loss: fc.constantFrom(0, 0.1, 0.4), copies: fc.constantFrom(0, 0.1, 0.3),
        swaps: fc.constantFrom(0, 0.2, 0.6),
      }),
      (seed, shape, count, sky) => {
        const world = new World(seed, shape, count);
        for (let i = 0; i < 40; i++) world.step(sky);
        world.settle();
        expect(world.states().size).toBe(1);
      },
    ), { numRuns: 300 });
  });

  it('needs no beat on links that keep their order', () => {
    fc.assert(fc.property(fc.integer(), fc.constantFrom('star', 'chain'), (seed, shape) => {
      const world = new World(seed, shape, 3);
      for (let i = 0; i < 40; i++) world.step(CALM);
      for (let round = 0; round < 10; round++) {
        world.sides[0]?.holder.commit(1000);
        for (const pair of world.pairs) pair.news();
      }
      expect(world.states().size).toBe(1);
    }), { numRuns: 100 });
  });

  it('ends: a pair that is equal has nothing to say, at a beat neither', () => {
    fc.assert(fc.property(fc.integer(), (seed) => {
      const world = new World(seed, 'mesh', 3);
      for (let i = 0; i < 30; i++) world.step(CALM);
      world.settle();
      for (const pair of world.pairs) {
        pair.messages = 0;
        pair.news();
        expect(pair.messages).toBe(0);
        pair.beat();
        pair.beat();
        expect(pair.messages).toBe(0);
      }
    }), { numRuns: 100 });
  });

  it('resumes from a cut at every single message', () => {
    const total = scenario(Infinity).messages;
    expect(total).toBeGreaterThan(15);
    for (let cut = 0; cut < total; cut++) {
      const { left, right } = scenario(cut);
      const again = new ExchangePair(left, right);
      again.start();
      again.run();
      expect(left.holder.state()).toBe(right.holder.state());
    }
  });
});

/**
 * A server with a trimmed log and later commits, a client with updates: stopped after so many
 * messages.
 */
function scenario(stopAfter: number): { left: Side; right: Side; messages: number } {
  const left = side('s', new NaiveHolder('s', 'h1'), 'updates');
  const right = side('c', new NaiveHolder('c'));
  for (let i = 0; i < 30; i++) left.holder.write({ text: 'x'.repeat(i) });
  left.holder.commit(25);
  left.holder.trim(20);
  for (let i = 0; i < 5; i++) right.holder.write({ i });
  const pair = new ExchangePair(left, right);
  pair.start();
  let delivered = 0;
  for (pair.pump(50); pair.wire.length > 0 && delivered < stopAfter; pair.pump(50)) {
    pair.deliver(pair.wire.shift());
    delivered += 1;
  }
  return { left, right, messages: delivered };
}
