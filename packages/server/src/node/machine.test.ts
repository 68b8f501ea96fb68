import { describe, expect, it } from 'vitest';
import { PROTOCOL_NEWEST, type Message } from '@oxbow/sdk/protocol';
import { replicaOf, spaceOf, TestServer } from './testing/test-server.js';

const openOf = (space: string, round = 9): Message => ({
  kind: 'open', space: spaceOf(space), round, wants: 'all', settledSeq: 0,
  summary: { history: '', csn: 0, vector: {} },
});

const seqs = (entries: readonly { readonly id: { readonly seq: number } }[]): number[] =>
  entries.map(({ id }) => id.seq);

describe('a node and one client', () => {
  it('welcomes, opens, takes an update, and tells its commit after it is on disk', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 2 }));
    server.endTurn();
    expect(ann.entries('team')).toEqual([]);
    server.settle();
    expect(ann.all('welcome')).toMatchObject([{ version: PROTOCOL_NEWEST, replica: 'r1', user: 'ann' }]);
    expect(ann.entries('team')).toMatchObject([
      { csn: 1, at: server.now, id: { replica: 'r1', seq: 1 }, user: 'ann', outcome: { kind: 'applied' } },
    ]);
    // Its author holds the body.
    expect(ann.entries('team')[0]?.body).toBeUndefined();
    expect(server.store.stored(spaceOf('team'))?.rows).toMatchObject([{ row: { id: 'c', total: 2 } }]);
  });

  it('does an update once however often it arrives', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const update = ann.update('add', { id: 'c', by: 1 });
    ann.bring('team', update, update);
    ann.bring('team', update);
    server.settle();
    ann.bring('team', update);
    server.settle();
    const again = server.restarted().client('r1').open('team', { history: 'history-1', csn: 1 });
    again.bring('team', update);
    again.server.settle();
    expect(server.store.stored(spaceOf('team'))).toMatchObject({
      head: { csn: 1 }, rows: [{ row: { total: 1 } }],
    });
  });

  it('asks again from what it holds when an update is missing', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const updates = [1, 2, 3].map((by) => ann.update('add', { id: 'c', by }));
    ann.bring('team', ...updates.slice(0, 1));
    ann.bring('team', ...updates.slice(2));
    server.settle();
    const asked = ann.all('open');
    expect(asked.at(-1)).toMatchObject({ round: 2, wants: 'updates', summary: { vector: { r1: 1 } } });
    expect(seqs(ann.entries('team'))).toEqual([1]);
    ann.bring('team', ...updates.slice(1));
    server.settle();
    expect(seqs(ann.entries('team'))).toEqual([1, 2, 3]);
  });

  it('executes updates while earlier ones are on their way to disk', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const before = server.disk.syncs;
    for (let i = 0; i < 20; i++) {
      ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
      server.endTurn();
    }
    expect(server.machine.gauges()).toMatchObject({ entriesInFlight: 20, slotsInFlight: 20 });
    server.settle();
    expect(seqs(ann.entries('team'))).toHaveLength(20);
    expect(server.disk.syncs - before).toBe(2);
    expect(server.store.stored(spaceOf('team'))?.rows).toMatchObject([{ row: { total: 20 } }]);
  });

  it('makes one slot of everything that arrives in a turn', () => {
    const server = new TestServer().start();
    const clients = ['r1', 'r2', 'r3'].map((replica) => server.client(replica).open('team'));
    for (const client of clients) client.bring('team', client.update('add', { id: 'c', by: 1 }));
    const [first] = clients;
    first?.open('other').bring('other', first.update('add', { id: 'c', by: 1 }, { id: { replica: first.replica, seq: 1 } }));
    server.settle();
    for (const client of clients) expect(client.entries('team').map(({ csn }) => csn)).toEqual([1, 2, 3]);
    expect(server.log.inFlightBytes).toBe(0);
  });

  it('decides conflicts: first come first served, alternatives, rejections that keep their place', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const bob = server.client('r2', 'bob').open('team');
    ann.bring('team', ann.update('book', { id: 'a', room: 'blue', hour: 9 }));
    bob.bring('team',
      bob.update('book', { id: 'b', room: 'blue', hour: 9, orElse: [10] }),
      bob.update('book', { id: 'c', room: 'blue', hour: 9 }),
      bob.update('throws', {}), bob.update('unheard-of', {}));
    server.settle();
    expect(bob.entries('team').map(({ csn, outcome }) => [csn, outcome.kind === 'rejected' ? outcome.code : outcome.kind])).toEqual([
      [1, 'applied'], [2, 'alternative'], [3, 'room-taken'], [4, 'mutation-failed'], [5, 'mutation-unknown'],
    ]);
    // Ann lacks the bodies of Bob's updates.
    expect(ann.entries('team').map(({ body }) => body?.name)).toEqual([
      undefined, 'book', 'book', 'throws', 'unheard-of',
    ]);
  });

  it('rejects what no frame could carry, and the space goes on', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.bring('team',
      ann.update('blow', { rows: 2, chars: 500_000 }), ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(ann.entries('team')).toMatchObject([
      { outcome: { kind: 'rejected', code: 'limit-exceeded' }, effects: [] },
      { outcome: { kind: 'applied' } },
    ]);
  });

  it('never lets commit timestamps go back when the clock does', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.now -= 5_000;
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    const [first, second] = ann.entries('team');
    expect(second?.at).toBe(first?.at);
  });
});

describe('what is told', () => {
  it('is chosen: a summary, a feed and a snapshot show nothing that is only executed', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.endTurn();
    const bob = server.client('r2', 'bob');
    // The server's log is still at it: nothing has run but turns.
    expect(server.machine.gauges().entriesInFlight).toBe(0);
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.endTurn();
    bob.say({
      kind: 'open', space: spaceOf('team'), round: 1, wants: 'all',
      summary: { history: 'history-0', csn: 9, vector: {} }, settledSeq: 0,
    });
    server.endTurn();
    ann.say(openOf('team', 2));
    expect(ann.all('opened').at(-1)).toMatchObject({ settledSeq: 1, summary: { csn: 1 } });
    // The vector says what is here; the csn what is decided.
    expect(bob.all('opened')).toMatchObject([{ summary: { csn: 1, vector: { r1: 2 } } }]);
    expect(bob.all('transfer')).toEqual([]);
    server.settle();
    expect(bob.all('transfer')).toMatchObject([{ history: 'history-1', csn: 2 }]);
  });

  it('is the base where the kept log does not reach back', () => {
    const server = new TestServer({ limits: { keptEntriesMax: 5 } }).start();
    const ann = server.client('r1').open('team');
    ann.bring('team', ...Array.from({ length: 20 }, () => ann.update('add', { id: 'c', by: 1 })));
    server.settle();
    const bob = server.client('r2', 'bob').open('team', { history: 'history-1', csn: 2 });
    expect(bob.entries('team')).toEqual([]);
    const csn = bob.all('transfer')[0]?.csn ?? 0;
    expect(csn).toBe(20);
    bob.say({ kind: 'have', space: spaceOf('team'), csn, hashes: [] });
    server.settle();
    expect(bob.all('page').map(({ table, rows }) => [table, rows])).toEqual([
      ['', [['r1', { seq: 20, user: 'ann', lamport: 20, madeAt: 5 }]]],
      ['counter', [['c', { id: 'c', total: 20 }]]],
    ]);
    expect(bob.all('transferred')).toHaveLength(1);
  });

  it('goes to each subscriber in one message per turn', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const bob = server.client('r2', 'bob').open('team');
    ann.bring('team', ...Array.from({ length: 50 }, () => ann.update('add', { id: 'c', by: 1 })));
    server.settle();
    expect(bob.all('commits')).toHaveLength(1);
    expect(bob.entries('team')).toHaveLength(50);
  });

  it('is as much as the window takes, and goes on when it is acknowledged', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    const bob = server.client('r2', 'bob').open('team');
    const text = 'x'.repeat(100_000);
    for (let i = 0; i < 20; i++) ann.bring('team', ann.update('nothing', { text }));
    server.settle();
    const first = bob.entries('team').length;
    expect(first).toBeGreaterThan(5);
    expect(first).toBeLessThan(15);
    bob.say({ kind: 'ack', received: 10_000_000 });
    server.settle();
    expect(bob.entries('team').map(({ csn }) => csn)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});

describe('a full log', () => {
  it('makes updates wait at their links, unacknowledged, and loses none', () => {
    const server = new TestServer({ limits: { entriesInFlightMax: 3 } }).start();
    const ann = server.client('r1').open('team');
    const bob = server.client('r2', 'bob').open('team');
    for (let i = 0; i < 5; i++) {
      ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
      bob.bring('team', bob.update('add', { id: 'c', by: 1 }));
    }
    server.endTurn();
    expect(server.machine.gauges()).toMatchObject({ entriesInFlight: 3, linksWaiting: 2 });
    server.settle();
    expect(server.machine.gauges()).toMatchObject({ entriesInFlight: 0, linksWaiting: 0 });
    expect(server.store.stored(spaceOf('team'))?.rows).toMatchObject([{ row: { total: 10 } }]);
  });

  it('waits for the state store, too', () => {
    const server = new TestServer({ limits: { slotsUnappliedMax: 2 } }).start();
    const ann = server.client('r1').open('team');
    for (let i = 0; i < 6; i++) {
      ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
      server.endTurn();
      server.disk.run();
    }
    expect(server.machine.gauges().linksWaiting).toBe(1);
    server.settle();
    expect(seqs(ann.entries('team'))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('ends a link that sends more than flow control allows, and no other', () => {
    const server = new TestServer({ limits: { entriesInFlightMax: 1 } }).start();
    const ann = server.client('r1').open('team');
    const bob = server.client('r2', 'bob').open('team');
    const text = 'x'.repeat(1_000_000);
    for (let i = 0; i < 8; i++) ann.bring('team', ann.update('nothing', { text }));
    expect(ann.fails).toEqual(['window-exceeded']);
    expect(ann.closedWith).toBe('window-exceeded');
    server.settle();
    bob.bring('team', bob.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(bob.entries('team').at(-1)?.id).toEqual({ replica: 'r2', seq: 1 });
    expect(server.machine.gauges().linksWaiting).toBe(0);
  });
});

describe('spaces in memory', () => {
  it('are loaded once, dropped when idle to make room, and loaded again as they were', () => {
    const server = new TestServer({ limits: { spacesMax: 2 } }).start();
    const ann = server.client('r1').open('a').open('b');
    ann.bring('a', ann.update('add', { id: 'c', by: 1 }, { id: { replica: replicaOf('r1'), seq: 1 } }));
    server.settle();
    const bob = server.client('r2', 'bob').open('c');
    expect(bob.fails).toEqual(['server-busy']);
    expect(bob.all('fail')[0]).toMatchObject({ space: 'c', retryMs: server.limits.retryMs });
    ann.say({ kind: 'leave', space: spaceOf('a') });
    bob.open('c');
    expect(server.machine.gauges().spaces).toBe(2);
    ann.say({ kind: 'leave', space: spaceOf('b') });
    bob.open('a');
    expect(server.loads).toEqual(['a', 'b', 'c', 'a']);
    expect(bob.entries('a')).toMatchObject([{ csn: 1, body: { name: 'add' } }]);
  });

  it('are not read from the store before it has what is chosen', () => {
    const server = new TestServer({ limits: { spacesMax: 1 } }).start();
    const ann = server.client('r1').open('a');
    ann.bring('a', ann.update('add', { id: 'c', by: 1 }));
    ann.say({ kind: 'leave', space: spaceOf('a') });
    server.endTurn();
    // Executed and not chosen: it stays.
    ann.say(openOf('b'));
    expect(ann.fails).toEqual(['server-busy']);
    server.disk.run();
    server.endTurn();
    // Chosen and not in the store: it may go, and comes back with what was chosen.
    ann.say(openOf('b'));
    ann.say({ kind: 'leave', space: spaceOf('b') });
    expect(server.loads).toEqual(['a', 'b']);
    server.machine.spaceLoaded(spaceOf('b'), undefined, server.now);
    ann.say(openOf('a'));
    server.settle();
    expect(server.loads).toEqual(['a', 'b', 'a']);
    expect(ann.entries('a').at(-1)).toMatchObject({ csn: 1 });
  });

  it('that cannot be read are refused, and tried again when asked for again', () => {
    const server = new TestServer().start();
    const ann = server.client('r1');
    const load = server.store.load.bind(server.store);
    server.store.load = (space, _done) => server.machine.spaceLoadFailed(space, new Error('bad page') as never, server.now);
    ann.open('team');
    expect(ann.fails).toEqual(['space-unreadable']);
    server.store.load = load;
    ann.open('team').bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(seqs(ann.entries('team'))).toEqual([1]);
  });
});

describe('stopping', () => {
  it('takes no more work, finishes what is in flight, tells everybody', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.endTurn();
    server.machine.drain(server.now);
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    const late = server.connect();
    server.machine.frame(late, '{"kind":"hello","versions":[1,1],"app":"test","appVersion":1,"replica":"r9"}', server.now);
    expect(server.isDrained).toBe(false);
    server.settle();
    expect(server.isDrained).toBe(true);
    expect(seqs(ann.entries('team'))).toEqual([1]);
    expect(ann.all('fail')).toMatchObject([{ code: 'server-stopping', retryMs: 2_000 }]);
    expect(server.closed.get(late)).toBe('server-stopping');
  });

  it('lets nobody in before the log is read', () => {
    const server = new TestServer();
    const link = server.connect();
    server.machine.frame(link, '{"kind":"hello","versions":[1,1],"app":"test","appVersion":1,"replica":"r9"}', server.now);
    expect(server.closed.get(link)).toBe('server-starting');
  });

  it('forgets what was not chosen when it leads no more', () => {
    const server = new TestServer().start();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.machine.leadership({ kind: 'following', leader: undefined }, server.now);
    expect(ann.closedWith).toBe('not-leader');
    expect(server.machine.gauges()).toMatchObject({ links: 0, spaces: 0, entriesInFlight: 0 });
    server.machine.leadership({ kind: 'leading' }, server.now);
    const again = server.client('r1').open('team');
    again.bring('team', again.update('add', { id: 'c', by: 1 }));
    server.settle();
    expect(server.store.stored(spaceOf('team'))?.rows).toMatchObject([{ row: { total: 1 } }]);
  });
});
