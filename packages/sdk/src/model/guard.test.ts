import { describe, expect, it } from 'vitest';
import { Guard } from './guard.js';
import { defineApp, execute, mutation, Tables, unchecked } from './index.js';
import type { NondeterminismReport } from './index.js';
import type { ReplicaId } from '../protocol/index.js';

const app = defineApp({
  name: 'test',
  version: 1,
  tables: {},
  mutations: {
    run: mutation({
      args: unchecked<{ readonly run: () => unknown }>(),
      apply: (_tx, a) => void a.run(),
    }),
  },
});

/** Runs the function as a mutation under a guard. */
function watched(run: () => unknown, guard: Guard, dev = true): string {
  const { outcome } = execute(app, new Tables(app), {
    // reason: a test names its own replica.
    update: { id: { replica: 'r1' as ReplicaId, seq: 1 }, name: 'run', version: 1, args: { run }, at: 0 },
    user: null, side: 'client', dev, guard,
  });
  return outcome.kind;
}

function reportsOf(run: () => unknown, dev = true): readonly NondeterminismReport[] {
  const reports: NondeterminismReport[] = [];
  watched(run, new Guard((report) => reports.push(report)), dev);
  return reports;
}

const NAMES = ['Date', 'setTimeout', 'setInterval', 'queueMicrotask', 'fetch'] as const;
const world = (): unknown[] => [
  Math.random, crypto.randomUUID, performance.now, ...NAMES.map((name) => globalThis[name]),
];

describe('the guard', () => {
  const touches: [string, () => unknown][] = [
    ['Date.now', () => Date.now()],
    ['new Date()', () => new Date()],
    ['Date()', () => Date()],
    ['Math.random', () => Math.random()],
    ['setTimeout', () => clearTimeout(setTimeout(() => undefined, 0))],
    ['setInterval', () => clearInterval(setInterval(() => undefined, 1000))],
    ['queueMicrotask', () => queueMicrotask(() => undefined)],
    ['fetch', () => fetch('not a url').catch(() => undefined)],
    ['crypto.randomUUID', () => crypto.randomUUID()],
    ['crypto.getRandomValues', () => crypto.getRandomValues(new Uint8Array(1))],
    ['performance.now', () => performance.now()],
  ];
  it.each(touches)('tells of a mutation that touches %s', (touched, run) => {
    expect(reportsOf(run)).toContainEqual({ mutation: 'run', touched });
  });

  it.each(touches)('leaves %s working', (_touched, run) => {
    expect(watched(run, new Guard(() => undefined))).toBe('applied');
  });

  it('says each thing once per mutation', () => {
    const reports: NondeterminismReport[] = [];
    const guard = new Guard((report) => reports.push(report));
    for (let i = 0; i < 3; i++) watched(() => [Math.random(), Math.random(), Date.now()], guard);
    expect(reports.map(({ touched }) => touched)).toEqual(['Math.random', 'Date.now']);
  });

  it('does not mind dates that are made of a number, nor what is an instance of Date', () => {
    let seen: unknown;
    const run = (): void => {
      const date = new Date(86_400_000);
      seen = [date.getTime(), date instanceof Date, Date.UTC(1970, 0, 2), Date.parse('1970-01-02')];
    };
    expect(reportsOf(run)).toEqual([]);
    expect(seen).toEqual([86_400_000, true, 86_400_000, 86_400_000]);
  });

  it('counts what runs within a mutation as its own', () => {
    const reports: NondeterminismReport[] = [];
    const guard = new Guard((report) => reports.push(report));
    const before = world();
    guard.watch('outer', () => guard.watch('inner', () => Math.random()));
    expect(reports).toEqual([{ mutation: 'outer', touched: 'Math.random' }]);
    world().forEach((thing, i) => expect(thing).toBe(before[i]));
  });

  it('follows a function that somebody else replaces between two mutations', () => {
    const guard = new Guard(() => undefined);
    const random = Math.random;
    watched(() => Math.random(), guard);
    Math.random = () => 0.25;
    try {
      let drawn: unknown;
      watched(() => { drawn = Math.random(); }, guard);
      expect([drawn, Math.random()]).toEqual([0.25, 0.25]);
    } finally {
      Math.random = random;
    }
  });

  it('puts everything back, also after a mutation that throws', () => {
    const before = world();
    watched(() => expect(world()).not.toEqual(before), new Guard(() => undefined));
    expect(world()).toEqual(before);
    const thrown = watched(() => { throw new Error('no'); }, new Guard(() => undefined));
    expect(thrown).toBe('rejected');
    world().forEach((thing, i) => expect(thing).toBe(before[i]));
  });

  it('leaves the world alone outside development', () => {
    const before = world();
    let during: unknown;
    expect(reportsOf(() => { during = world(); Math.random(); }, false)).toEqual([]);
    expect(during).toEqual(before);
  });
});
