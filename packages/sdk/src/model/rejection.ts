/** A refusal is a value: `return reject('room-full', { room })`, not a throw. */
import { OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { Value } from '../protocol/index.js';

/**
 * Known by this mark, not by the class: an app that was bundled brings its own copy of this package
 * to the server, and a refusal made by one copy must not pass for consent in the other.
 */
const MARK: unique symbol = Symbol.for('oxbow.rejection');

export class Rejection {
  readonly [MARK] = true;
  readonly code: string;
  readonly detail: Value;

  constructor(code: string, detail: Value) {
    this.code = code;
    this.detail = detail;
  }

  static [Symbol.hasInstance](value: unknown): value is Rejection {
    return typeof value === 'object' && value !== null && MARK in value;
  }
}

/**
 * Refuses the update that is being executed: to be returned from `check`, `apply`, `merge`,
 * `authorize` or `after`. `detail` travels to the author with the outcome. The code is yours; those
 * of docs/errors.md have their meaning already. Errors: `bad-rejection` for a code that is empty or
 * longer than 64 chars.
 */
export function reject(code: string, detail?: Value): Rejection {
  if (typeof code !== 'string' || code === '' || code.length > limits.codeCharsMax) {
    throw new OxbowError(
      'bad-rejection',
      `A rejection needs a code of 1 to ${limits.codeCharsMax} chars, such as 'room-full'.`,
    );
  }
  return new Rejection(code, detail);
}
