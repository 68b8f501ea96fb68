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
import { addDays, slotText, timeText } from '../times.js';
import type { BoardBooking } from './board.js';

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

function span(className: string, text: string): HTMLSpanElement {
  const element = document.createElement('span');
  element.className = className;
  element.textContent = text;
  return element;
}

const stageText = ({ stage, wish }: BoardBooking): string | undefined => {
  if (stage === 'committed') return undefined;
  return wish === undefined ? 'waiting' : `waiting · choice ${wish + 1}`;
};

/** The card of a booking. While it is dragged a copy shows the time where it would be dropped. */
function card(shown: BoardBooking, at: Pick<Slot, 'start' | 'end'>): HTMLElement {
  const { booking, room, byName, mine } = shown;
  const element = document.createElement('div');
  element.className = 'card';
  const lines = document.createElement('div');
  lines.className = 'card-lines';
  const waiting = stageText(shown);
  // A narrow card shows its title only; the pointer gets the rest.
  element.title = [booking.title, room.name, slotText(booking), byName, waiting]
    .filter(Boolean)
    .join(' · ');
  lines.append(
    span('card-title', booking.title),
    ...(waiting === undefined ? [] : [span('card-stage', waiting)]),
    span('card-time', `${timeText(at.start)} – ${timeText(at.end)}`),
    span('card-room', room.name),
    span('card-by', mine ? 'you' : byName),
  );
  element.append(lines);
  return element;
}

/** Tests find a booking by these. */
function markedCard(shown: BoardBooking): HTMLElement {
  const { booking, mine, stage } = shown;
  const element = card(shown, booking);
  Object.assign(element.dataset, {
    testid: 'booking',
    bookingId: booking.id,
    stage,
    room: booking.room,
    title: booking.title,
    start: String(booking.start),
    end: String(booking.end),
    mine: String(mine),
  });
  return element;
}

function eventOf(shown: BoardBooking): Calendar.EventInput {
  const { booking, room, stage, mine } = shown;
  return {
    id: booking.id,
    start: new Date(booking.start),
    end: new Date(booking.end),
    resourceIds: [booking.room],
    title: booking.title,
    classNames: [`is-${stage}`, ...(mine ? ['is-mine'] : [])],
    styles: [`--room: ${room.colour}`],
    extendedProps: { shown },
  };
}

function contentOf({ event }: Calendar.EventContentInfo): Calendar.Content {
  const at = { start: event.start.getTime(), end: event.end.getTime() };
  // reason: extendedProps carries what eventOf put there, and nothing for a selection under way.
  const shown = event.extendedProps['shown'] as BoardBooking | undefined;
  if (shown === undefined)
    return { domNodes: [span('card-time', `${timeText(at.start)} – ${timeText(at.end)}`)] };
  return { domNodes: [event.display === 'auto' ? markedCard(shown) : card(shown, at)] };
}

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
    snapDuration: '00:15',
    scrollTime: '06:45',
    slotEventOverlap: false,
    eventOrder: byStartThenRoom,
    dayHeaderFormat: { weekday: 'short', day: 'numeric' },
    nowIndicator: true,
    editable: true,
    selectable: true,
    selectLongPressDelay: 350,
    eventLongPressDelay: 350,
    eventTimeFormat: () => '',
    slotLabelFormat: { hour: '2-digit', minute: '2-digit' },
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

const QUARTER_MS = 15 * 60_000;

/**
 * Alt with arrows moves the booking that has the focus; with Shift its end. Sideways: the next
 * day or room.
 */
function movedByKey(
  event: KeyboardEvent<HTMLElement>,
  props: CalendarBoardProps,
): [string, Slot] | undefined {
  if (!event.altKey || !(event.target instanceof HTMLElement)) return undefined;
  const id = event.target.querySelector<HTMLElement>('[data-booking-id]')?.dataset['bookingId'];
  const booking = props.bookings.find((b) => b.booking.id === id)?.booking;
  if (booking === undefined) return undefined;
  const { room, start, end } = booking;
  const up = event.key === 'ArrowUp' || event.key === 'ArrowLeft' ? -1 : 1;
  if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    const shift = up * QUARTER_MS;
    return [booking.id, { room, start: event.shiftKey ? start : start + shift, end: end + shift }];
  }
  if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return undefined;
  if (props.view === 'week')
    return [booking.id, { room, start: addDays(start, up), end: addDays(end, up) }];
  const next = props.rooms[props.rooms.findIndex((r) => r.id === room) + up];
  return next === undefined ? undefined : [booking.id, { room: next.id, start, end }];
}

/** The card is drawn anew where the booking went; the focus follows it. */
function focusBooking(id: string): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const card = document.querySelector(`[data-booking-id="${CSS.escape(id)}"]`);
      card?.closest<HTMLElement>('.ec-event')?.focus();
    }),
  );
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
      narrow ? (view === 'day' ? '148px' : '132px') : 'minmax(116px, 1fr)',
    );
    calendar.current?.setOption('titleFormat', titleFormat(narrow, view));
    calendar.current?.setOption('view', VIEWS[view]);
  }, [view, narrow]);
  useEffect(() => {
    calendar.current?.setOption('date', new Date(date));
  }, [date]);
  useEffect(() => {
    calendar.current?.setOption('events', bookings.map(eventOf));
  }, [bookings]);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const move = movedByKey(event, props);
    if (move === undefined) return;
    event.preventDefault();
    const [id, slot] = move;
    if (slot.end > slot.start) props.onMove(id, slot);
    focusBooking(id);
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
