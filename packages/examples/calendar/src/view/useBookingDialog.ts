/**
 * The booking dialog's life: opened for a new slot, an existing booking or another try; ends in a
 * mutation.
 */
import { useState } from 'react';
import type { Outlook, Session } from '../session/session.js';
import type { Booking, Slot } from '../shapes.js';
import { suggestions } from '../slots.js';
import { addDays, isWorkingTime, nextHalfHour } from '../times.js';
import type { Draft, Submission } from './form.js';
import type { ListedNotice } from './Notices.js';

/** `settles`: the notice that is done with once this is booked. */
type OpenDraft = Draft & { readonly settles?: string };

export interface BookingDialogState {
  readonly draft: OpenDraft | undefined;
  openNew(slot: Omit<Slot, 'room'> & { room?: string }): void;
  openExisting(id: string): void;
  openRetry(listed: ListedNotice): void;
  submit(submission: Submission): Outlook | undefined;
  cancelBooking(): void;
  close(): void;
}

interface Options {
  readonly session: Session;
  readonly now: number;
  /** Where a new booking goes unless a room was named. */
  readonly defaultRoom: string | undefined;
}

/**
 * Free slots near what was wanted, best first; what was wanted, if there are none. Where the
 * booking stands already is none of them.
 */
function nextFree({ session, now }: Options, wanted: Slot, standing?: Booking): Slot[] {
  const found = suggestions(
    { ...wanted, ...(standing === undefined ? {} : { self: standing.id }) },
    {
      bookings: session.bookingsBetween(wanted.start, addDays(Math.max(wanted.end, now), 8)),
      rooms: session.rooms.get(),
      notBefore: now,
      isWorkingTime,
      count: 4,
    },
  )
    .filter((slot) => standing === undefined || !sameSlot(slot, standing))
    .slice(0, 3);
  return found.length === 0 ? [wanted] : found;
}

const sameSlot = (a: Slot, b: Slot): boolean =>
  a.room === b.room && a.start === b.start && a.end === b.end;

/** One form, up to two mutations: when and where is one thing, what is written is another. */
function change(
  session: Session,
  id: string,
  { slot, orElse, title, notes }: Submission,
): Outlook | undefined {
  const known = session.booking(id)?.booking;
  let outlook: Outlook | undefined;
  if (known === undefined || !sameSlot(known, slot)) {
    outlook = session.move({
      id,
      room: slot.room,
      start: slot.start,
      end: slot.end,
      orElse: [...orElse],
    });
  }
  if (known === undefined || known.title !== title || known.notes !== notes) {
    outlook = worse(outlook, session.edit({ id, title, notes }));
  }
  return outlook;
}

const worse = (a: Outlook | undefined, b: Outlook): Outlook =>
  a === undefined || (a.kind === 'applied' && b.kind === 'rejected') ? b : a;

export function useBookingDialog(options: Options): BookingDialogState {
  const { session, defaultRoom } = options;
  const [draft, setDraft] = useState<OpenDraft>();
  const openNew: BookingDialogState['openNew'] = ({ room = defaultRoom, start, end }) => {
    if (room !== undefined)
      setDraft({ title: '', notes: '', slot: { room, start, end }, wishes: [] });
  };
  const openExisting = (id: string): void => {
    const found = session.booking(id)?.booking;
    if (found === undefined) return;
    const { title, notes, room, start, end } = found;
    setDraft({ bookingId: id, title, notes, slot: { room, start, end }, wishes: [] });
  };
  const openRetry = ({ id, notice }: ListedNotice): void => {
    const { wanted, bookingId, title, notes } = notice;
    if (wanted === undefined) return;
    const existing = bookingId === undefined ? undefined : session.booking(bookingId)?.booking;
    const [slot = wanted, ...wishes] = nextFree(options, wanted, existing);
    const self = existing === undefined ? {} : { bookingId: existing.id };
    setDraft({
      ...self,
      settles: id,
      because: notice.text,
      title: existing?.title ?? title,
      notes: existing?.notes ?? notes,
      slot,
      wishes,
    });
  };
  const submit = (submission: Submission): Outlook | undefined => {
    if (draft === undefined) return undefined;
    setDraft(undefined);
    if (draft.settles !== undefined) session.dismiss(draft.settles);
    if (draft.bookingId !== undefined) return change(session, draft.bookingId, submission);
    const { slot, orElse, title, notes } = submission;
    return session.book({
      id: crypto.randomUUID(),
      room: slot.room,
      start: slot.start,
      end: slot.end,
      title,
      notes,
      by: session.me,
      orElse: [...orElse],
    });
  };
  const cancelBooking = (): void => {
    if (draft?.bookingId !== undefined) session.cancel(draft.bookingId);
    setDraft(undefined);
  };
  return {
    draft,
    openNew,
    openExisting,
    openRetry,
    submit,
    cancelBooking,
    close: () => setDraft(undefined),
  };
}

/**
 * What the button for a new booking proposes: nine o'clock, or the next full half hour if that
 * has passed.
 */
export function proposedStart(date: number, now: number): number {
  const nine = new Date(date).setHours(9, 0, 0, 0);
  return nine < now && now < addDays(date, 1) ? nextHalfHour(now) : nine;
}
