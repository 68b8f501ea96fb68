/**
 * Two people at the calendar, each on a node of their own of a cluster of three, while whoever
 * leads is killed without warning, again and again: nobody sees an error, nothing is lost, nothing
 * is doubled.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminTokenOf } from '../../packages/server/src/drivers/admin-http.js';
import { chromiumFor, launchBrowser } from './browser.js';
import { buildCalendarPage } from './calendar-page.js';
import { Person, type Seen } from './calendar-person.js';
import { freePort, PageServer, SyncServer } from './processes.js';

const chromium = chromiumFor('the calendar on a cluster');
const SECRET = 'a secret that the three nodes of this test share';
const NAMES = ['a', 'b', 'c'] as const;
const DAY = '2031-05-14';
/** How often the leader is killed. */
const KILLS = 3;

describe.runIf(chromium !== undefined)('the calendar on a cluster', () => {
  let folder: string;
  let pages: PageServer;
  let browser: Browser;
  const nodes = new Map<string, SyncServer>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-cluster-'));
    const outDir = join(folder, 'page');
    await buildCalendarPage(outDir);
    const secretFile = join(folder, 'secret');
    await writeFile(secretFile, SECRET);
    const peers = await Promise.all(NAMES.map(async (name) => `${name}=127.0.0.1:${await freePort()}`));
    for (const name of NAMES) {
      const flags = ['--cluster', peers.join(','), '--node', name, '--cluster-secret-file', secretFile];
      nodes.set(name, new SyncServer({ port: await freePort(), data: join(folder, name), flags }));
    }
    await Promise.all([...nodes.values()].map((node) => node.start()));
    pages = await PageServer.start(outDir);
    browser = await launchBrowser(chromium ?? '');
    // It builds the page and starts three processes from the sources.
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await pages?.stop();
    for (const node of nodes.values()) await node.kill();
    await rm(folder, { recursive: true, force: true });
  });

  /** `first`: the node that this person's list begins with. */
  async function arrive(name: string, first: string): Promise<Person> {
    const order = [...nodes].sort(([a], [b]) => Number(b === first) - Number(a === first));
    const servers = order.map(([, node]) => node.url).join(',');
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const url = `${pages.url}?server=${encodeURIComponent(servers)}`;
    return Person.arrive(context, name, { url, day: DAY });
  }

  async function leader(): Promise<SyncServer> {
    for (;;) {
      for (const node of nodes.values()) {
        if (await leads(node)) return node;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('survives its leader again and again, and nobody notices', async () => {
    const ann = await arrive('ann', 'a');
    await ann.addStarterRooms();
    await ann.inSync();
    const bob = await arrive('bob', 'b');
    await bob.lookAtTheDay();
    await bob.inSync();
    for (let round = 0; round < KILLS; round++) {
      const hour = String(8 + 2 * round).padStart(2, '0');
      const killed = await leader();
      await ann.book({ title: `Ann before ${hour}`, room: 'Harbour', from: `${hour}:00`, to: `${hour}:45` });
      await killed.kill();
      const slot = { room: 'Kiln', from: `${hour}:00`, to: `${hour}:45` };
      await ann.book({ title: `Ann after ${hour}`, ...slot });
      await bob.book({ title: `Bob after ${hour}`, ...slot });
      await ann.seesBooking(`Ann before ${hour}`, 'committed');
      await ann.inSync();
      await bob.inSync();
      await killed.start();
    }
    await expect.poll(async () => texts(await ann.sees()), { timeout: 30_000 })
      .toEqual(texts(await bob.sees()));
    const seen = await ann.sees();
    expect(seen.every(({ stage }) => stage === 'committed')).toBe(true);
    const titles = seen.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    // Of two who want one room one gets it, and the other is told.
    expect(titles).toHaveLength(2 * KILLS);
    const told = [...(await ann.isTold(titles.filter(isBobs).length)), ...(await bob.isTold(KILLS - titles.filter(isBobs).length))];
    expect(told.every(({ kind }) => kind === 'refused')).toBe(true);
    expect([...ann.errors, ...bob.errors]).toEqual([]);
  });
});

const isBobs = (title: string): boolean => title.startsWith('Bob');
const texts = (seen: readonly Seen[]): string[] => seen.map((one) => JSON.stringify(one));

async function leads({ url }: SyncServer): Promise<boolean> {
  const status = url.replace('ws:', 'http:').replace('/sync', '/cluster/status');
  const headers = { authorization: `Bearer ${adminTokenOf(SECRET)}` };
  const answer = await fetch(status, { headers }).catch(() => undefined);
  const seen: unknown = await answer?.json();
  return typeof seen === 'object' && seen !== null && 'isLeading' in seen && seen.isLeading === true;
}
