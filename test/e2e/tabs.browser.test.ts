/** Several tabs of one profile in a real Chromium: real locks, channel, IndexedDB and sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type OxbowServer } from '../../packages/server/src/index.js';
import { silentLogger } from '../../packages/server/src/drivers/log.js';
import { bundleForPage, chromiumFor, launchBrowser, servePage } from './browser.js';
import type { PageServer } from './browser.js';
import { tabsApp } from './tabs-app.js';
import type { TabsPage } from './tabs.page.js';

declare const tabsPage: TabsPage;

const chromium = chromiumFor('tabs of one profile');

describe('tabs of one profile in a real Chromium', () => {
  if (chromium === undefined) {
    test('were not tried, as there is no Chromium', () => expect(chromium).toBeUndefined());
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-tabs-'));
  let browser: Browser;
  let pages: PageServer;
  let server: OxbowServer;
  let url: string;
  let profile: BrowserContext;
  let stores = 0;

  beforeAll(async () => {
    pages = await servePage(await bundleForPage(new URL('tabs.page.ts', import.meta.url)));
    browser = await launchBrowser(chromium);
    server = createServer({ app: tabsApp, data: join(folder, 'data'), port: 0, auth: { devAuth: true }, logger: silentLogger });
    ({ url } = await server.listen());
  });
  beforeEach(async () => {
    profile = await browser.newContext();
    stores += 1;
  });
  afterEach(async () => {
    await profile.close();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function openTab(): Promise<Page> {
    const tab = await profile.newPage();
    await tab.goto(pages.url);
    await tab.waitForFunction(() => typeof tabsPage === 'object');
    await tab.evaluate(([at, store]) => tabsPage.open(at, store), [url, `tabs-${stores}`] as const);
    return tab;
  }
  const add = (tab: Page, id: string): Promise<string> => tab.evaluate((word) => tabsPage.add(word), id);
  const committed = (tab: Page, id: string) =>
    tab.waitForFunction((word) => tabsPage.stage(word) === 'committed', id);
  const shows = (tab: Page, mine: readonly string[]) =>
    tab.waitForFunction((words) => {
      const shown = tabsPage.words();
      return words.every((word) => shown.includes(`${word}*1`)) && tabsPage.pending().length === 0;
    }, mine);
  /** No word of this test is there twice or done twice. */
  async function mustBeOnce(tab: Page, words: readonly string[]): Promise<void> {
    const shown = await tab.evaluate(() => tabsPage.words());
    expect(words.filter((word) => !shown.includes(`${word}*1`))).toEqual([]);
  }
  /** Suspends all of a page's scripts, as a browser does with one in the background. */
  async function freeze(tab: Page): Promise<CDPSession> {
    const devtools = await profile.newCDPSession(tab);
    await devtools.send('Debugger.enable');
    const paused = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
    await devtools.send('Debugger.pause');
    // It pauses at the next statement.
    void tab.evaluate(() => tabsPage.isOffline()).catch(() => undefined);
    await paused;
    return devtools;
  }
  const thaw = async (devtools: CDPSession): Promise<void> => {
    await devtools.send('Debugger.resume');
    await devtools.send('Debugger.disable');
  };
  const name = (word: string): string => `${word}-${stores}`;

  test('each writes at once and shows what the others write; new tabs open with all of it', async () => {
    const [one, two] = [await openTab(), await openTab()];
    expect(await add(one, name('a'))).toBe('local');
    expect(await add(two, name('b'))).toBe('local');
    await committed(one, name('a'));
    await committed(two, name('b'));
    const three = await openTab();
    for (const tab of [one, two, three]) await shows(tab, [name('a'), name('b')]);
    const locks = await three.evaluate(() => tabsPage.locks());
    expect(locks.filter((lock) => lock.endsWith(':lead'))).toHaveLength(1);
    expect(locks.filter((lock) => lock.includes(':seat:'))).toHaveLength(3);
  });

  test('the one that keeps the store closes, another crashes: the rest go on, nothing is lost or done twice', async () => {
    const [one, two, three] = [await openTab(), await openTab(), await openTab()];
    await add(one, name('a'));
    await add(two, name('b'));
    await add(three, name('c'));
    await one.evaluate(() => tabsPage.close());
    await one.close();
    await add(two, name('d'));
    await committed(two, name('d'));
    // The second one keeps the store now, as it has waited longest.
    await add(three, name('e'));
    const devtools = await profile.newCDPSession(two);
    devtools.send('Page.crash').catch(() => undefined);
    await new Promise((resolve) => two.once('crash', resolve));
    await add(three, name('f'));
    await committed(three, name('f'));
    await shows(three, ['a', 'b', 'c', 'd', 'e', 'f'].map(name));
    const four = await openTab();
    await shows(four, ['a', 'b', 'c', 'd', 'e', 'f'].map(name));
    await mustBeOnce(four, ['a', 'b', 'c', 'd', 'e', 'f'].map(name));
  });

  test('the one that keeps the store is frozen: another takes its place; thawed, it follows, and loses nothing', async () => {
    const [one, two] = [await openTab(), await openTab()];
    await add(one, name('a'));
    await committed(one, name('a'));
    await shows(two, [name('a')]);
    const devtools = await freeze(one);
    expect(await add(two, name('b'))).toBe('local');
    await committed(two, name('b'));
    await thaw(devtools);
    await add(one, name('c'));
    await committed(one, name('c'));
    await add(two, name('d'));
    await committed(two, name('d'));
    for (const tab of [one, two]) await shows(tab, ['a', 'b', 'c', 'd'].map(name));
    await mustBeOnce(one, ['a', 'b', 'c', 'd'].map(name));
  });

  test('offline is offline in every tab; what is written is saved, and leaves when one goes online', async () => {
    const [one, two] = [await openTab(), await openTab()];
    await two.evaluate(() => tabsPage.offline());
    await one.waitForFunction(() => tabsPage.isOffline());
    await add(one, name('a'));
    await add(two, name('b'));
    await two.waitForFunction((word) => tabsPage.stage(word) === 'saved', name('b'));
    await one.waitForFunction(() => tabsPage.pending().length === 2);
    expect(await one.evaluate(() => tabsPage.pending())).toEqual(['saved', 'saved']);
    await one.evaluate(() => tabsPage.online());
    await committed(two, name('b'));
    for (const tab of [one, two]) await shows(tab, [name('a'), name('b')]);
  });

  test('any of them exports all that the profile has unsynced, and asks that it be kept', async () => {
    const [one, two] = [await openTab(), await openTab()];
    await two.evaluate(() => tabsPage.offline());
    await one.waitForFunction(() => tabsPage.isOffline());
    await add(two, name('a'));
    await one.evaluate((word) => tabsPage.addElsewhere('elsewhere', word), name('b'));
    const file = await two.evaluate(() => tabsPage.exported());
    expect([file.includes(name('a')), file.includes(name('b'))]).toEqual([true, true]);
    const kept = await two.evaluate(() => tabsPage.keep());
    expect(await two.evaluate(() => tabsPage.persisted())).toBe(kept);
  });
});
