/**
 * Cuts JSON text that is known to be well-formed without making values of it. Each step is a search
 * for the next quote or a look at one character; nothing is allocated but the slices that are asked
 * for.
 */

/**
 * Thrown where the text is not what is asked for. Not an error of anybody's: the reader takes
 * another way.
 */
export const UNEXPECTED: unique symbol = Symbol('unexpected text');

const QUOTE = 34;
const COMMA = 44;
const NINE = 57;
const ZERO = 48;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
/** More digits might not be exact. */
const DIGITS_MAX = 15;

export class TextScan {
  readonly #text: string;
  #at = 0;
  /** Of the value that was skipped or read last. */
  #from = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAt(literal: string): boolean {
    return this.#text.startsWith(literal, this.#at);
  }

  after(literal: string): this {
    if (!this.isAt(literal)) throw UNEXPECTED;
    this.#at += literal.length;
    return this;
  }

  end(): void {
    if (this.#at !== this.#text.length) throw UNEXPECTED;
  }

  /** Not negative, without a fraction or an exponent. */
  integer(): number {
    const from = this.#at;
    let value = 0;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (!(code >= ZERO && code <= NINE)) break;
      value = value * 10 + code - ZERO;
      this.#at += 1;
    }
    const digits = this.#at - from;
    if (digits === 0 || digits > DIGITS_MAX) throw UNEXPECTED;
    return value;
  }

  string(): string {
    this.#skipString();
    return this.lastString();
  }

  stringOrNull(): string | null {
    if (!this.isAt('null')) return this.string();
    this.#at += 4;
    return null;
  }

  /** The text of the value that begins here. */
  skip(): string {
    this.#from = this.#at;
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        this.#skipString();
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        this.#skipNested();
        break;
      default:
        this.#skipScalar();
    }
    return this.#text.slice(this.#from, this.#at);
  }

  /** What was skipped last, as a string. */
  lastString(): string {
    const text = this.#text.slice(this.#from, this.#at);
    if (text.charCodeAt(0) !== QUOTE) throw UNEXPECTED;
    if (!text.includes('\\')) return text.slice(1, -1);
    // reason: a JSON text in quotes is a string.
    return JSON.parse(text) as string;
  }

  #skipString(): void {
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw UNEXPECTED;
    this.#from = this.#at;
    for (let from = this.#at + 1; ; ) {
      const end = this.#text.indexOf('"', from);
      if (end < 0) throw UNEXPECTED;
      from = end + 1;
      if (this.#isEscaped(end)) continue;
      this.#at = from;
      return;
    }
  }

  /** An odd number of backslashes before it. */
  #isEscaped(at: number): boolean {
    let before = at - 1;
    while (this.#text.charCodeAt(before) === BACKSLASH) before -= 1;
    return (at - before) % 2 === 0;
  }

  #skipNested(): void {
    const from = this.#at;
    let depth = 0;
    do {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.#skipString();
        continue;
      }
      if (Number.isNaN(code)) throw UNEXPECTED;
      if (code === OPEN_LIST || code === OPEN_OBJECT) depth += 1;
      else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth -= 1;
      this.#at += 1;
    } while (depth > 0);
    this.#from = from;
  }

  #skipScalar(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === COMMA || code === CLOSE_LIST || code === CLOSE_OBJECT) break;
      if (Number.isNaN(code)) throw UNEXPECTED;
      this.#at += 1;
    }
    if (this.#at === this.#from) throw UNEXPECTED;
  }
}
