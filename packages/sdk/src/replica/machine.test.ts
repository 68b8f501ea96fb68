import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeMessage, encodeRows, limits, OxbowError, pageHash,
  type CommitEntry, type Message, type PageRow, type ReplicaId, type SpaceId,
} from '../protocol/index.js';
import { ReplicaMachine } from './machine.js';
import type { Profile } from './profile.js';
import type { SpaceReplica } from './space.js';
import { shelfApp as app } from './testing/shelf-app.js';
import { Recorder, type Asked } from './testing/recorder.js';

// reason: tests name their spaces and replicas.
const ROOM = 'room' as SpaceId;
const id = (name: string) => name as ReplicaId;
const EMPTY = { meta: [], updates: [], entries: [], pages: [] };
const put = (name: string) => ({ id: name, shelf: 'a', rank: 1 });

/** A machine with one transport, one open space, and its first write done. */
function started(options: { profile?: Profile; user?: string | null } = {}) {
  const out = new Recorder();
  let ids = 0;
  const machine = new ReplicaMachine({
    app, dev: false, seed: 1, newId: () => `fresh-${++ids}`, out,
    transports: [{ name: 'wire', hasToken: false }],
    profile: options.profile, user: options.user,
  });
  const room = machine.openSpace(ROOM, EMPTY, 0);
  machine.flush(0);
  for (const asked of out.take()) if (asked.kind === 'persist') machine.persisted(asked.token, 0);
  return { machine, out, room };
}

/** The same, welcomed by a server. */
function live(options: { profile?: Profile; user?: string | null } = {}) {
  const all = started(options);
  const { machine, out } = all;
  machine.goOnline(0);
  const { link } = out.takeOne('connect');
  machine.linkOpened(link, 0);
  const say = (message: Message, now = 0): void => machine.frame(link, encodeMessage(message), now);
  say({ kind: 'welcome', version: 1, replica: machine.replica, user: 'ann' });
  machine.flush(0);
  const asked = out.take();
  for (const one of asked) if (one.kind === 'persist') machine.persisted(one.token, 0);
  return { ...all, link, say, asked };
}

const kinds = (asked: readonly Asked[]): string[] =>
  asked.map((one) => (one.kind === 'send' ? `send ${one.message.kind}` : one.kind));

const token = (asked: readonly Asked[]): number => {
  const found = asked.find((one) => one.kind === 'persist');
  if (found?.kind !== 'persist') throw new Error('nothing to persist');
  return found.token;
};

function openedBy(all: ReturnType<typeof live>, csn = 0): void {
  all.say({
    kind: 'opened', space: ROOM, round: 1, settledSeq: 0, completion: 0,
    summary: { history: csn === 0 ? '' : 'one', csn, vector: {} },
  });
  all.say({
    kind: 'open', space: ROOM, round: 1, wants: 'updates', settledSeq: 0,
    summary: { history: 'one', csn, vector: {} },
  });
}

describe('the machine of a replica', () => {
  it('greets, then opens each of its spaces', () => {
    const { machine, out } = started();
    machine.goOnline(0);
    const { link } = out.takeOne('connect');
    machine.linkOpened(link, 0);
    expect(kinds(out.take())).toEqual(['send hello']);
    machine.frame(link, encodeMessage({ kind: 'welcome', version: 1, replica: machine.replica, user: null }), 0);
    expect(kinds(out.take())).toEqual(['send open']);
    machine.openSpace('other' as SpaceId, EMPTY, 0);
    expect(kinds(out.take())).toEqual(['send open']);
  });

  it('sends an own update only after it is saved', () => {
    const all = live();
    const { machine, out, room } = all;
    openedBy(all);
    machine.flush(0);
    out.take();
    const receipt = room.mutate('put', put('x'), 5);
    machine.flush(0);
    const asked = out.take();
    expect(kinds(asked)).not.toContain('send updates');
    machine.persisted(token(asked), 1);
    expect(receipt.stage).toBe('saved');
    machine.flush(1);
    expect(kinds(out.take())).toContain('send updates');
  });

  it('never has two writes under way, and repeats a failed one before any later one', () => {
    const { machine, out, room } = started();
    room.mutate('put', put('x'), 5);
    machine.flush(0);
    const first = out.takeOne('persist');
    room.mutate('put', put('y'), 5);
    machine.flush(0);
    expect(kinds(out.take())).toEqual([]);
    machine.persistFailed(first.token, new OxbowError('store-full', 'As told.'), 0);
    machine.flush(0);
    expect(kinds(out.take())).toEqual(['report']);
    machine.tick(limits.persistRetryMsMin);
    const again = out.takeOne('persist');
    expect(again.ops).toEqual(first.ops);
    machine.persisted(first.token, 300);
    expect(machine.saveError?.code).toBe('store-full');
    machine.persisted(again.token, 300);
    expect(machine.saveError).toBeUndefined();
    expect(out.takeOne('persist').ops.map(({ key }) => key)).not.toEqual(first.ops.map(({ key }) => key));
  });

  it('writes who it is before anything else', () => {
    const out = new Recorder();
    const machine = new ReplicaMachine({
      app, dev: false, seed: 1, newId: () => 'fresh', out, transports: [], profile: undefined,
    });
    const room = machine.openSpace(ROOM, EMPTY, 0);
    room.mutate('put', put('x'), 5);
    machine.flush(0);
    expect(out.takeOne('persist').ops[0]?.key).toBe('\u0000profile');
  });

  it('remembers the user that a server has verified, and runs own updates as that user', () => {
    const { machine, room, asked } = live();
    expect(machine.user).toBe('ann');
    const ops = asked.flatMap((one) => (one.kind === 'persist' ? one.ops : []));
    expect(ops.some((op) => op.kind === 'put' && op.value.includes('"user":"ann"'))).toBe(true);
    room.mutate('put', put('x'), 5);
    expect(room.query((tx) => tx.item.get('x')?.by)).toBe('ann');
  });

  it('cuts a link on which nothing of what it sent is acknowledged', () => {
    const all = live();
    const { machine, out, room } = all;
    openedBy(all);
    room.mutate('put', put('x'), 5);
    for (let turn = 0; turn < 3; turn++) {
      machine.flush(0);
      for (const one of out.take()) if (one.kind === 'persist') machine.persisted(one.token, 0);
    }
    // Something is heard all the time: the link is not silent, but what was sent vanishes.
    for (let now = 0; now <= limits.stallMs; now += 5_000) {
      all.say({ kind: 'pong' }, now);
      machine.tick(now);
    }
    expect(out.take().find(({ kind }) => kind === 'cut')).toMatchObject({
      reason: 'nothing of what was sent is acknowledged',
    });
  });

  it('asks again from what it holds when a live link brings nothing that is waited for', () => {
    const all = live();
    const { machine, out } = all;
    openedBy(all, 3);
    machine.flush(0);
    out.take();
    expect(machine.facts(ROOM, limits.stallMs)?.stalled?.code).toBe('no-progress');
    for (let now = 0; now <= limits.stallMs + limits.pingIntervalMs; now += 5_000) {
      all.say({ kind: 'pong' }, now);
      machine.tick(now);
    }
    expect(kinds(out.take())).toContain('send open');
  });

  it('says what it cannot take of what comes, and asks again later', () => {
    const all = live();
    const { machine, out } = all;
    openedBy(all, 5);
    out.take();
    all.say({ kind: 'transfer', space: ROOM, history: 'one', csn: 5, at: 1, lamport: 1 });
    all.say({
      kind: 'page', space: ROOM, csn: 5, index: 0, table: 'item', hash: '00ff',
      rows: [['k', { id: 'k', shelf: 'a', rank: 1 }]],
    });
    machine.flush(0);
    const asked = out.take();
    expect(kinds(asked)).toEqual(expect.arrayContaining(['send fail', 'report']));
    expect(machine.facts(ROOM, 0)?.stalled?.code).toBe('page-damaged');
    for (let now = 5_000; now <= limits.refusedRetryMs; now += 5_000) {
      all.say({ kind: 'pong' }, now);
      machine.tick(now);
    }
    expect(kinds(out.take())).toContain('send open');
  });

  it('tells how many rows of a base have come, from the first page to the last', () => {
    const all = live();
    const { machine } = all;
    openedBy(all, 5);
    const told: unknown[] = [];
    machine.onHealthChange(() => told.push(machine.facts(ROOM, 0)?.arriving));
    const say = (message: Message): void => {
      all.say(message);
      machine.flush(0);
    };
    say({ kind: 'transfer', space: ROOM, history: 'one', csn: 5, at: 1, lamport: 1 });
    for (const [index, key] of ['a', 'b'].entries()) {
      const rows: PageRow[] = [[key, { id: key, shelf: 'a', rank: 1 }]];
      const hash = pageHash('item', encodeRows(rows));
      say({ kind: 'page', space: ROOM, csn: 5, index, table: 'item', hash, rows });
    }
    say({ kind: 'transferred', space: ROOM, csn: 5, pages: 2 });
    expect(told).toEqual([0, 1, 2, undefined]);
    expect(machine.facts(ROOM, 0)).toMatchObject({ csn: 5, behind: 0, arriving: undefined });
  });

  it('takes no more from a link than the disk keeps up with', () => {
    const all = live();
    const { machine, out, room } = all;
    openedBy(all, 100);
    const blob = 'x'.repeat(1_000_000);
    const entry = (csn: number): CommitEntry => ({
      csn, at: csn, id: { replica: id('bob'), seq: csn }, lamport: csn, user: 'bob', outcome: { kind: 'applied' },
      effects: [{ table: 'item', key: 'k', row: { id: 'k', shelf: blob, rank: csn } }],
      body: { context: { csn: csn - 1, vector: {} }, name: 'put', version: 1, args: put('k'), at: 0 },
    });
    let csn = 0;
    while (machine.links[0]?.state === 'live' && csn < 100) {
      csn++;
      all.say({ kind: 'commits', space: ROOM, history: 'one', entries: [entry(csn)] });
      out.take();
    }
    expect(csn).toBe(Math.floor(limits.unsavedCharsMax / 1_000_000) + 1);
    expect(room.head.csn).toBe(csn - 1);
    expect(machine.links[0]?.reason).toBe('the disk has to catch up first');
  });

  it('rewrites pages when it is quiet, and never while something waits for the disk', () => {
    const all = live();
    const { machine, out } = all;
    openedBy(all, 1);
    const rows = Array.from({ length: 5_000 }, (_, at) => `k${String(at).padStart(5, '0')}`);
    all.say({
      kind: 'commits', space: ROOM, history: 'one',
      entries: [{
        csn: 1, at: 1, id: { replica: id('bob'), seq: 1 }, lamport: 1, user: 'bob', outcome: { kind: 'applied' },
        effects: rows.map((key) => ({ table: 'item', key, row: { id: key, shelf: 'x'.repeat(200), rank: 1 } })),
        body: { context: { csn: 0, vector: {} }, name: 'put', version: 1, args: put('k'), at: 0 },
      }],
    });
    machine.flush(10);
    const pages = (asked: readonly Asked[]) => asked.flatMap((one) =>
      (one.kind === 'persist' ? one.ops.filter(({ collection }) => collection === 'pages') : []));
    const write = () => {
      const asked = out.take();
      for (const one of asked) if (one.kind === 'persist') machine.persisted(one.token, 20);
      return asked;
    };
    for (let turn = 0; turn < 3; turn++) expect(pages(write())).toEqual([]);
    machine.tick(10 + limits.checkpointIdleMs);
    expect(pages(write()).length).toBeGreaterThan(0);
  });

  it('does not hand one user’s updates to another whose token came with the same store', () => {
    const profile: Profile = { replica: id('old'), user: 'ann', isVerified: true };
    const refuse = (all: ReturnType<typeof live>): SpaceReplica<typeof app> => {
      all.room.mutate('put', put('x'), 5);
      all.machine.flush(0);
      all.say({ kind: 'fail', code: 'replica-not-yours', message: 'It is of ann.' });
      all.machine.flush(0);
      return all.room;
    };
    const stranger = live({ profile });
    expect(refuse(stranger).replica).toBe('old');
    expect(stranger.machine.facts(ROOM, 0)?.stalled?.code).toBe('replica-not-yours');
    expect(refuse(live({ profile, user: 'ann' })).replica).toBe('fresh-1');
  });

  it('does not use up an id per second where every id is refused', () => {
    const all = live();
    const ids = new Set<string>();
    let { link } = all;
    for (let attempt = 0; attempt < 10; attempt++) {
      const fail: Message = { kind: 'fail', code: 'replica-not-yours', message: 'No.' };
      all.machine.frame(link, encodeMessage(fail), attempt * 1_000);
      all.machine.flush(attempt * 1_000);
      ids.add(all.machine.replica);
      const next = all.out.take().find((one) => one.kind === 'connect');
      if (next?.kind === 'connect') link = next.link;
      all.machine.linkOpened(link, attempt * 1_000);
    }
    expect(ids.size).toBe(1);
    expect(all.machine.links.map(({ state }) => state)).toEqual(['refused']);
  });

  it('says why its updates are not taken for as long as they are not, whatever else it hears', () => {
    const all = live();
    openedBy(all);
    const stalled = (now = 0) => all.machine.facts(ROOM, now)?.stalled?.code;
    all.room.mutate('put', put('a'), 0);
    all.say({ kind: 'fail', space: ROOM, code: 'update-newer', message: 'Later.', sendingOnly: true });
    expect(stalled()).toBe('update-newer');
    const summary = { history: 'one', csn: 0, vector: {} };
    all.say({ kind: 'opened', space: ROOM, round: 1, settledSeq: 0, completion: 1, summary });
    expect(stalled()).toBe('update-newer');
    // Asked again, it does not say so any more.
    const now = limits.refusedRetryMs;
    all.machine.tick(now);
    all.say({ kind: 'opened', space: ROOM, round: 2, settledSeq: 0, completion: 0, summary }, now);
    expect(stalled(now)).toBe('no-progress');
  });

  it('never throws, whatever text comes at whatever time', () => {
    const message = fc.constantFrom<Message>(
      { kind: 'ping' }, { kind: 'welcome', version: 1, replica: id('r'), user: null },
      { kind: 'ack', received: 5 }, { kind: 'leave', space: ROOM },
      { kind: 'fail', code: 'nonsense', message: 'x', space: ROOM },
      { kind: 'fail', code: 'server-busy', message: 'x', retryMs: 1 },
      { kind: 'transferred', space: ROOM, csn: 3, pages: 1 },
      { kind: 'have', space: ROOM, csn: 1, hashes: [] },
      { kind: 'commits', space: ROOM, history: 'two', entries: [] },
      { kind: 'opened', space: ROOM, round: 1, settledSeq: 9, completion: 0, summary: { history: 'x', csn: 9, vector: {} } },
    );
    const text = fc.oneof(
      fc.string(), fc.json(), message.map(encodeMessage),
      fc.tuple(message.map(encodeMessage), fc.nat(), fc.string()).map(([frame, at, junk]) =>
        frame.slice(0, at % frame.length) + junk + frame.slice(at % frame.length + 1)),
    );
    fc.assert(fc.property(fc.array(text, { maxLength: 8 }), (frames) => {
      const { machine, link } = live();
      frames.forEach((frame, at) => {
        machine.frame(link, frame, at);
        machine.flush(at);
        machine.tick(at * 1_000);
      });
    }), { numRuns: 500 });
  });
});
