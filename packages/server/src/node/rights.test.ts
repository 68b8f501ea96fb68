import { describe, expect, it } from 'vitest';
import { seatId } from '@oxbow/sdk/protocol';
import { rightTo } from './rights.js';
import { replicaOf, spaceOf, TestClient, TestServer } from './testing/test-server.js';

const HELLO = { kind: 'hello', versions: [1, 1], app: 'test', appVersion: 1, replica: replicaOf('r1') } as const;

/** She has written once, and her link has ended. */
function afterAnn() {
  const server = new TestServer().start();
  const ann = server.client('r1').open('team');
  ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
  server.settle();
  server.machine.linkClosed(ann.link, server.now);
  return { server, ann };
}

describe('rights by pattern', () => {
  const right = (space: string, spaces: Record<string, 'r' | 'rw'>): string =>
    rightTo(spaceOf(space), { user: 'ann', spaces });

  it('are for the named space, or for all that begin with the prefix', () => {
    expect(right('team-42', { 'team-42': 'rw' })).toBe('rw');
    expect(right('team-421', { 'team-42': 'rw' })).toBe('none');
    expect(right('cal/ann', { 'cal/*': 'r' })).toBe('r');
    expect(right('cal', { 'cal/*': 'r' })).toBe('none');
    expect(right('cal/', { 'cal/*': 'r' })).toBe('r');
    expect(right('anything', { '*': 'rw' })).toBe('rw');
    expect(right('anything', {})).toBe('none');
  });

  it('are the strongest that any pattern gives', () => {
    expect(right('cal/ann', { 'cal/*': 'r', 'cal/ann': 'rw' })).toBe('rw');
    expect(right('cal/ann', { 'cal/*': 'rw', 'cal/ann': 'r' })).toBe('rw');
    expect(right('cal/ann', { '*': 'rw', 'cal/*': 'r' })).toBe('rw');
  });

  it('do not come from what every object has', () => {
    expect(right('toString', {})).toBe('none');
  });
});

describe('two copies of one replica', () => {
  it('are told apart: the second is told what is known of it, and refused what bears a number of the first', () => {
    const server = new TestServer().start();
    const first = server.client('r1').open('team');
    first.bring('team', first.update('add', { id: 'c', by: 1 }));
    server.settle();
    const second = server.client('r1').open('team');
    const newest = { seq: 1, lamport: 1, madeAt: 5 };
    expect(second.all('open')).toMatchObject([{ settledSeq: 1, newest }]);
    expect(second.all('opened')[0]).toMatchObject({ settledSeq: 1, newest });
    second.bring('team', second.update('add', { id: 'c', by: 10 }, { at: 6 }));
    server.settle();
    expect(second.fails).toEqual(['replica-cloned']);
    expect(second.closedWith).toBeUndefined();
    expect(server.store.stored(spaceOf('team'))?.rows).toMatchObject([{ row: { id: 'c', total: 1 } }]);
  });
});

describe('letting in', () => {
  const fails = (say: (client: TestClient) => void): string[] => {
    const server = new TestServer().start();
    const client = new TestClient(server, server.connect(), replicaOf('r1'));
    say(client);
    server.settle();
    expect(client.closedWith).toBe(client.fails[0]);
    expect(server.machine.gauges().links).toBe(client.closedWith === undefined ? 1 : 0);
    return client.fails;
  };

  it('refuses who has no token, a bad one, or an expired one', () => {
    expect(fails((client) => client.hello())).toEqual(['token-missing']);
    expect(fails((client) => client.hello('forged'))).toEqual(['token-invalid']);
    expect(fails((client) => {
      client.server.tokens.set('old', { user: 'ann', spaces: {}, expiresAtMs: client.server.now });
      client.hello('old');
    })).toEqual(['token-expired']);
  });

  it('refuses another app, a newer one, another protocol, and one that does not greet', () => {
    expect(fails((client) => client.say({ ...HELLO, app: 'other' }))).toEqual(['app-unknown']);
    expect(fails((client) => client.say({ ...HELLO, appVersion: 3 }))).toEqual(['app-newer']);
    expect(fails((client) => client.say({ ...HELLO, versions: [7, 9] }))).toEqual(['protocol-version']);
    expect(fails((client) => client.say({ kind: 'ack', received: 1 }))).toEqual(['unexpected-message']);
    expect(fails((client) => {
      client.say(HELLO);
      client.say({ kind: 'leave', space: spaceOf('team') });
    })).toEqual(['unexpected-message']);
    expect(fails((client) => client.sayText('{"kind":"hello"}'))).toEqual(['bad-message']);
    expect(fails((client) => client.sayText(' '.repeat(5_000_000)))).toEqual(['message-too-large']);
  });

  it('cuts who does not greet in time, and who falls silent', () => {
    const server = new TestServer().start();
    const mute = server.connect();
    const ann = server.client('r1');
    const bob = server.client('r2', 'bob');
    server.pass(server.limits.helloMs);
    expect(server.closed.get(mute)).toBe('hello-timeout');
    server.pass(server.limits.silentMs - 20_000);
    bob.say({ kind: 'ping' });
    expect(bob.all('pong')).toHaveLength(1);
    server.pass(20_000);
    expect([ann.closedWith, bob.closedWith]).toEqual(['link-silent', undefined]);
  });

  it('refuses one link too many, and only that one', () => {
    const server = new TestServer({ limits: { linksMax: 1 } }).start();
    const ann = server.client('r1');
    const late = server.connect();
    expect(server.closed.get(late)).toBe('too-many-links');
    expect(ann.closedWith).toBeUndefined();
  });

  it('lets a later link of the same replica take over, and not one of another user', () => {
    const server = new TestServer().start();
    const first = server.client('r1', 'ann').open('team');
    const second = server.client('r1', 'ann').open('team');
    expect([first.closedWith, second.closedWith]).toEqual(['superseded', undefined]);
    const thief = server.client('r1', 'mallory');
    expect([thief.closedWith, second.closedWith]).toEqual(['replica-not-yours', undefined]);
    second.bring('team', second.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(second.entries('team')).toHaveLength(1);
  });

  it('ends a link when its token does, in silence too', () => {
    const server = new TestServer().start();
    const ann = server.client('r1', 'ann', { expiresAtMs: server.now + 1_000 }).open('team');
    const bob = server.client('r2', 'bob', { expiresAtMs: server.now + 1_000 }).open('team');
    server.now += 1_000;
    bob.bring('team', bob.update('add', { id: 'c', by: 1 }));
    expect(bob.closedWith).toBe('token-expired');
    server.pass(300);
    expect(ann.closedWith).toBe('token-expired');
    expect(server.store.stored(spaceOf('team'))).toBeUndefined();
  });
});

describe('rights in a space', () => {
  it('are asked before it is opened', () => {
    const server = new TestServer().start();
    const ann = server.client('r1', 'ann', { spaces: { team: 'rw' } }).open('secret');
    expect(ann.all('fail')).toMatchObject([{ code: 'forbidden', space: 'secret' }]);
    expect(server.loads).toEqual([]);
    ann.bring('secret', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(server.machine.gauges().entriesInFlight).toBe(0);
    expect(ann.open('team').closedWith).toBeUndefined();
  });

  it('to read do not let a newcomer put anything into the order, and he goes on reading', () => {
    const server = new TestServer().start();
    const reader = server.client('r1', 'ann', { spaces: { team: 'r' } }).open('team');
    const writer = server.client('r2', 'bob').open('team');
    reader.bring('team', reader.update('add', { id: 'c', by: 1 }));
    writer.bring('team', writer.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(reader.all('fail')).toMatchObject([{ code: 'forbidden', space: 'team', sendingOnly: true }]);
    expect(reader.entries('team')).toMatchObject([{ id: { replica: 'r2' } }]);
  });

  it('that were lost since make a rejection of what was written with them', () => {
    const { server, ann: before } = afterAnn();
    const after = server.client('r1', 'ann', { spaces: { team: 'r' } })
      .open('team', { history: 'history-1', csn: 1 });
    after.bring('team', before.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(after.entries('team')).toMatchObject([
      { csn: 2, outcome: { kind: 'rejected', code: 'forbidden' }, effects: [] },
    ]);
  });

  it('that were lost since do so for what was written in another tab of the profile, too', () => {
    const { server } = afterAnn();
    const after = server.client('r1', 'ann', { spaces: { team: 'r' } })
      .open('team', { history: 'history-1', csn: 1 });
    const id = { replica: seatId(after.replica, 3), seq: 1 };
    after.bring('team', after.update('add', { id: 'c', by: 1 }, { id }));
    server.settle();
    expect(after.fails).toEqual([]);
    expect(after.entries('team')).toMatchObject([
      { csn: 2, id, outcome: { kind: 'rejected', code: 'forbidden' }, effects: [] },
    ]);
  });

  it('do not reach to another user\'s replica', () => {
    const { server, ann } = afterAnn();
    const thief = server.client('r1', 'mallory').open('team', { history: 'history-1', csn: 1 });
    thief.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(thief.all('fail')).toMatchObject([{ code: 'replica-not-yours', space: 'team' }]);
    const bob = server.client('r2', 'bob').open('team');
    bob.bring('team', ann.update('add', { id: 'c', by: 1 }, { id: { replica: ann.replica, seq: 2 } }));
    server.settle();
    expect(bob.all('fail')).toMatchObject([{ code: 'foreign-replica', space: 'team' }]);
    expect(server.store.stored(spaceOf('team'))?.head.csn).toBe(1);
  });

  it('do not reach to another user\'s profile through a tab that it does not have', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const tab = (seq: number) => ({ id: { replica: seatId(ann.replica, 2), seq } });
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }, tab(1)));
    server.settle();
    for (const spaces of [{ team: 'rw' }, { team: 'r' }] as const) {
      const thief = server.client(seatId(ann.replica, 3), 'mallory', { spaces })
        .open('team', { history: 'history-1', csn: 1 });
      thief.bring('team', thief.update('add', { id: 'c', by: 1 }));
      server.settle();
      expect(thief.all('fail')).toMatchObject([{ code: 'replica-not-yours', space: 'team' }]);
    }
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }, { id: { replica: seatId(ann.replica, 3), seq: 1 } }));
    server.settle();
    expect(ann.fails).toEqual([]);
    expect(server.store.stored(spaceOf('team'))?.head.csn).toBe(2);
  });

  it('reach to updates of another replica of the same user, each once, whoever brings it', () => {
    const server = new TestServer().start();
    const old = server.client('r1').open('team');
    const inFile = [1, 2, 3].map((by) => old.update('add', { id: 'c', by }));
    old.bring('team', ...inFile.slice(0, 1));
    server.settle();
    const fresh = server.client('r2').open('team', { history: 'history-1', csn: 1 });
    fresh.bring('team', ...inFile.slice(1), fresh.update('add', { id: 'c', by: 10 }));
    server.settle();
    old.bring('team', ...inFile);
    server.settle();
    expect([...fresh.all('fail'), ...old.all('fail')]).toEqual([]);
    expect(fresh.entries('team').map(({ id, user }) => [id.replica, id.seq, user]))
      .toEqual([['r1', 2, 'ann'], ['r1', 3, 'ann'], ['r2', 1, 'ann']]);
    expect(server.store.stored(spaceOf('team'))?.head.csn).toBe(4);
  });

  it('reach to updates of a replica that was never here; it is the bringer\'s from then on', () => {
    const server = new TestServer().start();
    const bob = server.client('r2', 'bob').open('team');
    const author = server.client('r1', 'bob');
    const [update, rival] = [author.update('add', { id: 'c', by: 2 }), author.update('add', {})];
    bob.bring('team', update);
    server.settle();
    expect(bob.entries('team').map(({ id, user }) => [id.replica, user])).toEqual([['r1', 'bob']]);
    bob.bring('team', { ...rival, id: update.id });
    server.settle();
    expect(bob.all('fail')).toMatchObject([{ code: 'foreign-replica', sendingOnly: true }]);
    const mallory = server.client('r3', 'mallory').open('team', { history: 'history-1', csn: 1 });
    mallory.bring('team', rival);
    server.settle();
    expect(mallory.all('fail')).toMatchObject([{ code: 'foreign-replica' }]);
  });

  it('reach to all seats of the profile whose link it is, and to no other profile\'s', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const inTab = (seat: number, seq: number) => ann.update('add', { id: 'c', by: 1 }, {
      id: { replica: seatId(ann.replica, seat), seq },
    });
    for (const update of [inTab(1, 1), inTab(2, 1), inTab(1, 2)]) ann.bring('team', update);
    server.settle();
    expect(ann.entries('team').map(({ id, user }) => [id.replica, id.seq, user]))
      .toEqual([['r1_1', 1, 'ann'], ['r1_2', 1, 'ann'], ['r1_1', 2, 'ann']]);
    const bob = server.client('r11', 'bob').open('team');
    bob.bring('team', inTab(1, 3));
    server.settle();
    expect(bob.all('fail')).toMatchObject([{ code: 'foreign-replica', space: 'team' }]);
    server.machine.linkClosed(ann.link, server.now);
    const thief = server.client('r1', 'mallory').open('team', { history: 'history-1', csn: 3 });
    thief.bring('team', inTab(1, 3));
    server.settle();
    expect(thief.all('fail')).toMatchObject([{ code: 'replica-not-yours', space: 'team' }]);
    expect(server.store.stored(spaceOf('team'))?.head.csn).toBe(3);
  });

  it('keep the seats of a profile for the one who wrote under the profile first', () => {
    const { server, ann } = afterAnn();
    const thief = server.client('r1', 'mallory').open('team', { history: 'history-1', csn: 1 });
    thief.bring('team', thief.update('add', { id: 'c', by: 1 }, {
      id: { replica: seatId(ann.replica, 7), seq: 1 },
    }));
    server.settle();
    expect(thief.all('fail')).toMatchObject([{ code: 'replica-not-yours', space: 'team' }]);
  });

  it('do not let a client make commits', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.say({ kind: 'commits', space: spaceOf('team'), history: 'history-1', entries: [] });
    server.settle();
    expect(ann.fails).toEqual(['not-primary']);
  });
});

describe('what a client knows', () => {
  it('and the server does not is told to both: the server was set back', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team', { history: 'history-1', csn: 7 });
    expect(ann.all('fail')).toMatchObject([{ code: 'history-ahead', space: 'team' }]);
    expect(server.logged).toContainEqual(expect.objectContaining({ level: 'error', event: 'history-ahead' }));
  });

  it('of others, and the server does not, is refused after some questions, and taken once it has come', () => {
    const server = new TestServer().start();
    const ann = server.client('r1', 'ann').open('team');
    const bob = server.client('r2', 'bob').open('team');
    const first = bob.update('add', { id: 'c', by: 1 });
    const then = ann.update('add', { id: 'c', by: 2 }, {
      lamport: 2, context: { csn: 0, vector: { [bob.replica]: 1 } },
    });
    for (let tries = 0; tries < 9; tries++) {
      server.pass(10_000);
      bob.say({ kind: 'ping' });
      ann.open('team');
      ann.bring('team', then);
      server.settle();
    }
    expect([...new Set(ann.fails)]).toEqual(['context-missing']);
    expect(ann.all('fail')[0]).toMatchObject({ space: 'team', sendingOnly: true, retryMs: 30_000 });
    expect(server.logged).toContainEqual(expect.objectContaining({ event: 'update-refused' }));
    bob.bring('team', first);
    server.settle();
    ann.open('team');
    ann.bring('team', then);
    server.settle();
    expect(bob.entries('team').map(({ id }) => id.replica)).toEqual(['r2', 'r1']);
    expect(ann.closedWith).toBeUndefined();
  });

  it('of Lamport counters cannot use them up', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }, { lamport: 2 ** 40 }));
    server.settle();
    expect(ann.fails).toEqual(['lamport-jump']);
  });

  it('is bounded in the number of replicas of a space', () => {
    const server = new TestServer({ limits: { replicasPerSpaceMax: 1 } }).start();
    const ann = server.client('r1').open('team');
    const bob = server.client('r2', 'bob').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    bob.bring('team', bob.update('add', { id: 'c', by: 1 }));
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(bob.fails).toEqual(['too-many-replicas']);
    expect(ann.entries('team')).toHaveLength(2);
  });
});
