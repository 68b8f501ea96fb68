/**
 * What the runs of all worlds have in common: turmoil first, in which faults come again and again;
 * then the settling, with its checks; and what is said of it.
 */
import { Violation } from './checkers.js';
import type { Random } from './random.js';
import type { World } from './world.js';

export interface RunResult {
  readonly seed: number;
  /** The broken promise and what was seen; undefined: all held. */
  readonly violation: string | undefined;
  readonly traceHash: string;
  readonly events: number;
  readonly mutations: number;
  readonly commits: number;
  readonly log: readonly string[];
}

export interface SeedRun {
  readonly mutations: number;
  readonly commits: number;
  /** Throws a Violation, or whatever a machine throws. */
  turmoil(): void;
  settle(): void;
}

export function resultOf(seed: number, world: World, run: SeedRun): RunResult {
  let violation: string | undefined;
  try {
    run.turmoil();
    run.settle();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    violation = error instanceof Violation ? error.message : error.stack ?? error.message;
    // Without the stack, which tells who asked for the run as well.
    world.trace(`VIOLATION ${error.message}`);
  }
  return {
    seed, violation, traceHash: world.traceHash, events: world.events,
    mutations: run.mutations, commits: run.commits, log: world.log,
  };
}

/** Faults and work that come again and again, until it is said to be over. */
export class Turmoil {
  readonly #world: World;
  readonly #random: Random;
  #isOn = true;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  end(): void {
    this.#isOn = false;
  }

  /** On average so often; never if 0. */
  every(meanMs: number, task: () => void): void {
    if (meanMs === 0) return;
    this.#world.after(this.#random.exponential(meanMs), () => {
      if (!this.#isOn) return;
      task();
      this.every(meanMs, task);
    });
  }
}
