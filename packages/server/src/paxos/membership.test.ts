import { describe, expect, it } from 'vitest';
import type { Membership } from './configuration.js';
import { paxosLimits } from './limits.js';
import { checkMembership } from './membership.js';
import { codeOf } from './testing/bench.js';
import { memberOf } from './testing/node.js';

const members = (voters: string, learners = ''): Membership => ({
  voters: voters.split(' ').filter(Boolean).map(memberOf),
  learners: learners.split(' ').filter(Boolean).map(memberOf),
});

const answer = (next: Membership, lags: Readonly<Record<string, number>> = {}): string =>
  codeOf(() => checkMembership(next, {
    limits: { ...paxosLimits, votersMax: 5, learnersMax: 2 },
    present: { ...members('a b c', 'd e'), number: 3, fromSlot: 70 },
    lag: (id) => lags[id] ?? 0,
  }));

describe('a change of the members', () => {
  it('takes new learners, voters that were learners, and fewer of each', () => {
    expect(answer(members('a b c', 'd f'))).toBe('nothing');
    expect(answer(members('a b c d e'))).toBe('nothing');
    expect(answer(members('d'))).toBe('nothing');
  });

  it('refuses voters that were never filled', () => {
    expect(answer(members('a b c f'))).toBe('config-invalid');
  });

  it('refuses a learner as voter while it lags far behind', () => {
    expect(answer(members('a b c d'), { d: 1_024 })).toBe('nothing');
    expect(answer(members('a b c d'), { d: 1_025 })).toBe('config-invalid');
  });

  it('keeps a voter that is down, but not a quorum of them', () => {
    expect(answer(members('a b c', 'd'), { c: 9_999 })).toBe('nothing');
    expect(answer(members('a b c', 'd'), { b: 9_999, c: 9_999 })).toBe('config-invalid');
    expect(answer(members('a c'), { c: 9_999 })).toBe('config-invalid');
  });

  it('refuses nobody, too many, and anybody twice', () => {
    expect(answer(members(''))).toBe('config-invalid');
    expect(answer(members('a b c d e f'))).toBe('config-invalid');
    expect(answer(members('a', 'b c d'))).toBe('config-invalid');
    expect(answer(members('a a'))).toBe('config-invalid');
    expect(answer(members('a b', 'a'))).toBe('config-invalid');
    const twins = { voters: [memberOf('a'), { ...memberOf('b'), name: 'a' }], learners: [] };
    expect(answer(twins)).toBe('config-invalid');
  });

  it('lets a node stand as voter under its old id and as learner under its new one', () => {
    const again = { ...memberOf('c2'), name: 'c' };
    expect(answer({ ...members('a b c'), learners: [again] })).toBe('nothing');
  });
});
