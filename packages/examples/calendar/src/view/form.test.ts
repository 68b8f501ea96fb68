import { describe, expect, it } from 'vitest';
import { Clock } from '../time/clock.js';
import {
  availability, formOf, moved, oddityOf, slotOfText, submissionOf, type BookingForm,
} from './form.js';

const berlin = new Clock('Europe/Berlin', 'en-GB');
const start = Date.parse('2026-05-04T08:00Z');
const HOUR = 3_600_000;
const slot = { room: 'blue', start, end: start + HOUR };
const form = (patch: Partial<BookingForm> = {}): BookingForm => ({
  ...formOf({ title: 'Sync', notes: '', slot, wishes: [{ ...slot, room: 'green' }] }, berlin),
  ...patch,
});

describe('the booking form', () => {
  it('gives back the slots that it was opened with', () => {
    expect(submissionOf(form(), berlin)).toEqual({
      title: 'Sync',
      notes: '',
      slot,
      orElse: [{ ...slot, room: 'green' }],
    });
  });

  it('an end that is not after the start is on the next day', () => {
    const late = slotOfText({ room: 'blue', date: '2026-05-04', from: '23:00', to: '01:00' }, berlin);
    expect(late?.end).toBe(Date.parse('2026-05-04T23:00Z'));
  });

  it('alternatives take the length of the first choice', () => {
    const longer = form({ slot: { room: 'blue', date: '2026-05-04', from: '10:00', to: '12:30' } });
    expect(submissionOf(longer, berlin)).toMatchObject({
      orElse: [{ room: 'green', start, end: start + 2.5 * HOUR }],
    });
  });

  it('says what is missing', () => {
    expect(submissionOf(form({ title: '  ' }), berlin)).toBe('Give the booking a title.');
    expect(
      submissionOf(form({ slot: { room: 'blue', date: '', from: '10:00', to: '11:00' } }), berlin),
    ).toContain('day');
    expect(
      submissionOf(form({ wishes: [{ key: 'a', room: 'blue', date: '', from: '' }] }), berlin),
    ).toContain('alternative');
  });

  it('knows what stands in the way, but not the booking itself', () => {
    const other = { ...slot, id: 'b', title: 'B', by: 'ada', notes: '', createdAt: 0 };
    expect(availability(slot, [other], undefined)).toEqual({ free: false, by: other });
    expect(availability(slot, [other], 'b')).toEqual({ free: true });
  });

  it('moves a choice up and down, but not out of the list', () => {
    expect(moved(['a', 'b', 'c'], 1, -1)).toEqual(['b', 'a', 'c']);
    expect(moved(['a', 'b', 'c'], 1, 1)).toEqual(['a', 'c', 'b']);
    expect(moved(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
  });
});

describe('the form on a day on which the clocks change', () => {
  const on = (date: string, from: string, to: string) => ({ room: 'blue', date, from, to });
  const hours = (text: ReturnType<typeof on> & { fromFold?: 'first' | 'second'; toFold?: 'first' | 'second' }) => {
    const found = slotOfText(text, berlin);
    return found && [new Date(found.start).toISOString().slice(11, 16), (found.end - found.start) / HOUR];
  };

  it('an hour that the clocks jump over is refused, in words', () => {
    const inGap = form({ slot: on('2026-03-29', '02:30', '03:30') });
    expect(submissionOf(inGap, berlin)).toBe(
      'There is no 02:30 on that day: the clocks go forward over it.',
    );
    expect(submissionOf(form({ slot: on('2026-03-29', '01:30', '02:30') }), berlin)).toContain('no 02:30');
    expect(hours(on('2026-03-29', '01:30', '03:30'))).toEqual(['00:30', 1]);
  });

  it('of two equal hours the first is meant, unless said otherwise; an end is after its start', () => {
    const text = on('2026-10-25', '02:30', '03:30');
    expect(hours(text)).toEqual(['00:30', 2]);
    expect(hours({ ...text, fromFold: 'second' })).toEqual(['01:30', 1]);
    expect(hours(on('2026-10-25', '02:45', '02:15'))).toEqual(['00:45', 0.5]);
    expect(hours(on('2026-10-25', '01:00', '02:30'))).toEqual(['23:00', 1.5]);
    expect(hours({ ...on('2026-10-25', '01:00', '02:30'), toFold: 'second' })).toEqual(['23:00', 2.5]);
    expect(oddityOf('2026-10-25', '02:30', berlin)).toMatchObject({ kind: 'fold', names: ['CEST', 'CET'] });
    expect(oddityOf('2026-10-25', '03:30', berlin)).toBeUndefined();
  });

  it('gives back the slot that it was opened with, in either of the equal hours', () => {
    for (const iso of ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-24T23:30Z']) {
      for (const length of [0.5, 1, 2]) {
        const asked = { room: 'blue', start: Date.parse(iso), end: Date.parse(iso) + length * HOUR };
        const opened = formOf({ title: 'x', notes: '', slot: asked, wishes: [] }, berlin);
        expect(slotOfText(opened.slot, berlin), `${iso} ${length}`).toEqual(asked);
      }
    }
  });

  it('a day that there was not has no times at all', () => {
    const apia = new Clock('Pacific/Apia', 'en-GB');
    expect(slotOfText(on('2011-12-30', '10:00', '11:00'), apia)).toBeUndefined();
    expect(oddityOf('2011-12-30', '10:00', apia)?.kind).toBe('gap');
  });
});
