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
import type { BoardTime } from '../time/board-time.js';
import type { Clock } from '../time/clock.js';
import { distanceOf, dropped, resized } from './board-drag.js';
import { movedByKey, nextByKey } from './board-keys.js';
import { nameBoard } from './board-names.js';
import type { BoardBooking } from './board.js';
import { contentOf } from './card.js';
import { goToBooking } from './focus.js';
import { useDrawing } from './useDrawing.js';

export type BoardView = 'day' | 'week';

export interface CalendarBoardProps {
  readonly view: BoardView;
  readonly clock: Clock;
  readonly time: BoardTime;
  /** What it shows, in words. */
  readonly title: string;
  readonly bookings: readonly BoardBooking[];
  /** The rooms that are shown, in order. */
  readonly rooms: readonly Room[];
  readonly narrow: boolean;
  /** A stretch of time was drawn or clicked; without a room in the week view. */
  onDraw(slot: Omit<Slot, 'room'> & { room?: string }): void;
  onOpen(bookingId: string): void;
  onMove(bookingId: string, slot: Slot): void;
}

const VIEWS: Record<BoardView, string> = { day: 'resourceTimeGridDay', week: 'timeGridWeek' };

/** Bookings of the same hour stand in the order of their rooms, week after week. */
const byStartThenRoom = (a: Calendar.Event, b: Calendar.Event): number =>
  a.start.getTime() - b.start.getTime() ||
  (String(a.resourceIds[0]) < String(b.resourceIds[0]) ? -1 : 1);

const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6] as const;
const CLICK_LENGTH_MS = 60 * 60_000;
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });

interface Hooks {
  readonly latest: { readonly current: CalendarBoardProps };
  unselect(): void;
}

function gestures({ latest, unselect }: Hooks): Calendar.Options {
  const move = (id: string, slotOf: (shown: BoardBooking) => Slot): void => {
    const shown = latest.current.bookings.find(({ booking }) => booking.id === id);
    if (shown !== undefined) latest.current.onMove(id, slotOf(shown));
  };
  const draw = (start: number, end: number, resource: Calendar.Resource | undefined): void =>
    latest.current.onDraw({
      start,
      end,
      ...(resource === undefined ? {} : { room: String(resource.id) }),
    });
  return {
    eventClick: ({ event, jsEvent }) => {
      // The Enter that opens the dialog must not go on to submit it.
      jsEvent.preventDefault();
      latest.current.onOpen(String(event.id));
    },
    eventDrop: ({ event, delta, revert }) => {
      const room = String(event.resourceIds[0] ?? '');
      const { time } = latest.current;
      move(String(event.id), ({ booking }) => dropped(booking, time, distanceOf(delta), room));
      // The replica says where it stands now; until it has spoken nothing has moved.
      revert();
    },
    eventResize: ({ event, endDelta, revert }) => {
      const { time } = latest.current;
      move(String(event.id), ({ booking }) => resized(booking, time, distanceOf(endDelta)));
      revert();
    },
    select: ({ startStr, endStr, resource }) => {
      // What was drawn is in the dialog now; left on the board it would swallow the next click.
      unselect();
      const { time } = latest.current;
      draw(time.fromBoard(startStr), time.fromBoard(endStr), resource);
    },
    dateClick: ({ dateStr, resource }) => {
      const half = Number(dateStr.slice(14, 16)) < 30 ? '00' : '30';
      const start = latest.current.time.fromBoard(`${dateStr.slice(0, 14)}${half}:00`);
      draw(start, start + CLICK_LENGTH_MS, resource);
    },
  };
}

function fixedOptions(hooks: Hooks): Calendar.Options {
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
    // “Mon 7”, in this order in every language.
    dayHeaderFormat: (date) => `${weekday.format(date)} ${date.getDate()}`,
    nowIndicator: true,
    editable: true,
    selectable: true,
    selectLongPressDelay: 350,
    eventLongPressDelay: 350,
    eventTimeFormat: () => '',
    eventContent: (info) => contentOf(info, hooks.latest.current.time, hooks.latest.current.clock),
    ...gestures(hooks),
  };
}

/**
 * The board asks for the labels of its rows in order, by dates of the browser's own zone: two of
 * them may be the same date, so they are counted.
 */
function inOrder(labels: readonly string[]): (date: Date) => string {
  let index = -1;
  let last = Infinity;
  return (date) => {
    index = date.getTime() < last ? 0 : index + 1;
    last = date.getTime();
    return labels[index] ?? '';
  };
}

function useOptions(
  calendar: { readonly current: Calendar | null },
  { view, time, rooms, narrow }: CalendarBoardProps,
): void {
  useEffect(() => {
    const resources = rooms.map((r) => ({ id: r.id, title: r.name, extendedProps: { room: r } }));
    calendar.current?.setOption('resources', resources);
  }, [calendar, rooms]);
  useEffect(() => {
    const columnWidth = narrow ? (view === 'day' ? '148px' : '132px') : 'minmax(96px, 1fr)';
    calendar.current?.setOption('columnWidth', columnWidth).setOption('view', VIEWS[view]);
  }, [calendar, view, narrow]);
  const { date, hours, offset } = time;
  const labels = time.labels.join('\n');
  const missing = time.missing.join();
  useEffect(() => {
    const minutes = Math.round((hours % 1) * 60);
    calendar.current
      ?.setOption('hiddenDays', WEEKDAYS.filter((day) => missing.includes(String(day))))
      .setOption('slotLabelFormat', inOrder(labels.split('\n')))
      .setOption('slotMaxTime', `${Math.floor(hours)}:${String(minutes).padStart(2, '0')}`)
      .setOption('timeZone', offset)
      .setOption('date', date);
  }, [calendar, date, hours, labels, missing, offset]);
}

export function CalendarBoard(props: CalendarBoardProps) {
  const host = useRef<HTMLDivElement>(null);
  const calendar = useRef<Calendar | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    if (host.current === null) return;
    const options = fixedOptions({ latest, unselect: () => calendar.current?.unselect() });
    const made = createCalendar(host.current, [TimeGrid, ResourceTimeGrid, Interaction], options);
    calendar.current = made;
    const stop = nameBoard(host.current);
    return () => {
      calendar.current = null;
      stop();
      void destroyCalendar(made);
    };
  }, []);

  useOptions(calendar, props);
  useDrawing(calendar, props.bookings, props.time);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const move = movedByKey(event, props);
    if (move === undefined) {
      const next = nextByKey(event, props.bookings);
      if (next === undefined) return;
      event.preventDefault();
      goToBooking(next);
      return;
    }
    event.preventDefault();
    const [id, slot] = move;
    if (slot.end > slot.start) props.onMove(id, slot);
  };
  return (
    <div
      ref={host}
      className="board ec-auto-dark"
      role="region"
      aria-label={`Bookings, ${props.title}`}
      data-testid="board"
      data-view={props.view}
      data-zone={props.clock.zone}
      onKeyDown={onKeyDown}
    />
  );
}
