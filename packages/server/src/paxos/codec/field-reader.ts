/**
 * Reads what `FieldWriter` wrote. Whatever the bytes are, it answers or throws an error with the
 * code it was given.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { TEXT_UNITS_MAX } from './fields.js';

export class FieldReader {
  readonly #source: Uint8Array;
  readonly #view: DataView;
  readonly #code: string;
  #at = 0;

  constructor(source: Uint8Array, code: string) {
    this.#source = source;
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    this.#code = code;
  }

  get remaining(): number {
    return this.#source.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  number(): number {
    const value = this.#view.getFloat64(this.#take(8), true);
    // Negative zero is no count either, and is not written.
    if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
      this.fail(`${value} is no count`);
    }
    return value;
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) this.fail(`${value} is neither yes nor no`);
    return value === 1;
  }

  text(): string {
    const units = this.#view.getUint16(this.#take(2), true);
    if (units > TEXT_UNITS_MAX || units > this.remaining) this.fail('a text is too long');
    let text = '';
    for (let i = 0; i < units; i++) text += String.fromCharCode(this.#unit());
    return text;
  }

  /** A part of the source, not a copy. */
  bytes(): Uint8Array {
    const length = this.u32();
    const start = this.#take(length);
    return this.#source.subarray(start, start + length);
  }

  /** A number of things to come, of which each takes at least a byte. */
  count(): number {
    const count = this.u32();
    if (count > this.remaining) this.fail(`${count} things do not fit`);
    return count;
  }

  end(): void {
    if (this.remaining > 0) this.fail(`${this.remaining} bytes too many`);
  }

  fail(why: string): never {
    throw new OxbowError(this.#code, `These bytes cannot be read: ${why}, at byte ${this.#at}.`);
  }

  #unit(): number {
    let unit = 0;
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = this.u8();
      unit |= (byte & 0x7f) << shift;
      if (byte < 0x80) return unit > 0xffff ? this.fail('a text holds what is no character') : unit;
    }
    return this.fail('a text holds what is no character');
  }

  #take(length: number): number {
    if (length > this.remaining) this.fail('they end too early');
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
