/**
 * Virtual time. One queue of events, ordered by time and then by a seeded draw; `soon` tasks run
 * before the next event. A `Process` is what can crash: everything it scheduled dies with its
 * incarnation.
 */
import type { Clock } from '../../packages/sdk/src/drivers/clock.js';
import type { Random } from './random.js';

interface Event {
  readonly at: number;
  readonly tie: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

const before = (a: Event, b: Event): boolean =>
  a.at !== b.at ? a.at < b.at : a.tie !== b.tie ? a.tie < b.tie : a.order < b.order;

const EVENTS_MAX = 2_000_000;

/** 2026-01-01, so that stamps look like stamps. */
const EPOCH_MS = 1_767_225_600_000;

export class World {
  #now = 0;
  #order = 0;
  #hash = 0x811c9dc5;
  readonly #heap: Event[] = [];
  readonly #soon: (() => void)[] = [];
  readonly #ties: Random;
  readonly #log: string[] | undefined;
  events = 0;

  constructor(random: Random, keepLog: boolean) {
    this.#ties = random.fork('ties');
    this.#log = keepLog ? [] : undefined;
  }

  /** Virtual ms since the start. */
  get now(): number {
    return this.#now;
  }

  /** The trace so far as one number: two runs of a seed must agree. */
  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  get log(): readonly string[] {
    return this.#log ?? [];
  }

  /** One line of the trace. */
  trace(line: string): void {
    let hash = this.#hash;
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193);
    this.#hash = Math.imul(hash ^ Math.floor(this.#now * 1000), 0x01000193);
    this.#log?.push(`${this.#now.toFixed(3).padStart(12)} ${line}`);
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  after(delayMs: number, run: () => void): () => void {
    const event: Event = {
      at: this.#now + Math.max(0, delayMs), tie: this.#ties.uint32(), order: this.#order++, run, cancelled: false,
    };
    this.#push(event);
    return () => {
      event.cancelled = true;
    };
  }

  /** Runs events up to virtual time `untilMs`; returns when the queue has none left before it. */
  run(untilMs: number): void {
    this.#drain();
    for (let next = this.#heap[0]; next !== undefined && next.at <= untilMs; next = this.#heap[0]) {
      this.#pop();
      this.#now = next.at;
      if (next.cancelled) continue;
      this.events++;
      if (this.events > EVENTS_MAX) throw new Error(`more than ${EVENTS_MAX} events: something goes round in circles`);
      next.run();
      this.#drain();
    }
    this.#now = Math.max(this.#now, untilMs);
  }

  #drain(): void {
    for (let i = 0; i < this.#soon.length; i++) this.#soon[i]?.();
    this.#soon.length = 0;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      if (left === undefined) break;
      const right = heap[child + 1];
      let least = left;
      if (right !== undefined && before(right, left)) {
        least = right;
        child++;
      }
      if (before(last, least)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}

/**
 * A program that may crash and start again, or stand still and go on (SIGSTOP), with a clock of its
 * own that may be wrong: off by `skewMs`, and running at `rate`.
 */
export class Process {
  readonly name: string;
  readonly #world: World;
  readonly #rate: number;
  #skewMs: number;
  #incarnation = 0;
  #alive = false;
  /** What it would have done while it stood still, in order. */
  #held: (() => void)[] | undefined;
  /** One of those is at work, and the microtasks that it left. */
  #isCatchingUp = false;

  constructor(world: World, name: string, skewMs: number, rate = 1) {
    this.#world = world;
    this.name = name;
    this.#skewMs = skewMs;
    this.#rate = rate;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  start(): void {
    this.#incarnation++;
    this.#alive = true;
    this.#world.trace(`${this.name} starts`);
  }

  crash(): void {
    this.#alive = false;
    this.#held = undefined;
    this.#isCatchingUp = false;
    this.#world.trace(`${this.name} crashes`);
  }

  /** From now on it does nothing. */
  pause(): void {
    this.#held ??= [];
    this.#world.trace(`${this.name} stands still`);
  }

  /** All that came meanwhile happens now, one after the other, before anything new. */
  resume(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#world.trace(`${this.name} goes on`);
    const next = (): void => {
      if (this.#held !== held) return;
      const task = held.shift();
      if (task === undefined) {
        this.#held = undefined;
        return;
      }
      this.#isCatchingUp = true;
      task();
      this.#world.soon(() => this.#world.soon(() => {
        this.#isCatchingUp = false;
      }));
      this.#world.after(0, next);
    };
    this.#world.after(0, next);
  }

  /** Somebody sets its wall clock. Time as it measures it goes on unchanged. */
  jumpWall(byMs: number): void {
    this.#skewMs += byMs;
    this.#world.trace(`the wall clock of ${this.name} jumps by ${byMs} ms`);
  }

  /** Wraps a callback so that it does nothing once this incarnation is gone. */
  bound<A extends readonly unknown[]>(run: (...args: A) => void): (...args: A) => void {
    const incarnation = this.#incarnation;
    return (...args) => {
      if (!this.#alive || this.#incarnation !== incarnation) return;
      if (this.#held !== undefined && !this.#isCatchingUp) this.#held.push(() => run(...args));
      else run(...args);
    };
  }

  /** Measured time, ms: it only grows, at the rate of this process's clock. */
  readonly monotonic = (): number => this.#world.now * this.#rate;

  readonly clock: Clock = {
    now: () => Math.floor(EPOCH_MS + this.monotonic() + this.#skewMs),
    after: (delayMs, task) => this.#world.after(delayMs / this.#rate, this.bound(task)),
    soon: (task) => this.#world.soon(this.bound(task)),
  };
}
