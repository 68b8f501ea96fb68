/** What an inspector tells in a tab that leaves disk and network to another one. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MemoryTabs } from '../drivers/testing/memory-tabs.js';
import { memory } from '../drivers/storage-memory.js';
import { systemClock } from '../drivers/system-clock.js';
import { memoryTransport } from '../drivers/transport-memory.js';
import { openReplica } from '../host/open-replica.js';
import { tabs } from '../host/tabs.js';
import { TestServer } from '../host/testing/test-server.js';
import { shelfApp as app } from '../replica/testing/shelf-app.js';
import { inspect } from './index.js';

const profile = () => {
  const [server, browser, storage] = [new TestServer(app), new MemoryTabs(), memory()];
  return () => openReplica({
    app, dev: true, storage, onReport: (error) => { throw error; },
    sync: [
      memoryTransport({ clock: systemClock, accept: server.accept }),
      tabs({ driver: browser.tab(systemClock.soon) }),
    ],
  });
};
type Tab = Awaited<ReturnType<ReturnType<typeof profile>>>;

let leading: Tab;
let other: Tab;
beforeEach(async () => {
  const open = profile();
  leading = await open();
  other = await open();
  await (await leading.open('room')).mutate.put({ id: 'x', shelf: 'a', rank: 1 }).until('committed');
  await other.open('room');
});
afterEach(async () => {
  inspect(other).close();
  await other.close();
  await leading.close();
});

const link = () => inspect(other).connections().find(({ isOfKeeper }) => isOfKeeper);

it('it asks that one, and shows the link to the server and the store as they are there', async () => {
  expect(link()).toMatchObject({ state: 'live', flow: undefined });
  await expect.poll(() => link()?.flow?.received).toBeGreaterThan(0);
  const [there] = inspect(leading).connections();
  expect(link()).toEqual({ ...there, isOfKeeper: true, liveSince: expect.any(Number) });
  expect(link()?.spaces).toEqual([{ space: 'room', behind: 0, refusal: undefined }]);
  const { savedAt, isSaved, spaces } = inspect(other).storage();
  expect([savedAt, isSaved]).toEqual([expect.any(Number), true]);
  expect(spaces).toEqual([expect.objectContaining({ space: 'room', csn: 1, rows: expect.objectContaining({ item: 1 }) })]);
  inspect(leading).close();
});

it('who goes on looking sees it change, and a ping is one of the leading tab', async () => {
  let looks = 0;
  const stop = inspect(other).subscribe(() => { looks += 1; link(); });
  await expect.poll(() => link()?.flow).toBeDefined();
  const before = link()?.flow?.received ?? 0;
  await (await leading.open('room')).mutate.put({ id: 'y', shelf: 'a', rank: 2 }).until('committed');
  await expect.poll(() => link()?.flow?.received, { timeout: 5_000 }).toBeGreaterThan(before);
  expect(looks).toBeGreaterThan(1);
  inspect(other).ping();
  await expect.poll(() => link()?.roundTripMs).toBeDefined();
  stop();
});

it('it counts the records of the store beside the one that keeps it', async () => {
  const { spaces } = await inspect(other).contents();
  expect(spaces.find(({ space }) => space === 'room')?.collections.entries.records).toBe(1);
});

it('it has the log of updates itself: what every tab of the profile wrote', async () => {
  leading.goOffline();
  const { id } = (await leading.open('room')).mutate.put({ id: 'z', shelf: 'a', rank: 3 });
  const kinds = () => inspect(other).updates('room').map(({ id: { seq }, stage, own }) => [seq, stage, own]);
  await expect.poll(kinds).toEqual([[id.seq, 'saved', true], [1, 'committed', true]]);
});

it('what that one told is forgotten when it is gone, and the one that follows tells of its own', async () => {
  await expect.poll(() => link()?.flow).toBeDefined();
  await leading.close();
  await expect.poll(() => inspect(other).connections(), { timeout: 5_000 })
    .toEqual(expect.arrayContaining([expect.objectContaining({ isOfKeeper: false, state: 'live', flow: expect.any(Object) })]));
  await expect.poll(() => inspect(other).connections().every(({ isOfKeeper }) => !isOfKeeper)).toBe(true);
});
