/**
 * The plain things that records and messages are made of. What describes a message describes it to
 * a `Fields`: one implementation counts the bytes, the other writes them, so that the two can
 * never disagree, and a message is written straight into the memory that it leaves from.
 *
 * Numbers are float64 (exact up to 2^53, one instruction), texts are UTF-16 code units of seven
 * bits a byte: what we write is ASCII nearly always, and anything else comes back as it was.
 */
import { invariant } from '@oxbow/sdk/protocol';

export interface Fields {
  u8(value: number): void;
  u32(value: number): void;
  /** A count of something: a whole number from 0 on. */
  number(value: number): void;
  text(value: string): void;
  bytes(value: Uint8Array): void;
}

/** Units of a text: addresses and names are far below. */
export const TEXT_UNITS_MAX = 4_096;

export class FieldSizer implements Fields {
  size = 0;

  u8(): void {
    this.size += 1;
  }

  u32(): void {
    this.size += 4;
  }

  number(): void {
    this.size += 8;
  }

  text(value: string): void {
    this.size += 2;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      this.size += unit < 0x80 ? 1 : unit < 0x4000 ? 2 : 3;
    }
  }

  bytes(value: Uint8Array): void {
    this.size += 4 + value.length;
  }
}

export class FieldWriter implements Fields {
  #target: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#target.buffer);
  #at = 0;

  /** Where the next field is written. */
  get offset(): number {
    return this.#at;
  }

  /** One writer serves many records: the target is the same piece of memory nearly always. */
  moveTo(target: Uint8Array, offset: number): void {
    if (this.#target !== target) {
      this.#target = target;
      this.#view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    }
    this.#at = offset;
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  number(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, 'counts are whole numbers from 0 on');
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  text(value: string): void {
    invariant(value.length <= TEXT_UNITS_MAX, 'names and addresses keep to their bound');
    this.#view.setUint16(this.#at, value.length, true);
    this.#at += 2;
    for (let i = 0; i < value.length; i++) {
      let rest = value.charCodeAt(i);
      for (; rest >= 0x80; rest >>>= 7) this.u8((rest & 0x7f) | 0x80);
      this.u8(rest);
    }
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#target.set(value, this.#at);
    this.#at += value.length;
  }
}
