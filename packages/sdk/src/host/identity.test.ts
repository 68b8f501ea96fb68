/**
 * Two programs under one replica id, disks that go back in time, damaged disks: what was written is
 * done once, no more.
 */
import { describe, expect, it } from 'vitest';
import { items, put, world, type App } from './testing/world.js';
import type { SpaceReplica } from '../replica/space.js';

const total = (space: SpaceReplica<App>, id = 'n') =>
  space.query((tx) => tx.counter.get(id)?.value ?? 0, { view: 'committed' });
let nowMs = 0;
/** No two programs count and write in the same millisecond. */
const bump = (space: SpaceReplica<App>, id = 'n') => space.mutate('bump', { id }, ++nowMs);
const last = (keys: string[]) => keys.at(-1);

describe('a replica whose store was copied', () => {
  it('writes on under a fresh id when a copy of its store wrote under the same one', () => {
    const { clock, server, start, open } = world();
    const original = start();
    const room = open(original.host);
    room.mutate('put', put('x'), clock.now());
    clock.settle();
    const clone = start(original.storage.copy(), { offline: true });
    const cloned = open(clone.host);
    open(start().host).mutate('put', put('from-bob'), clock.now());
    clock.settle();
    room.mutate('put', put('from-original'), clock.now());
    cloned.mutate('put', put('from-clone'), clock.now());
    clock.settle();
    clone.host.goOnline();
    clock.pass(60_000);
    expect(items(room, 'committed')).toEqual(['from-bob@a', 'from-clone@a', 'from-original@a', 'x@a']);
    expect(items(cloned, 'committed')).toEqual(items(room, 'committed'));
    expect(server.space('room').primary.csn).toBe(4);
    expect(cloned.replica).not.toBe(room.replica);
    // A restart finds the fresh id.
    const again = start(clone.storage.copy());
    expect(open(again.host).replica).toBe(cloned.replica);
  });

  it('does once what both copies hold and each what it alone wrote', () => {
    const { clock, server, start, open } = world();
    const original = start(undefined, { offline: true });
    const room = open(original.host);
    bump(room);
    bump(room);
    clock.settle();
    const copy = start(original.storage.copy(), { offline: true });
    const copied = open(copy.host);
    for (let i = 0; i < 3; i++) bump(room);
    const rivals = [bump(copied, 'copied'), bump(copied)];
    clock.settle();
    original.host.goOnline();
    clock.pass(1_000);
    expect(total(room)).toBe(5);
    server.space('room').isTelling = false;
    copy.host.goOnline();
    clock.pass(1_000);
    server.space('room').isTelling = true;
    server.commit('room');
    clock.pass(120_000);
    expect([total(room), total(room, 'copied')]).toEqual([6, 1]);
    expect(rivals.map(({ stage }) => stage)).toEqual(['committed', 'committed']);
    expect(server.space('room').primary.csn).toBe(7);
    expect(copied.replica).not.toBe(room.replica);
  });

  it('is told from the other also where the server keeps no entries that far back', () => {
    const { clock, server, start, open } = world();
    const original = start();
    const room = open(original.host);
    bump(room);
    clock.settle();
    const copy = start(original.storage.copy(), { offline: true });
    const copied = open(copy.host);
    bump(room);
    const rival = bump(copied, 'copied');
    clock.settle();
    server.space('room').keptFrom = 2;
    copy.host.goOnline();
    clock.pass(120_000);
    expect(rival.stage).toBe('committed');
    expect(rival.outcome).toEqual({ kind: 'applied' });
    expect([total(copied), total(copied, 'copied')]).toEqual([2, 1]);
  });

  it('says so while its updates wait for the word of the server', () => {
    const { clock, server, start, open } = world();
    const original = start();
    const room = open(original.host);
    bump(room);
    clock.settle();
    const copy = start(original.storage.copy(), { offline: true });
    const copied = open(copy.host);
    bump(room);
    bump(copied);
    clock.settle();
    // The server says what it knows, and nothing after it.
    server.space('room').isTelling = false;
    copy.host.goOnline();
    clock.pass(500);
    // reason: the machine's own names.
    const facts = copy.host.facts('room' as Parameters<typeof copy.host.facts>[0]);
    expect(facts?.stalled?.code).toBe('replica-cloned');
    expect(copied.pending()).toHaveLength(1);
  });
});

describe('a replica whose disk went back in time', () => {
  it('does nothing twice that was settled before', () => {
    const { clock, server, start, open } = world();
    const first = start(undefined, { offline: true });
    const before = open(first.host);
    for (let i = 0; i < 3; i++) bump(before);
    clock.settle();
    const disk = first.storage.copy();
    bump(before);
    clock.settle();
    first.host.goOnline();
    clock.pass(1_000);
    expect(total(before)).toBe(4);
    first.host.goOffline();
    // What it held then was sent and settled; what it wrote last is not known to it.
    server.space('room').isTelling = false;
    const again = start(disk);
    const after = open(again.host);
    bump(after);
    // Between hearing how far the server is and hearing what happened there.
    clock.pass(1_000);
    server.space('room').isTelling = true;
    server.commit('room');
    clock.pass(120_000);
    expect([total(after), server.space('room').primary.csn]).toEqual([5, 5]);
    expect(after.pending()).toEqual([]);
  });

  it('does nothing twice that it had issued anew before', () => {
    const { clock, server, start, open } = world();
    server.user = 'ann';
    const first = start(undefined, { offline: true });
    const before = open(first.host);
    for (let i = 0; i < 2; i++) bump(before);
    clock.settle();
    const old = first.storage.copy();
    bump(before, 'lost');
    clock.settle();
    first.host.goOnline();
    clock.pass(1_000);
    first.host.goOffline();
    const second = start(old, { offline: true });
    const room = open(second.host);
    const waiting = bump(room);
    clock.settle();
    const older = second.storage.copy();
    second.host.goOnline();
    clock.pass(120_000);
    expect(waiting.id.replica).not.toBe(before.replica);
    expect(total(room)).toBe(3);
    second.host.goOffline();
    // Now the disk forgets even that.
    const third = start(older);
    const found = open(third.host);
    clock.pass(120_000);
    expect([total(found), found.pending()]).toEqual([3, []]);
    expect(server.space('room').primary.csn).toBe(4);
  });
});

describe('a replica with a damaged disk', () => {
  const withPending = () => {
    const all = world();
    const { clock, start, open } = all;
    const first = start();
    const room = open(first.host);
    bump(room);
    clock.settle();
    first.host.goOffline();
    bump(room);
    bump(room, 'lost');
    clock.settle();
    return { ...all, disk: first.storage.copy(), former: first, room };
  };

  it.each([
    ['damaged', (text: string) => `${text}?`],
    ['gone', () => undefined],
  ])('never issues the number of an own update anew whose record is %s', (_what, how) => {
    const { clock, server, start, open, disk } = withPending();
    disk.damage('updates', last, how);
    const again = start(disk, { offline: true });
    const room = open(again.host);
    const former = room.replica;
    expect(again.reports).toEqual(['store-damaged']);
    // reason: the machine's own names.
    const facts = () => again.host.facts('room' as Parameters<typeof again.host.facts>[0]);
    expect(facts()?.damage?.code).toBe('store-damaged');
    expect(facts()?.stalled?.code).toBe('store-damaged');
    bump(room);
    clock.settle();
    // The next start finds nothing damaged, and knows nevertheless.
    const third = start(disk);
    const found = open(third.host);
    expect(third.reports).toEqual([]);
    clock.pass(120_000);
    expect([total(found), total(found, 'lost')]).toEqual([3, 0]);
    expect(found.replica).not.toBe(former);
    expect(server.space('room').primary.settledSeq(former)).toBe(1);
  });

  it('does once what was settled before, although its record is damaged', () => {
    const { clock, start, open, disk, former } = withPending();
    former.host.goOnline();
    clock.pass(1_000);
    former.host.goOffline();
    disk.damage('updates', last);
    const again = start(disk);
    const room = open(again.host);
    clock.pass(120_000);
    expect([total(room), total(room, 'lost')]).toEqual([2, 1]);
    expect(room.pending()).toEqual([]);
  });

  it.each([
    ['entry by entry', 0], ['as a whole', 1],
  ])('fetches its committed data again, %s, and goes on under its id', (_how, keptFrom) => {
    const { clock, server, start, open, disk, room } = withPending();
    server.space('room').keptFrom = keptFrom;
    disk.damage('entries', last);
    const again = start(disk, { offline: true });
    const found = open(again.host);
    const facts = () => again.host.facts('room' as Parameters<typeof again.host.facts>[0]);
    expect(facts()?.stalled?.code).toBe('store-damaged');
    // What is left is shown: own updates over nothing.
    expect(found.query((tx) => tx.counter.get('n')?.value)).toBe(1);
    expect(total(found)).toBe(0);
    again.host.goOnline();
    clock.pass(120_000);
    expect([total(found), total(found, 'lost')]).toEqual([2, 1]);
    expect(facts()?.stalled).toBeUndefined();
    expect(found.replica).toBe(room.replica);
    expect(server.space('room').primary.settledSeq(room.replica)).toBe(3);
    expect(items(found)).toEqual([]);
  });
});
