/** Which stretch of time and which rooms are shown, and the bookings there. */
import { useMemo, useState } from 'react';
import { useBookings, usePeople, useRooms, useWishes } from '../session/hooks.js';
import type { Session } from '../session/session.js';
import type { Room } from '../shapes.js';
import { boardTime, type BoardTime } from '../time/board-time.js';
import type { Clock } from '../time/clock.js';
import { boardBookings, type BoardBooking } from './board.js';
import type { BoardView } from './CalendarBoard.js';
import { useClock } from './useClock.js';

export interface Board {
  readonly view: BoardView;
  /** An instant of the day that is shown, or that the week shown is around. */
  readonly date: number;
  readonly title: string;
  readonly time: BoardTime;
  readonly hidden: ReadonlySet<string>;
  readonly shownRooms: readonly Room[];
  readonly bookings: readonly BoardBooking[];
  setView(view: BoardView): void;
  setDate(ms: number): void;
  toggleRoom(id: string): void;
  onlyRoom(id: string): void;
  showAllRooms(): void;
  /** Makes a slot visible: its day, its room. */
  reveal(slot: { readonly room: string; readonly start: number }): void;
}

function useShownRooms(rooms: readonly Room[]) {
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

interface Shown {
  readonly from: number;
  readonly to: number;
}

function shownRange(view: BoardView, date: number, clock: Clock): Shown {
  const from = view === 'week' ? clock.weekStart(date) : clock.dayStart(date);
  const to = clock.dayStart(clock.addDays(from, view === 'week' ? 7 : 1));
  return { from, to };
}

/** Whole words where there is room for them. */
function titleOf(view: BoardView, { from, to }: Shown, clock: Clock, narrow: boolean): string {
  if (narrow) return clock.daysText(from, to - 1, { day: 'numeric', month: 'short' });
  if (view === 'day') return clock.longDayText(from);
  return clock.daysText(from, to - 1, { day: 'numeric', month: 'long', year: 'numeric' });
}

const MINUTE_MS = 60_000;

/** What is shown of time. The same object as long as nothing of it changes. */
function useTime(view: BoardView, date: number, now: number) {
  const clock = useClock();
  const { from, to } = shownRange(view, date, clock);
  const minute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  // Of the present only the zone's offset is in it.
  const offset = boardTime(clock, { view, date, from, to, now: minute }).offset;
  const time = useMemo(
    () => boardTime(clock, { view, date, from, to, now: minute }),
    [clock, view, date, from, to, offset],
  );
  return { clock, time, from, to };
}

export function useBoard(session: Session, narrow: boolean, now: number): Board {
  const rooms = useRooms(session);
  const people = usePeople(session);
  const wishes = useWishes(session);
  const [view, setView] = useState<BoardView>(narrow ? 'day' : 'week');
  const [date, setDate] = useState(now);
  const { clock, time, from, to } = useTime(view, date, now);
  const { showRoom, shownRooms, ...choice } = useShownRooms(rooms);
  const tentative = useBookings(session, { from, to, view: 'tentative' });
  const committed = useBookings(session, { from, to, view: 'committed' });
  const bookings = useMemo(
    () =>
      boardBookings({ tentative, committed, rooms: shownRooms, people, me: session.me, wishes }),
    [tentative, committed, shownRooms, people, session.me, wishes],
  );
  const reveal: Board['reveal'] = ({ room, start }) => {
    setDate(start);
    showRoom(room);
  };
  return {
    view,
    date,
    title: titleOf(view, { from, to }, clock, narrow),
    time,
    shownRooms,
    bookings,
    setView,
    setDate,
    ...choice,
    reveal,
  };
}
