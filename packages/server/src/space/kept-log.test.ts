import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommitEntry, ReplicaId } from '@oxbow/sdk/protocol';
import { KeptLog } from './kept-log.js';

const entryAt = (csn: number): CommitEntry => ({
  // reason: names in tests are what they are.
  csn, at: 1, id: { replica: 'r' as ReplicaId, seq: csn }, lamport: csn, user: null,
  outcome: { kind: 'applied' }, effects: [],
});

describe('the kept log', () => {
  it('agrees with a plain list that drops from the front', () => {
    fc.assert(
      fc.property(
        fc.nat(8), fc.nat(20), fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 }),
        (stored, before, sizes) => {
          const bounds = { keptEntriesMax: 10, keptCharsMax: 100 };
          const entries = Array.from({ length: stored }, (_, i) => entryAt(before + i + 1));
          let csn = before + stored;
          const kept = new KeptLog(bounds, entries, csn);
          const naive = entries.map((entry) => ({ entry, chars: 0 }));
          for (const chars of sizes) {
            csn += 1;
            kept.push(entryAt(csn), chars);
            naive.push({ entry: entryAt(csn), chars });
            const sum = () => naive.reduce((total, one) => total + one.chars, 0);
            while (naive.length > 1 && (naive.length > 10 || sum() > 100)) naive.shift();
            for (let from = 0; from <= csn; from++) {
              const expected = from + 1 < csn + 1 - naive.length
                ? 'trimmed'
                : naive.map(({ entry }) => entry).filter((entry) => entry.csn > from).slice(0, 3);
              expect(kept.after(from, 3)).toEqual(expected);
            }
          }
        },
      ),
    );
  });

  it('gives its places back over a long life', () => {
    const kept = new KeptLog({ keptEntriesMax: 2, keptCharsMax: 1_000 }, [], 0);
    for (let csn = 1; csn <= 10_000; csn++) kept.push(entryAt(csn), 1);
    expect(kept.firstCsn).toBe(9_999);
    expect(kept.after(9_998, 9)).toMatchObject([{ csn: 9_999 }, { csn: 10_000 }]);
  });
});
