/**
 * One person at the calendar, in a browser of their own: what they do and what they see, by the
 * page's test ids.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

export interface Place {
  /** A room's name as the form shows it. */
  readonly room: string;
  /** Of the day on which the tests take place. */
  readonly from: string;
}

export interface Wanted extends Place {
  readonly title: string;
  readonly to: string;
  readonly orElse?: readonly Place[];
}

/** A booking as it stands on the board. */
export interface Seen {
  readonly id: string;
  readonly title: string;
  readonly room: string;
  readonly start: number;
  readonly end: number;
  readonly stage: string;
}

export interface Told {
  readonly kind: string;
  readonly headline: string;
  readonly text: string;
}

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface Barrier {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly unknown[] }[];
}

/** ms that a change may take to reach another screen. */
const PATIENCE_MS = 30_000;

export class Person {
  readonly name: string;
  readonly page: Page;
  readonly errors: string[] = [];
  readonly #day: string;

  /** Of someone who is known to the browser. `day`: YYYY-MM-DD. */
  constructor(name: string, page: Page, day: string) {
    this.name = name;
    this.page = page;
    this.#day = day;
    page.on('pageerror', (error) => this.errors.push(error.message));
  }

  /** Opens the calendar for the first time and says who it is. `day`: YYYY-MM-DD. */
  static async arrive(
    context: BrowserContext,
    name: string,
    options: { url: string; day: string },
  ): Promise<Person> {
    const person = new Person(name, await context.newPage(), options.day);
    await person.page.goto(options.url);
    await person.at('name').fill(name);
    await person.at('enter').click();
    await person.at('space').waitFor();
    return person;
  }

  at(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  async addStarterRooms(): Promise<void> {
    await this.at('starter-rooms').click();
    await this.lookAtTheDay();
  }

  async lookAtTheDay(): Promise<void> {
    await this.at('board').waitFor();
    await this.at('view-day').click();
    await this.at('go-to-date').fill(this.#day);
  }

  async goOffline(): Promise<void> {
    await this.at('offline-switch').click();
    await this.#status('link', 'offline');
  }

  async goOnline(): Promise<void> {
    await this.at('offline-switch').click();
    await expect.poll(() => this.at('offline-switch').getAttribute('aria-checked')).toBe('false');
  }

  /** Connected, and nothing waits. */
  async inSync(): Promise<void> {
    await this.#status('link', 'online');
    await this.#status('waiting', '0');
  }

  async waiting(count: number): Promise<void> {
    await this.#status('waiting', String(count));
  }

  async book({ title, room, from, to, orElse = [] }: Wanted): Promise<void> {
    await this.at('new-booking').click();
    const dialog = this.at('booking-dialog');
    await dialog.getByTestId('field-title').fill(title);
    await dialog
      .getByTestId('field-room')
      .first()
      .selectOption({ label: await this.#roomLabel(room) });
    await dialog.getByTestId('field-date').fill(this.#day);
    await dialog.getByTestId('field-from').fill(from);
    await dialog.getByTestId('field-to').fill(to);
    for (const [index, place] of orElse.entries()) {
      await dialog.getByTestId('add-time-wish').click();
      const wish = dialog.getByTestId('wish').nth(index);
      await wish
        .getByTestId('field-room')
        .selectOption({ label: await this.#roomLabel(place.room) });
      await wish.locator('input[type=date]').fill(this.#day);
      await wish.locator('input[type=time]').fill(place.from);
    }
    await dialog.getByTestId('save-booking').click();
    await dialog.waitFor({ state: 'detached' });
  }

  /** With the mouse, straight down (or up) within its column. */
  async drag(title: string, { hours }: { readonly hours: number }): Promise<void> {
    const card = this.#card(title);
    await card.scrollIntoViewIfNeeded();
    const box = await card.boundingBox();
    const data = await this.seesBooking(title, 'committed');
    if (box === null) throw new Error(`“${title}” is not to be seen.`);
    const pixelsPerHour = box.height / ((data.end - data.start) / 3_600_000);
    const [x, y] = [box.x + box.width / 2, box.y + 8];
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
    await this.page.mouse.move(x, y + 12, { steps: 3 });
    // A little less than the card's border and margin take from its height.
    await this.page.mouse.move(x, y + hours * (pixelsPerHour + 1), { steps: 10 });
    await this.page.mouse.up();
  }

  /** A key while the booking has the focus. */
  async press(title: string, key: string): Promise<void> {
    const card = this.#card(title);
    await card.focus();
    await card.press(key);
  }

  /** What stands on the board, in order of room, time and title. */
  async sees(): Promise<Seen[]> {
    const found = await this.at('booking').evaluateAll((cards) =>
      cards.map((card) => {
        // reason: the page's bookings are HTML elements with data attributes.
        const {
          bookingId = '',
          title = '',
          room = '',
          start,
          end,
          stage = '',
        } = (card as HTMLElement).dataset;
        return { id: bookingId, title, room, start: Number(start), end: Number(end), stage };
      }),
    );
    const order = (seen: Seen): string =>
      `${seen.room} ${String(seen.start).padStart(16, '0')} ${seen.title}`;
    return found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  /** Until a booking of that title stands on the board at that stage. */
  async seesBooking(title: string, stage: 'tentative' | 'committed'): Promise<Seen> {
    const find = async (): Promise<Seen | undefined> =>
      (await this.sees()).find((s) => s.title === title);
    await expect.poll(async () => (await find())?.stage, { timeout: PATIENCE_MS }).toBe(stage);
    const seen = await find();
    if (seen === undefined) throw new Error(`“${title}” came and went.`);
    return seen;
  }

  /** Until the list of moved and refused bookings is that long. */
  async isTold(count: number): Promise<Told[]> {
    await expect
      .poll(() => this.at('bell').getAttribute('data-count'), { timeout: PATIENCE_MS })
      .toBe(String(count));
    if (count === 0) return [];
    if (!(await this.at('notices').isVisible())) await this.at('bell').click();
    const told = await this.at('notice').evaluateAll((items) =>
      items.map((item) => ({
        kind: item.getAttribute('data-kind') ?? '',
        headline: item.querySelector('h3')?.textContent ?? '',
        text: item.querySelector('p')?.textContent ?? '',
      })),
    );
    return told;
  }

  #card(title: string): Locator {
    return this.page.locator(`[data-testid=booking][data-title="${title}"]`);
  }

  async #roomLabel(name: string): Promise<string> {
    const labels = await this.at('booking-dialog')
      .getByTestId('field-room')
      .first()
      .locator('option')
      .allTextContents();
    const label = labels.find((text) => text.startsWith(`${name} (`));
    if (label === undefined)
      throw new Error(`There is no room ${name} among ${labels.join(', ')}.`);
    return label;
  }

  async #status(attribute: 'link' | 'waiting', value: string): Promise<void> {
    const read = (): Promise<string | null> =>
      this.at('sync-status').getAttribute(`data-${attribute}`);
    await expect
      .poll(read, { timeout: PATIENCE_MS, message: `${this.name}: ${attribute}` })
      .toBe(value);
  }

  /**
   * What axe finds, and where. Without motion: in the midst of a fade colours are not those that
   * were chosen.
   */
  async barriers(): Promise<string[]> {
    await this.page.emulateMedia({ reducedMotion: 'reduce' });
    await this.page.evaluate(await readFile(axeFile, 'utf8'));
    const found = await this.page.evaluate<readonly Barrier[]>(
      `axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations)`,
    );
    return found.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target.join(' ')).join(', ')}`);
  }
}
