/**
 * How a replica waits for what a session token names (guarantees.ts). Few pages ever do: it is
 * loaded when one does.
 */
import type { Clock } from '../drivers/clock.js';
import {
  isSpaceId, OxbowError,
  type Holder, type LedgerLine, type ReplicaId, type SpaceId, type Summary, type UpdateId,
  type VersionVector,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { Closing, Waiting } from './closing.js';

/** A space as far as guarantees go. */
export interface Covering extends Pick<Holder, 'summary' | 'settledSeq'> {
  /** Those that are not saved yet are not in the summary, but in the tentative view. */
  pending(): readonly { readonly id: UpdateId; readonly own: boolean }[];
  ledger(): readonly Pick<LedgerLine, 'replica' | 'seq'>[];
  readonly profile: ReplicaId;
  subscribe(fn: () => void): () => void;
}

export interface SessionParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly closing: Closing;
  readonly openSpaces: () => readonly (readonly [space: SpaceId, replica: Covering])[];
  readonly open: (space: SpaceId, waiting: Waiting) => Promise<Covering>;
}

/**
 * What goes on at another replica. `read-your-writes`: what the session wrote is seen there.
 * `monotonic-reads`: all that it saw is. `writes-follow-reads`: what it writes there comes after
 * all that it saw. `monotonic-writes`: after all that it wrote.
 */
export type Guarantee =
  'read-your-writes' | 'monotonic-reads' | 'writes-follow-reads' | 'monotonic-writes';

export interface WaitOptions extends Waiting {
  /** Default: 10,000. */
  readonly timeoutMs?: number;
  /** Default: all four. */
  readonly guarantees?: readonly Guarantee[];
}

/** Of one space. */
export interface Seen {
  /** Everything that was held. */
  readonly read: Summary;
  /** Of that, what the session's own replica wrote. */
  readonly wrote: VersionVector;
}

interface Wanted extends Waiting {
  readonly space: SpaceId;
  readonly seen: Seen;
  readonly timeoutMs: number;
  readonly guarantees: readonly Guarantee[];
}

const ALL: readonly Guarantee[] =
  ['read-your-writes', 'monotonic-reads', 'writes-follow-reads', 'monotonic-writes'];

/** Errors: as `Session.waitFor`. */
export async function waitForSeen(
  parts: SessionParts, token: string, options: WaitOptions,
): Promise<void> {
  const { timeoutMs = 10_000, guarantees = ALL, signal } = options;
  await Promise.all(readToken(token).map(async ([space, seen]) => {
    const replica = await parts.open(space, { signal });
    await covered(parts, replica, { space, seen, timeoutMs, guarantees, signal });
  }));
}

function covered(
  { closing, clock }: SessionParts, replica: Covering,
  { space, seen, timeoutMs, guarantees, signal }: Wanted,
): Promise<void> {
  return closing.race((resolve, reject) => {
    const check = (): void => {
      if (guarantees.every((guarantee) => holds(guarantee, replica, seen))) resolve();
    };
    const stop = replica.subscribe(check);
    const cancel = clock.after(timeoutMs, () => reject(behind(space, timeoutMs)));
    check();
    return () => {
      stop();
      cancel();
    };
  }, { signal });
}

type Holding = Pick<Holder, 'summary' | 'settledSeq'>;

/** The paper's table: which of the two vectors the replica must cover. */
function holds(guarantee: Guarantee, replica: Holding, { read, wrote }: Seen): boolean {
  switch (guarantee) {
    case 'read-your-writes':
    case 'monotonic-writes':
      return coversVector(replica, wrote);
    case 'monotonic-reads':
    case 'writes-follow-reads':
      return covers(replica, read);
  }
}

/** Whether the replica holds all that the summary names. */
function covers(replica: Holding, wanted: Summary): boolean {
  const { history, csn } = replica.summary();
  if (wanted.history !== '' && (history !== wanted.history || csn < wanted.csn)) return false;
  return coversVector(replica, wanted.vector);
}

function coversVector(replica: Holding, wanted: VersionVector): boolean {
  const held: Readonly<Record<string, number>> = replica.summary().vector;
  return Object.entries(wanted).every(([author, seq]) =>
    Math.max(held[author] ?? 0, replica.settledSeq(author)) >= seq);
}

function readToken(token: string): (readonly [space: SpaceId, seen: Seen])[] {
  const spaces = fieldOf(parsed(token), 'spaces');
  if (typeof spaces !== 'object' || spaces === null) throw badToken();
  const entries = Object.entries(spaces);
  if (entries.length > limits.spacesOpenMax) throw badToken();
  return entries.map(([space, seen]) => {
    if (!isSpaceId(space) || !isSeen(seen)) throw badToken();
    return [space, seen] as const;
  });
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(token);
  } catch {
    throw badToken();
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  // reason: every field of an object out of JSON.parse is still unknown.
  return (value as Record<string, unknown>)[name];
}

function isSeen(value: unknown): value is Seen {
  const read = fieldOf(value, 'read');
  return typeof fieldOf(read, 'history') === 'string' && Number.isSafeInteger(fieldOf(read, 'csn'))
    && isVector(fieldOf(read, 'vector')) && isVector(fieldOf(value, 'wrote'));
}

const isVector = (value: unknown): value is VersionVector =>
  typeof value === 'object' && value !== null && Object.values(value).every(Number.isSafeInteger);

const badToken = (): OxbowError =>
  new OxbowError('bad-session-token', 'This is no session token. Take one from session().token().');

const behind = (space: SpaceId, timeoutMs: number): OxbowError => new OxbowError(
  'session-behind',
  `Space '${space}' does not hold within ${timeoutMs} ms what the session has seen. Go online, or wait longer.`,
);
