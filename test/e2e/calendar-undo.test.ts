/**
 * Taking back in the calendar: by the button beside the word about what was done, by key, step by
 * step, offline too; and what is said where it cannot be done.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chromiumFor, launchBrowser } from './browser.js';
import { buildCalendarPage } from './calendar-page.js';
import { Person } from './calendar-person.js';
import { freePort, PageServer, SyncServer } from './processes.js';

const chromium = chromiumFor('taking back in the calendar');
const DAY = '2027-06-16';
const ten = { room: 'Harbour', from: '10:00', to: '11:00' } as const;

describe.runIf(chromium !== undefined)('taking back in the calendar', () => {
  let folder: string;
  let pages: PageServer;
  let server: SyncServer;
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  let spaces = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-undo-'));
    const outDir = join(folder, 'page');
    await buildCalendarPage(outDir);
    server = new SyncServer({ port: await freePort(), data: join(folder, 'data') });
    await server.start();
    pages = await PageServer.start(outDir, '--server', server.url);
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

  async function arrive(name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options,
    });
    contexts.push(context);
    return Person.arrive(context, name, { url: `${pages.url}?space=team-${spaces}`, day: DAY });
  }
  async function first(options: BrowserContextOptions = {}): Promise<Person> {
    spaces += 1;
    const ann = await arrive('ann', options);
    await ann.addStarterRooms();
    await ann.inSync();
    return ann;
  }
  const says = (who: Person, text: string) =>
    expect.poll(() => who.at('word').textContent(), { timeout: 10_000 }).toBe(text);
  /** Title, and the hour at which it begins. */
  const shown = async (who: Person): Promise<string[]> =>
    (await who.sees()).map(({ title, start }) => `${title} ${new Date(start).getHours()}`);
  const shows = (who: Person, expected: readonly string[]) =>
    expect.poll(() => shown(who), { timeout: 10_000 }).toEqual(expected);
  async function cancel(who: Person, title: string): Promise<void> {
    await who.press(title, 'Enter');
    await who.at('cancel-booking').click();
  }

  it('what was just done is taken back by its button, and done again; others see it so', async () => {
    const ann = await first();
    const bob = await arrive('bob');
    await bob.lookAtTheDay();
    await ann.book({ title: 'Planning', ...ten });
    await says(ann, '“Planning” booked.');
    await bob.seesBooking('Planning', 'committed');
    const button = ann.page.getByRole('button', { name: 'Undo: “Planning” booked.' });
    await button.focus();
    await ann.page.keyboard.press('Enter');
    await says(ann, 'Undone: “Planning” booked.');
    await shows(bob, []);
    // The focus stays: there and back by the same key.
    await ann.page.keyboard.press('Enter');
    await says(ann, 'Done again: “Planning” booked.');
    await bob.seesBooking('Planning', 'committed');
    expect(await ann.isTold(0)).toEqual([]);
    expect([...ann.errors, ...bob.errors]).toEqual([]);
  });

  it('by key it goes back step by step, offline too, and all of it arrives', async () => {
    const ann = await first();
    await ann.book({ title: 'Planning', ...ten });
    await ann.seesBooking('Planning', 'committed');
    await ann.goOffline();
    await ann.book({ title: 'Review', ...ten, from: '14:00', to: '15:00' });
    await ann.press('Planning', 'Alt+ArrowDown');
    await says(ann, '“Planning” moved.');
    for (let i = 0; i < 3; i++) await ann.press('Planning', 'Alt+ArrowDown');
    await shows(ann, ['Planning 11', 'Review 14']);
    await cancel(ann, 'Planning');
    await says(ann, '“Planning” cancelled.');
    await shows(ann, ['Review 14']);
    await ann.page.keyboard.press('Control+z');
    await says(ann, 'Undone: “Planning” cancelled.');
    await shows(ann, ['Planning 11', 'Review 14']);
    for (let i = 0; i < 4; i++) await ann.page.keyboard.press('Control+z');
    await shows(ann, ['Planning 10', 'Review 14']);
    await ann.page.keyboard.press('Control+z');
    await says(ann, 'Undone: “Review” booked.');
    await shows(ann, ['Planning 10']);
    await ann.page.keyboard.press('Control+Shift+z');
    await says(ann, 'Done again: “Review” booked.');
    for (let i = 0; i < 2; i++) await ann.page.keyboard.press('Control+z');
    await says(ann, 'Undone: “Planning” booked.');
    await ann.page.keyboard.press('Control+z');
    await says(ann, 'Nothing to undo.');
    await ann.page.keyboard.press('Control+y');
    await ann.goOnline();
    await ann.inSync();
    await shows(ann, ['Planning 10']);
    expect(await ann.isTold(0)).toEqual([]);
    expect(ann.errors).toEqual([]);
  });

  it('it is said where a step cannot be taken back, and why', async () => {
    const ann = await first();
    const bob = await arrive('bob');
    await bob.lookAtTheDay();
    await bob.book({ title: 'Bob’s', ...ten });
    await ann.seesBooking('Bob’s', 'committed');
    await cancel(ann, 'Bob’s');
    await says(ann, '“Bob’s” cancelled. Only bob can book it again.');
    expect(await ann.at('undo').count()).toBe(0);
    await ann.page.keyboard.press('Control+z');
    await says(ann, 'Not undone: “Bob’s” cancelled. Only bob can book it again.');
    // Where it was, somebody else is now.
    await ann.book({ title: 'Ann’s', ...ten });
    for (let i = 0; i < 4; i++) await ann.press('Ann’s', 'Alt+ArrowDown');
    await ann.seesBooking('Ann’s', 'committed');
    await shows(bob, ['Ann’s 11']);
    await bob.book({ title: 'Bob’s again', ...ten });
    await ann.seesBooking('Bob’s again', 'committed');
    await ann.goOffline();
    await ann.page.keyboard.press('Control+z');
    await expect.poll(() => ann.at('word').textContent(), { timeout: 10_000 })
      .toMatch(/^Not undone: “Ann’s” moved\. Harbour is taken by “Bob’s again” \(bob\)/);
    await ann.goOnline();
    const [told] = await ann.isTold(1);
    expect(told?.headline).toBe('“Ann’s” was not moved');
    await shows(bob, ['Bob’s again 10', 'Ann’s 11']);
    expect(ann.errors).toEqual([]);
  });

  it('what is refused in the end takes its undo with it, and only the refusal is told', async () => {
    const ann = await first();
    const bob = await arrive('bob');
    await bob.lookAtTheDay();
    await ann.goOffline();
    await bob.book({ title: 'Bob’s', ...ten });
    await bob.seesBooking('Bob’s', 'committed');
    await ann.book({ title: 'Ann’s', ...ten });
    await ann.page.keyboard.press('Control+z');
    await says(ann, 'Undone: “Ann’s” booked.');
    await ann.goOnline();
    await ann.inSync();
    await shows(ann, ['Bob’s 10']);
    expect((await ann.isTold(1)).map(({ headline }) => headline)).toEqual(['“Ann’s” was not booked']);
  });

  it.each([
    ['wide', 'light', { viewport: { width: 1280, height: 900 } }],
    ['wide', 'dark', { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' }],
    ['narrow', 'light', { viewport: { width: 390, height: 800 }, hasTouch: true }],
    ['narrow', 'dark', { viewport: { width: 390, height: 800 }, hasTouch: true, colorScheme: 'dark' }],
  ] as const)('the word and its button suit screen readers: %s, %s', async (width, light, options) => {
    const { viewport, ...others } = options;
    const ann = await first(others);
    await ann.book({ title: 'Planning', ...ten });
    await says(ann, '“Planning” booked.');
    await ann.at('undo').hover();
    await ann.page.setViewportSize(viewport);
    const shots = process.env['OXBOW_SHOTS'];
    if (shots !== undefined) await ann.page.screenshot({ path: join(shots, `undo-${width}-${light}.png`) });
    expect(await ann.barriers()).toEqual([]);
    const box = await ann.at('undo').boundingBox();
    expect(box === null ? 0 : box.x + box.width).toBeLessThanOrEqual(viewport.width);
  });
});
