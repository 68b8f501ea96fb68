/** Whatever lies over the calendar: at most one of these at a time. */
import { useAllBookings, usePeople, useRooms, useSync } from '../session/hooks.js';
import type { Session } from '../session/session.js';
import type { Person } from '../shapes.js';
import { BookingDialog } from './BookingDialog.js';
import { goToBooking } from './focus.js';
import type { Draft } from './form.js';
import { ImportDialog } from './ImportDialog.js';
import { KeysDialog } from './KeysDialog.js';
import { provenanceOf } from './provenance.js';
import { RoomDialog } from './RoomDialog.js';
import { SearchDialog } from './SearchDialog.js';
import type { Board } from './useBoard.js';
import type { BookingDialogState } from './useBookingDialog.js';
import { useClock } from './useClock.js';
import type { Act } from './useWord.js';
import { quoted } from '../quote.js';

export type Panel = 'import' | 'room' | 'search' | 'keys' | undefined;

export interface ScreenDialogsProps {
  readonly session: Session;
  readonly board: Board;
  readonly dialog: BookingDialogState;
  readonly now: number;
  readonly panel: Panel;
  readonly act: Act;
  open(panel: Panel): void;
}

function Booking({ session, dialog, board, now, act }: ScreenDialogsProps) {
  const rooms = useRooms(session);
  const people = usePeople(session);
  const clock = useClock();
  const { draft } = dialog;
  if (draft === undefined) return null;
  return (
    <BookingDialog
      draft={draft}
      begun={dialog.begun}
      onBegun={dialog.onBegun}
      provenance={provenanceOf(session, draft.bookingId, clock)}
      known={{
        rooms,
        now,
        bookingsBetween: session.bookingsBetween,
        personName: (id) => people.find((p) => p.id === id)?.name ?? id,
      }}
      onSubmit={(submission) => {
        const did = draft.bookingId === undefined ? 'booked' : 'changed';
        act(`${quoted(submission.title)} ${did}`, () => dialog.submit(submission));
        board.reveal(submission.slot);
      }}
      onCancelBooking={() => {
        act(`${quoted(draft.title)} cancelled`, dialog.cancelBooking, whyKept(session, draft, people));
      }}
      onClose={dialog.close}
    />
  );
}

/** Nobody books in another's name. */
function whyKept(
  session: Session, { bookingId = '' }: Draft, people: readonly Person[],
): string | undefined {
  const by = session.booking(bookingId)?.booking.by;
  if (by === undefined || by === session.me) return undefined;
  const name = people.find(({ id }) => id === by)?.name ?? by;
  return `Only ${name} can book it again.`;
}

function Search({ session, board, now, open }: ScreenDialogsProps) {
  const [rooms, people] = [useRooms(session), usePeople(session)];
  return (
    <SearchDialog
      bookings={useAllBookings(session)}
      rooms={rooms}
      people={people}
      now={now}
      onClose={() => open(undefined)}
      onGo={(booking) => {
        open(undefined);
        board.reveal(booking);
        goToBooking(booking.id);
      }}
    />
  );
}

function Import({ session, now, open }: ScreenDialogsProps) {
  return (
    <ImportDialog
      rooms={useRooms(session)}
      me={session.me}
      now={now}
      warning={useSync(session).warning}
      onClose={() => open(undefined)}
      isKnown={(id) => session.booking(id) !== undefined}
      onBook={(booking) => session.book(booking).kind !== 'rejected'}
    />
  );
}

function NewRoom({ session, open }: ScreenDialogsProps) {
  return (
    <RoomDialog
      rooms={useRooms(session)}
      onClose={() => open(undefined)}
      onAdd={(room) => {
        session.addRoom({ id: `room-${crypto.randomUUID()}`, ...room });
        open(undefined);
      }}
    />
  );
}

export function ScreenDialogs(props: ScreenDialogsProps) {
  const { panel, open } = props;
  return (
    <>
      <Booking {...props} />
      {panel === 'search' && <Search {...props} />}
      {panel === 'import' && <Import {...props} />}
      {panel === 'room' && <NewRoom {...props} />}
      {panel === 'keys' && <KeysDialog onClose={() => open(undefined)} />}
    </>
  );
}
