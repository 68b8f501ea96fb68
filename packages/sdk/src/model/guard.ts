/**
 * In development: tells of mutations that touch what no other replica sees alike — the clock, dice, timers, the
 * network. The world's functions are replaced while a mutation runs, which is synchronous, and put back after it;
 * they go on working, as a report is no punishment.
 */

export interface NondeterminismReport {
  readonly mutation: string;
  /** Such as `Date.now` or `Math.random`. */
  readonly touched: string;
}

type Holder = Record<string, unknown>;
type Plain = (this: unknown, ...args: unknown[]) => unknown;

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

/** One per replica; says each thing once per mutation. */
export class Guard {
  readonly #onReport: (report: NondeterminismReport) => void;
  readonly #told = new Set<string>();

  constructor(onReport: (report: NondeterminismReport) => void) {
    this.#onReport = onReport;
  }

  /** Puts the watch up for the mutation. Returns what takes it down again. */
  watch(mutation: string): () => void {
    const touch = (touched: string): void => this.#touch(mutation, touched);
    const restores = [watchDate(touch)];
    for (const [holder, name] of WATCHED) restores.push(watchFunction(holder, name, touch));
    return () => {
      for (const restore of restores.reverse()) restore();
    };
  }

  #touch(mutation: string, touched: string): void {
    const key = `${mutation}/${touched}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#onReport({ mutation, touched });
  }
}

// reason: what the world offers differs by host and has no types here; everything is looked at as unknown.
const world = globalThis as unknown as Holder;

function watchFunction(holder: string, name: string, touch: (name: string) => void): () => void {
  const owner = holder === '' ? world : world[holder];
  if (typeof owner !== 'object' || owner === null) return nothing;
  // reason: an object; its properties are looked at as unknown.
  const place = owner as Holder;
  const original = place[name];
  if (typeof original !== 'function') return nothing;
  // reason: a function, as just checked; it is only passed on.
  const call = original as Plain;
  const watched = function (this: unknown, ...args: unknown[]): unknown {
    touch(holder === '' ? name : `${holder}.${name}`);
    return call.apply(this ?? owner, args);
  };
  return replace(place, name, watched);
}

/** Only what reads the clock is told: `new Date(ms)` is a value like any other. */
function watchDate(touch: (name: string) => void): () => void {
  const RealDate = Date;
  const now = (): number => {
    touch('Date.now');
    return RealDate.now();
  };
  const watched = new Proxy(RealDate, {
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
  return replace(world, 'Date', watched);
}

/** Keeps the property's own descriptor, as some are inherited or not enumerable. */
function replace(place: Holder, name: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(place, name);
  if (own !== undefined && own.configurable !== true) return nothing;
  Object.defineProperty(place, name, { value, configurable: true, writable: true });
  return () => {
    if (own === undefined) delete place[name];
    else Object.defineProperty(place, name, own);
  };
}

const nothing = (): void => undefined;
