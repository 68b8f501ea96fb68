/**
 * Nothing that a client sends can crash a node or disturb another client. Seeded: a failure names
 * the frame that did it.
 */
import { describe, expect, it } from 'vitest';
import { encodeMessage, protocolVersions } from '@oxbow/sdk/protocol';
import type { Message, Update } from '@oxbow/sdk/protocol';
import { HISTORY, replicaOf, spaceOf, TestServer } from './testing/test-server.js';
import type { TestClient } from './testing/test-server.js';

const FRAMES = 25_000;

/** mulberry32 */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const space = spaceOf('team');
const update = {
  id: { replica: replicaOf('fuzz'), seq: 1 }, lamport: 1, context: { csn: 0, vector: {} },
  name: 'add', version: 1, args: { id: 'c', by: 1, when: new Date(5), set: new Set([1]) }, at: 5,
} as const;
const entry = {
  csn: 1, at: 1, id: update.id, lamport: 1, user: 'ann', outcome: { kind: 'applied' },
  effects: [{ table: 'counter', key: 'c', row: { id: 'c', total: 1 } }], body: update,
} as const;
const summary = { history: HISTORY, csn: 0, vector: { [replicaOf('fuzz')]: 1 } };

const SEEDS: readonly Message[] = [
  { kind: 'barrier', space: spaceOf('team'), id: 1 },
  { kind: 'barrier-at', space: spaceOf('team'), id: 1, csn: 1 },
  { kind: 'hello', versions: protocolVersions, app: 'test', appVersion: 1, replica: replicaOf('fuzz'), token: 'good' },
  { kind: 'welcome', version: 1, replica: replicaOf('fuzz'), user: null },
  { kind: 'open', space, round: 1, wants: 'all', summary, settledSeq: 0 },
  { kind: 'open', space, round: 2, wants: 'updates', summary: { history: '', csn: 0, vector: {} }, settledSeq: 0 },
  { kind: 'opened', space, round: 1, summary, settledSeq: 0, completion: 1 },
  { kind: 'held', space, completion: 1 },
  { kind: 'updates', space, updates: [update, { ...update, id: { replica: replicaOf('fuzz'), seq: 2 } }] },
  { kind: 'commits', space, history: HISTORY, entries: [entry] },
  { kind: 'transfer', space, history: HISTORY, csn: 3, at: 1, lamport: 1 },
  { kind: 'have', space, csn: 1, hashes: ['00ff'] },
  { kind: 'page', space, csn: 1, index: 0, table: 'counter', hash: '00ff', rows: [['c', { id: 'c' }]] },
  { kind: 'transferred', space, csn: 1, pages: 1 },
  { kind: 'ack', received: 10 },
  { kind: 'leave', space },
  { kind: 'fail', code: 'x', message: 'y', space },
  { kind: 'fail', code: 'x', message: 'y' },
  { kind: 'ping' },
  { kind: 'pong' },
];

const ODD: readonly unknown[] = [
  null, true, -1, 0, 1, 2, 1e308, 2 ** 53, -0.5, '', 'team', 'r1', 'x'.repeat(300), '__proto__', '\ud800', [], [[]], {},
  { kind: 'updates' }, { __proto__: null, constructor: 1 }, 'constructor', 'all', HISTORY,
];

const NAMES = ['space', 'kind', '__proto__', 'constructor', '', 'argsMeta', 'rowMeta', 'sendingOnly', 'x'];

/** Changes something somewhere in a JSON value. */
function mutated(value: unknown, random: (below: number) => number): unknown {
  if (random(4) === 0 || typeof value !== 'object' || value === null) return ODD[random(ODD.length)];
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [...value] : { ...value };
  const keys = Object.keys(copy);
  const key = keys[random(Math.max(1, keys.length))] ?? 'kind';
  // reason: arrays take their index as text, too.
  const fields = copy as Record<string, unknown>;
  const what = random(6);
  if (what === 0) delete fields[key];
  else if (what === 1) fields[NAMES[random(NAMES.length)] ?? ''] = ODD[random(ODD.length)];
  else fields[key] = mutated(fields[key], random);
  return copy;
}

function frameFrom(random: (below: number) => number, nextSeq: number): string {
  if (random(4) === 0) return oddUpdate(random, nextSeq);
  const frame = encodeMessage(SEEDS[random(SEEDS.length)] ?? { kind: 'ping' });
  switch (random(5)) {
    case 0:
      return frame;
    case 1: {
      const at = random(frame.length);
      return frame.slice(0, at) + String.fromCharCode(random(300)) + frame.slice(at + random(3));
    }
    case 2:
      return frame.slice(0, random(frame.length));
    default:
      return JSON.stringify(mutated(JSON.parse(frame), random)) ?? '';
  }
}

/** In sequence, so that what is odd inside is executed. */
function oddUpdate(random: (below: number) => number, seq: number): string {
  const odd = { ...update, id: { replica: replicaOf('fuzz'), seq }, lamport: seq };
  // reason: odd on purpose; the codec checks it on the way in.
  const fields = JSON.parse(JSON.stringify(odd)) as Record<string, unknown>;
  const key = ['args', 'name', 'version', 'lamport', 'context', 'at'][random(6)] ?? 'args';
  fields[key] = mutated(fields[key], random);
  return JSON.stringify({ kind: 'updates', space, updates: [fields] });
}

/** Says yes to each question of the server's that it has not answered, and brings it once more. */
function insist(client: TestClient, update: Update, answered: number): number {
  const asked = client.all('open').slice(answered);
  for (const { round } of asked) {
    const summary = { history: HISTORY, csn: 0, vector: {} };
    client.say({ kind: 'opened', space, round, settledSeq: 0, summary, completion: 0 });
    client.bring('team', update);
    client.server.settle();
  }
  return asked.length;
}

const CONTEXTS = 300;

describe('updates that build on what nobody ever had', () => {
  it(`are refused with a code after some questions (${CONTEXTS} of them)`, () => {
    const seed = 20_241_123;
    const random = randomFrom(seed);
    const server = new TestServer({ limits: { silentMs: 1e9 } }).start();
    const control = server.client('r1', 'bob').open('team');
    for (let i = 0; i < CONTEXTS; i++) {
      const liar = server.client(`liar-${i}`, 'mallory').open('team');
      const nobody = { [replicaOf('nobody')]: 1 + random(1_000), [replicaOf('r1')]: i + random(3) };
      const context = random(2) === 0
        ? { csn: 0, vector: nobody }
        : { csn: i + 1 + random(1_000), vector: {} };
      const made = liar.update('add', { id: 'c', by: 1 }, { context });
      const gap = liar.update('add', { id: 'c', by: 1 });
      const told = random(4) === 0 ? gap : made;
      liar.bring('team', told);
      let answered = liar.all('open').length - 1;
      for (let beat = 0; beat < 30 && liar.fails.length === 0; beat++) {
        answered += insist(liar, told, answered);
        // Some never answer what they are asked, and go on.
        if (random(3) === 0) liar.bring('team', told);
        server.pass(10_000);
        liar.say({ kind: 'ack', received: Number.MAX_SAFE_INTEGER });
        control.say({ kind: 'ack', received: Number.MAX_SAFE_INTEGER });
      }
      expect(liar.fails, `seed ${seed}, update ${JSON.stringify(told)}`).toEqual(['context-missing']);
      expect(liar.all('open').length).toBeLessThanOrEqual(8);
      control.bring('team', control.update('add', { id: 'control', by: 1 }));
      server.settle();
      server.machine.linkClosed(liar.link, server.now);
    }
    expect(control.fails).toEqual([]);
    expect(server.store.stored(space)?.rows.map(({ key, row }) => [key, row.total]))
      .toEqual([['control', CONTEXTS]]);
  });
});

describe('frames of any kind, in any state of a link', () => {
  it(`harm nobody (${FRAMES} of them)`, () => {
    const seed = 20_240_601;
    const random = randomFrom(seed);
    const server = new TestServer({ limits: { keptEntriesMax: 20, helloMs: 1e9, silentMs: 1e9 } }).start();
    server.tokens.set('good', { user: 'ann', spaces: { team: 'rw', other: 'r' } });
    const control = server.client('r1', 'bob').open('team');
    const enter: (() => TestClient | { link: number; closedWith?: string | undefined })[] = [
      () => ({ link: server.connect() }),
      () => {
        const link = server.connect();
        server.machine.frame(link, encodeMessage(SEEDS[0] ?? { kind: 'ping' }), server.now);
        return { link };
      },
      () => server.client('fuzz', 'ann', { spaces: { team: 'rw', other: 'r' } }),
      () => server.client('fuzz', 'ann').open('team'),
      () => server.client('fuzz', 'ann').open('team', { history: 'other', csn: 3 }),
    ];
    let target = enter[0]?.();
    for (let i = 0; i < FRAMES; i++) {
      if (target === undefined || server.closed.has(target.link) || random(200) === 0) {
        if (target !== undefined) server.machine.linkClosed(target.link, server.now);
        target = enter[random(enter.length)]?.();
      }
      const frame = frameFrom(random, server.store.settledSeq(space, 'fuzz') + 1);
      if (target !== undefined) server.machine.frame(target.link, frame, server.now);
      if (random(3) > 0) server.endTurn();
      if (random(10) === 0) server.settle();
      if (random(50) === 0) {
        server.pass(random(12_000));
        control.say({ kind: 'ack', received: Number.MAX_SAFE_INTEGER });
      }
      const bug = server.logged.find(({ event }) => event === 'internal-error');
      expect(bug, `seed ${seed}, frame ${i}: ${frame}`).toBeUndefined();
      server.logged.length = 0;
      if (i % 500 === 0) {
        control.bring('team', control.update('add', { id: 'control', by: 1 }));
        server.settle();
        expect(control.closedWith).toBeUndefined();
        expect(control.fails).toEqual([]);
      }
    }
    expect(server.fatal).toBeUndefined();
    const mine = control.entries('team').filter(({ id }) => id.replica === 'r1');
    expect(mine.map(({ id }) => id.seq)).toEqual(Array.from({ length: FRAMES / 500 }, (_, i) => i + 1));
    const total = server.store.stored(space)?.rows.find(({ key }) => key === 'control')?.row.total;
    expect(total).toBe(FRAMES / 500);
    // The fuzz got through to where it matters.
    expect(server.store.stored(space)?.head.csn).toBeGreaterThan(FRAMES / 500 + 100);
  });
});
