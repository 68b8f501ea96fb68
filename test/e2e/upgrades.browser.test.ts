/**
 * An app that grows in a real Chromium: what version 1 left in IndexedDB, with updates that nobody
 * has yet, is opened by version 2; clients and servers of either version meet.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createServer, silentLogger, type OxbowServer } from '../../packages/server/src/index.js';
import { bundleForPage, chromiumFor, launchBrowser, servePage } from './browser.js';
import type { PageServer } from './browser.js';
import { apps, type Version } from './upgrade-app.js';
import type { Opening, UpgradesPage } from './upgrades.page.js';

declare const upgrades: UpgradesPage;

const chromium = chromiumFor('an app that changes its version');

/** The records of a store as an earlier build wrote them. */
interface Stored {
  readonly version: number;
  readonly stores: Readonly<Record<string, readonly (readonly [key: string, value: string])[]>>;
}
const STORED = new URL('../../packages/sdk/src/host/testing/stored-before-seats.json', import.meta.url);

describe.runIf(chromium !== undefined)('an app that changes its version', () => {
  let browser: Browser;
  let pages: PageServer;
  let folder: string;
  let profile: BrowserContext;
  let server: OxbowServer | undefined;
  let url: string;

  beforeAll(async () => {
    pages = await servePage(await bundleForPage(new URL('upgrades.page.ts', import.meta.url)));
    browser = await launchBrowser(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'oxbow-upgrades-'));
    profile = await browser.newContext();
    url = '';
  });
  afterEach(async () => {
    await profile.close();
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  /** On the data of the one before, and at its address. */
  async function serve(version: Version, keptEntriesMax = 4_096): Promise<void> {
    await server?.close();
    server = createServer({
      app: apps[version], data: join(folder, 'server'), auth: { devAuth: true },
      logger: silentLogger, port: url === '' ? 0 : Number(new URL(url).port),
      limits: { keptEntriesMax },
    });
    ({ url } = await server.listen());
  }
  async function stop(): Promise<void> {
    await server?.close();
    server = undefined;
  }
  async function blankTab(of: BrowserContext = profile): Promise<Page> {
    const tab = await of.newPage();
    await tab.goto(pages.url);
    await tab.waitForFunction(() => typeof upgrades === 'object');
    return tab;
  }
  async function openTab(version: Version, more: Partial<Opening> = {}, of = profile): Promise<Page> {
    const tab = await blankTab(of);
    const opening = { version, server: url, ...more };
    await tab.evaluate((how) => upgrades.open(how), opening);
    return tab;
  }
  /** The page goes away, and comes back with that version. */
  async function reopened(tab: Page, version: Version): Promise<Page> {
    await tab.close();
    return openTab(version);
  }
  const mutate = (tab: Page, name: string, args: object, stage: 'saved' | 'committed' = 'saved') =>
    tab.evaluate(([what, how, until]) => upgrades.mutate(what, how, until), [name, args, stage] as const);
  const rows = (tab: Page, view: 'tentative' | 'committed' = 'tentative') =>
    tab.evaluate((of) => upgrades.rows(of), view);
  const pending = (tab: Page) => tab.evaluate(() => upgrades.pending());
  const quiet = (tab: Page) => tab.waitForFunction(() => upgrades.pending().length === 0);
  const shows = (tab: Page, expected: readonly string[]) =>
    tab.waitForFunction((all) => JSON.stringify(upgrades.rows('committed')) === all, JSON.stringify(expected));

  /** Version 1 has two tasks at the server, and three updates that only this browser has. */
  async function leftByVersion1(): Promise<Page> {
    await serve(1);
    const tab = await openTab(1);
    await mutate(tab, 'add', { id: 'a', title: 'one' }, 'committed');
    await mutate(tab, 'add', { id: 'b', title: 'two' }, 'committed');
    await stop();
    await mutate(tab, 'finish', { id: 'a', done: true });
    await mutate(tab, 'rename', { id: 'b', title: 'second' });
    await mutate(tab, 'add', { id: 'c', title: 'three' });
    return tab;
  }
  const LIFTED = [
    'a: one, done, lifted 1, edited 0',
    'b: second, open, lifted 1, edited 1',
    'c: three, open, lifted 1, edited 0',
  ];

  test('shows rows and pending updates of version 1 lifted, offline, and commits each once', async () => {
    let tab = await reopened(await leftByVersion1(), 2);
    expect(await rows(tab)).toEqual(LIFTED);
    expect(await rows(tab, 'committed')).toEqual([
      'a: one, open, lifted 1, edited 0', 'b: two, open, lifted 1, edited 0',
    ]);
    expect(await tab.evaluate(() => upgrades.inState('done'))).toEqual(['a']);
    expect(await pending(tab)).toEqual(['finish', 'rename', 'add']);
    await mutate(tab, 'finish', { id: 'c', state: 'done' });
    await mutate(tab, 'remove', { id: 'b' });
    tab = await reopened(tab, 2);
    const all = [LIFTED[0] ?? '', 'c: three, done, lifted 1, edited 0'];
    expect(await rows(tab)).toEqual(all);
    await serve(2);
    await quiet(tab);
    await shows(tab, all);
    expect(await rows(tab)).toEqual(all);
    expect(await tab.evaluate(() => upgrades.conflicts())).toEqual([]);
    expect(await tab.evaluate(() => upgrades.reports())).toEqual([]);
    const other = await browser.newContext();
    await shows(await openTab(2, { user: 'bob' }, other), all);
    await other.close();
  });

  test('lets a client of version 1 write on beside a server of version 2, which lifts what it asks', async () => {
    let tab = await leftByVersion1();
    await serve(2);
    await quiet(tab);
    await shows(tab, LIFTED);
    expect(await tab.evaluate(() => upgrades.reports())).toEqual(['app-outdated']);
    // By the server's rules: this page knows no `state`.
    expect(await mutate(tab, 'finish', { id: 'b', done: true }, 'committed')).toBe('applied');
    tab = await reopened(tab, 2);
    await shows(tab, [LIFTED[0], 'b: second, done, lifted 1, edited 1', LIFTED[2]].map(String));
    expect(await tab.evaluate(() => upgrades.conflicts())).toEqual([]);
  });

  test('lets a client of version 2 wait for a server that is still at version 1, and lose nothing', async () => {
    let tab = await reopened(await leftByVersion1(), 2);
    await serve(1);
    await mutate(tab, 'finish', { id: 'b', state: 'done' });
    await tab.waitForFunction(() => upgrades.refusals().includes('app-newer'));
    await tab.waitForFunction(() => upgrades.stalled() === 'app-newer');
    tab = await reopened(tab, 2);
    expect(await pending(tab)).toEqual(['finish', 'rename', 'add', 'finish']);
    // Set back: what only version 2 can run waits; what it built on is there.
    tab = await reopened(tab, 1);
    await tab.waitForFunction(() => upgrades.stalled() === 'update-newer');
    expect(await pending(tab)).toContain('finish');
    await serve(2);
    await quiet(tab);
    tab = await reopened(tab, 2);
    await shows(tab, [LIFTED[0], 'b: second, done, lifted 1, edited 1', LIFTED[2]].map(String));
    expect(await tab.evaluate(() => upgrades.conflicts())).toEqual([]);
  });

  test('takes a client back that was away for longer than the log is kept, with what it had', async () => {
    const tab = await leftByVersion1();
    await tab.close();
    await serve(1, 4);
    const other = await browser.newContext();
    let busy = await openTab(1, { user: 'bob' }, other);
    for (let i = 10; i < 30; i++) {
      await mutate(busy, 'add', { id: `m${i}`, title: 'meanwhile' }, 'committed');
    }
    await mutate(busy, 'rename', { id: 'a', title: 'first' }, 'committed');
    await busy.close();
    await serve(2, 4);
    busy = await openTab(2, { user: 'bob' }, other);
    await mutate(busy, 'remove', { id: 'm10' }, 'committed');
    const back = await openTab(2);
    await quiet(back);
    const months = Array.from({ length: 19 }, (_, i) => `m${i + 11}: meanwhile, open, lifted 1, edited 0`);
    const all = ['a: first, done, lifted 1, edited 1', ...LIFTED.slice(1), ...months];
    await shows(back, all);
    await shows(busy, all);
    expect(await back.evaluate(() => upgrades.conflicts())).toEqual([]);
    expect(await back.evaluate(() => upgrades.reports())).toEqual([]);
    await other.close();
  });

  test('is open in two tabs, one of each version: what either writes is committed once', async () => {
    await serve(1);
    const one = await openTab(1, { shared: true });
    await mutate(one, 'add', { id: 'a', title: 'one' }, 'committed');
    await stop();
    // The first one keeps the store; the update of the second is new to it.
    const two = await openTab(2, { shared: true });
    await mutate(two, 'finish', { id: 'a', state: 'done' });
    await mutate(one, 'rename', { id: 'a', title: 'first' });
    expect(await rows(two)).toEqual(['a: first, done, lifted 1, edited 1']);
    await one.close();
    await mutate(two, 'add', { id: 'b', title: 'two' });
    await serve(2);
    await quiet(two);
    const all = ['a: first, done, lifted 1, edited 1', 'b: two, open, lifted 1, edited 0'];
    await shows(two, all);
    const late = await openTab(1, { shared: true });
    await mutate(late, 'finish', { id: 'b', done: true }, 'committed');
    await shows(two, [all[0] ?? '', 'b: two, done, lifted 1, edited 0']);
  });

  test('finds what an earlier build of the SDK left: rows, updates, conflicts', async () => {
    await serve(2);
    await stop();
    // reason: written by that build.
    const stored = JSON.parse(readFileSync(STORED, 'utf8')) as Stored;
    await (await blankTab()).evaluate(({ version, stores }) => new Promise<void>((resolve, reject) => {
      const opening = indexedDB.open('oxbow/tasks', version);
      opening.onupgradeneeded = () => {
        for (const [name, records] of Object.entries(stores)) {
          const store = opening.result.createObjectStore(name);
          for (const [key, value] of records) store.put(value, key);
        }
      };
      opening.onerror = () => reject(new Error('not opened'));
      opening.onsuccess = () => {
        opening.result.close();
        resolve();
      };
    }), stored);
    let tab = await openTab(2);
    const title = (i: number) => `t${String(i).padStart(2, '0')}: task ${i}`;
    const shown = await rows(tab);
    expect(shown).toHaveLength(32);
    expect(shown.slice(0, 4)).toEqual([
      `${title(0)}, open, lifted 1, edited 0`, `${title(1)}, done, lifted 1, edited 0`,
      `${title(2)}, done, lifted 1, edited 0`, `${title(3)}, open, lifted 1, edited 0`,
    ]);
    expect(shown.at(-1)).toBe('u1: renamed, open, lifted 1, edited 1');
    expect(await pending(tab)).toEqual(['add', 'finish', 'rename']);
    expect(await tab.evaluate(() => upgrades.conflicts())).toEqual(['rejected']);
    await mutate(tab, 'rename', { id: 'u1', title: 'again' });
    tab = await reopened(tab, 2);
    expect(await pending(tab)).toEqual(['add', 'finish', 'rename', 'rename']);
    expect(await tab.evaluate(() => upgrades.reports())).toEqual([]);
    // A server that knows nothing of all that: updates are issued anew, once.
    await serve(2);
    await quiet(tab);
    await shows(tab, ['u1: again, open, lifted 1, edited 2']);
    // What was done at the former server is said to be undone; what waited finds no task to finish.
    expect(await tab.evaluate(() => upgrades.conflicts()))
      .toEqual(['rejected', 'rolled-back', 'rejected']);
  });
});
