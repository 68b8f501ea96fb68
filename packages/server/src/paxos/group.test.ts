import { describe, expect, it } from 'vitest';
import { RandomCluster } from './testing/random-cluster.js';

// More: node --conditions=oxbow-source --import tsx packages/server/src/paxos/testing/cli.ts
// --seeds 1..5000
const SEEDS = 320;

describe('a group under loss, reordering, crashes, cuts and changes of its members', () => {
  it('chooses one value per slot for ever, keeps every primary\'s order, and reads nothing stale', () => {
    const sum = { chosen: 0, leaderships: 0, configurations: 0, reads: 0, states: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = played(seed);
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += outcome[key];
    }
    // The runs are worth something only if all of it happened in them.
    expect(sum.chosen).toBeGreaterThan(SEEDS * 100);
    expect(sum.leaderships).toBeGreaterThan(SEEDS);
    expect(sum.configurations).toBeGreaterThan(SEEDS / 4);
    expect(sum.reads).toBeGreaterThan(SEEDS * 10);
    expect(sum.states).toBeGreaterThan(SEEDS / 10);
  });

  it('goes well where it once did not', () => {
    // A leader that left had trimmed the stop-sign, restarted, and told those that go on nothing.
    for (const seed of [5_790]) expect(played(seed).chosen).toBeGreaterThan(0);
  });

  it('goes the same way twice from the same seed', () => {
    for (const seed of [3, 77, 4_711]) expect(played(seed).trace).toBe(played(seed).trace);
  });
});

function played(seed: number): ReturnType<RandomCluster['run']> {
  try {
    return new RandomCluster({ seed, steps: 600 }).run();
  } catch (error) {
    throw new Error(`Seed ${seed} of ${import.meta.url}`, { cause: error });
  }
}
