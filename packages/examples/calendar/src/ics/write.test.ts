import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Room } from '../shapes.js';
import { days, planBookings } from './plan.js';
import { readCalendar } from './read.js';
import { uidOf, writeCalendar, type Exported } from './write.js';

const window = { from: 0, to: Date.UTC(2100, 0, 1) };
const options = { window, localZone: 'Europe/Berlin' };
const booking: Exported = {
  id: 'b1',
  start: Date.UTC(2026, 4, 4, 8),
  end: Date.UTC(2026, 4, 4, 9),
  title: 'Plan; B, or \\ C',
  notes: 'first\nsecond: "quoted"',
  location: 'Blue',
  by: 'Ada',
  createdAt: Date.UTC(2026, 4, 1),
};

describe('export', () => {
  it('escapes text, ends lines with CRLF and folds at 75 bytes', () => {
    const text = writeCalendar('Team', [{ ...booking, notes: 'ä🥐'.repeat(60) }]);
    expect(text).toContain('SUMMARY:Plan\\; B\\, or \\\\ C\r\n');
    const bytes = new TextEncoder();
    for (const line of text.split('\r\n'))
      expect(bytes.encode(line).length).toBeLessThanOrEqual(75);
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
  });

  it('comes back as it went, whatever the text', () => {
    const instant = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
    const text = fc.string({ unit: 'grapheme', maxLength: 120 });
    const any = fc.record({
      id: fc.uuid(),
      start: instant,
      minutes: fc.integer({ min: 1, max: 1440 }),
      title: text,
      notes: text,
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 4 }), (list) => {
        const bookings = list.map(({ minutes, ...b }) => ({
          ...booking,
          ...b,
          end: b.start + minutes * 60_000,
        }));
        const result = readCalendar(writeCalendar('Team', bookings), options);
        // The blank ends of a text are nobody's meaning; control characters cannot be written.
        const asRead = (t: string) =>
          t
            .replace(/\r\n?/g, '\n')
            .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
            .trim();
        expect(
          result.events.map(({ uid, start, end, title, notes }) => ({
            uid,
            start,
            end,
            title,
            notes,
          })),
        ).toEqual(
          bookings.map((b) => ({
            uid: uidOf(b.id),
            start: b.start,
            end: b.end,
            title: asRead(b.title),
            notes: asRead(b.notes),
          })),
        );
        if (bookings.length > 0) expect(result.problems).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('from events to bookings', () => {
  const rooms: Room[] = [
    { id: 'blue', name: 'Blue', colour: '#0000ff', capacity: 4 },
    { id: 'green', name: 'Green Room', colour: '#00ff00', capacity: 8 },
  ];
  const plan = { rooms, fallbackRoom: 'blue', by: 'Ada', localZone: 'Europe/Berlin' };
  const event = {
    line: 1,
    uid: 'u',
    title: 'T',
    notes: '',
    location: ' green room',
    series: undefined,
    zone: undefined,
    start: booking.start,
    end: booking.end,
  };

  it('an export finds its own bookings again', () => {
    const { events } = readCalendar(writeCalendar('Team', [booking]), options);
    expect(planBookings(events, plan)[0]).toMatchObject({
      id: 'b1',
      room: 'blue',
      title: booking.title,
    });
  });

  it('the same file gives the same ids, occurrences of a series different ones', () => {
    const series = [
      event,
      { ...event, start: event.start + 86_400_000, end: event.end + 86_400_000 },
    ].map((e) => ({ ...e, series: 'u' }));
    const first = planBookings(series, plan);
    expect(planBookings(series, plan)).toEqual(first);
    expect(new Set(first.map((b) => b.id)).size).toBe(2);
    expect(new Set(first.map((b) => b.seriesId)).size).toBe(1);
    expect(first[0]?.room).toBe('green');
  });

  it('three days become three bookings that end at midnight, also when the clocks change', () => {
    const parts = days(Date.UTC(2026, 9, 23, 22), Date.UTC(2026, 9, 26, 23), 'Europe/Berlin');
    expect(parts.map(({ start, end }) => (end - start) / 3_600_000)).toEqual([24, 25, 24]);
    expect(
      days(Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 25, 23), 'Europe/Berlin'),
    ).toHaveLength(1);
  });
});

describe('a zone in an exported file', () => {
  const HOUR = 3_600_000;
  const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'Australia/Lord_Howe'];
  const at = (iso: string, zone: string, id = iso): Exported =>
    ({ ...booking, id, start: Date.parse(iso), end: Date.parse(iso) + HOUR, zone });

  it('says the time by the clocks of the booking, with their rules', () => {
    const text = writeCalendar('Team', [at('2026-05-04T08:00Z', 'Europe/Berlin')]);
    expect(text).toContain('DTSTART;TZID=Europe/Berlin:20260504T100000\r\n');
    expect(text).toContain('BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n');
    expect(text).toContain('DTSTART:20260329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200');
  });

  it('comes back as the same instants, on either side of every change and within it', () => {
    const bookings = zones.flatMap((zone) =>
      [
        '2026-01-15T12:00Z', '2026-03-08T06:30Z', '2026-03-08T07:30Z', '2026-03-29T00:30Z',
        '2026-03-29T01:30Z', '2026-07-01T03:30Z', '2026-10-25T00:30Z', '2026-10-25T01:30Z',
        '2026-11-01T05:30Z', '2026-11-01T06:30Z', '2011-12-30T09:30Z', '2011-12-30T10:30Z',
        '2026-04-04T14:45Z', '2026-04-04T15:15Z',
      ].map((iso) => at(iso, zone, `${zone} ${iso}`)),
    );
    const { events, problems } = readCalendar(writeCalendar('Team', bookings), options);
    expect(problems).toEqual([]);
    expect(events.map(({ uid, start, end }) => ({ uid, start, end }))).toEqual(
      bookings.map(({ id, start, end }) => ({ uid: uidOf(id), start, end })),
    );
    const zonesRead = new Set(events.map((event) => event.zone));
    expect(zones.every((zone) => zonesRead.has(zone))).toBe(true);
  });

  it('writes either of two equal hours in UTC: readers do not agree which one a clock means', () => {
    for (const hour of ['00', '01']) {
      const text = writeCalendar('Team', [at(`2026-10-25T${hour}:30Z`, 'Europe/Berlin')]);
      expect(text).toContain(`DTSTART:20261025T${hour}3000Z`);
    }
  });

  it('a zone that this platform does not know is left out, the instant stays', () => {
    const text = writeCalendar('Team', [at('2026-05-04T08:00Z', 'Europe/Atlantis')]);
    expect(text).toContain('DTSTART:20260504T080000Z');
    expect(text).not.toContain('VTIMEZONE');
  });
});
