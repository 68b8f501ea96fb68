/**
 * What the chosen slots mean, judged alike by every replica: the one place where a primary's order
 * is kept. Plain Multi-Paxos agrees on each slot alone; a leader that pipelines slots 7 and 8 may
 * lose 7 and keep 8, whose payload was made on top of what 7 would have done. Junqueira, Reed,
 * Serafini, "Zab", DSN'11 §III.
 *
 * A command takes effect only if the slot before it holds, and counts, for the same leadership: its
 * begin or its previous command. Since one ballot proposes one value per slot, that chain is what
 * its leader proposed. That a begin counts wherever it stands is safe, as a leader proposes
 * commands only when its begin, and all before it, is chosen: where a begin was moved, no command
 * followed.
 *
 * A stop-sign is judged like a command: a stale one must not end a configuration that it never saw.
 */
import { isSameBallot } from './ballot.js';
import type { Ballot } from './ballot.js';
import type { Configuration } from './configuration.js';
import type { Base } from './record.js';
import { unreachable } from '@oxbow/sdk/protocol';
import type { Value } from './value.js';

/** A walk over chosen values in slot order: where it stands, and what counts there. */
export class Course {
  #slot: number;
  #configuration: Configuration;
  #epoch: Ballot | undefined;

  constructor({ slot, configuration, epoch }: Base) {
    this.#slot = slot;
    this.#configuration = configuration;
    this.#epoch = epoch;
  }

  get slot(): number {
    return this.#slot;
  }

  /** Governs slot + 1. */
  get configuration(): Configuration {
    return this.#configuration;
  }

  get base(): Base {
    return { slot: this.#slot, configuration: this.#configuration, epoch: this.#epoch };
  }

  /** Takes the value of the next slot; true: it is a command or a stop-sign, and counts. */
  step(value: Value): boolean {
    this.#slot += 1;
    switch (value.kind) {
      case 'begin':
        this.#epoch = value.origin;
        return false;
      case 'no-op':
        this.#epoch = undefined;
        return false;
      case 'command':
        if (this.#isContinued(value.origin)) return true;
        this.#epoch = undefined;
        return false;
      case 'stop': {
        const counts = this.#isContinued(value.origin);
        this.#epoch = undefined;
        if (counts) this.#configuration = following(this.#configuration, value, this.#slot);
        return counts;
      }
      default: return unreachable(value);
    }
  }

  #isContinued(origin: Ballot): boolean {
    const epoch = this.#epoch;
    return epoch !== undefined && (epoch === origin || isSameBallot(epoch, origin));
  }
}

function following(
  { number }: Configuration,
  { next }: Value & { kind: 'stop' },
  slot: number,
): Configuration {
  return { number: number + 1, fromSlot: slot + 1, voters: next.voters, learners: next.learners };
}
