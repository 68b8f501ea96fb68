/**
 * The slots of one member in memory, from its base on: chosen ones that others may still ask for,
 * and accepted ones that may or may not be. A row by slot, since slots are dense but for the few
 * that a lost message left open; trimmed from the front without moving the rest each time.
 */
import type { Ballot } from './ballot.js';
import type { Value } from './value.js';

export interface Entry {
  /** Under which it was accepted last. */
  readonly ballot: Ballot;
  readonly value: Value;
  /** The proposer's own word for it. */
  readonly tag: number | undefined;
}

const ENTRY_BYTES = 64;
const MEMBER_BYTES = 512;

/** About what a value takes in memory and in a message. */
export function valueBytes(value: Value): number {
  if (value.kind === 'command') return ENTRY_BYTES + value.payload.length;
  if (value.kind !== 'stop') return ENTRY_BYTES;
  const { voters, learners } = value.next;
  return ENTRY_BYTES + (voters.length + learners.length) * MEMBER_BYTES;
}

export class AcceptedLog {
  #row: (Entry | undefined)[] = [];
  /** Where slot base + 1 is in the row. */
  #head = 0;
  #base: number;
  #bytes = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** Slots up to here are gone. */
  get base(): number {
    return this.#base;
  }

  /** The last slot that holds anything; the base if none. */
  get end(): number {
    return this.#base + this.#row.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  at(slot: number): Entry | undefined {
    return slot > this.#base ? this.#row[this.#head + slot - this.#base - 1] : undefined;
  }

  /** slot > base. Whoever calls bounds how far beyond the end. */
  put(slot: number, entry: Entry): void {
    const index = this.#head + slot - this.#base - 1;
    while (this.#row.length < index) this.#row.push(undefined);
    const former = this.#row[index];
    if (former !== undefined) this.#bytes -= valueBytes(former.value);
    this.#row[index] = entry;
    this.#bytes += valueBytes(entry.value);
  }

  /** Forgets the slots up to `base`, be they held or not. */
  trim(base: number): void {
    while (this.#base < base && this.#head < this.#row.length) {
      const entry = this.#row[this.#head];
      if (entry !== undefined) this.#bytes -= valueBytes(entry.value);
      this.#row[this.#head] = undefined;
      this.#head += 1;
      this.#base += 1;
    }
    if (this.#base < base) this.#base = base;
    if (this.#head * 2 <= this.#row.length) return;
    this.#row = this.#row.slice(this.#head);
    this.#head = 0;
  }
}
