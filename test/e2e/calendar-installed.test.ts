/**
 * The calendar as an installed app: from a cold start with everything down, through a newer build,
 * by keyboard and by screen reader, on the clocks of several zones. One server and one browser for
 * all of it.
 */
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chromiumFor, launchBrowser, launchProfile } from './browser.js';
import { buildCalendarPage } from './calendar-page.js';
import { Person } from './calendar-person.js';
import { freePort, PageServer, SyncServer } from './processes.js';

const chromium = chromiumFor('the calendar as an installed app');
const PATIENCE = { timeout: 30_000 };

describe.runIf(chromium !== undefined)('the calendar as an installed app', () => {
  let folder: string;
  let page: string;
  let pages: PageServer;
  let server: SyncServer;
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  let spaces = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-installed-'));
    page = join(folder, 'page');
    await buildCalendarPage(page);
    server = new SyncServer({ port: await freePort(), data: join(folder, 'data') });
    await server.start();
    pages = await PageServer.start(page, '--server', server.url);
    browser = await launchBrowser(chromium ?? '');
  });

  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });

  afterAll(async () => {
    await browser?.close();
    await pages?.stop();
    await server?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  async function arrive(name: string, day: string, options: BrowserContextOptions = {}): Promise<Person> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options,
    });
    contexts.push(context);
    return Person.arrive(context, name, { url: `${pages.url}?space=team-${spaces}`, day });
  }

  async function first(day: string, options: BrowserContextOptions = {}): Promise<Person> {
    spaces += 1;
    const ann = await arrive('ann', day, options);
    await ann.addStarterRooms();
    return ann;
  }

  const ten = { room: 'Harbour', from: '10:00', to: '11:00' } as const;

  it('starts cold with network and servers down, and keeps what is booked then', async () => {
    const profile = join(folder, 'profile');
    const [syncPort, pageFolder] = [await freePort(), join(folder, 'own-page')];
    await cp(page, pageFolder, { recursive: true });
    const ownServer = new SyncServer({ port: syncPort, data: join(folder, 'own-data') });
    await ownServer.start();
    const ownPages = await PageServer.start(pageFolder, '--server', ownServer.url);
    const address = `${ownPages.url}?space=cold`;
    let context = await launchProfile(chromium ?? '', profile);
    try {
      const ann = await Person.arrive(context, 'ann', { url: address, day: '2027-03-24' });
      await ann.addStarterRooms();
      await ann.inSync();
      await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await context.close();
      await ownPages.stop();
      await ownServer.kill();

      context = await launchProfile(chromium ?? '', profile);
      const cold = new Person('ann', await context.newPage(), '2027-03-24');
      await cold.page.goto(address);
      await cold.lookAtTheDay();
      await cold.book({ title: 'Booked cold', ...ten });
      await cold.seesBooking('Booked cold', 'tentative');
      await context.close();

      // The icon of the installed app leads to an address without a space.
      context = await launchProfile(chromium ?? '', profile);
      const icon = new Person('ann', await context.newPage(), '2027-03-24');
      await icon.page.goto(`${ownPages.url}?app`);
      await icon.lookAtTheDay();
      await icon.seesBooking('Booked cold', 'tentative');
      expect(await icon.at('space').textContent()).toBe('cold');
      await ownServer.start();
      await icon.seesBooking('Booked cold', 'committed');
      expect(icon.errors).toEqual([]);
    } finally {
      await context.close();
      await ownPages.stop();
      await ownServer.kill();
    }
  });

  it('has all that a browser asks of an app before it offers to install it', async () => {
    const ann = await first('2027-03-24');
    const session = await ann.page.context().newCDPSession(ann.page);
    const { errors, url } = await session.send('Page.getAppManifest');
    expect([errors, url]).toEqual([[], `${pages.url}manifest.webmanifest`]);
    const manifest: unknown = await (await fetch(url)).json();
    expect(manifest).toMatchObject({ display: 'standalone', start_url: './?app', scope: './' });
    const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
    // Contexts of a test are private windows; a browser installs nothing from those.
    const ids = installabilityErrors.map(({ errorId }) => errorId);
    expect(ids.filter((id) => id !== 'in-incognito')).toEqual([]);
  });

  it('a newer build is offered and taken over, with a half-typed form and what waits', async () => {
    const newer = join(folder, 'newer');
    await cp(page, newer, { recursive: true });
    const ownPages = await PageServer.start(newer, '--server', server.url);
    try {
      spaces += 1;
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      contexts.push(context);
      const url = `${ownPages.url}?space=team-${spaces}`;
      const ann = await Person.arrive(context, 'ann', { url, day: '2027-03-24' });
      await ann.addStarterRooms();
      await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await ann.inSync();
      await ann.goOffline();
      await ann.book({ title: 'Waits', ...ten });
      await ann.at('new-booking').click();
      await ann.at('field-title').fill('Half-typed');
      await ann.at('field-from').fill('15:30');

      await buildCalendarPage(newer, 'newer');
      await ann.page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
      await expect.poll(() => ann.at('update').getAttribute('data-state'), PATIENCE).toBe('ready');
      const reloaded = ann.page.waitForEvent('load');
      // The form lies over the page: as from the keyboard, where the bar is the next stop after it.
      await ann.at('take-update').dispatchEvent('click');
      await reloaded;
      await ann.at('booking-dialog').waitFor();
      expect(await ann.at('field-title').inputValue()).toBe('Half-typed');
      expect(await ann.at('field-from').inputValue()).toBe('15:30');
      expect(await ann.page.locator('script[src*="/newer-"]').count()).toBe(1);
      await ann.page.keyboard.press('Escape');
      await ann.lookAtTheDay();
      await ann.seesBooking('Waits', 'committed');
      expect(ann.errors).toEqual([]);
    } finally {
      await ownPages.stop();
    }
  });

  it('no state of it has a barrier that axe finds, in light and dark, wide and narrow', async () => {
    for (const [colorScheme, width] of [['light', 1440], ['dark', 1440], ['light', 360], ['dark', 360]] as const) {
      spaces += 1;
      const name = (state: string): string => `${colorScheme} ${width}: ${state}`;
      const ann = await arrive('ann', '2027-03-24', { colorScheme, viewport: { width, height: 800 } });
      const check = async (state: string): Promise<void> =>
        expect(await ann.barriers(), name(state)).toEqual([]);
      await ann.at('no-rooms').waitFor();
      await check('no rooms');
      await ann.addStarterRooms();
      await ann.at('board-empty').waitFor();
      await check('empty');
      await ann.goOffline();
      await ann.page.keyboard.press('n');
      await ann.at('field-title').fill('Design review');
      await ann.at('add-time-wish').click();
      await check('form');
      await ann.at('save-booking').click();
      await ann.at('booking-dialog').waitFor({ state: 'detached' });
      await check('offline');
      await ann.page.keyboard.press('i');
      await ann.at('notices').waitFor();
      await check('inbox');
      await ann.page.keyboard.press('Escape');
      await ann.page.keyboard.press('/');
      await ann.at('search-field').fill('review');
      await ann.at('found').first().waitFor();
      await check('search');
      await ann.page.keyboard.press('Escape');
      await ann.page.keyboard.press('w');
      await ann.page.keyboard.press('?');
      await ann.at('keys-dialog').waitFor();
      await check('keys');
    }
  });

  it('says that the server does not let one in, and goes on by itself once it does', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, 'known to this test alone, and long enough');
    const [port, data] = [await freePort(), join(folder, 'closed-data')];
    const closed = new SyncServer({ port, data, auth: ['--jwt-secret-file', secret] });
    const open = new SyncServer({ port, data });
    await closed.start();
    try {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      contexts.push(context);
      const url = `${pages.url}?space=closed&server=${encodeURIComponent(closed.url)}`;
      const ann = await Person.arrive(context, 'ann', { url, day: '2027-03-24' });
      await ann.at('no-right').waitFor();
      expect(await ann.at('no-right').textContent()).toContain('token-invalid');
      expect(await ann.barriers()).toEqual([]);
      await closed.kill();
      await open.start();
      await ann.page.reload();
      await ann.at('no-rooms').waitFor();
    } finally {
      await closed.kill();
      await open.kill();
    }
  });

  it('says how far an import is, and when this device’s storage is full', async () => {
    const file = join(folder, 'many.ics');
    const stamp = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.000/g, '');
    const event = (n: number): string[] => {
      const start = Date.UTC(2027, 0, 4, 8) + n * 7_200_000;
      // Text that does not compress.
      const notes = randomBytes(1_500).toString('hex');
      return [
        'BEGIN:VEVENT', `UID:e${n}`, `SUMMARY:Meeting ${n}`, `DESCRIPTION:${notes}`,
        `DTSTART:${stamp(start)}`, `DTEND:${stamp(start + 3_600_000)}`, 'END:VEVENT',
      ];
    };
    const events = Array.from({ length: 400 }, (_, n) => event(n)).flat();
    await writeFile(file, ['BEGIN:VCALENDAR', ...events, 'END:VCALENDAR'].join('\r\n'));

    spaces += 1;
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    contexts.push(context);
    // Before the first write: Chromium believes for half a minute in the room that it found.
    const devtools = await context.newCDPSession(await context.newPage());
    const { origin } = new URL(pages.url);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 200_000 });
    const url = `${pages.url}?space=team-${spaces}`;
    const ann = await Person.arrive(context, 'ann', { url, day: '2027-03-24' });
    await ann.addStarterRooms();
    await ann.at('import').click();
    await ann.at('import-file').setInputFiles(file);
    await ann.at('import-count').waitFor(PATIENCE);
    await ann.page.evaluate(() => {
      new MutationObserver(() => {
        const text = document.querySelector('[data-testid=import-progress]')?.textContent ?? '';
        const { seen = '' } = document.body.dataset;
        if (text !== '' && !seen.endsWith(text)) document.body.dataset['seen'] = `${seen}\n${text}`;
      }).observe(document, { childList: true, subtree: true, characterData: true });
    });
    await ann.at('import-start').click();
    await ann.at('import-done').waitFor(PATIENCE);
    const seen = (await ann.page.evaluate(() => document.body.dataset['seen'] ?? '')).split('\n');
    expect(seen).toContain('200 of 400 bookings');
    await expect.poll(() => ann.at('import-warning').textContent(), PATIENCE).toContain('store-full');
    await ann.page.keyboard.press('Escape');
    const warning = ann.page.locator('.banner.is-warning');
    await expect.poll(() => warning.textContent(), PATIENCE).toContain('store-full');
    expect(await ann.barriers()).toEqual([]);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin });
    await ann.inSync();
    expect(await warning.count()).toBe(0);
    await ann.page.reload();
    await ann.inSync();
    const saved = ann.page.waitForEvent('download');
    await ann.at('export').click();
    const exported = await readFile(await (await saved).path(), 'utf8');
    expect(new Set(exported.match(/SUMMARY:Meeting \d+/g)).size).toBe(400);
    expect(ann.errors).toEqual([]);
  });

  it('searches, books, opens and cancels without a pointer', async () => {
    const ann = await first('2027-03-24');
    await ann.book({ title: 'Design review', ...ten });
    await ann.book({ title: 'Retro', room: 'Kiln', from: '14:00', to: '15:00' });
    await ann.page.keyboard.press('t');
    await ann.page.keyboard.press('/');
    await ann.page.keyboard.type('kiln ret');
    await expect.poll(() => ann.at('found').count()).toBe(1);
    await ann.page.keyboard.press('Enter');
    const focused = (): Promise<string | null> =>
      ann.page.evaluate(() => document.activeElement?.getAttribute('data-title') ?? null);
    await expect.poll(focused, PATIENCE).toBe('Retro');
    await ann.page.keyboard.press('ArrowUp');
    await expect.poll(focused).toBe('Design review');
    const said = await ann.page.evaluate(() => document.activeElement?.getAttribute('title'));
    expect(said).toMatch(/^Design review · Harbour · Wed,? 24 Mar, 10:00–11:00 · ann/);
    await ann.page.keyboard.press('Enter');
    await ann.at('cancel-booking').focus();
    await ann.page.keyboard.press('Enter');
    await expect.poll(async () => (await ann.sees()).map((s) => s.title)).toEqual(['Retro']);
    expect(ann.errors).toEqual([]);
  });

  it('a refused booking is tried again from the inbox, by keyboard', async () => {
    const ann = await first('2027-03-24');
    await ann.inSync();
    const bob = await arrive('bob', '2027-03-24');
    await bob.lookAtTheDay();
    await bob.inSync();
    await bob.goOffline();
    await bob.book({ title: 'Interview', ...ten });
    await bob.book({ title: 'Sales', room: 'Kiln', from: '10:00', to: '11:00', orElse: [{ room: 'Orchard', from: '10:00' }] });
    await ann.book({ title: 'Review', ...ten });
    await ann.book({ title: 'Retro', room: 'Kiln', from: '10:00', to: '11:00' });
    await ann.inSync();
    await bob.goOnline();
    await expect.poll(() => bob.at('bell').getAttribute('data-count'), PATIENCE).toBe('2');
    await bob.page.keyboard.press('i');
    const told = await bob.isTold(2);
    expect(told.map(({ kind }) => kind)).toEqual(['moved', 'refused']);
    expect(told[0]?.text).toMatch(/ went to ann\.$/);
    await bob.at('notice-dismiss').first().press('Enter');
    await bob.isTold(1);
    await bob.at('notice-retry').press('Enter');
    await bob.at('save-booking').press('Enter');
    await bob.isTold(0);
    await bob.seesBooking('Interview', 'committed');
    expect([...ann.errors, ...bob.errors]).toEqual([]);
  });

  it('a booking stands at the same instant on the clocks of every zone', async () => {
    const ann = await first('2026-10-25', { timezoneId: 'Europe/Berlin' });
    // The second of the two hours from two to three.
    await ann.at('new-booking').click();
    await ann.at('field-title').fill('Night shift');
    await ann.at('field-date').fill('2026-10-25');
    await ann.at('field-from').fill('02:30');
    await ann.at('field-to').fill('03:30');
    await ann.at('field-fold').selectOption('second');
    await ann.at('save-booking').click();
    const start = Date.parse('2026-10-25T01:30Z');
    expect(await ann.seesBooking('Night shift', 'committed')).toMatchObject({ start, end: start + 3_600_000 });
    const labels = ann.page.locator('.ec-body .ec-sidebar time');
    expect((await labels.allTextContents()).slice(1, 5)).toEqual(['01:00', '02:00 CEST', '02:00 CET', '03:00']);
    expect(await labels.count()).toBe(25);

    const views = [
      ['America/New_York', '2026-10-24', '21:30–22:30'],
      ['Asia/Kolkata', '2026-10-25', '07:00–08:00'],
      ['Pacific/Apia', '2026-10-25', '14:30–15:30'],
    ] as const;
    for (const [zone, day, time] of views) {
      const other = await arrive('bob', day, { timezoneId: zone });
      await other.lookAtTheDay();
      expect(await other.seesBooking('Night shift', 'committed')).toMatchObject({ start });
      expect(await other.page.locator('.card-time').textContent(), zone).toBe(time);
      await other.press('Night shift', 'Enter');
      const provenance = other.at('booking-dialog').locator('p.hint').first();
      expect(await provenance.textContent(), zone).toContain('02:30 CET – 03:30 in Berlin');
      await other.page.context().close();
      contexts.pop();
    }

    await ann.at('zone').selectOption('Asia/Kolkata');
    await expect.poll(() => ann.page.locator('.card-time').textContent()).toBe('07:00–08:00');
    await ann.page.reload();
    await ann.lookAtTheDay();
    await expect.poll(() => ann.page.locator('.card-time').textContent()).toBe('07:00–08:00');
    expect(ann.errors).toEqual([]);
  });

  it('an hour that there is not cannot be booked, nor dragged into', async () => {
    const ann = await first('2027-03-14', { timezoneId: 'America/New_York' });
    await ann.at('new-booking').click();
    await ann.at('field-title').fill('Never');
    await ann.at('field-date').fill('2027-03-14');
    await ann.at('field-from').fill('02:30');
    await ann.at('field-to').fill('03:30');
    await ann.at('no-such-time').waitFor();
    await ann.at('save-booking').click();
    expect(await ann.at('booking-dialog').getByRole('alert').textContent()).toContain('no 02:30');
    await ann.at('field-from').fill('01:30');
    await ann.at('save-booking').click();
    const start = Date.parse('2027-03-14T06:30Z');
    expect(await ann.seesBooking('Never', 'committed')).toMatchObject({ start, end: start + 3_600_000 });
    // Drawn as it passes: an hour further down is an hour later.
    await ann.page.evaluate(() => document.querySelector('.ec-main')?.scrollTo(0, 0));
    await ann.drag('Never', { hours: 1 });
    await expect.poll(async () => (await ann.sees())[0]?.start).toBe(start + 3_600_000);
    await ann.at('view-week').click();
    await ann.page.locator('.ec-bg-event.is-gap').waitFor();
    expect(ann.errors).toEqual([]);
  });

  it('the week in which Apia had no Friday has six days', async () => {
    const ann = await first('2011-12-29', { timezoneId: 'Pacific/Apia' });
    await ann.at('next').click();
    const title = ann.page.getByRole('heading', { level: 1 });
    await expect.poll(() => title.textContent()).toMatch(/^Saturday,? 31 December 2011$/);
    await ann.at('previous').click();
    await expect.poll(() => ann.at('go-to-date').inputValue()).toBe('2011-12-29');
    await ann.at('view-week').click();
    const heads = ann.page.locator('.ec-header .ec-col-head');
    await expect.poll(() => heads.allTextContents()).toEqual(['Mon 26', 'Tue 27', 'Wed 28', 'Thu 29', 'Sat 31', 'Sun 1']);
    expect(ann.errors).toEqual([]);
  });
});
