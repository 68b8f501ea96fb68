/**
 * A member on its way to lead, from its own promise to the plan of what to propose. The ballot is
 * on its disk before anybody hears of it: others may make up a quorum without it, and after a crash
 * it must never open the same ballot again.
 */
import type { Ballot } from './ballot.js';
import { Phase1 } from './candidacy.js';
import type { Plan } from './candidacy.js';
import type { Ground } from './ground.js';
import type { PaxosMessage } from './message.js';

export interface CandidateOptions {
  readonly ballot: Ballot;
  readonly isHandover: boolean;
  readonly now: number;
}

export class Candidate {
  readonly phase1: Phase1;
  readonly #ground: Ground;
  /** When it last came nearer. */
  #since: number;
  #askedAt: number;

  constructor(ground: Ground, { ballot, isHandover, now }: CandidateOptions) {
    this.#ground = ground;
    this.phase1 = new Phase1({ ballot, isHandover });
    this.#since = now;
    this.#askedAt = now;
  }

  get ballot(): Ballot {
    return this.phase1.ballot;
  }

  start(): void {
    const { self, acceptor, effects, learner } = this.#ground;
    acceptor.promise(this.ballot);
    // The plan looks at the own log itself: this only says that the promise is on disk.
    effects.afterPersist(self, {
      kind: 'promise', ballot: this.ballot, part: 0, isLast: true, accepted: [],
      chosenUpTo: learner.chosenSlot, trimmedUpTo: acceptor.log.base,
    });
    const message = this.#message();
    for (const { id } of learner.configuration.voters) {
      if (id !== self) effects.afterPersist(id, message);
    }
  }

  /** False: it takes too long, or others must lead as this member needs a whole state first. */
  tick(now: number): boolean {
    const { limits, self, effects, learner } = this.#ground;
    if (learner.isWaitingForState || now - this.#since >= limits.electionMs) return false;
    if (!this.phase1.has(self) || now - this.#askedAt < limits.heartbeatMs * 2) return true;
    this.#askedAt = now;
    const message = this.#message();
    for (const { id } of learner.configuration.voters) {
      if (!this.phase1.has(id)) effects.send(id, message);
    }
    return true;
  }

  /** Slots that a promiser knew were learned. */
  cameNearer(now: number): void {
    this.#since = now;
  }

  plan(): Plan {
    return this.phase1.plan(this.#ground.learner, this.#ground.acceptor);
  }

  #message(): PaxosMessage {
    const { ballot, isHandover } = this.phase1;
    return { kind: 'prepare', ballot, fromSlot: this.#ground.learner.chosenSlot + 1, isHandover };
  }
}
