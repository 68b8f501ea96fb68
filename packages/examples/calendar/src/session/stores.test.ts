import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { derivedStore, liveStore, type Live } from './stores.js';

class FakeLive implements Live<number> {
  closed = false;
  readonly #listeners = new Set<() => void>();
  get = () => 1;
  subscribe = (fn: () => void) => {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  };
  close = () => {
    this.closed = true;
  };
}

describe('a store over a live query', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('opens at the first look and closes when nobody watches', () => {
    const opened: FakeLive[] = [];
    const store = liveStore(() => {
      const live = new FakeLive();
      opened.push(live);
      return live;
    });
    expect(opened).toHaveLength(0);
    expect(store.get()).toBe(1);
    const stop = store.subscribe(() => undefined);
    vi.advanceTimersByTime(60_000);
    expect(opened.map((l) => l.closed)).toEqual([false]);
    stop();
    vi.advanceTimersByTime(60_000);
    expect(opened.map((l) => l.closed)).toEqual([true]);
    store.get();
    expect(opened).toHaveLength(2);
    vi.advanceTimersByTime(60_000);
    expect(opened[1]?.closed).toBe(true);
  });

  it('one watcher that goes does not take the query from the other', () => {
    const live = new FakeLive();
    const store = liveStore(() => live);
    const first = store.subscribe(() => undefined);
    store.subscribe(() => undefined);
    first();
    vi.advanceTimersByTime(60_000);
    expect(live.closed).toBe(false);
  });
});

describe('a derived store', () => {
  it('computes again only when an input is another one', () => {
    let list: readonly number[] = [1, 2];
    const compute = vi.fn(([numbers]: readonly [readonly number[]]) => numbers.map((n) => n * 2));
    const store = derivedStore(
      () => [list],
      compute,
      () => () => undefined,
    );
    expect(store.get()).toBe(store.get());
    list = [3];
    expect(store.get()).toEqual([6]);
    expect(compute).toHaveBeenCalledTimes(2);
  });
});
