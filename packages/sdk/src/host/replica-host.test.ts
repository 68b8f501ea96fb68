import { describe, expect, it } from 'vitest';
import { limits } from '../protocol/index.js';
import type { SpaceReplica } from '../replica/space.js';
import { ManualStorage } from './testing/manual-storage.js';
import { items, put, world, type App } from './testing/world.js';

describe('a replica and its server', () => {
  it('brings an update from one replica to the other, committed at both', () => {
    const { clock, start, open } = world();
    const [ann, bob] = [start(), start()];
    const [atAnn, atBob] = [open(ann.host), open(bob.host)];
    const receipt = atAnn.mutate('put', put('x'), clock.now());
    expect(receipt.stage).toBe('local');
    clock.settle();
    expect(receipt.stage).toBe('committed');
    expect(items(atBob, 'committed')).toEqual(['x@a']);
    expect(ann.reports).toEqual([]);
  });

  it('writes offline, survives a restart with pending updates, and commits each once', () => {
    const { clock, server, start, open } = world();
    server.isDown = true;
    const first = start();
    const before = open(first.host);
    for (const id of ['x', 'y', 'z']) before.mutate('put', put(id), clock.now());
    clock.settle();
    // The process ends without a word: nothing more of it runs.
    const again = start(first.storage.copy());
    const after = open(again.host);
    expect(items(after)).toEqual(['x@a', 'y@a', 'z@a']);
    expect(items(after, 'committed')).toEqual([]);
    expect(after.pending().map(({ receipt }) => receipt?.stage)).toEqual(['saved', 'saved', 'saved']);
    server.isDown = false;
    clock.pass(60_000);
    expect(items(after, 'committed')).toEqual(['x@a', 'y@a', 'z@a']);
    expect(server.space('room').primary.csn).toBe(3);
  });

  it('sends nothing of its own before it is saved', () => {
    const { clock, server, start, open } = world();
    const { host, storage } = start();
    const space = open(host);
    storage.isHeld = true;
    const receipt = space.mutate('put', put('x'), clock.now());
    clock.pass(1_000);
    expect(receipt.stage).toBe('local');
    expect(server.heard.some(({ kind }) => kind === 'updates')).toBe(false);
    storage.release();
    clock.settle();
    expect(receipt.stage).toBe('committed');
  });

  it('puts what changes within a turn, and what changes during a write, into one write each', () => {
    const { clock, start, open } = world();
    const { host, storage } = start(undefined, { offline: true });
    const space = open(host);
    clock.settle();
    const { writes } = storage;
    storage.isHeld = true;
    for (let i = 0; i < 100; i++) space.mutate('put', put(`a${i}`), clock.now());
    clock.settle();
    for (let i = 0; i < 100; i++) space.mutate('put', put(`b${i}`), clock.now());
    clock.settle();
    storage.release();
    clock.settle();
    expect(storage.writes - writes).toBe(2);
    expect(space.pending().every(({ receipt }) => receipt?.stage === 'saved')).toBe(true);
  });

  it('keeps everything and goes on when the disk fails for a while, and says so', () => {
    const { clock, server, start, open } = world();
    const { host, storage, reports } = start();
    const space = open(host);
    storage.failing = 'store-full';
    const receipt = space.mutate('put', put('x'), clock.now());
    clock.pass(5_000);
    expect(receipt.stage).toBe('local');
    expect(host.machine.saveError?.code).toBe('store-full');
    expect(reports).toEqual(['store-full']);
    expect(items(space)).toEqual(['x@a']);
    expect(server.heard.some(({ kind }) => kind === 'updates')).toBe(false);
    storage.failing = undefined;
    clock.pass(limits.persistRetryMsMax);
    expect(receipt.stage).toBe('committed');
    expect(host.machine.saveError).toBeUndefined();
  });

  it('does not start beside another who has the store open', () => {
    const { clock, start } = world();
    const refused = new ManualStorage(clock);
    refused.unavailable = 'store-in-use';
    expect(start(refused).error()?.code).toBe('store-in-use');
  });

  it('comes back after the server was away, without being told', () => {
    const { clock, server, start, open } = world();
    const { host } = start();
    const space = open(host);
    server.stop();
    clock.pass(5_000);
    space.mutate('put', put('x'), clock.now());
    clock.pass(120_000);
    expect(host.machine.links[0]?.state).not.toBe('live');
    server.isDown = false;
    clock.pass(limits.reconnectMsMax);
    expect(items(space, 'committed')).toEqual(['x@a']);
  });

  it('closes its links when told to go offline, and opens them when told to come back', () => {
    const { clock, server, start, open } = world();
    const { host } = start();
    const space = open(host);
    host.goOffline();
    clock.pass(100_000);
    expect(server.clientCount).toBe(0);
    const receipt = space.mutate('put', put('x'), clock.now());
    clock.pass(100_000);
    expect(receipt.stage).toBe('saved');
    host.goOnline();
    clock.settle();
    expect(receipt.stage).toBe('committed');
  });

  it('keeps trying when the wall clock is set back by a day', () => {
    const { clock, server, start, open } = world();
    const { host } = start();
    open(host);
    server.stop();
    clock.pass(3_000);
    clock.jump(-86_400_000);
    server.isDown = false;
    clock.pass(limits.reconnectMsMax + 1_000);
    expect(host.machine.links[0]?.state).toBe('live');
  });

  it('says which space is refused, goes on with the others, and asks again later', () => {
    const { clock, server, start, open } = world();
    server.refuseOpen = (space) => (space === 'secret' ? { code: 'forbidden', message: 'Not yours.' } : undefined);
    const { host } = start();
    const [open1, secret] = [open(host, 'room'), open(host, 'secret')];
    open1.mutate('put', put('x'), clock.now());
    secret.mutate('put', put('y'), clock.now());
    clock.pass(1_000);
    expect(items(open1, 'committed')).toEqual(['x@a']);
    // reason: the machine's own names.
    const facts = host.machine.facts('secret' as Parameters<typeof host.machine.facts>[0], 0);
    expect(facts?.stalled).toEqual({ code: 'forbidden', message: 'Not yours.' });
    server.refuseOpen = undefined;
    clock.pass(limits.refusedRetryMs + limits.pingIntervalMs);
    expect(items(secret, 'committed')).toEqual(['y@a']);
  });

  it('leaves a server that sends nonsense, tells why, and tries again', () => {
    const { clock, server, start, open } = world();
    const { host, reports } = start();
    const space = open(host);
    server.say('{"kind":"commits"');
    clock.settle();
    expect(reports).toEqual(['bad-message']);
    expect(host.machine.links[0]?.state).toBe('waiting');
    clock.pass(5_000);
    const receipt = space.mutate('put', put('x'), clock.now());
    clock.settle();
    expect(receipt.stage).toBe('committed');
  });

  it('brings what was never committed into a new history of the server, under a fresh id', () => {
    const { clock, server, start, open } = world();
    const { host } = start();
    const [space, other] = [open(host), open(host, 'other')];
    space.mutate('put', put('x'), clock.now());
    clock.settle();
    host.goOffline();
    space.mutate('put', put('y'), clock.now());
    const inOther = other.mutate('put', put('z'), clock.now());
    const { id } = inOther;
    clock.settle();
    server.space('room').primary.rollBack(0, 'two');
    host.goOnline();
    clock.pass(60_000);
    expect(items(space, 'committed')).toEqual(['y@a']);
    // The other space's updates may be known already: they keep their ids.
    expect(inOther.stage).toBe('committed');
    expect(inOther.id).toEqual(id);
  });

  it('takes a fresh id when the server says that its id is another’s', () => {
    const { clock, server, start, open } = world();
    let taken: string | undefined;
    server.refuseHello = ({ replica }) => {
      taken ??= replica;
      return replica === taken ? { code: 'replica-not-yours', message: 'No.' } : undefined;
    };
    const { host } = start();
    const space = open(host);
    const receipt = space.mutate('put', put('x'), clock.now());
    clock.pass(60_000);
    expect(receipt.stage).toBe('committed');
    expect(receipt.id.replica).not.toBe(taken);
    expect(host.machine.links).toHaveLength(1);
  });

  it('runs own updates as the user that the server has verified, also after a restart', () => {
    const { clock, server, start, open } = world();
    server.isDown = true;
    const { host, storage } = start();
    const space = open(host);
    space.mutate('put', put('x'), clock.now());
    const by = (of: SpaceReplica<App>) => of.query((tx) => tx.item.get('x')?.by);
    expect(by(space)).toBeNull();
    server.space('room').isCommitting = false;
    server.isDown = false;
    clock.pass(60_000);
    const user = `user of ${space.replica.split('-')[0]}`;
    expect(by(space)).toBe(user);
    server.stop();
    const again = start(storage.copy());
    expect(again.host.machine.user).toBe(user);
    expect(by(open(again.host))).toBe(user);
  });

  it('closes when all is saved, and refuses everything after', () => {
    const { clock, start, open } = world();
    const { host, storage } = start();
    const space = open(host);
    storage.isHeld = true;
    space.mutate('put', put('x'), clock.now());
    const told: string[] = [];
    host.close((result) => told.push(result.ok ? 'closed' : result.error.code));
    clock.settle();
    expect(told).toEqual([]);
    storage.release();
    clock.settle();
    expect(told).toEqual(['closed']);
    host.open('room', (result) => told.push(result.ok ? 'open' : result.error.code));
    clock.settle();
    expect(told).toEqual(['closed', 'replica-closed']);
    expect(items(open(start(storage.copy(), { offline: true }).host))).toEqual(['x@a']);
  });

  it('says what is lost when the disk does not let it close in time', () => {
    const { clock, start, open } = world();
    const { host, storage } = start();
    const space = open(host);
    storage.failing = 'store-full';
    space.mutate('put', put('x'), clock.now());
    const told: string[] = [];
    host.close((result) => told.push(result.ok ? 'closed' : result.error.code));
    clock.pass(limits.closeTimeoutMs);
    expect(told).toEqual(['close-unsaved']);
  });
});
