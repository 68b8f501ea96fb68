/** A booking as it is drawn on the board: its card, and the event that carries it. */
import type { Calendar } from '@event-calendar/core';
import type { Slot } from '../shapes.js';
import type { BoardTime, Mark } from '../time/board-time.js';
import type { Clock } from '../time/clock.js';
import type { BoardBooking } from './board.js';

type Span = Pick<Slot, 'start' | 'end'>;

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
function card(shown: BoardBooking, clock: Clock, at: Span): HTMLElement {
  const { booking, room, byName, mine } = shown;
  const element = document.createElement('div');
  element.className = 'card';
  const lines = document.createElement('div');
  lines.className = 'card-lines';
  const waiting = stageText(shown);
  // A narrow card shows its title only; the pointer, and a screen reader, get the rest.
  element.title = [booking.title, room.name, clock.slotText(booking), byName, waiting]
    .filter(Boolean)
    .join(' · ');
  lines.append(
    span('card-title', booking.title),
    ...(waiting === undefined ? [] : [span('card-stage', waiting)]),
    span('card-time', clock.rangeText(at)),
    span('card-room', room.name),
    span('card-by', mine ? 'you' : byName),
  );
  element.append(lines);
  return element;
}

/** A button, as a click opens it. Tests find a booking by what is noted on it. */
function markedCard(shown: BoardBooking, clock: Clock): HTMLElement {
  const { booking, mine, stage } = shown;
  const element = card(shown, clock, booking);
  element.tabIndex = 0;
  element.role = 'button';
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

export function eventOf(shown: BoardBooking, time: BoardTime): Calendar.EventInput {
  const { booking, room, stage, mine } = shown;
  const [start, end] = time.toBoard(booking);
  return {
    id: booking.id,
    start,
    end,
    allDay: false,
    resourceIds: [booking.room],
    title: booking.title,
    classNames: [`is-${stage}`, ...(mine ? ['is-mine'] : [])],
    styles: [`--room: ${room.colour}`],
    extendedProps: { shown },
  };
}

/** What the clocks do to a day, behind the bookings. */
export function markOf({ id, start, end, kind, text }: Mark): Calendar.EventInput {
  return {
    id,
    start,
    end,
    allDay: false,
    display: 'background',
    title: text,
    classNames: [`is-${kind}`],
    extendedProps: { mark: text },
  };
}

const two = (n: number): string => String(n).padStart(2, '0');
const fieldsText = (d: Date): string =>
  `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}` +
  `T${two(d.getHours())}:${two(d.getMinutes())}:00`;

export function contentOf(
  { event }: Calendar.EventContentInfo,
  time: BoardTime,
  clock: Clock,
): Calendar.Content {
  const mark: unknown = event.extendedProps['mark'];
  if (typeof mark === 'string') return { domNodes: [span('mark-text', mark)] };
  // reason: extendedProps carries what eventOf put there, and nothing for a selection under way.
  const shown = event.extendedProps['shown'] as BoardBooking | undefined;
  if (shown !== undefined && event.display === 'auto') return { domNodes: [markedCard(shown, clock)] };
  const at = {
    start: time.fromBoard(fieldsText(event.start)),
    end: time.fromBoard(fieldsText(event.end)),
  };
  if (shown === undefined) return { domNodes: [span('card-time', clock.rangeText(at))] };
  return { domNodes: [card(shown, clock, at)] };
}
