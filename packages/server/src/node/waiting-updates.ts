/**
 * Updates of one link that the log had no room for, in their order. They are not acknowledged while
 * they wait, so the sender's window fills and it stops: that is how a full log is felt at its
 * source.
 */
import type { Updates } from '@oxbow/sdk/protocol';

export interface WaitingMessage {
  readonly message: Updates;
  /** Size of its frame. */
  readonly chars: number;
}

export class WaitingUpdates {
  #messages: WaitingMessage[] = [];
  #chars = 0;

  get chars(): number {
    return this.#chars;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  push(waiting: WaitingMessage): void {
    this.#messages.push(waiting);
    this.#chars += waiting.chars;
  }

  /** Gives them to `take`, in order, as long as `hasRoom` says so. Answers the chars that went. */
  drain(hasRoom: () => boolean, take: (waiting: WaitingMessage) => void): number {
    let count = 0;
    let chars = 0;
    const messages = this.#messages;
    for (const waiting of messages) {
      if (!hasRoom()) break;
      take(waiting);
      count += 1;
      chars += waiting.chars;
    }
    // It may have been cleared meanwhile.
    if (messages !== this.#messages) return 0;
    messages.splice(0, count);
    this.#chars -= chars;
    return chars;
  }

  /** Answers the chars that were dropped. */
  clear(): number {
    const chars = this.#chars;
    this.#messages = [];
    this.#chars = 0;
    return chars;
  }
}
