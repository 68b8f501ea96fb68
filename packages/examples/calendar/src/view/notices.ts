/**
 * What is told to the author of a booking that did not go as asked: from the replica's durable
 * list of conflicts to sentences, with what is needed for another try.
 */
import type { BlockedBy, Room, Slot } from '../shapes.js';
import { quoted } from '../quote.js';
import type { Clock } from '../time/clock.js';

/** The part of the SDK's conflict record that is told. */
export interface ConflictFacts {
  readonly name: string;
  readonly args: unknown;
  readonly outcome: {
    readonly kind: string;
    readonly index?: number;
    readonly code?: string;
    readonly detail?: unknown;
    /** Of what the server has forgotten. */
    readonly was?: { readonly kind: string; readonly index?: number };
  };
  /** Whose updates stood in the way. */
  readonly obstacles?: readonly { readonly user: string | null }[];
}

export interface Notice {
  readonly kind: 'moved' | 'refused';
  readonly headline: string;
  readonly text: string;
  readonly bookingId: string | undefined;
  /** What was asked for first, where that was a slot. */
  readonly wanted: Slot | undefined;
  /** The mutation that can be asked for again as it was; undefined where something was got. */
  readonly again: 'book' | 'move' | undefined;
  /** It was done, and the server has forgotten it: the same can be asked for as it was. */
  readonly isUndone: boolean;
  /** What was got instead. */
  readonly got: Slot | undefined;
  readonly title: string;
  readonly notes: string;
}

export interface Names {
  readonly rooms: readonly Room[];
  personName(id: string): string;
  /** The title of a booking that is known here: a move does not carry it. */
  bookingTitle(id: string): string | undefined;
  readonly clock: Clock;
}

interface AskedArgs {
  readonly id?: string;
  readonly title?: string;
  readonly notes?: string;
  readonly room?: string;
  readonly start?: number;
  readonly end?: number;
  readonly orElse?: readonly Partial<Slot>[];
}

const REASONS: Readonly<Record<string, string>> = {
  'room-unknown': 'That room no longer exists.',
  'booking-gone': 'Someone has cancelled this booking meanwhile.',
  'booking-exists': 'This booking is in the calendar already.',
  'slot-refused': 'None of your choices was free.',
  forbidden: 'You may not do this in this calendar.',
  'args-invalid': 'The server could not accept it as it was.',
  unknown: 'Too long ago to say how: the calendar shows what came of it.',
  'rolled-back':
    'The server was restored to a state from before this. Do it again if it is still wanted.',
};

const slotOf = ({ room, start, end }: AskedArgs): Slot | undefined =>
  room === undefined || start === undefined || end === undefined ? undefined : { room, start, end };

function reasonText(facts: ConflictFacts, asked: AskedArgs, names: Names): string {
  const { code = facts.outcome.kind, detail } = facts.outcome;
  if (code === 'room-taken') {
    // reason: the app's own `book` and `move` give this detail with this code.
    const by = detail as BlockedBy;
    const room = names.rooms.find((r) => r.id === by.room)?.name ?? by.room;
    const others =
      (asked.orElse?.length ?? 0) > 0 ? ' None of your alternatives was free either.' : '';
    return (
      `${room} is taken by ${quoted(by.title)} (${names.personName(by.by)}), ` +
      `${names.clock.slotText(by)}.${others}`
    );
  }
  return REASONS[code] ?? `The calendar refused it (${code}).`;
}

const FORGOTTEN: Readonly<Record<string, string>> = {
  book: 'is no longer booked',
  move: 'is where it was before',
  edit: 'reads as it did before',
  cancel: 'is no longer cancelled',
};

/** What had been got, where that is a slot. */
function slotThatWas({ outcome: { was } }: ConflictFacts, asked: AskedArgs): Slot | undefined {
  const wanted = slotOf(asked);
  if (wanted === undefined || was?.index === undefined) return wanted;
  return { ...wanted, ...asked.orElse?.[was.index] };
}

/** “Ada”, “Ada and Bo”: who was first. */
function takersOf({ obstacles = [] }: ConflictFacts, names: Names): string {
  const users = new Set(obstacles.map(({ user }) => user).filter((user) => user !== null));
  const people = [...users].slice(0, 2).map((user) => names.personName(user));
  return people.length === 0 ? 'someone else' : people.join(' and ');
}

const againOf = ({ name, outcome }: ConflictFacts): Notice['again'] =>
  outcome.kind === 'rejected' && (name === 'book' || name === 'move') ? name : undefined;

export function noticeOf(facts: ConflictFacts, names: Names): Notice {
  // reason: args were checked against the app's own schemas when the mutation was called.
  const asked = facts.args as AskedArgs;
  const known = asked.id === undefined ? undefined : names.bookingTitle(asked.id);
  const title = asked.title ?? known ?? 'A booking';
  const wanted = slotOf(asked);
  const isUndone = facts.outcome.kind === 'rolled-back';
  const common = {
    again: againOf(facts), isUndone, bookingId: asked.id, wanted, title, notes: asked.notes ?? '',
  };
  if (facts.outcome.kind === 'alternative' && wanted !== undefined) {
    const got = { ...wanted, ...asked.orElse?.[facts.outcome.index ?? 0] };
    const room = names.rooms.find((r) => r.id === got.room)?.name ?? got.room;
    const first = names.rooms.find((r) => r.id === wanted.room)?.name ?? wanted.room;
    return {
      ...common,
      kind: 'moved',
      got,
      headline: `${quoted(title)} moved to ${room}, ${names.clock.slotText(got)}`,
      text: `Your first choice, ${first}, ${names.clock.slotText(wanted)}, went to ${takersOf(facts, names)}.`,
    };
  }
  if (facts.outcome.kind === 'unknown') {
    const headline = `${quoted(title)} was settled while you were away`;
    return { ...common, kind: 'refused', got: undefined, headline, text: REASONS['unknown'] ?? '' };
  }
  if (isUndone) {
    const headline = `${quoted(title)} ${FORGOTTEN[facts.name] ?? 'was undone'}`;
    const text = REASONS['rolled-back'] ?? '';
    return { ...common, kind: 'refused', got: slotThatWas(facts, asked), headline, text };
  }
  const what =
    { book: 'was not booked', move: 'was not moved', edit: 'was not changed' }[facts.name] ??
    'was refused';
  return {
    ...common,
    kind: 'refused',
    got: undefined,
    headline: `${quoted(title)} ${what}`,
    text: reasonText(facts, asked, names),
  };
}
