/** Counts of one turn, told once at its end: a metrics library costs more per call than a frame. */
import type { Counter, NodeEffects } from './effects.js';

export class Tally {
  readonly #counts = new Map<Counter, number>();

  add(counter: Counter, by = 1): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + by);
  }

  tell(effects: NodeEffects): void {
    for (const [counter, by] of this.#counts) {
      if (by === 0) continue;
      effects.count(counter, by);
      this.#counts.set(counter, 0);
    }
  }
}
