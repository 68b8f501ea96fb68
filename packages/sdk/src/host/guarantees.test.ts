/** The four session guarantees of Terry et al. (PDIS'94), from one replica to another. */
import { describe, expect, it } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { OxbowError } from '../protocol/index.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import type { Guarantee } from './session-wait.js';
import { openReplica } from './open-replica.js';
import { TestServer } from './testing/test-server.js';

const put = (id: string) => ({ id, shelf: 'a', rank: 1 });

/** One person's phone and laptop, and somebody else. */
async function three() {
  const server = new TestServer(app);
  const opening = async () => {
    const replica = await openReplica({
      app, dev: true, storage: memory(), onReport: () => undefined,
      sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
    });
    return { replica, room: await replica.open('room') };
  };
  const [phone, laptop, bob] = [await opening(), await opening(), await opening()];
  const close = async () => {
    await Promise.all([phone, laptop, bob].map(({ replica }) => replica.close()));
  };
  return { server, phone, laptop, bob, close };
}

type Side = Awaited<ReturnType<typeof three>>['phone'];

async function waited(at: Side, token: string, guarantee: Guarantee, timeoutMs = 20): Promise<string> {
  try {
    await at.replica.session().waitFor(token, { guarantees: [guarantee], timeoutMs });
    return 'holds';
  } catch (error) {
    return error instanceof OxbowError ? error.code : String(error);
  }
}

const seen = ({ room }: Side): string[] => room.query((tx) => tx.item.all().map(({ id }) => id));

async function until(condition: () => boolean, { room }: Side): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = (): void => { if (condition()) resolve(); };
    room.subscribe(look);
    look();
  });
}

describe('a session that goes on at another replica', () => {
  it('reads its writes', async () => {
    const { phone, laptop, close } = await three();
    laptop.replica.goOffline();
    await phone.room.mutate.put(put('mine')).until('committed');
    const token = phone.replica.session().token();
    expect(await waited(laptop, token, 'read-your-writes')).toBe('session-behind');
    laptop.replica.goOnline();
    expect(await waited(laptop, token, 'read-your-writes', 10_000)).toBe('holds');
    expect(seen(laptop)).toEqual(['mine']);
    await close();
  });

  it('reads its writes, also those that nobody has committed', async () => {
    const { server, phone, laptop, close } = await three();
    server.space('room').isCommitting = false;
    laptop.replica.goOffline();
    phone.room.mutate.put(put('mine'));
    const token = phone.replica.session().token();
    expect(await waited(laptop, token, 'read-your-writes')).toBe('session-behind');
    server.space('room').isCommitting = true;
    server.commit('room');
    laptop.replica.goOnline();
    expect(await waited(laptop, token, 'read-your-writes', 10_000)).toBe('holds');
    expect(seen(laptop)).toEqual(['mine']);
    await close();
  });

  it('reads on from what it has read, which somebody else wrote', async () => {
    const { phone, laptop, bob, close } = await three();
    laptop.replica.goOffline();
    await bob.room.mutate.put(put('his')).until('committed');
    await until(() => seen(phone).length === 1, phone);
    const token = phone.replica.session().token();
    // The session has written nothing: to read its writes it has to wait for nothing.
    expect(await waited(laptop, token, 'read-your-writes')).toBe('holds');
    expect(await waited(laptop, token, 'monotonic-writes')).toBe('holds');
    expect(await waited(laptop, token, 'monotonic-reads')).toBe('session-behind');
    laptop.replica.goOnline();
    expect(await waited(laptop, token, 'monotonic-reads', 10_000)).toBe('holds');
    expect(seen(laptop)).toEqual(['his']);
    await close();
  });

  it('writes after what it has read', async () => {
    const { server, phone, laptop, bob, close } = await three();
    laptop.replica.goOffline();
    await bob.room.mutate.put(put('his')).until('committed');
    await until(() => seen(phone).length === 1, phone);
    const token = phone.replica.session().token();
    expect(await waited(laptop, token, 'writes-follow-reads')).toBe('session-behind');
    laptop.replica.goOnline();
    expect(await waited(laptop, token, 'writes-follow-reads', 10_000)).toBe('holds');
    const answer = laptop.room.mutate.move({ id: 'his', shelf: 'b' });
    // It had something to move: the same, asked for before the wait, would have been refused.
    expect(await answer.until('committed')).toEqual({ kind: 'applied' });
    expect(server.space('room').primary.entries.at(-1)?.id).toEqual(answer.id);
    await close();
  });

  it('writes after what it has written', async () => {
    const { server, phone, laptop, close } = await three();
    phone.replica.goOffline();
    const first = phone.room.mutate.put({ ...put('x'), shelf: 'first' });
    await first.until('saved');
    const token = phone.replica.session().token();
    // Nobody can order a write after one that has not left the phone: it is said, not guessed.
    expect(await waited(laptop, token, 'monotonic-writes')).toBe('session-behind');
    phone.replica.goOnline();
    expect(await waited(laptop, token, 'monotonic-writes', 10_000)).toBe('holds');
    const second = laptop.room.mutate.put({ ...put('x'), shelf: 'second' });
    await second.until('committed');
    expect(server.space('room').primary.entries.map(({ id }) => id)).toEqual([first.id, second.id]);
    await close();
  });

  it('refuses what is no token, whatever it is', async () => {
    const { laptop, close } = await three();
    const nonsense = [
      '', '{', 'null', '[]', '{}', '{"spaces":[1]}', '{"spaces":{"room":{}}}', '{"spaces":{"a b":{}}}',
      '{"spaces":{"room":{"read":{"history":"","csn":0,"vector":{}}}}}',
      '{"spaces":{"room":{"read":{"history":"","csn":0,"vector":{"a":"1"}},"wrote":{}}}}',
    ];
    for (const token of nonsense) {
      expect(await waited(laptop, token, 'monotonic-reads')).toBe('bad-session-token');
    }
    await close();
  });
});
