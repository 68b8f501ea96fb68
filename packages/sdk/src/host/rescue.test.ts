/** What has no final place goes from one replica to another in a file, and happens once. */
import { describe, expect, it } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import type { Storage } from '../drivers/storage.js';
import { OxbowError } from '../protocol/index.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { openReplica } from './open-replica.js';
import type { Imported } from './rescue.js';
import { TestServer } from './testing/test-server.js';

/** Every replica is the same person's. */
function serverOfAnn(): TestServer {
  const server = new TestServer(app);
  server.user = 'ann';
  return server;
}

const opening = (options: {
  server?: TestServer; user?: string; storage?: Storage; offline?: boolean;
} = {}) => {
  const { server = serverOfAnn(), storage = memory(), user = 'ann', offline = false } = options;
  const transport = memoryTransport({ clock: systemClock, accept: server.accept });
  return openReplica({ app, dev: true, storage, sync: [transport], user, offline, onReport: () => undefined });
};

type Opened = Awaited<ReturnType<typeof opening>>;

const values = async (replica: Opened, space = 'room'): Promise<string[]> =>
  (await replica.open(space)).query(
    (tx) => tx.counter.all().map(({ id, value }) => `${id}:${value}`), { view: 'committed' });

const code = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof OxbowError ? error.code : String(error);
  }
};

const counts = (imported: Imported): unknown =>
  Object.fromEntries(Object.entries(imported).map(([space, of]) => [space, of.length]));

/** Until the replica holds nothing tentative. */
async function settled(replica: Opened, ...spaces: string[]): Promise<void> {
  for (const name of spaces) {
    const space = await replica.open(name);
    await new Promise<void>((resolve) => {
      const look = (): void => { if (space.pending().length === 0) resolve(); };
      space.subscribe(look);
      look();
    });
  }
}

describe('a file of unsynced updates', () => {
  it('has those of all spaces, open or not, and happens once though its replica comes back', async () => {
    const server = serverOfAnn();
    const storage = memory();
    const first = await opening({ server, storage, offline: true });
    for (const name of ['room', 'hall']) {
      const space = await first.open(name);
      for (let i = 0; i < 3; i++) await space.mutate.bump({ id: name }).until('saved');
    }
    await first.close();
    const again = await opening({ server, storage, offline: true });
    const file = await again.exportUnsynced();
    const other = await opening({ server });
    expect(counts(await other.importUnsynced(file))).toEqual({ hall: 3, room: 3 });
    await settled(other, 'room', 'hall');
    again.goOnline();
    await settled(again, 'room', 'hall');
    expect(await values(other)).toEqual(['room:3']);
    expect(await values(other, 'hall')).toEqual(['hall:3']);
    expect(await values(again)).toEqual(['room:3']);
    expect(counts(await other.importUnsynced(file))).toEqual({ hall: 3, room: 3 });
    expect((await other.open('room')).pending()).toEqual([]);
    await Promise.all([again.close(), other.close()]);
  });

  it('is taken as soon as what its updates build on has come', async () => {
    const server = serverOfAnn();
    const first = await opening({ server });
    const room = await first.open('room');
    await room.mutate.bump({ id: 'n' }).until('committed');
    first.goOffline();
    await room.mutate.bump({ id: 'n' }).until('saved');
    const file = await first.exportUnsynced();
    const other = await opening({ server, offline: true });
    expect(await code(other.importUnsynced(file, { timeoutMs: 5 }))).toBe('bundle-gap');
    const taken = other.importUnsynced(file);
    other.goOnline();
    expect(counts(await taken)).toEqual({ room: 1 });
    await settled(other, 'room');
    expect(await values(other)).toEqual(['n:2']);
    await Promise.all([first.close(), other.close()]);
  });

  it('gives receipts that say what becomes of each, and again after a restart', async () => {
    const server = serverOfAnn();
    const first = await opening({ offline: true });
    const there = await first.open('room');
    there.mutate.put({ id: 'a', shelf: 's', rank: 1 });
    there.mutate.remove({ id: 'a' });
    there.mutate.move({ id: 'a', shelf: 't' });
    const file = await first.exportUnsynced();
    const storage = memory();
    const other = await opening({ server, storage, offline: true });
    const { room: receipts = [] } = await other.importUnsynced(file);
    const told = () => receipts.map(({ name, stage, outcome }) => [name, stage, outcome.kind]);
    expect(told()).toEqual([
      ['put', 'local', 'applied'], ['remove', 'local', 'applied'], ['move', 'local', 'rejected'],
    ]);
    expect(receipts.map(({ id }) => id)).toEqual(there.pending().map(({ id }) => id));
    expect(receipts.map(({ stalled }) => stalled?.code)).toEqual(['offline', 'offline', 'offline']);
    const undo = (): unknown => receipts[0]?.undo();
    expect(undo).toThrow(expect.objectContaining({ code: 'undo-unknown' }));
    let changes = 0;
    receipts[2]?.subscribe(() => { changes += 1; });
    const outcomes = Promise.all(receipts.map((receipt) => receipt.until('committed')));
    other.goOnline();
    expect((await outcomes).map(({ kind }) => kind)).toEqual(['applied', 'applied', 'rejected']);
    expect([changes, receipts[2]?.stage, receipts[2]?.stalled]).toEqual([1, 'committed', undefined]);
    await other.close();
    const again = await opening({ server, storage });
    const { room: same = [] } = await again.importUnsynced(file);
    expect(same.map(({ stage, outcome }) => [stage, outcome.kind])).toEqual([
      ['committed', 'applied'], ['committed', 'applied'], ['committed', 'rejected'],
    ]);
    await Promise.all([first.close(), again.close()]);
  });

  it('gives a replica that reads its own file its own receipts', async () => {
    const first = await opening({ offline: true });
    const receipt = (await first.open('room')).mutate.bump({ id: 'n' });
    const { room } = await first.importUnsynced(await first.exportUnsynced());
    expect(room).toEqual([receipt]);
    expect(room?.[0]).toBe(receipt);
    await first.close();
  });

  it('goes on from one file to the next: what was carried in is carried out again', async () => {
    const first = await opening({ offline: true });
    (await first.open('room')).mutate.bump({ id: 'n' });
    const second = await opening({ offline: true });
    await second.importUnsynced(await first.exportUnsynced());
    (await second.open('room')).mutate.bump({ id: 'n' });
    const server = serverOfAnn();
    const third = await opening({ server });
    expect(counts(await third.importUnsynced(await second.exportUnsynced()))).toEqual({ room: 2 });
    await settled(third, 'room');
    expect(await values(third)).toEqual(['n:2']);
    await Promise.all([first.close(), second.close(), third.close()]);
  });

  it('is refused whole if it is damaged, another\'s, or no such file', async () => {
    const first = await opening({ offline: true });
    (await first.open('room')).mutate.bump({ id: 'n' });
    const file = await first.exportUnsynced();
    const bob = await opening({ user: 'bob', offline: true });
    expect(await code(bob.importUnsynced(file))).toBe('bundle-other-user');
    const ann = await opening({ offline: true });
    const text = new TextDecoder().decode(file);
    const broken = [text.slice(0, -40), text.replace('bump', 'bomp'), text.split('\n')[0] ?? '', '', 'null', '{}'];
    for (const bad of broken) {
      expect(await code(ann.importUnsynced(new TextEncoder().encode(bad)))).toBe('bad-bundle');
    }
    expect(await code(ann.importUnsynced(new Uint8Array([0xff, 0xfe])))).toBe('bad-bundle');
    const foreign = new TextEncoder().encode(text.replace(`"app":"${app.name}"`, '"app":"else"'));
    expect(await code(ann.importUnsynced(foreign))).toBe('bundle-other-app');
    expect((await ann.open('room')).pending()).toEqual([]);
    await Promise.all([first.close(), bob.close(), ann.close()]);
  });

  it('of a replica that has nothing to lose is empty, and taken', async () => {
    const first = await opening({ offline: true });
    await first.open('room');
    expect(await first.importUnsynced(await first.exportUnsynced())).toEqual({});
    await first.close();
  });
});
