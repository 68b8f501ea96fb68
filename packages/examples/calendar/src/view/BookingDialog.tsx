/**
 * One form for a new booking, a change, and another try after a refusal. The list of alternatives is ordered: it is what
 * the calendar falls back on when the first choice turns out to be taken, perhaps days later.
 */
import { useId, useState, type FormEvent } from 'react';
import { WISHES_MAX, type Booking, type Room, type Slot } from '../shapes.js';
import { elsewhere, laterSlots } from '../slots.js';
import { addDays, isWorkingTime, timeText } from '../times.js';
import { Icon } from './icons.js';
import { useModal } from './useModal.js';
import {
  availability, formOf, moved, slotOfText, slotOfWish, submissionOf, wishText,
  type BookingForm, type Draft, type SlotText, type Submission, type WishText,
} from './form.js';

export interface BookingDialogProps {
  readonly draft: Draft;
  /** For an existing booking: who booked it, and whether that has its final place. */
  readonly provenance?: string | undefined;
  readonly rooms: readonly Room[];
  readonly now: number;
  /** What is known to be booked in a stretch of time. */
  bookingsBetween(from: number, to: number): readonly Booking[];
  personName(id: string): string;
  onSubmit(submission: Submission): void;
  onCancelBooking(): void;
  onClose(): void;
}

let nextKey = 0;
const freshKey = (): string => `wish-${nextKey++}`;

function Availability({ slot, self, props }: {
  readonly slot: Slot | undefined; readonly self: string | undefined; readonly props: BookingDialogProps;
}) {
  const near = slot === undefined ? [] : props.bookingsBetween(slot.start, slot.end);
  const state = availability(slot, near, self);
  if (state === undefined) return null;
  const text = state.by === undefined
    ? 'Free, as far as this device knows'
    : `Taken: “${state.by.title}”, ${props.personName(state.by.by)}, until ${timeText(state.by.end)}`;
  return <span className={state.free ? 'hint is-free' : 'hint is-taken'} data-testid="availability">{text}</span>;
}

function RoomSelect({ rooms, value, label, onChange }: {
  readonly rooms: readonly Room[]; readonly value: string; readonly label: string; onChange(room: string): void;
}) {
  return (
    <select aria-label={label} value={value} onChange={(e) => onChange(e.target.value)} data-testid="field-room">
      {rooms.map((room) => (
        <option key={room.id} value={room.id}>{`${room.name} (${room.capacity})`}</option>
      ))}
    </select>
  );
}

function SlotFields({ value, rooms, onChange }: {
  readonly value: SlotText; readonly rooms: readonly Room[]; onChange(slot: SlotText): void;
}) {
  return (
    <div className="slot-fields">
      <label className="field field-room">Room
        <RoomSelect rooms={rooms} value={value.room} label="Room" onChange={(room) => onChange({ ...value, room })} />
      </label>
      <label className="field field-day">Day
        <input type="date" required value={value.date} data-testid="field-date"
          onChange={(e) => onChange({ ...value, date: e.target.value })} />
      </label>
      <label className="field">From
        <input type="time" required value={value.from} data-testid="field-from"
          onChange={(e) => onChange({ ...value, from: e.target.value })} />
      </label>
      <label className="field">To
        <input type="time" required value={value.to} data-testid="field-to"
          onChange={(e) => onChange({ ...value, to: e.target.value })} />
      </label>
    </div>
  );
}

interface WishRowProps {
  readonly wish: WishText;
  readonly place: number;
  readonly last: boolean;
  readonly lengthMs: number;
  readonly props: BookingDialogProps;
  onChange(wish: WishText): void;
  onMove(by: -1 | 1): void;
  onRemove(): void;
}

function WishRow({ wish, place, last, lengthMs, props, onChange, onMove, onRemove }: WishRowProps) {
  const name = `Alternative ${place}`;
  return (
    <li className="wish" data-testid="wish">
      <span className="wish-place" aria-hidden="true">{place}</span>
      <div className="wish-fields">
        <RoomSelect rooms={props.rooms} value={wish.room} label={`${name}: room`}
          onChange={(room) => onChange({ ...wish, room })} />
        <input type="date" required aria-label={`${name}: day`} value={wish.date}
          onChange={(e) => onChange({ ...wish, date: e.target.value })} />
        <input type="time" required aria-label={`${name}: from`} value={wish.from}
          onChange={(e) => onChange({ ...wish, from: e.target.value })} />
      </div>
      <div className="wish-buttons">
        <button type="button" className="quiet" disabled={place === 1} aria-label={`${name}: earlier in the list`}
          onClick={() => onMove(-1)}><Icon name="up" /></button>
        <button type="button" className="quiet" disabled={last} aria-label={`${name}: later in the list`}
          onClick={() => onMove(1)}><Icon name="down" /></button>
        <button type="button" className="quiet" aria-label={`${name}: remove`} data-testid="wish-remove"
          onClick={onRemove}><Icon name="close" /></button>
      </div>
      <Availability slot={slotOfWish(wish, lengthMs)} self={props.draft.bookingId} props={props} />
    </li>
  );
}

const sameSlot = (a: Slot, b: Slot): boolean => a.room === b.room && a.start === b.start;

function Wishes({ form, props, onChange }: {
  readonly form: BookingForm; readonly props: BookingDialogProps; onChange(wishes: readonly WishText[]): void;
}) {
  const { wishes } = form;
  const slot = slotOfText(form.slot);
  const lengthMs = slot === undefined ? 3_600_000 : slot.end - slot.start;
  const add = (kind: 'room' | 'time'): void => {
    if (slot === undefined) return;
    const known = [slot, ...wishes.map((w) => slotOfWish(w, lengthMs)).filter((s) => s !== undefined)];
    const find = kind === 'room' ? elsewhere : laterSlots;
    const found = find({ ...slot, ...selfOf(props.draft) }, {
      bookings: props.bookingsBetween(slot.start, addDays(slot.end, 8)),
      rooms: props.rooms, notBefore: props.now, isWorkingTime, count: WISHES_MAX + 1,
    });
    const fresh = found.find((s) => !known.some((k) => sameSlot(s, k))) ?? slot;
    onChange([...wishes, wishText(fresh, freshKey())]);
  };
  return (
    <fieldset className="wishes">
      <legend>If that is taken, book instead, in this order</legend>
      <ol>
        {wishes.map((wish, index) => (
          <WishRow key={wish.key} wish={wish} place={index + 1} last={index === wishes.length - 1}
            lengthMs={lengthMs} props={props}
            onChange={(changed) => onChange(wishes.with(index, changed))}
            onMove={(by) => onChange(moved(wishes, index, by))}
            onRemove={() => onChange(wishes.filter((w) => w !== wish))} />
        ))}
      </ol>
      {wishes.length === 0 && <p className="hint">Nothing yet: it will be refused if someone else was first.</p>}
      <div className="row">
        <button type="button" data-testid="add-room-wish" disabled={wishes.length >= WISHES_MAX}
          onClick={() => add('room')}><Icon name="plus" />Another room</button>
        <button type="button" data-testid="add-time-wish" disabled={wishes.length >= WISHES_MAX}
          onClick={() => add('time')}><Icon name="plus" />Another time</button>
      </div>
    </fieldset>
  );
}

const selfOf = ({ bookingId }: Draft): { self?: string } => (bookingId === undefined ? {} : { self: bookingId });

export function BookingDialog(props: BookingDialogProps) {
  const { draft, rooms, provenance, onSubmit, onClose, onCancelBooking } = props;
  const [form, setForm] = useState(() => formOf(draft));
  const [problem, setProblem] = useState<string>();
  const heading = useId();
  const dialog = useModal();
  const isNew = draft.bookingId === undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const submission = submissionOf(form);
    if (typeof submission === 'string') setProblem(submission);
    else onSubmit(submission);
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={heading} onCancel={onClose} onClose={onClose}
      data-testid="booking-dialog">
      <form onSubmit={submit} noValidate>
        <header className="dialog-head">
          <h2 id={heading}>{isNew ? 'New booking' : 'Change booking'}</h2>
          <button type="button" className="quiet" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
        </header>
        {provenance !== undefined && <p className="hint">{provenance}</p>}
        <label className="field">Title
          <input autoFocus required maxLength={200} value={form.title} data-testid="field-title"
            placeholder="What is it for?" onChange={(e) => setForm({ ...form, title: e.target.value })} />
        </label>
        <SlotFields value={form.slot} rooms={rooms} onChange={(slot) => setForm({ ...form, slot })} />
        <Availability slot={slotOfText(form.slot)} self={draft.bookingId} props={props} />
        <Wishes form={form} props={props} onChange={(wishes) => setForm({ ...form, wishes })} />
        <label className="field">Notes
          <textarea rows={2} maxLength={4000} value={form.notes} data-testid="field-notes"
            onChange={(e) => setForm({ ...form, notes: e.target.value })} />
        </label>
        <p role="alert" className="problem">{problem}</p>
        <footer className="dialog-foot">
          {!isNew && (
            <button type="button" className="danger" onClick={onCancelBooking} data-testid="cancel-booking">
              Cancel this booking
            </button>
          )}
          <span className="grow" />
          <button type="button" onClick={onClose}>Close</button>
          <button type="submit" className="primary" data-testid="save-booking">{isNew ? 'Book' : 'Save'}</button>
        </footer>
      </form>
    </dialog>
  );
}
