/**
 * Keys as text. Rows stand in one total order that every engine, disk and wire must agree on:
 *
 *   null < false < true < numbers < bigints < dates < strings
 *
 * Numbers and bigints by size (-0 is 0, no NaN), dates by time, strings by code point. A key
 * becomes a text that JavaScript's `<` and a comparison of UTF-8 bytes both sort in this order, so
 * that no store needs a comparator of ours. UTF-16 alone does not do: U+FF01 follows U+1F600 there.
 * What cannot stand as it is moves:
 *
 *   U+0000, U+0001        → U+0001 and U+0001 or U+0002; U+0000 is left for joining parts
 *   U+D7FF … U+FFFF       → U+D7FF and a char of U+0100 … U+2900 (lone surrogates included)
 *
 * An ordinary string is its own text. All others begin with a tag below U+0009; so does a string
 * that is empty or begins with a char below U+0009. Numbers are the 64 bits of the double, turned
 * so that they ascend, in digits of 6 bits.
 */
import { OxbowError } from '../protocol/index.js';
import type { KeyText, Row, Value } from '../protocol/index.js';
import * as modelLimits from './limits.js';

/** What can be a key or stand in an indexed field. */
export type Key = null | boolean | number | bigint | Date | string;

const SEPARATOR = '\u0000';
const AFTER_SEPARATOR = '\u0001';
const LOW_ESCAPE = '\u0001';
const HIGH_ESCAPE = '\uD7FF';
const HIGH_FROM = 0xd7ff;
/** Moves U+D7FF … U+FFFF to U+0100 … U+2900, below the surrogates. */
const HIGH_SHIFT = HIGH_FROM - 0x100;

const NULL_TEXT = '\u0002';
const FALSE_TEXT = '\u0003';
const TRUE_TEXT = '\u0004';
const NUMBER_TAG = '\u0005';
const BIGINT_TAG = '\u0006';
const DATE_TAG = '\u0007';
const STRING_TAG = '\u0008';
const TAG_LAST = 0x08;

/** With every char escaped, and a tag, it has its place still. */
const SURELY_SHORT = modelLimits.keyCharsMax / 2;

/**
 * The text of a key. Errors: `bad-key` for NaN, invalid dates, other types, and what is too long.
 */
export function keyText(value: Value): KeyText {
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'number') return NUMBER_TAG + numberDigits(value);
  if (value === null) return NULL_TEXT;
  if (value === true) return TRUE_TEXT;
  if (value === false) return FALSE_TEXT;
  if (typeof value === 'bigint') return BIGINT_TAG + bigintDigits(value);
  if (value instanceof Date) return DATE_TAG + numberDigits(value.getTime());
  throw badKey(value === undefined ? 'undefined' : `a value of type ${typeof value}`);
}

/** The key that a text stands for. Errors: `bad-key` for a text that `keyText` never makes. */
export function keyValue(text: KeyText): Key {
  if (text === '') throw badText(text);
  if (text.charCodeAt(0) > TAG_LAST) return unescaped(text);
  const rest = text.slice(1);
  switch (text.charAt(0)) {
    case NULL_TEXT:
      return null;
    case FALSE_TEXT:
      return false;
    case TRUE_TEXT:
      return true;
    case NUMBER_TAG:
      return numberOf(rest, text);
    case BIGINT_TAG:
      return bigintOf(rest, text);
    case DATE_TAG:
      return new Date(numberOf(rest, text));
    case STRING_TAG:
      return unescaped(rest);
    default:
      throw badText(text);
  }
}

/**
 * Parts joined so that a prefix of parts is a prefix of the text. A missing part counts as null.
 */
export function prefixText(parts: readonly Value[]): KeyText {
  let text = '';
  for (let i = 0; i < parts.length; i++) {
    if (i > 0) text += SEPARATOR;
    text += partText(parts[i]);
  }
  return text;
}

/**
 * A row's place in an index: its indexed values, then its primary key, which makes it unique. Never
 * fails, as rows that other versions of the app wrote must find a place, too: what cannot be a key
 * stands as null.
 */
export function indexKey(fields: readonly string[], row: Row, primaryKey: KeyText): KeyText {
  let text = '';
  for (const field of fields) text += fieldText(row[field]) + SEPARATOR;
  return text + primaryKey;
}

/** As it stands in an index; never fails. */
export function fieldText(value: Value): KeyText {
  if (value === undefined) return NULL_TEXT;
  try {
    return keyText(value);
  } catch {
    return NULL_TEXT;
  }
}

/** As `keyText`, without its text. Errors: `bad-key`. */
export function mustBeKey(value: Value): void {
  const isSure = typeof value === 'string'
    ? value.length < SURELY_SHORT
    : typeof value === 'number' && !Number.isNaN(value);
  if (!isSure) keyText(value);
}

/** A missing part counts as null. Errors: `bad-key`. */
const partText = (value: Value): KeyText => keyText(value === undefined ? null : value);

/** The first text after all that begin with these parts. */
export const afterPrefix = (prefix: KeyText): KeyText => prefix + AFTER_SEPARATOR;

/** The smallest text above this one. */
export const afterPlace = (place: KeyText): KeyText => place + SEPARATOR;

/** For sorting lists by key text. */
export function compareTexts(a: KeyText, b: KeyText): number {
  if (a < b) return -1;
  return a === b ? 0 : 1;
}

function stringText(value: string): KeyText {
  const length = value.length;
  if (length > modelLimits.keyCharsMax) throw tooLong(length);
  if (length === 0) return STRING_TAG;
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x02 || code >= HIGH_FROM) return escaped(value);
  }
  return value.charCodeAt(0) <= TAG_LAST ? STRING_TAG + value : value;
}

function escaped(value: string): KeyText {
  let text = value.charCodeAt(0) <= TAG_LAST ? STRING_TAG : '';
  for (const point of value) {
    const code = point.charCodeAt(0);
    if (code < 0x02) text += LOW_ESCAPE + String.fromCharCode(code + 1);
    else if (code < HIGH_FROM || point.length === 2) text += point;
    else text += HIGH_ESCAPE + String.fromCharCode(code - HIGH_SHIFT);
  }
  if (text.length > modelLimits.keyCharsMax) throw tooLong(text.length);
  return text;
}

const ESCAPES = /[\u0001\uD7FF](.)?/gsu;

function unescaped(text: string): string {
  if (!text.includes(LOW_ESCAPE) && !text.includes(HIGH_ESCAPE)) return text;
  return text.replace(ESCAPES, (escape: string) => {
    const code = escape.charCodeAt(1);
    const low = escape.charAt(0) === LOW_ESCAPE;
    const original = low ? code - 1 : code + HIGH_SHIFT;
    const isOurs = low
      ? original === 0 || original === 1
      : original >= HIGH_FROM && original <= 0xffff;
    if (!isOurs) throw badText(text);
    return String.fromCharCode(original);
  });
}

/** Ascending in ASCII: a digit of 6 bits each. */
const DIGITS = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';
const CODES = Array.from(DIGITS, (digit) => digit.charCodeAt(0));
const NUMBER_DIGITS = 11;
const bits = new DataView(new ArrayBuffer(8));

/** Zeros at the end are left out: what follows a part sorts below every digit. */
function numberDigits(value: number): string {
  if (Number.isNaN(value)) throw badKey('NaN or an invalid date');
  // Adding 0 turns -0 into 0: the two are one key.
  bits.setFloat64(0, value + 0);
  let high = bits.getUint32(0);
  let low = bits.getUint32(4);
  if (high >= 0x80000000) {
    high = ~high >>> 0;
    low = ~low >>> 0;
  } else {
    high = (high | 0x80000000) >>> 0;
  }
  const text = String.fromCharCode(
    code(high >>> 26), code(high >>> 20), code(high >>> 14), code(high >>> 8), code(high >>> 2),
    code((high << 4) | (low >>> 28)), code(low >>> 22), code(low >>> 16), code(low >>> 10),
    code(low >>> 4), code(low << 2),
  );
  let end = NUMBER_DIGITS;
  while (end > 0 && text.charCodeAt(end - 1) === 0x2d) end -= 1;
  return end === NUMBER_DIGITS ? text : text.slice(0, end);
}

const code = (digit: number): number => CODES[digit & 63] ?? 0;

function numberOf(digits: string, text: KeyText): number {
  if (digits.length > NUMBER_DIGITS) throw badText(text);
  // The 64 bits stand left in 66: the last digit has two to spare.
  let ordered = 0n;
  for (let i = 0; i < NUMBER_DIGITS; i++) {
    const digit = i < digits.length ? digitOf(digits.charAt(i), text) : 0;
    ordered = (ordered << 6n) | BigInt(digit);
  }
  let high = Number(ordered >> 34n);
  let low = Number((ordered >> 2n) & 0xffffffffn);
  if (high >= 0x80000000) {
    high = (high & 0x7fffffff) >>> 0;
  } else {
    high = ~high >>> 0;
    low = ~low >>> 0;
  }
  bits.setUint32(0, high);
  bits.setUint32(4, low);
  const value = bits.getFloat64(0);
  if (Number.isNaN(value)) throw badText(text);
  return value;
}

function digitOf(digit: string, text: KeyText): number {
  const value = DIGITS.indexOf(digit);
  if (value < 0) throw badText(text);
  return value;
}

/**
 * Sign, count of hexadecimal digits in two digits of 6 bits, the digits. Below zero everything
 * after the sign is turned round, so that the longer number sorts first.
 */
function bigintDigits(value: bigint): string {
  const negative = value < 0n;
  const hex = (negative ? -value : value).toString(16);
  const text = code2(hex.length) + hex;
  if (text.length + 2 > modelLimits.keyCharsMax) throw tooLong(text.length + 2);
  return negative ? `0${turned(text)}` : `1${text}`;
}

const code2 = (count: number): string => DIGITS.charAt(count >> 6) + DIGITS.charAt(count & 63);

const HEX = '0123456789abcdef';

/** Its own inverse: the count in its alphabet, the hexadecimal digits in theirs. */
function turned(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const alphabet = i < 2 ? DIGITS : HEX;
    out += alphabet.charAt(alphabet.length - 1 - alphabet.indexOf(text.charAt(i)));
  }
  return out;
}

const BIGINT_FORM = /^[01][-0-9A-Z_a-z]{2}[0-9a-f]+$/;

function bigintOf(digits: string, text: KeyText): bigint {
  if (!BIGINT_FORM.test(digits)) throw badText(text);
  const negative = digits.charAt(0) === '0';
  const body = negative ? turned(digits.slice(1)) : digits.slice(1);
  const hex = body.slice(2);
  if (body.slice(0, 2) !== code2(hex.length)) throw badText(text);
  const value = BigInt(`0x${hex}`);
  return negative ? -value : value;
}

const badKey = (what: string): OxbowError =>
  new OxbowError(
    'bad-key',
    `Cannot use ${what} as a key or in an indexed field. ` +
      'Use a string, number, boolean, null, date or bigint.',
  );

const tooLong = (chars: number): OxbowError =>
  new OxbowError(
    'bad-key',
    `A key or indexed field is too long: ${chars} chars as key text, at most ${modelLimits.keyCharsMax}.`,
  );

const badText = (text: KeyText): OxbowError =>
  new OxbowError('bad-key', `Not the text of a key: ${JSON.stringify(text.slice(0, 40))}.`);
