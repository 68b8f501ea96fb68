import { describe, expect, it } from 'vitest';
import { defineApp, mutation, observe, runQuery, table, Tables } from './index.js';
import * as modelLimits from './limits.js';

const ok = { name: 'test', version: 1, tables: {}, mutations: {} };
const things = table<{ readonly id: string; readonly room: string }>()({
  key: 'id', indexes: { byRoom: ['room'] },
});
const noop = mutation({ apply: () => undefined });

/** What a program without types may pass. */
const define = (options: unknown): unknown => Reflect.apply(defineApp, undefined, [options]);
const looseTable = (options: unknown): unknown => Reflect.apply(table, undefined, [options]);
const looseMutation = (options: unknown): unknown => Reflect.apply(mutation, undefined, [options]);

describe('defineApp', () => {
  it('keeps what it was given', () => {
    const app = defineApp({ name: 'test', version: 3, tables: { things }, mutations: { noop } });
    expect(app).toMatchObject({ name: 'test', version: 3 });
    expect(app.tables.things).toBe(things);
    expect([...app.definitions.keys()]).toEqual(['noop']);
    expect(app.shapes.get('things')).toMatchObject({
      name: 'things', key: 'id', indexes: [{ name: 'byRoom', fields: ['room'] }],
    });
  });

  const indexes = (fields: unknown): unknown => ({ a: looseTable({ key: 'id', indexes: { x: fields } }) });
  const many = (count: number): unknown =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, noop]));
  const refused: [string, unknown, string][] = [
    ['nothing', undefined, 'takes an object'],
    ['an app without a name', { ...ok, name: '' }, 'the name of the app'],
    ['an app with a name that is none', { ...ok, name: 'a b' }, 'the name of the app'],
    ['an app without a version', { ...ok, version: 0 }, 'the version of the app'],
    ['an app with half a version', { ...ok, version: 1.5 }, 'the version of the app'],
    ['an app without tables', { ...ok, tables: undefined }, 'tables is no object'],
    ['a table that is a plain object', { ...ok, tables: { a: { key: 'id' } } }, "table 'a' is not made by table"],
    ['a table that hides what tx offers', { ...ok, tables: { now: things } }, "table 'now'"],
    ['a table with a name of JavaScript', { ...ok, tables: { toString: things } }, 'means something'],
    ['a table without a key', { ...ok, tables: { a: looseTable({}) } }, 'the key of table'],
    ['an index of no fields', { ...ok, tables: indexes([]) }, "index 'x' of table 'a'"],
    ['an index that is no list', { ...ok, tables: indexes('room') }, "index 'x' of table 'a'"],
    ['an index that names a field twice', { ...ok, tables: indexes(['b', 'b']) }, 'names a field twice'],
    ['an index of too many fields', { ...ok, tables: indexes([...'abcdefghi']) }, 'too many fields'],
    ['a schema that is none', { ...ok, tables: { a: looseTable({ key: 'id', schema: {} }) } }, 'Standard Schema'],
    ['a mutation that is a plain object', { ...ok, mutations: { a: { apply: () => 1 } } }, "mutation 'a' is not made by"],
    ['a mutation without apply', { ...ok, mutations: { a: looseMutation({}) } }, 'has no apply'],
    ['a check that is no function', { ...ok, mutations: { a: looseMutation({ apply: () => 1, check: 1 }) } }, 'check of'],
    ['a rule that is no function', { ...ok, mutations: { a: looseMutation({ apply: () => 1, server: { after: 1 } }) } }, 'after of the server part'],
    ['args that are no schema', { ...ok, mutations: { a: looseMutation({ apply: () => 1, args: {} }) } }, 'args of'],
    ['a mutation of version 0', { ...ok, mutations: { a: looseMutation({ apply: () => 1, version: 0 }) } }, 'the version of'],
    ['a lift of its own version', { ...ok, mutations: { a: looseMutation({ apply: () => 1, upgrade: { 1: () => 1 } }) } }, 'not below its own'],
    ['a lift that is no function', { ...ok, mutations: { a: looseMutation({ apply: () => 1, version: 2, upgrade: { 1: 1 } }) } }, 'no function'],
    ['a mutation that await would call', { ...ok, mutations: { then: noop } }, 'means something'],
    ['too many mutations', { ...ok, mutations: many(modelLimits.mutationsMax + 1) }, 'mutations are more than'],
  ];
  it.each(refused)('refuses %s', (_name, options, message) => {
    expect(() => define(options)).toThrow(
      expect.objectContaining({ code: 'bad-app', message: expect.stringContaining(message) }),
    );
  });

  it('refuses a table() of something that is no object', () => {
    expect(() => looseTable('id')).toThrow(expect.objectContaining({ code: 'bad-app' }));
  });
});

describe('a query', () => {
  const app = defineApp({ ...ok, tables: { things } });
  const tables = new Tables(app);
  tables.apply([{ table: 'things', key: 'a', row: { id: 'a', room: 'blue' } }]);

  it('gives its result and what it read', () => {
    const { result, reads } = runQuery(app, tables, (tx) => tx.things.get('a')?.room);
    expect(result).toBe('blue');
    expect(reads.keys.get('things')).toEqual(new Set(['a']));
  });

  it('gives rows by reference', () => {
    expect(runQuery(app, tables, (tx) => tx.things.get('a')).result).toBe(tables.row('things', 'a'));
  });

  it('cannot write, and knows nothing of an update', () => {
    const write = (): unknown => runQuery(app, tables, (tx) => Reflect.get(tx.things, 'delete').call(tx.things, 'a'));
    expect(write).toThrow(expect.objectContaining({ code: 'tx-read-only' }));
    for (const name of ['now', 'user']) {
      const read = (): unknown => runQuery(app, tables, (tx) => Reflect.get(tx, name));
      expect(read).toThrow(expect.objectContaining({ code: 'tx-query' }));
    }
  });

  it('throws what it throws; observed, it tells what it had read until then', () => {
    const failing = (): never => runQuery(app, tables, () => { throw new RangeError('no'); }).result;
    expect(failing).toThrow(RangeError);
    const observed = observe(app, tables, (tx) => {
      Reflect.get(tx, 'things').get('b');
      throw new RangeError('no');
    });
    expect(observed).toMatchObject({ ok: false, error: { message: 'no' } });
    expect(observed.reads.keys.get('things')).toEqual(new Set(['b']));
  });

  it('cannot give out a scan to be read later', () => {
    const { result } = runQuery(app, tables, (tx) => tx.things.scan());
    expect(() => result.all()).toThrow(expect.objectContaining({ code: 'tx-ended' }));
  });
});
