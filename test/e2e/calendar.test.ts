/**
 * The calendar as two people meet it: real Chromium, real IndexedDB, real sockets, a server in a
 * process of its own that is killed without warning.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromiumFor, launchBrowser } from './browser.js';
import { buildCalendarPage, example } from './calendar-page.js';
import { Person, type Seen } from './calendar-person.js';
import { freePort, PageServer, SyncServer } from './processes.js';

const chromium = chromiumFor('the calendar end to end');

/** A Wednesday to come: far from anything that depends on the present hour. */
function someDay(): string {
  const day = new Date();
  day.setDate(day.getDate() + 7 + ((10 - day.getDay()) % 7));
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

const day = someDay();
const at = (time: string): number => new Date(`${day}T${time}`).getTime();

/** No two bookings of a room overlap. */
function doubleBooked(seen: readonly Seen[]): Seen[] {
  return seen.filter((a) =>
    seen.some((b) => b.id !== a.id && b.room === a.room && a.start < b.end && b.start < a.end),
  );
}

describe.runIf(chromium !== undefined)('the shared calendar', () => {
  let folder: string;
  let pages: PageServer;
  let ownPages: PageServer | undefined;
  let browser: Browser;
  let server: SyncServer;
  let contexts: BrowserContext[];
  let spaces = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-calendar-'));
    const outDir = join(folder, 'page');
    await buildCalendarPage(outDir);
    pages = await PageServer.start(outDir);
    browser = await launchBrowser(chromium ?? '');
  });

  afterAll(async () => {
    await browser?.close();
    await pages?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    spaces += 1;
    contexts = [];
    server = new SyncServer({ port: await freePort(), data: join(folder, `data-${spaces}`) });
    await server.start();
  });

  afterEach(async () => {
    for (const context of contexts) await context.close();
    await ownPages?.stop();
    await server.kill();
  });

  const url = (): string =>
    `${pages.url}?space=team-${spaces}&server=${encodeURIComponent(server.url)}`;

  async function arrive(name: string): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    contexts.push(context);
    return Person.arrive(context, name, { url: url(), day });
  }

  /** Two people in one calendar with rooms, both looking at the same day. */
  async function annAndBob(): Promise<[Person, Person]> {
    const ann = await arrive('ann');
    await ann.addStarterRooms();
    await ann.inSync();
    const bob = await arrive('bob');
    await bob.lookAtTheDay();
    await bob.inSync();
    return [ann, bob];
  }

  async function bothSeeTheSame(ann: Person, bob: Person): Promise<Seen[]> {
    await ann.inSync();
    await bob.inSync();
    await expect
      .poll(async () => JSON.stringify(await ann.sees()) === JSON.stringify(await bob.sees()), {
        timeout: 30_000,
        message: 'both screens show the same',
      })
      .toBe(true);
    const seen = await ann.sees();
    expect(seen.filter((s) => s.stage !== 'committed')).toEqual([]);
    expect(doubleBooked(seen)).toEqual([]);
    expect([...ann.errors, ...bob.errors]).toEqual([]);
    return seen;
  }

  const ten = { room: 'Harbour', from: '10:00', to: '11:00' } as const;

  it('two book the same hour offline: one gets it, the other their alternative, and is told', async () => {
    const [ann, bob] = await annAndBob();
    await ann.goOffline();
    await bob.goOffline();
    await ann.book({ title: 'Ann’s review', ...ten });
    await bob.book({
      title: 'Bob’s interview',
      ...ten,
      orElse: [{ room: 'Orchard', from: '10:00' }],
    });
    expect(await ann.seesBooking('Ann’s review', 'tentative')).toMatchObject({
      room: 'room-harbour',
    });
    expect(await bob.seesBooking('Bob’s interview', 'tentative')).toMatchObject({
      room: 'room-harbour',
    });
    expect((await bob.sees()).map((s) => s.title)).toEqual(['Bob’s interview']);

    await ann.goOnline();
    await ann.seesBooking('Ann’s review', 'committed');
    await bob.goOnline();
    await bob.seesBooking('Bob’s interview', 'committed');
    expect(
      (await bothSeeTheSame(ann, bob)).map(({ title, room, start }) => ({ title, room, start })),
    ).toEqual([
      { title: 'Ann’s review', room: 'room-harbour', start: at('10:00') },
      { title: 'Bob’s interview', room: 'room-orchard', start: at('10:00') },
    ]);
    expect(await ann.isTold(0)).toEqual([]);
    const [told] = await bob.isTold(1);
    expect(told).toMatchObject({ kind: 'moved' });
    expect(told?.headline).toContain('“Bob’s interview” moved to Orchard');
  });

  it('without an alternative the other is refused, told by what, and books the next free slot from there', async () => {
    const [ann, bob] = await annAndBob();
    await bob.goOffline();
    await bob.book({ title: 'Bob’s interview', ...ten });
    await ann.book({ title: 'Ann’s review', ...ten });
    await ann.seesBooking('Ann’s review', 'committed');
    await bob.goOnline();
    const [told] = await bob.isTold(1);
    expect(told).toMatchObject({ kind: 'refused', headline: '“Bob’s interview” was not booked' });
    expect(told?.text).toContain('Harbour is taken by “Ann’s review” (ann)');
    expect((await bothSeeTheSame(ann, bob)).map((s) => s.title)).toEqual(['Ann’s review']);

    // The list is durable: it is read until it is put aside, also after a reload.
    await bob.page.reload();
    await bob.isTold(1);
    await bob.at('notice-retry').click();
    await bob.at('save-booking').click();
    await bob.isTold(0);
    await bob.lookAtTheDay();
    await bob.seesBooking('Bob’s interview', 'committed');
    expect(await bothSeeTheSame(ann, bob)).toHaveLength(2);
  });

  it('the server is killed twice in the middle and comes back: all is decided, and once', async () => {
    const [ann, bob] = await annAndBob();
    await ann.goOffline();
    await bob.goOffline();
    const hours = ['08:00', '09:00', '10:00', '11:00'] as const;
    const both = async (from: string): Promise<void> => {
      const slot = { room: 'Harbour', from, to: `${from.slice(0, 2)}:45` };
      await ann.book({ title: `Ann ${from}`, ...slot });
      await bob.book({ title: `Bob ${from}`, ...slot, orElse: [{ room: 'Kiln', from }] });
    };
    for (const from of hours) await both(from);
    await ann.waiting(hours.length);

    // Once while the two have just begun to talk, once when something has been decided and more
    // is under way.
    await Promise.all([ann.goOnline(), bob.goOnline()]);
    await server.kill();
    await server.start();
    await Promise.any([
      ann.seesBooking('Ann 08:00', 'committed'),
      bob.seesBooking('Bob 08:00', 'committed'),
    ]);
    await both('12:00');
    await server.kill();
    await both('13:00');
    await server.start();

    const seen = await bothSeeTheSame(ann, bob);
    const asked = hours.length + 2;
    const titles = seen.map((s) => s.title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.filter((title) => title.startsWith('Bob'))).toHaveLength(asked);
    const refused = await ann.isTold(2 * asked - seen.length);
    expect(refused.every((t) => t.kind === 'refused')).toBe(true);
    const moved = await bob.isTold(seen.filter((s) => s.room === 'room-kiln').length);
    expect(moved.every((t) => t.kind === 'moved')).toBe(true);
    expect(moved).toHaveLength(asked - refused.length);
  });

  it('bookings outlive a reload while the server is down, and are committed later, once', async () => {
    const [ann, bob] = await annAndBob();
    await server.kill();
    await ann.book({ title: 'Kept', ...ten });
    await ann.book({ title: 'Kept too', room: 'Kiln', from: '10:00', to: '11:00' });
    await ann.seesBooking('Kept', 'tentative');
    await ann.waiting(2);
    await ann.page.reload();
    await ann.lookAtTheDay();
    await ann.seesBooking('Kept', 'tentative');
    await ann.seesBooking('Kept too', 'tentative');
    await ann.waiting(2);

    await server.start();
    await ann.seesBooking('Kept', 'committed');
    await ann.page.reload();
    await ann.lookAtTheDay();
    const seen = await bothSeeTheSame(ann, bob);
    expect(seen.map((s) => s.title)).toEqual(['Kept', 'Kept too']);
    expect(await ann.isTold(0)).toEqual([]);
  });

  it('a booking is dragged, moved by key, edited and cancelled, and the other screen follows', async () => {
    const [ann, bob] = await annAndBob();
    await ann.book({ title: 'Draft', ...ten });
    await bob.seesBooking('Draft', 'committed');
    await ann.drag('Draft', { hours: 3 });
    await expect.poll(async () => (await bob.sees())[0]?.start).toBe(at('13:00'));
    await ann.press('Draft', 'Alt+ArrowDown');
    await ann.press('Draft', 'Alt+ArrowRight');
    await expect
      .poll(async () => (await bob.sees())[0])
      .toMatchObject({
        room: 'room-kiln',
        start: at('13:15'),
        end: at('14:15'),
      });
    await bob.press('Draft', 'Enter');
    await bob.at('field-title').fill('Final');
    await bob.at('save-booking').click();
    await ann.seesBooking('Final', 'committed');
    await ann.press('Final', 'Enter');
    await ann.at('cancel-booking').click();
    await expect.poll(() => bob.sees()).toEqual([]);
    expect(await bothSeeTheSame(ann, bob)).toEqual([]);
  });

  it('the keyboard stays on the booking that it moves and opens', async () => {
    const ann = await arrive('ann');
    await ann.addStarterRooms();
    await ann.book({ title: 'Draft', ...ten });
    await ann.seesBooking('Draft', 'committed');
    const focused = (): Promise<string | undefined> =>
      ann.page.evaluate(() =>
        document.activeElement?.getAttribute('data-title') ?? undefined,
      );
    const isAt = async (start: number): Promise<void> => {
      await expect.poll(async () => (await ann.sees())[0]).toMatchObject({ start, stage: 'committed' });
      await expect.poll(focused).toBe('Draft');
    };
    await ann.press('Draft', 'Alt+ArrowDown');
    await isAt(at('10:15'));
    await ann.page.keyboard.press('Alt+ArrowDown');
    await isAt(at('10:30'));
    await ann.page.keyboard.press('Enter');
    await expect
      .poll(() => ann.page.evaluate(() => document.activeElement?.getAttribute('data-testid')))
      .toBe('field-title');
    await ann.page.keyboard.press('Escape');
    await isAt(at('10:30'));
    expect(ann.errors).toEqual([]);
  });

  it('the page is loaded again when nothing answers any more, with what waits', async () => {
    ownPages = await PageServer.start(join(folder, 'page'));
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    contexts.push(context);
    const address = `${ownPages.url}?space=team-${spaces}&server=${encodeURIComponent(server.url)}`;
    const ann = await Person.arrive(context, 'ann', { url: address, day });
    await ann.addStarterRooms();
    await ann.inSync();
    await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await ownPages.stop();
    await server.kill();
    await ann.book({ title: 'Kept', ...ten });
    await ann.page.reload();
    await ann.lookAtTheDay();
    await ann.seesBooking('Kept', 'tentative');
    await server.start();
    await ann.seesBooking('Kept', 'committed');
    expect(ann.errors).toEqual([]);
  });

  it('two who both add the starter rooms offline end up with one set', async () => {
    const ann = await arrive('ann');
    const bob = await arrive('bob');
    await ann.goOffline();
    await bob.goOffline();
    await ann.addStarterRooms();
    await bob.addStarterRooms();
    await Promise.all([ann.goOnline(), bob.goOnline()]);
    await ann.inSync();
    await bob.inSync();
    for (const person of [ann, bob]) {
      expect(await person.page.locator('.rooms li').count()).toBe(4);
      await expect.poll(() => person.at('people').locator('li').count()).toBe(2);
    }
  });

  it('is open in two tabs at once: what one changes the other shows, also when the first is closed', async () => {
    const ann = await arrive('ann');
    const second = await ann.page.context().newPage();
    await second.goto(url());
    await ann.addStarterRooms();
    await second.getByTestId('board').waitFor({ timeout: 20_000 });
    await expect.poll(() => second.locator('.rooms li').count()).toBe(4);
    await ann.inSync();
    await ann.page.close();
    await second.reload();
    await second.getByTestId('board').waitFor({ timeout: 20_000 });
    await expect.poll(() => second.locator('.rooms li').count()).toBe(4);
  });

  it('imports a file of another calendar, reports its broken lines, and books each event once', async () => {
    const ann = await arrive('ann');
    await ann.addStarterRooms();
    const file = join(example, 'src/ics/fixtures/broken.ics');
    for (const report of ['4 bookings added', '4 events had been imported before']) {
      await ann.at('import').click();
      await ann.at('import-file').setInputFiles(file);
      await expect.poll(() => ann.at('import-problem').count()).toBe(12);
      await ann.at('import-start').click();
      await ann.at('import-done').waitFor();
      expect(await ann.at('import-done').textContent()).toContain(report);
      await ann.page.keyboard.press('Escape');
    }
    await ann.inSync();
  });
});
