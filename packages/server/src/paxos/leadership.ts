/**
 * One leadership from its phase 1 on: it finishes what others began, begins itself, and only then
 * leads; after a stop-sign it does the same once more for the next configuration, under the same
 * ballot. Chandra et al., "Paxos Made Live", 2007, §5; Lamport, Malkhi, Zhou, "Reconfiguring a
 * State Machine", 2010, §3 (stop-signs: nothing is proposed beyond one before it is chosen).
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { valueBytes } from './accepted-log.js';
import type { Entry } from './accepted-log.js';
import { isSameBallot } from './ballot.js';
import type { Ballot, MemberId } from './ballot.js';
import { Phase1 } from './candidacy.js';
import type { Plan } from './candidacy.js';
import { isVoter } from './configuration.js';
import type { Membership } from './configuration.js';
import type { Ground } from './ground.js';
import { checkMembership } from './membership.js';
import type { PaxosMessage } from './message.js';
import { Proposer } from './proposer.js';
import { Reads } from './reads.js';
import { Rounds } from './rounds.js';
import type { Value } from './value.js';

type Stage =
  /** Asks the voters of the configuration for promises. */
  | { readonly kind: 'preparing'; readonly phase1: Phase1 }
  /** What was found, and the own begin, is proposed: chosen when `upTo` is. */
  | { readonly kind: 'finishing'; readonly upTo: number }
  | { readonly kind: 'leading' }
  /** A stop-sign is proposed, and nothing beyond it. */
  | { readonly kind: 'stopping' };

export interface LeadershipEvents {
  leading(): void;
  /** A promiser knows more: ask it. */
  behind(member: MemberId, now: number): void;
  /** It is no voter of the configuration that has begun. */
  left(): void;
}

export interface LeadershipOptions {
  readonly ballot: Ballot;
  readonly events: LeadershipEvents;
  readonly now: number;
}

/** An heir may lack so many slots: what it has not on disk yet it has surely been sent. */
const HEIR_LAG_SLOTS = 64;

interface Transfer {
  readonly to: MemberId;
  readonly since: number;
  isSent: boolean;
}

export class Leadership {
  readonly ballot: Ballot;
  readonly #ground: Ground;
  readonly #events: LeadershipEvents;
  readonly #proposer: Proposer;
  readonly #rounds: Rounds;
  readonly #reads: Reads;
  #stage: Stage;
  #configurationNumber: number;
  /** Proposed while the configuration changes. */
  #held: { readonly value: Value; readonly tag: number }[] = [];
  #heldBytes = 0;
  #transfer: Transfer | undefined;
  #preparedAt: number;

  constructor(ground: Ground, { ballot, events, now }: LeadershipOptions) {
    this.#ground = ground;
    this.#events = events;
    this.ballot = ballot;
    this.#proposer = new Proposer(ground, ballot);
    this.#rounds = new Rounds(ground.limits, now);
    this.#reads = new Reads(ground.effects);
    this.#configurationNumber = ground.learner.configuration.number;
    this.#stage = { kind: 'finishing', upTo: this.#proposer.lastSlot };
    this.#preparedAt = now;
  }

  /** It asks for promises, and may be told what it missed. */
  get isPreparing(): boolean {
    return this.#stage.kind === 'preparing';
  }

  get inFlightBytes(): number {
    return this.#proposer.inFlightBytes + this.#heldBytes;
  }

  /** Phase 1 is over: these are the values to propose. */
  start(phase1: Phase1, values: readonly Value[], now: number): void {
    this.#finish(phase1, values, now);
  }

  /** False: it has had no quorum for too long. */
  tick(now: number, stalledMs: number): boolean {
    this.#rounds.stalled(stalledMs, now);
    if (this.#rounds.isQuorumLost(now)) return false;
    if (this.#rounds.isDue(now)) this.#beat(now);
    this.#proposer.tick(now);
    if (this.#stage.kind === 'preparing') this.#continuePhase1(this.#stage.phase1, now);
    this.#continueTransfer(now);
    return true;
  }

  propose(payload: Uint8Array, tag: number, now: number): void {
    const { limits } = this.#ground;
    const bytesMax = limits.payloadBytesMax;
    if (payload.length > bytesMax) throw tooLarge(payload.length, bytesMax);
    const value: Value = { kind: 'command', origin: this.ballot, payload };
    const bytes = valueBytes(value);
    const slots = this.#proposer.inFlightSlots + this.#held.length;
    if (slots >= limits.windowSlotsMax || this.inFlightBytes + bytes > limits.windowBytesMax) {
      throw full();
    }
    // What is chosen and not applied stays in memory: a store that stands still must be felt here.
    if (this.#ground.learner.unappliedBytes > limits.unappliedBytesMax) throw full();
    if (this.#stage.kind === 'leading') return this.#proposer.propose(value, tag, now);
    this.#held.push({ value, tag });
    this.#heldBytes += bytes;
  }

  read(tag: number, now: number): void {
    const { limits, learner, effects } = this.#ground;
    if (this.#isServing && this.#rounds.holdsLease(now)) {
      effects.readable(tag, learner.chosenSlot);
      return;
    }
    if (this.#reads.size >= limits.readsMax) throw full();
    this.#reads.add(tag, learner.chosenSlot, this.#rounds.newest + 1);
    this.#maybeBeatForReads(now);
  }

  change(next: Membership, now: number): void {
    if (this.#stage.kind !== 'leading') {
      throw new OxbowError('change-under-way', 'Cannot change the members as another change is under way: try again.');
    }
    const { limits, learner, self } = this.#ground;
    const heldUpTo = (id: MemberId): number =>
      id === self ? learner.chosenSlot : this.#proposer.member(id)?.match ?? 0;
    checkMembership(next, {
      limits,
      present: learner.configuration,
      lag: (id) => Math.max(0, learner.chosenSlot - heldUpTo(id)),
    });
    this.#stage = { kind: 'stopping' };
    this.#proposer.propose({ kind: 'stop', origin: this.ballot, next }, undefined, now);
  }

  transfer(to: MemberId, now: number): void {
    const { learner, self } = this.#ground;
    if (!isVoter(learner.configuration, to) || to === self) {
      throw new OxbowError('config-invalid', `Cannot hand over to ${to} as it is no other voter: name one.`);
    }
    this.#transfer = { to, since: now, isSent: false };
    this.#continueTransfer(now);
  }

  onAccepted(from: MemberId, upTo: number, now: number): void {
    this.#proposer.onAccepted(from, upTo, now);
    if (this.#transfer !== undefined) this.#continueTransfer(now);
    this.moved(now);
  }

  onHeard(from: MemberId, message: PaxosMessage & { kind: 'heard' }, now: number): void {
    this.#proposer.onHeard(from, Math.min(message.round, this.#rounds.newest), message.upTo, now);
    this.#answerRounds(now);
  }

  onPromise(from: MemberId, message: PaxosMessage & { kind: 'promise' }, now: number): void {
    if (this.#stage.kind !== 'preparing') return this.#proposer.onPromised(from, message.chosenUpTo);
    this.#stage.phase1.onPromise(from, message);
    this.#tryPlan(this.#stage.phase1, now);
  }

  linked(member: MemberId, isUp: boolean, now: number): void {
    this.#proposer.linked(member, isUp, now);
  }

  /** A slot is told: answers with the proposer's own word for it. */
  passed(slot: number, entry: Entry): number | undefined {
    this.#proposer.passed(slot, entry);
    return isSameBallot(entry.value.origin, this.ballot) ? entry.tag : undefined;
  }

  /** After slots were chosen. */
  moved(now: number): void {
    const { learner } = this.#ground;
    if (learner.configuration.number !== this.#configurationNumber) return this.#enter(now);
    if (this.#stage.kind === 'preparing') return this.#tryPlan(this.#stage.phase1, now);
    if (this.#stage.kind !== 'finishing' || learner.chosenSlot < this.#stage.upTo) return;
    this.#stage = { kind: 'leading' };
    this.#events.leading();
    this.#release(now);
  }

  end(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#reads.end();
  }

  /**
   * A stop-sign in flight is no hindrance: whoever goes beyond it must have heard of it from here.
   */
  get #isServing(): boolean {
    return this.#stage.kind === 'leading' || this.#stage.kind === 'stopping';
  }

  #finish(phase1: Phase1, values: readonly Value[], now: number): void {
    this.#stage = { kind: 'finishing', upTo: this.#proposer.lastSlot + values.length };
    for (const value of values) this.#proposer.append(value, undefined);
    for (const [member, upTo] of phase1.chosenUpTo()) this.#proposer.onPromised(member, upTo);
    this.#beat(now);
    this.#proposer.publish(now);
  }

  /** The stop-sign is chosen: the next configuration is asked as if it were a new leadership. */
  #enter(now: number): void {
    const { learner: { configuration, chosenSlot }, self, effects } = this.#ground;
    this.#configurationNumber = configuration.number;
    // The old members hear of the stop-sign while they are still spoken to.
    this.#beat(now);
    const heir = isVoter(configuration, self) ? undefined : this.#heir();
    this.#proposer.govern(configuration);
    if (!isVoter(configuration, self)) {
      this.#rounds.giveUpLease();
      if (heir !== undefined) effects.send(heir, { kind: 'take-over', ballot: this.ballot });
      this.#events.left();
      return;
    }
    const phase1 = new Phase1({ ballot: this.ballot, isHandover: false });
    phase1.onPromise(self, {
      kind: 'promise', ballot: this.ballot, part: 0, isLast: true, accepted: [],
      chosenUpTo: chosenSlot, trimmedUpTo: 0,
    });
    this.#stage = { kind: 'preparing', phase1 };
    this.#prepare(phase1, now);
    this.#tryPlan(phase1, now);
  }

  /** The voter of the new configuration that has come furthest. */
  #heir(): MemberId | undefined {
    let best: { readonly id: MemberId; readonly match: number } | undefined;
    for (const { id } of this.#ground.learner.configuration.voters) {
      const progress = this.#proposer.member(id);
      if (progress?.isUp === true && progress.match > (best?.match ?? -1)) best = progress;
    }
    return best?.id;
  }

  #prepare(phase1: Phase1, now: number): void {
    this.#preparedAt = now;
    const { learner, self, effects } = this.#ground;
    for (const { id } of learner.configuration.voters) {
      if (id === self || phase1.has(id)) continue;
      effects.send(id, {
        kind: 'prepare', ballot: this.ballot, fromSlot: learner.chosenSlot + 1, isHandover: false,
      });
    }
  }

  #continuePhase1(phase1: Phase1, now: number): void {
    if (now - this.#preparedAt >= this.#ground.limits.heartbeatMs * 2) this.#prepare(phase1, now);
    this.#tryPlan(phase1, now);
  }

  #tryPlan(phase1: Phase1, now: number): void {
    const plan: Plan = phase1.plan(this.#ground.learner, this.#ground.acceptor);
    if (plan.kind === 'behind') this.#events.behind(plan.member, now);
    if (plan.kind === 'ready') this.#finish(phase1, plan.values, now);
  }

  /** What waited for the new configuration. */
  #release(now: number): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const { value, tag } of held) this.#proposer.append(value, tag);
    if (held.length > 0) this.#proposer.publish(now);
    this.#answerRounds(now);
  }

  #beat(now: number): void {
    const round = this.#rounds.begin(now);
    const { effects, learner: { chosenSlot: chosenUpTo }, self } = this.#ground;
    const message: PaxosMessage = {
      kind: 'heartbeat', ballot: this.ballot, round, chosenUpTo, lastSlot: this.#proposer.lastSlot,
    };
    for (const progress of this.#proposer.others()) {
      progress.probe(round);
      effects.send(progress.id, message);
    }
    const own = this.#proposer.member(self);
    if (own !== undefined) own.round = round;
    this.#rounds.answer(this.#proposer.reached('round'));
    if (this.#isServing) this.#reads.answer(this.#rounds.answered);
  }

  #answerRounds(now: number): void {
    this.#rounds.answer(this.#proposer.reached('round'));
    if (this.#isServing) this.#reads.answer(this.#rounds.answered);
    this.#maybeBeatForReads(now);
  }

  /** One round at a time for all reads that came before it. */
  #maybeBeatForReads(now: number): void {
    const wanted = this.#reads.firstRound;
    const { newest, answered } = this.#rounds;
    if (wanted !== undefined && wanted > newest && answered === newest) this.#beat(now);
  }

  /**
   * Once the other has all that is chosen, it is told to stand, and this lease is never used again.
   */
  #continueTransfer(now: number): void {
    const transfer = this.#transfer;
    if (transfer === undefined) return;
    const { limits, learner, effects } = this.#ground;
    if (now - transfer.since >= limits.electionMs) {
      this.#transfer = undefined;
      effects.log('warn', 'transfer-failed', { to: transfer.to, isSent: transfer.isSent });
      return;
    }
    const progress = this.#proposer.member(transfer.to);
    if (transfer.isSent || progress?.isUp !== true || this.#stage.kind !== 'leading') return;
    if (progress.match < learner.chosenSlot - HEIR_LAG_SLOTS) return;
    transfer.isSent = true;
    this.#rounds.giveUpLease();
    this.#beat(now);
    effects.send(transfer.to, { kind: 'take-over', ballot: this.ballot });
  }
}

const full = (): OxbowError =>
  new OxbowError('log-full', 'Too much waits to be chosen: wait for `chosen`, then try again.');

const tooLarge = (bytes: number, bytesMax: number): OxbowError => new OxbowError(
  'payload-too-large', `A payload has ${bytes} bytes, ${bytesMax} are allowed: propose smaller ones.`,
);
