import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import type { Storage } from '../drivers/storage.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { Closing } from './closing.js';
import { openReplica } from './open-replica.js';

/** Nobody answers: all that is waited for never comes. */
const opening = () => openReplica({ app, storage: memory(), onReport: () => undefined });
let replica: Awaited<ReturnType<typeof opening>>;
beforeEach(async () => { replica = await opening(); });
afterEach(() => replica.close());

const put = { id: 'a', shelf: 'a', rank: 1 };
const elsewhere = JSON.stringify({
  oxbow: 'session',
  spaces: { room: { read: { history: 'one', csn: 7, vector: {} }, wrote: {} } },
});

type Wait = (signal: AbortSignal) => Promise<unknown>;
const waits: Readonly<Record<string, Wait>> = {
  'receipt.until': async (signal) => {
    const room = await replica.open('room');
    await room.mutate.put(put).until('committed', { signal });
  },
  'space.read': async (signal) => {
    await (await replica.open('room')).read(() => 1, { signal });
  },
  'session().waitFor': (signal) => replica.session().waitFor(elsewhere, { signal }),
  'replica.open': (signal) => replica.open('another', { signal }),
  'importUnsynced': async (signal) => {
    const room = await replica.open('room');
    room.mutate.put(put);
    await replica.importUnsynced(await replica.exportUnsynced(), { signal });
  },
};

describe('a call that waits', () => {
  it.each(Object.keys(waits))('%s rejects with the reason of its signal, and leaves no listener', async (name) => {
    const aborting = new AbortController();
    const ended = waits[name]?.(aborting.signal);
    // Not at once: it waits for what it needs first.
    if (name !== 'replica.open' && name !== 'importUnsynced') await replica.open('room');
    aborting.abort('no longer wanted');
    await expect(ended).rejects.toBe('no longer wanted');
    expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
  });

  it('does not begin where the signal was aborted before, also for what has come already', async () => {
    const room = await replica.open('room');
    const receipt = room.mutate.put(put);
    await receipt.until('saved');
    const signal = AbortSignal.abort('never');
    await expect(receipt.until('saved', { signal })).rejects.toBe('never');
    await expect(replica.open('room', { signal })).rejects.toBe('never');
    expect(await receipt.until('saved')).toEqual({ kind: 'applied' });
  });

  it('that ends otherwise leaves no listener either, and the update is not touched by the signal', async () => {
    const aborting = new AbortController();
    const room = await replica.open('room');
    const receipt = room.mutate.put(put);
    expect(await receipt.until('saved', { signal: aborting.signal })).toEqual({ kind: 'applied' });
    expect(getEventListeners(aborting.signal, 'abort')).toEqual([]);
    const ended = receipt.until('committed', { signal: aborting.signal });
    aborting.abort();
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
    expect(room.pending()).toHaveLength(1);
  });

  it('for a replica closes what is opened after all: the store is free for the next', async () => {
    const storage = memory();
    let goOn = (): void => undefined;
    const slow: Storage = { open: (done) => { goOn = () => storage.open(done); } };
    const aborting = new AbortController();
    const ended = openReplica({ app, storage: slow, dev: false, signal: aborting.signal });
    await Promise.resolve();
    aborting.abort('too slow');
    await expect(ended).rejects.toBe('too slow');
    goOn();
    await new Promise((later) => setTimeout(later));
    await (await openReplica({ app, storage })).close();
  });

  it('stops what it had begun', async () => {
    let begun = 0;
    const aborting = new AbortController();
    const ended = new Closing().race(() => {
      begun += 1;
      return () => { begun -= 1; };
    }, { signal: aborting.signal });
    expect(begun).toBe(1);
    aborting.abort('enough');
    await expect(ended).rejects.toBe('enough');
    expect(begun).toBe(0);
  });
});
