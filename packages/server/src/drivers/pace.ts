/**
 * Long work in short slices, so that links and the log's syncs never wait for it: after `workMs`
 * the event loop gets its turn, and in calm work a rest besides.
 */
import { setImmediate as nextTurn, setTimeout as rest } from 'node:timers/promises';

/** What a reader never notices. */
const WORK_MS = 2;
/** Of what nobody waits for: a third of one core. */
const CALM_REST_MS = 4;

export class Pace {
  readonly #restMs: number;
  #since = performance.now();

  private constructor(restMs: number) {
    this.#restMs = restMs;
  }

  static brisk(): Pace {
    return new Pace(0);
  }

  static calm(restMs = CALM_REST_MS): Pace {
    return new Pace(restMs);
  }

  /** Between two small pieces of work. */
  async maybeRest(): Promise<void> {
    if (performance.now() - this.#since < WORK_MS) return;
    await (this.#restMs === 0 ? nextTurn() : rest(this.#restMs));
    this.#since = performance.now();
  }
}
