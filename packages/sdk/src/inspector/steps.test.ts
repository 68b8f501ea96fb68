/** What ran again and why, as an onlooker is told. */
import { expect, test } from 'vitest';
import { shelfApp } from '../replica/testing/shelf-app.js';
import { committed, foreign, OneSpace, putBy } from '../replica/testing/one-space.js';
import { RebaseRecorder } from './steps.js';

function watched() {
  const one = new OneSpace(shelfApp);
  const { state } = one.space.insides;
  const recorder = new RebaseRecorder(state, () => 7, () => undefined);
  const watch = (): void => { state.ground.watch = recorder; };
  watch();
  return { one, recorder, watch };
}

const place = (id: string, orElse: string[] = []) =>
  ({ id, shelf: 'a', rank: 5, orElse, insist: false });

test('a pending update that runs again is told with the range that it read and the commits in it', () => {
  const { one, recorder } = watched();
  one.mutate('place', place('mine', ['b']));
  const rows = [{ id: 'x', shelf: 'a', rank: 1 }, { id: 'y', shelf: 'a', rank: 2 }] as const;
  one.commit(putBy([1, 'bob', 1], rows[0]), putBy([2, 'bob', 2], rows[1]));
  const [step] = recorder.steps;
  expect(step).toMatchObject({ csnBefore: 0, csn: 2, ran: 1, pending: 1, isReplay: false, at: 7 });
  expect(step?.runs[0]).toMatchObject({
    name: 'place', own: true, why: 'read', isChanged: true,
    before: { kind: 'applied' }, now: { kind: 'alternative', index: 0 },
  });
  const met = step?.runs[0]?.meetings.map(({ table, key, read, by }) => ({ table, key, read, by }));
  const read = { index: 'byShelf', range: '= a' };
  expect(met).toEqual([
    { table: 'item', key: 'x', read, by: { kind: 'commit', csn: 1, name: 'put' } },
    { table: 'item', key: 'y', read, by: { kind: 'commit', csn: 2, name: 'put' } },
  ]);
});

test('an update that stands on another tentative one is told with that one', () => {
  const { one, recorder } = watched();
  const bumped = one.mutate('bump', { id: 'c' });
  one.mutate('bump', { id: 'c' });
  one.commit(committed(1, foreign(['bob', 1, 1], ['bump', { id: 'c' }]), {
    effects: [{ table: 'counter', key: 'c', row: { id: 'c', value: 1 } }],
  }));
  const [first, second] = recorder.steps[0]?.runs ?? [];
  expect(first?.meetings[0]).toMatchObject({ read: 'key', by: { kind: 'commit', csn: 1 } });
  expect(second?.meetings[0]).toMatchObject({
    key: 'c', by: { kind: 'update', id: bumped.id, name: 'bump' },
    before: { value: 1 }, now: { value: 2 },
  });
});

test('a commit that nobody has read is a step in which nothing runs', () => {
  const { one, recorder } = watched();
  one.mutate('place', place('mine'));
  one.commit(putBy([1, 'bob', 1], { id: 'x', shelf: 'elsewhere', rank: 1 }));
  expect(recorder.steps).toMatchObject([{ number: 1, csn: 1, ran: 0, runs: [] }]);
});

test("another's update that arrives is told as new", () => {
  const { one, recorder } = watched();
  one.space.receiveUpdates([foreign(['bob', 1, 1], ['put', { id: 'x', shelf: 'a', rank: 1 }])]);
  expect(recorder.steps[0]?.runs).toMatchObject([{ why: 'arrived', before: undefined, own: false }]);
});

test('what is kept is bounded: the newest steps, the first runs of each', () => {
  const { one, recorder } = watched();
  for (let i = 0; i < 60; i++) one.mutate('bump', { id: 'c' });
  for (let csn = 1; csn <= 210; csn++) {
    one.commit(committed(csn, foreign(['bob', csn, csn], ['bump', { id: 'c' }]), {
      effects: [{ table: 'counter', key: 'c', row: { id: 'c', value: csn } }],
    }));
  }
  expect(recorder.steps).toHaveLength(200);
  expect(recorder.steps[0]).toMatchObject({ number: 210, ran: 60 });
  expect(recorder.steps[0]?.runs).toHaveLength(50);
});

test('while nobody watches nothing is recorded', () => {
  const { one, recorder, watch } = watched();
  one.space.insides.state.ground.watch = undefined;
  one.commit(putBy([1, 'bob', 1], { id: 'x', shelf: 'a', rank: 1 }));
  watch();
  one.commit(putBy([2, 'bob', 2], { id: 'y', shelf: 'a', rank: 1 }));
  expect(recorder.steps).toHaveLength(1);
});
