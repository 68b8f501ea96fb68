/** A node of a group: who leads comes and goes, and nobody is ever told of what was not chosen. */
import { describe, expect, it } from 'vitest';
import { protocolVersions } from '@oxbow/sdk/protocol';
import { entryOf, GroupMember } from './testing/group-member.js';
import { replicaOf, spaceOf, TestClient } from './testing/test-server.js';

const TEAM = spaceOf('team');
const LEADER = 'wss://b.example:8787/sync';

const total = (server: GroupMember): unknown =>
  server.store.stored(TEAM)?.rows.map(({ row }) => row['total']);

function stranger(server: GroupMember): TestClient {
  const client = new TestClient(server, server.connect(), replicaOf('stranger'));
  client.say({
    kind: 'hello', versions: protocolVersions, app: 'test', appVersion: 1, replica: client.replica,
  });
  server.settle();
  return client;
}

describe('a node that follows', () => {
  it('sends clients to the leader', () => {
    const client = stranger(new GroupMember().follow(LEADER));
    expect(client.all('fail')).toEqual([{
      kind: 'fail', code: 'not-leader', message: expect.anything(), redirect: LEADER, retryMs: 100,
    }]);
    expect(client.closedWith).toBe('not-leader');
  });

  it('asks them for a moment while nobody leads', () => {
    const client = stranger(new GroupMember().follow());
    expect(client.all('fail')).toEqual([
      { kind: 'fail', code: 'not-leader', message: expect.anything(), retryMs: 100 },
    ]);
  });

  it('tells nobody an address that no client would follow, and says so in its log', () => {
    const server = new GroupMember().follow('b.example:8787');
    expect(stranger(server).all('fail')[0]).not.toHaveProperty('redirect');
    expect(server.logged.map(({ event }) => event)).toContain('client-url-invalid');
  });

  it('learns another name for the leader as soon as there is another', () => {
    const server = new GroupMember().follow().follow(LEADER);
    expect(stranger(server).all('fail')[0]?.redirect).toBe(LEADER);
  });

  it('brings its state to where the log is, and serves it when it leads', () => {
    const server = new GroupMember().follow(LEADER);
    server.tellEntries(TEAM, entryOf(1, 1), entryOf(2, 2));
    server.tell(undefined);
    server.tellEntries(TEAM, entryOf(3, 3));
    expect([server.store.appliedSlot, total(server)]).toEqual([3, [3]]);
    server.lead();
    const ann = server.client('r1').open('team');
    expect(ann.entries('team').map(({ csn }) => csn)).toEqual([1, 2, 3]);
    ann.bring('team', ann.update('add', { id: 'c', by: 10 }));
    server.settle();
    server.choose();
    expect(total(server)).toEqual([13]);
    expect(ann.entries('team').at(-1)).toMatchObject({ csn: 4, id: { replica: 'r1', seq: 1 } });
  });

  it('stops at once when told to: it owes nobody anything', () => {
    const server = new GroupMember().follow(LEADER);
    server.machine.chosen(1, undefined, undefined, server.now);
    server.machine.drain(server.now);
    expect(server.isDrained).toBe(true);
    expect(stranger(server).fails).toEqual(['server-stopping']);
  });

  it('stands at the slot of a state that took the place of its own', () => {
    const server = new GroupMember().follow(LEADER);
    server.tellEntries(TEAM, entryOf(1, 1));
    server.store.appliedSlot = 7;
    server.machine.stateReplaced(7, server.now);
    server.slot = 7;
    server.tell(undefined);
    expect([server.store.appliedSlot, server.machine.gauges().slotsUnapplied]).toEqual([8, 0]);
  });
});

describe('a node that leads no more', () => {
  it('has told nobody of what was not chosen, and forgets it', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.follow(LEADER);
    expect(ann.entries('team')).toEqual([]);
    expect(ann.all('fail').at(-1)).toMatchObject({ code: 'not-leader', redirect: LEADER });
    expect(server.machine.gauges()).toMatchObject({ links: 0, spaces: 0, entriesInFlight: 0 });
    // Another's entry has taken the place.
    server.tellEntries(TEAM, entryOf(1, 5));
    server.lead();
    const again = server.client('r1').open('team');
    expect(again.entries('team').map(({ id }) => id.replica)).toEqual(['other']);
    again.bring('team', again.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.proposed.splice(0, 1);
    server.choose();
    expect(total(server)).toEqual([6]);
  });

  it('does an update once whose proposal was chosen after all, under its old tag or under none', () => {
    for (const isTagged of [true, false]) {
      const server = new GroupMember().lead();
      const ann = server.client('r1').open('team');
      ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
      server.settle();
      server.follow().lead();
      const again = server.client('r1');
      // Asked for, and on its way from the store when the old proposal comes out.
      again.open('team');
      server.choose(isTagged ? 'ours' : 'of a former leadership');
      const third = server.client('r1').open('team');
      third.bring('team', third.update('add', { id: 'c', by: 1 }));
      server.settle();
      expect(server.proposed).toEqual([]);
      expect(total(server)).toEqual([1]);
    }
  });

  it('refuses also those whose token is still being looked at, and answers no verdict', () => {
    const server = new GroupMember().lead();
    const client = new TestClient(server, server.connect(), replicaOf('r1'));
    client.hello();
    server.machine.leadership({ kind: 'following', leader: undefined }, server.now);
    server.settle();
    expect(client.fails).toEqual(['not-leader']);
    expect(client.all('welcome')).toEqual([]);
  });

  it('drops what a load answers that was asked before', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1');
    ann.say({
      kind: 'open', space: TEAM, round: 1, wants: 'all', settledSeq: 0,
      summary: { history: '', csn: 0, vector: {} },
    });
    server.endTurn();
    server.machine.leadership({ kind: 'following', leader: undefined }, server.now);
    server.tellEntries(TEAM, entryOf(1, 9));
    expect(server.machine.gauges().spaces).toBe(0);
    expect(server.loads).toHaveLength(1);
    server.lead();
    expect(server.client('r1').open('team').entries('team').map(({ csn }) => csn)).toEqual([1]);
  });

  it('has stopped when it was asked to before: what is in flight is the next leader\'s', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.machine.drain(server.now);
    server.settle();
    expect(server.isDrained).toBe(false);
    server.follow(LEADER);
    expect(server.isDrained).toBe(true);
    expect(ann.fails.at(-1)).toBe('not-leader');
  });
});

describe('a node that leads', () => {
  it('starts anew when what it proposed takes no effect', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1').open('team');
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.choose('void');
    expect(ann.entries('team')).toEqual([]);
    expect(ann.all('fail').at(-1)).toMatchObject({ code: 'not-leader', retryMs: 0 });
    expect([server.store.appliedSlot, total(server)]).toEqual([1, undefined]);
    const again = server.client('r1').open('team');
    again.bring('team', again.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.choose();
    expect(total(server)).toEqual([1]);
    expect(again.entries('team')).toMatchObject([{ csn: 1, id: { seq: 1 } }]);
  });

  it('starts anew when the log refuses what it proposes', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1').open('team');
    server.refusing = 'not-leader';
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.tellRefused();
    expect(ann.all('fail').at(-1)).toMatchObject({ code: 'not-leader', retryMs: 100 });
    expect(server.machine.gauges()).toMatchObject({ links: 0, spaces: 0, entriesInFlight: 0 });
    server.refusing = undefined;
    const again = server.client('r1').open('team');
    again.bring('team', again.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.choose();
    expect(total(server)).toEqual([1]);
  });

  it('starts anew when a slot of another changes a space that it holds, and only then', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1').open('team');
    server.tellEntries(spaceOf('other'), entryOf(1, 1));
    expect(ann.closedWith).toBeUndefined();
    server.tellEntries(TEAM, entryOf(1, 5));
    expect(ann.closedWith).toBe('not-leader');
    const again = server.client('r1').open('team');
    expect(again.entries('team').map(({ csn }) => csn)).toEqual([1]);
  });

  it('loads a space again that another changed while it was being loaded', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1');
    ann.say({
      kind: 'open', space: TEAM, round: 1, wants: 'all', settledSeq: 0,
      summary: { history: '', csn: 0, vector: {} },
    });
    server.endTurn();
    server.tellEntries(TEAM, entryOf(1, 5));
    expect(server.loads).toHaveLength(2);
    expect(ann.all('opened')[0]?.summary.csn).toBe(1);
  });
});
