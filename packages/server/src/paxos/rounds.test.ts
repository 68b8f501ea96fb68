import { describe, expect, it } from 'vitest';
import { paxosLimits } from './limits.js';
import { Reads } from './reads.js';
import { Rounds } from './rounds.js';

const { leaseMs, quorumLostMs, driftPpm } = paxosLimits;
const trustedMs = leaseMs * (1 - driftPpm / 1_000_000);

describe('the rounds of a leadership', () => {
  it('a lease counts from when the round was sent, not from when it was answered', () => {
    const rounds = new Rounds(paxosLimits, 0);
    rounds.begin(100);
    rounds.begin(150);
    rounds.answer(1);
    expect(rounds.holdsLease(100 + trustedMs - 1)).toBe(true);
    expect(rounds.holdsLease(100 + trustedMs)).toBe(false);
    rounds.answer(2);
    expect(rounds.holdsLease(150 + trustedMs - 1)).toBe(true);
  });

  it('there is no lease before a quorum has answered, where clocks are not trusted, or once it was given up', () => {
    const untrusted = new Rounds({ ...paxosLimits, leaseReads: false }, 0);
    untrusted.begin(0);
    untrusted.answer(1);
    expect(untrusted.holdsLease(1)).toBe(false);
    const rounds = new Rounds(paxosLimits, 0);
    rounds.begin(0);
    expect(rounds.holdsLease(1)).toBe(false);
    rounds.answer(1);
    expect(rounds.holdsLease(1)).toBe(true);
    rounds.giveUpLease();
    rounds.begin(10);
    rounds.answer(2);
    expect(rounds.holdsLease(11)).toBe(false);
  });

  it('an answer to a round that was never sent is none', () => {
    const rounds = new Rounds(paxosLimits, 0);
    rounds.begin(0);
    rounds.answer(9);
    expect(rounds.answered).toBe(0);
  });

  it('without a quorum\'s answer for too long, the quorum is lost; its own sleep does not count', () => {
    const rounds = new Rounds(paxosLimits, 0);
    rounds.begin(0);
    rounds.answer(1);
    expect(rounds.isQuorumLost(quorumLostMs - 1)).toBe(false);
    expect(rounds.isQuorumLost(quorumLostMs)).toBe(true);
    rounds.stalled(quorumLostMs, quorumLostMs);
    expect(rounds.isQuorumLost(quorumLostMs * 2 - 1)).toBe(false);
    expect(rounds.isQuorumLost(quorumLostMs * 2)).toBe(true);
  });
});

describe('reads (Ongaro 2014, section 6.4)', () => {
  it('wait for a round that began after they came, in order', () => {
    const said: string[] = [];
    const reads = new Reads({
      readable: (tag, slot) => said.push(`${tag} at ${slot}`),
      unreadable: (tag) => said.push(`${tag} not`),
    });
    reads.add(1, 10, 4);
    reads.add(2, 11, 5);
    reads.add(3, 11, 5);
    reads.answer(3);
    expect(said).toEqual([]);
    reads.answer(4);
    expect(said).toEqual(['1 at 10']);
    expect(reads.firstRound).toBe(5);
    reads.answer(7);
    expect(said).toEqual(['1 at 10', '2 at 11', '3 at 11']);
    reads.add(4, 12, 8);
    reads.end();
    expect(said.at(-1)).toBe('4 not');
    expect(reads.size).toBe(0);
  });
});
