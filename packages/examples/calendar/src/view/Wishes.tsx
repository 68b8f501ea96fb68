/** What the author would take instead, in order: add, change, move up and down, remove. */
import { WISHES_MAX, type Slot } from '../shapes.js';
import { elsewhere, laterSlots } from '../slots.js';
import { HOUR_MS, type Clock } from '../time/clock.js';
import { Availability, RoomSelect, type Known } from './fields.js';
import { moved, oddityOf, slotOfWish, wishText, type WishText } from './form.js';
import { Icon } from './icons.js';
import { useClock } from './useClock.js';

let nextKey = 0;
const freshKey = (): string => `wish-${nextKey++}`;

interface WishRowProps {
  readonly wish: WishText;
  readonly place: number;
  readonly last: boolean;
  readonly lengthMs: number;
  readonly self: string | undefined;
  readonly known: Known;
  onChange(wish: WishText): void;
  onMove(by: -1 | 1): void;
  onRemove(): void;
}

function WishRow(props: WishRowProps) {
  const { wish, place, last, lengthMs, self, known, onChange, onMove, onRemove } = props;
  const clock = useClock();
  const name = `Alternative ${place}`;
  const oddity = oddityOf(wish.date, wish.from, clock);
  return (
    <li className="wish" data-testid="wish">
      <span className="wish-place" aria-hidden="true">
        {place}
      </span>
      <div className="wish-fields">
        <RoomSelect
          rooms={known.rooms}
          value={wish.room}
          label={`${name}: room`}
          onChange={(room) => onChange({ ...wish, room })}
        />
        <input
          type="date"
          required
          aria-label={`${name}: day`}
          value={wish.date}
          onChange={(e) => onChange({ ...wish, date: e.target.value })}
        />
        <input
          type="time"
          required
          aria-label={`${name}: from`}
          value={wish.from}
          onChange={(e) => onChange({ ...wish, from: e.target.value })}
        />
      </div>
      <div className="wish-buttons">
        <button
          type="button"
          className="quiet"
          disabled={place === 1}
          aria-label={`${name}: earlier in the list`}
          onClick={() => onMove(-1)}
        >
          <Icon name="up" />
        </button>
        <button
          type="button"
          className="quiet"
          disabled={last}
          aria-label={`${name}: later in the list`}
          onClick={() => onMove(1)}
        >
          <Icon name="down" />
        </button>
        <button
          type="button"
          className="quiet"
          aria-label={`${name}: remove`}
          data-testid="wish-remove"
          onClick={onRemove}
        >
          <Icon name="close" />
        </button>
      </div>
      {oddity !== undefined && <span className="hint is-taken">{oddity.text}</span>}
      <Availability slot={slotOfWish(wish, lengthMs, clock)} self={self} known={known} />
    </li>
  );
}

const sameSlot = (a: Slot, b: Slot): boolean => a.room === b.room && a.start === b.start;

export interface WishesProps {
  readonly wishes: readonly WishText[];
  /** The first choice; undefined while it is not complete. */
  readonly first: Slot | undefined;
  /** The booking that is changed, if there is one: it does not stand in its own way. */
  readonly self: string | undefined;
  readonly known: Known;
  onChange(wishes: readonly WishText[]): void;
}

/** The best slot of its kind that is not in the list yet. */
function proposal(kind: 'room' | 'time', first: Slot, list: WishesProps, clock: Clock): Slot {
  const { wishes, self, known } = list;
  const listed = [first, ...wishes.map((w) => slotOfWish(w, first.end - first.start, clock))];
  const find = kind === 'room' ? elsewhere : laterSlots;
  const found = find(self === undefined ? first : { ...first, self }, {
    bookings: known.bookingsBetween(first.start, clock.addDays(first.end, 8)),
    rooms: known.rooms,
    notBefore: known.now,
    isWorkingTime: clock.isWorkingTime,
    count: WISHES_MAX + 1,
  });
  const isListed = (slot: Slot): boolean =>
    listed.some((l) => l !== undefined && sameSlot(l, slot));
  return found.find((slot) => !isListed(slot)) ?? first;
}

function AddWish({ kind, list }: { readonly kind: 'room' | 'time'; readonly list: WishesProps }) {
  const { wishes, first, onChange } = list;
  const clock = useClock();
  const add = (): void => {
    if (first === undefined) return;
    onChange([...wishes, wishText(proposal(kind, first, list, clock), freshKey(), clock)]);
  };
  return (
    <button
      type="button"
      data-testid={`add-${kind}-wish`}
      disabled={wishes.length >= WISHES_MAX || first === undefined}
      onClick={add}
    >
      <Icon name="plus" />
      {kind === 'room' ? 'Another room' : 'Another time'}
    </button>
  );
}

export function Wishes(props: WishesProps) {
  const { wishes, first, self, known, onChange } = props;
  return (
    <fieldset className="wishes">
      <legend>If that is taken, book instead, in this order</legend>
      <ol>
        {wishes.map((wish, index) => (
          <WishRow
            key={wish.key}
            wish={wish}
            place={index + 1}
            last={index === wishes.length - 1}
            lengthMs={first === undefined ? HOUR_MS : first.end - first.start}
            self={self}
            known={known}
            onChange={(changed) => onChange(wishes.with(index, changed))}
            onMove={(by) => onChange(moved(wishes, index, by))}
            onRemove={() => onChange(wishes.filter((w) => w !== wish))}
          />
        ))}
      </ol>
      {wishes.length === 0 && (
        <p className="hint">Nothing yet: it will be refused if someone else was first.</p>
      )}
      <div className="row">
        <AddWish kind="room" list={props} />
        <AddWish kind="time" list={props} />
      </div>
    </fieldset>
  );
}
