import 'fake-indexeddb/auto';
import { deleteDB } from 'idb';
import { describe, expect, test } from 'vitest';
import { takeOver } from './fenced-store.js';
import { indexedDb } from './storage-indexeddb.js';
import { memory } from './storage-memory.js';
import type { Storage, Store } from './storage.js';
import { fillable } from './testing/fillable.js';
import { closed, openStore, put, read, refused, result, value, write } from './testing/storage-laws.js';

let places = 0;
const drivers: readonly (readonly [kind: string, make: () => Storage])[] = [
  ['memory', () => memory()],
  ['indexeddb', () => indexedDb(`fenced-${++places}`, { persist: false })],
];

function taken(storage: Storage): Promise<Store> {
  const { share } = storage;
  if (share === undefined) throw new Error('this driver cannot be shared');
  return value(result<Store>((done) => takeOver({ share: share.bind(storage) }, done)));
}

describe.each(drivers)('a store in %s that is taken over', (_kind, make) => {
  test('shows the new owner all that the former one wrote', async () => {
    const storage = make();
    const first = await taken(storage);
    await write(first, [put('updates', 'a', '1')]);
    const second = await taken(storage);
    expect(await read(second, 'updates')).toEqual([['a', '1']]);
  });

  test('takes nothing more from the former owner, not a part of a write, ever again', async () => {
    const storage = make();
    const first = await taken(storage);
    const second = await taken(storage);
    const ops = [put('updates', 'a', 'late'), put('meta', 'b', 'late')];
    await refused('store-overtaken', result((done) => first.write(ops, done)));
    await write(second, [put('updates', 'a', 'mine')]);
    for (let i = 0; i < 3; i++) await taken(storage);
    await refused('store-overtaken', result((done) => first.write(ops, done)));
    await refused('store-overtaken', result((done) => second.write(ops, done)));
    const last = await taken(storage);
    expect(await read(last, 'updates')).toEqual([['a', 'mine']]);
    expect(await read(last, 'meta', { from: 'b', to: 'c' })).toEqual([]);
  });

  test('refuses a write that was asked for before the takeover and comes after it', async () => {
    const storage = make();
    const first = await taken(storage);
    const late = taken(storage);
    const outcomes = await Promise.all(Array.from({ length: 20 }, async (_, i) =>
      result<void>((done) => first.write([put('entries', `${i}`, '')], done))));
    const second = await late;
    const there = (await read(second, 'entries')).length;
    // Whoever was told that it is written finds it.
    expect(there).toBe(outcomes.filter(({ ok }) => ok).length);
  });

  test('is not opened by one who wants it alone, nor the reverse', async () => {
    const storage = make();
    const shared = await taken(storage);
    // Locks are missing here, and tabs that share are of browsers that have them.
    if (shared.kind === 'memory') await refused('store-in-use', result((done) => storage.open(done)));
    await closed(shared);
    const alone = await openStore(storage);
    if (alone.kind === 'memory') {
      await refused('store-in-use', result<Store>((done) => storage.share?.(done)));
    }
    await closed(alone);
  });
});

test('a store that was deleted under its owner and begun anew still takes nothing from former owners', async () => {
  const storage = indexedDb('fenced-renewed', { persist: false });
  const first = await taken(storage);
  const second = await taken(storage);
  await deleteDB('oxbow/fenced-renewed');
  await refused('store-lost', result<void>((done) => second.write([put('updates', 'a', '1')], done)));
  expect(await result<void>((done) => second.renew?.(done))).toEqual({ ok: true, value: undefined });
  await write(second, [put('updates', 'a', '2')]);
  // Who was overtaken has seen the database go, too.
  await refused('store-overtaken', result<void>((done) => first.renew?.(done)));
  expect(await read(second, 'updates')).toEqual([['a', '2']]);
  expect(second.asksToBeKept).toBe(false);
  await closed(second);
});

test('a store without room for the mark of a takeover is read meanwhile, and taken over when there is', async () => {
  const storage = fillable(memory());
  const first = await taken(storage);
  await write(first, [put('updates', 'a', '1')]);
  storage.isFull = true;
  const second = await taken(storage);
  expect(await read(second, 'updates')).toEqual([['a', '1']]);
  await refused('store-full', result<void>((done) => second.write([put('updates', 'b', '2')], done)));
  storage.isFull = false;
  // Until here the former owner could write, and what was read may be old.
  await write(first, [put('updates', 'a', 'later')]);
  await refused('store-overtaken', result<void>((done) => second.write([put('updates', 'b', '2')], done)));
  await refused('store-overtaken', result<void>((done) => first.write([put('updates', 'a', '3')], done)));
  const third = await taken(storage);
  expect(await read(third, 'updates')).toEqual([['a', 'later']]);
  await write(third, [put('updates', 'b', '2')]);
});
