/**
 * A replica in a real Chromium whose storage goes wrong in the ways in which it does: full, deleted
 * under it, evicted, its files damaged, its process killed.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createServer, silentLogger, type OxbowServer } from '../../packages/server/src/index.js';
import { bundleForPage, chromiumFor, launchBrowser, launchProfile, servePage } from './browser.js';
import type { PageServer } from './browser.js';
import type { DurabilityPage } from './durability.page.js';
import { notes } from './notes-app.js';

declare const durability: DurabilityPage;

const chromium = chromiumFor('what a replica does when the browser\'s storage fails');

describe.runIf(chromium !== undefined)('a replica whose browser', () => {
  let browser: Browser;
  let pages: PageServer;
  let folder: string;
  let profile: BrowserContext;
  let server: OxbowServer | undefined;

  beforeAll(async () => {
    pages = await servePage(await bundleForPage(new URL('durability.page.ts', import.meta.url)));
    browser = await launchBrowser(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'oxbow-durable-'));
    profile = await browser.newContext();
  });
  afterEach(async () => {
    await profile.close();
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  async function newTab(of: BrowserContext = profile): Promise<Page> {
    const tab = await of.newPage();
    await arrive(tab);
    return tab;
  }

  async function arrive(tab: Page): Promise<void> {
    await tab.goto(pages.url);
    await tab.waitForFunction(() => typeof durability === 'object');
  }

  async function startServer(port = 0): Promise<string> {
    server = createServer({
      app: notes, data: join(folder, 'server'), auth: { devAuth: true }, logger: silentLogger, port,
    });
    const { url } = await server.listen();
    return url;
  }

  const origin = (): string => new URL(pages.url).origin;

  /**
   * A tab that has room for a few small updates and not for a big one. From before the first write
   * on, as Chromium believes in the room that it found for half a minute.
   */
  async function crampedTab(): Promise<{ tab: Page; devtools: CDPSession }> {
    const tab = await newTab();
    const devtools = await profile.newCDPSession(tab);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: origin(), quotaSize: 200_000 });
    return { tab, devtools };
  }

  async function expectAfterReload(tab: Page, counts: readonly string[]): Promise<void> {
    await arrive(tab);
    await tab.evaluate(() => durability.open('notes'));
    expect(await tab.evaluate(() => durability.counts())).toEqual(counts);
    expect(await tab.evaluate(() => durability.reports())).toEqual([]);
  }

  test('has no room left says so, loses nothing, and saves all of it when there is room', async () => {
    const { tab, devtools } = await crampedTab();
    await tab.evaluate(() => durability.open('notes'));
    await tab.evaluate(() => durability.write(['a'], 'saved'));
    // Text that does not compress.
    await tab.evaluate(() => durability.write(['b'], 'local',
      Array.from({ length: 400_000 }, () => Math.random().toString(36).at(-1)).join('')));
    await tab.waitForFunction(() => durability.storage().status === 'failing');
    expect(await tab.evaluate(() => durability.storage())).toMatchObject({ code: 'store-full' });
    expect(await tab.evaluate(() => durability.stalled())).toBe('store-full');
    expect(await tab.evaluate(() => durability.unsaved())).toBe(1);
    expect(await tab.evaluate(() => durability.counts())).toEqual(['a:1', 'b:1']);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: origin() });
    await tab.waitForFunction(() => durability.unsaved() === 0, undefined, { timeout: 20_000 });
    expect(await tab.evaluate(() => durability.storage())).toMatchObject({ status: 'ok' });
    expect(await tab.evaluate(() => durability.reports())).toEqual(['store-full']);
    await expectAfterReload(tab, ['a:1', 'b:1']);
  });

  test('lets another page delete the database has all of it written anew at once', async () => {
    const tab = await newTab();
    await tab.evaluate(() => durability.open('notes'));
    await tab.evaluate(() => durability.write(['a', 'b'], 'saved'));
    const other = await newTab();
    await other.evaluate(() => new Promise<void>((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase('oxbow/notes');
      deleting.onsuccess = () => resolve();
      deleting.onerror = () => reject(new Error('not deleted'));
    }));
    await tab.waitForFunction(() => durability.reports().length > 0);
    expect(await tab.evaluate(() => durability.reports())).toContain('store-lost');
    await tab.evaluate(() => durability.write(['c'], 'saved'));
    expect(await tab.evaluate(() => durability.storage())).toMatchObject({ kind: 'indexeddb', status: 'ok' });
    await expectAfterReload(tab, ['a:1', 'b:1', 'c:1']);
  });

  test('is told to clear the site\'s data has all of it written anew, and commits it once', async () => {
    const url = await startServer();
    const tab = await newTab();
    await tab.evaluate((to) => durability.open('notes', { server: to }), url);
    await tab.evaluate(() => durability.write(['a'], 'committed'));
    await server?.close();
    await tab.evaluate(() => durability.write(['b'], 'saved'));
    const devtools = await profile.newCDPSession(tab);
    await devtools.send('Storage.clearDataForOrigin', { origin: origin(), storageTypes: 'all' });
    await tab.waitForFunction(() => durability.reports().includes('store-lost'));
    await tab.evaluate(() => durability.write(['c'], 'saved'));
    await arrive(tab);
    const again = await startServer(Number(new URL(url).port));
    await tab.evaluate((to) => durability.open('notes', { server: to }), again);
    await tab.waitForFunction(() => durability.counts('committed').length === 3);
    expect(await tab.evaluate(() => durability.counts('committed'))).toEqual(['a:1', 'b:1', 'c:1']);
    expect(await tab.evaluate(() => durability.storage())).toMatchObject({ status: 'ok' });
  });

  test('evicts the database between two visits says which spaces have lost something', async () => {
    const tab = await newTab();
    await tab.evaluate(() => durability.open('notes'));
    await tab.evaluate(() => durability.write(['a'], 'saved'));
    await tab.evaluate(() => durability.close());
    await tab.evaluate(() => new Promise<void>((resolve) => {
      indexedDB.deleteDatabase('oxbow/notes').onsuccess = () => resolve();
    }));
    await arrive(tab);
    await tab.evaluate(() => durability.open('notes'));
    expect(await tab.evaluate(() => durability.reports())).toEqual(['store-evicted']);
    expect(await tab.evaluate(() => durability.storage())).toMatchObject({ evicted: { unsynced: ['team'] } });
  });

  test('loses the tab\'s process has what was saved, and nothing by halves', async () => {
    const tab = await newTab();
    await tab.evaluate(() => durability.open('notes'));
    await tab.evaluate(() => durability.write(['a', 'b'], 'saved'));
    const devtools = await profile.newCDPSession(tab);
    const crashed = tab.waitForEvent('crash');
    void devtools.send('Page.crash').catch(() => undefined);
    await crashed;
    await expectAfterReload(await newTab(), ['a:1', 'b:1']);
  });

  test('is given up has its updates in a file, which another browser brings home, each once', async () => {
    const old = await newTab();
    await old.evaluate(() => durability.open('notes'));
    await old.evaluate(() => durability.write(['a', 'b'], 'saved'));
    const file = await old.evaluate(() => durability.exportUnsynced());
    const url = await startServer();
    const other = await browser.newContext();
    const fresh = await newTab(other);
    await fresh.evaluate((to) => durability.open('notes', { server: to }), url);
    expect(await fresh.evaluate((text) => durability.importUnsynced(text), file)).toEqual({ team: 2 });
    await fresh.evaluate(() => durability.write(['a'], 'committed'));
    // The old one was not lost after all, and has gone on.
    await old.evaluate(() => durability.write(['c'], 'saved'));
    await arrive(old);
    await old.evaluate((to) => durability.open('notes', { server: to }), url);
    await old.waitForFunction(() => durability.counts('committed').length === 3);
    await fresh.waitForFunction(() => durability.counts('committed').length === 3);
    for (const tab of [old, fresh]) {
      expect(await tab.evaluate(() => durability.counts('committed'))).toEqual(['a:2', 'b:1', 'c:1']);
      expect(await tab.evaluate(() => durability.pending())).toBe(0);
      expect(await tab.evaluate(() => durability.reports())).toEqual([]);
    }
    await other.close();
  });

  test('is asked to keep the store, and the answer is seen', async () => {
    const tab = await newTab();
    await tab.evaluate(() => durability.open('notes'));
    const answer = await tab.evaluate(() => durability.keep());
    expect(await tab.evaluate(() => durability.storage())).toMatchObject({ persisted: answer });
    expect(await tab.evaluate(() => durability.storage().quotaBytes)).toBeGreaterThan(0);
  });

  test('is about to leave the page is asked whether to, only while something is unsaved', async () => {
    const { tab, devtools } = await crampedTab();
    await tab.evaluate(() => durability.open('notes', { warn: true }));
    await tab.evaluate(() => durability.write(['a'], 'saved'));
    // Browsers ask only on pages that were touched.
    await tab.mouse.click(5, 5);
    await tab.evaluate(() => durability.write(['b'], 'local',
      Array.from({ length: 400_000 }, () => Math.random().toString(36).at(-1)).join('')));
    await tab.waitForFunction(() => durability.unsaved() > 0);
    const asked = tab.waitForEvent('dialog');
    void tab.reload().catch(() => undefined);
    const dialog = await asked;
    expect(dialog.type()).toBe('beforeunload');
    await dialog.dismiss();
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: origin() });
    await tab.waitForFunction(() => durability.unsaved() === 0, undefined, { timeout: 20_000 });
    let wasAsked = false;
    tab.on('dialog', (next) => {
      wasAsked = true;
      void next.accept();
    });
    await expectAfterReload(tab, ['a:1', 'b:1']);
    expect(wasAsked).toBe(false);
  });

  test('loses the file of a big update says so, keeps the others, and gives its number to no other', async () => {
    const place = join(folder, 'profile');
    const first = await launchProfile(chromium ?? '', place);
    const writer = await newTab(first);
    await writer.evaluate(() => durability.open('notes'));
    await writer.evaluate(() => durability.write(['a'], 'saved'));
    await writer.evaluate(() => durability.write(['b'], 'saved',
      Array.from({ length: 500_000 }, () => Math.random().toString(36).at(-1)).join('')));
    await writer.evaluate(() => durability.write(['c'], 'saved'));
    await first.close();
    const files = readdirSync(place, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((file) => file.isFile() && file.parentPath.includes('.indexeddb.blob'));
    expect(files).not.toHaveLength(0);
    for (const file of files) rmSync(join(file.parentPath, file.name));
    const url = await startServer();
    const second = await launchProfile(chromium ?? '', place);
    const reader = await newTab(second);
    await reader.evaluate((to) => durability.open('notes', { server: to }), url);
    expect(await reader.evaluate(() => durability.reports())).toEqual(['store-damaged']);
    expect(await reader.evaluate(() => durability.damage())).toBe('store-damaged');
    await reader.evaluate(() => durability.write(['d'], 'committed'));
    expect(await reader.evaluate(() => durability.counts('committed'))).toEqual(['a:1', 'c:1', 'd:1']);
    await second.close();
  });

  describe('has several tabs of one store, and', () => {
    /** The first one keeps the store. */
    async function twoTabs(server?: string): Promise<readonly [Page, Page]> {
      const one = await newTab();
      const two = await newTab();
      for (const tab of [one, two]) await openBeside(tab, server);
      return [one, two];
    }
    const openBeside = (tab: Page, server?: string): Promise<void> =>
      tab.evaluate((to) =>
        durability.open('notes', { tabs: true, ...(to !== undefined && { server: to }) }), server);
    const shows = (tab: Page, counts: string[], view: 'tentative' | 'committed' = 'tentative') =>
      expect.poll(() => tab.evaluate((of) => durability.counts(of), view), { timeout: 20_000 })
        .toEqual(counts);

    test('no room left says so in each, loses nothing, and saves all of it when there is room', async () => {
      const { tab: one, devtools } = await crampedTab();
      const two = await newTab();
      for (const tab of [one, two]) await openBeside(tab);
      await two.evaluate(() => durability.write(['a'], 'saved'));
      await two.evaluate(() => durability.write(['b'], 'local',
        Array.from({ length: 400_000 }, () => Math.random().toString(36).at(-1)).join('')));
      for (const tab of [one, two]) {
        await tab.waitForFunction(() => durability.storage().status === 'failing');
        expect(await tab.evaluate(() => durability.storage())).toMatchObject({ code: 'store-full' });
        await tab.waitForFunction(() => durability.stalled() === 'store-full');
        await shows(tab, ['a:1', 'b:1']);
      }
      await two.waitForFunction(() => durability.unsaved() === 1);
      await devtools.send('Storage.overrideQuotaForOrigin', { origin: origin() });
      for (const tab of [one, two]) {
        await tab.waitForFunction(() => durability.unsaved() === 0, undefined, { timeout: 20_000 });
        await tab.waitForFunction(() => durability.storage().status === 'ok');
      }
      await one.close();
      await arrive(two);
      await openBeside(two);
      await shows(two, ['a:1', 'b:1']);
    });

    test('the database deleted under them has all of it written anew, by whichever tab wrote it', async () => {
      const [one, two] = await twoTabs();
      await one.evaluate(() => durability.write(['a'], 'saved'));
      await two.evaluate(() => durability.write(['b'], 'saved'));
      const other = await newTab();
      await other.evaluate(() => new Promise<void>((resolve, reject) => {
        const deleting = indexedDB.deleteDatabase('oxbow/notes');
        deleting.onsuccess = () => resolve();
        deleting.onerror = () => reject(new Error('not deleted'));
      }));
      await one.waitForFunction(() => durability.reports().includes('store-lost'));
      await two.evaluate(() => durability.write(['c'], 'saved'));
      await one.evaluate(() => durability.write(['d'], 'saved'));
      for (const tab of [one, two]) await shows(tab, ['a:1', 'b:1', 'c:1', 'd:1']);
      for (const tab of [one, two]) await tab.close();
      await openBeside(other);
      await shows(other, ['a:1', 'b:1', 'c:1', 'd:1']);
    });

    test('the site\'s data cleared has all of it written anew, and commits it once', async () => {
      const url = await startServer();
      const [one, two] = await twoTabs(url);
      await two.evaluate(() => durability.write(['a'], 'committed'));
      await server?.close();
      await one.evaluate(() => durability.write(['b'], 'saved'));
      await two.evaluate(() => durability.write(['c'], 'saved'));
      const devtools = await profile.newCDPSession(two);
      await devtools.send('Storage.clearDataForOrigin', { origin: origin(), storageTypes: 'all' });
      await one.waitForFunction(() => durability.reports().includes('store-lost'));
      await two.evaluate(() => durability.write(['d'], 'saved'));
      const again = await startServer(Number(new URL(url).port));
      for (const tab of [one, two]) await shows(tab, ['a:1', 'b:1', 'c:1', 'd:1'], 'committed');
      await one.close();
      await arrive(two);
      await openBeside(two, again);
      await shows(two, ['a:1', 'b:1', 'c:1', 'd:1'], 'committed');
      expect(await two.evaluate(() => durability.pending())).toBe(0);
    });
  });
});
