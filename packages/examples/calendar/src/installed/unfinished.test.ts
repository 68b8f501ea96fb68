import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keepUnfinished, keptUnfinished, type Unfinished } from './unfinished.js';

const unfinished: Unfinished = {
  draft: {
    bookingId: 'b1', zone: 'Europe/Berlin', title: 'Review', notes: '',
    slot: { room: 'blue', start: 1, end: 2 }, wishes: [],
  },
  form: {
    title: 'Review of', notes: '',
    slot: { room: 'blue', date: '2026-10-25', from: '02:30', to: '03:30', fromFold: 'second' },
    wishes: [{ key: 'w', room: 'hall', date: '', from: '' }],
  },
};

describe('a form that has been begun', () => {
  const kept = new Map<string, string>();
  beforeEach(() => {
    kept.clear();
    vi.stubGlobal('sessionStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    });
  });
  afterEach(() => void vi.unstubAllGlobals());

  it('comes back as it was, to its owner only, until it is done', () => {
    keepUnfinished('team ann', unfinished);
    expect(keptUnfinished('team ann')).toMatchObject(unfinished);
    expect(keptUnfinished('team bob')).toBeUndefined();
    keepUnfinished('team ann', undefined);
    expect(keptUnfinished('team ann')).toBeUndefined();
  });

  it('is nothing when what is kept cannot be read, or nothing can be kept', () => {
    keepUnfinished('team ann', unfinished);
    for (const key of kept.keys()) kept.set(key, '{"owner":"team ann"');
    expect(keptUnfinished('team ann')).toBeUndefined();
    vi.stubGlobal('sessionStorage', {
      getItem: () => {
        throw new DOMException('no', 'SecurityError');
      },
    });
    expect(keptUnfinished('team ann')).toBeUndefined();
  });
});
