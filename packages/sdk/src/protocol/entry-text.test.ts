import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appliedEntry, bareEntry, decodeBatch, decodeEntry, decodeRows, encodeBatch, encodeEntry, encodeRow, isWellFormed, limits, MadeEntry, OxbowError, readBatch,
  type AppliedEntry, type CommitEntry, type Row,
} from './index.js';
import { ledgerLineOf } from './ledger-line.js';
import { bare, entry, rejected, S } from './testing/sample.js';
import { valueForm } from './value.js';

/** What the plain way finds. */
function expected(text: string) {
  const decoded = decodeEntry(text);
  const { csn, at, lamport, effects } = decoded;
  const rows = effects.map(({ table, key, row }) =>
    ({ table, key, text: row === null ? null : encodeRow([key, row]) }));
  return { csn, at, lamport, ledgerLine: ledgerLineOf(decoded), rows, text };
}

/** Two texts may mean the same: a slash and an escaped one. */
const meant = ({ rows, ...rest }: AppliedEntry) => ({
  ...rest, text: '',
  rows: rows.map((row) => ({ ...row, text: row.text === null ? null : decodeRows(`[${row.text}]`) })),
});

const codeOf = (task: () => unknown): string => {
  try {
    task();
  } catch (error) {
    if (error instanceof OxbowError) return error.code;
    throw error;
  }
  return 'no error';
};

const lazy = (text: string): CommitEntry => {
  const [batch] = readBatch(`["${S}",1]\n${text}\n`);
  const [found] = batch?.entries ?? [];
  if (found === undefined) throw new Error('no entry');
  return found;
};

const travels = (value: unknown): boolean => codeOf(() => valueForm(value)) === 'no error';
const rowArbitrary = fc.dictionary(fc.string(), fc.anything({
  withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 3,
})).filter(travels);
const keyArbitrary = fc.string({ unit: 'grapheme' }).filter(isWellFormed);

/** Rows whose texts are made when they are asked for, as those that have them. */
const plainly = (entry: AppliedEntry): AppliedEntry =>
  ({ ...entry, rows: entry.rows.map(({ table, key, text }) => ({ table, key, text })) });

describe('an entry read off its text', () => {
  for (const [name, one] of [['plain', entry], ['refused', rejected], ['without body', bareEntry(entry)]] as const) {
    it(`is what the plain way finds: ${name}`, () => {
      const text = encodeEntry(one);
      expect(appliedEntry(lazy(text))).toEqual(expected(text));
      expect(appliedEntry(one)).toEqual(expected(text));
    });
  }

  it('is what the plain way finds where it is made: whole, bare, and row by row', () => {
    const { body } = rejected;
    if (body === undefined) throw new Error('a sample without body');
    const text = encodeEntry(rejected);
    const made = new MadeEntry({ ...rejected, body });
    expect(encodeEntry(made)).toBe(text);
    expect(encodeEntry(bareEntry(made))).toBe(encodeEntry(bareEntry(rejected)));
    expect({ ...bareEntry(made) }).toEqual(bareEntry(rejected));
    expect(plainly(appliedEntry(made))).toEqual(expected(text));
  });

  it('is what the plain way finds, whatever rows and keys there are', () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(keyArbitrary, fc.option(rowArbitrary)), { maxLength: 4 }),
      fc.option(fc.string({ maxLength: 40 })), fc.anything().filter(travels),
      (rows, user, args) => {
        const effects = rows.map(([key, row]) => ({
          // reason: fast-check knows rows as plain dictionaries.
          table: 'booking', key, row: row as Row | null,
        }));
        const body = { ...entry.body, context: { csn: 1, vector: {} }, name: 'n', version: 1, at: 7, args };
        const text = encodeEntry({ ...entry, user, effects, body });
        const made = new MadeEntry({ ...entry, user, effects, body });
        expect(encodeEntry(made)).toBe(text);
        expect(plainly(appliedEntry(made))).toEqual(expected(text));
        const found = lazy(text);
        expect(appliedEntry(found)).toEqual(expected(text));
        expect({ ...decodeEntry(encodeEntry(found)) }).toEqual(decodeEntry(text));
      },
    ), { numRuns: 300 });
  });

  it('is taken the plain way where the text is older: no time beside the body', () => {
    const text = encodeEntry(bare);
    expect(text).not.toContain('madeAt');
    expect(appliedEntry(lazy(text))).toEqual(expected(text));
    const reordered = JSON.stringify({ at: 1, ...JSON.parse(encodeEntry(entry)) });
    expect(appliedEntry(lazy(reordered)).csn).toBe(entry.csn);
  });

  it('can be looked into like any other', () => {
    const text = encodeEntry(rejected);
    const { csn, at, id, lamport, user, outcome, effects, body, madeAt } = lazy(text);
    const decoded = decodeEntry(text);
    expect({ csn, at, lamport, user, outcome, effects, body, madeAt: madeAt ?? body?.at })
      .toEqual({ ...decoded, id: undefined, madeAt: decoded.body?.at });
    expect({ ...id }).toMatchObject(decoded.id);
    expect(encodeEntry(lazy(text))).toBe(text);
  });

  it('never comes out of damaged text as something else than the plain way would find', () => {
    const text = encodeEntry(entry);
    // From there on the text says the same time twice; damage that makes it two times is the log's
    // to find.
    const head = text.indexOf(',"madeAt":');
    for (let at = 0; at < head; at++) {
      for (const char of ['"', '}', '9', '\\']) {
        const damaged = text.slice(0, at) + char + text.slice(at + 1);
        const plain = codeOf(() => decodeEntry(damaged));
        if (plain !== 'no error') continue;
        expect(meant(appliedEntry(lazy(damaged)))).toEqual(meant(expected(damaged)));
      }
    }
  });
});

describe('a batch', () => {
  const batches = [{ space: S, entries: [entry, rejected] }, { space: S, entries: [] }];

  it('is a line for each entry, so that its end is found without reading it', () => {
    const lines = encodeBatch(batches).split('\n');
    expect(lines).toEqual([`["${S}",2]`, encodeEntry(entry), encodeEntry(rejected), `["${S}",0]`, '']);
  });

  it('keeps a line break that is part of a value within its line', () => {
    const broken = { ...entry, effects: [{ table: 't', key: 'a\nb', row: { text: 'c\r\n\u2028d' } }] };
    const text = encodeBatch([{ space: S, entries: [broken] }]);
    expect(decodeBatch(text)[0]?.entries[0]?.effects).toEqual(broken.effects);
    expect(readBatch(text)[0]?.entries[0]?.effects).toEqual(broken.effects);
  });

  it('may be empty', () => {
    expect([encodeBatch([]), decodeBatch(''), readBatch('')]).toEqual(['', [], []]);
  });

  it('is read as logs held it before', () => {
    const old = `[{"space":"${S}","entries":[${encodeEntry(entry)},${encodeEntry(rejected)}]}]`;
    expect(decodeBatch(old)).toEqual([{ space: S, entries: [entry, rejected] }]);
    expect(readBatch(old)).toEqual(decodeBatch(old));
    expect(readBatch('[]')).toEqual([]);
  });

  for (const [what, text] of [
    ['a line that is missing', `["${S}",2]\n${encodeEntry(entry)}\n`],
    ['no line break at the end', `["${S}",1]\n${encodeEntry(entry)}`],
    ['a head that is none', `{"space":"${S}"}\n`], ['a space that is none', '["a b",0]\n'],
    ['a count that is none', `["${S}",-1]\n`], ['an entry that is none', `["${S}",1]\n{}\n`],
    ['nothing but noise', 'noise\n'],
  ] as const) {
    it(`is refused with ${what}`, () => {
      expect([codeOf(() => decodeBatch(text)), codeOf(() => readBatch(text))])
        .toEqual(['bad-message', 'bad-message']);
    });
  }

  it('is refused when it names too many spaces', () => {
    const text = `["${S}",0]\n`.repeat(limits.spacesPerBatchMax + 1);
    expect(codeOf(() => readBatch(text))).toBe('bad-message');
  });
});
