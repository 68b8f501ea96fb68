/**
 * The acceptor: what it promised and what it accepted, both on disk before anybody hears of it.
 * Lamport, "Paxos Made Simple", 2001, §2.2 (P1a), §3 (many instances under one ballot).
 *
 * Messages may be lost between two that arrive, so it may accept slot 8 without slot 7. It says
 * `accepted` only up to where it holds everything: a vote for a slot is also word that all before
 * it is on this disk. So a quorum of votes in a new configuration keeps the old one's slots, too.
 */
import type { AcceptedLog } from './accepted-log.js';
import { valueBytes } from './accepted-log.js';
import { compareBallots, isSameBallot } from './ballot.js';
import type { Ballot } from './ballot.js';
import type { PaxosEffects } from './effects.js';
import type { AcceptedValue, PaxosMessage } from './message.js';
import type { Value } from './value.js';

export type PromiseMessage = PaxosMessage & { readonly kind: 'promise' };

export class Acceptor {
  readonly log: AcceptedLog;
  readonly #effects: Pick<PaxosEffects, 'persist'>;
  #promised: Ballot | undefined;
  /** Up to #heldUpTo everything is chosen or accepted under #heldBallot. */
  #heldBallot: Ballot | undefined;
  #heldUpTo = 0;

  constructor(
    log: AcceptedLog,
    promised: Ballot | undefined,
    effects: Pick<PaxosEffects, 'persist'>,
  ) {
    this.log = log;
    this.#promised = promised;
    this.#effects = effects;
  }

  get promised(): Ballot | undefined {
    return this.#promised;
  }

  /** Whether a higher ballot than this one was promised. */
  refuses(ballot: Ballot): boolean {
    return this.#promised !== undefined && compareBallots(ballot, this.#promised) < 0;
  }

  /** The ballot must not be refused. */
  promise(ballot: Ballot): void {
    if (this.#promised !== undefined && isSameBallot(this.#promised, ballot)) return;
    this.#promised = ballot;
    this.#effects.persist({ kind: 'promised', ballot });
  }

  /** After `promise(ballot)`. A slot that holds a value under this ballot holds this value. */
  accept(ballot: Ballot, slot: number, value: Value, tag?: number): void {
    const held = this.log.at(slot);
    if (held !== undefined && isSameBallot(held.ballot, ballot)) return;
    this.log.put(slot, { ballot: this.#promised ?? ballot, value, tag });
    this.#effects.persist({ kind: 'accepted', ballot, slot, value });
  }

  /**
   * A value that is chosen, whoever said it. Its own ballot is unknown here; its origin is not
   * above it, so it never outbids what the quorum that chose it holds.
   */
  keepChosen(slot: number, value: Value): void {
    const held = this.log.at(slot);
    // One ballot proposes one value per slot: the same origin means the same value.
    if (held !== undefined && isSameBallot(held.value.origin, value.origin)) return;
    this.log.put(slot, { ballot: value.origin, value, tag: undefined });
    this.#effects.persist({ kind: 'accepted', ballot: value.origin, slot, value });
  }

  /** The last slot up to which all is chosen or accepted under `ballot`. */
  heldUpTo(ballot: Ballot, chosenSlot: number): number {
    if (this.#heldBallot === undefined || !isSameBallot(this.#heldBallot, ballot)) {
      this.#heldBallot = ballot;
      this.#heldUpTo = chosenSlot;
    }
    let upTo = Math.max(this.#heldUpTo, chosenSlot);
    for (;;) {
      const next = this.log.at(upTo + 1);
      if (next === undefined || !isSameBallot(next.ballot, ballot)) break;
      upTo += 1;
    }
    this.#heldUpTo = upTo;
    return upTo;
  }

  /** Phase 1b, in parts of about `bytesMax`. */
  *promises(ballot: Ballot, fromSlot: number, bounds: PromiseBounds): Generator<PromiseMessage> {
    const { chosenUpTo, bytesMax } = bounds;
    let accepted: AcceptedValue[] = [];
    let bytes = 0;
    let part = 0;
    const message = (isLast: boolean): PromiseMessage =>
      ({ kind: 'promise', ballot, part, isLast, accepted, chosenUpTo, trimmedUpTo: this.log.base });
    for (let slot = Math.max(fromSlot, chosenUpTo + 1); slot <= this.log.end; slot++) {
      const entry = this.log.at(slot);
      if (entry === undefined) continue;
      const size = valueBytes(entry.value);
      if (accepted.length > 0 && bytes + size > bytesMax) {
        yield message(false);
        part += accepted.length;
        accepted = [];
        bytes = 0;
      }
      accepted.push({ slot, ballot: entry.ballot, value: entry.value });
      bytes += size;
    }
    yield message(true);
  }
}

export interface PromiseBounds {
  readonly chosenUpTo: number;
  readonly bytesMax: number;
}
