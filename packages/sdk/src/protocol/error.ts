/**
 * The one error class. Codes are stable and documented (docs/errors.md); a message says cause and
 * cure.
 */

export class OxbowError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OxbowError';
    this.code = code;
  }
}

/** A failed invariant is a bug of ours: stop and keep the trace. */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new OxbowError('invariant', `Invariant broken: ${sentence}`);
}

export function unreachable(value: never): never {
  throw new OxbowError('invariant', `Invariant broken: unexpected ${JSON.stringify(value)}`);
}
