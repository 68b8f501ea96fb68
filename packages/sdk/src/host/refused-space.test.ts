/** Writing where one may only read: nothing is lost, and everybody is told why nothing moves. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { defineApp, mutation, table, unchecked } from '../model/index.js';
import { openReplica } from './open-replica.js';
import { TestServer } from './testing/test-server.js';

interface Note { readonly id: string; readonly text: string }

const app = defineApp({
  name: 'notes',
  version: 1,
  tables: { note: table<Note>()({ key: 'id' }) },
  mutations: {
    put: mutation({
      args: unchecked<Note>(),
      apply: (tx, note) => tx.note.put(note),
      inverse: ({ id }) => ({ name: 'remove', args: { id } }),
    }),
    remove: mutation({
      args: unchecked<{ id: string }>(),
      apply: (tx, { id }) => tx.note.delete(id),
    }),
  },
});

const server = new TestServer(app);
const storage = memory();
const opening = () => openReplica({
  app, storage, dev: true, onReport: () => undefined,
  sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
});
let replica: Awaited<ReturnType<typeof opening>>;
beforeEach(async () => { replica = await opening(); });
afterEach(() => replica.close());

/** Resolves when the health has come to say so. */
const becomes = async (condition: () => boolean): Promise<void> => {
  await new Promise<void>((resolve) => {
    const look = (): void => { if (condition()) resolve(); };
    replica.health.subscribe(look);
    look();
  });
};

it('what is written where one may only read says so, is kept, can be taken back, and goes out once one may write', async () => {
  server.space('room').isReadOnly = true;
  const before = await replica.open('room');
  const { id } = before.mutate.put({ id: 'a', text: 'mine' });
  const receipt = () => before.receipt(id);
  await becomes(() => receipt()?.stalled !== undefined);
  expect(receipt()).toMatchObject({ stage: 'saved', stalled: { code: 'forbidden' } });
  expect(before.health.stalled).toEqual({ code: 'forbidden', message: 'You may only read.' });

  await replica.close();
  replica = await opening();
  const room = await replica.open('room');
  const kept = room.receipt(id);
  await becomes(() => kept?.stalled?.code === 'forbidden');
  const undone = kept?.undo();
  expect(room.query((tx) => tx.note.all())).toEqual([]);
  expect(room.pending()).toHaveLength(2);

  server.space('room').isReadOnly = false;
  replica.goOffline();
  replica.goOnline();
  expect(await undone?.until('committed')).toEqual({ kind: 'applied' });
  expect(kept).toMatchObject({ stage: 'committed', outcome: { kind: 'applied' }, stalled: undefined });
  expect([room.pending(), room.conflicts, room.query((tx) => tx.note.all())]).toEqual([[], [], []]);
  expect(room.health.stalled).toBeUndefined();
});
