/** A booking as it is drawn on the board: its card, and the event that carries it. */
import type { Calendar } from '@event-calendar/core';
import type { Slot } from '../shapes.js';
import { rangeText, slotText } from '../times.js';
import type { BoardBooking } from './board.js';

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
    span('card-time', rangeText(at)),
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

export function eventOf(shown: BoardBooking): Calendar.EventInput {
  const { booking, room, stage, mine } = shown;
  return {
    id: booking.id,
    start: new Date(booking.start),
    end: new Date(booking.end),
    allDay: false,
    resourceIds: [booking.room],
    title: booking.title,
    classNames: [`is-${stage}`, ...(mine ? ['is-mine'] : [])],
    styles: [`--room: ${room.colour}`],
    extendedProps: { shown },
  };
}

export function contentOf({ event }: Calendar.EventContentInfo): Calendar.Content {
  const at = { start: event.start.getTime(), end: event.end.getTime() };
  // reason: extendedProps carries what eventOf put there, and nothing for a selection under way.
  const shown = event.extendedProps['shown'] as BoardBooking | undefined;
  if (shown === undefined) return { domNodes: [span('card-time', rangeText(at))] };
  return { domNodes: [event.display === 'auto' ? markedCard(shown) : card(shown, at)] };
}
