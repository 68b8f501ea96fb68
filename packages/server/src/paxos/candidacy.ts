/**
 * The way to a leadership: first the question whether anybody would promise, which changes nothing
 * and so keeps a member that hears nobody from unseating a leader that all others hear (Ongaro,
 * "Consensus", 2014, §9.6); then phase 1 over all slots at once (Lamport, "Paxos Made Simple",
 * 2001, §3).
 *
 * The trap of phase 1 is a promiser that has trimmed: the slots that it does not list are chosen,
 * not empty. So nothing is planned before this member holds all that any promiser knows as chosen.
 */
import type { Acceptor } from './acceptor.js';
import { compareBallots } from './ballot.js';
import type { Ballot, MemberId } from './ballot.js';
import { isVoter, quorumSize } from './configuration.js';
import type { Configuration } from './configuration.js';
import { Course } from './effect.js';
import type { Learner } from './learner.js';
import type { AcceptedValue } from './message.js';
import type { PromiseMessage } from './acceptor.js';
import type { Value } from './value.js';

export class PreVote {
  readonly ballot: Ballot;
  readonly startedAt: number;
  readonly #granted = new Set<MemberId>();
  readonly #denied = new Set<MemberId>();

  constructor(ballot: Ballot, now: number) {
    this.ballot = ballot;
    this.startedAt = now;
    this.#granted.add(ballot.member);
  }

  answer(from: MemberId, isGranted: boolean): void {
    (isGranted ? this.#granted : this.#denied).add(from);
    if (isGranted) this.#denied.delete(from);
  }

  isWon(configuration: Configuration): boolean {
    return count(configuration, this.#granted) >= quorumSize(configuration);
  }

  isLost(configuration: Configuration): boolean {
    const left = configuration.voters.length - count(configuration, this.#denied);
    return left < quorumSize(configuration);
  }
}

const count = ({ voters }: Configuration, ids: ReadonlySet<MemberId>): number =>
  voters.reduce((sum, { id }) => sum + (ids.has(id) ? 1 : 0), 0);

interface Promised {
  readonly accepted: AcceptedValue[];
  readonly chosenUpTo: number;
  isWhole: boolean;
}

export type Plan =
  | { readonly kind: 'waiting' }
  /** `member` knows slots up to `upTo` as chosen that are not chosen here. */
  | { readonly kind: 'behind'; readonly member: MemberId; readonly upTo: number }
  /** What to propose for the slots right after the chosen ones. */
  | { readonly kind: 'ready'; readonly values: readonly Value[] };

type Held = Pick<AcceptedValue, 'ballot' | 'value'>;

export interface Phase1Options {
  readonly ballot: Ballot;
  /** The leader that gave way asked for it. */
  readonly isHandover: boolean;
}

export class Phase1 {
  readonly ballot: Ballot;
  readonly isHandover: boolean;
  readonly #promises = new Map<MemberId, Promised>();

  constructor({ ballot, isHandover }: Phase1Options) {
    this.ballot = ballot;
    this.isHandover = isHandover;
  }

  has(member: MemberId): boolean {
    return this.#promises.get(member)?.isWhole === true;
  }

  /** Of every member that promised: where its chosen slots end. */
  *chosenUpTo(): Generator<readonly [MemberId, number]> {
    for (const [member, { isWhole, chosenUpTo }] of this.#promises) {
      if (isWhole) yield [member, chosenUpTo];
    }
  }

  /** Parts of an older answer are told from those of a newer one by what came before them. */
  onPromise(from: MemberId, message: PromiseMessage): void {
    const { part, accepted, chosenUpTo, isLast } = message;
    const held = this.#promises.get(from);
    if (held?.isWhole === true) return;
    if (part === 0) {
      this.#promises.set(from, { accepted: [...accepted], chosenUpTo, isWhole: isLast });
      return;
    }
    if (held?.accepted.length !== part || held.chosenUpTo !== chosenUpTo) return;
    for (const value of accepted) held.accepted.push(value);
    held.isWhole = isLast;
  }

  /** Under the configuration that governs the first slot that is not chosen. */
  plan(learner: Learner, acceptor: Acceptor): Plan {
    const { configuration, chosenSlot } = learner;
    let promised = 0;
    let ahead: { member: MemberId; upTo: number } | undefined;
    for (const [member, upTo] of this.chosenUpTo()) {
      if (!isVoter(configuration, member)) continue;
      promised += 1;
      if (upTo > Math.max(chosenSlot, ahead?.upTo ?? 0)) ahead = { member, upTo };
    }
    if (promised < quorumSize(configuration)) return { kind: 'waiting' };
    if (ahead !== undefined) return { kind: 'behind', ...ahead };
    return { kind: 'ready', values: this.#values(learner, acceptor) };
  }

  /**
   * The value of the highest ballot of every slot, a no-op where a quorum has accepted nothing,
   * then the own begin. A stop-sign that counts ends the plan: what follows it is another
   * configuration's to find. A hole is never filled with a new command: clients that wait for an
   * earlier slot would see it overtaken (Lamport, "The Part-Time Parliament", 1998, §3.2).
   */
  #values(learner: Learner, acceptor: Acceptor): Value[] {
    const best = this.#highest(learner, acceptor);
    const course = new Course(learner.base);
    let last = learner.chosenSlot;
    for (const slot of best.keys()) last = Math.max(last, slot);
    const values: Value[] = [];
    for (let slot = learner.chosenSlot + 1; slot <= last; slot++) {
      const value: Value = best.get(slot)?.value ?? { kind: 'no-op', origin: this.ballot };
      values.push(value);
      if (course.step(value) && value.kind === 'stop') return values;
    }
    values.push({ kind: 'begin', origin: this.ballot });
    return values;
  }

  #highest(learner: Learner, { log }: Acceptor): Map<number, Held> {
    const { configuration, chosenSlot } = learner;
    const best = new Map<number, Held>();
    for (let slot = chosenSlot + 1; slot <= log.end; slot++) {
      const entry = log.at(slot);
      if (entry !== undefined) best.set(slot, entry);
    }
    for (const [member, { accepted, isWhole }] of this.#promises) {
      if (!isWhole || member === this.ballot.member || !isVoter(configuration, member)) continue;
      for (const one of accepted) {
        if (one.slot <= chosenSlot) continue;
        const rival = best.get(one.slot);
        if (rival !== undefined && compareBallots(one.ballot, rival.ballot) <= 0) continue;
        best.set(one.slot, one);
      }
    }
    return best;
  }
}
