/**
 * The node over its log and its store, killed at any moment: what was told as committed stays,
 * once, in its place.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareEntry, encodeEntry } from '@oxbow/sdk/protocol';
import type { Update } from '@oxbow/sdk/protocol';
import { HISTORY, replicaOf, spaceOf, TestServer } from './testing/test-server.js';
import type { TestClient } from './testing/test-server.js';

const SPACES = ['a', 'b'];
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({
    kind: fc.constant('bring' as const), who: fc.nat(2), space: fc.nat(1), hour: fc.nat(3),
    twice: fc.boolean(),
  }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('disk' as const), most: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('store' as const), most: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({
    kind: fc.constant('crash' as const), kept: fc.infiniteStream(fc.nat(9)),
  }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/**
 * Clients that keep what they wrote, and bring it again to each new run from where they know it
 * settled.
 */
class Run {
  server = new TestServer({ segmentBytes: 16_384 }).start();
  clients: TestClient[] = [];
  /** space/replica → its updates, the first has seq 1. */
  readonly written = new Map<string, Update[]>();
  /** space → csn → the entry, as first told to anyone. */
  readonly told = new Map<string, Map<number, string>>();

  constructor() {
    this.connect();
  }

  connect(): void {
    this.clients = [0, 1, 2].map((i) => this.server.client(`r${i}`, `user${i}`));
    for (const client of this.clients) {
      for (const space of SPACES) {
        client.open(space);
        const settled = client.all('open').findLast((open) => open.space === space);
        const writes = this.#writes(space, client.replica);
        const from = settled?.settledSeq ?? 0;
        if (writes.length > from) client.bring(space, ...writes.slice(from));
      }
    }
  }

  bring(client: TestClient, space: string, hour: number): Update {
    const writes = this.#writes(space, client.replica);
    const seq = writes.length + 1;
    const update: Update = {
      id: { replica: client.replica, seq }, lamport: seq, context: { csn: 0, vector: {} },
      name: 'book', version: 1, at: 1,
      args: { id: `${client.replica}-${seq}`, room: 'blue', hour, orElse: [hour + 4] },
    };
    writes.push(update);
    client.bring(space, update);
    return update;
  }

  /** Whatever was told must be the same ever after. */
  check(): void {
    for (const client of this.clients) {
      for (const space of SPACES) {
        const told = this.told.get(space) ?? new Map<number, string>();
        this.told.set(space, told);
        for (const entry of client.entries(space)) {
          const text = encodeEntry(bareEntry(entry));
          if (told.has(entry.csn)) expect(text).toBe(told.get(entry.csn));
          told.set(entry.csn, text);
        }
      }
    }
  }

  crash(kept: Iterator<number>): void {
    this.check();
    let keeps = false;
    let left = 0;
    this.server.disk.crash(() => {
      if (left-- <= 0) {
        keeps = !keeps;
        left = (kept.next().value ?? 0) * 4;
      }
      return keeps;
    }, 8);
    this.server.store.crash();
    this.server = this.server.restarted();
    expect(this.server.fatal).toBeUndefined();
    this.connect();
  }

  #writes(space: string, replica: string): Update[] {
    const key = `${space}/${replica}`;
    const writes = this.written.get(key) ?? [];
    this.written.set(key, writes);
    return writes;
  }
}

function take(run: Run, move: Step): void {
  switch (move.kind) {
    case 'bring': {
      const client = run.clients[move.who];
      const space = SPACES[move.space];
      if (client === undefined || space === undefined) return;
      const update = run.bring(client, space, move.hour);
      if (move.twice) client.bring(space, update);
      return;
    }
    case 'turn':
      run.server.endTurn();
      return;
    case 'disk':
      run.server.disk.run(move.most);
      return;
    case 'store':
      run.server.store.run(move.most);
      return;
    case 'crash':
      run.crash(move.kept);
  }
}

describe('a node that is killed at any moment', () => {
  it('keeps every entry it told of, executes every update once, and books no room twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const run = new Run();
        for (const move of steps) take(run, move);
        run.server.settle();
        run.crash([].values());
        run.server.settle();
        run.check();
        for (const space of SPACES) {
          const stored = run.server.store.stored(spaceOf(space));
          const entries = stored?.entries ?? [];
          expect(entries.map(({ csn }) => csn)).toEqual(entries.map((_, i) => i + 1));
          const ids = entries.map(({ id }) => `${id.replica}/${id.seq}`);
          const written = [0, 1, 2].flatMap((i) =>
            (run.written.get(`${space}/r${i}`) ?? []).map(({ id }) => `${id.replica}/${id.seq}`));
          expect(ids.toSorted()).toEqual(written.toSorted());
          const slots = (stored?.rows ?? []).map(({ row }) => `${String(row.room)} ${String(row.hour)}`);
          expect(new Set(slots).size).toBe(slots.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('comes to the same state from the store at any slot and the log behind it', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('a');
    const states: string[] = [];
    for (let i = 0; i < 10; i++) {
      ann.bring('a', ann.update('add', { id: `c${i % 3}`, by: i }));
      server.endTurn();
      server.disk.run();
      // Chosen, and the store falls behind by one more each time.
      if (i % 2 === 0) server.store.run(1);
      states.push(String(server.store.appliedSlot));
    }
    expect(server.store.appliedSlot).toBeLessThan(10);
    server.disk.crash(() => false);
    server.store.crash();
    const next = server.restarted();
    expect(next.store.stored(spaceOf('a'))).toMatchObject({
      head: { csn: 10 }, ledger: [{ replica: replicaOf('r1'), seq: 10, user: 'ann' }],
      rows: [{ row: { total: 18 } }, { row: { total: 12 } }, { row: { total: 15 } }],
    });
    const bob = next.client('r2', 'bob').open('a', { history: HISTORY, csn: 0 });
    expect(bob.entries('a').map(({ csn }) => csn)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});
