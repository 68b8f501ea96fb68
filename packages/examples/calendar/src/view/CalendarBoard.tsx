/**
 * The calendar itself: @event-calendar/core under React. It draws columns of rooms or days and
 * turns drags into slots; it decides nothing: what a drag means is an update, and what is shown
 * is what the replica says afterwards.
 */
import {
  createCalendar,
  destroyCalendar,
  Interaction,
  ResourceTimeGrid,
  TimeGrid,
} from '@event-calendar/core';
import type { Calendar } from '@event-calendar/core';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import type { Room, Slot } from '../shapes.js';
import { dayHeadText } from '../times.js';
import { movedByKey } from './board-keys.js';
import { redrawing, type BoardBooking } from './board.js';
import { contentOf, eventOf } from './card.js';
import { bookingOf, focusBooking } from './focus.js';

export type BoardView = 'day' | 'week';

export interface BoardRange {
  readonly from: number;
  readonly to: number;
  readonly title: string;
}

export interface CalendarBoardProps {
  readonly view: BoardView;
  readonly date: number;
  readonly bookings: readonly BoardBooking[];
  /** The rooms that are shown, in order. */
  readonly rooms: readonly Room[];
  readonly narrow: boolean;
  onRange(range: BoardRange): void;
  /** A stretch of time was drawn or clicked; without a room in the week view. */
  onDraw(slot: Omit<Slot, 'room'> & { room?: string }): void;
  onOpen(bookingId: string): void;
  onMove(bookingId: string, slot: Slot): void;
}

/** Whole words where there is room for them. */
const titleFormat = (narrow: boolean, view: BoardView): Intl.DateTimeFormatOptions => {
  if (narrow) return { day: 'numeric', month: 'short' };
  if (view === 'week') return { day: 'numeric', month: 'long', year: 'numeric' };
  return { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' };
};

const VIEWS: Record<BoardView, string> = { day: 'resourceTimeGridDay', week: 'timeGridWeek' };

function slotOf(event: Calendar.Event): Slot {
  return {
    room: String(event.resourceIds[0] ?? ''),
    start: event.start.getTime(),
    end: event.end.getTime(),
  };
}

/** Bookings of the same hour stand in the order of their rooms, week after week. */
const byStartThenRoom = (a: Calendar.Event, b: Calendar.Event): number =>
  a.start.getTime() - b.start.getTime() ||
  (String(a.resourceIds[0]) < String(b.resourceIds[0]) ? -1 : 1);

const SLOT_MS = 30 * 60_000;
const CLICK_LENGTH_MS = 60 * 60_000;

type Callbacks = Pick<CalendarBoardProps, 'onRange' | 'onDraw' | 'onOpen' | 'onMove'>;

function fixedOptions(
  latest: { readonly current: Callbacks },
  unselect: () => void,
): Calendar.Options {
  return {
    headerToolbar: { start: '', center: '', end: '' },
    height: '100%',
    firstDay: 1,
    allDaySlot: false,
    slotDuration: '00:30',
    // A quarter of an hour is as high as a line of text.
    slotHeight: 30,
    snapDuration: '00:15',
    scrollTime: '06:45',
    slotEventOverlap: false,
    eventOrder: byStartThenRoom,
    dayHeaderFormat: (date) => dayHeadText(date.getTime()),
    nowIndicator: true,
    editable: true,
    selectable: true,
    selectLongPressDelay: 350,
    eventLongPressDelay: 350,
    eventTimeFormat: () => '',
    slotLabelFormat: { timeStyle: 'short' },
    eventContent: contentOf,
    datesSet: ({ view }) =>
      latest.current.onRange({
        from: view.activeStart.getTime(),
        to: view.activeEnd.getTime(),
        title: view.title,
      }),
    eventClick: ({ event, jsEvent }) => {
      // The Enter that opens the dialog must not go on to submit it.
      jsEvent.preventDefault();
      latest.current.onOpen(String(event.id));
    },
    eventDrop: ({ event, revert }) => {
      latest.current.onMove(String(event.id), slotOf(event));
      // The replica says where it stands now; until it has spoken nothing has moved.
      revert();
    },
    eventResize: ({ event, revert }) => {
      latest.current.onMove(String(event.id), slotOf(event));
      revert();
    },
    select: ({ start, end, resource }) => {
      // What was drawn is in the dialog now; left on the board it would swallow the next click.
      unselect();
      latest.current.onDraw(drawn(start.getTime(), end.getTime(), resource));
    },
    dateClick: ({ date, resource }) => {
      const start = Math.floor(date.getTime() / SLOT_MS) * SLOT_MS;
      latest.current.onDraw(drawn(start, start + CLICK_LENGTH_MS, resource));
    },
  };
}

function drawn(start: number, end: number, resource: Calendar.Resource | undefined) {
  return { start, end, ...(resource === undefined ? {} : { room: String(resource.id) }) };
}

type Shown = Map<string, BoardBooking>;

/**
 * Draws what has changed and leaves the rest alone: a busy week is hundreds of cards, and drawing
 * them all takes a noticeable while. Where most of them change, all at once is faster.
 */
function draw(calendar: Calendar, shown: Shown, bookings: readonly BoardBooking[]): void {
  const { removed, changed, added } = redrawing(shown, bookings);
  const changes = removed.length + changed.length + added.length;
  if (changes > bookings.length / 2) calendar.setOption('events', bookings.map(eventOf));
  else {
    removed.forEach((id) => calendar.removeEventById(id));
    changed.forEach((booking) => calendar.updateEvent(eventOf(booking)));
    added.forEach((booking) => calendar.addEvent(eventOf(booking)));
  }
  removed.forEach((id) => shown.delete(id));
  for (const booking of [...changed, ...added]) shown.set(booking.booking.id, booking);
}

/** The bookings on the board, and the focus on the one that had it. */
function useDrawing(
  calendar: { readonly current: Calendar | null },
  bookings: readonly BoardBooking[],
): void {
  const drawn = useRef<{ readonly on: Calendar; readonly shown: Shown }>(undefined);
  const awaited = useRef<string>(undefined);
  useEffect(() => {
    // Once a frame: the board carries out what it is told only when the caller has returned, and
    // would lose a booking that is added in the same breath.
    const frame = requestAnimationFrame(() => {
      const on = calendar.current;
      if (on === null) return;
      if (drawn.current?.on !== on) drawn.current = { on, shown: new Map() };
      const focused = bookingOf(document.activeElement) ?? awaited.current;
      draw(on, drawn.current.shown, bookings);
      if (focused === undefined) return;
      awaited.current = focused;
      focusBooking(focused, () => (awaited.current = undefined));
    });
    return () => cancelAnimationFrame(frame);
  }, [calendar, bookings]);
}

export function CalendarBoard(props: CalendarBoardProps) {
  const host = useRef<HTMLDivElement>(null);
  const calendar = useRef<Calendar | null>(null);
  const latest = useRef<Callbacks>(props);
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    if (host.current === null) return;
    const options = fixedOptions(latest, () => calendar.current?.unselect());
    const made = createCalendar(host.current, [TimeGrid, ResourceTimeGrid, Interaction], options);
    calendar.current = made;
    return () => {
      calendar.current = null;
      void destroyCalendar(made);
    };
  }, []);

  const { view, date, rooms, bookings, narrow } = props;
  useEffect(() => {
    const resources = rooms.map((r) => ({ id: r.id, title: r.name, extendedProps: { room: r } }));
    calendar.current?.setOption('resources', resources);
  }, [rooms]);
  useEffect(() => {
    calendar.current?.setOption(
      'columnWidth',
      narrow ? (view === 'day' ? '148px' : '132px') : 'minmax(96px, 1fr)',
    );
    calendar.current?.setOption('titleFormat', titleFormat(narrow, view));
    calendar.current?.setOption('view', VIEWS[view]);
  }, [view, narrow]);
  useEffect(() => {
    calendar.current?.setOption('date', new Date(date));
  }, [date]);
  useDrawing(calendar, bookings);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const move = movedByKey(event, props);
    if (move === undefined) return;
    event.preventDefault();
    const [id, slot] = move;
    if (slot.end > slot.start) props.onMove(id, slot);
  };
  return (
    <div
      ref={host}
      className="board ec-auto-dark"
      data-testid="board"
      data-view={view}
      onKeyDown={onKeyDown}
    />
  );
}
