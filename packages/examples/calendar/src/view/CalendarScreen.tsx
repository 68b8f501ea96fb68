/**
 * The calendar with everything around it. Decides only what is open; all that lasts is in the
 * session.
 */
import { useState, type MouseEvent } from 'react';
import type { PageUpdate } from '../installed/update.js';
import { useNotices, usePeople, useRooms, useSync } from '../session/hooks.js';
import type { Outlook, Session } from '../session/session.js';
import type { Booking, Slot } from '../shapes.js';
import { STARTER_ROOMS } from '../starter.js';
import { Clock, HOUR_MS } from '../time/clock.js';
import { placeOf, type ShownZone } from '../time/shown-zone.js';
import { isSameZone, isZone } from '../time/zone.js';
import { BookingDialog } from './BookingDialog.js';
import { CalendarBoard } from './CalendarBoard.js';
import { exportAll } from './exportAll.js';
import { ImportDialog } from './ImportDialog.js';
import { Icon } from './icons.js';
import { NoticePanel, Toasts } from './Notices.js';
import { Fetching, NoneShown, NoRooms } from './pages.js';
import { RoomDialog } from './RoomDialog.js';
import { Sidebar } from './Sidebar.js';
import { Banner, SyncStatus } from './SyncStatus.js';
import { TopBar } from './TopBar.js';
import { useClock } from './useClock.js';
import { UpdateBar } from './UpdateBar.js';
import { useBoard, type Board } from './useBoard.js';
import { proposedStart, useBookingDialog, type BookingDialogState } from './useBookingDialog.js';
import { useNarrow } from './useNarrow.js';
import { useNow } from './useNow.js';
import { useShortcuts } from './useShortcuts.js';
import { useWord } from './useWord.js';
import { ZonePicker } from './ZonePicker.js';

type Panel = 'import' | 'room' | undefined;

export interface CalendarScreenProps {
  readonly session: Session;
  readonly zone: ShownZone;
  readonly update: PageUpdate;
  onLeave(): void;
}

function provenanceOf(
  session: Session,
  bookingId: string | undefined,
  clock: Clock,
): string | undefined {
  const known = bookingId === undefined ? undefined : session.booking(bookingId);
  if (known === undefined) return undefined;
  const by = session.people().find((p) => p.id === known.booking.by)?.name ?? known.booking.by;
  const stage = known.committed ? 'It is final.' : 'Not final yet: it waits for the server.';
  const who = known.booking.by === session.me ? 'you' : by;
  const there = elsewhereText(known.booking, clock);
  return `Booked by ${who} for ${clock.slotText(known.booking)}${there}. ${stage}`;
}

/** “, 9:00 – 10:00 in New York”, where it was booked by other clocks than those shown. */
function elsewhereText(booking: Booking, clock: Clock): string {
  const { zone } = booking;
  if (zone === undefined || !isZone(zone) || isSameZone(zone, clock.zone)) return '';
  const there = new Clock(zone);
  const isSameDay = there.dateInput(booking.start) === clock.dateInput(booking.start);
  const text = isSameDay ? there.rangeText(booking) : there.slotText(booking);
  return ` (${text} in ${placeOf(zone)})`;
}

interface PartProps extends CalendarScreenProps {
  readonly board: Board;
  readonly dialog: BookingDialogState;
  readonly now: number;
  say(outlook: Outlook | undefined): void;
  open(panel: Panel): void;
}

function Side(props: PartProps) {
  const { session, board, dialog, now, open, onLeave } = props;
  const start = proposedStart(board.date, now, useClock());
  return (
    <Sidebar
      rooms={useRooms(session)}
      people={usePeople(session)}
      me={session.me}
      hidden={board.hidden}
      onToggleRoom={board.toggleRoom}
      onOnlyRoom={board.onlyRoom}
      onLeave={onLeave}
      onNew={() => dialog.openNew({ start, end: start + HOUR_MS })}
      onAddRoom={() => open('room')}
      onImport={() => open('import')}
      onExport={() => exportAll(session)}
    >
      <ZonePicker zone={props.zone} now={now} />
    </Sidebar>
  );
}

function Dialogs({
  session,
  dialog,
  board,
  now,
  say,
  open,
  panel,
}: PartProps & { readonly panel: Panel }) {
  const rooms = useRooms(session);
  const people = usePeople(session);
  const { draft } = dialog;
  const clock = useClock();
  return (
    <>
      {draft !== undefined && (
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
            say(dialog.submit(submission));
            board.reveal(submission.slot);
          }}
          onCancelBooking={dialog.cancelBooking}
          onClose={dialog.close}
        />
      )}
      {panel === 'import' && (
        <ImportDialog
          rooms={rooms}
          me={session.me}
          now={now}
          onClose={() => open(undefined)}
          isKnown={(id) => session.booking(id) !== undefined}
          onBook={(booking) => session.book(booking).kind !== 'rejected'}
        />
      )}
      {panel === 'room' && (
        <RoomDialog
          rooms={rooms}
          onClose={() => open(undefined)}
          onAdd={(room) => {
            session.addRoom({ id: `room-${crypto.randomUUID()}`, ...room });
            open(undefined);
          }}
        />
      )}
    </>
  );
}

interface NoticeListOptions extends Pick<PartProps, 'session' | 'board' | 'dialog'> {
  /** The list covers the calendar. */
  readonly narrow: boolean;
}

function useNoticeList({ session, board, dialog, narrow }: NoticeListOptions) {
  const notices = useNotices(session);
  const [isOpen, setOpen] = useState(false);
  const find = (id: string) => notices.find((n) => n.id === id);
  const actions = {
    onTryAgain(id: string): void {
      const listed = find(id);
      if (listed !== undefined) dialog.openRetry(listed);
    },
    onShow(id: string): void {
      const slot: Slot | undefined = find(id)?.notice.got ?? find(id)?.notice.wanted;
      if (slot !== undefined) board.reveal(slot);
      if (narrow) setOpen(false);
    },
    onDismiss: session.dismiss,
    onDismissAll: session.dismissAll,
  };
  return { notices, isOpen, setOpen, actions };
}

function Main(props: PartProps & { readonly narrow: boolean }) {
  const { session, board, dialog, say, open, narrow } = props;
  const rooms = useRooms(session);
  const sync = useSync(session);
  const clock = useClock();
  if (rooms.length === 0) {
    const { upToDate, byChoice, link } = sync;
    if (!upToDate && !byChoice && link !== 'offline') return <Fetching />;
    return (
      <NoRooms
        unsure={!upToDate}
        onAddRoom={() => open('room')}
        onStarter={() => STARTER_ROOMS.forEach((r) => session.addRoom(r))}
      />
    );
  }
  if (board.shownRooms.length === 0) return <NoneShown onShowAll={board.showAllRooms} />;
  return (
    <CalendarBoard
      view={board.view}
      clock={clock}
      time={board.time}
      title={board.title}
      bookings={board.bookings}
      rooms={board.shownRooms}
      narrow={narrow}
      onDraw={dialog.openNew}
      onOpen={dialog.openExisting}
      onMove={(id, slot) => say(session.move({ id, ...slot }))}
    />
  );
}

/** Where one can go, by button and by key. */
function useMoves(board: Board, dialog: BookingDialogState, now: number) {
  const clock = useClock();
  const start = proposedStart(board.date, now, clock);
  const add = (): void => dialog.openNew({ start, end: start + HOUR_MS });
  const step = (by: -1 | 1): void =>
    board.setDate(clock.addDays(board.date, by * (board.view === 'day' ? 1 : 7)));
  const today = (): void => board.setDate(now);
  useShortcuts({
    n: add,
    t: today,
    d: () => board.setView('day'),
    w: () => board.setView('week'),
    j: () => step(1),
    k: () => step(-1),
  });
  return { add, step, today };
}

/** On a narrow screen the side lies over the calendar; it goes when something is chosen there. */
function useDrawer() {
  const [isOpen, setOpen] = useState(false);
  const onClick = ({ target, currentTarget }: MouseEvent<HTMLElement>): void => {
    const isAction = target instanceof Element && target.closest('[data-closes-menu]') !== null;
    if (target === currentTarget || isAction) setOpen(false);
  };
  return { isOpen, onClick, toggle: () => setOpen(!isOpen) };
}

export function CalendarScreen({ session, zone, update, onLeave }: CalendarScreenProps) {
  const now = useNow();
  const narrow = useNarrow();
  const sync = useSync(session);
  const board = useBoard(session, narrow, now);
  const rooms = useRooms(session);
  const defaultRoom = (board.shownRooms[0] ?? rooms[0])?.id;
  const dialog = useBookingDialog({ session, now, clock: useClock(), defaultRoom });
  const [panel, open] = useState<Panel>();
  const drawer = useDrawer();
  const list = useNoticeList({ session, board, dialog, narrow });
  const { word, say } = useWord(list.notices.length);
  const moves = useMoves(board, dialog, now);
  const part: PartProps = { session, zone, update, onLeave, board, dialog, now, say, open };
  return (
    <div className="screen" data-drawer={drawer.isOpen} data-notices={list.isOpen}>
      <TopBar
        space={session.space}
        title={board.title}
        date={board.date}
        view={board.view}
        noticeCount={list.notices.length}
        noticesOpen={list.isOpen}
        sync={
          <SyncStatus
            state={sync}
            onToggle={sync.byChoice ? session.goOnline : session.goOffline}
          />
        }
        onView={board.setView}
        onStep={moves.step}
        onDate={board.setDate}
        onToday={moves.today}
        onNotices={() => list.setOpen(!list.isOpen)}
        onMenu={drawer.toggle}
      />
      <UpdateBar update={update} safe={sync.isKept || sync.waiting.length === 0} />
      <Banner state={sync} />
      <div className="columns">
        <div className="side" onClick={drawer.onClick}>
          <Side {...part} />
        </div>
        <main className="main">
          <Main {...part} narrow={narrow} />
        </main>
        {list.isOpen && (
          <NoticePanel
            notices={list.notices}
            actions={list.actions}
            onClose={() => list.setOpen(false)}
          />
        )}
      </div>
      <button
        type="button"
        className="fab only-narrow"
        aria-label="New booking"
        disabled={rooms.length === 0}
        onClick={moves.add}
      >
        <Icon name="plus" />
      </button>
      <p className="word" role="status" data-testid="word">
        {word}
      </p>
      <Toasts notices={list.notices} muted={list.isOpen} onOpen={() => list.setOpen(true)} />
      <Dialogs {...part} panel={panel} />
    </div>
  );
}
