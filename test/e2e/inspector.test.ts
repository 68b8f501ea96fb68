/**
 * The inspector inside the calendar, in real Chromium: what waits, what was refused, offline, and
 * back in time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Axe from 'axe-core';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumFor, launchBrowser } from './browser.js';
import { buildCalendarPage } from './calendar-page.js';
import { Person } from './calendar-person.js';
import { freePort, PageServer, SyncServer } from './processes.js';

const chromium = chromiumFor('the inspector in a page');
const axe = createRequire(import.meta.url).resolve('axe-core');
const PATIENT = { timeout: 30_000 };
/** A Wednesday. */
const day = '2027-03-10';
const slot = { room: 'Harbour', from: '09:00', to: '10:00' };

describe.runIf(chromium !== undefined)('the inspector in the calendar', () => {
  let folder: string;
  let pages: PageServer;
  let browser: Browser;
  let server: SyncServer;
  let ann: Person;
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-inspector-'));
    const outDir = join(folder, 'page');
    await buildCalendarPage(outDir);
    pages = await PageServer.start(outDir);
    browser = await launchBrowser(chromium ?? '');
    server = new SyncServer({ port: await freePort(), data: join(folder, 'data') });
    await server.start();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.kill();
    await pages?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function annAndBob(): Promise<void> {
    const url = `${pages.url}?space=team-1&server=${encodeURIComponent(server.url)}`;
    const arrive = async (name: string): Promise<Person> => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      return Person.arrive(context, name, { url, day });
    };
    ann = await arrive('ann');
    page = ann.page;
    await ann.addStarterRooms();
    await ann.inSync();
    const bob = await arrive('bob');
    await bob.lookAtTheDay();
    await ann.goOffline();
    await ann.book({ title: 'Retro', ...slot, orElse: [{ room: 'Kiln', from: '09:00' }] });
    await ann.book({ title: 'Board', ...slot, room: 'Orchard' });
    await ann.at('inspector').click();
    await bob.book({ title: 'Planning', ...slot });
    await bob.book({ title: 'Hiring', ...slot, room: 'Orchard' });
    await bob.inSync();
  }

  const panel = (): Locator => page.locator('[data-oxbow-inspector]');
  const open = (title: string): Promise<void> => panel().getByRole('tab', { name: title }).click();
  const line = (...texts: string[]): Locator =>
    texts.reduce((found, hasText) => found.filter({ hasText }), panel().locator('summary:visible'));

  it('shows offline what waits, with its stamp, context and effects, and both views of the row', async () => {
    await annAndBob();
    await line('saved', 'book', 'applied').first().waitFor(PATIENT);
    await line('saved', 'book').first().click();
    const body = panel().locator('details[open] .body');
    await expect.poll(() => body.innerText(), PATIENT).toMatch(/Stamp[\s\S]*Context\s*csn \d+[\s\S]*Board/);
    await open('Rows');
    await panel().getByRole('tabpanel').getByLabel('Show').selectOption('with tentative writes');
    await line('added', 'booking').first().click();
    await expect.poll(() => panel().locator('details[open] .body:visible').innerText()).toMatch(/\(no row\)/);
    await open('Connections');
    await line('offline').first().waitFor(PATIENT);
  });

  it('shows what ran again and why, and what was moved and refused, once online', async () => {
    await ann.goOnline();
    await ann.inSync();
    await open('Rebase');
    await line('commit').filter({ hasText: 'ran' }).first().waitFor(PATIENT);
    const steps = panel().getByRole('tabpanel').locator('details:visible');
    await steps.filter({ hasNotText: '0 ran' }).first().locator('summary').click();
    await expect.poll(() => panel().locator('details[open] .body:visible').innerText(), PATIENT)
      .toMatch(/book[\s\S]*read booking[\s\S]*changed by commit \d+ \(book\)/);
    await open('Updates');
    await line('csn', 'alternative 1').waitFor(PATIENT);
    await line('csn', 'rejected').waitFor(PATIENT);
    // It was opened while it waited, and still is.
    await expect.poll(() => panel().locator('details[open] .body:visible').last().innerText(), PATIENT)
      .toMatch(/Stood in its way[\s\S]*by bob/);
  });

  it('tells address, round trip and window of the link, and counts the store', async () => {
    await open('Connections');
    await line('live', server.url, 'ms').click();
    await expect.poll(() => panel().locator('details[open] .body:visible').innerText(), PATIENT)
      .toMatch(/Sent[\s\S]*acknowledged[\s\S]*Window[\s\S]*under way[\s\S]*team-1/);
    await open('Storage');
    await panel().getByRole('button', { name: 'Count what is stored' }).click();
    await panel().getByRole('row', { name: /^team-1 \d+ · / }).waitFor(PATIENT);
    await expect.poll(() => panel().getByRole('tabpanel').innerText()).toMatch(/indexeddb[\s\S]*Last flush/);
  });

  it('shows in a second tab the link and the store of the one that has them', async () => {
    const second = await page.context().newPage();
    try {
      await second.goto(`${page.url()}&inspect`);
      const there = second.locator('[data-oxbow-inspector]');
      await there.getByRole('tab', { name: 'Connections' }).click(PATIENT);
      const link = there.locator('summary:visible', { hasText: server.url });
      await link.filter({ hasText: /of the leading tab, \d+ ms/ }).click(PATIENT);
      await expect.poll(() => there.locator('details[open] .body:visible').innerText(), PATIENT)
        .toMatch(/Sent[\s\S]*acknowledged[\s\S]*Window[\s\S]*under way[\s\S]*team-1/);
      await there.getByRole('tab', { name: 'Storage' }).click();
      await there.getByRole('button', { name: 'Count what is stored' }).click();
      await there.getByRole('row', { name: /^team-1 \d+ · / }).waitFor(PATIENT);
      await expect.poll(() => there.getByRole('tabpanel').innerText(), PATIENT)
        .toMatch(/indexeddb[\s\S]*Last flush[\s\S]*everything/);
    } finally {
      await second.close();
    }
  });

  it('goes back in time: before bob, his booking is not there yet', async () => {
    await open('Time travel');
    await line('Planning').waitFor(PATIENT);
    const slider = panel().getByRole('slider', { name: 'As of csn' });
    await slider.focus();
    await page.keyboard.press('Home');
    await line('not there yet').first().waitFor(PATIENT);
    await expect.poll(() => line('Planning').count()).toBe(0);
    await page.keyboard.press('End');
    await line('Planning').waitFor(PATIENT);
  });

  it('has no accessibility violation in any tab, light or dark', async () => {
    await page.addScriptTag({ path: axe });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const title of ['Updates', 'Rows', 'Rebase', 'Connections', 'Storage', 'Time travel']) {
        await open(title);
        const found = await page.evaluate(async () => {
          // reason: the script above puts it there.
          const { axe: checker } = window as unknown as { axe: typeof Axe };
          const { violations } = await checker.run('[data-oxbow-inspector]');
          return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
        });
        expect(found, `${title}, ${colorScheme}`).toEqual([]);
      }
    }
  });

  it('is fetched when it is asked for, goes with Escape, and comes back without a server', async () => {
    await panel().getByRole('tab', { name: 'Time travel' }).press('Escape');
    await panel().waitFor({ state: 'detached' });
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null, undefined, PATIENT);
    await pages.stop();
    await page.goto(`${page.url()}&inspect`);
    await panel().waitFor(PATIENT);
    await line('csn').first().waitFor(PATIENT);
    expect(ann.errors).toEqual([]);
  });
});
