/**
 * Keeps one link wanted: dials, waits after each failure a little longer and never in step with
 * others, dials again. Of two nodes the one with the smaller name dials at once; the other gives it
 * a moment, so that both do not meet half-way each time, and dials all the same when nothing comes
 * (the first may not know it).
 */
import type { PeerLinkLimits } from './peer-links-limits.js';

export interface DialerOptions {
  readonly limits: PeerLinkLimits;
  /** Whether the other side is expected to dial. */
  readonly isPatient: boolean;
  /** Starts one attempt; `failed` or `linked` follows. Returns the way to call it off. */
  dial(): () => void;
  /** In [0, 1). */
  random(): number;
}

export class Dialer {
  readonly #options: DialerOptions;
  #timer: NodeJS.Timeout | undefined;
  #callOff: (() => void) | undefined;
  #failures = 0;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#wait(options.isPatient ? options.limits.patienceMs : 0);
  }

  /** The link stands. `isOurs`: by the attempt under way, which is not to be called off. */
  linked(isOurs: boolean): void {
    if (isOurs) this.#callOff = undefined;
    this.stop();
  }

  /** The link that stood was cut; it had lived for `ageMs`. */
  cut(ageMs: number): void {
    const { limits, isPatient } = this.#options;
    if (ageMs >= limits.provenMs) this.#failures = 0;
    this.#wait(this.#backoffMs() + (isPatient ? limits.patienceMs : 0));
  }

  /** The attempt under way came to nothing. */
  failed(): void {
    this.#callOff = undefined;
    this.#wait(this.#backoffMs());
  }

  stop(): void {
    clearTimeout(this.#timer);
    const callOff = this.#callOff;
    this.#callOff = undefined;
    callOff?.();
  }

  #wait(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#callOff = this.#options.dial()), delayMs);
  }

  /**
   * "Full jitter" around an exponential; half of it is certain, so that a dead peer costs little.
   */
  #backoffMs(): number {
    const { backoffMinMs, backoffMaxMs } = this.#options.limits;
    const ceilingMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return ceilingMs * (0.5 + this.#options.random() / 2);
  }
}
