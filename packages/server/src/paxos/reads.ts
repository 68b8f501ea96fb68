/**
 * Linearizable reads without a log entry. A read may be answered from what was chosen when it came,
 * once a quorum has answered a round that began after it came. A round that was under way does not
 * do: its answers may be older than a commit that another leader acknowledged. Rounds are numbered
 * within a ballot and never used twice, so a late answer is never taken for a new one. Ongaro,
 * "Consensus", 2014, §6.4; what goes wrong otherwise: etcd #20418.
 */
import type { PaxosEffects } from './effects.js';

interface Read {
  readonly tag: number;
  readonly slot: number;
  /** The first round that proves it. */
  readonly round: number;
}

export class Reads {
  readonly #effects: Pick<PaxosEffects, 'readable' | 'unreadable'>;
  #waiting: Read[] = [];
  #head = 0;

  constructor(effects: Pick<PaxosEffects, 'readable' | 'unreadable'>) {
    this.#effects = effects;
  }

  get size(): number {
    return this.#waiting.length - this.#head;
  }

  /** The round that the oldest one waits for. */
  get firstRound(): number | undefined {
    return this.#waiting[this.#head]?.round;
  }

  add(tag: number, slot: number, round: number): void {
    this.#waiting.push({ tag, slot, round });
  }

  /** A quorum has answered `round`. */
  answer(round: number): void {
    for (;;) {
      const read = this.#waiting[this.#head];
      if (read === undefined || read.round > round) break;
      this.#head += 1;
      this.#effects.readable(read.tag, read.slot);
    }
    if (this.#head * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }

  end(): void {
    const left = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    for (const { tag } of left) this.#effects.unreadable(tag);
  }
}
