/**
 * How far one member has come, as its leader sees it: what is on its disk, what has arrived there,
 * and what is under way to it. Bounded in bytes and messages, so that a slow member holds up
 * nobody.
 */
import type { MemberId } from './ballot.js';
import type { PaxosLimits } from './limits.js';

export class Progress {
  readonly id: MemberId;
  isUp = true;
  /** Up to here all is on its disk. */
  match = 0;
  /**
   * Where the next message to it begins; undefined: it lacks earlier slots, and asks for them
   * itself.
   */
  next: number | undefined;
  /** The newest heartbeat round that it answered. */
  round = 0;
  /** When anything was last heard, or first sent after a rest. */
  movedAt = 0;
  /** Last slot and size of each message under way. */
  #ends: number[] = [];
  #sizes: number[] = [];
  #bytes = 0;
  /** A heartbeat that was sent after everything before `next`. */
  #probe: { readonly round: number; readonly next: number } | undefined;

  constructor(id: MemberId) {
    this.id = id;
  }

  get isWaiting(): boolean {
    return this.#ends.length > 0;
  }

  canSend({ inFlightBytesMax, inFlightMessagesMax }: PaxosLimits): boolean {
    return this.isUp && this.next !== undefined &&
      this.#ends.length < inFlightMessagesMax && this.#bytes < inFlightBytesMax;
  }

  sent(end: number, bytes: number, now: number): void {
    if (this.#ends.length === 0) this.movedAt = now;
    this.#ends.push(end);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.next = end + 1;
  }

  onDisk(upTo: number, now: number): void {
    if (upTo > this.match) this.match = upTo;
    while ((this.#ends[0] ?? Infinity) <= upTo) {
      this.#ends.shift();
      this.#bytes -= this.#sizes.shift() ?? 0;
      this.movedAt = now;
    }
  }

  /** A heartbeat leaves now. */
  probe(round: number): void {
    if (this.next !== undefined) this.#probe ??= { round, next: this.next };
  }

  /**
   * It answered a heartbeat, and holds all up to `upTo`. Links are first in, first out: what had
   * been sent before that heartbeat and is not held was lost. `floor`: it must hold this to be sent
   * more.
   */
  heard(round: number, upTo: number, floor: number): void {
    if (round > this.round) this.round = round;
    if (this.next === undefined) {
      if (upTo >= floor) this.rewind(upTo + 1);
      return;
    }
    const probe = this.#probe;
    if (probe === undefined || round < probe.round) return;
    this.#probe = undefined;
    if (upTo < floor) this.stop();
    else if (upTo < probe.next - 1) this.rewind(Math.max(upTo, this.match) + 1);
  }

  /** All that is under way counts as lost. */
  rewind(next: number): void {
    this.next = next;
    this.#ends = [];
    this.#sizes = [];
    this.#bytes = 0;
    this.#probe = undefined;
  }

  stop(): void {
    this.rewind(0);
    this.next = undefined;
  }
}
