/**
 * Session guarantees across replicas (Terry et al., PDIS'94). Within one replica all four hold by
 * construction: writes are visible at once, nothing that was seen disappears except by the final
 * order, and both travel in causal order. A token carries them to another replica: the paper's
 * read vector (all that was held) and write vector (what was written), of which that one waits for
 * those that the wanted guarantees ask for. That a write is ordered after all that its replica
 * held, which two of them need, is so everywhere (protocol/exchange-receiver.ts).
 */
import type { Clock } from '../drivers/clock.js';
import {
  isSeatOf, isSpaceId, OxbowError,
  type Holder, type LedgerLine, type ReplicaId, type SpaceId, type Summary, type UpdateId,
  type VersionVector,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { Closing } from './closing.js';

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
  readonly open: (space: SpaceId) => Promise<Covering>;
}

/**
 * What goes on at another replica. `read-your-writes`: what the session wrote is seen there.
 * `monotonic-reads`: all that it saw is. `writes-follow-reads`: what it writes there comes after
 * all that it saw. `monotonic-writes`: after all that it wrote.
 */
export type Guarantee =
  'read-your-writes' | 'monotonic-reads' | 'writes-follow-reads' | 'monotonic-writes';

export interface WaitOptions {
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

interface Wanted extends Required<WaitOptions> {
  readonly space: SpaceId;
  readonly seen: Seen;
}

const ALL: readonly Guarantee[] =
  ['read-your-writes', 'monotonic-reads', 'writes-follow-reads', 'monotonic-writes'];

/**
 * What this session has written and seen.
 *
 * @example
 * // Travels by any way: a link, a QR code.
 * const token = phone.session().token();
 * await laptop.session().waitFor(token, { timeoutMs: 5_000 });
 * // The laptop now shows what the phone showed.
 */
export class Session {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /**
   * Names all that the open spaces of this replica hold now, own updates included. Text, without
   * secrets.
   */
  token(): string {
    const spaces = this.#parts.openSpaces().map(([space, replica]) => [space, seenIn(replica)]);
    return JSON.stringify({ oxbow: 'session', spaces: Object.fromEntries(spaces) });
  }

  /**
   * Resolves when the guarantees hold here for what the token names; spaces that are not open are
   * opened. Offline it can only wait. Rejects with `session-behind` when the time is over,
   * `bad-session-token`, `replica-closed`, and those of `open`.
   */
  async waitFor(token: string, options: WaitOptions = {}): Promise<void> {
    const { timeoutMs = 10_000, guarantees = ALL } = options;
    await Promise.all(readToken(token).map(async ([space, seen]) =>
      this.#covered(await this.#parts.open(space), { space, seen, timeoutMs, guarantees })));
  }

  #covered(replica: Covering, { space, seen, timeoutMs, guarantees }: Wanted): Promise<void> {
    return this.#parts.closing.race((resolve, reject) => {
      const check = (): void => {
        if (guarantees.every((guarantee) => holds(guarantee, replica, seen))) resolve();
      };
      const stop = replica.subscribe(check);
      const cancel = this.#parts.clock.after(timeoutMs, () => reject(behind(space, timeoutMs)));
      check();
      return () => {
        stop();
        cancel();
      };
    });
  }
}

function seenIn(replica: Covering): Seen {
  const { history, csn } = replica.summary();
  const vector: Record<ReplicaId, number> = {};
  const wrote: Record<ReplicaId, number> = {};
  for (const { replica: author, seq } of replica.ledger()) {
    if (isSeatOf(replica.profile, author)) wrote[author] = seq;
  }
  for (const { id, own } of replica.pending()) {
    vector[id.replica] = Math.max(vector[id.replica] ?? 0, id.seq);
    if (own) wrote[id.replica] = Math.max(wrote[id.replica] ?? 0, id.seq);
  }
  return { read: { history, csn, vector }, wrote };
}

type Holding = Pick<Holder, 'summary' | 'settledSeq'>;

/** The paper's table: which of the two vectors the replica must cover. */
export function holds(guarantee: Guarantee, replica: Holding, { read, wrote }: Seen): boolean {
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
export function covers(replica: Holding, wanted: Summary): boolean {
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
