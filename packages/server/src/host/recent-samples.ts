/**
 * The newest samples of a measure, for operators: what it was like just now, not since the start.
 */

const KEPT = 512;

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export class RecentSamples {
  readonly #values: number[] = [];
  #next = 0;
  #newest = 0;

  add(value: number): void {
    this.#newest = value;
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % KEPT;
  }

  /** 0: none yet. */
  get newest(): number {
    return this.#newest;
  }

  spread(): Spread {
    const sorted = [...this.#values].sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}
