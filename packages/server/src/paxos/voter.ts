/**
 * What a member answers to those who want to lead. It grants nothing while it hears a leader: that
 * is the leader's lease, and keeps one that hears nobody from unseating it. It hears only voters of
 * the newest configuration: who was voted out disturbs nobody. Ongaro, "Consensus", 2014, §4.2.3.
 */
import { isSameBallot } from './ballot.js';
import type { Ballot, MemberId } from './ballot.js';
import type { CatchUp } from './catch-up.js';
import { findMember, isVoter } from './configuration.js';
import type { Ground } from './ground.js';
import type { PaxosMessage } from './message.js';
import type { Patience } from './patience.js';

export interface VoterParts {
  readonly ground: Ground;
  readonly patience: Patience;
  readonly catchUp: CatchUp;
}

export class Voter {
  readonly #ground: Ground;
  readonly #patience: Patience;
  readonly #catchUp: CatchUp;

  constructor({ ground, patience, catchUp }: VoterParts) {
    this.#ground = ground;
    this.#patience = patience;
    this.#catchUp = catchUp;
  }

  /** Would it promise? `led`: the ballot that this member leads itself. */
  onPrePrepare(
    from: MemberId,
    { ballot, fromSlot }: PaxosMessage & { readonly kind: 'pre-prepare' },
    { led, now }: VoterState,
  ): void {
    if (!this.#mayAsk(from, fromSlot, now)) return;
    const { acceptor: { promised }, acceptor, effects } = this.#ground;
    const isOld = acceptor.refuses(ballot) ||
      (promised !== undefined && isSameBallot(promised, ballot));
    const isGranted = led === undefined && !isOld && this.#patience.isAnyoneFree(from, now);
    effects.send(from, { kind: 'pre-promise', ballot, isGranted, promised });
  }

  /**
   * Phase 1a. True: it has promised, and must not go on with an attempt or a leadership of its own.
   */
  onPrepare(
    from: MemberId,
    { ballot, fromSlot, isHandover }: PaxosMessage & { readonly kind: 'prepare' },
    { led, now }: VoterState,
  ): boolean {
    if (!this.#mayAsk(from, fromSlot, now)) return false;
    const { acceptor, effects, limits, learner } = this.#ground;
    if (acceptor.refuses(ballot)) {
      this.refuse(from, ballot);
      return false;
    }
    const { promised } = acceptor;
    const isNew = promised === undefined || !isSameBallot(promised, ballot);
    // No answer to one that must wait for a lease to end: it asks again.
    if (isNew && !this.#isFree(ballot, isHandover, { led, now })) return false;
    acceptor.promise(ballot);
    const bounds = { chosenUpTo: learner.chosenSlot, bytesMax: limits.partBytesMax };
    for (const part of acceptor.promises(ballot, fromSlot, bounds)) {
      // A promise that a crash can forget is no promise.
      effects.afterPersist(from, part);
    }
    return isNew;
  }

  refuse(to: MemberId, ballot: Ballot): void {
    const { acceptor: { promised }, effects } = this.#ground;
    if (promised !== undefined) effects.send(to, { kind: 'refused', ballot, promised });
  }

  /**
   * Only once the new configuration has chosen something: until then those that leave may hold the
   * only other copies of what the old one chose.
   */
  maybeSayRemoved(to: MemberId): boolean {
    const { learner: { configuration, chosenSlot }, effects } = this.#ground;
    if (configuration.number === 0 || chosenSlot < configuration.fromSlot) return false;
    if (findMember(configuration, to) !== undefined) return false;
    effects.send(to, { kind: 'removed', configurationNumber: configuration.number });
    return true;
  }

  /** One that knows of a newer configuration is asked for it. */
  #mayAsk(from: MemberId, fromSlot: number, now: number): boolean {
    const { learner } = this.#ground;
    if (isVoter(learner.configuration, from)) return true;
    if (fromSlot > learner.chosenSlot + 1) this.#catchUp.want(from, now);
    else this.maybeSayRemoved(from);
    return false;
  }

  #isFree(ballot: Ballot, isHandover: boolean, { led, now }: VoterState): boolean {
    if (led === undefined) return this.#patience.isFree(ballot, isHandover, now);
    return isHandover && ballot.round === led.round + 1;
  }
}

export interface VoterState {
  readonly led: Ballot | undefined;
  readonly now: number;
}
