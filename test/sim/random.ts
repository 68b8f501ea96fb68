/**
 * The simulation's only source of chance: xoshiro128** seeded by splitmix32 (Blackman and Vigna,
 * 2018). `fork` gives each subsystem a stream of its own, so that a draw added in one does not
 * shift the others.
 */

function splitmix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

const rotl = (value: number, by: number): number => ((value << by) | (value >>> (32 - by))) >>> 0;

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

export class Random {
  readonly #seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    const next = splitmix32(seed);
    this.#seed = seed >>> 0;
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** An independent stream that depends on the first seed and the name only. */
  fork(name: string): Random {
    return new Random((this.#seed ^ hashText(name)) >>> 0);
  }

  uint32(): number {
    const result = Math.imul(rotl(Math.imul(this.#b, 5) >>> 0, 7), 9) >>> 0;
    const t = (this.#b << 9) >>> 0;
    this.#c = (this.#c ^ this.#a) >>> 0;
    this.#d = (this.#d ^ this.#b) >>> 0;
    this.#b = (this.#b ^ this.#c) >>> 0;
    this.#a = (this.#a ^ this.#d) >>> 0;
    this.#c = (this.#c ^ t) >>> 0;
    this.#d = rotl(this.#d, 11);
    return result;
  }

  /** In [0, 1). */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A whole number, from ≤ n < to. */
  int(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Exponential with that mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length)];
    if (item === undefined) throw new Error('pick needs a non-empty list');
    return item;
  }

  /** In the shape of a UUID. */
  uuid(): string {
    const hex = Array.from({ length: 4 }, () => this.uint32().toString(16).padStart(8, '0')).join('');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }
}
