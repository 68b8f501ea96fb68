/**
 * Whether there is an order of a history's operations that the model allows and that puts none
 * before one that had been answered when it was asked. Trying all orders takes a lifetime from
 * about fifteen operations on. The search of Wing and Gong ("Testing and verifying concurrent
 * objects", 1993) takes only what may come first and goes back when it is stuck; Lowe ("Testing
 * for linearizability", 2017) saw that a set of operations done and the state they led to need to
 * be tried once only; Athalye's Porcupine showed that this, part by part, is fast. The worst case
 * stays exponential (Gibbons and Korach, 1997), so the work has a bound, and the verdict says so
 * when it was reached.
 */
import type { Operation } from './history.js';
import type { Model } from './model.js';

export type Verdict<Input, Output> =
  | { readonly kind: 'linearizable'; readonly steps: number }
  | {
      readonly kind: 'violation';
      readonly part: string;
      /** As far as an order could be found. */
      readonly longest: readonly Operation<Input, Output>[];
      /** Then one of these was due, and none fits. */
      readonly stuck: readonly Operation<Input, Output>[];
      readonly steps: number;
    }
  /** Nothing is known: the bound of `part` was reached. */
  | { readonly kind: 'gave-up'; readonly part: string; readonly steps: number };

export const STEPS_MAX = 2_000_000;

export function checkLinearizable<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  stepsMax = STEPS_MAX,
): Verdict<Input, Output> {
  let steps = 0;
  let gaveUp: Verdict<Input, Output> | undefined;
  for (const [part, operations] of partsOf(model, history)) {
    const search = new Search(model.knowing?.(operations) ?? model, operations, stepsMax);
    const found = search.run();
    steps += search.steps;
    if (found === 'none') {
      return { kind: 'violation', part, longest: search.longest, stuck: search.stuck, steps };
    }
    if (found === 'unknown') gaveUp ??= { kind: 'gave-up', part, steps };
  }
  return gaveUp ?? { kind: 'linearizable', steps };
}

function partsOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): ReadonlyMap<string, readonly Operation<Input, Output>[]> {
  const parts = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    const name = model.partOf?.(operation.input) ?? '';
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [operation]);
    else part.push(operation);
  }
  return parts;
}

/** A question or an answer, in a list from which both leave when their operation is placed. */
interface Event<Input, Output> {
  readonly operation: Operation<Input, Output> | undefined;
  readonly index: number;
  /** Of a question: its answer. Of an answer: undefined. */
  readonly answer: Event<Input, Output> | undefined;
  before: Event<Input, Output> | undefined;
  after: Event<Input, Output> | undefined;
}

interface Placed<State, Input, Output> {
  readonly question: Event<Input, Output>;
  readonly stateBefore: State;
}

class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #head: Event<Input, Output>;
  readonly #placed: Placed<State, Input, Output>[] = [];
  readonly #done: BitSet;
  readonly #seen = new SeenStates();
  readonly #stepsMax: number;
  /** Answered operations that have no place yet; those of unknown outcome may go without. */
  #open: number;
  #longest: readonly Operation<Input, Output>[] = [];
  #stuck: readonly Operation<Input, Output>[] = [];
  steps = 0;

  constructor(
    model: Model<State, Input, Output>,
    operations: readonly Operation<Input, Output>[],
    stepsMax: number,
  ) {
    this.#model = model;
    this.#stepsMax = stepsMax;
    this.#head = eventList(operations);
    this.#done = new BitSet(operations.length);
    this.#open = operations.filter(({ answeredAt }) => answeredAt !== Infinity).length;
  }

  get longest(): readonly Operation<Input, Output>[] {
    return this.#longest;
  }

  get stuck(): readonly Operation<Input, Output>[] {
    return this.#stuck;
  }

  run(): 'found' | 'none' | 'unknown' {
    let state = this.#model.initial;
    let event = this.#begin(state);
    while (this.#open > 0) {
      if (this.steps >= this.#stepsMax) return 'unknown';
      this.steps++;
      const next = event?.operation === undefined ? undefined : this.#tryNext(event, state);
      if (event !== undefined && next !== undefined) {
        this.#place(event, state);
        state = next.state;
        event = this.#begin(state);
      } else if (event?.operation !== undefined) {
        event = event.after;
      } else {
        // An answer (or the end) whose question has no place: what was placed last was wrong.
        this.#noteLongest();
        const last = this.#takeBackChoice();
        if (last === undefined) return 'none';
        state = last.stateBefore;
        event = last.question.after;
      }
    }
    return 'found';
  }

  /** In a state that is new: places all reads that fit, and answers what to try first. */
  #begin(state: State): Event<Input, Output> | undefined {
    for (let read = this.#fittingRead(state); read !== undefined; read = this.#fittingRead(state)) {
      this.#place(read, state);
    }
    return this.#head.after;
  }

  #fittingRead(state: State): Event<Input, Output> | undefined {
    for (let at = this.#head.after; at?.operation !== undefined; at = at.after) {
      const { input, output } = at.operation;
      if (!this.#isRead(input) || output === undefined) continue;
      this.steps++;
      if (this.#model.step(state, input, output) !== undefined) return at;
    }
    return undefined;
  }

  /** Without a read that fitted nothing else would fit: back to what could have been otherwise. */
  #takeBackChoice(): Placed<State, Input, Output> | undefined {
    for (;;) {
      const last = this.#placed.pop();
      if (last === undefined) return undefined;
      this.#takeBack(last);
      const { operation } = last.question;
      if (operation === undefined || !this.#isRead(operation.input)) return last;
    }
  }

  #isRead(input: Input): boolean {
    return this.#model.isRead?.(input) === true;
  }

  /** The state after it, if it fits here and this was not tried before. */
  #tryNext(event: Event<Input, Output>, state: State): { readonly state: State } | undefined {
    const { operation, index } = event;
    if (operation === undefined) return undefined;
    const next = this.#model.step(state, operation.input, operation.output);
    if (next === undefined) return undefined;
    this.#done.flip(index);
    const isNew = this.#seen.add(this.#done, this.#model.keyOf(next));
    this.#done.flip(index);
    return isNew ? { state: next } : undefined;
  }

  #place(question: Event<Input, Output>, stateBefore: State): void {
    this.#done.flip(question.index);
    unlink(question);
    if (question.answer !== undefined) {
      unlink(question.answer);
      this.#open--;
    }
    this.#placed.push({ question, stateBefore });
  }

  #takeBack({ question }: Placed<State, Input, Output>): void {
    if (question.answer !== undefined) {
      relink(question.answer);
      this.#open++;
    }
    relink(question);
    this.#done.flip(question.index);
  }

  #noteLongest(): void {
    if (this.#longest.length > this.#placed.length || this.#stuck.length > 0 &&
      this.#longest.length === this.#placed.length) return;
    this.#longest = this.#placed.flatMap(({ question }) => question.operation ?? []);
    const stuck: Operation<Input, Output>[] = [];
    for (let at = this.#head.after; at?.operation !== undefined; at = at.after) {
      stuck.push(at.operation);
    }
    this.#stuck = stuck;
  }
}

/** All events in order behind a head. An operation that was never answered has a question only. */
function eventList<Input, Output>(
  operations: readonly Operation<Input, Output>[],
): Event<Input, Output> {
  type Kind = Event<Input, Output>;
  const ends = { before: undefined, after: undefined };
  const ordered: { readonly at: number; readonly event: Kind }[] = [];
  operations.forEach((operation, index) => {
    let answer: Kind | undefined;
    if (operation.answeredAt !== Infinity) {
      answer = { operation: undefined, index, answer: undefined, ...ends };
      ordered.push({ at: operation.answeredAt, event: answer });
    }
    ordered.push({ at: operation.askedAt, event: { operation, index, answer, ...ends } });
  });
  // Of events at one position questions come first: so their operations overlap, which allows more.
  const rank = ({ operation }: Kind): number => (operation === undefined ? 1 : 0);
  ordered.sort((a, b) => a.at - b.at || rank(a.event) - rank(b.event));
  const head: Kind = { operation: undefined, index: -1, answer: undefined, ...ends };
  let last = head;
  for (const { event } of ordered) {
    event.before = last;
    last.after = event;
    last = event;
  }
  return head;
}

function unlink<Input, Output>(event: Event<Input, Output>): void {
  if (event.before !== undefined) event.before.after = event.after;
  if (event.after !== undefined) event.after.before = event.before;
}

function relink<Input, Output>(event: Event<Input, Output>): void {
  if (event.before !== undefined) event.before.after = event;
  if (event.after !== undefined) event.after.before = event;
}

/** Which operations have a place, with a hash that follows each change. */
class BitSet {
  readonly words: Uint32Array;
  hash = 0;

  constructor(size: number) {
    this.words = new Uint32Array(Math.ceil(size / 32));
  }

  flip(index: number): void {
    this.words[index >>> 5] = (this.words[index >>> 5] ?? 0) ^ (1 << (index & 31));
    this.hash ^= Math.imul(index + 1, 0x9e3779b1) ^ (Math.imul(index + 1, 0x85ebca6b) >>> 13);
  }
}

/** Pairs of a set and a state; two with one hash are told apart by all their words. */
class SeenStates {
  readonly #byHash = new Map<number, { readonly words: Uint32Array; readonly key: string }[]>();

  /** False: it is here already. */
  add(done: BitSet, key: string): boolean {
    const bucket = this.#byHash.get(done.hash) ?? [];
    const isHere = bucket.some((seen) =>
      seen.key === key && seen.words.every((word, at) => word === done.words[at]));
    if (isHere) return false;
    bucket.push({ words: done.words.slice(), key });
    if (bucket.length === 1) this.#byHash.set(done.hash, bucket);
    return true;
  }
}
