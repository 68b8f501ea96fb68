import { expect, it } from 'vitest';
import { AcceptedLog, valueBytes } from './accepted-log.js';
import type { Entry } from './accepted-log.js';
import { ballot, command } from './testing/bench.js';
import { seeded } from './testing/random-cluster.js';

it('holds what a plain map holds, over random puts and trims', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seeded(seed);
    const log = new AcceptedLog(7);
    const naive = new Map<number, Entry>();
    let base = 7;
    for (let step = 0; step < 400; step++) {
      if (random() < 0.1) {
        base += Math.floor(random() * 12);
        log.trim(base);
        for (const slot of naive.keys()) if (slot <= base) naive.delete(slot);
      } else {
        const slot = base + 1 + Math.floor(random() * 15);
        const word = 'x'.repeat(Math.floor(random() * 50));
        const entry = { ballot: ballot(step, 'a'), value: command(ballot(1, 'a'), word), tag: step };
        log.put(slot, entry);
        naive.set(slot, entry);
      }
      for (let slot = base - 3; slot < base + 20; slot++) expect(log.at(slot)).toBe(naive.get(slot));
      const bytes = [...naive.values()].reduce((sum, { value }) => sum + valueBytes(value), 0);
      expect(log.bytes).toBe(bytes);
      expect(log.base).toBe(base);
      expect(log.end).toBeGreaterThanOrEqual(Math.max(base, ...naive.keys()));
    }
  }
});
