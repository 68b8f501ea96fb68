import { describe, expect, test } from 'vitest';
import { runners, worldNames, type WorldName } from './worlds.js';

/** `npm run sim -- --seeds A..B` goes on from here. */
const SEEDS: Readonly<Record<WorldName, number>> = { node: 300, paxos: 300, cluster: 300, tabs: 200 };
const CHUNK = 50;

describe.each(worldNames)('every promise holds in the world %s', (world) => {
  const run = runners[world];
  const chunks = Array.from({ length: SEEDS[world] / CHUNK }, (_, i) => 1 + i * CHUNK);
  test.each(chunks)(`for ${CHUNK} seeds from %i`, (from) => {
    for (let seed = from; seed < from + CHUNK; seed++) {
      const { violation } = run(seed);
      const command = `npm run sim -- --seed ${seed} --world ${world}`;
      expect(violation, `replay: ${command}`).toBeUndefined();
    }
  });

  test('a seed run twice gives the same trace', () => {
    for (const seed of [3, 7, 11, 19, 23]) {
      const [first, second] = [run(seed, true), run(seed, true)];
      expect(first.mutations).toBeGreaterThan(0);
      expect(second.log).toEqual(first.log);
      expect(second.traceHash).toBe(first.traceHash);
    }
  });
});
