import { describe, expect, it } from 'vitest';
import { paxosLimits } from './limits.js';
import { Patience } from './patience.js';
import { ballot } from './testing/bench.js';
import { memberId } from './testing/node.js';

const { leaseMs, electionMs, electionCutMs } = paxosLimits;
const leader = ballot(5, 'b');
const other = ballot(6, 'c');

const patience = (mayHaveGranted = false, random = (): number => 0.5): Patience =>
  new Patience(paxosLimits, random, { now: 0, mayHaveGranted });

describe('a lease (Gray, Cheriton, SOSP 1989)', () => {
  it('binds its grantor for as long as it says, from when the heartbeat was heard', () => {
    const one = patience();
    one.heard(leader, 100);
    expect(one.isFree(other, false, 99 + leaseMs)).toBe(false);
    expect(one.isAnyoneFree(memberId('c'), 99 + leaseMs)).toBe(false);
    expect(one.isFree(other, false, 100 + leaseMs)).toBe(true);
  });

  it('may have been granted before a restart: nobody is promised anything until it has surely ended', () => {
    const one = patience(true);
    expect(one.isFree(other, false, leaseMs - 1)).toBe(false);
    expect(one.isFree(other, true, leaseMs - 1)).toBe(false);
    expect(one.isFree(other, false, leaseMs)).toBe(true);
  });

  it('does not bind against its holder', () => {
    const one = patience();
    one.heard(leader, 0);
    expect(one.isFree(ballot(7, 'b'), false, 1)).toBe(true);
  });

  it('is passed by in a hand-over, but by the direct successor only', () => {
    const one = patience();
    one.heard(leader, 0);
    expect(one.isFree(other, true, 1)).toBe(true);
    expect(one.isFree(ballot(7, 'c'), true, 1)).toBe(false);
    expect(one.isFree(ballot(5, 'c'), true, 1)).toBe(false);
  });
});

describe('the wait for a leader', () => {
  it('is between once and twice the bound', () => {
    for (const [random, factor] of [[0, 1], [0.999_999, 2]] as const) {
      const one = patience(false, () => random);
      one.heard(leader, 0);
      expect(one.isOver(electionMs * factor - 2)).toBe(false);
      expect(one.isOver(electionMs * factor + 2)).toBe(true);
    }
  });

  it('is shorter when its link is cut, and as before when it stands again', () => {
    const one = patience();
    one.heard(leader, 0);
    one.linked(false);
    expect(one.isOver(electionCutMs * 1.5)).toBe(true);
    one.linked(true);
    expect(one.isOver(electionCutMs * 1.5)).toBe(false);
    expect(one.isOver(electionMs * 1.5)).toBe(true);
  });

  it('never ends within a lease', () => {
    const one = patience(true, () => 0);
    expect(one.isOver(leaseMs - 1)).toBe(false);
  });

  it('grows with each attempt that came to nothing, up to a bound, until a leader is heard', () => {
    const one = patience();
    const waits = [1, 2, 3, 4, 5].map(() => {
      one.restart(0, true);
      return [1, 2, 4, 8, 16].find((times) => one.isOver(electionCutMs * 1.5 * times));
    });
    expect(waits).toEqual([2, 4, 8, 8, 8]);
    one.heard(leader, 0);
    one.restart(1_000, false);
    expect(one.isOver(1_000 + electionCutMs * 1.5)).toBe(true);
  });

  it('is not put off by links that come and go', () => {
    const one = patience();
    one.restart(0, true);
    for (let now = 0; now < electionCutMs * 1.5; now += 10) one.hope();
    expect(one.isOver(electionCutMs * 1.5)).toBe(true);
  });

  it('does not count time in which this process did not run', () => {
    const one = patience();
    one.heard(leader, 0);
    one.stalled(5_000, 5_000);
    expect(one.isOver(5_000 + electionMs)).toBe(false);
    expect(one.isOver(5_000 + electionMs * 1.5)).toBe(true);
  });
});
