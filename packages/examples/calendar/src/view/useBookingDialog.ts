/**
 * The booking dialog's life: opened for a new slot, an existing booking or another try; ends in a
 * mutation.
 */
import { useEffect, useState } from 'react';
import type { Outlook, Session } from '../session/session.js';
import type { BookInput, Booking, Slot } from '../shapes.js';
import { suggestions } from '../slots.js';
import type { Clock } from '../time/clock.js';
import { keepUnfinished, keptUnfinished } from '../installed/unfinished.js';
import type { BookingForm, Draft, Submission } from './form.js';
import type { ListedNotice } from './Notices.js';

export interface BookingDialogState {
  readonly draft: Draft | undefined;
  /** What had been typed when the page was loaded anew. */
  readonly begun: BookingForm | undefined;
  onBegun(form: BookingForm): void;
  openNew(slot: Omit<Slot, 'room'> & { room?: string }): void;
  openExisting(id: string): void;
  openRetry(listed: ListedNotice): void;
  submit(submission: Submission): Outlook | undefined;
  cancelBooking(): undefined;
  close(): void;
}

interface Options {
  readonly session: Session;
  readonly now: number;
  readonly clock: Clock;
  /** Where a new booking goes unless a room was named. */
  readonly defaultRoom: string | undefined;
}

/**
 * Free slots near what was wanted, best first; what was wanted, if there are none. Where the
 * booking stands already is none of them.
 */
function nextFree({ session, now, clock }: Options, wanted: Slot, standing?: Booking): Slot[] {
  const found = suggestions(
    { ...wanted, ...(standing === undefined ? {} : { self: standing.id }) },
    {
      bookings: session.bookingsBetween(wanted.start, clock.addDays(Math.max(wanted.end, now), 8)),
      rooms: session.rooms(),
      notBefore: now,
      isWorkingTime: clock.isWorkingTime,
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
function change(session: Session, id: string, submission: Submission): Outlook | undefined {
  const { slot, orElse } = submission;
  const known = session.booking(id)?.booking;
  const { room, start, end } = slot;
  const isMoved = known === undefined || !sameSlot(known, slot);
  const outlook = isMoved ? session.move({ id, room, start, end, orElse: [...orElse] }) : undefined;
  return worse(outlook, changeWords(session, id, submission));
}

function changeWords(
  session: Session,
  id: string,
  { title, notes }: Submission,
): Outlook | undefined {
  const known = session.booking(id)?.booking;
  const isSame = known !== undefined && known.title === title && known.notes === notes;
  return isSame ? undefined : session.edit({ id, title, notes });
}

function worse(a: Outlook | undefined, b: Outlook | undefined): Outlook | undefined {
  if (b === undefined) return a;
  return a === undefined || (a.kind === 'applied' && b.kind === 'rejected') ? b : a;
}

function bookArgs(session: Session, submission: Submission, zone: string): BookInput {
  const { slot, orElse, title, notes } = submission;
  const { room, start, end } = slot;
  const by = session.me;
  return {
    id: crypto.randomUUID(), room, start, end, title, notes, by, zone, orElse: [...orElse],
  };
}

/** A new booking, a change of one, or another try in place of the notice that asked for it. */
function carryOut(
  session: Session,
  draft: Draft,
  submission: Submission,
  zone: string,
): Outlook | undefined {
  const { settles, again, bookingId } = draft;
  if (settles !== undefined && again === 'book') {
    return session.retry(settles, bookArgs(session, submission, zone));
  }
  if (bookingId === undefined) return session.book(bookArgs(session, submission, zone));
  if (settles !== undefined && again === 'move') {
    const { room, start, end } = submission.slot;
    const orElse = [...submission.orElse];
    const outlook = session.retry(settles, { id: bookingId, room, start, end, orElse });
    return worse(outlook, changeWords(session, bookingId, submission));
  }
  if (settles !== undefined) session.accept(settles);
  return change(session, bookingId, submission);
}

/** The open form, which a reload of the page does not take away. */
function useDraft(owner: string) {
  const [kept] = useState(() => keptUnfinished(owner));
  const [draft, setOpen] = useState<Draft | undefined>(kept?.draft);
  const [begun, setBegun] = useState<BookingForm | undefined>(kept?.form);
  useEffect(() => {
    if (draft === undefined) keepUnfinished(owner, undefined);
  }, [owner, draft]);
  const setDraft = (next: Draft | undefined): void => {
    setBegun(undefined);
    setOpen(next);
  };
  const onBegun = (form: BookingForm): void => {
    if (draft === undefined) return;
    keepUnfinished(owner, { draft, form });
  };
  return { draft, begun, setDraft, onBegun };
}

export function useBookingDialog(options: Options): BookingDialogState {
  const { session, defaultRoom, clock } = options;
  const { draft, begun, setDraft, onBegun } = useDraft(`${session.space} ${session.me}`);
  const openNew: BookingDialogState['openNew'] = ({ room = defaultRoom, start, end }) => {
    if (room !== undefined)
      setDraft({ title: '', notes: '', slot: { room, start, end }, wishes: [] });
  };
  const openExisting = (id: string): void => {
    const found = session.booking(id)?.booking;
    if (found === undefined) return;
    const { title, notes, room, start, end, zone } = found;
    const slot = { room, start, end };
    const booked = zone === undefined ? {} : { zone };
    setDraft({ bookingId: id, ...booked, title, notes, slot, wishes: [] });
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
      ...(notice.again === undefined ? {} : { again: notice.again }),
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
    return carryOut(session, draft, submission, clock.zone);
  };
  const cancelBooking = (): undefined => {
    if (draft?.bookingId !== undefined) session.cancel(draft.bookingId);
    setDraft(undefined);
  };
  return {
    draft,
    begun,
    onBegun,
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
export function proposedStart(date: number, now: number, clock: Clock): number {
  const nine = clock.atHour(date, 9);
  const isToday = clock.dateInput(date) === clock.dateInput(now);
  return nine < now && isToday ? clock.nextHalfHour(now) : nine;
}
