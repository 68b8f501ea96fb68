import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENTS_MAX, readCalendar, TEXT_MAX, type ReadResult } from './read.js';
import { OCCURRENCES_MAX } from './recurrence.js';

const window = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2027, 0, 1) };
const fixture = (name: string): string =>
  readFileSync(new URL(`./fixtures/${name}.ics`, import.meta.url), 'utf8');
const read = (text: string, localZone = 'Europe/Berlin'): ReadResult =>
  readCalendar(text, { window, localZone });
const starts = (result: ReadResult, title: string): string[] =>
  result.events
    .filter((e) => e.title.startsWith(title))
    .map((e) => new Date(e.start).toISOString());
const event = (...lines: string[]): string =>
  [
    'BEGIN:VCALENDAR',
    'BEGIN:VEVENT',
    'UID:x',
    'SUMMARY:x',
    ...lines,
    'END:VEVENT',
    'END:VCALENDAR',
  ].join('\n');

describe('a file as Google exports it', () => {
  const result = read(fixture('google'));

  it('keeps nine o’clock in Berlin at nine when the clocks change, without the exception and up to UNTIL', () => {
    expect(starts(result, 'Stand-up, platform team')).toEqual([
      '2026-03-02T08:00:00.000Z',
      '2026-03-09T08:00:00.000Z',
      '2026-03-23T08:00:00.000Z',
      '2026-03-30T07:00:00.000Z',
      '2026-04-13T07:00:00.000Z',
      '2026-04-20T07:00:00.000Z',
      '2026-04-27T07:00:00.000Z',
    ]);
  });

  it('puts the moved occurrence where it went, once', () => {
    expect(starts(result, 'Stand-up (moved)')).toEqual(['2026-03-16T13:00:00.000Z']);
    expect(result.events.find((e) => e.title === 'Stand-up (moved)')).toMatchObject({
      location: 'Green Room',
      series: '4k3stand@google.com',
    });
  });

  it('unescapes text across folded lines', () => {
    expect(result.events[0]?.notes).toBe(
      'Notes:\n- what moved, what did not\n- who needs help; and with what',
    );
  });

  it('gives the whole day of the spring change its 23 hours', () => {
    const day = result.events.find((e) => e.title === 'Spring clean');
    expect([new Date(day?.start ?? 0).toISOString(), (day?.end ?? 0) - (day?.start ?? 0)]).toEqual([
      '2026-03-28T23:00:00.000Z',
      23 * 3_600_000,
    ]);
  });

  it('leaves out what was called off, and has nothing to report', () => {
    expect(result.events.some((e) => e.title === 'Called off')).toBe(false);
    expect(result.problems).toEqual([]);
  });
});

describe('a file as Outlook exports it', () => {
  const result = read(fixture('outlook'));

  it('finds the second Tuesdays at nine in New York on both sides of the change', () => {
    expect(starts(result, 'Monthly review')).toEqual([
      '2026-03-10T13:00:00.000Z',
      '2026-04-14T13:00:00.000Z',
      '2026-05-12T13:00:00.000Z',
    ]);
  });

  it('knows the zone names of Windows', () => {
    expect(starts(result, 'No zone')).toEqual(['2026-03-10T14:00:00.000Z']);
    expect(result.problems).toEqual([]);
  });
});

describe('a file as Apple exports it', () => {
  const result = read(fixture('apple'), 'America/New_York');

  it('keeps the daily series on the wall clock over the autumn change, with its further date', () => {
    expect(starts(result, 'Frühstück – Team Nord 🥐')).toEqual([
      '2026-10-30T13:00:00.000Z',
      '2026-10-31T13:00:00.000Z',
      '2026-11-01T14:00:00.000Z',
      '2026-11-02T14:00:00.000Z',
      '2026-11-05T14:00:00.000Z',
    ]);
  });

  it('reads times without a zone in the reader’s own', () => {
    expect(starts(result, 'Lunch')).toEqual(['2026-11-03T17:00:00.000Z']);
    const kolkata = read(fixture('apple'), 'Asia/Kolkata');
    expect(starts(kolkata, 'Lunch')).toEqual(['2026-11-03T06:30:00.000Z']);
    expect(starts(kolkata, 'Fair')).toEqual(['2026-10-22T18:30:00.000Z']);
    expect(result.problems).toEqual([]);
  });
});

describe('a series with a further date in another zone', () => {
  it('lasts as long there as everywhere', () => {
    const lines = [
      'BEGIN:VCALENDAR',
      'BEGIN:VEVENT',
      'UID:two-zones',
      'DTSTART;TZID=Europe/Berlin:20260310T090000',
      'DTEND;TZID=Europe/Berlin:20260310T100000',
      'RDATE:20260312T090000Z',
      'END:VEVENT',
      'END:VCALENDAR',
    ];
    const { events } = read(lines.join('\n'));
    expect(events.map(({ start, end }) => [new Date(start).toISOString(), end - start])).toEqual([
      ['2026-03-10T08:00:00.000Z', 3_600_000],
      ['2026-03-12T09:00:00.000Z', 3_600_000],
    ]);
  });
});

describe('a file with broken lines', () => {
  const result = read(fixture('broken'));

  it('imports what can be read', () => {
    expect(result.events.map((e) => e.uid)).toEqual([
      'good-1',
      'bad-rule',
      'unknown-zone',
      'good-2',
    ]);
  });

  it('says of each line that cannot be read where it is and why', () => {
    const lines = fixture('broken').split('\n');
    expect(result.problems.map(({ line, reason }) => `${lines[line - 1] ?? ''} | ${reason}`))
      .toMatchInlineSnapshot(`
        [
          "BEGIN:VTIMEZONE | This time zone cannot be read: it has no rules",
          "this line has lost its name | This line cannot be read: it does not begin with a name and a colon",
          "ATTENDEE;CN="never closed:mailto:x@example.com | ATTENDEE cannot be read: invalid line (no matching double quote) ";CN="never closed:mailto:x@example.com"",
          "BEGIN:VEVENT | This event has no readable start (DTSTART)",
          "DTSTART:20261341T080000Z | DTSTART cannot be read: there is no 2026-13-41T08:00:00Z",
          "BEGIN:VEVENT | This event has no readable start (DTSTART)",
          "RRULE:FREQ=FORTNIGHTLY | RRULE cannot be read: invalid frequency",
          "BEGIN:VEVENT | This event ends before it starts",
          "DTSTART;TZID=Middle-earth/Shire:20260604T080000 | The time zone "Middle-earth/Shire" is unknown: read in your own time zone",
          "BEGIN:VTODO | This task is not an event: left out",
          "BEGIN:VEVENT | This event is incomplete: END:VEVENT is missing",
          "BEGIN:VEVENT | This event is incomplete: the file ends before it does",
        ]
      `);
  });

  it('reads the same with every kind of line end', () => {
    const lf = fixture('broken');
    expect(read(lf.replaceAll('\n', '\r\n'))).toEqual(result);
    expect(read(lf.replaceAll('\n', '\r'))).toEqual(result);
  });
});

describe('series', () => {
  it('a rule without end fills the window and no more', () => {
    const result = read(
      event('DTSTART:20200101T100000Z', 'DTEND:20200101T110000Z', 'RRULE:FREQ=DAILY'),
    );
    expect(result.events).toHaveLength(365);
    expect(result.problems).toEqual([]);
  });

  it('a rule that repeats every second is cut short and reported', () => {
    const result = read(event('DTSTART:20260101T100000Z', 'DURATION:PT1S', 'RRULE:FREQ=SECONDLY'));
    expect(result.events.length).toBeLessThanOrEqual(OCCURRENCES_MAX + 1);
    expect(result.problems).toEqual([
      { line: 7, reason: 'This series repeats too often: its later occurrences are left out' },
    ]);
  });

  it('a rule that never matches ends', () => {
    for (const rule of [
      'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4,6',
      'FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6',
      'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
      'FREQ=WEEKLY;INTERVAL=0',
      'FREQ=YEARLY;BYYEARDAY=366;INTERVAL=100',
    ]) {
      const result = read(event('DTSTART:20260101T100000Z', 'DURATION:PT1H', `RRULE:${rule}`));
      expect(result.events.length, rule).toBeGreaterThanOrEqual(1);
    }
  });

  it('an exception given as a bare date takes out that day', () => {
    const result = read(
      event(
        'DTSTART:20260105T100000',
        'DURATION:PT1H',
        'RRULE:FREQ=DAILY;COUNT=3',
        'EXDATE;VALUE=DATE:20260106',
      ),
    );
    expect(result.events.map((e) => new Date(e.start).getUTCDate())).toEqual([5, 7]);
  });

  it('UNTIL as a date includes the whole day where the event takes place', () => {
    const result = read(
      event(
        'DTSTART;TZID=Pacific/Apia:20260105T090000',
        'DURATION:PT1H',
        'RRULE:FREQ=DAILY;UNTIL=20260107',
      ),
    );
    expect(result.events).toHaveLength(3);
  });

  it('a wall time that the spring change skips is read with the offset before it', () => {
    const result = read(event('DTSTART;TZID=Europe/Berlin:20260329T023000', 'DURATION:PT1H'));
    expect(new Date(result.events[0]?.start ?? 0).toISOString()).toBe('2026-03-29T01:30:00.000Z');
  });

  it('a wall time that the autumn change repeats means the first one', () => {
    const result = read(event('DTSTART;TZID=America/New_York:20261101T013000', 'DURATION:PT1H'));
    expect(new Date(result.events[0]?.start ?? 0).toISOString()).toBe('2026-11-01T05:30:00.000Z');
  });
});

describe('bad input', () => {
  it('a file that is no calendar is reported, not imported', () => {
    expect(read('<html><body>Please sign in</body></html>')).toEqual({
      events: [],
      problems: [{ line: 1, reason: 'This is not a calendar file: it holds no events' }],
    });
  });

  it('bounds the size of the text and the number of events', () => {
    expect(read('x'.repeat(TEXT_MAX + 1)).problems).toHaveLength(1);
    const one = 'BEGIN:VEVENT\nDTSTART:20260101T000000Z\nDURATION:PT1H\nEND:VEVENT\n';
    const many = read(`BEGIN:VCALENDAR\n${one.repeat(EVENTS_MAX + 3)}END:VCALENDAR`);
    expect(many.events).toHaveLength(EVENTS_MAX);
    expect(many.problems).toHaveLength(1);
  });

  it('never throws, whatever is cut out of or put into a real file', () => {
    const texts = ['google', 'outlook', 'apple', 'broken'].map(fixture);
    const damage = fc.record({
      text: fc.constantFrom(...texts),
      at: fc.nat(4000),
      cut: fc.nat(60),
      put: fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.constantFrom('\n', 'END:VEVENT\n', 'BEGIN:VEVENT\n', ';', ':', '"'),
      ),
    });
    fc.assert(
      fc.property(damage, ({ text, at, cut, put }) => {
        const { events } = read(text.slice(0, at) + put + text.slice(at + cut));
        for (const { start, end } of events) expect(end).toBeGreaterThan(start);
      }),
      { numRuns: 400 },
    );
  });
});

describe('blanks where none may stand, as real files have them', () => {
  it('within the parameters of a date', () => {
    for (const start of [
      'DTSTART; TZID=America/New_York:20260504T090000',
      'DTSTART ;TZID = America/New_York :20260504T090000',
      'DTSTART;\tTZID="America/New_York";  VALUE=DATE-TIME:20260504T090000',
    ]) {
      const result = read(event(start, 'DURATION:PT1H'));
      expect(starts(result, 'x'), start).toEqual(['2026-05-04T13:00:00.000Z']);
      expect(result.problems).toEqual([]);
      expect(result.events[0]?.zone).toBe('America/New_York');
    }
  });

  it('but the value keeps its own', () => {
    const result = read(event('DTSTART:20260504T090000Z', 'DURATION:PT1H', 'DESCRIPTION:a; b = c'));
    expect(result.events[0]?.notes).toBe('a; b = c');
  });
});
