/** The middle of the screen: the board, or why there is none to be seen. */
import { useRooms, useSync } from '../session/hooks.js';
import type { Session } from '../session/session.js';
import { STARTER_ROOMS } from '../starter.js';
import { CalendarBoard } from './CalendarBoard.js';
import { Fetching, NoneShown, NoRight, NoRooms } from './pages.js';
import type { Board } from './useBoard.js';
import type { BookingDialogState } from './useBookingDialog.js';
import { useClock } from './useClock.js';
import type { Act } from './useWord.js';
import { quoted } from '../quote.js';

export interface BoardAreaProps {
  readonly session: Session;
  readonly board: Board;
  readonly dialog: BookingDialogState;
  readonly narrow: boolean;
  readonly act: Act;
  onAddRoom(): void;
}

function WithoutRooms({ session, onAddRoom }: BoardAreaProps) {
  const { upToDate, byChoice, link, arriving, refused } = useSync(session);
  if (refused !== undefined) return <NoRight space={session.space} code={refused} />;
  if (!upToDate && !byChoice && link !== 'offline') return <Fetching arriving={arriving} />;
  return (
    <NoRooms
      unsure={!upToDate}
      onAddRoom={onAddRoom}
      onStarter={() => STARTER_ROOMS.forEach((room) => session.addRoom(room))}
    />
  );
}

export function BoardArea(props: BoardAreaProps) {
  const { session, board, dialog, act, narrow } = props;
  const rooms = useRooms(session);
  const clock = useClock();
  if (rooms.length === 0) return <WithoutRooms {...props} />;
  if (board.shownRooms.length === 0) return <NoneShown onShowAll={board.showAllRooms} />;
  return (
    <>
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
        onMove={(id, slot) => {
          const title = session.booking(id)?.booking.title ?? 'A booking';
          act(`${quoted(title)} moved`, () => session.move({ id, ...slot }));
        }}
      />
      {board.bookings.length === 0 && (
        <p className="board-empty" role="status" data-testid="board-empty">
          Nothing is booked {board.view === 'day' ? 'on this day' : 'in this week'}. Draw on the
          calendar
          <span className="only-keyboard">
            , or press <kbd>N</kbd>
          </span>
          .
        </p>
      )}
    </>
  );
}
