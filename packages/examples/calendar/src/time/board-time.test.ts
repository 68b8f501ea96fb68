import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boardTime, type BoardTime } from './board-time.js';
import { Clock, HOUR_MS } from './clock.js';

function shown(view: 'day' | 'week', zone: string, date: string): BoardTime {
  const clock = new Clock(zone, 'en-GB');
  const noon = (clock.dayOfInput(date) ?? 0) + 12 * HOUR_MS;
  const from = view === 'day' ? clock.dayStart(noon) : clock.weekStart(noon);
  const to = clock.dayStart(clock.addDays(from, view === 'day' ? 1 : 7));
  return boardTime(clock, { view, date: noon, from, to, now: noon });
}
const hour = (iso: string): { start: number; end: number } => {
  const start = Date.parse(iso);
  return { start, end: start + HOUR_MS };
};

describe('the board of a day on which the clocks change', () => {
  it('has 25 rows in Berlin’s autumn, and both of the equal hours have one', () => {
    const day = shown('day', 'Europe/Berlin', '2026-10-25');
    expect([day.hours, day.labels.length]).toEqual([25, 25]);
    expect(day.labels.slice(1, 5)).toEqual(['01:00', '02:00 CEST', '02:00 CET', '03:00']);
    expect(day.toBoard(hour('2026-10-25T00:00Z'))).toEqual(['2026-10-25T02:00:00', '2026-10-25T03:00:00']);
    expect(day.toBoard(hour('2026-10-25T01:00Z'))).toEqual(['2026-10-25T03:00:00', '2026-10-25T04:00:00']);
    expect(day.fromBoard('2026-10-25T24:00:00'.replace('25T24', '26T00'))).toBe(Date.parse('2026-10-25T22:00Z'));
    expect(day.marks).toEqual([]);
  });

  it('has 23 rows in New York’s spring, none of them for the hour that is left out', () => {
    const day = shown('day', 'America/New_York', '2026-03-08');
    expect([day.hours, day.labels.length]).toEqual([23, 23]);
    expect(day.labels.slice(0, 4)).toEqual(['00:00', '01:00', '03:00', '04:00']);
  });

  it('begins in its first row though the clocks begin at one (Cairo)', () => {
    const day = shown('day', 'Africa/Cairo', '2026-04-24');
    expect([day.hours, day.date, day.labels[0]]).toEqual([23, '2026-04-24', '01:00']);
    expect(day.toBoard(hour('2026-04-23T22:00Z'))[0]).toBe('2026-04-24T00:00:00');
  });
});

describe('the board of a week', () => {
  it('marks the hour that is left out, and the one that comes twice', () => {
    const [gap] = shown('week', 'Europe/Berlin', '2026-03-29').marks;
    expect(gap).toMatchObject({ kind: 'gap', start: '2026-03-29T02:00:00', end: '2026-03-29T03:00:00' });
    const [fold] = shown('week', 'America/New_York', '2026-11-01').marks;
    expect(fold).toMatchObject({ kind: 'fold', start: '2026-11-01T01:00:00', end: '2026-11-01T02:00:00' });
    expect(shown('week', 'Asia/Kolkata', '2026-03-29').marks).toEqual([]);
  });

  it('stands on the clocks of zones with odd minutes', () => {
    const week = shown('week', 'Asia/Kolkata', '2026-06-03');
    expect(week.offset).toBe('+05:30');
    expect(week.toBoard(hour('2026-06-03T03:30Z'))[0]).toBe('2026-06-03T09:00:00');
  });

  it('leaves out the Friday that Apia never had', () => {
    expect(shown('week', 'Pacific/Apia', '2011-12-28')).toMatchObject({ missing: [5], marks: [] });
    expect(shown('week', 'Pacific/Apia', '2012-01-04').missing).toEqual([]);
  });

  it('draws a booking of half an hour that ends earlier on the clock than it begins', () => {
    const week = shown('week', 'Europe/Berlin', '2026-10-25');
    const start = Date.parse('2026-10-25T00:45Z');
    expect(week.toBoard({ start, end: start + HOUR_MS / 2 })).toEqual(['2026-10-25T02:45:00', '2026-10-25T03:15:00']);
  });
});

it('what is drawn and read back is the same instant, save for the second of two equal hours', () => {
  const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'Australia/Lord_Howe'];
  const quarter = fc.integer({ min: 1, max: 4 * 24 * 364 }).map((n) => Date.UTC(2026, 0, 1) + n * HOUR_MS / 4);
  fc.assert(
    fc.property(quarter, fc.constantFrom(...zones), fc.constantFrom('day', 'week'), (start, zone, view) => {
      const clock = new Clock(zone);
      const time = shown(view, zone, clock.dateInput(start));
      const back = time.fromBoard(time.toBoard({ start, end: start + HOUR_MS })[0]);
      if (view === 'day' || !clock.isTwice(start)) expect(back).toBe(start);
      else expect([start, start - HOUR_MS, start - HOUR_MS / 2]).toContain(back);
    }),
    { numRuns: 300 },
  );
});
