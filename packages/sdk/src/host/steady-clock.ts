/**
 * Time for deadlines. Wall time jumps: a person corrects the clock, a laptop sleeps. A deadline an
 * hour ahead because the clock was set back would silence a replica for that hour, so backward
 * steps count as no time at all. Forward steps count in full: after a sleep the links are dead
 * anyway.
 */
import type { Clock } from '../drivers/clock.js';

export class SteadyClock {
  readonly #clock: Clock;
  #wallMs: number;
  #elapsedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wallMs = clock.now();
  }

  /** Milliseconds since the start, never decreasing. */
  now(): number {
    const wallMs = this.#clock.now();
    this.#elapsedMs += Math.max(0, wallMs - this.#wallMs);
    this.#wallMs = wallMs;
    return this.#elapsedMs;
  }
}
