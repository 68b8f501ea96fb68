import { describe, expect, it } from 'vitest';
import { paxosLimits } from './limits.js';
import { ballot, begin, Bench, codeOf, command, stop } from './testing/bench.js';
import { memberId, memberOf } from './testing/node.js';

const payload = Buffer.from('x');
const trusted = ['a', 'b', 'c'];

/** It leads, and nothing of that is left in its mouth. */
function leader(limits = {}, voters: readonly string[] = trusted): Bench {
  const bench = new Bench('a', voters, limits);
  const own = bench.lead('b');
  // It may count on the third, too.
  bench.tell('c', { kind: 'heard', ballot: own, round: 1, upTo: 1, chosenUpTo: 0, appliedUpTo: 0 });
  bench.tell('c', { kind: 'accepted', ballot: own, upTo: 1, chosenUpTo: 0 });
  bench.sent = [];
  return bench;
}

const one = ballot(1, 'a');

describe('on the way to lead', () => {
  it('a ballot is on disk before anybody hears of it: after a crash it is never opened again', () => {
    const bench = new Bench('a', trusted);
    bench.pass(600);
    const [asked] = bench.said('pre-prepare');
    bench.hear('b', {
      kind: 'pre-promise', ballot: asked?.ballot ?? one, isGranted: true, promised: undefined,
    });
    expect(bench.said('prepare')).toEqual([]);
    bench.sync();
    expect(bench.said('prepare')).toHaveLength(2);
    expect(bench.node.promised).toEqual(one);
    bench.restart();
    bench.pass(1_000);
    expect(bench.said('pre-prepare')[0]?.ballot.round).toBeGreaterThan(one.round);
  });

  it('a question costs nothing: the ballot is not opened, nor is anything written', () => {
    const bench = new Bench('a', trusted);
    bench.pass(600);
    expect(bench.said('pre-prepare')).not.toEqual([]);
    expect(bench.node.promised).toBeUndefined();
  });

  it('a member that hears its leader does not stand', () => {
    const bench = new Bench('a', trusted);
    for (let i = 0; i < 100; i++) {
      bench.heartbeat(ballot(1, 'b'));
      bench.pass(50);
    }
    expect(bench.said('pre-prepare')).toEqual([]);
    expect(bench.member.leadership).toEqual({ kind: 'following', leader: 'b' });
  });

  it('a member that did not run for long does not take its own sleep for the leader\'s silence', () => {
    const bench = new Bench('a', trusted);
    bench.heartbeat(ballot(1, 'b'));
    bench.sleep(60_000);
    expect(bench.said('pre-prepare')).toEqual([]);
  });

  it('a cut link to the leader shortens the wait', () => {
    const bench = new Bench('a', trusted);
    bench.heartbeat(ballot(1, 'b'));
    bench.member.linked(memberId('b'), false, bench.now);
    bench.pass(500);
    expect(bench.said('pre-prepare')).not.toEqual([]);
  });

  it('a begin is proposed but not chosen: it does not lead yet', () => {
    const bench = new Bench('a', trusted);
    bench.pass(600);
    bench.tell('b', { kind: 'pre-promise', ballot: one, isGranted: true, promised: undefined });
    bench.promise('b', one);
    expect(bench.isLeading).toBe(false);
    expect(codeOf(() => bench.member.propose(payload, 1, bench.now))).toBe('not-leader');
    expect(codeOf(() => bench.member.read(1, bench.now))).toBe('not-leader');
    bench.hold('b', one);
    expect(bench.isLeading).toBe(true);
  });

  it('a new leader keeps a value that anybody accepted, under the highest ballot, and then begins', () => {
    const bench = new Bench('a', trusted);
    bench.accept(ballot(1, 'c'), 1, [begin(ballot(1, 'c')), command(ballot(1, 'c'), 'old')]);
    bench.sync();
    bench.pass(1_600);
    const own = bench.said('pre-prepare').at(-1)?.ballot ?? one;
    bench.tell('b', { kind: 'pre-promise', ballot: own, isGranted: true, promised: undefined });
    bench.tell('b', {
      kind: 'promise', ballot: own, part: 0, isLast: true, chosenUpTo: 0, trimmedUpTo: 0,
      accepted: [{ slot: 2, ballot: ballot(1, 'd'), value: begin(ballot(1, 'd')) }],
    });
    bench.beHeard('b', own);
    const [accept] = bench.said('accept');
    expect(accept?.values).toEqual([begin(ballot(1, 'c')), begin(ballot(1, 'd')), begin(own)]);
  });

  it('a promise in parts counts when it is whole, and parts of two answers never mix', () => {
    const bench = new Bench('a', trusted);
    bench.pass(600);
    bench.tell('b', { kind: 'pre-promise', ballot: one, isGranted: true, promised: undefined });
    const part = (at: number, slots: readonly number[], isLast: boolean): void => bench.tell('b', {
      kind: 'promise', ballot: one, part: at, isLast, chosenUpTo: 0, trimmedUpTo: 0,
      accepted: slots.map((slot) => ({ slot, ballot: ballot(0, 'c'), value: begin(ballot(0, 'c')) })),
    });
    part(0, [1, 2], false);
    part(3, [4], true);
    expect(bench.said('accept')).toEqual([]);
    part(2, [3, 4], true);
    bench.beHeard('b', one);
    expect(bench.said('accept')[0]?.values).toHaveLength(5);
  });

  it('finishes up to a stop-sign that it finds, leaves what is beyond to the next quorum, and asks that', () => {
    const old = ballot(1, 'c');
    const bench = new Bench('a', trusted);
    bench.accept(old, 1, [begin(old), stop(old, 'a', 'd', 'e'), command(old, 'beyond')]);
    bench.sync();
    bench.pass(1_600);
    const own = bench.said('pre-prepare').at(-1)?.ballot ?? one;
    bench.tell('b', { kind: 'pre-promise', ballot: own, isGranted: true, promised: undefined });
    bench.promise('b', own);
    bench.beHeard('b', own);
    expect(bench.said('accept')[0]?.values).toEqual([begin(old), stop(old, 'a', 'd', 'e')]);
    bench.hold('b', own);
    expect(bench.member.configuration).toMatchObject({ number: 1, fromSlot: 3 });
    expect(bench.sent.filter(({ message }) => message.kind === 'prepare').map(({ to }) => to))
      .toEqual(['b', 'c', 'd', 'e']);

    // b has promised, and is no voter any more: it does not count. d does, and knows of a value.
    bench.promise('b', own);
    expect(bench.isLeading).toBe(false);
    const later = begin(ballot(1, 'd'));
    bench.tell('d', {
      kind: 'promise', ballot: own, part: 0, isLast: true, chosenUpTo: 2, trimmedUpTo: 0,
      accepted: [{ slot: 3, ballot: ballot(1, 'd'), value: later }],
    });
    bench.hold('d', own);
    expect(bench.member.chosenSlot).toBe(4);
    expect(bench.said('accept').at(-1)?.values.at(0)).toEqual(later);
    expect(bench.isLeading).toBe(true);
  });

  it('a group of one needs nobody, and leads at once', () => {
    const bench = new Bench('a', ['a']);
    bench.pass(10);
    expect(bench.isLeading).toBe(true);
    bench.member.propose(payload, 7, bench.now);
    expect(bench.seen.some((what) => what.kind === 'chosen' && what.slot === 2)).toBe(false);
    bench.sync();
    expect(bench.seen.at(-1)).toMatchObject({ kind: 'chosen', slot: 2, chosen: { tag: 7 } });
    bench.restart();
    bench.pass(10);
    expect(bench.isLeading).toBe(true);
    expect(bench.node.commands).toEqual(['x']);
  });
});

describe('a leader', () => {
  it('counts its own vote only when it is on its disk', () => {
    const bench = leader();
    bench.member.propose(payload, 1, bench.now);
    bench.hear('c', { kind: 'accepted', ballot: one, upTo: 2, chosenUpTo: 1 });
    expect(bench.member.chosenSlot).toBe(1);
    bench.sync();
    expect(bench.member.chosenSlot).toBe(2);
  });

  it('needs no disk of its own where a quorum of others has the value', () => {
    const bench = leader();
    bench.member.propose(payload, 1, bench.now);
    bench.hear('c', { kind: 'accepted', ballot: one, upTo: 2, chosenUpTo: 1 });
    bench.hear('b', { kind: 'accepted', ballot: one, upTo: 2, chosenUpTo: 1 });
    expect(bench.member.chosenSlot).toBe(2);
  });

  it('never chooses by what was heard but is perhaps on no disk', () => {
    const bench = leader();
    bench.member.propose(payload, 1, bench.now);
    bench.sync();
    bench.tell('b', { kind: 'heard', ballot: one, round: 1, upTo: 2, chosenUpTo: 0, appliedUpTo: 0 });
    bench.tell('c', { kind: 'heard', ballot: one, round: 1, upTo: 2, chosenUpTo: 0, appliedUpTo: 0 });
    expect(bench.member.chosenSlot).toBe(1);
  });

  it('sends each proposal once to each, and the same message to all', () => {
    const bench = leader();
    bench.member.propose(payload, 1, bench.now);
    const accepts = bench.said('accept');
    expect(accepts).toHaveLength(2);
    expect(accepts[0]).toBe(accepts[1]);
  });

  it('keeps to its window in slots and in bytes, and to the size of a payload', () => {
    const slots = leader({ windowSlotsMax: 4 });
    const codes = [1, 2, 3, 4, 5].map((tag) =>
      codeOf(() => slots.member.propose(payload, tag, slots.now)));
    expect(codes).toEqual(['nothing', 'nothing', 'nothing', 'nothing', 'log-full']);
    slots.hold('b', one);
    expect(codeOf(() => slots.member.propose(payload, 6, slots.now))).toBe('nothing');
    const bytes = leader({ windowBytesMax: 1_000, payloadBytesMax: 600 });
    const large = Buffer.alloc(600);
    expect(codeOf(() => bytes.member.propose(large, 1, bytes.now))).toBe('nothing');
    expect(codeOf(() => bytes.member.propose(large, 2, bytes.now))).toBe('log-full');
    expect(codeOf(() => bytes.member.propose(Buffer.alloc(601), 3, bytes.now))).toBe('payload-too-large');
    bytes.hold('b', one);
    expect(bytes.member.inFlightBytes).toBe(0);
  });

  it('takes nothing more while its store stands still', () => {
    const bench = leader({ windowBytesMax: 1_000, payloadBytesMax: 600, unappliedBytesMax: 1_000 });
    const codes = [1, 2, 3].map((tag) => {
      const code = codeOf(() => bench.member.propose(Buffer.alloc(600), tag, bench.now));
      bench.hold('b', one);
      return code;
    });
    expect(codes).toEqual(['nothing', 'nothing', 'log-full']);
    bench.node.save();
    expect(codeOf(() => bench.member.propose(Buffer.alloc(600), 4, bench.now))).toBe('nothing');
  });

  it('has only so much under way to a slow member, and sends the rest in one message when that is answered', () => {
    const bench = leader({ inFlightMessagesMax: 3 });
    for (let tag = 0; tag < 10; tag++) bench.member.propose(payload, tag, bench.now);
    bench.sync();
    expect(bench.sent.filter(({ to, message }) => to === 'c' && message.kind === 'accept')).toHaveLength(3);
    bench.sent = [];
    bench.tell('c', { kind: 'accepted', ballot: one, upTo: 2, chosenUpTo: 1 });
    expect(bench.said('accept').map(({ firstSlot, values }) => [firstSlot, values.length])).toEqual([[5, 7]]);
  });

  it('sends again what a member has not answered for long, and at once when its link stands again', () => {
    const bench = leader();
    bench.member.propose(payload, 1, bench.now);
    bench.hold('b', one);
    bench.sent = [];
    bench.pass(paxosLimits.resendMs - 10);
    expect(bench.said('accept')).toEqual([]);
    bench.pass(20);
    expect(bench.said('accept')).toMatchObject([{ firstSlot: 2 }]);
    bench.member.linked(memberId('c'), false, bench.now);
    bench.member.propose(payload, 2, bench.now);
    bench.sent = bench.sent.filter(({ to }) => to === 'c');
    expect(bench.said('accept')).toEqual([]);
    bench.member.linked(memberId('c'), true, bench.now);
    expect(bench.said('accept').map(({ firstSlot, values }) => [firstSlot, values.length])).toEqual([[2, 2]]);
  });

  it('finds a loss by the next heartbeat: what was sent before it and is not held was lost', () => {
    const bench = leader();
    bench.member.propose(payload, 1, bench.now);
    bench.sent = [];
    bench.pass(50);
    const round = bench.said('heartbeat').at(-1)?.round ?? 0;
    bench.tell('c', { kind: 'heard', ballot: one, round, upTo: 1, chosenUpTo: 1, appliedUpTo: 0 });
    expect(bench.said('accept')).toMatchObject([{ firstSlot: 2 }]);
  });

  it('steps down without a quorum\'s answers, and says of its reads that it cannot answer them', () => {
    const bench = leader({ leaseReads: false });
    bench.member.read(5, bench.now);
    bench.pass(paxosLimits.quorumLostMs + 20);
    expect(bench.isLeading).toBe(false);
    expect(bench.seen).toContainEqual({ kind: 'unreadable', tag: 5 });
  });

  it('steps down when it hears of a higher ballot, and its proposals are nobody\'s from then on', () => {
    const bench = leader();
    bench.member.propose(payload, 1, bench.now);
    bench.sync();
    bench.tell('c', { kind: 'refused', ballot: one, promised: ballot(9, 'c') });
    expect(bench.isLeading).toBe(false);
    bench.accept(ballot(9, 'c'), 2, [command(one, 'x')], 2);
    expect(bench.seen.at(-1)).toMatchObject({ kind: 'chosen', slot: 2, chosen: { tag: undefined } });
  });

  it('refuses to promise while it leads, but for the direct successor that it asked itself', () => {
    const bench = leader();
    bench.prepare(ballot(2, 'c'), 2);
    bench.prepare(ballot(3, 'c'), 2, true);
    expect(bench.said('promise')).toEqual([]);
    expect(bench.isLeading).toBe(true);
    bench.prepare(ballot(2, 'c'), 2, true);
    expect(bench.said('promise')).toHaveLength(1);
    expect(bench.isLeading).toBe(false);
  });
});

describe('a read', () => {
  it('is answered at once by the lease, and by a round once the lease has run out', () => {
    const bench = leader();
    bench.pass(50);
    bench.beHeard('b', one);
    bench.member.read(1, bench.now);
    expect(bench.seen.at(-1)).toEqual({ kind: 'readable', tag: 1, slot: 1 });
    bench.pass(paxosLimits.leaseMs);
    bench.member.read(2, bench.now);
    expect(bench.seen.at(-1)).toEqual({ kind: 'readable', tag: 1, slot: 1 });
    bench.pass(50);
    bench.beHeard('b', one);
    expect(bench.seen.at(-1)).toEqual({ kind: 'readable', tag: 2, slot: 1 });
  });

  it('is not answered by a round that was under way when it came (etcd #20418)', () => {
    const bench = leader({ leaseReads: false });
    bench.pass(50);
    const [before] = bench.said('heartbeat');
    bench.member.read(1, bench.now);
    const heard = (round: number): void => bench.tell('b', {
      kind: 'heard', ballot: one, round, upTo: 1, chosenUpTo: 0, appliedUpTo: 0,
    });
    heard(before?.round ?? 0);
    expect(bench.seen.filter(({ kind }) => kind === 'readable')).toEqual([]);
    heard((before?.round ?? 0) + 1);
    expect(bench.seen.at(-1)).toEqual({ kind: 'readable', tag: 1, slot: 1 });
  });

  it('goes by the lease no more after a hand-over was begun, even if nothing came of it', () => {
    const bench = leader();
    bench.tell('c', { kind: 'accepted', ballot: one, upTo: 1, chosenUpTo: 1 });
    bench.member.transfer(memberId('c'), bench.now);
    expect(bench.said('take-over')).toHaveLength(1);
    bench.beHeard('b', one);
    bench.member.read(1, bench.now);
    expect(bench.seen.filter(({ kind }) => kind === 'readable')).toEqual([]);
    bench.beHeard('b', one);
    expect(bench.seen.at(-1)).toEqual({ kind: 'readable', tag: 1, slot: 1 });
  });

  it('waits in a bounded line', () => {
    const bench = leader({ leaseReads: false, readsMax: 2 });
    const codes = [1, 2, 3].map((tag) => codeOf(() => bench.member.read(tag, bench.now)));
    expect(codes).toEqual(['nothing', 'nothing', 'log-full']);
  });
});

describe('a hand-over', () => {
  it('waits for an heir that lags, and is given up after a while', () => {
    const bench = leader();
    for (let tag = 0; tag < 100; tag++) bench.member.propose(payload, tag, bench.now);
    bench.hold('b', one);
    bench.member.transfer(memberId('c'), bench.now);
    expect(bench.said('take-over')).toEqual([]);
    bench.tell('c', { kind: 'accepted', ballot: one, upTo: 101, chosenUpTo: 1 });
    expect(bench.said('take-over')).toHaveLength(1);
    expect(codeOf(() => bench.member.transfer(memberId('d'), bench.now))).toBe('config-invalid');
  });

  it('is taken up only from the leader that is followed, and under its ballot', () => {
    const bench = new Bench('b', trusted);
    bench.heartbeat(one);
    bench.tell('c', { kind: 'take-over', ballot: ballot(1, 'c') });
    bench.tell('a', { kind: 'take-over', ballot: ballot(0, 'a') });
    expect(bench.said('prepare')).toEqual([]);
    bench.tell('a', { kind: 'take-over', ballot: one });
    expect(bench.said('prepare')).toMatchObject(Array(2).fill({ ballot: ballot(2, 'b'), isHandover: true }));
  });
});

describe('a change of the members', () => {
  const next = { voters: [memberOf('a'), memberOf('b')], learners: [] };

  it('holds back what is proposed meanwhile, and proposes it in the new configuration', () => {
    const bench = leader();
    bench.hold('b', one);
    bench.member.change(next, bench.now);
    expect(codeOf(() => bench.member.change(next, bench.now))).toBe('change-under-way');
    bench.member.propose(payload, 9, bench.now);
    expect(bench.said('accept').flatMap(({ values }) => values.map(({ kind }) => kind)))
      .toEqual(['stop', 'stop']);
    bench.sync();
    bench.hold('b', one);
    expect(bench.member.configuration).toMatchObject({ number: 1, fromSlot: 3 });
    expect(bench.said('accept')).toEqual([]);
    bench.promise('b', one);
    bench.hold('b', one);
    bench.hold('b', one);
    expect(bench.seen.at(-1)).toMatchObject({ kind: 'chosen', slot: 4, chosen: { tag: 9 } });
    expect(bench.isLeading).toBe(true);
  });

  it('needs promises of a quorum of the new voters before anything is proposed to them', () => {
    const bench = new Bench('a', ['a', 'b', 'c', 'd', 'e']);
    bench.lead('b', 'c');
    bench.tell('d', { kind: 'accepted', ballot: one, upTo: 1, chosenUpTo: 0 });
    bench.member.change({ voters: ['a', 'd', 'e'].map(memberOf), learners: [] }, bench.now);
    bench.sync();
    bench.hold('b', one);
    bench.hold('c', one);
    bench.sent = [];
    bench.promise('b', one);
    bench.promise('c', one);
    expect(bench.said('accept')).toEqual([]);
    bench.promise('e', one);
    bench.hold('e', one);
    expect(bench.member.chosenSlot).toBe(3);
  });
});
