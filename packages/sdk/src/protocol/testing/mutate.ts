/** Makes bad input out of good: for fuzzing decoders. All chance comes from the seed. */

export function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

type Chance = () => number;

const pick = <T>(random: Chance, items: readonly [T, ...T[]]): T =>
  items[Math.floor(random() * items.length)] ?? items[0];

const at = (random: Chance, text: string): number => Math.floor(random() * (text.length + 1));

const NASTY: readonly [string, ...string[]] = [
  'null', 'true', '[]', '{}', '""', '0', '-1', '-0', '1e999', '9007199254740993', '1.5', '1e21',
  '"__proto__"', '"constructor"', '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{}}}',
  '{"toString":1}', '{"length":4294967295}', '{"values":["map"],"v":1}', '{"values":["set"],"v":1}',
  '{"values":{"a.b.c":["Date"]},"v":1}', '{"values":{"__proto__.x":["bigint"]},"v":1}',
  '{"values":[["class","X"]],"v":1}', '{"values":[["typed-array","Float64Array"]],"v":1}',
  '{"referentialEqualities":[["a"]],"v":1}', '"\\ud800"', '"\\u0000"', '[[[[[[[[[[]]]]]]]]]]',
];

type Mutation = (random: Chance, text: string) => string;

const mutations: readonly [Mutation, ...Mutation[]] = [
  // A bit flips.
  (random, text) => {
    const i = at(random, text);
    const bit = 1 << Math.floor(random() * 8);
    const flipped = String.fromCharCode((text.charCodeAt(i) || 0) ^ bit);
    return text.slice(0, i) + flipped + text.slice(i + 1);
  },
  // It ends early, or begins late.
  (random, text) => text.slice(0, at(random, text)),
  (random, text) => text.slice(at(random, text)),
  // A stretch is missing, or there twice.
  (random, text) => {
    const i = at(random, text);
    return text.slice(0, i) + text.slice(i + Math.floor(random() * 20));
  },
  (random, text) => {
    const [i, n] = [at(random, text), Math.floor(random() * 40)];
    return text.slice(0, i + n) + text.slice(i);
  },
  // A value becomes another one of another type.
  swapValue, swapValue, swapValue,
  // A key becomes another one.
  (random, text) => replaceSome(random, text, /"([A-Za-z]+)":/g, () =>
    `${pick(random, ['"__proto__"', '"kind"', '"argsMeta"', '"rowMeta"', '"x"', '"toString"'])}:`),
  // A number becomes huge.
  (random, text) => replaceSome(random, text, /-?\d+/g, () =>
    pick(random, ['99999999999999999999', '-5', '1e400', '0.1', '2147483648', '4503599627370497'])),
  // A value becomes deep.
  (random, text) => replaceSome(random, text, /"[^"]*"|\d+/g, () => {
    const depth = Math.floor(random() * 200);
    return `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
  }),
];

function swapValue(random: Chance, text: string): string {
  const values = /:("[^"]*"|-?\d+|true|null|\[\]|\{\})/g;
  return replaceSome(random, text, values, () => `:${pick(random, NASTY)}`);
}

/** Replaces one place that matches, by chance. */
function replaceSome(random: Chance, text: string, pattern: RegExp, make: () => string): string {
  const places = [...text.matchAll(pattern)];
  const place = places[Math.floor(random() * places.length)];
  if (place === undefined) return text;
  return text.slice(0, place.index) + make() + text.slice(place.index + place[0].length);
}

/** One to three mutations of a valid text. */
export function mutate(random: Chance, valid: string): string {
  let text = valid;
  for (let i = Math.floor(random() * 3); i >= 0; i--) text = pick(random, mutations)(random, text);
  return text;
}

const WORDS: readonly [string, ...string[]] = [
  '{', '}', '[', ']', ',', ':', '"kind"', '"updates"', '"commits"', '"space"', '"a"', '1', 'null',
  '"entries"', '"args"', '"argsMeta"', '\n', '\u0000', '\ud800', '"__proto__"', ...NASTY,
];

/** JSON-like noise, or any chars at all. */
export function randomFrame(random: Chance): string {
  const length = Math.floor(random() * 60);
  const char = (): string => random() < 0.5
    ? pick(random, WORDS) : String.fromCharCode(Math.floor(random() * 0x1_0000));
  return Array.from({ length }, char).join('');
}
