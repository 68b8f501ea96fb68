import { describe, expect, it } from 'vitest';
import { systemEntropy } from './system-entropy.js';

describe('the chance of the platform', () => {
  it('gives UUIDs of version 4, each another one, of which every digit varies', () => {
    const ids = Array.from({ length: 2000 }, () => systemEntropy.id());
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    expect(new Set(ids).size).toBe(ids.length);
    const seenAt = Array.from({ length: 36 }, (_, i) => new Set(ids.map((id) => id.charAt(i))).size);
    for (const [i, seen] of seenAt.entries()) {
      const isFixed = [8, 13, 14, 18, 23].includes(i);
      expect(seen).toBe(isFixed ? 1 : i === 19 ? 4 : 16);
    }
  });

  it('gives seeds of 32 bits', () => {
    const seeds = Array.from({ length: 100 }, () => systemEntropy.seed());
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
    expect(new Set(seeds).size).toBeGreaterThan(90);
  });
});
