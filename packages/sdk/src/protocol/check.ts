/**
 * Structural checks of what came from outside. Each returns the value with its type or throws
 * `BadField` with the path of what is wrong; nothing is computed for the path until something is
 * wrong, as these run for every field of every frame.
 */
import * as limits from './limits.js';
import type { ReplicaId, SpaceId, VersionVector } from './ids.js';

/** Thrown inside decoders, turned into an OxbowError at their edge. */
export class BadField extends Error {
  readonly path: string;
  readonly problem: string;
  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
    this.path = path;
    this.problem = problem;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** The error as seen from one level up. Other errors stay as they are. */
export function within(error: unknown, outer: string): unknown {
  if (!(error instanceof BadField)) return error;
  const joint = error.path === '' || error.path.startsWith('[') ? '' : '.';
  return new BadField(outer + joint + error.path, error.problem);
}

export function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadField(path, 'is not an object');
  }
  // reason: an object out of JSON.parse; every field is still unknown.
  return value as Fields;
}

export function integer(
  value: unknown, path: string, min = 0, max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new BadField(path, `is not an integer from ${min} to ${max}`);
  }
  return value;
}

/** Any text up to a length. */
export function text(value: unknown, path: string, charsMax: number): string {
  if (typeof value !== 'string') throw new BadField(path, 'is not a string');
  if (value.length > charsMax) throw new BadField(path, `is longer than ${charsMax} chars`);
  return value;
}

/**
 * Text that becomes a key somewhere: no lone surrogates, which two encodings could tell apart
 * differently.
 */
export function keyString(value: unknown, path: string, charsMax: number): string {
  const string = text(value, path, charsMax);
  if (!isWellFormed(string)) throw new BadField(path, 'is not well-formed Unicode');
  return string;
}

/**
 * Names that plain objects answer to unasked (`constructor`, `__proto__`) never become names here.
 */
export const isReserved = (name: string): boolean => RESERVED.has(name);
// Asking the prototype itself would make the engine keep every name that it is asked for.
const RESERVED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

const REPLICA = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const PRINTABLE = /^[!-~]+$/;

export const isReplicaId = (value: unknown): value is ReplicaId =>
  typeof value === 'string' && value.length <= limits.replicaCharsMax &&
  REPLICA.test(value) && !isReserved(value);

/** 1 to 128 printable ASCII chars without spaces, e.g. `cal/ann`. */
export const isSpaceId = (value: unknown): value is SpaceId =>
  typeof value === 'string' && value.length <= limits.spaceCharsMax &&
  PRINTABLE.test(value) && !isReserved(value);

export function replicaId(value: unknown, path: string): ReplicaId {
  if (!isReplicaId(value)) throw new BadField(path, 'is not a replica id');
  return value;
}

export function spaceId(value: unknown, path: string): SpaceId {
  if (!isSpaceId(value)) throw new BadField(path, 'is not a space id');
  return value;
}

const LINK_URL = /^(?:ws|http)s?:\/\/[^/?#@\\]+(?:[/?][^#]*)?$/;

/**
 * Where a link may be opened: ws, wss, http or https, printable ASCII, no user name, no fragment.
 * The last two would send a token somewhere else than the text seems to say, or nowhere.
 */
export const isLinkUrl = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= limits.urlCharsMax &&
  PRINTABLE.test(value) && LINK_URL.test(value);

export function linkUrl(value: unknown, path: string): string {
  if (!isLinkUrl(value)) throw new BadField(path, 'is not an address of a link');
  return value;
}

/** Names a sequence of commits; empty while none was ever received. */
export function history(value: unknown, path: string): string {
  return value === '' ? '' : replicaId(value, path);
}

/** Of a table, a mutation or an app. */
export function name(value: unknown, path: string, charsMax: number): string {
  const string = keyString(value, path, charsMax);
  if (string === '') throw new BadField(path, 'is empty');
  if (isReserved(string)) throw new BadField(path, 'is a reserved name');
  if (string.includes('\u0000')) throw new BadField(path, 'contains a zero char');
  return string;
}

export function list<T>(
  value: unknown, path: string, lengthMax: number, one: (item: unknown) => T,
): T[] {
  if (!Array.isArray(value)) throw new BadField(path, 'is not a list');
  if (value.length > lengthMax) throw new BadField(path, `has more than ${lengthMax} items`);
  const items: T[] = [];
  let i = 0;
  try {
    for (; i < value.length; i++) items.push(one(value[i]));
  } catch (error) {
    throw within(error, `${path}[${i}]`);
  }
  return items;
}

export function vector(value: unknown, path: string): VersionVector {
  const fields = fieldsOf(value, path);
  const seqs: Record<ReplicaId, number> = {};
  let count = 0;
  for (const replica in fields) {
    if (++count > limits.vectorReplicasMax) throw new BadField(path, 'names too many replicas');
    seqs[replicaId(replica, path)] = integer(fields[replica], path, 1);
  }
  return seqs;
}

export function isWellFormed(string: string): boolean {
  for (let i = 0; i < string.length; i++) {
    const unit = string.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit > 0xdbff) return false;
    const next = string.charCodeAt(i + 1);
    if (!(next >= 0xdc00 && next <= 0xdfff)) return false;
    i += 1;
  }
  return true;
}
