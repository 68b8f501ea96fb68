/**
 * The checker checked: histories known to be good and bad (those of Herlihy and Wing's paper among
 * them), and thousands of small random ones against an enumeration of all orders that is too plain
 * to be wrong.
 */
import { describe, expect, test } from 'vitest';
import { Random } from '../sim/random.js';
import { History, type Operation } from './history.js';
import { checkLinearizable, type Verdict } from './linearizability.js';
import {
  lists, registers, type ListInput, type ListOutput, type Model, type RegisterInput,
  type RegisterOutput,
} from './model.js';

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;
type ListOperation = Operation<ListInput, ListOutput>;

/** `[asked, answered]`; no second position: never answered. */
type Span = readonly [asked: number, answered?: number];

function spanned<Input, Output>(
  input: Input, output: Output, [askedAt, answeredAt = Infinity]: Span,
): Operation<Input, Output> {
  const isAnswered = answeredAt !== Infinity;
  return { client: 'c', input, output: isAnswered ? output : undefined, askedAt, answeredAt };
}

const write = (value: string, at: Span, key = 'x'): RegisterOperation =>
  spanned({ kind: 'write', key, value }, 'ok', at);
const read = (found: string, at: Span, key = 'x'): RegisterOperation =>
  spanned({ kind: 'read', key }, found, at);
const swap = (expected: string, value: string, isDone: boolean, at: Span): RegisterOperation =>
  spanned({ kind: 'swap', key: 'x', expected, value }, isDone, at);
const append = (value: string, at: Span): ListOperation =>
  spanned({ kind: 'append', key: 'x', value }, 'ok', at);
const list = (found: string, at: Span): ListOperation =>
  spanned({ kind: 'read', key: 'x' }, found, at);

const kindOf = <Input, Output>(verdict: Verdict<Input, Output>): string => verdict.kind;
const ofRegister = (...history: RegisterOperation[]): string =>
  kindOf(checkLinearizable(registers, history));
const ofList = (...history: ListOperation[]): string => kindOf(checkLinearizable(lists, history));

describe('good histories', () => {
  test('none at all', () => expect(ofRegister()).toBe('linearizable'));
  test('one after the other', () =>
    expect(ofRegister(write('a', [0, 1]), read('a', [2, 3]))).toBe('linearizable'));
  test('a read beside a write sees either', () => {
    expect(ofRegister(write('a', [0, 3]), read('', [1, 2]))).toBe('linearizable');
    expect(ofRegister(write('a', [0, 3]), read('a', [1, 2]))).toBe('linearizable');
  });
  test('a read that ends before the write is answered may see it', () =>
    expect(ofRegister(write('a', [0, 9]), read('', [1, 2]), read('a', [3, 4])))
      .toBe('linearizable'));
  test('two writes at once, in either order', () =>
    expect(ofRegister(write('a', [0, 3]), write('b', [1, 2]), read('a', [4, 5])))
      .toBe('linearizable'));
  test('a write of unknown outcome may take effect late', () =>
    expect(ofRegister(write('a', [0]), read('', [1, 2]), read('a', [3, 4]))).toBe('linearizable'));
  test('a write of unknown outcome may never take effect', () =>
    expect(ofRegister(write('a', [0]), read('', [1, 2]), read('', [3, 4]))).toBe('linearizable'));
  test('a swap of unknown outcome may have found what it expected', () =>
    expect(ofRegister(write('a', [0, 1]), swap('a', 'b', false, [2]), read('b', [3, 4])))
      .toBe('linearizable'));
  test('keys do not affect each other', () =>
    expect(ofRegister(write('a', [0, 1], 'x'), write('b', [2, 3], 'y'), read('a', [4, 5], 'x')))
      .toBe('linearizable'));
  test('a list as its appends came', () =>
    expect(ofList(append('a', [0, 3]), append('b', [1, 2]), list('b,a', [4, 5])))
      .toBe('linearizable'));
});

describe('bad histories', () => {
  test('a stale read', () =>
    expect(ofRegister(write('a', [0, 1]), write('b', [2, 3]), read('a', [4, 5])))
      .toBe('violation'));
  test('a value that nobody wrote', () => expect(ofRegister(read('a', [0, 1]))).toBe('violation'));
  test('a lost write', () =>
    expect(ofRegister(write('a', [0, 1]), read('', [2, 3]))).toBe('violation'));
  test('a read beside a write that goes back', () =>
    expect(ofRegister(write('a', [0, 9]), read('a', [1, 2]), read('', [3, 4]))).toBe('violation'));
  test('two that see two writes in different orders', () =>
    expect(ofRegister(
      write('a', [0, 9]), write('b', [1, 8]),
      read('a', [2, 3]), read('b', [4, 5]), read('a', [6, 7]),
    )).toBe('violation'));
  test('a write of unknown outcome that comes and goes', () =>
    expect(ofRegister(write('a', [0]), read('a', [1, 2]), read('', [3, 4]))).toBe('violation'));
  test('two swaps that both found the same', () =>
    expect(ofRegister(swap('', 'a', true, [0, 2]), swap('', 'b', true, [1, 3]))).toBe('violation'));
  test('each key alone is looked at', () =>
    expect(ofRegister(write('a', [0, 1], 'x'), write('b', [2, 3], 'y'), read('', [4, 5], 'y')))
      .toBe('violation'));
  test('a list with a value twice', () =>
    expect(ofList(append('a', [0, 1]), list('a,a', [2, 3]))).toBe('violation'));
  test('a list against the order of time', () =>
    expect(ofList(append('a', [0, 1]), append('b', [2, 3]), list('b,a', [4, 5])))
      .toBe('violation'));
  test('an acknowledged append that is gone', () =>
    expect(ofList(append('a', [0, 1]), append('b', [2, 3]), list('b', [4, 5]))).toBe('violation'));
});

test('a violation shows how far an order went and what was due then', () => {
  const history = [write('a', [0, 1]), write('b', [2, 3]), read('a', [4, 5])];
  const verdict = checkLinearizable(registers, history);
  expect(verdict).toMatchObject({ kind: 'violation', part: 'x', longest: history.slice(0, 2) });
  expect(verdict.kind === 'violation' && verdict.stuck).toEqual(history.slice(2));
});

/** No order explains the read, and nothing short of trying them all shows it. */
const hard = [
  ...Array.from({ length: 24 }, (_, i) => write(`${i}`, [0, 100])), read('never written', [0, 100]),
];

test('with more work than its bound it says that it gave up', () => {
  expect(checkLinearizable(registers, hard, 1_000)).toMatchObject({ kind: 'gave-up', part: 'x' });
});

test('a violation counts although another part was given up', () => {
  const verdict = checkLinearizable(registers, [...hard, read('a', [0, 1], 'y')], 1_000);
  expect(verdict).toMatchObject({ kind: 'violation', part: 'y' });
});

test('a recorded history keeps what is unknown and drops what was refused', () => {
  const history = new History<ListInput, ListOutput>();
  const first = history.asked('a', { kind: 'append', key: 'x', value: '1' });
  const second = history.asked('b', { kind: 'append', key: 'x', value: '2' });
  history.asked('c', { kind: 'append', key: 'x', value: '3' });
  first.answered('ok');
  second.refused();
  expect(history.operations()).toMatchObject([
    { client: 'a', askedAt: 0, answeredAt: 3 }, { client: 'c', askedAt: 2, answeredAt: Infinity },
  ]);
  expect(() => first.answered('ok')).toThrow('answered twice');
});

/** All orders of all subsets that hold every answered operation: the definition, word for word. */
function isLinearizableByEnumeration<State, Input, Output>(
  model: Model<State, Input, Output>, operations: readonly Operation<Input, Output>[],
): boolean {
  const extend = (state: State, left: readonly Operation<Input, Output>[]): boolean => {
    if (left.every(({ answeredAt }) => answeredAt === Infinity)) return true;
    return left.some((operation) => {
      const others = left.filter((other) => other !== operation);
      if (others.some(({ answeredAt }) => answeredAt < operation.askedAt)) return false;
      const next = model.step(state, operation.input, operation.output);
      return next !== undefined && extend(next, others);
    });
  };
  return extend(model.initial, operations);
}

function drawSpans(random: Random, count: number): Span[] {
  const width = random.pick([2, 6, 20]);
  return Array.from({ length: count }, () => {
    const asked = random.int(0, 20);
    return random.chance(0.2) ? [asked] : [asked, asked + random.int(1, width)];
  });
}

function drawRegisterHistory(random: Random): RegisterOperation[] {
  const value = (): string => random.pick(['', 'a', 'b', 'c']);
  return drawSpans(random, random.int(1, 7)).map((at): RegisterOperation => {
    const kind = random.int(0, 3);
    const key = random.pick(['x', 'y']);
    if (kind === 0) return read(value(), at, key);
    if (kind === 1) return write(value(), at, key);
    return swap(value(), value(), random.chance(0.5), at);
  });
}

/** A list that someone really kept, at moments that need not fit the spans: near the edge. */
function drawListHistory(random: Random): ListOperation[] {
  const kept: string[] = [];
  return drawSpans(random, random.int(1, 7)).map((at, index): ListOperation => {
    if (random.chance(0.5)) return list(kept.join(','), at);
    kept.push(`${index}`);
    return append(`${index}`, at);
  });
}

test('random register histories are judged as by enumeration of all orders', () => {
  const random = new Random(1);
  const verdicts = { linearizable: 0, violation: 0 };
  for (let i = 0; i < 6_000; i++) {
    const history = drawRegisterHistory(random);
    const parts = ['x', 'y'].map((part) => history.filter(({ input }) => input.key === part));
    const expected = parts.every((part) => isLinearizableByEnumeration(registers, part))
      ? 'linearizable' : 'violation';
    expect(checkLinearizable(registers, history).kind, JSON.stringify(history)).toBe(expected);
    verdicts[expected]++;
  }
  expect(Math.min(verdicts.linearizable, verdicts.violation)).toBeGreaterThan(1_000);
});

test('random list histories are judged as by enumeration of all orders', () => {
  const random = new Random(2);
  const verdicts = { linearizable: 0, violation: 0 };
  for (let i = 0; i < 6_000; i++) {
    const history = drawListHistory(random);
    const expected = isLinearizableByEnumeration(lists, history) ? 'linearizable' : 'violation';
    expect(checkLinearizable(lists, history).kind, JSON.stringify(history)).toBe(expected);
    verdicts[expected]++;
  }
  expect(Math.min(verdicts.linearizable, verdicts.violation)).toBeGreaterThan(500);
});

/** What a correct store would have answered: each operation takes effect somewhere in its span. */
function drawRealHistory(random: Random, count: number): ListOperation[] {
  const drawn = Array.from({ length: count }, (_, index) => {
    const askedAt = index + random.unit() * 4;
    const answeredAt = askedAt + random.unit() * 8;
    const effectAt = askedAt + random.unit() * (answeredAt - askedAt);
    return { index, askedAt, answeredAt, effectAt };
  });
  const kept: string[] = [];
  return drawn.sort((a, b) => a.effectAt - b.effectAt).map(({ index, askedAt, answeredAt }) => {
    if (random.chance(0.5)) return list(kept.join(','), [askedAt, answeredAt]);
    kept.push(`${index}`);
    return append(`${index}`, random.chance(0.1) ? [askedAt] : [askedAt, answeredAt]);
  });
}

test('long histories of a correct store are found linearizable in few steps', () => {
  const random = new Random(3);
  for (let i = 0; i < 20; i++) {
    const verdict = checkLinearizable(lists, drawRealHistory(random, 400));
    expect(verdict.kind).toBe('linearizable');
    expect(verdict.steps).toBeLessThan(20_000);
  }
});

test('one stale read in a long history is found', () => {
  const random = new Random(4);
  for (let i = 0; i < 20; i++) {
    const history = drawRealHistory(random, 400);
    const reads = history.filter(({ input }) => input.kind === 'read');
    const [first, last] = [reads[0]?.output ?? '', reads.at(-1)?.output ?? ''];
    expect(last.length).toBeGreaterThan(first.length);
    history.push(list(first, [1_000, 1_001]));
    const verdict = checkLinearizable(lists, history);
    expect(verdict.kind).toBe('violation');
    expect(verdict.steps).toBeLessThan(20_000);
  }
});
