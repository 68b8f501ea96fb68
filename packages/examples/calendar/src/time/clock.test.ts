import { describe, expect, it } from 'vitest';
import { Clock, HOUR_MS } from './clock.js';

const berlin = new Clock('Europe/Berlin', 'en-GB');
const newYork = new Clock('America/New_York', 'en-GB');
const kolkata = new Clock('Asia/Kolkata', 'en-GB');
const apia = new Clock('Pacific/Apia', 'en-GB');
/** Platforms differ in whether a comma stands after the weekday. */
const plain = (text: string): string => text.replace(/(Thu|Fri),/g, '$1');
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
const at = (clock: Clock, date: string, time: string): number => {
  const [instant] = clock.instantsOfInputs(date, time) ?? [];
  if (instant === undefined) throw new Error(`There is no ${date} ${time} in ${clock.zone}`);
  return instant;
};

describe('a stretch of time in words', () => {
  it('within a day: the day once, and both times', () => {
    const slot = { start: at(berlin, '2026-12-10', '09:30'), end: at(berlin, '2026-12-10', '14:00') };
    expect(plain(berlin.slotText(slot))).toBe('Thu 10 Dec, 09:30–14:00');
    expect(plain(newYork.slotText(slot))).toBe('Thu 10 Dec, 03:30–08:00');
    expect(plain(kolkata.slotText(slot))).toBe('Thu 10 Dec, 14:00–18:30');
  });

  it('over midnight: the day of the end is said too', () => {
    const slot = { start: at(berlin, '2026-12-10', '22:00'), end: at(berlin, '2026-12-11', '01:00') };
    expect(plain(berlin.rangeText(slot))).toBe('22:00 – Fri 11 Dec, 01:00');
    expect(berlin.isOnOneDay(slot)).toBe(false);
    expect(newYork.isOnOneDay(slot)).toBe(true);
  });

  it('midnight at the end of a day belongs to that day', () => {
    const slot = { start: at(berlin, '2026-12-10', '22:00'), end: at(berlin, '2026-12-11', '00:00') };
    expect(berlin.rangeText(slot)).toBe('22:00 – 00:00');
  });

  it('whole days have no times, be they of 23 or of 25 hours', () => {
    for (const [day, next] of [['2026-03-29', '2026-03-30'], ['2026-10-25', '2026-10-26']] as const) {
      const slot = { start: at(berlin, day, '00:00'), end: at(berlin, next, '00:00') };
      expect(berlin.rangeText(slot)).toBe('all day');
    }
    const two = { start: at(berlin, '2026-12-10', '00:00'), end: at(berlin, '2026-12-12', '00:00') };
    expect(plain(berlin.slotText(two))).toBe('Thu 10 Dec – Fri 11 Dec, whole days');
  });

  it('says which of two equal hours is meant, and only there', () => {
    const start = Date.UTC(2026, 9, 25, 0, 30);
    expect(berlin.rangeText({ start, end: start + HOUR_MS })).toBe('02:30 CEST – 02:30 CET');
    expect(berlin.timeText(start + 2 * HOUR_MS)).toBe('03:30');
    expect(newYork.rangeText({ start, end: start + HOUR_MS })).toBe('20:30–21:30');
  });
});

describe('days of the calendar', () => {
  it('have 23 and 25 hours where the clocks change', () => {
    const hours = (clock: Clock, date: string): number => {
      const start = at(clock, date, '00:00');
      return (clock.dayStart(clock.addDays(start, 1)) - start) / HOUR_MS;
    };
    expect(hours(berlin, '2026-03-29')).toBe(23);
    expect(hours(berlin, '2026-10-25')).toBe(25);
    expect(hours(newYork, '2026-03-08')).toBe(23);
    expect(hours(newYork, '2026-11-01')).toBe(25);
    expect(hours(kolkata, '2026-03-29')).toBe(24);
    expect(hours(new Clock('Australia/Lord_Howe'), '2026-04-05')).toBe(24.5);
  });

  it('moved by days, the clocks show the same', () => {
    const nine = at(berlin, '2026-03-28', '09:00');
    expect(iso(nine)).toBe('2026-03-28T08:00');
    expect(iso(berlin.addDays(nine, 1))).toBe('2026-03-29T07:00');
    expect(iso(kolkata.addDays(nine, 1))).toBe('2026-03-29T08:00');
    expect(berlin.addDays(berlin.addDays(nine, 7), -7)).toBe(nine);
  });

  it('a day that a zone has left out is stepped over, forth and back', () => {
    const before = at(apia, '2011-12-29', '09:00');
    const after = apia.addDays(before, 1);
    expect(apia.dateInput(after)).toBe('2011-12-31');
    expect(apia.dateInput(apia.addDays(after, 1))).toBe('2012-01-01');
    expect(apia.dateInput(apia.addDays(after, -1))).toBe('2011-12-29');
    expect(apia.dateInput(apia.dayOfInput('2011-12-30') ?? 0)).toBe('2011-12-31');
  });

  it('steps on from any hour of any day in both directions', () => {
    for (const clock of [berlin, newYork, kolkata, apia, new Clock('Africa/Cairo'), new Clock('America/Havana')]) {
      for (let ms = Date.UTC(2011, 11, 20); ms < Date.UTC(2013, 0, 1); ms += 17 * HOUR_MS) {
        expect(clock.dayStart(clock.addDays(ms, 1)), clock.zone).toBeGreaterThan(clock.dayStart(ms));
        expect(clock.dayStart(clock.addDays(ms, -1)), clock.zone).toBeLessThan(clock.dayStart(ms));
      }
    }
  });

  it('weeks begin on Monday, by the clocks shown', () => {
    const sundayNight = Date.UTC(2026, 10, 22, 20);
    expect(kolkata.dateInput(kolkata.weekStart(sundayNight))).toBe('2026-11-23');
    expect(newYork.dateInput(newYork.weekStart(sundayNight))).toBe('2026-11-16');
    expect(apia.dateInput(apia.weekStart(at(apia, '2012-01-01', '12:00')))).toBe('2011-12-26');
  });

  it('half hours and working hours are those of the zone', () => {
    const odd = new Clock('Asia/Kathmandu');
    expect(odd.timeInput(odd.nextHalfHour(Date.UTC(2026, 5, 1, 3)))).toBe('09:00');
    const nine = at(kolkata, '2026-06-01', '09:00');
    const slot = { start: nine, end: nine + HOUR_MS };
    expect([kolkata.isWorkingTime(slot), newYork.isWorkingTime(slot)]).toEqual([true, false]);
  });
});
