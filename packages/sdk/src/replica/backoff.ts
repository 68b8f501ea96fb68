/**
 * How long to wait before trying again: longer each time, up to a bound, with half of it left to
 * chance, so that a thousand clients that lost one server do not come back in one instant.
 */

/** Numbers in [0, 1) from a seed (mulberry32): a replayed run draws the same ones. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #growth: number;
  readonly #random: () => number;
  #failures = 0;

  /** `growth`: each pause is so many times the one before; 2 unless told otherwise. */
  constructor(
    bounds: { readonly baseMs: number; readonly maxMs: number; readonly growth?: number },
    random: () => number,
  ) {
    this.#baseMs = bounds.baseMs;
    this.#maxMs = bounds.maxMs;
    this.#growth = bounds.growth ?? 2;
    this.#random = random;
  }

  /** Attempts that have failed since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts one more failure and says how many ms to wait. */
  nextMs(): number {
    // Far beyond every bound; the power must not run to infinity in a tab left open for a month.
    const times = this.#growth ** Math.min(this.#failures, 40);
    const spanMs = Math.min(this.#maxMs, this.#baseMs * times);
    this.#failures++;
    return Math.round(spanMs / 2 + (spanMs / 2) * this.#random());
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
