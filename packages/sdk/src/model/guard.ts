/**
 * In development: tells of mutations that touch what no other replica sees alike — the clock, dice,
 * timers, the network. The world's functions are replaced while a mutation runs, which is
 * synchronous, and put back after it; they go on working, as a report is no punishment.
 */

export interface NondeterminismReport {
  readonly mutation: string;
  /** Such as `Date.now` or `Math.random`. */
  readonly touched: string;
}

type Holder = Record<string, unknown>;
type Plain = (this: unknown, ...args: unknown[]) => unknown;
type Touch = (touched: string) => void;

/** Where each function lives, and its name there. */
const WATCHED: readonly (readonly [holder: string, name: string])[] = [
  ['Math', 'random'],
  ['', 'setTimeout'],
  ['', 'setInterval'],
  ['', 'setImmediate'],
  ['', 'queueMicrotask'],
  ['', 'fetch'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
  ['performance', 'now'],
];

// reason: what the world offers differs by host and has no types here; everything is looked at as
// unknown.
const world = globalThis as unknown as Holder;

export type NewGuard = (onReport: (report: NondeterminismReport) => void) => Guard;

/** One per replica; says each thing once per mutation. */
export class Guard {
  readonly #onReport: (report: NondeterminismReport) => void;
  readonly #told = new Set<string>();
  readonly #watches: readonly Watch[];
  /** The mutation that runs; what runs within it counts as its own. */
  #mutation: string | undefined;
  #untold: NondeterminismReport[] = [];

  constructor(onReport: (report: NondeterminismReport) => void) {
    this.#onReport = onReport;
    const touch: Touch = (touched) => this.#touch(touched);
    this.#watches = [
      new Watch(world, 'Date', (real) => watchedDate(real, touch)),
      ...WATCHED.flatMap(([holder, name]) => watchFunction(holder, name, touch)),
    ];
  }

  /**
   * Runs `task` as that mutation. What it throws is thrown on. Reports come when the world is
   * itself again.
   */
  watch<R>(mutation: string, task: () => R): R {
    if (this.#mutation !== undefined) return task();
    this.#mutation = mutation;
    for (const watch of this.#watches) watch.start();
    try {
      return task();
    } finally {
      for (const watch of this.#watches) watch.stop();
      this.#mutation = undefined;
      this.#tell();
    }
  }

  #touch(touched: string): void {
    const mutation = this.#mutation ?? '';
    const key = `${mutation}/${touched}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#untold.push({ mutation, touched });
  }

  #tell(): void {
    if (this.#untold.length === 0) return;
    const reports = this.#untold;
    this.#untold = [];
    for (const report of reports) this.#onReport(report);
  }
}

/**
 * One property of the world that is replaced for a while. The replacement is made once for each
 * original.
 */
class Watch {
  readonly #place: Holder;
  readonly #name: string;
  readonly #replacementOf: (original: unknown) => unknown;
  #original: unknown;
  #replacement: unknown;
  #isOwn = false;
  #isReplaced = false;

  constructor(place: Holder, name: string, replacementOf: (original: unknown) => unknown) {
    this.#place = place;
    this.#name = name;
    this.#replacementOf = replacementOf;
  }

  start(): void {
    const original = this.#place[this.#name];
    if (typeof original !== 'function') return;
    // Somebody may have put another function there since the last time: a test's clock, a polyfill.
    if (original !== this.#original) {
      this.#original = original;
      this.#replacement = this.#replacementOf(original);
    }
    this.#isOwn = Object.hasOwn(this.#place, this.#name);
    this.#isReplaced = Reflect.set(this.#place, this.#name, this.#replacement);
  }

  stop(): void {
    if (!this.#isReplaced) return;
    this.#isReplaced = false;
    if (this.#isOwn) Reflect.set(this.#place, this.#name, this.#original);
    else delete this.#place[this.#name];
  }
}

function watchFunction(holder: string, name: string, touch: Touch): Watch[] {
  const owner = holder === '' ? world : world[holder];
  if (typeof owner !== 'object' || owner === null) return [];
  const touched = holder === '' ? name : `${holder}.${name}`;
  const replacementOf = (original: unknown): unknown => {
    // reason: a function, as the watch has checked; it is only passed on.
    const call = original as Plain;
    return function (this: unknown, ...args: unknown[]): unknown {
      touch(touched);
      return call.apply(this ?? owner, args);
    };
  };
  // reason: an object; its properties are looked at as unknown.
  return [new Watch(owner as Holder, name, replacementOf)];
}

/** Only what reads the clock is told: `new Date(ms)` is a value like any other. */
function watchedDate(real: unknown, touch: Touch): unknown {
  // reason: the world's own Date, or what stands in for it.
  const RealDate = real as DateConstructor;
  const now = (): number => {
    touch('Date.now');
    return RealDate.now();
  };
  return new Proxy(RealDate, {
    construct(target, args, newTarget): object {
      if (args.length === 0) touch('new Date()');
      // reason: `Reflect.construct` types its result as any; a constructor gives an object.
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply(): string {
      touch('Date()');
      return RealDate();
    },
    get(target, property): unknown {
      return property === 'now' ? now : Reflect.get(target, property);
    },
  });
}
