import 'fake-indexeddb/auto';
import { IDBFactory, IDBTransaction as FakeTransaction } from 'fake-indexeddb';
import { deleteDB, openDB } from 'idb';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { indexedDb } from './storage-indexeddb.js';
import { closed, lawsFor, openStore, put, read, refused, result, write } from './testing/storage-laws.js';
import type { StorageBench } from './testing/storage-laws.js';
import type { Store } from './storage.js';
import type { OxbowError } from '../protocol/index.js';

const bench: StorageBench = {
  kind: 'indexeddb',
  storage: (place) => indexedDb(place),
  writtenByNewerCode: async (place) => {
    (await openDB(`oxbow/${place}`, 99)).close();
  },
};

afterEach(() => vi.restoreAllMocks());

describe('indexedDb keeps the laws of storage:', () => {
  for (const law of lawsFor(bench)) test(law.name, () => law.run(bench));
});

describe('strict indexedDb keeps the laws of storage:', () => {
  const strict: StorageBench = {
    kind: 'indexeddb',
    storage: (place) => indexedDb(`strict/${place}`, { durability: 'strict', persist: false }),
  };
  for (const law of lawsFor(strict)) test(law.name, () => law.run(strict));
});

test('durability is what was asked for, relaxed by default, and each write is committed explicitly', async () => {
  const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction');
  const commits = vi.spyOn(FakeTransaction.prototype, 'commit');
  for (const options of [{}, { durability: 'strict' as const }]) {
    const store = await openStore(indexedDb('durability', options));
    await write(store, [put('meta', 'a', '1'), put('updates', 'b', '2')]);
    await closed(store);
  }
  const writes = transactions.mock.calls.filter(([, mode]) => mode === 'readwrite');
  expect(writes.map(([stores, , options]) => [stores, options])).toEqual([
    [['meta', 'updates'], { durability: 'relaxed' }],
    [['meta', 'updates'], { durability: 'strict' }],
  ]);
  expect(commits).toHaveBeenCalledTimes(2);
});

test('a connection that the browser has closed is opened again, and the write repeated', async () => {
  const store = await openStore(indexedDb('closing'));
  await write(store, [put('meta', 'a', '1')]);
  const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementationOnce(() => {
    throw new DOMException('The database connection is closing.', 'InvalidStateError');
  });
  await write(store, [put('meta', 'b', '2')]);
  expect(transaction).toHaveBeenCalledTimes(2);
  expect(await read(store, 'meta')).toEqual([['a', '1'], ['b', '2']]);
  await closed(store);
});

test('a page that was damaged comes empty; one that an earlier layout wrote as text comes as it is', async () => {
  const store = await openStore(indexedDb('bytes'));
  await write(store, [put('pages', 'a', 'first'), put('pages', 'b', 'second')]);
  await closed(store);
  const database = await openDB('oxbow/bytes');
  // reason: pages are written as bytes.
  const bytes = await database.get('pages', 'a') as Uint8Array;
  bytes[12] = 0;
  await database.put('pages', bytes, 'a');
  await database.put('pages', 'earlier', 'c');
  database.close();
  const again = await openStore(indexedDb('bytes'));
  expect(await read(again, 'pages')).toEqual([['a', ''], ['b', 'second'], ['c', 'earlier']]);
  await closed(again);
});

test('a transaction that is aborted under a write is repeated as a whole', async () => {
  const store = await openStore(indexedDb('aborted'));
  vi.spyOn(FakeTransaction.prototype, 'commit').mockImplementationOnce(function (this: IDBTransaction) {
    this.abort();
  });
  await write(store, [put('meta', 'a', '1'), put('pages', 'b', '2')]);
  expect(await read(store, 'meta')).toEqual([['a', '1']]);
  expect(await read(store, 'pages')).toEqual([['b', '2']]);
  await closed(store);
});

test('a connection that always fails is given up, and the next job tries again', async () => {
  const store = await openStore(indexedDb('failing'));
  const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(() => {
    throw new DOMException('Connection to Indexed Database server lost.', 'UnknownError');
  });
  const error = await refused('store-failed', result<void>((done) => store.write([put('meta', 'a', '1')], done)));
  expect(error.message).toContain('Connection to Indexed Database server lost');
  expect(transaction).toHaveBeenCalledTimes(4);
  transaction.mockRestore();
  await write(store, [put('meta', 'a', '1')]);
  await closed(store);
});

test('no room left is store-full, at once, and nothing of the write stays', async () => {
  const store = await openStore(indexedDb('full'));
  const puts = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
    throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
  });
  const ops = [{ kind: 'delete', collection: 'meta', key: 'x' } as const, put('meta', 'a', '1')];
  await refused('store-full', result<void>((done) => store.write(ops, done)));
  expect(puts).toHaveBeenCalledTimes(1);
  puts.mockRestore();
  expect(await read(store, 'meta')).toEqual([]);
  await closed(store);
});

test('a database that is deleted under us is lost, not taken for an empty one', async () => {
  const store = await openStore(indexedDb('evicted'));
  const losses: OxbowError[] = [];
  store.onLost = (error) => losses.push(error);
  await write(store, [put('meta', 'a', '1')]);
  await deleteDB('oxbow/evicted');
  // Nobody has to write for it to be found out.
  await vi.waitFor(() => expect(losses).toHaveLength(1));
  const first = result<void>((done) => store.write([put('meta', 'b', '2')], done));
  const second = result((done) => store.read('meta', { from: '', to: 'z' }, done));
  await refused('store-lost', first);
  await refused('store-lost', second);
  expect(losses.map((error) => error.code)).toEqual(['store-lost']);
  await closed(store);
  const again = await openStore(indexedDb('evicted'));
  expect(again.fresh).toBe(true);
  await closed(again);
});

test('a database that newer code upgrades under us is let go, and then store-newer', async () => {
  const store = await openStore(indexedDb('upgraded'));
  (await openDB('oxbow/upgraded', 99)).close();
  await refused('store-newer', result<void>((done) => store.write([put('meta', 'b', '2')], done)));
  await closed(store);
});

test('who waits for the lock opens when the other has closed', async () => {
  const store = await openStore(indexedDb('waiting'));
  const events: string[] = [];
  const waiting = openStore(indexedDb('waiting', { waitForLock: true })).then((next) => {
    events.push('opened');
    return next;
  });
  await write(store, [put('meta', 'a', '1')]);
  events.push('written');
  await closed(store);
  const next = await waiting;
  expect(events).toEqual(['written', 'opened']);
  expect(await read(next, 'meta')).toEqual([['a', '1']]);
  await closed(next);
});

test('without IndexedDB it is store-unavailable, and the name is free again', async () => {
  vi.stubGlobal('indexedDB', undefined);
  const error = await refused('store-unavailable', result<Store>((done) => indexedDb('absent').open(done)));
  expect(error.message).toContain('memory()');
  await refused('store-unavailable', result<void>((done) => indexedDb('absent').destroy?.(done)));
  vi.stubGlobal('indexedDB', new IDBFactory());
  await closed(await openStore(indexedDb('absent')));
  vi.unstubAllGlobals();
});

test('a browser that never answers is store-unavailable', async () => {
  vi.useFakeTimers();
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementationOnce(() => new EventTarget() as IDBOpenDBRequest);
  const opening = result<Store>((done) => indexedDb('silent').open(done));
  await vi.advanceTimersByTimeAsync(15_000);
  await refused('store-unavailable', opening);
  vi.useRealTimers();
  await closed(await openStore(indexedDb('silent')));
});

test('the browser is asked to keep the store when it is told to, unless it keeps it anyway', async () => {
  let isKept = false;
  const persist = vi.fn(() => Promise.resolve(isKept = true));
  const storage = { persist, persisted: () => Promise.resolve(isKept), estimate: () => Promise.resolve({ usage: 5, quota: 9 }) };
  vi.stubGlobal('navigator', { storage });
  const store = await openStore(indexedDb('kept'));
  await write(store, [put('meta', 'a', '1')]);
  expect(persist).not.toHaveBeenCalled();
  expect(store.asksToBeKept).toBe(true);
  for (let times = 0; times < 2; times++) {
    const condition = await result((done) => store.keep?.(done));
    expect(condition).toEqual({ ok: true, value: { persisted: true, usageBytes: 5, quotaBytes: 9 } });
    expect(persist).toHaveBeenCalledTimes(1);
  }
  await closed(store);
  const quiet = await openStore(indexedDb('kept', { persist: false }));
  expect(quiet.asksToBeKept).toBe(false);
  await closed(quiet);
  vi.unstubAllGlobals();
});

test('where the browser says nothing of its storage, nothing is claimed', async () => {
  vi.stubGlobal('navigator', {});
  const store = await openStore(indexedDb('unsaid'));
  expect(await result((done) => store.condition?.(done))).toEqual({ ok: true, value: {} });
  await closed(store);
  vi.unstubAllGlobals();
});

test('a store that was lost is begun anew in its place, empty', async () => {
  const store = await openStore(indexedDb('renewed'));
  await write(store, [put('meta', 'a', '1')]);
  await deleteDB('oxbow/renewed');
  await refused('store-lost', result<void>((done) => store.write([put('meta', 'b', '2')], done)));
  expect(await result<void>((done) => store.renew?.(done))).toEqual({ ok: true, value: undefined });
  expect(await read(store, 'meta')).toEqual([]);
  await write(store, [put('meta', 'c', '3')]);
  await closed(store);
  const again = await openStore(indexedDb('renewed'));
  expect(await read(again, 'meta')).toEqual([['c', '3']]);
  await closed(again);
});

describe('a witness outside of the store', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** As a browser has it. */
  function stubLocalStorage(): Map<string, string> {
    const items = new Map<string, string>();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => items.set(key, value),
      removeItem: (key: string) => items.delete(key),
    });
    return items;
  }

  test('says what was in a store that is gone: the spaces that nobody else has all of', async () => {
    stubLocalStorage();
    const first = await openStore(indexedDb('witnessed'));
    expect(first.vanished).toBeUndefined();
    for (const space of ['ann', 'bob', 'cy']) first.noteUnsynced?.(space, true);
    first.noteUnsynced?.('bob', false);
    await closed(first);
    await deleteDB('oxbow/witnessed');
    const second = await openStore(indexedDb('witnessed'));
    expect(second.vanished).toEqual(['ann', 'cy']);
    await closed(second);
    const third = await openStore(indexedDb('witnessed'));
    expect(third.vanished).toBeUndefined();
    await closed(third);
  });

  test('says nothing of a store that was destroyed on purpose, or that others have all of', async () => {
    const items = stubLocalStorage();
    const first = await openStore(indexedDb('purpose'));
    first.noteUnsynced?.('ann', true);
    await closed(first);
    await result<void>((done) => indexedDb('purpose').destroy?.(done));
    expect(items.size).toBe(0);
    const second = await openStore(indexedDb('purpose'));
    expect(second.vanished).toBeUndefined();
    await closed(second);
    await deleteDB('oxbow/purpose');
    const third = await openStore(indexedDb('purpose'));
    expect(third.vanished).toEqual([]);
    await closed(third);
  });

  test('that is blocked or nonsense disturbs nothing', async () => {
    const items = stubLocalStorage();
    items.set('oxbow/odd', '{');
    const first = await openStore(indexedDb('odd'));
    expect(first.vanished).toEqual([]);
    await closed(first);
    const blocked = () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError');
    };
    vi.stubGlobal('localStorage', { getItem: blocked, setItem: blocked, removeItem: blocked });
    const second = await openStore(indexedDb('odd'));
    expect(second.vanished).toBeUndefined();
    second.noteUnsynced?.('ann', true);
    await closed(second);
  });
});
