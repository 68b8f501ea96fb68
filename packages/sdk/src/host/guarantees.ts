/**
 * Session guarantees across replicas (Terry et al., PDIS'94). Within one replica all four hold by
 * construction: writes are visible at once, nothing that was seen disappears except by the final
 * order, and both travel in causal order. A token carries them to another replica: what was held
 * here, which that one waits for.
 */
import type { Clock } from '../drivers/clock.js';
import {
  isSpaceId, OxbowError,
  type Holder, type ReplicaId, type SpaceId, type Summary, type UpdateId,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { Closing } from './closing.js';

/** A space as far as guarantees go. */
export interface Covering extends Pick<Holder, 'summary' | 'settledSeq'> {
  /** Those that are not saved yet are not in the summary, but in the tentative view. */
  pending(): readonly { readonly id: UpdateId }[];
  subscribe(fn: () => void): () => void;
}

export interface SessionParts {
  readonly clock: Pick<Clock, 'after'>;
  readonly closing: Closing;
  readonly openSpaces: () => readonly (readonly [space: SpaceId, replica: Covering])[];
  readonly open: (space: SpaceId) => Promise<Covering>;
}

interface Wanted {
  readonly space: SpaceId;
  readonly summary: Summary;
  readonly timeoutMs: number;
}

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
   * Resolves when this replica holds all that the token names; spaces that are not open are opened.
   * Offline it can only wait. `timeoutMs`: 10,000 unless told otherwise. Rejects with
   * `session-behind` when the time is over, `bad-session-token`, `replica-closed`, and those of
   * `open`.
   */
  async waitFor(token: string, options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const wanted = readToken(token);
    const timeoutMs = options.timeoutMs ?? 10_000;
    await Promise.all(wanted.map(async ([space, summary]) =>
      this.#covered(await this.#parts.open(space), { space, summary, timeoutMs })));
  }

  #covered(replica: Covering, { space, summary, timeoutMs }: Wanted): Promise<void> {
    return this.#parts.closing.race((resolve, reject) => {
      const check = (): void => {
        if (covers(replica, summary)) resolve();
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

function seenIn(replica: Covering): Summary {
  const { history, csn } = replica.summary();
  const vector: Record<ReplicaId, number> = {};
  for (const { id } of replica.pending()) {
    vector[id.replica] = Math.max(vector[id.replica] ?? 0, id.seq);
  }
  return { history, csn, vector };
}

/** Whether the replica holds all that the summary names. */
export function covers(replica: Pick<Holder, 'summary' | 'settledSeq'>, wanted: Summary): boolean {
  const { history, csn, vector } = replica.summary();
  if (wanted.history !== '' && (history !== wanted.history || csn < wanted.csn)) return false;
  const held: Readonly<Record<string, number>> = vector;
  return Object.entries(wanted.vector).every(([author, seq]) =>
    Math.max(held[author] ?? 0, replica.settledSeq(author)) >= seq);
}

function readToken(token: string): (readonly [space: SpaceId, summary: Summary])[] {
  const spaces = fieldOf(parsed(token), 'spaces');
  if (typeof spaces !== 'object' || spaces === null) throw badToken();
  const entries = Object.entries(spaces);
  if (entries.length > limits.spacesOpenMax) throw badToken();
  return entries.map(([space, summary]) => {
    if (!isSpaceId(space) || !isSummary(summary)) throw badToken();
    return [space, summary] as const;
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

function isSummary(value: unknown): value is Summary {
  const vector = fieldOf(value, 'vector');
  return typeof fieldOf(value, 'history') === 'string' && Number.isSafeInteger(fieldOf(value, 'csn'))
    && typeof vector === 'object' && vector !== null && Object.values(vector).every(Number.isSafeInteger);
}

const badToken = (): OxbowError =>
  new OxbowError('bad-session-token', 'This is no session token. Take one from session().token().');

const behind = (space: SpaceId, timeoutMs: number): OxbowError => new OxbowError(
  'session-behind',
  `Space '${space}' does not hold within ${timeoutMs} ms what the session has seen. Go online, or wait longer.`,
);
