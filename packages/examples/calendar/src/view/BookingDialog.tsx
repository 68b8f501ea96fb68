/**
 * One form for a new booking, a change, and another try after a refusal. The list of alternatives
 * is ordered: it is what the calendar falls back on when the first choice turns out to be taken,
 * perhaps days later.
 */
import { useState } from 'react';
import { Dialog } from './Dialog.js';
import { Availability, Overnight, type Known } from './fields.js';
import {
  formOf,
  slotOfText,
  submissionOf,
  type BookingForm,
  type Draft,
  type Submission,
} from './form.js';
import { SlotFields } from './SlotFields.js';
import { useClock } from './useClock.js';
import { Wishes } from './Wishes.js';

export interface BookingDialogProps {
  readonly draft: Draft;
  /** What had been typed when the page was loaded anew. */
  readonly begun?: BookingForm | undefined;
  /** For an existing booking: who booked it, and whether that has its final place. */
  readonly provenance?: string | undefined;
  readonly known: Known;
  /** Something was typed. */
  onBegun(form: BookingForm): void;
  onSubmit(submission: Submission): void;
  onCancelBooking(): void;
  onClose(): void;
}

interface FieldsProps {
  readonly form: BookingForm;
  readonly self: string | undefined;
  readonly known: Known;
  onChange(form: BookingForm): void;
}

function Fields({ form, self, known, onChange }: FieldsProps) {
  const first = slotOfText(form.slot, useClock());
  return (
    <>
      <label className="field">
        Title
        <input
          data-first
          required
          maxLength={200}
          value={form.title}
          data-testid="field-title"
          placeholder="What is it for?"
          onChange={(e) => onChange({ ...form, title: e.target.value })}
        />
      </label>
      <SlotFields
        value={form.slot}
        rooms={known.rooms}
        onChange={(slot) => onChange({ ...form, slot })}
      />
      <Overnight slot={first} />
      <Availability slot={first} self={self} known={known} />
      <Wishes
        wishes={form.wishes}
        first={first}
        self={self}
        known={known}
        onChange={(wishes) => onChange({ ...form, wishes })}
      />
      <label className="field">
        Notes
        <textarea
          rows={2}
          maxLength={4000}
          value={form.notes}
          data-testid="field-notes"
          onChange={(e) => onChange({ ...form, notes: e.target.value })}
        />
      </label>
    </>
  );
}

function headingOf({ because, bookingId }: Draft): string {
  if (because !== undefined) return 'Another try';
  return bookingId === undefined ? 'New booking' : 'Change booking';
}

export function BookingDialog(props: BookingDialogProps) {
  const { draft, known, provenance, onSubmit, onClose, onCancelBooking } = props;
  const clock = useClock();
  const [form, setForm] = useState(() => props.begun ?? formOf(draft, clock));
  const change = (next: BookingForm): void => {
    setForm(next);
    props.onBegun(next);
  };
  const [problem, setProblem] = useState<string>();
  const isNew = draft.bookingId === undefined;
  const submit = (): void => {
    const submission = submissionOf(form, clock);
    if (typeof submission === 'string') setProblem(submission);
    else onSubmit(submission);
  };
  return (
    <Dialog title={headingOf(draft)} testId="booking-dialog" onClose={onClose} onSubmit={submit}>
      {draft.because !== undefined && <p className="because">{draft.because}</p>}
      {provenance !== undefined && <p className="hint">{provenance}</p>}
      <Fields form={form} self={draft.bookingId} known={known} onChange={change} />
      <p role="alert" className="problem">
        {problem}
      </p>
      <footer className="dialog-foot">
        {!isNew && (
          <button
            type="button"
            className="danger"
            onClick={onCancelBooking}
            data-testid="cancel-booking"
          >
            Cancel this booking
          </button>
        )}
        <span className="grow" />
        <button type="button" onClick={onClose}>
          Close
        </button>
        <button type="submit" className="primary" data-testid="save-booking">
          {isNew ? 'Book' : 'Save'}
        </button>
      </footer>
    </Dialog>
  );
}
