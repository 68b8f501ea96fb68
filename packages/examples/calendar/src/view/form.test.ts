import { describe, expect, it } from 'vitest';
import { availability, formOf, moved, slotOfText, submissionOf, type BookingForm } from './form.js';

const start = new Date(2026, 4, 4, 10).getTime();
const HOUR = 3_600_000;
const slot = { room: 'blue', start, end: start + HOUR };
const form = (patch: Partial<BookingForm> = {}): BookingForm => ({
  ...formOf({ title: 'Sync', notes: '', slot, wishes: [{ ...slot, room: 'green' }] }),
  ...patch,
});

describe('the booking form', () => {
  it('gives back the slots that it was opened with', () => {
    expect(submissionOf(form())).toEqual({
      title: 'Sync',
      notes: '',
      slot,
      orElse: [{ ...slot, room: 'green' }],
    });
  });

  it('an end that is not after the start is on the next day', () => {
    const late = slotOfText({ room: 'blue', date: '2026-05-04', from: '23:00', to: '01:00' });
    expect(late?.end).toBe(new Date(2026, 4, 5, 1).getTime());
  });

  it('alternatives take the length of the first choice', () => {
    const longer = form({ slot: { room: 'blue', date: '2026-05-04', from: '10:00', to: '12:30' } });
    expect(submissionOf(longer)).toMatchObject({
      orElse: [{ room: 'green', start, end: start + 2.5 * HOUR }],
    });
  });

  it('says what is missing', () => {
    expect(submissionOf(form({ title: '  ' }))).toBe('Give the booking a title.');
    expect(
      submissionOf(form({ slot: { room: 'blue', date: '', from: '10:00', to: '11:00' } })),
    ).toContain('day');
    expect(
      submissionOf(form({ wishes: [{ key: 'a', room: 'blue', date: '', from: '' }] })),
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
