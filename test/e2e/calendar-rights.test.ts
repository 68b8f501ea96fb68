/**
 * Who may see a calendar, and who may change it: what the page says to those who may not, and what
 * becomes of what they have booked meanwhile.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { calendar } from '../../packages/examples/calendar/src/app.js';
import { createServer, silentLogger, type OxbowServer } from '../../packages/server/src/index.js';
import { chromiumFor, launchBrowser } from './browser.js';
import { buildCalendarPage } from './calendar-page.js';
import { Person } from './calendar-person.js';
import { freePort, PageServer } from './processes.js';

const chromium = chromiumFor('rights in the calendar');
const DAY = '2027-06-16';
const PATIENCE = { timeout: 30_000 };

describe.runIf(chromium !== undefined)('rights in the calendar', () => {
  let folder: string;
  let pages: PageServer;
  let server: OxbowServer;
  let browser: Browser;
  let port: number;
  const contexts: BrowserContext[] = [];
  let spaces = 0;
  /** By person: what they may do in the team's calendar. */
  const rights = new Map<string, 'r' | 'rw'>();

  /** Links end; each asks anew for what it may. */
  async function serve(): Promise<void> {
    await server?.close();
    server = createServer({
      app: calendar, data: join(folder, 'data'), port, logger: silentLogger,
      auth: {
        authorize: (token) => {
          const user = token?.replace('dev:', '') ?? null;
          const right = rights.get(user ?? '');
          return { user, spaces: right === undefined ? {} : { 'team-*': right } };
        },
      },
    });
    await server.listen();
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-rights-'));
    const outDir = join(folder, 'page');
    await buildCalendarPage(outDir);
    port = await freePort();
    rights.set('ann', 'rw');
    await serve();
    pages = await PageServer.start(outDir, '--server', `ws://127.0.0.1:${port}/sync`);
    browser = await launchBrowser(chromium ?? '');
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.stop();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function arrive(name: string): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' });
    contexts.push(context);
    return Person.arrive(context, name, { url: `${pages.url}?space=team-${spaces}`, day: DAY });
  }
  /** Of a calendar of her own, with rooms. */
  async function first(): Promise<Person> {
    spaces += 1;
    const ann = await arrive('ann');
    await ann.addStarterRooms();
    await ann.inSync();
    return ann;
  }
  const warnsIn = (page: Page, text: string) =>
    expect.poll(() => page.locator('.banner.is-warning').textContent(), PATIENCE).toContain(text);
  const warns = (who: Person, text: string) => warnsIn(who.page, text);

  it('without a right one is told so, and is let in as soon as there is one', async () => {
    const ann = await first();
    const bob = await arrive('bob');
    await bob.at('no-right').waitFor();
    expect(await bob.at('no-right').textContent()).toContain('forbidden');
    rights.set('bob', 'rw');
    await serve();
    await bob.lookAtTheDay();
    await bob.book({ title: 'Bob’s', room: 'Harbour', from: '10:00', to: '11:00' });
    await ann.seesBooking('Bob’s', 'committed');
    expect([...ann.errors, ...bob.errors]).toEqual([]);
  });

  it('who may not change it any more keeps what waits, is told, and it leaves once he may again', async () => {
    rights.set('cem', 'rw');
    const ann = await first();
    const cem = await arrive('cem');
    await cem.lookAtTheDay();
    await cem.inSync();
    await cem.goOffline();
    await cem.book({ title: 'Cem’s', room: 'Kiln', from: '10:00', to: '11:00' });
    rights.delete('cem');
    await serve();
    await cem.goOnline();
    await warns(cem, 'You may not change this calendar (forbidden)');
    await cem.waiting(1);
    await cem.page.reload();
    await cem.lookAtTheDay();
    await warns(cem, 'You may not change this calendar (forbidden)');
    await cem.seesBooking('Cem’s', 'tentative');
    rights.set('cem', 'rw');
    await serve();
    await ann.seesBooking('Cem’s', 'committed');
    await cem.inSync();
    expect(await cem.page.locator('.banner.is-warning').count()).toBe(0);
    expect(await cem.isTold(0)).toEqual([]);
    expect([...ann.errors, ...cem.errors]).toEqual([]);
  });

  it('who may only look sees what others do, and is told why what he books stays here', async () => {
    rights.set('dan', 'r');
    await serve();
    const ann = await first();
    const dan = await arrive('dan');
    await dan.lookAtTheDay();
    await dan.book({ title: 'Dan’s', room: 'Orchard', from: '10:00', to: '11:00' });
    await warns(dan, 'You may not change this calendar');
    // So does another tab, which has no link with the server of its own.
    const other = await dan.page.context().newPage();
    await other.goto(dan.page.url());
    await warnsIn(other, 'You may not change this calendar');
    await ann.book({ title: 'Ann’s', room: 'Orchard', from: '14:00', to: '15:00' });
    await dan.seesBooking('Ann’s', 'committed');
    await warns(dan, 'You may not change this calendar');
    await dan.seesBooking('Dan’s', 'tentative');
    expect([...ann.errors, ...dan.errors]).toEqual([]);
  });
});
