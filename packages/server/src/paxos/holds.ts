/**
 * Slots that nobody needs here and others are about to ask for: a state that travels stands at one,
 * a member that catches up is on its way through them. A log that forgets meanwhile what comes
 * after them makes the journey vain, and the next one too: under steady load a member whose state
 * takes longer to fetch than the log reaches back would never catch up.
 */

interface Hold {
  readonly slot: number;
  readonly until: number;
}

export class Holds {
  readonly #byHolder = new Map<string, Hold>();

  /** What comes after `slot` is kept until then; takes the place of what the holder held before. */
  hold(holder: string, hold: Hold, now: number): void {
    this.#forget(now);
    this.#byHolder.set(holder, hold);
  }

  /** Nothing after this slot is to be forgotten; Infinity: nobody holds anything. */
  lowest(now: number): number {
    this.#forget(now);
    let lowest = Infinity;
    for (const { slot } of this.#byHolder.values()) lowest = Math.min(lowest, slot);
    return lowest;
  }

  release(): void {
    this.#byHolder.clear();
  }

  #forget(now: number): void {
    for (const [holder, { until }] of this.#byHolder) {
      if (until <= now) this.#byHolder.delete(holder);
    }
  }
}
