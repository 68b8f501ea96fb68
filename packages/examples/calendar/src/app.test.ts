import { execute, inverseOf, parseArgs, Tables, type ArgsOf, type MutationName } from '@oxbow/sdk/model';
import type { Effect, Outcome, ReplicaId } from '@oxbow/sdk/protocol';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { calendar } from './app.js';
import { LENGTH_MAX_MS, type Booking, type BookInput } from './shapes.js';
import { STARTER_ROOMS } from './starter.js';

const HOUR = 3_600_000;
const DAY = Date.UTC(2026, 4, 4);
// reason: a replica id is any text; the brand only keeps it apart from others.
const replica = 'test' as ReplicaId;

class Calendar {
  readonly tables = new Tables(calendar);
  #seq = 0;

  run<N extends MutationName<typeof calendar>>(
    name: N,
    args: ArgsOf<typeof calendar, N>,
    user = 'ada',
    side: 'client' | 'server' = 'server',
  ): Outcome {
    const update = { id: { replica, seq: ++this.#seq }, name, version: 1, args, at: DAY };
    const { outcome, effects } = execute(calendar, this.tables, { update, user, side, dev: true });
    this.tables.apply(effects);
    return outcome;
  }

  bookings(): Booking[] {
    // reason: only the mutations above write here, and the table's schema checks what they write.
    return [...this.tables.rows('booking')].map(([, row]) => row as unknown as Booking);
  }
}

let team: Calendar;
beforeEach(() => {
  team = new Calendar();
  for (const room of STARTER_ROOMS.slice(0, 3)) team.run('addRoom', room);
});

const [harbour, orchard, kiln] = ['room-harbour', 'room-orchard', 'room-kiln'] as const;
const at = (room: string, from: number, to: number) => ({
  room,
  start: DAY + from * HOUR,
  end: DAY + to * HOUR,
});
const wish = (
  id: string,
  slot: ReturnType<typeof at>,
  orElse: BookInput['orElse'] = [],
): BookInput => ({ id, ...slot, title: id, by: 'ada', notes: '', orElse });

describe('booking', () => {
  it('a free room is booked, and bookings may touch', () => {
    expect(team.run('book', wish('a', at(harbour, 10, 11)))).toEqual({ kind: 'applied' });
    expect(team.run('book', wish('b', at(harbour, 11, 12)))).toEqual({ kind: 'applied' });
    expect(team.run('book', wish('c', at(harbour, 9, 10)))).toEqual({ kind: 'applied' });
    expect(team.bookings()).toHaveLength(3);
    expect(team.bookings()[0]).toEqual({
      id: 'a',
      ...at(harbour, 10, 11),
      title: 'a',
      by: 'ada',
      notes: '',
      createdAt: DAY,
    });
  });

  it('a room that is taken is refused, with the booking that stands in the way', () => {
    team.run('book', wish('a', at(harbour, 10, 11)));
    expect(team.run('book', wish('b', at(harbour, 10.5, 12)))).toEqual({
      kind: 'rejected',
      code: 'room-taken',
      detail: { id: 'a', title: 'a', by: 'ada', ...at(harbour, 10, 11) },
    });
  });

  it('sees a booking that began as long before as a booking may last', () => {
    const length = LENGTH_MAX_MS / HOUR;
    team.run('book', wish('long', at(harbour, 0, length)));
    expect(team.run('book', wish('b', at(harbour, length - 0.25, length)))).toMatchObject({
      code: 'room-taken',
    });
    expect(team.run('book', wish('c', at(harbour, length, length + 1)))).toEqual({
      kind: 'applied',
    });
  });

  it('takes the first alternative that fits: another room, another time, or both', () => {
    team.run('book', wish('a', at(harbour, 10, 11)));
    team.run('book', wish('b', at(orchard, 10, 11)));
    const orElse = [
      { room: orchard },
      { start: DAY + 10.5 * HOUR, end: DAY + 11.5 * HOUR },
      at(kiln, 14, 15),
      { room: kiln },
    ];
    expect(team.run('book', wish('c', at(harbour, 10, 11), orElse))).toEqual({
      kind: 'alternative',
      index: 2,
    });
    expect(team.bookings().find((b) => b.id === 'c')).toMatchObject(at(kiln, 14, 15));
  });

  it('when no alternative fits, the first wish says what stood in the way', () => {
    team.run('book', wish('a', at(harbour, 10, 11)));
    team.run('book', wish('b', at(orchard, 10, 11)));
    const outcome = team.run(
      'book',
      wish('c', at(harbour, 10, 11), [{ room: orchard }, { room: 'nowhere' }]),
    );
    expect(outcome).toMatchObject({ code: 'room-taken', detail: { id: 'a' } });
  });

  it('a room that nobody has added cannot be booked', () => {
    expect(team.run('book', wish('a', at('nowhere', 10, 11)))).toMatchObject({
      code: 'room-unknown',
    });
  });

  it('the same id books once', () => {
    team.run('book', wish('a', at(harbour, 10, 11)));
    expect(team.run('book', wish('a', at(harbour, 15, 16)))).toMatchObject({
      code: 'booking-exists',
    });
  });

  it('nobody books in another’s name', () => {
    expect(team.run('book', wish('a', at(harbour, 10, 11)), 'mallory')).toMatchObject({
      code: 'forbidden',
    });
    expect(
      team.run('addPerson', { id: 'ada', name: 'Ada', colour: '#123456' }, 'mallory'),
    ).toMatchObject({ code: 'forbidden' });
  });

  it('refuses arguments that make no sense', () => {
    const ok = wish('a', at(harbour, 10, 11));
    const bad: unknown[] = [
      { ...ok, end: ok.start },
      { ...ok, end: ok.start + LENGTH_MAX_MS + 1 },
      { ...ok, start: Number.NaN },
      { ...ok, start: -1 },
      { ...ok, start: 1.5 },
      { ...ok, title: '  ' },
      { ...ok, title: 'x'.repeat(201) },
      { ...ok, orElse: [{ start: ok.end }] },
      { ...ok, orElse: Array.from({ length: 13 }, () => ({ room: kiln })) },
      { ...ok, room: undefined },
      { ...ok, notes: 7 },
      null,
      'book',
      [],
    ];
    for (const args of bad)
      expect(parseArgs(calendar, 'book', 1, args)).toMatchObject({ kind: 'invalid' });
    expect(parseArgs(calendar, 'book', 1, ok)).toMatchObject({ kind: 'ready' });
  });
});

describe('changing bookings', () => {
  beforeEach(() => {
    team.run('book', wish('a', at(harbour, 10, 11)));
    team.run('book', wish('b', at(harbour, 12, 13)));
  });

  it('a booking moves onto its own old time, but not onto another’s', () => {
    expect(team.run('move', { id: 'a', ...at(harbour, 10.5, 11.5) })).toEqual({ kind: 'applied' });
    expect(team.run('move', { id: 'a', ...at(harbour, 11, 12.5) })).toMatchObject({
      code: 'room-taken',
    });
    expect(team.bookings()[0]).toMatchObject({ ...at(harbour, 10.5, 11.5), title: 'a' });
  });

  it('a move has alternatives too', () => {
    const move = { id: 'a', ...at(harbour, 12, 13), orElse: [{ room: kiln }] };
    expect(team.run('move', move)).toEqual({ kind: 'alternative', index: 0 });
    expect(team.bookings()[0]).toMatchObject(at(kiln, 12, 13));
  });

  it('edits title and notes, and nothing else', () => {
    expect(team.run('edit', { id: 'a', title: 'Better', notes: 'n' }, 'grace')).toEqual({
      kind: 'applied',
    });
    expect(team.bookings()[0]).toMatchObject({
      title: 'Better',
      notes: 'n',
      by: 'ada',
      ...at(harbour, 10, 11),
    });
  });

  it('what was cancelled frees its room, and is neither moved nor edited', () => {
    expect(team.run('cancel', { id: 'a' })).toEqual({ kind: 'applied' });
    expect(team.run('cancel', { id: 'a' })).toEqual({ kind: 'applied' });
    expect(team.run('move', { id: 'a', ...at(kiln, 1, 2) })).toMatchObject({
      code: 'booking-gone',
    });
    expect(team.run('edit', { id: 'a', title: 'x', notes: '' })).toMatchObject({
      code: 'booking-gone',
    });
    expect(team.run('book', wish('c', at(harbour, 10, 11)))).toEqual({ kind: 'applied' });
  });
});

describe('rooms and people', () => {
  it('two who both add the starter rooms end up with one set, and the first one’s changes', () => {
    for (const room of STARTER_ROOMS) team.run('addRoom', { ...room, name: `${room.name}!` });
    expect([...team.tables.rows('room')].map(([, row]) => row['name'])).toEqual([
      'Assembly!',
      'Harbour',
      'Kiln',
      'Orchard',
    ]);
  });
});

type Step = {
  name: 'book' | 'move' | 'cancel';
  id: string;
  room: string;
  from: number;
  quarters: number;
  or: number[];
};

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    name: fc.constantFrom('book', 'book', 'move', 'cancel'),
    id: fc.constantFrom(...'abcdefghij'),
    room: fc.constantFrom(harbour, orchard, kiln),
    from: fc.nat(200),
    quarters: fc.integer({ min: 1, max: 100 }),
    or: fc.array(fc.nat(200), { maxLength: 3 }),
  }),
  { maxLength: 60 },
);

function runStep(onto: Calendar, { name, id, room, from, quarters, or }: Step): void {
  const slot = at(room, from / 4, (from + quarters) / 4);
  const orElse = or.map((q, i) => ({
    ...at(STARTER_ROOMS[i % 3]?.id ?? room, q / 4, (q + quarters) / 4),
  }));
  if (name === 'book') onto.run('book', wish(id, slot, orElse));
  else if (name === 'move') onto.run('move', { id, ...slot, orElse });
  else onto.run('cancel', { id });
}

function doubleBooked(bookings: readonly Booking[]): [Booking, Booking] | undefined {
  for (const a of bookings) {
    const b = bookings.find(
      (o) => o.id < a.id && o.room === a.room && o.start < a.end && a.start < o.end,
    );
    if (b !== undefined) return [a, b];
  }
  return undefined;
}

describe('the promise', () => {
  it('no sequence of bookings, moves and cancellations double-books a room', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const mine = new Calendar();
        for (const room of STARTER_ROOMS.slice(0, 3)) mine.run('addRoom', room);
        for (const step of sequence) {
          runStep(mine, step);
          expect(doubleBooked(mine.bookings())).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the effects alone, without the code, rebuild the same calendar', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const mine = new Calendar();
        const copy = new Tables(calendar);
        const log: Effect[][] = [];
        const apply = mine.tables.apply.bind(mine.tables);
        mine.tables.apply = (effects) => {
          log.push([...effects]);
          apply(effects);
        };
        for (const room of STARTER_ROOMS.slice(0, 3)) mine.run('addRoom', room);
        for (const step of sequence) runStep(mine, step);
        for (const effects of log) copy.apply(effects);
        expect([...copy.rows('booking')]).toEqual([...mine.tables.rows('booking')]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('taking back', () => {
  /** What the inverse of the last update asks for, given the rows before it. */
  function inverse(name: 'book' | 'move' | 'edit' | 'cancel', args: object) {
    const before = new Tables(calendar);
    before.apply(team.bookings().map((row) => ({ table: 'booking', key: row.id, row })));
    const parsed = parseArgs(calendar, name, 1, args);
    const update = { id: { replica, seq: 99 }, name, version: 1, args, at: DAY };
    const { effects } = execute(calendar, team.tables, { update, user: 'ada', side: 'client', dev: true });
    const were = effects.map(({ table, key }) => before.row(table, key));
    return inverseOf(calendar, { parsed, effects, before: were });
  }

  it('a booking is cancelled, a move goes back, words are as they were, a cancelled one is booked', () => {
    team.run('book', wish('a', at(harbour, 10, 11)));
    const booked = wish('a', at(harbour, 10, 11));
    expect(inverse('book', wish('b', at(harbour, 12, 13))))
      .toEqual({ name: 'cancel', args: { id: 'b' } });
    expect(inverse('move', { id: 'a', ...at(kiln, 14, 15), orElse: [] }))
      .toEqual({ name: 'move', args: { id: 'a', ...at(harbour, 10, 11), orElse: [] } });
    expect(inverse('edit', { id: 'a', title: 'other', notes: 'x' }))
      .toEqual({ name: 'edit', args: { id: 'a', title: 'a', notes: '' } });
    expect(inverse('cancel', { id: 'a' }))
      .toEqual({ name: 'book', args: booked });
    expect(inverse('cancel', { id: 'none' })).toBeUndefined();
  });
});
