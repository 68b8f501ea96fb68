import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBundle, readBundleHeader, writeBundle } from './bundle.js';
import { OxbowError, type Summary } from './index.js';
import { SPACE } from './testing/exchange-pair.js';
import { NaiveHolder } from './testing/naive-holder.js';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof OxbowError) return error.code;
    throw error;
  }
  return 'none';
};

function source(commits: number, tentative: number): NaiveHolder {
  const holder = new NaiveHolder('s', 'h1');
  for (let i = 0; i < commits + tentative; i++) holder.write({ i, when: new Date(i) });
  holder.commit(commits);
  return holder;
}

const BASE: Summary = { history: 'h1', csn: 3, vector: {} };

describe('a bundle', () => {
  it('brings a reader who holds nothing to what the writer held', () => {
    const from = source(5, 3);
    const to = new NaiveHolder('c');
    const text = writeBundle(SPACE, from);
    expect(readBundleHeader(text)).toEqual({
      space: SPACE, base: { history: '', csn: 0, vector: {} }, summary: from.summary(),
    });
    readBundle(text, to);
    expect(to.state()).toBe(from.state());
  });

  it('is harmless when read twice, or when the reader knows more', () => {
    const from = source(5, 3);
    const text = writeBundle(SPACE, from);
    from.trim(4);
    const whole = writeBundle(SPACE, from);
    expect(whole).toContain('"kind":"transfer"');
    for (const bundle of [text, whole]) {
      const to = new NaiveHolder('c');
      readBundle(bundle, to);
      const state = to.state();
      const heard = to.log.length;
      readBundle(bundle, to);
      readBundle(text, to);
      readBundle(whole, to);
      expect(to.state()).toBe(state);
      expect(to.log.length).toBe(heard);
      expect(state).toBe(from.state());
    }
  });

  it('holds only what a reader of its base lacks', () => {
    const from = source(5, 0);
    const text = writeBundle(SPACE, from, BASE);
    expect(text).not.toContain('"csn":3,"at"');
    const to = new NaiveHolder('c');
    expect(code(() => readBundle(text, to))).toBe('bundle-gap');
    expect(to.log).toEqual([]);
    readBundle(writeBundle(SPACE, source(3, 0)), to);
    readBundle(text, to);
    expect(to.state()).toBe(from.state());
  });

  it('is refused where updates that it builds on are missing', () => {
    const from = source(3, 2);
    const text = writeBundle(SPACE, from, { ...BASE, vector: from.summary().vector });
    const to = new NaiveHolder('c');
    readBundle(writeBundle(SPACE, source(3, 0)), to);
    expect(code(() => readBundle(text, to))).toBe('bundle-gap');
  });

  it('is refused by a reader in another history', () => {
    const to = new NaiveHolder('c', 'h2');
    expect(code(() => readBundle(writeBundle(SPACE, source(2, 0)), to))).toBe('bundle-gap');
  });

  it('carries the updates of a replica to a primary, its commits passed over', () => {
    const from = source(4, 0);
    const client = new NaiveHolder('c');
    readBundle(writeBundle(SPACE, from), client);
    client.write({ offline: true });
    readBundle(writeBundle(SPACE, client), from, 'updates');
    expect(from.known(client.self)).toBe(1);
    expect(from.csn).toBe(4);
  });

  it('hands on what the holder refuses with', () => {
    const to = new NaiveHolder('c');
    to.refusing = 'forbidden';
    expect(code(() => readBundle(writeBundle(SPACE, source(0, 2)), to))).toBe('forbidden');
  });

  it('says when no snapshot can be taken', () => {
    const from = source(4, 0);
    from.trim(4);
    from.canSnapshot = false;
    expect(code(() => writeBundle(SPACE, from))).toBe('bundle-unavailable');
  });

  it('is taken whole or not at all: any damage is noticed before anything is handed on', () => {
    const text = writeBundle(SPACE, source(4, 2));
    fc.assert(fc.property(
      fc.nat(text.length - 1), fc.string({ minLength: 0, maxLength: 3 }), fc.nat(5),
      (at, insert, cut) => {
        const damaged = text.slice(0, at) + insert + text.slice(at + cut);
        fc.pre(damaged.trimEnd() !== text.trimEnd());
        const to = new NaiveHolder('c');
        expect(code(() => readBundle(damaged, to))).toBe('bad-bundle');
        expect(to.log).toEqual([]);
      },
    ), { numRuns: 1000 });
  });

  it('cannot be any other file', () => {
    for (const text of ['', '\n', '{}', 'BEGIN:VCALENDAR\nEND:VCALENDAR\n', '[]\n[]\n']) {
      expect(code(() => readBundle(text, new NaiveHolder('c')))).toBe('bad-bundle');
    }
  });
});
