/**
 * The one error class. Codes are stable and documented (docs/errors.md); a message says cause and
 * cure.
 */

/** Known by this mark, not by the class: a bundled app brings its own copy of this package. */
const MARK: unique symbol = Symbol.for('oxbow.error');

export class OxbowError extends Error {
  readonly [MARK] = true;
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OxbowError';
    this.code = code;
  }

  static override [Symbol.hasInstance](value: unknown): value is OxbowError {
    return typeof value === 'object' && value !== null && MARK in value;
  }
}

/** A failed invariant is a bug of ours: stop and keep the trace. */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new OxbowError('invariant', `Invariant broken: ${sentence}`);
}

export function unreachable(value: never): never {
  throw new OxbowError('invariant', `Invariant broken: unexpected ${JSON.stringify(value)}`);
}
