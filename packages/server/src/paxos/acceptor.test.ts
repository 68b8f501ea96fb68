import { describe, expect, it } from 'vitest';
import { Bench, ballot, begin, command } from './testing/bench.js';

const one = ballot(1, 'b');
const two = ballot(2, 'c');

/** Long after its start, when no lease of a former life can run any more. */
function acceptor(limits = {}): Bench {
  const bench = new Bench('a', ['a', 'b', 'c'], limits);
  bench.pass(20);
  return bench;
}

describe('an acceptor (Paxos Made Simple, section 2.2)', () => {
  it('promises only when the promise is on disk', () => {
    const bench = acceptor();
    bench.hear('b', { kind: 'prepare', ballot: one, fromSlot: 1, isHandover: false });
    expect(bench.said('promise')).toEqual([]);
    bench.sync();
    expect(bench.said('promise')).toMatchObject([{ ballot: one }]);
    expect(bench.node.promised).toEqual(one);
  });

  it('says accepted only when the value is on disk', () => {
    const bench = acceptor();
    bench.accept(one, 1, [begin(one)]);
    expect(bench.said('accepted')).toEqual([]);
    bench.sync();
    expect(bench.said('accepted')).toMatchObject([{ ballot: one, upTo: 1 }]);
  });

  it('refuses a ballot below its promise, and says what it promised', () => {
    const bench = acceptor();
    bench.prepare(two);
    bench.sent = [];
    bench.prepare(one);
    bench.accept(one, 1, [begin(one)]);
    bench.heartbeat(one);
    expect(bench.said('refused')).toEqual(Array(3).fill({ kind: 'refused', ballot: one, promised: two }));
    expect(bench.said('accepted')).toEqual([]);
    expect(bench.said('heard')).toEqual([]);
  });

  it('keeps its promise over a crash', () => {
    const bench = acceptor();
    bench.prepare(two);
    bench.restart();
    bench.sent = [];
    bench.accept(one, 1, [begin(one)]);
    expect(bench.said('refused')).toMatchObject([{ promised: two }]);
  });

  it('promises the same ballot again, for the answer may have been lost', () => {
    const bench = acceptor();
    bench.prepare(one);
    bench.prepare(one);
    expect(bench.said('promise')).toHaveLength(2);
  });

  it('reports the value of the highest ballot that it accepted for each slot', () => {
    const bench = acceptor();
    bench.accept(one, 1, [begin(one), command(one, 'x')]);
    bench.accept(two, 1, [begin(one)]);
    bench.sync();
    bench.pass(300);
    bench.prepare(ballot(3, 'b'));
    const [promise] = bench.said('promise');
    expect(promise?.accepted.map(({ slot, ballot: of }) => [slot, of.round])).toEqual([[1, 2], [2, 1]]);
  });

  it('accepts beyond a gap, and claims nothing there before the gap is closed', () => {
    const bench = acceptor();
    bench.accept(one, 1, [begin(one)]);
    bench.accept(one, 3, [command(one, 'y')]);
    bench.sync();
    expect(bench.said('accepted').map(({ upTo }) => upTo)).toEqual([1, 1]);
    bench.accept(one, 2, [command(one, 'x')]);
    bench.sync();
    expect(bench.said('accepted').map(({ upTo }) => upTo)).toEqual([3]);
  });

  it('claims nothing that it holds under an older ballot', () => {
    const bench = acceptor();
    bench.accept(one, 1, [begin(one), command(one, 'x')]);
    bench.accept(two, 1, [begin(one)]);
    bench.sync();
    expect(bench.said('accepted').map(({ ballot: of, upTo }) => [of.round, upTo])).toEqual([[1, 2], [2, 1]]);
  });

  it('sends a long promise in parts, each saying how much came before it', () => {
    const bench = acceptor({ partBytesMax: 200 });
    bench.accept(one, 1, [begin(one), ...['u', 'v', 'w', 'x', 'y'].map((word) => command(one, word))]);
    bench.sync();
    bench.pass(300);
    bench.prepare(two);
    const parts = bench.said('promise');
    expect(parts.map(({ part, accepted, isLast }) => [part, accepted.length, isLast]))
      .toEqual([[0, 3, false], [3, 3, true]]);
  });

  it('takes nothing far beyond what it knows as chosen, nor more than it can apply', () => {
    const far = acceptor();
    far.accept(one, 1_000_000, [command(one, 'x')]);
    far.accept(one, 1, [begin(one)]);
    far.sync();
    expect(far.said('accepted').at(-1)?.upTo).toBe(1);
    const full = acceptor({ windowBytesMax: 1_024, payloadBytesMax: 500, unappliedBytesMax: 1_024 });
    full.accept(one, 1, [begin(one), command(one, 'x'.repeat(400)), command(one, 'y'.repeat(480))]);
    full.accept(one, 4, [command(one, 'z')]);
    full.sync();
    expect(full.said('accepted').at(-1)?.upTo).toBe(3);
  });
});
