/**
 * What every storage driver promises, as a list that any runner can go through: vitest here, a page
 * in a real browser (test/e2e/storage-laws.browser.test.ts). So it asserts with plain throws.
 */
import { OxbowError } from '../../protocol/index.js';
import * as limits from '../../protocol/limits.js';
import { COLLECTIONS } from '../storage.js';
import type { Collection, Done, Storage, Store, StoreOp } from '../storage.js';

/** What a law needs of the driver that it tries. */
export interface StorageBench {
  /** The kind that its stores say they are. */
  readonly kind: string;
  /** A driver for the place of that name; the same place for the same name. Places start empty. */
  storage(place: string): Storage;
  /**
   * Makes a place look as newer code would have left it. Absent where stores do not outlive the
   * code.
   */
  writtenByNewerCode?(place: string): Promise<void>;
}

export interface StorageLaw {
  readonly name: string;
  run(bench: StorageBench): Promise<void>;
}

type Pair = readonly [key: string, value: string];

/** Above every key that is allowed. */
const ALL = { from: '', to: '\uffff'.repeat(limits.storeKeyUnitsMax + 1) };

/**
 * Every kind of code unit that has ever been sorted wrongly: controls, Latin, surrogates, the end
 * of the plane.
 */
const ODD_KEYS = [
  '', '\u0000', '\u0000\u0000', '\u0001', ' ', '"', '0', '10', '2', 'A', 'B', 'a', 'a\u0000', 'a\u0000b', 'aa',
  'b', '~', '\u007f', '\u0080', 'ß', 'é', 'e\u0301', '\u07ff', '\u0800', 'ÿ', '中', '\ud7ff', '😀', '😀a', '𝒳',
  '\ud83d', '\ude00', '\ue000', '\ufdd0', '\ufeff', '\ufffd', '\ufffe', '\uffff', '\uffffa',
];

export const storageLaws: readonly StorageLaw[] = [
  law('a new place is empty, and says that it is new', async (bench) => {
    const store = await opened(bench, 'new');
    equal(store.kind, bench.kind, 'kind');
    equal(store.fresh, true, 'fresh');
    for (const collection of COLLECTIONS) equal(await read(store, collection), [], collection);
    await closed(store);
  }),

  law('what was written is there after reopening, and the store is no longer new', async (bench) => {
    const first = await opened(bench, 'reopen');
    await write(first, COLLECTIONS.map((collection) => put(collection, 'k', `of ${collection}`)));
    await closed(first);
    const second = await opened(bench, 'reopen');
    equal(second.fresh, false, 'fresh');
    for (const collection of COLLECTIONS) {
      equal(await read(second, collection), [['k', `of ${collection}`]], collection);
    }
    await closed(second);
  }),

  law('places do not see each other', async (bench) => {
    const one = await opened(bench, 'one');
    const two = await opened(bench, 'two');
    await write(one, [put('meta', 'k', '1')]);
    equal(await read(two, 'meta'), [], 'the other place');
    await closed(one);
    await closed(two);
  }),

  law('keys come back in the order of their code units, whatever they are made of', async (bench) => {
    const store = await opened(bench, 'order');
    const shuffled = [...ODD_KEYS].reverse();
    await write(store, shuffled.map((key) => put('pages', key, JSON.stringify(key))));
    const expected = [...ODD_KEYS].sort().map((key): Pair => [key, JSON.stringify(key)]);
    equal(await read(store, 'pages'), expected, 'all keys');
    await closed(store);
  }),

  law('a range holds its lower bound and not its upper bound', async (bench) => {
    const store = await opened(bench, 'range');
    await write(store, ODD_KEYS.map((key) => put('entries', key, 'v')));
    const sorted = [...ODD_KEYS].sort();
    for (const [from, to] of pairsOf(['', 'a', 'a\u0000', 'b', '\u0001', '😀', '\ue000', '\uffff'])) {
      const expected = sorted.filter((key) => key >= from && key < to);
      const keys = (await read(store, 'entries', { from, to })).map(([key]) => key);
      equal(keys, expected, `from ${JSON.stringify(from)} to ${JSON.stringify(to)}`);
    }
    await closed(store);
  }),

  law('an empty or reversed range holds nothing', async (bench) => {
    const store = await opened(bench, 'empty-range');
    await write(store, [put('meta', 'b', 'v')]);
    equal(await read(store, 'meta', { from: 'b', to: 'b' }), [], 'empty');
    equal(await read(store, 'meta', { from: 'c', to: 'a' }), [], 'reversed');
    await closed(store);
  }),

  law('the ops of one write happen in their order', async (bench) => {
    const store = await opened(bench, 'ops-order');
    await write(store, [put('meta', 'a', '1'), put('meta', 'a', '2'), remove('meta', 'a'), put('meta', 'b', '1')]);
    await write(store, [put('meta', 'a', '3'), remove('meta', 'b'), put('meta', 'b', '2'), remove('meta', 'none')]);
    equal(await read(store, 'meta'), [['a', '3'], ['b', '2']], 'meta');
    await closed(store);
  }),

  law('a write that is refused leaves nothing behind', async (bench) => {
    const store = await opened(bench, 'atomic');
    await write(store, [put('meta', 'a', 'old')]);
    const long = 'k'.repeat(limits.storeKeyUnitsMax + 1);
    const ops = [put('meta', 'a', 'new'), put('updates', 'u', '1'), put('pages', long, 'v'), remove('meta', 'a')];
    await refused('store-key-too-long', result((done) => store.write(ops, done)));
    equal(await read(store, 'meta'), [['a', 'old']], 'meta');
    equal(await read(store, 'updates'), [], 'updates');
    await closed(store);
  }),

  law('the longest allowed key fits, of any characters', async (bench) => {
    const store = await opened(bench, 'long-key');
    const keys = ['\u0000', 'k', 'é', '中', '\uffff'].map((char) => char.repeat(limits.storeKeyUnitsMax));
    await write(store, keys.map((key) => put('pages', key, 'v')));
    equal((await read(store, 'pages')).map(([key]) => key), keys, 'keys');
    await closed(store);
  }),

  law('a write without ops is done, and later', async (bench) => {
    const store = await opened(bench, 'no-ops');
    await write(store, []);
    await closed(store);
  }),

  law('callbacks never come in the turn of the call', async (bench) => {
    const storage = bench.storage('turns');
    const store = await later<Store>((done) => storage.open(done));
    await later<void>((done) => store.write([put('meta', 'a', '1')], done));
    await later((done) => store.read('meta', ALL, done));
    await later((done) => store.read('meta', { from: 'b', to: 'a' }, done));
    await later<void>((done) => store.close(done));
    await refused('store-closed', laterResult((done) => store.read('meta', ALL, done)));
  }),

  law('what is asked for at once is done in the order of asking, and reads see the writes before them', async (bench) => {
    const store = await opened(bench, 'concurrent');
    const finished: number[] = [];
    const seen: string[] = [];
    const jobs: Promise<unknown>[] = [];
    for (let n = 0; n < 40; n++) {
      jobs.push(write(store, [put('meta', 'n', String(n))]).then(() => finished.push(n * 2)));
      jobs.push(read(store, 'meta').then((pairs) => {
        seen.push(pairs[0]?.[1] ?? 'none');
        finished.push(n * 2 + 1);
      }));
    }
    await Promise.all(jobs);
    equal(finished, Array.from({ length: 80 }, (_, n) => n), 'order of completion');
    equal(seen, Array.from({ length: 40 }, (_, n) => String(n)), 'what the reads saw');
    await closed(store);
  }),

  law('values of any size and script come back as they were', async (bench) => {
    const store = await opened(bench, 'values');
    const values = ['', ' ', '\u0000', '😀 中 é "\\', ...[63, 64, 65, 1024, 3000].map((kib) => 'x中"😀'.repeat((kib * 1024) / 5))];
    await write(store, values.map((value, at) => put('pages', String(at), value)));
    await closed(store);
    const again = await opened(bench, 'values');
    equal((await read(again, 'pages')).map(([, value]) => value), values, 'values');
    await closed(again);
  }),

  law('one write carries ten thousand ops, and one read as many', async (bench) => {
    const store = await opened(bench, 'many');
    const keys = Array.from({ length: 10_000 }, (_, n) => String(n).padStart(6, '0'));
    await write(store, keys.map((key) => put('updates', key, `value ${key}`)));
    equal((await read(store, 'updates')).map(([key]) => key), keys, 'keys');
    await write(store, keys.filter((_, n) => n % 2 === 0).map((key) => remove('updates', key)));
    equal((await read(store, 'updates')).length, 5_000, 'what is left');
    await closed(store);
  }),

  law('a closed store refuses further use, and closing twice is harmless', async (bench) => {
    const store = await opened(bench, 'closed');
    const last = write(store, [put('meta', 'last', '1')]);
    const closing = closed(store);
    await refused('store-closed', result((done) => store.write([put('meta', 'late', '1')], done)));
    await last;
    await closing;
    await closed(store);
    await refused('store-closed', result((done) => store.read('meta', ALL, done)));
    const again = await opened(bench, 'closed');
    equal(await read(again, 'meta'), [['last', '1']], 'what was asked for before the close');
    await closed(again);
  }),

  law('a place has one user at a time', async (bench) => {
    const store = await opened(bench, 'in-use');
    await refused('store-in-use', result<Store>((done) => bench.storage('in-use').open(done)));
    await closed(store);
    await closed(await opened(bench, 'in-use'));
  }),

  law('jobs that wait are bounded', async (bench) => {
    const store = await opened(bench, 'busy');
    const outcomes = Array.from({ length: limits.storeJobsMax + 10 }, () =>
      result((done) => store.read('meta', ALL, done)).then((got) => (got.ok ? 'ok' : got.error.code)));
    const settled = await Promise.all(outcomes);
    equal(settled.filter((outcome) => outcome === 'store-busy').length > 0, true, 'some are refused');
    equal(settled.filter((outcome) => outcome === 'ok').length >= limits.storeJobsMax, true, 'the others are done');
    equal(await read(store, 'meta'), [], 'the store goes on');
    await closed(store);
  }),

  law('a destroyed place is new again; one in use is not destroyed', async (bench) => {
    const store = await opened(bench, 'destroyed');
    await write(store, [put('meta', 'a', '1')]);
    const storage = bench.storage('destroyed');
    await refused('store-in-use', result<void>((done) => mustDestroy(storage, done)));
    equal(await read(store, 'meta'), [['a', '1']], 'still there');
    await closed(store);
    await value(result<void>((done) => mustDestroy(storage, done)));
    await value(result<void>((done) => mustDestroy(storage, done)));
    const again = await opened(bench, 'destroyed');
    equal(again.fresh, true, 'fresh');
    equal(await read(again, 'meta'), [], 'meta');
    await closed(again);
  }),
];

/** For places that outlive the code which wrote them. */
export const newerStoreLaw: StorageLaw = law(
  'a place written by newer code is refused and left as it is',
  async (bench) => {
    await bench.writtenByNewerCode?.('newer');
    await refused('store-newer', result<Store>((done) => bench.storage('newer').open(done)));
    await refused('store-newer', result<Store>((done) => bench.storage('newer').open(done)));
  },
);

/** The laws that this driver can be held to. */
export function lawsFor(bench: StorageBench): readonly StorageLaw[] {
  return bench.writtenByNewerCode === undefined ? storageLaws : [...storageLaws, newerStoreLaw];
}

function law(name: string, run: (bench: StorageBench) => Promise<void>): StorageLaw {
  return { name, run };
}

// Small words that the laws (and the drivers' own tests) are written in.

export const put = (collection: Collection, key: string, text: string): StoreOp => ({
  kind: 'put',
  collection,
  key,
  value: text,
});

export const remove = (collection: Collection, key: string): StoreOp => ({ kind: 'delete', collection, key });

type Result<T> = Parameters<Done<T>>[0];

export const result = <T>(call: (done: Done<T>) => void): Promise<Result<T>> =>
  new Promise((resolve) => call(resolve));

export async function value<T>(promise: Promise<Result<T>>): Promise<T> {
  const got = await promise;
  if (!got.ok) throw got.error;
  return got.value;
}

export const openStore = (storage: Storage): Promise<Store> =>
  value(result<Store>((done) => storage.open(done)));

export const read = (store: Store, collection: Collection, range = ALL): Promise<readonly Pair[]> =>
  value(result<readonly Pair[]>((done) => store.read(collection, range, done)));

export const write = (store: Store, ops: readonly StoreOp[]): Promise<void> =>
  value(result<void>((done) => store.write(ops, done)));

export const closed = (store: Store): Promise<void> => value(result<void>((done) => store.close(done)));

export async function refused(code: string, promise: Promise<Result<unknown>>): Promise<OxbowError> {
  const got = await promise;
  if (got.ok) throw new Error(`Expected '${code}', but it was done`);
  if (!(got.error instanceof OxbowError)) throw new Error(`Expected '${code}', got ${String(got.error)}`);
  equal(got.error.code, code, `code of: ${got.error.message}`);
  return got.error;
}

const opened = (bench: StorageBench, place: string): Promise<Store> => openStore(bench.storage(place));

function laterResult<T>(call: (done: Done<T>) => void): Promise<Result<T>> {
  return new Promise((resolve, reject) => {
    let hasReturned = false;
    call((got) => (hasReturned ? resolve(got) : reject(new Error('The callback came in the turn of the call'))));
    hasReturned = true;
  });
}

const later = <T>(call: (done: Done<T>) => void): Promise<T> => value(laterResult(call));

function mustDestroy(storage: Storage, done: Done<void>): void {
  if (storage.destroy === undefined) throw new Error('This driver cannot destroy');
  storage.destroy(done);
}

function pairsOf(items: readonly string[]): (readonly [string, string])[] {
  return items.flatMap((from) => items.map((to) => [from, to] as const));
}

function equal(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: got ${cut(got)}, expected ${cut(wanted)}`);
}

const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
