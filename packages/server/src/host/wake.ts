/**
 * The machine's one alarm clock. It names a new time at nearly every turn; a timer that is early
 * enough stays, and looks again when it goes off, so that a busy node does not make and drop
 * thousands of timers a second.
 */
import type { HostClock } from './host-clock.js';

export class Wake {
  readonly #clock: Pick<HostClock, 'now' | 'after'>;
  readonly #ring: () => void;
  #wishMs: number | undefined;
  /** When the timer under way goes off. */
  #setMs: number | undefined;
  #cancel: () => void = () => undefined;

  constructor(clock: Pick<HostClock, 'now' | 'after'>, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings once at this time (ms since 1970) or after; replaces the former wish. */
  at(atMs: number | undefined): void {
    this.#wishMs = atMs;
    if (atMs === undefined || (this.#setMs !== undefined && this.#setMs <= atMs)) return;
    this.#cancel();
    this.#set(atMs);
  }

  #set(atMs: number): void {
    this.#setMs = atMs;
    this.#cancel = this.#clock.after(Math.max(0, atMs - this.#clock.now()), () => this.#went());
  }

  #went(): void {
    this.#setMs = undefined;
    const wishMs = this.#wishMs;
    if (wishMs === undefined) return;
    if (this.#clock.now() < wishMs) {
      this.#set(wishMs);
      return;
    }
    this.#wishMs = undefined;
    this.#ring();
  }
}
