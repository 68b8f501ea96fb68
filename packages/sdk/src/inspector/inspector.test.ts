/** What an inspector tells of a replica with a real host, a store and a link. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { openReplica } from '../host/open-replica.js';
import type { Replica } from '../host/replica.js';
import type { Space } from '../host/space.js';
import { TestServer } from '../host/testing/test-server.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { inspect } from './index.js';

let replica: Replica<typeof app>;
let space: Space<typeof app>;

beforeEach(async () => {
  const server = new TestServer(app);
  replica = await openReplica({
    app, dev: true, storage: memory(), offline: true, user: 'ann',
    sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
    onReport: (error) => { throw error; },
  });
  space = await replica.open('room');
});
afterEach(() => replica.close());

const item = (id: string, shelf = 'a') => ({ id, shelf, rank: 1 });
const place = (id: string) => ({ ...item(id), orElse: [], insist: false });

async function syncAll(): Promise<void> {
  replica.goOnline();
  await Promise.all(space.pending().map(({ receipt }) => receipt?.until('committed')));
}

describe('the log of updates', () => {
  it('has what waits above what is settled, with stamp, context and reads', async () => {
    space.mutate.put(item('x'));
    await syncAll();
    replica.goOffline();
    const { id } = space.mutate.move({ id: 'x', shelf: 'b' });
    await space.receipt(id)?.until('saved');
    const [waiting, settled] = inspect(replica).updates('room');
    expect(waiting).toMatchObject({
      id, own: true, stage: 'saved', lamport: 2, csn: undefined, name: 'move',
      context: { csn: 1, vector: {} }, outcome: { kind: 'applied' },
      reads: { keys: [{ table: 'item', key: 'x' }] },
    });
    expect(settled).toMatchObject({ stage: 'committed', csn: 1, name: 'put', own: true, args: item('x') });
  });

  it('has the rejected one with its code', async () => {
    for (const id of ['x', 'y', 'z']) space.mutate.place(place(id));
    await syncAll();
    const rejected = inspect(replica).updates('room').filter(({ outcome }) => outcome.kind === 'rejected');
    expect(rejected).toMatchObject([{ csn: 3, outcome: { code: 'full', detail: { shelf: 'a' } } }]);
    expect(rejected[0]?.obstacles).toEqual([]);
  });
});

describe('rows', () => {
  it('stand in both views, with what differs and who wrote it', async () => {
    space.mutate.put(item('x'));
    space.mutate.put(item('still'));
    await syncAll();
    replica.goOffline();
    const { id } = space.mutate.move({ id: 'x', shelf: 'b' });
    space.mutate.put(item('new'));
    const { rows } = inspect(replica).rows('room', { changedOnly: true });
    expect(rows.map(({ key, committed, tentative }) => [key, committed?.['shelf'], tentative?.['shelf']]))
      .toEqual([['new', undefined, 'a'], ['x', 'a', 'b']]);
    expect(rows[1]).toMatchObject({
      fields: [{ field: 'shelf', before: 'a', now: 'b' }], writers: [{ id, name: 'move' }],
    });
    expect(inspect(replica).rows('room').rows.map(({ key }) => key)).toEqual(['new', 'still', 'x']);
    expect(inspect(replica).rows('room', { text: 'STILL' }).rows).toHaveLength(1);
    expect(inspect(replica).rows('room', { rowsMax: 2 })).toMatchObject({ isCut: true });
  });
});

describe('connections and storage', () => {
  it('tell what was sent and acknowledged, and what the store holds', async () => {
    const inspector = inspect(replica);
    expect(inspector.connections()).toMatchObject([{ state: 'offline', flow: undefined }]);
    space.mutate.put(item('x'));
    await syncAll();
    const [link] = inspector.connections();
    expect(link).toMatchObject({ state: 'live', replica: replica.id, spaces: [{ space: 'room', behind: 0 }] });
    expect(link?.roundTripMs).toBeGreaterThanOrEqual(0);
    expect(link?.flow?.sent).toBeGreaterThan(0);
    expect(link?.flow?.inFlight).toBe((link?.flow?.sent ?? 0) - (link?.flow?.acked ?? 0));
    await expect.poll(() => inspector.storage().isSaved).toBe(true);
    expect(inspector.storage()).toMatchObject({
      kind: 'memory', unsynced: 0,
      spaces: [{ space: 'room', csn: 1, kept: { from: 1, to: 1 }, pending: 0, rows: { item: 1 } }],
    });
    const { spaces } = await inspector.contents();
    const room = spaces.find((one) => one.space === 'room');
    expect(room?.collections).toMatchObject({ entries: { records: 1 }, updates: { records: 0 } });
    expect(room?.collections.entries.chars).toBeGreaterThan(50);
  });
});

describe('an inspector', () => {
  it('is the same until it is closed, hears of changes, and knows spaces opened later', async () => {
    const inspector = inspect(replica);
    expect(inspect(replica)).toBe(inspector);
    let calls = 0;
    inspector.subscribe(() => { calls++; });
    space.mutate.put(item('x'));
    await expect.poll(() => calls).toBeGreaterThan(0);
    await replica.open('attic');
    expect(inspector.spaces).toEqual(['room', 'attic']);
    expect(() => inspector.updates('cellar')).toThrow(expect.objectContaining({ code: 'space-not-open' }));
  });

  it('records no steps after its end', async () => {
    const inspector = inspect(replica);
    space.mutate.put(item('x'));
    await syncAll();
    expect(inspector.steps('room').length).toBeGreaterThan(0);
    inspector.close();
    const next = inspect(replica);
    expect(next).not.toBe(inspector);
    expect(next.steps('room')).toEqual([]);
    next.close();
    expect(space.mutate.put(item('y')).outcome).toEqual({ kind: 'applied' });
    expect(() => next.steps('room')).toThrow(expect.objectContaining({ code: 'space-not-open' }));
  });
});
