/**
 * The calendar's server is restored from a backup that is older than what people have booked since:
 * the page goes on by itself, says in words what is gone, and books it again at a click.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backupData, restoreData } from '../../packages/server/src/drivers/backup-data.js';
import { chromiumFor, launchBrowser } from './browser.js';
import { buildCalendarPage } from './calendar-page.js';
import { Person } from './calendar-person.js';
import { freePort, PageServer, SyncServer } from './processes.js';

const chromium = chromiumFor('the calendar of a restored server');
const DAY = '2027-06-16';

describe.runIf(chromium !== undefined)('the calendar of a restored server', () => {
  let folder: string;
  let pages: PageServer;
  let server: SyncServer;
  let port: number;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oxbow-restored-'));
    const outDir = join(folder, 'page');
    await buildCalendarPage(outDir);
    port = await freePort();
    server = new SyncServer({ port, data: join(folder, 'data') });
    await server.start();
    pages = await PageServer.start(outDir, '--server', server.url);
    browser = await launchBrowser(chromium ?? '');
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.stop();
    await server?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it('says what is gone, also after a reload, and books it again', async () => {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 }, locale: 'en-GB',
    });
    const ann = await Person.arrive(context, 'ann', { url: `${pages.url}?space=team`, day: DAY });
    await ann.addStarterRooms();
    await ann.book({ title: 'Before', room: 'Harbour', from: '09:00', to: '10:00' });
    await ann.inSync();
    await server.stop();
    const backup = join(folder, 'team.backup');
    await backupData(join(folder, 'data'), backup, new Date().toISOString());
    await server.start();
    await ann.book({ title: 'Planning', room: 'Harbour', from: '10:00', to: '11:00' });
    await ann.seesBooking('Planning', 'committed');
    await ann.inSync();

    await server.kill();
    const restored = join(folder, 'restored');
    await restoreData(backup, restored);
    server = new SyncServer({ port, data: restored });
    await server.start();
    const [told] = await ann.isTold(1);
    expect(told).toMatchObject({ kind: 'refused', headline: '“Planning” is no longer booked' });
    expect(told?.text).toContain('The server was restored to a state from before this.');
    expect((await ann.sees()).map(({ title }) => title)).toEqual(['Before']);

    await ann.page.reload();
    await ann.isTold(1);
    await ann.at('notice-repeat').click();
    await ann.isTold(0);
    await ann.lookAtTheDay();
    await ann.seesBooking('Planning', 'committed');
    expect((await ann.sees()).map(({ title }) => title)).toEqual(['Before', 'Planning']);
    expect(ann.errors).toEqual([]);
  });
});
