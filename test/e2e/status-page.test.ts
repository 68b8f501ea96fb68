/** The page that a node serves to its operators, in a real browser, while nodes come and go. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { app } from '../../packages/server/src/drivers/testing/test-app.js';
import { silentLogger } from '../../packages/server/src/drivers/log.js';
import { createServer, type OxbowServer } from '../../packages/server/src/host/create-server.js';
import { chromiumFor, launchBrowser } from './browser.js';

const ADMIN_TOKEN = 'an-admin-token-that-only-this-test-knows';
const WAIT = { timeout: 30_000, interval: 100 };
const NAMES = ['a', 'b', 'c'];
const executable = chromiumFor('the status page');

describe.runIf(executable !== undefined)('the status page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-status-'));
  const servers = new Map<string, OxbowServer>();
  const urls = new Map<string, string>();
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const nodes = Object.fromEntries(await Promise.all(NAMES.map(async (name) =>
      [name, { peer: `127.0.0.1:${await freePort()}` }] as const)));
    await Promise.all(NAMES.map(async (name) => {
      const server = createServer({
        app, data: join(folder, name), port: 0, auth: { devAuth: true }, logger: silentLogger,
        adminToken: ADMIN_TOKEN,
        cluster: { node: name, nodes, secret: 'a secret of more than thirty-two bytes' },
      });
      servers.set(name, server);
      const { url } = await server.listen();
      urls.set(name, url.replace('ws:', 'http:').replace('/sync', '/cluster'));
    }));
    browser = await launchBrowser(executable ?? '');
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (line) => {
      // Wrong tokens are answered with 401, and the browser says so.
      if (line.type() === 'error' && !line.text().includes('401')) complaints.push(line.text());
    });
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await Promise.all([...servers.values()].map((server) => server.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  test('asks for the token, shows nothing without it, and the group with it', async () => {
    await page.goto(urls.get('a') ?? '');
    await expect.poll(() => page.locator('#token').isVisible(), WAIT).toBe(true);
    expect(await page.locator('#view').isVisible()).toBe(false);
    await page.fill('#token', 'wrong');
    await page.click('button');
    await page.fill('#token', ADMIN_TOKEN);
    await page.click('button');
    await expect.poll(() => page.locator('#summary').textContent(), WAIT)
      .toMatch(/^3 of 3 voters are there, [abc] leads\. The group survives 1 more failing\.$/);
    expect(await page.locator('#nodes .name').allTextContents()).toEqual(NAMES);
    expect(await page.locator('#nodes .badge.leader').count()).toBe(1);
    expect(await page.locator('#lanes .lane').count()).toBe(3);
    expect(await page.locator('#charts svg').count()).toBe(5);
  });

  test('follows the group while one node stops', async () => {
    await page.goto(`${urls.get('a') ?? ''}#token=${encodeURIComponent(ADMIN_TOKEN)}`);
    await expect.poll(() => page.locator('#nodes article').count(), WAIT).toBe(3);
    expect(page.url()).not.toContain('token');
    await servers.get('c')?.close();
    await expect.poll(() => page.locator('#nodes .card.down .name').allTextContents(), WAIT).toEqual(['c']);
    await expect.poll(() => page.locator('#summary').textContent(), WAIT)
      .toMatch(/^2 of 3 voters are there, [ab] leads\. The next failure stops the service\.$/);
  });

  test('fits a phone, in the dark, and complains of nothing', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), WAIT).toBeLessThanOrEqual(360);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(ground).toBe('rgb(18, 22, 28)');
    expect(complaints).toEqual([]);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createNetServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
