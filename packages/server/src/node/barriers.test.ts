/**
 * Linearizable reads at the server: one question to the log a turn, no answer before what it names
 * was sent.
 */
import { describe, expect, it } from 'vitest';
import { encodeMessage, limits, type Message } from '@oxbow/sdk/protocol';
import { GroupMember } from './testing/group-member.js';
import { replicaOf, spaceOf, TestClient } from './testing/test-server.js';

const TEAM = spaceOf('team');
const barrier = (id: number, space = TEAM): Message => ({ kind: 'barrier', space, id });

const answers = (client: TestClient) =>
  client.all('barrier-at').map(({ id, csn }) => [id, csn]);
const failures = (client: TestClient) =>
  client.all('barrier-failed').map(({ id, code }) => [id, code]);

/** A leader whose log is asked by hand, and a client with the space open. */
function leading(): { server: GroupMember; ann: TestClient } {
  const server = new GroupMember().lead();
  server.holdsBarriers = true;
  return { server, ann: server.client('r1').open('team') };
}

/** The log's answer to the oldest question. */
function confirm(server: GroupMember, slot: number | undefined): void {
  const tag = server.barriers.shift();
  if (tag === undefined) throw new Error('the log was not asked');
  server.machine.barrierDone(tag, slot, server.now);
  server.settle();
}

describe('a barrier', () => {
  it('is answered with the csn of the space when the log has confirmed that we decide', () => {
    const { server, ann } = leading();
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    server.choose();
    ann.say(barrier(7));
    server.settle();
    expect(answers(ann)).toEqual([]);
    confirm(server, server.slot);
    expect(answers(ann)).toEqual([[7, 1]]);
  });

  it('waits for the slot that the log names, and comes after its entries', () => {
    const { server, ann } = leading();
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    server.settle();
    ann.say(barrier(1));
    server.settle();
    confirm(server, 1);
    expect(answers(ann)).toEqual([]);
    server.choose();
    expect(answers(ann)).toEqual([[1, 1]]);
    const kinds = ann.heard.map(({ kind }) => kind);
    expect(kinds.indexOf('barrier-at')).toBeGreaterThan(kinds.indexOf('commits'));
  });

  it('does not wait for what is executed and not chosen: nobody was told of it', () => {
    const { server, ann } = leading();
    ann.bring('team', ann.update('add', { id: 'c', by: 1 }));
    ann.say(barrier(1));
    server.settle();
    confirm(server, 0);
    expect(answers(ann)).toEqual([[1, 0]]);
  });

  it('shares one question to the log with all that came in the same turn', () => {
    const { server, ann } = leading();
    const bob = server.client('r2', 'bob').open('team').open('other');
    ann.say(barrier(1));
    ann.say(barrier(2));
    bob.say(barrier(1));
    bob.say(barrier(2, spaceOf('other')));
    server.settle();
    expect(server.barriers).toHaveLength(1);
    confirm(server, 0);
    expect(answers(ann)).toEqual([[1, 0], [2, 0]]);
    expect(answers(bob)).toEqual([[1, 0], [2, 0]]);
    expect(server.counts.get('barriers_answered')).toBe(4);
  });

  it('joins no question that is under way: its answer may be too old', () => {
    const { server, ann } = leading();
    ann.say(barrier(1));
    server.settle();
    ann.say(barrier(2));
    server.settle();
    expect(server.barriers).toHaveLength(2);
    confirm(server, 0);
    expect(answers(ann)).toEqual([[1, 0]]);
    confirm(server, 0);
    expect(answers(ann)).toEqual([[1, 0], [2, 0]]);
  });

  it('keeps the questions to the log within their bound; the rest share the next', () => {
    const server = new GroupMember({ limits: { barrierRoundsMax: 2 } }).lead();
    server.holdsBarriers = true;
    const ann = server.client('r1').open('team');
    for (let id = 1; id <= 5; id++) {
      ann.say(barrier(id));
      server.settle();
    }
    expect(server.barriers).toHaveLength(2);
    confirm(server, 0);
    expect(server.barriers).toHaveLength(2);
    confirm(server, 0);
    confirm(server, 0);
    expect(answers(ann).map(([id]) => id)).toEqual([1, 2, 3, 4, 5]);
  });

  it('fails when the log cannot say; the link stays until it is told who leads', () => {
    const { server, ann } = leading();
    ann.say(barrier(1));
    server.settle();
    confirm(server, undefined);
    expect(failures(ann)).toEqual([[1, 'not-leader']]);
    expect(ann.closedWith).toBeUndefined();
  });

  it('is forgotten with the leadership: a late word of the log answers nobody', () => {
    const { server, ann } = leading();
    ann.say(barrier(1));
    server.settle();
    const [tag = 0] = server.barriers;
    server.follow().lead();
    const again = server.client('r1').open('team');
    server.machine.barrierDone(tag, 0, server.now);
    server.settle();
    expect([answers(ann), answers(again)]).toEqual([[], []]);
  });

  it('of a space that the link has not open fails', () => {
    const { server, ann } = leading();
    ann.say(barrier(1, spaceOf('other')));
    server.settle();
    expect(failures(ann)).toEqual([[1, 'space-not-open']]);
    ann.say(barrier(2));
    ann.say({ kind: 'leave', space: TEAM });
    server.settle();
    confirm(server, 0);
    expect(answers(ann)).toEqual([[2, 0]]);
    ann.say(barrier(3));
    server.settle();
    expect(failures(ann).at(-1)).toEqual([3, 'space-not-open']);
  });

  it('is bounded in number on a link, and counts again when it was answered', () => {
    const { server, ann } = leading();
    for (let id = 1; id <= limits.barriersPerLinkMax + 1; id++) ann.say(barrier(id));
    server.settle();
    expect(failures(ann)).toEqual([[limits.barriersPerLinkMax + 1, 'too-many-barriers']]);
    confirm(server, 0);
    ann.say(barrier(1_000));
    server.settle();
    confirm(server, 0);
    expect(answers(ann)).toHaveLength(limits.barriersPerLinkMax + 1);
  });

  it('of one who has gone is answered to nobody', () => {
    const { server, ann } = leading();
    ann.say(barrier(1));
    server.settle();
    server.machine.linkClosed(ann.link, server.now);
    confirm(server, 0);
    expect(answers(ann)).toEqual([]);
  });

  it('is not spoken of before the welcome, nor on a link of an older version', () => {
    const server = new GroupMember().lead();
    const early = new TestClient(server, server.connect(), replicaOf('r1'));
    early.say(barrier(1));
    server.settle();
    expect(early.fails).toEqual(['unexpected-message']);
    server.tokens.set('good', { user: 'ann', spaces: { '*': 'rw' } });
    const old = new TestClient(server, server.connect(), replicaOf('r1'));
    old.sayText(encodeMessage({
      kind: 'hello', versions: [1, 1], app: 'test', appVersion: 1, replica: old.replica, token: 'good',
    }));
    server.settle();
    old.open('team').say(barrier(1));
    server.settle();
    expect(old.all('welcome')).toMatchObject([{ version: 1 }]);
    expect(old.fails).toEqual(['unexpected-message']);
  });

  it('is no word of a client\'s when it is an answer', () => {
    const { server, ann } = leading();
    ann.say({ kind: 'barrier-at', space: TEAM, id: 1, csn: 1 });
    server.settle();
    expect(ann.fails).toEqual(['unexpected-message']);
  });

  it('is refused to one whose token has expired', () => {
    const server = new GroupMember().lead();
    const ann = server.client('r1', 'ann', { expiresAtMs: server.now + 1_000 }).open('team');
    server.now += 1_000;
    ann.say(barrier(1));
    server.settle();
    expect(ann.fails).toEqual(['token-expired']);
    expect(answers(ann)).toEqual([]);
  });
});
