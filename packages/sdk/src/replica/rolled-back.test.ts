/** The server is restored from a backup: what it has forgotten of ours is told, not lost. */
import { expect, test } from 'vitest';
import { seatId } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import { committed, foreign, OneSpace, putBy, replicaId } from './testing/one-space.js';
import { Primary } from './testing/primary.js';
import { shelfApp } from './testing/shelf-app.js';
import type { UpdateId } from '../protocol/index.js';

const item = (id: string, shelf: string, rank = 0) => ({ id, shelf, rank });

/** A replica and a server of the history 'h'. */
class Restored {
  readonly one = new OneSpace(shelfApp);
  readonly primary = new Primary(shelfApp, 'h');
  #restores = 0;

  put(id: string): UpdateId {
    return this.one.mutate('put', item(id, 'a')).id;
  }

  /** All that is written here is committed there, and known here. */
  sync(): void {
    this.one.write();
    this.primary.receive(this.one.space.tentativeAfter(0, 10_000).updates);
    while (this.primary.commit(0));
    const { history, entries } = this.primary;
    const news = entries.slice(this.one.space.head.csn);
    expect(this.one.space.receiveCommits(history, news).kind).toBe('ok');
    this.one.write();
  }

  /** The server stands where it stood at that csn, and its clients take its base. */
  restore(csn: number): void {
    this.#restores++;
    this.primary.rollBack(csn, `h${this.#restores}`);
    expect(this.one.space.receiveBase(this.primary.base()).kind).toBe('ok');
    this.one.space.reissue(replicaId(`me${this.#restores}`));
    this.one.write();
  }

  get inbox() {
    return this.one.space.conflicts().map(({ args, outcome }) =>
      // reason: all of them are puts of items.
      [(args as { readonly id: string }).id, outcome.kind]);
  }

  get rows(): string[] {
    return this.one.space.query((tx) => tx.item.all().map(({ id }) => id));
  }
}

test('what was committed after the backup is in the list of conflicts, and is not issued anew', () => {
  const world = new Restored();
  world.put('1');
  world.sync();
  const id = world.put('2');
  world.sync();
  world.restore(1);
  expect(world.rows).toEqual(['1']);
  expect(world.one.space.pending()).toEqual([]);
  expect(world.one.space.conflicts()).toMatchObject([{
    id, csn: 0, name: 'put', args: item('2', 'a'), effects: [],
    attempt: [{ table: 'item', key: expect.any(String) as string }],
    outcome: { kind: 'rolled-back', was: { kind: 'applied' } },
  }]);
  expect(world.one.space.receipt(id)?.outcome).toMatchObject({ kind: 'rolled-back' });
  expect(world.one.errors).toEqual([]);
});

test('it outlives a restart, and can be asked for again or put aside', () => {
  const world = new Restored();
  world.sync();
  const [first, second] = [world.put('1'), world.put('2')];
  world.sync();
  world.restore(0);
  world.one.restart();
  expect(world.inbox).toEqual([['1', 'rolled-back'], ['2', 'rolled-back']]);
  world.one.space.retry(first, undefined, 5000);
  world.one.space.dismiss(second);
  world.sync();
  expect([world.inbox, world.rows]).toEqual([[], ['1']]);
});

test('nothing is said of what was refused, nor of what others wrote', () => {
  const world = new Restored();
  world.one.mutate('move', { id: 'none', shelf: 'b' });
  world.sync();
  world.one.space.dismiss(world.one.space.conflicts()[0]?.id ?? { replica: replicaId('me'), seq: 1 });
  world.primary.receive([foreign(['bob', 1, 9], ['put', item('7', 'a')], 1)]);
  world.sync();
  world.restore(0);
  expect([world.inbox, world.one.errors]).toEqual([[], []]);
});

test('what had an alternative says what it had been', () => {
  const world = new Restored();
  world.one.mutate('put', item('1', 'a'));
  world.one.mutate('put', item('2', 'a'));
  world.one.mutate('place', { id: '3', shelf: 'a', rank: 0, orElse: ['b'], insist: false });
  world.sync();
  world.restore(2);
  expect(world.one.space.conflicts()).toMatchObject([
    { name: 'place', outcome: { kind: 'rolled-back', was: { kind: 'alternative', index: 0 } } },
  ]);
});

test('what the restored state holds is settled, also where its commit was never heard of here', () => {
  const world = new Restored();
  world.put('1');
  world.one.write();
  world.primary.receive(world.one.space.tentativeAfter(0, 10).updates);
  world.primary.commit(0);
  world.one.commit(putBy([1, 'bob', 1], item('9', 'a')));
  world.restore(1);
  expect([world.inbox, world.rows]).toEqual([[['1', 'unknown']], ['1']]);
});

test('a second restore, to before what came under a former id, tells of that, too', () => {
  const world = new Restored();
  world.put('1');
  world.sync();
  // Another program shows that the id is not ours alone: ours go on under a fresh one.
  world.one.space.disown('cloned');
  world.one.space.reissue(replicaId('fresh'));
  world.one.write();
  world.one.restart();
  world.put('2');
  world.sync();
  world.restore(0);
  expect(world.inbox).toEqual([['1', 'rolled-back'], ['2', 'rolled-back']]);
  expect(world.one.space.head.former).toEqual(['me', 'fresh']);
});

test('what another seat of the profile had written is told of', () => {
  const world = new Restored();
  const update = foreign([seatId(replicaId('me'), 2), 1, 3], ['put', item('1', 'a')]);
  world.one.commit(committed(1, update, { effects: [] }));
  world.restore(0);
  expect(world.inbox).toEqual([['1', 'rolled-back']]);
});

test('what is no longer kept is counted and reported', () => {
  const world = new Restored();
  for (let i = 0; i < limits.entriesKeptMax + 1; i++) world.put(`${i}`);
  world.sync();
  world.restore(10);
  const kept = Math.floor(limits.entriesKeptMax * 0.75);
  expect(world.inbox).toHaveLength(kept);
  const missing = limits.entriesKeptMax + 1 - 10 - kept;
  expect(world.one.errors).toMatchObject([
    { code: 'updates-rolled-back', message: expect.stringContaining(`: ${missing}.`) as string },
  ]);
});
