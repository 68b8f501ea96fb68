/**
 * Heartbeat rounds of one leadership. One mechanism does three things: a quorum's answer to a round
 * proves that at the time it was sent nobody else led (reads), keeps them from promising anything
 * to others for a while (lease), and tells the leader that it still has a quorum at all.
 *
 * A lease counts from when the round was sent: its grantors count from when they heard it, which is
 * later, so the leader's ends first. Gray, Cheriton, "Leases", SOSP'89; Chandra et al., "Paxos Made
 * Live", 2007, §5.2.
 */
import type { PaxosLimits } from './limits.js';

/** Rounds whose time is remembered. Older ones grant nothing any more. */
const REMEMBERED = 256;

export class Rounds {
  readonly #limits: PaxosLimits;
  readonly #sentAt = new Float64Array(REMEMBERED);
  #round = 0;
  #answered = 0;
  /** When the newest round that a quorum answered was sent. */
  #answeredAt: number;
  /** Time in which this process did not run is no silence of the others. */
  #silentSince: number;
  /** Given up for good: another was asked to take over, and promises to it come at any time. */
  #isLeaseGivenUp = false;

  constructor(limits: PaxosLimits, now: number) {
    this.#limits = limits;
    this.#answeredAt = -Infinity;
    this.#silentSince = now;
  }

  get newest(): number {
    return this.#round;
  }

  get answered(): number {
    return this.#answered;
  }

  begin(now: number): number {
    this.#round += 1;
    this.#sentAt[this.#round % REMEMBERED] = now;
    return this.#round;
  }

  isDue(now: number): boolean {
    return now - (this.#sentAt[this.#round % REMEMBERED] ?? 0) >= this.#limits.heartbeatMs;
  }

  /** A quorum has answered `round`, or a later one. */
  answer(round: number): void {
    if (round <= this.#answered || round > this.#round) return;
    this.#answered = round;
    if (this.#round - round >= REMEMBERED) return;
    this.#answeredAt = this.#sentAt[round % REMEMBERED] ?? -Infinity;
    this.#silentSince = Math.max(this.#silentSince, this.#answeredAt);
  }

  holdsLease(now: number): boolean {
    const { leaseMs, leaseReads, driftPpm } = this.#limits;
    return leaseReads && !this.#isLeaseGivenUp &&
      now < this.#answeredAt + leaseMs * (1 - driftPpm / 1_000_000);
  }

  giveUpLease(): void {
    this.#isLeaseGivenUp = true;
  }

  /** This process did not run for so long, until `now`. */
  stalled(ms: number, now: number): void {
    this.#silentSince = Math.min(now, this.#silentSince + ms);
  }

  isQuorumLost(now: number): boolean {
    return now - this.#silentSince >= this.#limits.quorumLostMs;
  }
}
