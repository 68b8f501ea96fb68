import { describe, expect, test } from 'vitest';
import { runSeed } from './run.js';

/** `npm run sim -- --seeds A..B` goes on from here. */
const SEEDS = 300;
const CHUNK = 50;

describe('clients and server under faults', () => {
  const chunks = Array.from({ length: SEEDS / CHUNK }, (_, i) => 1 + i * CHUNK);
  test.each(chunks)(`every promise holds for ${CHUNK} seeds from %i`, (from) => {
    for (let seed = from; seed < from + CHUNK; seed++) {
      const { violation } = runSeed(seed);
      expect(violation, `replay: npm run sim -- --seed ${seed}`).toBeUndefined();
    }
  });

  test('a seed run twice gives the same trace', () => {
    for (const seed of [3, 7, 11, 19, 23]) {
      const [first, second] = [runSeed(seed, true), runSeed(seed, true)];
      expect(first.mutations).toBeGreaterThan(0);
      expect(second.log).toEqual(first.log);
      expect(second.traceHash).toBe(first.traceHash);
    }
  });
});
