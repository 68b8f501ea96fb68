/**
 * Search over all bookings, by keyboard: type, choose with the arrows, Enter goes there. The list
 * is a listbox whose choice the field tells (WAI-ARIA, combobox pattern): the focus stays put.
 */
import { useDeferredValue, useEffect, useId, useMemo, useState, type KeyboardEvent } from 'react';
import { searchBookings, type Found, type SearchIn } from '../search.js';
import type { Booking } from '../shapes.js';
import { plural } from '../time/clock.js';
import { Dialog } from './Dialog.js';
import { roomColour } from './colour.js';
import { useClock } from './useClock.js';

export interface SearchDialogProps extends Omit<SearchIn, 'max'> {
  onGo(booking: Booking): void;
  onClose(): void;
}

const SHOWN_MAX = 40;

interface OptionProps {
  readonly id: string;
  readonly found: Found;
  readonly chosen: boolean;
  readonly colour: string;
  onGo(): void;
}

function Option({ id, found, chosen, colour, onGo }: OptionProps) {
  const { booking, roomName, byName } = found;
  const clock = useClock();
  return (
    <li
      id={id}
      role="option"
      aria-selected={chosen}
      style={roomColour(colour)}
      className="found"
      data-testid="found"
      data-booking-id={booking.id}
      onClick={onGo}
    >
      <strong className="one-line">{booking.title}</strong>
      <span className="hint one-line">
        {clock.slotText(booking)} · {roomName} · {byName}
      </span>
    </li>
  );
}

function summaryOf(query: string, count: number, more: number): string {
  if (query.trim() === '') return 'Titles, rooms, people and notes; past ones, too.';
  if (count === 0) return 'Nothing found.';
  const rest = more === 0 ? '' : `, and ${more} more: go on typing`;
  return `${plural(count, 'booking')}${rest}`;
}

/** The choice among so many; arrows move it, and it is kept in sight. */
function useChoice(count: number, optionId: (index: number) => string) {
  const [at, setAt] = useState(0);
  const chosen = Math.min(at, count - 1);
  const id = optionId(chosen);
  useEffect(() => {
    document.getElementById(id)?.scrollIntoView({ block: 'nearest' });
  }, [id]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(count - 1, chosen + step)));
  };
  return { chosen, onKeyDown, reset: () => setAt(0) };
}

export function SearchDialog({ onGo, onClose, ...where }: SearchDialogProps) {
  const { bookings, rooms, people, now } = where;
  const [query, setQuery] = useState('');
  const asked = useDeferredValue(query);
  const { found, more } = useMemo(
    () => searchBookings(asked, { bookings, rooms, people, now, max: SHOWN_MAX }),
    [asked, bookings, rooms, people, now],
  );
  const list = useId();
  const optionId = (index: number): string => `${list}-${index}`;
  const { chosen, onKeyDown, reset } = useChoice(found.length, optionId);
  const go = (index: number): void => {
    const target = found[index];
    if (target !== undefined) onGo(target.booking);
  };
  const colourOf = (id: string): string => rooms.find((r) => r.id === id)?.colour ?? '#6b7686';
  return (
    <Dialog title="Search" testId="search" onClose={onClose} onSubmit={() => go(chosen)}>
      <input
        data-first
        type="text"
        inputMode="search"
        role="combobox"
        aria-label="Search bookings"
        aria-expanded={found.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={found.length > 0 ? optionId(chosen) : undefined}
        placeholder="Title, room, person …"
        autoComplete="off"
        value={query}
        data-testid="search-field"
        onKeyDown={onKeyDown}
        onChange={(e) => {
          setQuery(e.target.value);
          reset();
        }}
      />
      <p className="hint" role="status" data-testid="search-count">
        {summaryOf(asked, found.length, more)}
      </p>
      <ul id={list} role="listbox" aria-label="Bookings found" className="found-list">
        {found.map((each, index) => (
          <Option
            key={each.booking.id}
            id={optionId(index)}
            found={each}
            chosen={index === chosen}
            colour={colourOf(each.booking.room)}
            onGo={() => go(index)}
          />
        ))}
      </ul>
    </Dialog>
  );
}
