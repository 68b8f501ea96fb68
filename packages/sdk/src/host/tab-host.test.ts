import { describe, expect, test } from 'vitest';
import { MemoryTabs } from '../drivers/testing/memory-tabs.js';
import type { MemoryTab } from '../drivers/testing/memory-tabs.js';
import { memory } from '../drivers/storage-memory.js';
import { fillable } from '../drivers/testing/fillable.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { COLLECTIONS, type Storage, type Store } from '../drivers/storage.js';
import type { TabDriver } from '../drivers/tab-driver.js';
import { promised } from './promised.js';
import { OxbowError, type SpaceId } from '../protocol/index.js';
import type { SpaceReplica } from '../replica/space.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { ManualClock, seededEntropy } from './testing/manual-clock.js';
import { TestServer } from './testing/test-server.js';
import { items, put, type App } from './testing/world.js';
import { TabHost } from './tab-host.js';

// reason: a test names its space itself.
const ROOM = 'room' as SpaceId;

type Shared = Storage & Required<Pick<Storage, 'share' | 'sharedName'>>;

interface Tab {
  readonly host: TabHost<App>;
  readonly driver: MemoryTab;
  readonly clock: FreezableClock;
  readonly reports: string[];
  open(name?: string): Promise<SpaceReplica<App>>;
  crash(): Promise<void>;
}

/** A tab's own clock: it may stand still with all that comes to the tab. */
class FreezableClock {
  readonly #clock: ManualClock;
  #held: (() => void)[] | undefined;
  #isDead = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#clock.after(delayMs, () => this.#run(task));
  }

  readonly soon = (task: () => void): void => this.#clock.soon(() => this.#run(task));

  freeze(): void {
    this.#held ??= [];
  }

  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const task of held) this.soon(task);
  }

  die(): void {
    this.#isDead = true;
  }

  #run(task: () => void): void {
    if (this.#isDead) return;
    if (this.#held === undefined) task();
    else this.#held.push(task);
  }
}

/** `of`: a world that others live in, too. */
function profile(of: {
  readonly clock?: ManualClock; readonly server?: TestServer; readonly storage?: Storage;
  readonly seed?: number;
} = {}) {
  const { clock = new ManualClock(), server = new TestServer(app), storage: made = memory() } = of;
  const tabs = new MemoryTabs();
  if (made.share === undefined || made.sharedName === undefined) throw new Error('memory is shared');
  // reason: just asked.
  const storage = made as Shared;
  let { seed = 0 } = of;
  const settle = async (): Promise<void> => {
    // The store answers in microtasks of its own.
    for (let i = 0; i < 60; i++) {
      clock.settle();
      await Promise.resolve();
    }
  };
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.pass(250);
      await settle();
    }
  };
  const start = async (): Promise<Tab> => {
    const own = new FreezableClock(clock);
    const driver = tabs.tab(own.soon);
    const reports: string[] = [];
    const host = new TabHost<App>({
      app, clock: own, entropy: seededEntropy(++seed), dev: true, storage,
      transports: [memoryTransport({ clock: own, accept: server.accept })],
      onReport: (error) => reports.push(error.code),
    }, driver, storage);
    host.start((result) => { if (!result.ok) throw result.error; });
    await settle();
    const open = async (name = 'room'): Promise<SpaceReplica<App>> => {
      let space: SpaceReplica<App> | undefined;
      host.open(name, (result) => {
        if (!result.ok) throw result.error;
        space = result.value;
      });
      await settle();
      if (space === undefined) throw new Error('not opened');
      return space;
    };
    const crash = async (): Promise<void> => {
      own.die();
      driver.die();
      await settle();
    };
    return { host, driver, clock: own, reports, open, crash };
  };
  return { clock, server, storage, start, settle, pass };
}

/** A store like it, as somebody copies the profile's folder. */
async function copyOf(storage: Shared): Promise<Storage> {
  const copy = memory();
  const opened = (of: Storage): Promise<Store> => new Promise((resolve, reject) => {
    // Beside those that have it open.
    (of.share ?? of.open).call(of, (result) => (result.ok ? resolve(result.value) : reject(result.error)));
  });
  const [from, to] = [await opened(storage), await opened(copy)];
  for (const collection of COLLECTIONS) {
    const pairs = await promised<readonly (readonly [string, string])[]>((done) =>
      from.read(collection, { from: '', to: '\uffff' }, done));
    const ops = pairs.map(([key, value]) => ({ kind: 'put', collection, key, value } as const));
    await promised<void>((done) => to.write(ops, done));
  }
  for (const store of [from, to]) await promised<void>((done) => store.close(done));
  return copy;
}

describe('tabs of one profile', () => {
  test('write each under its own seat, show what the others write, and have receipts for all of it', async () => {
    const { start, settle } = profile();
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    const first = a.mutate('put', put('x'), 1);
    const second = b.mutate('put', put('y'), 2);
    expect([first.id.replica, second.id.replica]).toEqual([a.profile, `${a.profile}_1`]);
    expect(items(b)).toContain('y@a');
    await settle();
    expect(items(a)).toEqual(['x@a', 'y@a']);
    expect(items(b)).toEqual(['x@a', 'y@a']);
    expect([first.stage, second.stage]).toEqual(['committed', 'committed']);
    expect(a.receipt(second.id)?.stage).toBe('committed');
    expect([one.reports, two.reports]).toEqual([[], []]);
  });

  test('say saved when the disk of the one that keeps it has the update, offline too', async () => {
    const { start, settle } = profile();
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    two.host.goOffline();
    await settle();
    expect(one.host.machine.isOnline).toBe(false);
    const receipt = b.mutate('put', put('y'), 2);
    expect(receipt.stage).toBe('local');
    await settle();
    expect(receipt.stage).toBe('saved');
    expect(a.pending().map(({ own, receipt: of }) => [own, of?.stage])).toEqual([[true, 'saved']]);
    one.host.goOnline();
    await settle();
    expect(receipt.stage).toBe('committed');
  });

  test('are told where the page may hold no lock, and do not wait for one for ever', async () => {
    const { clock, storage } = profile();
    const driver: TabDriver = {
      lock: (_name, _how, { lost }) => {
        clock.soon(lost);
        return () => undefined;
      },
      channel: () => ({ post: () => undefined, close: () => undefined }),
    };
    const host = new TabHost<App>({
      app, clock, entropy: seededEntropy(1), dev: true, storage, transports: [],
    }, driver, storage);
    let code = '';
    host.start((result) => { code = result.ok ? 'started' : result.error.code; });
    clock.settle();
    expect(code).toBe('store-unavailable');
  });

  test('take the place of one that crashes: nothing is lost or done twice', async () => {
    const { start, settle, server } = profile();
    const [one, two, three] = [await start(), await start(), await start()];
    const [a, b, c] = [await one.open(), await two.open(), await three.open()];
    a.mutate('put', put('x'), 1);
    await settle();
    b.mutate('put', put('y'), 2);
    await one.crash();
    const late = c.mutate('put', put('z'), 3);
    await settle();
    expect(items(b)).toEqual(['x@a', 'y@a', 'z@a']);
    expect(items(c)).toEqual(['x@a', 'y@a', 'z@a']);
    expect(late.stage).toBe('committed');
    const four = await start();
    const d = await four.open();
    const again = d.mutate('put', put('w'), 4);
    // The seat of the one that crashed, and on with its sequence.
    expect(again.id).toEqual({ replica: a.profile, seq: 2 });
    await settle();
    expect(again.stage).toBe('committed');
    expect(items(c)).toEqual(['w@a', 'x@a', 'y@a', 'z@a']);
    expect(server).toBeDefined();
  });

  test('take the lead from one that is frozen; thawed, it hands over what it had not saved', async () => {
    const { start, settle, pass } = profile();
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    const unsaved = a.mutate('put', put('x'), 1);
    one.clock.freeze();
    await settle();
    const waiting = b.mutate('put', put('y'), 2);
    await settle();
    expect(waiting.stage).toBe('local');
    await pass(12_000);
    expect(waiting.stage).toBe('committed');
    expect(items(b)).toEqual(['y@a']);
    one.clock.thaw();
    await settle();
    await pass(3_000);
    expect(unsaved.stage).toBe('committed');
    expect(items(a)).toEqual(['x@a', 'y@a']);
    expect(items(b)).toEqual(['x@a', 'y@a']);
    a.mutate('put', put('z'), 3);
    await settle();
    expect(items(b)).toEqual(['x@a', 'y@a', 'z@a']);
  });

  test('start on a full disk with what it holds, and save what they write when there is room', async () => {
    const storage = fillable(memory());
    const { start, settle, pass } = profile({ storage });
    const before = await start();
    const first = (await before.open()).mutate('put', put('x'), 1);
    await settle();
    expect(first.stage).toBe('committed');
    before.host.close(() => undefined);
    await settle();
    storage.isFull = true;
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    expect(items(a)).toEqual(['x@a']);
    two.host.goOffline();
    await settle();
    const [mine, theirs] = [a.mutate('put', put('y'), 2), b.mutate('put', put('z'), 3)];
    await pass(1_000);
    expect(one.reports).toEqual(['store-full']);
    expect(two.host.facts(ROOM)?.stalled?.code).toBe('store-full');
    // What is on no disk is not passed on.
    expect([items(a), items(b)]).toEqual([['x@a', 'y@a', 'z@a'], ['x@a', 'z@a']]);
    expect([mine.stage, theirs.stage]).toEqual(['local', 'local']);
    storage.isFull = false;
    await pass(5_000);
    expect([mine.stage, theirs.stage]).toEqual(['saved', 'saved']);
    expect(items(b)).toEqual(['x@a', 'y@a', 'z@a']);
    two.host.goOnline();
    await settle();
    expect([mine.stage, theirs.stage]).toEqual(['committed', 'committed']);
  });

  test('all say why the server takes nothing of them, and no more once it does', async () => {
    const server = new TestServer(app);
    const { start, settle, pass } = profile({ server });
    server.space('room').isReadOnly = true;
    const [one, two] = [await start(), await start()];
    await one.open();
    const written = (await two.open()).mutate('put', put('x'), 1);
    await pass(1_000);
    const codes = (): unknown[] => [one, two].map(({ host }) => host.facts(ROOM)?.stalled?.code);
    expect([written.stage, ...codes()]).toEqual(['saved', 'forbidden', 'forbidden']);
    server.space('room').isReadOnly = false;
    two.host.goOffline();
    await settle();
    two.host.goOnline();
    await settle();
    expect([written.stage, ...codes()]).toEqual(['committed', undefined, undefined]);
  });

  test('close with all they wrote saved where the store is taken over again in the midst of it', async () => {
    const storage = fillable(memory());
    const { start, settle, pass } = profile({ storage });
    storage.isFull = true;
    const one = await start();
    const a = await one.open();
    one.host.goOffline();
    const receipt = a.mutate('put', put('x'), 1);
    await pass(1_000);
    let closed: unknown;
    one.host.close((result) => { closed = result; });
    await settle();
    storage.isFull = false;
    await pass(5_000);
    expect(closed).toEqual({ ok: true, value: undefined });
    expect(receipt.stage).toBe('saved');
    const again = await (await start()).open();
    expect(items(again)).toEqual(['x@a']);
  });

  test('take the store over later where it cannot be opened at first, and say so once', async () => {
    const made = memory();
    let isBroken = false;
    const storage: Storage = {
      ...made,
      open: (done) => made.open(done),
      share: (done) => {
        if (!isBroken) return made.share?.(done);
        done({ ok: false, error: new OxbowError('store-newer', 'simulated') });
      },
    };
    const { start, settle, pass } = profile({ storage });
    const [one, two] = [await start(), await start()];
    await one.open();
    const b = await two.open();
    isBroken = true;
    await one.crash();
    const receipt = b.mutate('put', put('x'), 1);
    await pass(20_000);
    expect(receipt.stage).toBe('local');
    expect(two.reports).toEqual(['store-newer']);
    isBroken = false;
    await pass(20_000);
    await settle();
    expect(receipt.stage).toBe('committed');
  });

  test('stay online when the one that keeps the network closes', async () => {
    const { start, settle } = profile();
    const [one, two] = [await start(), await start()];
    await one.open();
    const b = await two.open();
    one.host.close(() => undefined);
    await settle();
    const receipt = b.mutate('put', put('y'), 2);
    await settle();
    expect(two.host.machine.isOnline).toBe(true);
    expect(receipt.stage).toBe('committed');
  });

  test('close with all they wrote saved, and leave their seat to the next', async () => {
    const { start, settle } = profile();
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    two.host.goOffline();
    await settle();
    const receipt = b.mutate('put', put('y'), 2);
    let closed: unknown;
    two.host.close((result) => { closed = result; });
    await settle();
    expect(closed).toEqual({ ok: true, value: undefined });
    expect(receipt.stage).toBe('saved');
    expect(items(a)).toEqual(['y@a']);
    const three = await start();
    const c = await three.open();
    expect(c.mutate('put', put('z'), 3).id).toEqual({ replica: `${a.profile}_1`, seq: 2 });
    one.host.close(() => undefined);
    await settle();
    three.host.goOnline();
    await settle();
    expect(c.pending()).toEqual([]);
    expect(items(c)).toEqual(['y@a', 'z@a']);
  });

  test('name all spaces with something unsynced, whichever of them has the space open', async () => {
    const { start, settle } = profile();
    const [one, two] = [await start(), await start()];
    await two.open();
    one.host.goOffline();
    await settle();
    const other = await one.open('other');
    other.mutate('put', put('x'), 1);
    await settle();
    const spaces = async (tab: Tab) => {
      let named: readonly string[] = [];
      tab.host.spacesWithUpdates((all) => { named = [...all].sort(); });
      await settle();
      return named;
    };
    expect(await spaces(one)).toContain('other');
    expect(await spaces(two)).toEqual(['other', 'room']);
    // And it comes, though only the disk of the other has it.
    const brought = await two.open('other');
    expect(brought.pending().map(({ name, own }) => [name, own])).toEqual([['put', true]]);
  });

  test('ask the browser to keep the store from whichever tab somebody looks at', async () => {
    const storage = memory();
    const share = storage.share?.bind(storage);
    let asked = 0;
    storage.share = (done) => share?.((result) => {
      if (result.ok) {
        const keep: Store['keep'] = (answer) => {
          asked++;
          queueMicrotask(() => answer({ ok: true, value: { persisted: true } }));
        };
        Object.assign(result.value, { keep });
      }
      done(result);
    });
    const { start, settle } = profile({ storage });
    await start();
    const two = await start();
    expect(two.host.storage.condition.persisted).not.toBe(true);
    let kept: boolean | undefined;
    two.host.keepStorage((result) => { kept = result.ok && result.value; });
    await settle();
    expect([kept, asked]).toEqual([true, 1]);
    expect(two.host.storage.condition.persisted).toBe(true);
  });

  test('show a conflict in every one, until it is acknowledged in any; the disk forgets it, too', async () => {
    const { start, settle } = profile();
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    b.mutate('move', { id: 'none', shelf: 'a' }, 1);
    a.mutate('move', { id: 'none', shelf: 'b' }, 2);
    await settle();
    const listed = (space: SpaceReplica<App>) => space.conflicts().map(({ id }) => id.replica).sort();
    const both = [a.profile, `${a.profile}_1`];
    expect([listed(a), listed(b)]).toEqual([both, both]);
    const [first, second] = [...a.conflicts()].sort((x, y) => (x.id.replica < y.id.replica ? -1 : 1));
    if (first === undefined || second === undefined) throw new Error('two conflicts');
    // Each by the other tab than the one that wrote it.
    a.dismiss(second.id);
    b.dismiss(first.id);
    await settle();
    expect([listed(a), listed(b)]).toEqual([[], []]);
    await one.crash();
    await two.crash();
    const later = await (await start()).open();
    expect(listed(later)).toEqual([]);
  });

  test('get another id together when a copy of their store writes under theirs; each update is done once', async () => {
    const { clock, server, storage, start, settle, pass } = profile();
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    a.mutate('bump', { id: 'n' }, 1);
    b.mutate('bump', { id: 'n' }, 2);
    await settle();
    const { profile: former } = a;
    const copy = profile({ clock, server, storage: await copyOf(storage), seed: 50 });
    one.host.goOffline();
    await settle();
    const receipts = [a, b, a, b].map((space, i) => space.mutate('bump', { id: 'n' }, 10 + i));
    await settle();
    // The copy writes under both of the former seats.
    for (const tab of [await copy.start(), await copy.start()]) {
      (await tab.open()).mutate('bump', { id: 'copied' }, 100);
    }
    await copy.pass(5_000);
    one.host.goOnline();
    await pass(180_000);
    expect(receipts.map(({ stage }) => stage)).toEqual(receipts.map(() => 'committed'));
    const total = (id: string) => [a, b].map((space) =>
      space.query((tx) => tx.counter.get(id)?.value ?? 0, { view: 'committed' }));
    expect([total('n'), total('copied')]).toEqual([[6, 6], [2, 2]]);
    expect([a.profile === former, a.profile === b.profile]).toEqual([false, true]);
    expect([a.replica, b.replica]).toEqual([a.profile, `${a.profile}_1`]);
    const more = b.mutate('bump', { id: 'n' }, 1_000);
    await pass(2_000);
    expect([more.stage, total('n')]).toEqual(['committed', [7, 7]]);
  });

  test('are told alike what a restored server has forgotten, also by the next that keeps the disk', async () => {
    const { start, settle, pass, server } = profile();
    const [one, two] = [await start(), await start()];
    const [a, b] = [await one.open(), await two.open()];
    a.mutate('put', put('x'), 1);
    await settle();
    b.mutate('put', put('y'), 2);
    a.mutate('put', put('z'), 3);
    await settle();
    // It comes later, and holds none of their commits: only the keeper's words tell it.
    const three = await start();
    const c = await three.open();
    const restoreTo = async (csn: number, history: string): Promise<void> => {
      server.stop();
      server.space('room').primary.rollBack(csn, history);
      server.isDown = false;
      await pass(5_000);
    };
    const inbox = (space: SpaceReplica<App>) => space.conflicts()
      .map(({ id, outcome }) => `${id.replica.slice(a.profile.length)}/${id.seq} ${outcome.kind}`).sort();

    const former = a.profile;
    await restoreTo(1, 'two');
    expect([a.profile === former, b.profile === a.profile, c.profile === a.profile]).toEqual([false, true, true]);
    const told = ['/2 rolled-back', '_1/1 rolled-back'];
    expect([inbox(a), inbox(b), inbox(c)]).toEqual([told, told, told]);
    expect([items(a), items(b), items(c)]).toEqual([['x@a'], ['x@a'], ['x@a']]);

    const [record] = b.conflicts();
    if (record === undefined) throw new Error('nothing to ask for again');
    b.retry(record.id, undefined, 4);
    await settle();
    expect([items(a).length, inbox(a).length, inbox(c).length]).toEqual([2, 1, 1]);

    await one.crash();
    await pass(3_000);
    const keeper = [b, c].find(({ isKeeper }) => isKeeper);
    expect(keeper?.head.former).toContain(former);
    await restoreTo(0, 'three');
    // What was asked for again is gone again; of 'x' only its number is known.
    expect([inbox(b).length, inbox(c).length]).toEqual([2, 2]);
    expect([...two.reports, ...three.reports]).toContain('updates-rolled-back');
  });
});
