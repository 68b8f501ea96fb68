import { describe, expect, it } from 'vitest';
import { Clock } from '../time/clock.js';
import { noticeOf, type Names } from './notices.js';

const names: Names = {
  clock: new Clock('Europe/Berlin', 'en-GB'),
  rooms: [
    { id: 'blue', name: 'Blue', colour: '#0000ff', capacity: 4 },
    { id: 'green', name: 'Green', colour: '#00ff00', capacity: 4 },
  ],
  personName: (id) => ({ ada: 'Ada' })[id] ?? id,
  bookingTitle: (id) => (id === 'b1' ? 'Planning' : undefined),
};
const start = new Date(2026, 4, 4, 10).getTime();
const slot = { room: 'blue', start, end: start + 3_600_000 };

describe('what an author is told', () => {
  it('a booking that moved: where to, and what was asked for', () => {
    const notice = noticeOf(
      {
        name: 'book',
        args: {
          id: 'x',
          title: 'Sync',
          ...slot,
          orElse: [{ start: 1, end: 2 }, { room: 'green' }],
        },
        outcome: { kind: 'alternative', index: 1 },
      },
      names,
    );
    expect(notice).toMatchObject({ kind: 'moved', got: { ...slot, room: 'green' }, wanted: slot });
    expect(notice.headline).toMatch(/^“Sync” moved to Green, /);
    expect(notice.text).toMatch(/^Your first choice, Blue, /);
  });

  it('a booking that was refused: by what, and whose that is', () => {
    const detail = { id: 'b2', title: 'Stand-up', by: 'ada', ...slot };
    const notice = noticeOf(
      {
        name: 'book',
        args: { id: 'x', title: 'Sync', ...slot, orElse: [{ room: 'green' }] },
        outcome: { kind: 'rejected', code: 'room-taken', detail },
      },
      names,
    );
    expect(notice.headline).toBe('“Sync” was not booked');
    expect(notice.text).toMatch(
      /^Blue is taken by “Stand-up” \(Ada\), .* None of your alternatives was free either\.$/,
    );
  });

  it('a move of what another has cancelled, by its title where that is known', () => {
    const gone = (id: string) =>
      noticeOf(
        {
          name: 'move',
          args: { id, ...slot },
          outcome: { kind: 'rejected', code: 'booking-gone', detail: { id } },
        },
        names,
      );
    expect(gone('b1').headline).toBe('“Planning” was not moved');
    expect(gone('b9').headline).toBe('“A booking” was not moved');
    expect(gone('b1').text).toContain('cancelled');
  });

  it('what was settled too long ago to say how is not called refused', () => {
    const facts = {
      name: 'book',
      args: { id: 'x', title: 'Sync', ...slot },
      outcome: { kind: 'unknown' },
    };
    expect(noticeOf(facts, names).headline).toBe('“Sync” was settled while you were away');
  });

  it('what the server has forgotten: that it is gone, and that it can be done again', () => {
    const forgotten = (name: string, args: object, was: { kind: string; index?: number }) =>
      noticeOf({ name, args, outcome: { kind: 'rolled-back', was } }, names);
    const booked = forgotten('book', { id: 'x', title: 'Sync', ...slot }, { kind: 'applied' });
    expect(booked).toMatchObject({ isUndone: true, again: undefined, got: slot });
    expect(booked.headline).toBe('“Sync” is no longer booked');
    expect(booked.text).toMatch(/^The server was restored to a state from before this\./);
    const args = { id: 'b1', ...slot, orElse: [{ room: 'green' }] };
    const moved = forgotten('move', args, { kind: 'alternative', index: 0 });
    expect(moved.headline).toBe('“Planning” is where it was before');
    expect(moved.got).toEqual({ ...slot, room: 'green' });
    expect(forgotten('addRoom', { id: 'r' }, { kind: 'applied' }).headline).toBe(
      '“A booking” was undone',
    );
  });

  it('a code that nobody foresaw is named', () => {
    const notice = noticeOf(
      { name: 'edit', args: { id: 'b1' }, outcome: { kind: 'rejected', code: 'odd' } },
      names,
    );
    expect(notice.text).toContain('(odd)');
  });
});
