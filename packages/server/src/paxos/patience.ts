/**
 * When to stop waiting for a leader, and until when nobody else may be promised anything. Two
 * clocks on purpose: a lease is a promise to the leader and is never shortened; the wait is a
 * guess, and a process that was itself not running must not take its own sleep for the leader's
 * silence. Ongaro, "Consensus", 2014, §9.3 (timeouts at random); Gray, Cheriton, SOSP'89 (leases).
 */
import type { Ballot, MemberId } from './ballot.js';
import type { PaxosLimits } from './limits.js';

/** Doublings of the wait after elections that came to nothing. */
const BACKOFF_MAX = 3;

export class Patience {
  readonly #limits: PaxosLimits;
  readonly #random: () => number;
  #leaseHolder: Ballot | undefined;
  #leaseUntil: number;
  #silentSince: number;
  #waitMs: number;
  #failures = 0;
  /** The wait is not that for a leader in good health. */
  #isRestless = true;

  /** `mayHaveGranted`: a lease of the time before a restart may still run. */
  constructor(limits: PaxosLimits, random: () => number, start: PatienceStart) {
    this.#limits = limits;
    this.#random = random;
    this.#silentSince = start.now;
    this.#leaseUntil = start.mayHaveGranted ? start.now + limits.leaseMs : -Infinity;
    this.#waitMs = this.#draw(limits.electionCutMs);
  }

  /** A heartbeat, or anything else that only the leader of this ballot says. */
  heard(ballot: Ballot, now: number): void {
    if (this.#leaseHolder !== ballot || this.#isRestless) this.#adopt(ballot);
    this.#silentSince = now;
    this.#leaseUntil = now + this.#limits.leaseMs;
  }

  /** The link to the leader stands, or is cut. */
  linked(isUp: boolean): void {
    const { electionMs, electionCutMs } = this.#limits;
    this.#isRestless = !isUp;
    this.#waitMs = this.#draw(isUp ? electionMs : electionCutMs);
  }

  /**
   * Somebody got a promise, or an own attempt came to nothing: wait anew for a leader to appear.
   */
  restart(now: number, isFailure: boolean): void {
    if (isFailure) this.#failures = Math.min(this.#failures + 1, BACKOFF_MAX);
    this.#silentSince = now;
    this.#isRestless = true;
    this.#waitMs = this.#draw(this.#limits.electionCutMs * 2 ** this.#failures);
  }

  /**
   * A link stands that did not: earlier attempts may have failed for want of it. The wait goes on
   * from where it was, or a node that comes and goes could put off an election for ever.
   */
  hope(): void {
    this.#failures = 0;
    this.#waitMs = this.#draw(this.#limits.electionCutMs);
  }

  /** This process did not run for so long, until `now`. */
  stalled(ms: number, now: number): void {
    this.#silentSince = Math.min(now, this.#silentSince + ms);
  }

  isOver(now: number): boolean {
    return now - this.#silentSince >= this.#waitMs && now >= this.#leaseUntil;
  }

  /** Whether `ballot` may be promised. */
  isFree(ballot: Ballot, isHandover: boolean, now: number): boolean {
    if (now >= this.#leaseUntil) return true;
    const holder = this.#leaseHolder;
    if (holder === undefined) return false;
    if (holder.member === ballot.member) return true;
    // Only the direct successor: a take-over that was long under way must not break a later lease.
    return isHandover && ballot.round === holder.round + 1;
  }

  /** Whether anybody may ask for promises. */
  isAnyoneFree(member: MemberId, now: number): boolean {
    return now >= this.#leaseUntil || this.#leaseHolder?.member === member;
  }

  #adopt(ballot: Ballot): void {
    this.#leaseHolder = ballot;
    this.#isRestless = false;
    this.#failures = 0;
    this.#waitMs = this.#draw(this.#limits.electionMs);
  }

  /** Between once and twice as long. */
  #draw(ms: number): number {
    return ms * (1 + this.#random());
  }
}

export interface PatienceStart {
  readonly now: number;
  readonly mayHaveGranted: boolean;
}
