/** What a replica does when its store fails, is deleted under it, or is gone at the start. */
import { describe, expect, it } from 'vitest';
import { limits } from '../protocol/index.js';
import type { ManualClock } from './testing/manual-clock.js';
import { ManualStorage } from './testing/manual-storage.js';
import { items, put, world } from './testing/world.js';

/** A store in memory answers in a turn of its own. */
async function later(clock: ManualClock): Promise<void> {
  for (let turns = 0; turns < 20; turns++) {
    clock.settle();
    await Promise.resolve();
  }
}

describe('a store that is deleted while it is open', () => {
  it('is written anew out of memory, and the next start finds all of it', () => {
    const { clock, server, start, open } = world();
    const first = start();
    const space = open(first.host);
    for (const id of ['x', 'y']) space.mutate('put', put(id), clock.now());
    clock.settle();
    server.isDown = true;
    server.stop();
    const receipt = space.mutate('put', put('z'), clock.now());
    clock.settle();
    expect(receipt.stage).toBe('saved');
    first.storage.isRenewable = true;
    first.storage.lose();
    clock.settle();
    expect(first.reports).toEqual(['store-lost']);
    expect(first.host.storage).toMatchObject({ kind: 'manual', loss: undefined });
    const again = start(first.storage.copy());
    const after = open(again.host);
    expect(items(after, 'committed')).toEqual(['x@a', 'y@a']);
    expect(items(after)).toEqual(['x@a', 'y@a', 'z@a']);
    expect(again.reports).toEqual([]);
    server.isDown = false;
    clock.pass(60_000);
    expect(items(after, 'committed')).toEqual(['x@a', 'y@a', 'z@a']);
    expect(server.space('room').primary.csn).toBe(3);
  });

  it('does not give a space that was not open the numbers that it may have used before', () => {
    const { clock, start, open } = world();
    const { host, storage } = start();
    const before = host.machine.replica;
    const room = open(host);
    room.mutate('put', put('x'), clock.now());
    clock.settle();
    storage.isRenewable = true;
    storage.lose();
    clock.settle();
    expect(open(host, 'other').replica).not.toBe(before);
    expect(room.replica).toBe(before);
  });

  it('lets a space open that is just being read, from whatever takes its place', () => {
    const { clock, start } = world();
    const { host, storage } = start();
    storage.isRenewable = true;
    const opened: string[] = [];
    host.open('room', (result) => opened.push(result.ok ? 'opened' : result.error.code));
    storage.lose();
    clock.settle();
    expect(opened).toEqual(['opened']);
  });

  it('goes on in memory where it cannot be begun anew, and says so', async () => {
    const { clock, start, open } = world();
    const { host, storage, reports } = start();
    const space = open(host);
    storage.lose();
    await later(clock);
    const receipt = space.mutate('put', put('x'), clock.now());
    await later(clock);
    expect(host.storage).toMatchObject({ kind: 'memory', loss: { code: 'store-unavailable' } });
    expect(reports).toEqual(['store-lost', 'store-unavailable']);
    expect(receipt.stage).toBe('committed');
  });

  it('is begun anew a few times only', async () => {
    const { clock, start, open } = world();
    const { host, storage } = start();
    open(host);
    storage.isRenewable = true;
    for (let times = 0; times < limits.storeRenewalsMax; times++) {
      storage.lose();
      clock.settle();
      expect(host.storage.kind).toBe('manual');
    }
    storage.lose();
    await later(clock);
    expect(host.storage).toMatchObject({ kind: 'memory', loss: { code: 'store-lost' } });
  });
});

describe('a store that is gone at the start', () => {
  it('is reported with the spaces whose updates went with it', () => {
    const { clock, start } = world();
    const storage = new ManualStorage(clock);
    storage.vanished = ['room'];
    const { host, reports } = start(storage);
    expect(reports).toEqual(['store-evicted']);
    expect(host.storage.evicted).toEqual({ unsynced: ['room'] });
  });

  it('is told of spaces with unsynced updates in time, and when they are synced', () => {
    const { clock, server, start, open } = world();
    server.isDown = true;
    const { host, storage } = start();
    const space = open(host);
    space.mutate('put', put('x'), clock.now());
    clock.settle();
    expect([...storage.unsyncedIn]).toEqual(['room']);
    server.isDown = false;
    clock.pass(60_000);
    expect([...storage.unsyncedIn]).toEqual([]);
  });
});

describe('the browser is asked to keep the store', () => {
  it('once, when the first update is saved that nobody else has', () => {
    const { clock, start, open } = world();
    const { host, storage } = start(undefined, { offline: true });
    const space = open(host);
    expect(storage.asked).toBe(0);
    for (const id of ['x', 'y']) {
      space.mutate('put', put(id), clock.now());
      clock.settle();
    }
    expect(storage.asked).toBe(1);
    expect(host.storage.condition.persisted).toBe(true);
  });
});

describe('a disk that stays full', () => {
  it('does not keep updates from others for long, and takes them in when there is room again', () => {
    const { clock, server, start, open } = world();
    const { host, storage } = start();
    const space = open(host);
    storage.failing = 'store-full';
    const first = space.mutate('put', put('x'), clock.now());
    clock.pass(limits.unsavedLeaveMs / 2);
    expect(server.space('room').primary.csn).toBe(0);
    clock.pass(limits.unsavedLeaveMs / 2 + limits.persistRetryMsMax);
    expect(first.stage).toBe('committed');
    // What comes while it is full does not wait anew.
    const second = space.mutate('put', put('y'), clock.now());
    clock.settle();
    expect(second.stage).toBe('committed');
    expect(host.machine.saveError?.code).toBe('store-full');
    storage.failing = undefined;
    clock.pass(limits.persistRetryMsMax);
    const after = open(start(storage.copy()).host);
    expect(items(after, 'committed')).toEqual(['x@a', 'y@a']);
  });

  it('and a start that has forgotten what left does nothing twice and gives no number twice', () => {
    const { clock, server, start, open } = world();
    const { host, storage } = start();
    const space = open(host);
    storage.failing = 'store-full';
    space.mutate('put', put('x'), clock.now());
    clock.pass(limits.unsavedLeaveMs + limits.persistRetryMsMax);
    expect(server.space('room').primary.csn).toBe(1);
    const disk = storage.copy();
    server.isDown = true;
    server.stop();
    const again = open(start(disk).host);
    const receipt = again.mutate('put', put('y'), clock.now());
    server.isDown = false;
    clock.pass(60_000);
    expect(receipt.stage).toBe('committed');
    expect(items(again, 'committed')).toEqual(['x@a', 'y@a']);
    expect(server.space('room').primary.csn).toBe(2);
  });

  it('lets updates be saved that left before, where nobody answered', () => {
    const { clock, server, start, open } = world();
    const { host, storage } = start();
    const space = open(host);
    server.isDown = true;
    server.stop();
    storage.failing = 'store-full';
    const receipt = space.mutate('put', put('x'), clock.now());
    clock.pass(limits.unsavedLeaveMs * 2);
    expect(receipt.stage).toBe('local');
    expect(host.machine.unshared).toEqual({ unsynced: 1, unsaved: 1 });
    storage.failing = undefined;
    clock.pass(limits.persistRetryMsMax);
    expect(receipt.stage).toBe('saved');
    expect(host.machine.unshared).toEqual({ unsynced: 1, unsaved: 0 });
  });
});
