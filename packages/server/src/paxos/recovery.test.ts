import { describe, expect, it } from 'vitest';
import type { PaxosRecord } from './record.js';
import { recover } from './recovery.js';
import { ballot, begin, codeOf, command, configurationOf } from './testing/bench.js';
import { memberId } from './testing/node.js';

const configuration = configurationOf('a', 'b', 'c');
const base = { slot: 0, configuration, epoch: undefined };
const joined: PaxosRecord = { kind: 'joined', cluster: 'one', self: memberId('a'), base };
const one = ballot(1, 'b');
const accepted = (slot: number, by = one): PaxosRecord =>
  ({ kind: 'accepted', ballot: by, slot, value: command(by, `${slot}`) });

describe('a member is made again of its records', () => {
  it('nothing at all: nobody was here', () => {
    expect(recover([])).toBeUndefined();
  });

  it('knows the highest ballot that it promised or accepted', () => {
    const records = [joined, { kind: 'promised', ballot: ballot(3, 'b') } as const, accepted(1)];
    expect(recover(records)?.promised).toEqual(ballot(3, 'b'));
    expect(recover([joined, accepted(1, ballot(4, 'c'))])?.promised).toEqual(ballot(4, 'c'));
  });

  it('the last record of a slot counts, and holes beyond what is chosen are allowed', () => {
    const found = recover([joined, accepted(1), accepted(3), accepted(1, ballot(2, 'c'))]);
    expect(found?.log.at(1)?.ballot).toEqual(ballot(2, 'c'));
    expect(found?.log.at(2)).toBeUndefined();
    expect(found?.log.at(3)?.ballot).toEqual(one);
  });

  it('a trimmed log begins anywhere: what stands before the base that is noted later is needed as well', () => {
    const trimmed: PaxosRecord = { kind: 'trimmed', base: { slot: 4, configuration, epoch: one } };
    const found = recover([accepted(4), accepted(5), accepted(6), joined, trimmed, { kind: 'chosen', upTo: 6 }]);
    expect(found).toMatchObject({ cluster: 'one', chosenUpTo: 6 });
    expect(found?.base).toMatchObject({ slot: 4, epoch: one });
    expect([4, 5, 6].map((slot) => found?.log.at(slot) !== undefined)).toEqual([false, true, true]);
  });

  it('a chosen slot that is missing is damage, and so are records without a beginning', () => {
    expect(codeOf(() => recover([joined, accepted(1), accepted(3), { kind: 'chosen', upTo: 3 }])))
      .toBe('log-damaged');
    expect(codeOf(() => recover([accepted(1)]))).toBe('log-damaged');
  });

  it('keeps begins and stop-signs as they were', () => {
    const found = recover([joined, { kind: 'accepted', ballot: one, slot: 1, value: begin(one) }]);
    expect(found?.log.at(1)?.value).toEqual(begin(one));
  });
});
