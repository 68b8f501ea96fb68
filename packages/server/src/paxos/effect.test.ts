import { describe, expect, it } from 'vitest';
import { Course } from './effect.js';
import { ballot, begin, command, configurationOf, noOp, stop } from './testing/bench.js';

const first = ballot(1, 'a');
const second = ballot(2, 'b');

const course = (): Course =>
  new Course({ slot: 0, configuration: configurationOf('a', 'b', 'c'), epoch: undefined });

describe('what chosen values mean (Zab, DSN 2011, section III)', () => {
  it('a command counts right after its leadership\'s begin, and after its commands', () => {
    const walk = course();
    const values = [begin(first), command(first, 'x'), command(first, 'y')];
    expect(values.map((value) => walk.step(value))).toEqual([false, true, true]);
  });

  it('a command is void after a filled hole, and so is everything that continues it', () => {
    const walk = course();
    const values = [begin(first), noOp(second), command(first, 'y'), command(first, 'z')];
    expect(values.map((value) => walk.step(value))).toEqual([false, false, false, false]);
  });

  it('a command of another leadership is void, and breaks the row that it stands in', () => {
    const walk = course();
    const values = [begin(second), command(first, 'x'), command(second, 'y')];
    expect(values.map((value) => walk.step(value))).toEqual([false, false, false]);
  });

  it('a new begin mends what was broken', () => {
    const walk = course();
    const values = [begin(first), noOp(first), begin(second), command(second, 'x')];
    expect(values.map((value) => walk.step(value))).toEqual([false, false, false, true]);
  });

  it('a command counts nowhere before a begin', () => {
    expect(course().step(command(first, 'x'))).toBe(false);
  });

  it('a stop-sign ends the configuration, and the row', () => {
    const walk = course();
    walk.step(begin(first));
    expect(walk.step(stop(first, 'a', 'b'))).toBe(true);
    expect(walk.configuration).toMatchObject({ number: 1, fromSlot: 3 });
    expect(walk.step(command(first, 'x'))).toBe(false);
  });

  it('a stale stop-sign ends nothing: it was made for a configuration that it does not follow', () => {
    const walk = course();
    const values = [begin(first), noOp(second), stop(first, 'a')];
    expect(values.map((value) => walk.step(value))).toEqual([false, false, false]);
    expect(walk.configuration.number).toBe(0);
  });

  it('a walk that begins anywhere judges as one that began at the start', () => {
    const values = [
      begin(first), command(first, 'x'), noOp(first), command(first, 'y'), begin(second),
      command(second, 'z'), stop(second, 'a', 'b'), begin(second), command(second, 'w'),
    ];
    const whole = course();
    const judged = values.map((value) => whole.step(value));
    for (let cut = 0; cut <= values.length; cut++) {
      const before = course();
      for (const value of values.slice(0, cut)) before.step(value);
      const after = new Course(before.base);
      expect(values.slice(cut).map((value) => after.step(value))).toEqual(judged.slice(cut));
      expect(after.base).toEqual(whole.base);
    }
  });
});
