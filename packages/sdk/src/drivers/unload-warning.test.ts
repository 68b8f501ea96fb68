import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { warnBeforeUnload } from './unload-warning.js';

class Health {
  unsynced = 0;
  unsaved = 0;
  readonly #listeners = new Set<() => void>();

  subscribe(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  become(unsynced: number, unsaved: number): void {
    Object.assign(this, { unsynced, unsaved });
    for (const fn of this.#listeners) fn();
  }
}

describe('the question before a page is left', () => {
  let page: EventTarget;
  beforeEach(() => {
    page = new EventTarget();
    vi.stubGlobal('document', {});
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  });
  afterEach(() => vi.unstubAllGlobals());

  const asks = (): boolean => !page.dispatchEvent(new Event('beforeunload', { cancelable: true }));

  test('is asked while updates are unsaved, and no longer', () => {
    const health = new Health();
    const stop = warnBeforeUnload({ health });
    expect(asks()).toBe(false);
    health.become(2, 1);
    expect(asks()).toBe(true);
    health.become(2, 0);
    expect(asks()).toBe(false);
    health.become(3, 1);
    stop();
    expect(asks()).toBe(false);
    health.become(4, 1);
    expect(asks()).toBe(false);
  });

  test('is asked while updates are on this disk only, where that is wanted', () => {
    const health = new Health();
    warnBeforeUnload({ health }, { while: 'unsynced' });
    health.become(2, 0);
    expect(asks()).toBe(true);
    health.become(0, 0);
    expect(asks()).toBe(false);
  });

  test('goes by what is so at that moment, whatever was told last', () => {
    const health = new Health();
    warnBeforeUnload({ health });
    health.become(1, 1);
    health.unsaved = 0;
    expect(asks()).toBe(false);
  });

  test('listens only while there is something to lose: a page that always does is never kept in memory', () => {
    const listen = vi.spyOn(page, 'addEventListener');
    const health = new Health();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    warnBeforeUnload({ health });
    expect(listen).not.toHaveBeenCalled();
    health.become(1, 1);
    health.become(2, 2);
    expect(listen).toHaveBeenCalledTimes(1);
  });
});
