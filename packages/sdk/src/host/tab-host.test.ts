import { describe, expect, test } from 'vitest';
import { MemoryTabs } from '../drivers/testing/memory-tabs.js';
import type { MemoryTab } from '../drivers/testing/memory-tabs.js';
import { memory } from '../drivers/storage-memory.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import type { Storage } from '../drivers/storage.js';
import type { SpaceReplica } from '../replica/space.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { ManualClock, seededEntropy } from './testing/manual-clock.js';
import { TestServer } from './testing/test-server.js';
import { items, put, type App } from './testing/world.js';
import { TabHost } from './tab-host.js';

type Shared = Storage & Required<Pick<Storage, 'share' | 'sharedName'>>;

interface Tab {
  readonly host: TabHost<App>;
  readonly driver: MemoryTab;
  readonly clock: FreezableClock;
  readonly reports: string[];
  open(): Promise<SpaceReplica<App>>;
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

function profile() {
  const clock = new ManualClock();
  const server = new TestServer(app);
  const tabs = new MemoryTabs();
  const made = memory();
  if (made.share === undefined || made.sharedName === undefined) throw new Error('memory is shared');
  // reason: just asked.
  const storage = made as Shared;
  let seed = 0;
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
    const open = async (): Promise<SpaceReplica<App>> => {
      let space: SpaceReplica<App> | undefined;
      host.open('room', (result) => {
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
});
