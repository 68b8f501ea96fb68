/** A replica with a service of several nodes, as an app has it: failover and linearizable reads. */
import { describe, expect, it } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import type { Transport } from '../drivers/transport.js';
import { OxbowError } from '../protocol/index.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { openReplica } from './open-replica.js';
import { TestServer } from './testing/test-server.js';

const put = (id: string) => ({ id, shelf: 'a', rank: 1 });

const code = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof OxbowError ? error.code : String(error);
  }
};

/** Nodes by address; each attempt reaches the one that it names. */
function nodes(servers: Readonly<Record<string, TestServer>>): { transport: Transport; dialled: string[] } {
  const dialled: string[] = [];
  const addresses = Object.keys(servers);
  const transport: Transport = {
    name: 'cluster', addresses,
    connect: (events, address = '') => {
      dialled.push(address);
      const accept = servers[address]?.accept ?? (() => undefined);
      return memoryTransport({ clock: systemClock, accept }).connect(events);
    },
  };
  return { transport, dialled };
}

const opening = (transport: Transport, offline = false) =>
  openReplica({ app, dev: true, storage: memory(), sync: [transport], offline, onReport: () => undefined });

const single = (server: TestServer): Transport =>
  memoryTransport({ clock: systemClock, accept: server.accept });

describe('space.read', () => {
  it('sees what another had been told was committed, though it was not here yet', async () => {
    const server = new TestServer(app);
    const [ann, bob] = await Promise.all([opening(single(server)), opening(single(server))]);
    const [atAnn, atBob] = await Promise.all([ann.open('room'), bob.open('room')]);
    for (let i = 0; i < 20; i++) {
      await atAnn.mutate.put(put(`x${i}`)).until('committed');
      expect(await atBob.read((tx) => tx.item.has(`x${i}`))).toBe(true);
    }
    await Promise.all([ann.close(), bob.close()]);
  });

  it('does not see own updates that wait for their place', async () => {
    const server = new TestServer(app);
    const ann = await opening(single(server));
    const room = await ann.open('room');
    server.space('room').isCommitting = false;
    room.mutate.put(put('x'));
    expect(await room.read((tx) => tx.item.all())).toEqual([]);
    expect(room.query((tx) => tx.item.has('x'))).toBe(true);
    await ann.close();
  });

  it('gives up in time when it is offline, and when the server does not say', async () => {
    const server = new TestServer(app);
    const ann = await opening(single(server), true);
    const room = await ann.open('room');
    expect(await code(room.read((tx) => tx.item.all(), { timeoutMs: 20 }))).toBe('read-unavailable');
    server.isSilentAboutReads = true;
    ann.goOnline();
    expect(await code(room.read((tx) => tx.item.all(), { timeoutMs: 20 }))).toBe('read-unavailable');
    server.isSilentAboutReads = false;
    expect(await room.read((tx) => tx.item.all())).toEqual([]);
    await ann.close();
  });

  it('asked offline is answered when the link comes in time', async () => {
    const server = new TestServer(app);
    const ann = await opening(single(server), true);
    const room = await ann.open('room');
    const read = room.read((tx) => tx.item.all().length);
    ann.goOnline();
    expect(await read).toBe(0);
    await ann.close();
  });

  it('passes on what the query throws, and ends with the replica', async () => {
    const server = new TestServer(app);
    const ann = await opening(single(server));
    const room = await ann.open('room');
    await expect(room.read(() => { throw new Error('As told.'); })).rejects.toThrow('As told.');
    server.isSilentAboutReads = true;
    const read = code(room.read((tx) => tx.item.all()));
    await ann.close();
    expect(await read).toBe('replica-closed');
    expect(await code(room.read((tx) => tx.item.all()))).toBe('replica-closed');
  });
});

describe('a replica with a service of several nodes', () => {
  const A = 'ws://a/sync';
  const B = 'ws://b/sync';

  it('follows its leader from node to node; updates are done once, and nothing is said of it', async () => {
    const [a, b] = [new TestServer(app), new TestServer(app)];
    const { transport, dialled } = nodes({ [A]: a, [B]: b });
    a.refuseHello = () => ({ code: 'not-leader', message: 'B leads.', retryMs: 100, redirect: B });
    const ann = await opening(transport);
    const room = await ann.open('room');
    await room.mutate.put(put('x')).until('committed');
    expect(dialled).toEqual([A, B]);
    expect(ann.health.links).toEqual([{ transport: 'cluster', state: 'live', address: B }]);

    // B dies; nobody leads for a moment, then A does, with all that B had committed.
    b.isDown = true;
    a.adopt(b);
    let refusals = 3;
    a.refuseHello = () => (--refusals < 0
      ? undefined
      : { code: 'not-leader', message: 'Nobody leads.', retryMs: 20 });
    const stalls: unknown[] = [];
    room.health.subscribe(() => stalls.push(room.health.stalled?.code, room.health.online));
    b.stop();
    const receipt = room.mutate.put(put('y'));
    expect(await receipt.until('committed')).toEqual({ kind: 'applied' });
    expect(await room.read((tx) => tx.item.all().map(({ id }) => id))).toEqual(['x', 'y']);
    expect(a.space('room').primary.csn).toBe(2);
    expect(new Set(dialled)).toEqual(new Set([A, B]));
    await ann.close();
  });

  it('reads over a failover: the read is asked again where the next leader is', async () => {
    const [a, b] = [new TestServer(app), new TestServer(app)];
    const { transport } = nodes({ [A]: a, [B]: b });
    const ann = await opening(transport);
    const room = await ann.open('room');
    await room.mutate.put(put('x')).until('committed');
    a.isSilentAboutReads = true;
    const read = room.read((tx) => tx.item.has('x'));
    b.adopt(a);
    a.stop();
    expect(await read).toBe(true);
    await ann.close();
  });
});
