/**
 * Chance for mutations: every replica that executes an update must draw the same numbers. The seed
 * is the update's identity, hashed to 128 bits (four lanes of multiply and xor, after MurmurHash3's
 * mixing); the stream is sfc32 (Chris Doty-Humphrey, PractRand). Not for secrets: whoever knows the
 * update's id can tell every number.
 */
import type { UpdateId } from '../protocol/index.js';

export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(id: UpdateId, at: number) {
    const text = `${id.replica}/${id.seq}/${at}`;
    let a = 0x9e3779b9;
    let b = 0x85ebca6b;
    let c = 0xc2b2ae35;
    let d = 0x27d4eb2f;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = b ^ Math.imul(a ^ code, 0x239b961b);
      b = c ^ Math.imul(b ^ code, 0xab0e9789);
      c = d ^ Math.imul(c ^ code, 0x38b34ae5);
      d = a ^ Math.imul(d ^ code, 0xa1e38b93);
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#counter = d;
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** From 0 up to, not including, 1, in steps of 2^-53. */
  random(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 0x4000000 + low) / 0x20000000000000;
  }

  /** 122 bits as the text of a UUID, version 8 (RFC 9562). */
  id(): string {
    const time = hex(this.#next());
    const middle = hex(((this.#next() & 0xffff0fff) | 0x8000) >>> 0);
    const variant = hex(((this.#next() & 0x3fffffff) | 0x80000000) >>> 0);
    const rest = hex(this.#next());
    return (
      `${time}-${middle.slice(0, 4)}-${middle.slice(4)}-` +
      `${variant.slice(0, 4)}-${variant.slice(4)}${rest}`
    );
  }

  #next(): number {
    const result = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }
}

const hex = (bits: number): string => bits.toString(16).padStart(8, '0');
