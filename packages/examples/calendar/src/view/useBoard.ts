/** Which stretch of time and which rooms are shown, and the bookings there. */
import { useMemo, useState } from 'react';
import type { Session } from '../session/session.js';
import type { Room } from '../shapes.js';
import { addDays, dayStart } from '../times.js';
import { boardBookings, type BoardBooking } from './board.js';
import type { BoardRange, BoardView } from './CalendarBoard.js';
import { useStore } from './useStore.js';

export interface Board {
  readonly view: BoardView;
  readonly date: number;
  readonly title: string;
  readonly hidden: ReadonlySet<string>;
  readonly shownRooms: readonly Room[];
  readonly bookings: readonly BoardBooking[];
  setView(view: BoardView): void;
  setDate(ms: number): void;
  setRange(range: BoardRange): void;
  toggleRoom(id: string): void;
  onlyRoom(id: string): void;
  showAllRooms(): void;
  /** Makes a slot visible: its day, its room. */
  reveal(slot: { readonly room: string; readonly start: number }): void;
}

function useRooms(rooms: readonly Room[]) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const shownRooms = useMemo(() => rooms.filter((r) => !hidden.has(r.id)), [rooms, hidden]);
  const toggleRoom = (id: string): void => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    setHidden(next);
  };
  const onlyRoom = (id: string): void => {
    const alone = shownRooms.length === 1 && shownRooms[0]?.id === id;
    setHidden(new Set(alone ? [] : rooms.map((r) => r.id).filter((other) => other !== id)));
  };
  const showRoom = (id: string): void => {
    if (hidden.has(id)) toggleRoom(id);
  };
  const showAllRooms = (): void => setHidden(new Set());
  return { hidden, shownRooms, toggleRoom, onlyRoom, showAllRooms, showRoom };
}

export function useBoard(session: Session, narrow: boolean, now: number): Board {
  const rooms = useStore(session.rooms);
  const people = useStore(session.people);
  const wishes = useStore(session.wishes);
  const [view, setView] = useState<BoardView>(narrow ? 'day' : 'week');
  const [date, setDate] = useState(() => dayStart(now));
  const [range, setRange] = useState<BoardRange>({
    from: addDays(date, -7),
    to: addDays(date, 8),
    title: '',
  });
  const { showRoom, shownRooms, ...choice } = useRooms(rooms);
  const { from, to } = range;
  const [tentativeStore, committedStore] = useMemo(
    () => [session.bookings(from, to, 'tentative'), session.bookings(from, to, 'committed')],
    [session, from, to],
  );
  const tentative = useStore(tentativeStore);
  const committed = useStore(committedStore);
  const bookings = useMemo(
    () =>
      boardBookings({ tentative, committed, rooms: shownRooms, people, me: session.me, wishes }),
    [tentative, committed, shownRooms, people, session.me, wishes],
  );
  const reveal: Board['reveal'] = ({ room, start }) => {
    setDate(dayStart(start));
    showRoom(room);
  };
  return {
    view,
    date,
    title: range.title,
    shownRooms,
    bookings,
    setView,
    setDate,
    setRange,
    ...choice,
    reveal,
  };
}
