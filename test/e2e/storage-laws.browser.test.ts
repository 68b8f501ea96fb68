import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storageLaws, newerStoreLaw } from '../../packages/sdk/src/drivers/testing/storage-laws.js';
import { bundleForPage, chromiumFor, launchBrowser, launchProfile, servePage } from './browser.js';
import type { PageServer } from './browser.js';
import type { StoragePage } from './storage-laws.page.js';

declare const storagePage: StoragePage;

const chromium = chromiumFor('the laws of storage in real IndexedDB');

describe('IndexedDB of a real Chromium', () => {
  if (chromium === undefined) {
    test('was not tried, as there is no Chromium', () => expect(chromium).toBeUndefined());
    return;
  }
  let browser: Browser;
  let server: PageServer;
  let profile: BrowserContext;

  beforeAll(async () => {
    server = await servePage(await bundleForPage(new URL('storage-laws.page.ts', import.meta.url)));
    browser = await launchBrowser(chromium);
    profile = await browser.newContext();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  async function newTab(of: BrowserContext = profile): Promise<Page> {
    const tab = await of.newPage();
    await tab.goto(server.url);
    await tab.waitForFunction(() => typeof storagePage === 'object');
    return tab;
  }

  describe('keeps the laws of storage:', () => {
    let tab: Page;
    // One each: where a tab dies (a machine short of memory ends the largest process), the other
    // laws still have a verdict.
    beforeEach(async () => {
      tab = await newTab();
    });
    afterEach(async () => {
      await tab.close();
    });
    for (const { name } of [...storageLaws, newerStoreLaw]) {
      test(name, async () => {
        expect(await tab.evaluate((law) => storagePage.runLaw(law), name)).toBe('');
      });
    }
    test('all of them were on the page', async () => {
      const names = await tab.evaluate(() => storagePage.lawNames());
      expect(names).toEqual([...storageLaws, newerStoreLaw].map((law) => law.name));
    });
  });

  test('a second tab finds the store in use, and one that waits has it when the first is closed', async () => {
    const [first, second] = [await newTab(), await newTab()];
    expect(await first.evaluate(() => storagePage.open('tabs', false))).toBe('opened');
    expect(await first.evaluate(() => storagePage.write('a', '1'))).toBe('written');
    expect(await second.evaluate(() => storagePage.open('tabs', false))).toBe('store-in-use');
    const waiting = second.evaluate(() => storagePage.open('tabs', true));
    await first.close();
    expect(await waiting).toBe('opened');
    expect(await second.evaluate(() => storagePage.read())).toEqual([['a', '1']]);
    await second.close();
  });

  test('what was written is there after a reload, and the page that is gone does not hold it', async () => {
    const tab = await newTab();
    await tab.evaluate(() => storagePage.open('reloaded', false));
    expect(await tab.evaluate(() => storagePage.write('a', '1'))).toBe('written');
    await tab.reload();
    await tab.waitForFunction(() => typeof storagePage === 'object');
    expect(await tab.evaluate(() => storagePage.open('reloaded', true))).toBe('opened');
    expect(await tab.evaluate(() => storagePage.read())).toEqual([['a', '1']]);
    await tab.close();
  });

  test('a store that the user clears is lost, not taken for an empty one', async () => {
    const tab = await newTab();
    await tab.evaluate(() => storagePage.open('cleared', false));
    expect(await tab.evaluate(() => storagePage.write('a', '1'))).toBe('written');
    const devtools = await profile.newCDPSession(tab);
    await devtools.send('Storage.clearDataForOrigin', {
      origin: new URL(server.url).origin, storageTypes: 'indexeddb',
    });
    expect(await tab.evaluate(() => storagePage.write('b', '2'))).toBe('store-lost');
    await tab.close();
  });

  test('a big value whose file is gone comes back empty, and does not take the others with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'oxbow-profile-'));
    // Chromium compresses: only what is still big then gets a file of its own.
    const big = 'x'.repeat(4 << 20);
    const first = await launchProfile(chromium, folder);
    const writer = await newTab(first);
    await writer.evaluate(() => storagePage.open('big', false));
    for (const [key, value] of [['a', 'small'], ['b', big], ['c', 'small']] as const) {
      expect(await writer.evaluate((args) => storagePage.write(...args), [key, value] as const)).toBe('written');
    }
    await first.close();
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((file) => file.isFile() && file.parentPath.includes('.indexeddb.blob'));
    expect(files).toHaveLength(1);
    for (const file of files) rmSync(join(file.parentPath, file.name));
    const second = await launchProfile(chromium, folder);
    const reader = await newTab(second);
    expect(await reader.evaluate(() => storagePage.open('big', false))).toBe('opened');
    const pairs = await reader.evaluate(() => storagePage.read());
    expect(pairs.map(([key, text]) => [key, text.length])).toEqual([['a', 5], ['b', 0], ['c', 5]]);
    await second.close();
    rmSync(folder, { recursive: true });
  });
});
