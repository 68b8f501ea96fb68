/** The parts of the booking form that are about when and where. */
import type { Booking, Room, Slot } from '../shapes.js';
import { quoted } from '../quote.js';
import { HOUR_MS } from '../time/clock.js';
import { availability } from './form.js';
import { useClock } from './useClock.js';

/** What the form knows of the calendar around it. */
export interface Known {
  readonly rooms: readonly Room[];
  readonly now: number;
  /** What is known to be booked in a stretch of time. */
  bookingsBetween(from: number, to: number): readonly Booking[];
  personName(id: string): string;
}

export function Availability({
  slot,
  self,
  known,
}: {
  readonly slot: Slot | undefined;
  readonly self: string | undefined;
  readonly known: Known;
}) {
  const clock = useClock();
  const near = slot === undefined ? [] : known.bookingsBetween(slot.start, slot.end);
  const state = availability(slot, near, self);
  if (state === undefined) return null;
  const text =
    state.by === undefined
      ? 'Free, as far as this device knows'
      : `Taken: ${quoted(state.by.title)}, ${known.personName(state.by.by)}, until ${clock.timeText(state.by.end)}`;
  return (
    <span className={state.free ? 'hint is-free' : 'hint is-taken'} data-testid="availability">
      {text}
    </span>
  );
}

/** An end that is not after the start means the next day: said, as it may be a slip. */
export function Overnight({ slot }: { readonly slot: Slot | undefined }) {
  const clock = useClock();
  if (slot === undefined || clock.isOnOneDay(slot)) return null;
  const hours = Math.round(((slot.end - slot.start) / HOUR_MS) * 10) / 10;
  return (
    <span className="hint is-taken" data-testid="overnight">
      Until {clock.dayText(slot.end)}, {clock.timeText(slot.end)}: {hours} hours
    </span>
  );
}

export function RoomSelect({
  rooms,
  value,
  label,
  onChange,
}: {
  readonly rooms: readonly Room[];
  readonly value: string;
  readonly label: string;
  onChange(room: string): void;
}) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(e) => onChange(e.target.value)}
      data-testid="field-room"
    >
      {rooms.map((room) => (
        <option key={room.id} value={room.id}>{`${room.name} (${room.capacity})`}</option>
      ))}
    </select>
  );
}
