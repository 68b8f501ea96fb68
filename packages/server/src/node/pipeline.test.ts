import { describe, expect, it } from 'vitest';
import { decodeBatch, encodeEntry } from '@oxbow/sdk/protocol';
import type { CommitEntry, SpaceId } from '@oxbow/sdk/protocol';
import type { SpaceEntries } from '../space/state-store.js';
import type { NodeEffects } from './effects.js';
import { checkSocketLimits, nodeLimits, resolveNodeLimits, socketLimits } from './limits.js';
import type { NodeLimits } from './limits.js';
import { Pipeline } from './pipeline.js';
import { replicaOf, spaceOf } from './testing/test-server.js';

const entryAt = (csn: number, text = ''): CommitEntry => ({
  csn, at: 1, id: { replica: replicaOf('r'), seq: csn }, lamport: csn, user: null,
  outcome: { kind: 'applied' }, effects: [{ table: 't', key: 'k', row: { text } }],
});

function bench(limits: Partial<NodeLimits> = {}, appliedSlot = 0) {
  const proposed: { payload: Uint8Array; tag: number }[] = [];
  const applied: { slot: number; batches: readonly SpaceEntries[] }[] = [];
  const trimmed: number[] = [];
  const effects: NodeEffects = {
    send: () => undefined, closeLink: () => undefined, verify: () => undefined,
    loadSpace: () => undefined, wakeAt: () => undefined, endTurnSoon: () => undefined,
    drained: () => undefined, log: () => undefined, count: () => undefined,
    observe: () => undefined, barrier: () => undefined,
    propose: (payload, tag) => proposed.push({ payload, tag }),
    apply: (slot, batches) => applied.push({ slot, batches }),
    trim: (slot) => trimmed.push(slot),
  };
  const utf8 = {
    encode: (text: string) => new TextEncoder().encode(text),
    decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
  };
  const pipeline = new Pipeline({ limits: { ...nodeLimits, ...limits }, utf8, appliedSlot }, effects);
  const add = (space: SpaceId, entry: CommitEntry): void =>
    pipeline.add(space, entry, encodeEntry(entry).length, 5);
  const read = (i: number) => decodeBatch(utf8.decode(proposed[i]?.payload ?? new Uint8Array(0)))
    .map(({ space, entries }) => ({ space, csns: entries.map(({ csn }) => csn) }));
  return { pipeline, proposed, applied, trimmed, add, read };
}
const [a, b] = [spaceOf('a'), spaceOf('b')];
const NOTHING = new Uint8Array(0);

describe('the pipeline', () => {
  it('makes one slot of what waits, by space and in csn order', () => {
    const { pipeline, proposed, add, read } = bench();
    add(a, entryAt(1));
    add(b, entryAt(1));
    add(a, entryAt(2));
    pipeline.propose();
    expect(proposed).toHaveLength(1);
    expect(read(0)).toEqual([{ space: 'a', csns: [1, 2] }, { space: 'b', csns: [1] }]);
    expect(pipeline.entriesInFlight).toBe(3);
  });

  it('cuts what is too much for a slot, and keeps the order', () => {
    const { pipeline, add, proposed, read } = bench({ payloadBytesMax: 3_000 });
    for (let csn = 1; csn <= 4; csn++) add(a, entryAt(csn, 'ü'.repeat(150)));
    add(b, entryAt(1, 'x'.repeat(300)));
    pipeline.propose();
    const slots = proposed.map((_, i) => read(i));
    const csnsOf = (name: string) =>
      slots.flat().filter(({ space }) => space === name).flatMap(({ csns }) => csns);
    expect(proposed.every(({ payload }) => payload.length <= 3_000)).toBe(true);
    expect(slots.length).toBeGreaterThan(1);
    expect([csnsOf('a'), csnsOf('b')]).toEqual([[1, 2, 3, 4], [1]]);
  });

  it('proposes no more than may be in flight, and the rest when something is chosen', () => {
    const { pipeline, proposed, add, read } = bench({ slotsInFlightMax: 1 });
    add(a, entryAt(1));
    pipeline.propose();
    add(a, entryAt(2));
    add(a, entryAt(3));
    pipeline.propose();
    expect(proposed).toHaveLength(1);
    expect(pipeline.chosen(1, NOTHING, proposed[0]?.tag)).toMatchObject({ sinceMs: 5 });
    pipeline.propose();
    expect(read(1)).toEqual([{ space: 'a', csns: [2, 3] }]);
  });

  it('reads a replayed slot from its payload', () => {
    const first = bench();
    first.add(a, entryAt(1, 'ü'));
    first.pipeline.propose();
    const { pipeline, applied } = bench({}, 6);
    const payload = first.proposed[0]?.payload ?? NOTHING;
    expect(pipeline.chosen(7, payload, undefined)).toMatchObject({ sinceMs: undefined });
    expect(applied).toMatchObject([{ slot: 7, batches: [{ space: 'a', entries: [{ csn: 1 }] }] }]);
    expect(() => pipeline.chosen(9, payload, undefined)).toThrow(/without holes/);
    expect(() => pipeline.chosen(8, new Uint8Array([91]), undefined)).toThrow(/Cannot read batch/);
  });

  it('knows how many slots the store lacks, and lets the log forget what it has', () => {
    const { pipeline, proposed, trimmed, add } = bench();
    for (const [i, space] of [a, b, a].entries()) {
      add(space, entryAt(i === 2 ? 2 : 1));
      pipeline.propose();
      pipeline.chosen(i + 1, NOTHING, proposed[i]?.tag);
    }
    expect(pipeline.slotsUnapplied).toBe(3);
    pipeline.applied(2);
    expect([pipeline.slotsUnapplied, pipeline.isIdle]).toEqual([1, false]);
    pipeline.applied(3);
    expect([pipeline.slotsUnapplied, pipeline.isIdle]).toEqual([0, true]);
    expect(trimmed).toEqual([2, 3]);
  });
});

describe('the limits', () => {
  const refusals: readonly [given: Partial<NodeLimits>, why: RegExp][] = [
    [{ payloadBytesMax: 1_000 }, /'payloadBytesMax': a slot carries the largest entry: at least/],
    [{ payloadBytesMax: 13 * 2 ** 20 }, /'payloadBytesMax': the log takes whatever a node/],
    [{ bytesInFlightMax: 12 * 2 ** 20 - 1 }, /'bytesInFlightMax': the largest slot/],
    [{ bytesInFlightMax: 2 ** 40 }, /'bytesInFlightMax': the log takes/],
    [{ slotsInFlightMax: 1e6 }, /'slotsInFlightMax': the log takes/],
    [{ tickMs: 60_000 }, /'tickMs': acks go out when they are due: at most 500/],
    [{ silentMs: 20_000 }, /'silentMs': a living client/],
    [{ waitingCharsPerLinkMax: 10 }, /'waitingCharsPerLinkMax': who keeps to flow control/],
    [{ waitingCharsMax: 10 }, /'waitingCharsMax': one link can wait/],
    [{ linksMax: 25_000 }, /'linksMax': probes get in/],
    [{ linksMax: 0 }, /'linksMax': it is a whole number from 1 on, not 0/],
    [{ helloMs: NaN }, /'helloMs': it is a whole number/],
    [{ retryMs: 0.5 }, /'retryMs': it is a whole number/],
    [{ keptEntriesMax: Infinity }, /'keptEntriesMax': it is a whole number/],
    // reason: an operator's file is not compiled.
    [{ spacesMax: '9' as unknown as number }, /'spacesMax': it is a whole number from 1 on, not 9/],
    [{ linkMax: 5 } as Partial<NodeLimits>, /'linkMax': there is no such limit/],
  ];
  it.each(refusals)('that an operator gives are refused where they cannot be: %o', (given, why) => {
    expect(() => resolveNodeLimits(given)).toThrow(expect.objectContaining({
      code: 'config-invalid', message: expect.stringMatching(why),
    }));
  });

  it('that an operator gives take the place of the defaults', () => {
    expect(resolveNodeLimits({ linksMax: 5, spacesMax: 1 }))
      .toEqual({ ...nodeLimits, linksMax: 5, spacesMax: 1 });
    expect(resolveNodeLimits()).toEqual(nodeLimits);
  });

  it('of sockets bear what flow control allows', () => {
    expect(() => checkSocketLimits({ ...socketLimits, unreadBytesMax: 2 ** 20 })).toThrow(/no slow reader/);
    expect(() => checkSocketLimits({ ...socketLimits, drainMs: 100 })).toThrow(/goodbyes/);
  });
});
