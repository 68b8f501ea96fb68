/** A refusal is a value: `return reject('room-full', { room })`, not a throw. */
import { limits, OxbowError } from '../protocol/index.js';
import type { Value } from '../protocol/index.js';

export class Rejection {
  readonly code: string;
  readonly detail: Value;

  constructor(code: string, detail: Value) {
    this.code = code;
    this.detail = detail;
  }
}

/**
 * Refuses the update that is being executed: to be returned from `check`, `apply`, `merge`, `authorize` or `after`.
 * `detail` travels to the author with the outcome. The code is yours; those of docs/errors.md have their meaning already.
 * Errors: `bad-rejection` for a code that is empty or longer than 64 chars.
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
