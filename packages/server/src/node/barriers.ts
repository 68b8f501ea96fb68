/**
 * Linearizable reads of clients. Whoever asks must not get an answer older than anything
 * acknowledged before it asked: the log says which slot that takes (a lease, or a quorum that still
 * follows us), and the answer waits until that slot is told here. All that ask in one turn share
 * one question to the log, which is what makes a read cheap: at 64 asking links a question costs a
 * sixty-fourth. A question that is under way is joined by nobody: its slot may be older than what
 * the late-comer has to see. Ongaro, "Consensus: Bridging Theory and Practice", 2014, §6.4.
 */
import type { SpaceId } from '@oxbow/sdk/protocol';
import type { NodeEffects } from './effects.js';

/** Whoever asks: a link. */
export interface BarrierAsker {
  /** Everything up to the barrier is chosen and has been given to the link. */
  barrierReached(space: SpaceId, id: number): void;
  barrierFailed(space: SpaceId, id: number, code: string): void;
}

interface Ask {
  readonly asker: BarrierAsker;
  readonly space: SpaceId;
  readonly id: number;
}

interface Round {
  readonly slot: number;
  readonly asks: readonly Ask[];
}

export class Barriers {
  readonly #effects: Pick<NodeEffects, 'barrier'>;
  readonly #roundsMax: number;
  #gathered: Ask[] = [];
  /** tag → who waits for the log's answer. */
  readonly #asked = new Map<number, readonly Ask[]>();
  /** Answered; the slots of some may not have been told yet. */
  #confirmed: Round[] = [];
  #nextTag = 1;

  constructor(options: { readonly roundsMax: number }, effects: Pick<NodeEffects, 'barrier'>) {
    this.#roundsMax = options.roundsMax;
    this.#effects = effects;
  }

  ask(asker: BarrierAsker, space: SpaceId, id: number): void {
    this.#gathered.push({ asker, space, id });
  }

  /** At the end of a turn: one question for all that was asked in it. */
  maybeAskLog(): void {
    if (this.#gathered.length === 0 || this.#asked.size >= this.#roundsMax) return;
    const tag = this.#nextTag++;
    this.#asked.set(tag, this.#gathered);
    this.#gathered = [];
    this.#effects.barrier(tag);
  }

  /**
   * Answer to `NodeEffects.barrier`. A question that was forgotten meanwhile is nobody's any more.
   */
  done(tag: number, slot: number | undefined): void {
    const asks = this.#asked.get(tag);
    if (asks === undefined) return;
    this.#asked.delete(tag);
    if (slot !== undefined) this.#confirmed.push({ slot, asks });
    else for (const { asker, space, id } of asks) asker.barrierFailed(space, id, 'not-leader');
  }

  /** Answers those whose slot is chosen. After subscribers were sent what came with it. */
  answer(chosenSlot: number): number {
    if (this.#confirmed.length === 0) return 0;
    const waiting: Round[] = [];
    let count = 0;
    for (const round of this.#confirmed) {
      if (round.slot > chosenSlot) {
        waiting.push(round);
        continue;
      }
      count += round.asks.length;
      for (const { asker, space, id } of round.asks) asker.barrierReached(space, id);
    }
    this.#confirmed = waiting;
    return count;
  }

  /** Another leads, and whoever asked is gone. */
  forget(): void {
    this.#gathered = [];
    this.#asked.clear();
    this.#confirmed = [];
  }
}
