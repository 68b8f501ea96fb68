/**
 * A form that someone has begun to fill in outlives a reload of its tab: the browser may throw a
 * tab away at any moment, and a newer build of the page reloads it.
 */
import * as z from 'zod';
import type { BookingForm, Draft } from '../view/form.js';

export interface Unfinished {
  readonly draft: Draft;
  readonly form: BookingForm;
}

const Slot = z.object({ room: z.string(), start: z.number(), end: z.number() });
const Kept = z.object({
  owner: z.string(),
  draft: z.object({
    bookingId: z.exactOptional(z.string()),
    because: z.exactOptional(z.string()),
    settles: z.exactOptional(z.string()),
    again: z.exactOptional(z.enum(['book', 'move'])),
    zone: z.exactOptional(z.string()),
    title: z.string(),
    notes: z.string(),
    slot: Slot,
    wishes: z.array(Slot),
  }),
  form: z.object({
    title: z.string(),
    notes: z.string(),
    slot: z.object({
      room: z.string(),
      date: z.string(),
      from: z.string(),
      to: z.string(),
      fromFold: z.exactOptional(z.literal(['first', 'second'])),
      toFold: z.exactOptional(z.literal(['first', 'second'])),
    }),
    wishes: z.array(
      z.object({ key: z.string(), room: z.string(), date: z.string(), from: z.string() }),
    ),
  }),
});

const KEY = 'oxbow-calendar.form';

/** A browser that keeps nothing throws at the mere look at its storage. */
function attempt<T>(use: (store: Storage) => T): T | undefined {
  try {
    return use(sessionStorage);
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

/** `owner`: the space and the person; another one's form is not shown. */
export function keepUnfinished(owner: string, unfinished: Unfinished | undefined): void {
  attempt((store) =>
    unfinished === undefined
      ? store.removeItem(KEY)
      : store.setItem(KEY, JSON.stringify({ owner, ...unfinished })),
  );
}

export function keptUnfinished(owner: string): Unfinished | undefined {
  const text = attempt((store) => store.getItem(KEY)) ?? undefined;
  if (text === undefined) return undefined;
  const read = Kept.safeParse(jsonOf(text));
  return read.success && read.data.owner === owner ? read.data : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours: read as nothing.
    return undefined;
  }
}
