import fc from 'fast-check';
import { SuperJSON } from 'superjson';
import { describe, expect, it } from 'vitest';
import {
  bareEntry, decodeBatch, decodeEntry, decodeMessage, decodeUpdate, encodeBatch, encodeEntry,
  encodeMessage, encodeUpdate, limits, OxbowError, valueForm, type Message,
} from './index.js';
import { decodeValue, encodeValue } from './value.js';
import { entry, messages, plainUpdate, R, richUpdate, richValue, S } from './testing/sample.js';

/** What a decoder throws, as `code: message`. */
function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof OxbowError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no complaint';
}

const withArgs = (args: string, meta?: string): string => {
  const rest = { ...plainUpdate, args: undefined };
  const fields = meta === undefined ? `"args":${args}` : `"args":${args},"argsMeta":${meta}`;
  return `${JSON.stringify(rest).slice(0, -1)},${fields}}`;
};

describe('messages as text', () => {
  for (const message of messages) {
    it(`carries '${message.kind}' there and back: ${encodeMessage(message).slice(0, 60)}`, () => {
      const frame = encodeMessage(message);
      expect(decodeMessage(frame)).toEqual(message);
      expect(encodeMessage(decodeMessage(frame))).toBe(frame);
    });
  }

  it('ignores fields that a newer side may have added', () => {
    expect(decodeMessage('{"kind":"ping","later":1}')).toEqual({ kind: 'ping' });
  });

  it('says where a field is wrong', () => {
    const entries = [entry, entry];
    const frame = encodeMessage({ kind: 'commits', space: S, history: 'h1', entries });
    const broken = frame.replace(/"key":"s:b1"(?!.*"key":"s:b1")/, '"key":7');
    const said = complaint(() => decodeMessage(broken));
    expect(said).toContain('entries[1].effects[0].key is not a string');
    expect(said).toContain('bad-message');
  });

  it('refuses a frame beyond the bound without parsing it', () => {
    expect(complaint(() => decodeMessage(' '.repeat(limits.frameCharsMax + 1))))
      .toContain('message-too-large');
  });

  it('refuses to encode what nobody would take', () => {
    const update = { ...plainUpdate, args: 'x'.repeat(limits.updateCharsMax) };
    expect(complaint(() => encodeUpdate(update))).toContain('message-too-large');
  });

  const refused: readonly [string, string][] = [
    ['no JSON', '{"kind":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an unknown kind', '{"kind":"shout"}'],
    ['a kind that is an inherited name', '{"kind":"constructor"}'],
    ['a kind that is no string', '{"kind":{"a":1}}'],
    ['a space named __proto__', '{"kind":"leave","space":"__proto__"}'],
    ['a space named constructor', '{"kind":"leave","space":"constructor"}'],
    ['a space with a zero char', '{"kind":"leave","space":"a\\u0000b"}'],
    ['an empty space', '{"kind":"leave","space":""}'],
    ['a fraction for a number', '{"kind":"ack","received":1.5}'],
    ['a negative number', '{"kind":"ack","received":-1}'],
    ['an unsafe number', '{"kind":"ack","received":9007199254740993}'],
    ['infinity', '{"kind":"ack","received":1e999}'],
    ['a barrier without a number', '{"kind":"barrier","space":"a"}'],
    ['a barrier numbered zero', '{"kind":"barrier","space":"a","id":0}'],
    ['an answer to a barrier below zero', '{"kind":"barrier-at","space":"a","id":1,"csn":-1}'],
    ['a barrier that failed without a code', '{"kind":"barrier-failed","space":"a","id":1}'],
    ['a version range upside down',
      '{"kind":"hello","versions":[2,1],"app":"a","appVersion":1,"replica":"r"}'],
    ['a summary with commits of no history',
      '{"kind":"open","space":"a","round":1,"wants":"all","settledSeq":0,' +
      '"summary":{"history":"","csn":1,"vector":{}}}'],
    ['a vector with __proto__',
      '{"kind":"open","space":"a","round":1,"wants":"all","settledSeq":0,' +
      '"summary":{"history":"h","csn":1,"vector":{"__proto__":1}}}'],
    ['a vector with toString',
      '{"kind":"open","space":"a","round":1,"wants":"all","settledSeq":0,' +
      '"summary":{"history":"h","csn":1,"vector":{"toString":1}}}'],
    ['a row key of half a character',
      '{"kind":"page","space":"a","csn":1,"index":0,"table":"t","hash":"h",' +
      '"rows":[["\\ud800",{}]]}'],
    ['a row that is a list',
      '{"kind":"page","space":"a","csn":1,"index":0,"table":"t","hash":"h","rows":[["k",[]]]}'],
    ['a row that becomes a Map',
      '{"kind":"page","space":"a","csn":1,"index":0,"table":"t","hash":"h",' +
      '"rows":[["k",{},{"values":["map"],"v":1}]]}'],
  ];
  for (const [what, frame] of refused) {
    it(`refuses ${what}`, () => {
      expect(complaint(() => decodeMessage(frame))).toContain('bad-message');
    });
  }
});

describe('the address that a refused link is sent on to', () => {
  const fail = (redirect: unknown): string =>
    JSON.stringify({ kind: 'fail', code: 'not-leader', message: '', redirect });

  for (const url of [
    'ws://127.0.0.1:8787/sync', 'wss://b.example/sync?zone=2', 'http://[::1]:80', 'https://b.example',
  ]) {
    it(`may be ${url}`, () => {
      expect(decodeMessage(fail(url))).toMatchObject({ redirect: url });
    });
  }

  for (const [what, url] of [
    ['another scheme', 'javascript://alert(1)'], ['a path only', '/sync'], ['empty', ''],
    ['a number', 7], ['without a host', 'ws:///sync'], ['with a user name', 'ws://good@evil.example/'],
    ['with a backslash for a slash', 'ws://good\\evil.example/'],
    ['with a fragment', 'ws://b.example/#x'], ['with a blank', 'ws://b.example/a b'],
    ['with a line break', 'ws://b.example/\n'], ['beyond ASCII', 'ws://bü.example/'],
    ['longer than the bound', `ws://b.example/${'x'.repeat(limits.urlCharsMax)}`],
  ] as const) {
    it(`is not one ${what}`, () => {
      expect(complaint(() => decodeMessage(fail(url)))).toContain('redirect is not an address');
    });
  }
});

describe('updates and entries as text', () => {
  it('makes the text of an entry once, with and without its body', () => {
    const full = encodeEntry(entry);
    expect(bareEntry(entry)).toBe(bareEntry(entry));
    expect(encodeEntry(bareEntry(entry)).length).toBeLessThan(full.length);
    expect(decodeEntry(full)).toEqual(entry);
    expect(decodeEntry(encodeEntry(bareEntry(entry)))).not.toHaveProperty('body');
  });

  it('carries batches of many spaces', () => {
    const batches = [{ space: S, entries: [entry] }, { space: S, entries: [] }];
    expect(decodeBatch(encodeBatch(batches))).toEqual(batches);
  });

  it('leaves plain values as plain JSON and marks only the others', () => {
    expect(encodeUpdate(plainUpdate)).not.toContain('Meta');
    expect(encodeUpdate(richUpdate)).toContain('"argsMeta":{"values":');
  });

  it('writes the form that superjson itself reads', () => {
    const { args, argsMeta } = JSON.parse(encodeUpdate(richUpdate));
    expect(new SuperJSON().deserialize({ json: args, meta: argsMeta })).toEqual(richValue);
  });

  it('writes of any value what superjson writes, and reads as superjson reads', () => {
    const travels = fc.anything({
      withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 4,
      withNullPrototype: true, withTypedArray: false, withSparseArray: false,
      key: fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('a.b', '\\', 'a\\.b', '', '0')),
    }).filter((value) => complaint(() => valueForm(value)) === 'no complaint');
    const superjson = new SuperJSON();
    fc.assert(fc.property(travels, (args) => {
      const { json, meta } = encodeValue(args);
      // What superjson says of shared objects besides is left out here: values are trees.
      const theirs = superjson.serialize(args);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(theirs.json)));
      expect(meta && JSON.parse(meta).values).toEqual(theirs.meta?.values);
      const read = { json: JSON.parse(json), meta: meta && JSON.parse(meta) };
      expect(superjson.deserialize(read)).toEqual(decodeValue(JSON.parse(json), read.meta, ''));
    }), { numRuns: 2000 });
  });

  it('carries a shared object as two: values are trees', () => {
    const shared = { when: new Date(3) };
    const update = { ...plainUpdate, args: [shared, shared] };
    expect(encodeUpdate(update)).not.toContain('referentialEqualities');
    expect(decodeUpdate(encodeUpdate(update))).toEqual(update);
  });

  it('carries any value that travels, there and back', () => {
    const travels = fc.anything({
      withBigInt: true, withDate: true, withMap: true, withSet: true, maxDepth: 4,
      withNullPrototype: false, withTypedArray: false, withSparseArray: false,
    }).filter((value) => complaint(() => valueForm(value)) === 'no complaint');
    fc.assert(fc.property(travels, (args) => {
      const update = { ...plainUpdate, args };
      const text = encodeUpdate(update);
      expect(decodeUpdate(text)).toEqual(update);
      expect(encodeUpdate(decodeUpdate(text))).toBe(text);
    }), { numRuns: 2000 });
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  class Money {}
  const stay: readonly [string, unknown][] = [
    ['a function', { f: () => 1 }], ['a symbol', Symbol('s')], ['a cycle', cycle],
    ['an instance of a class', new Money()], ['an invalid date', new Date(NaN)],
    ['an array with holes', Array(3)], ['bytes', new Uint8Array(2)],
    ['a key that pollutes', JSON.parse('{"__proto__":1}')],
    ['a key that superjson refuses', { constructor: 1 }],
    ['an endless bigint', 10n ** BigInt(limits.bigintDigitsMax)],
    ['a symbol deep in a map', new Map([['a', new Set([Symbol('x')])]])],
  ];
  for (const [what, args] of stay) {
    it(`says that ${what} cannot travel`, () => {
      expect(complaint(() => encodeUpdate({ ...plainUpdate, args }))).toContain('bad-value');
    });
  }
});

describe('meta from a stranger', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const refused: readonly [string, string, string?][] = [
    ['a path to __proto__', '{"a":1}', '{"values":{"__proto__.x":["Date"]},"v":1}'],
    ['a path to constructor', '{"a":1}',
      '{"values":{"constructor.prototype.x":["undefined"]},"v":1}'],
    ['an inherited path', '{"a":1}', '{"values":{"toString":["undefined"]},"v":1}'],
    ['a path that leads nowhere', '{"a":1}', '{"values":{"b":["Date"]},"v":1}'],
    ['a path into the length of a list', '{"a":[1]}', '{"values":{"a.length":["number"]},"v":1}'],
    ['a class', '{"a":1}', '{"values":{"a":[["class","Money"]]},"v":1}'],
    ['a symbol', '{"a":"s"}', '{"values":{"a":[["symbol","s"]]},"v":1}'],
    ['a custom type', '{"a":"s"}', '{"values":{"a":[["custom","s"]]},"v":1}'],
    ['a typed array of a huge length', '{"a":4294967296}',
      '{"values":{"a":[["typed-array","Float64Array"]]},"v":1}'],
    ['an error', '{"a":{"message":"x"}}', '{"values":{"a":["Error"]},"v":1}'],
    ['a URL', '{"a":"http://x"}', '{"values":{"a":["URL"]},"v":1}'],
    ['a type that does not fit', '{"a":[1]}', '{"values":{"a":["map"]},"v":1}'],
    ['a date that is none', '{"a":"2020-13-45T99:99:99.999Z"}', '{"values":{"a":["Date"]},"v":1}'],
    ['a bigint that is none', '{"a":"1e9"}', '{"values":{"a":["bigint"]},"v":1}'],
    ['an expression that does not compile', '{"a":"/(/"}', '{"values":{"a":["regexp"]},"v":1}'],
    ['a place named twice', '{"a":[["k","2020-01-01T00:00:00.000Z"]]}',
      '{"values":{"a":["map"],"a.0.1":["Date"]},"v":1}'],
    ['shared objects', '{"a":1,"b":null}', '{"referentialEqualities":{"a":["b"]},"v":1}'],
    ['another version', '{"a":null}', '{"values":{"a":["undefined"]},"v":0}'],
    ['a meta that is a list', '{"a":null}', '[]'],
    ['values nested too deeply', nested(limits.valueDepthMax + 1)],
    ['values nested absurdly', nested(100_000)],
    ['a key that pollutes', '{"a":{"__proto__":{"polluted":true}}}'],
    ['an escaped key that pollutes', '{"a":{"\\u005f_proto__":{"polluted":true}}}'],
  ];
  for (const [what, args, meta] of refused) {
    it(`refuses ${what}`, () => {
      expect(complaint(() => decodeUpdate(withArgs(args, meta)))).toContain('bad-message');
      expect(Object.prototype).not.toHaveProperty('polluted');
    });
  }

  it('takes time in proportion to a map, however many of its entries need work', () => {
    const map = new Map(Array.from({ length: 15_000 }, (_, i) => [i, new Date(i)]));
    const update = { ...plainUpdate, args: map };
    expect(decodeUpdate(encodeUpdate(update)).args).toEqual(map);
  });
});

describe('names that plain objects answer to', () => {
  it('are no replica ids, so that looking one up in a vector is always a number or nothing', () => {
    const message: Message = { kind: 'welcome', version: 1, replica: R, user: null };
    for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__']) {
      const frame = encodeMessage(message).replace(R, name);
      expect(complaint(() => decodeMessage(frame))).toContain('is not a replica id');
    }
  });
});
