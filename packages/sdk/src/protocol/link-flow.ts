/**
 * How much may be under way on a link, both directions, as pure state. Bulk frames are counted in
 * chars; the receiver acknowledges the sum now and then, the sender keeps the difference within a
 * window. A slow reader thus costs the sender a window of memory, not its whole backlog, and a dead
 * one is noticed: acks stop.
 */
import * as limits from './limits.js';
import type { Ack } from './message.js';

/** Chars of counted frames since the link began. */
export interface FlowTotals {
  // acked ≤ sent
  readonly sent: number;
  readonly acked: number;
  // reported ≤ received
  readonly received: number;
  readonly reported: number;
}

export class LinkFlow {
  // acked ≤ sent
  #sent = 0;
  #acked = 0;
  /** When the sender last saw progress, or started to wait. */
  #progressMs = 0;
  // reported ≤ received
  #received = 0;
  #reported = 0;
  /** When the oldest frame that is not acknowledged came. */
  #receivedMs = 0;

  get inFlightChars(): number {
    return this.#sent - this.#acked;
  }

  get totals(): FlowTotals {
    const [sent, acked, received] = [this.#sent, this.#acked, this.#received];
    return { sent, acked, received, reported: this.#reported };
  }

  /** What may be sent now; 0 when the window is used up. */
  get roomChars(): number {
    return Math.max(0, limits.windowChars - this.inFlightChars);
  }

  onSent(chars: number, nowMs: number): void {
    if (this.inFlightChars === 0) this.#progressMs = nowMs;
    this.#sent += chars;
  }

  /** A link that duplicates frames makes acks run ahead; no more can have arrived than was sent. */
  onAck(ack: Ack, nowMs: number): void {
    const acked = Math.min(ack.received, this.#sent);
    if (acked <= this.#acked) return;
    this.#acked = acked;
    this.#progressMs = nowMs;
  }

  /** Counts a frame; an ack when enough has come together. */
  onReceived(chars: number, nowMs: number): Ack | undefined {
    if (this.#received === this.#reported) this.#receivedMs = nowMs;
    this.#received += chars;
    return this.#received - this.#reported >= limits.ackEveryChars ? this.#report() : undefined;
  }

  /** The ack for what is left over, when it has waited long enough. */
  dueAck(nowMs: number): Ack | undefined {
    if (this.#received === this.#reported) return undefined;
    return nowMs - this.#receivedMs >= limits.ackDelayMs ? this.#report() : undefined;
  }

  /** Since when nothing that is under way was acknowledged; undefined while all is well. */
  stalledSince(nowMs: number): number | undefined {
    const isStalled = this.inFlightChars > 0 && nowMs - this.#progressMs >= limits.stallMs;
    return isStalled ? this.#progressMs : undefined;
  }

  /** When to look again, ms; undefined when nothing is waited for. */
  get wakeAtMs(): number | undefined {
    const owesAck = this.#received > this.#reported;
    const ackMs = owesAck ? this.#receivedMs + limits.ackDelayMs : Infinity;
    const stallMs = this.inFlightChars > 0 ? this.#progressMs + limits.stallMs : Infinity;
    const nextMs = Math.min(ackMs, stallMs);
    return nextMs === Infinity ? undefined : nextMs;
  }

  #report(): Ack {
    this.#reported = this.#received;
    return { kind: 'ack', received: this.#received };
  }
}
