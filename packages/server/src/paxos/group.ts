/**
 * One member of a group: acceptor, learner and, at times, candidate or leader. Every input is a
 * method, everything that follows comes out through `PaxosEffects`; the same inputs give the same
 * effects.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { Acceptor } from './acceptor.js';
import { isSameBallot } from './ballot.js';
import type { Ballot, MemberId } from './ballot.js';
import { PreVote } from './candidacy.js';
import { Candidate } from './candidate.js';
import { CatchUp } from './catch-up.js';
import { findMember, isVoter } from './configuration.js';
import type { Configuration, Membership } from './configuration.js';
import type { Leadership as Told, PaxosEffects } from './effects.js';
import { Follower } from './follower.js';
import type { Ground } from './ground.js';
import { Leadership } from './leadership.js';
import { Learner } from './learner.js';
import { checkPaxosLimits } from './limits.js';
import type { PaxosLimits } from './limits.js';
import type { PaxosMember } from './member.js';
import type { PaxosMessage } from './message.js';
import { Patience } from './patience.js';
import type { Base } from './record.js';
import type { Recovered } from './recovery.js';
import { isSound } from './soundness.js';
import { Voter } from './voter.js';

export interface GroupMemberOptions {
  readonly self: MemberId;
  /** What `recover` made of the records on disk; the member goes on with it. */
  readonly recovered: Recovered;
  /**
   * The state on disk stands there; every chosen slot after it is told. Nothing is written to the
   * state before the log that told it is on disk, so what the log holds up to there is chosen. A
   * state that was installed brings its base, as a `trimmed` record after those of the log.
   */
  readonly appliedSlot: number;
  readonly limits: PaxosLimits;
  /** Seeded; in [0, 1). */
  readonly random: () => number;
  readonly effects: PaxosEffects;
  /** The monotonic clock at the start, ms. */
  readonly now: number;
}

type Role =
  | { readonly kind: 'following'; readonly leader: MemberId | undefined }
  | { readonly kind: 'asking'; readonly vote: PreVote }
  | { readonly kind: 'preparing'; readonly candidate: Candidate }
  | { readonly kind: 'leading'; readonly leadership: Leadership };

type Said<Kind extends PaxosMessage['kind']> = PaxosMessage & { readonly kind: Kind };

export class GroupMember implements PaxosMember {
  readonly #ground: Ground;
  readonly #patience: Patience;
  readonly #catchUp: CatchUp;
  readonly #voter: Voter;
  readonly #follower: Follower;
  readonly #recovered: Recovered;
  readonly #appliedAtStart: number;
  #role: Role = { kind: 'following', leader: undefined };
  #told: Told = { kind: 'following', leader: undefined };
  #isStarted = false;
  #isRemoved = false;
  /** Some configuration had it: only then may it be told that it was removed. */
  #wasMember: boolean;
  #appliedSlot: number;
  #highestRound: number;
  #tickedAt: number;
  #knockedAt: number;
  #savedChosenSlot: number;

  /** Errors: `state-behind-log`, `log-behind-state`. No effect leaves before the first input. */
  constructor(options: GroupMemberOptions) {
    const { self, recovered, appliedSlot, limits, effects, random, now } = options;
    checkPaxosLimits(limits);
    if (appliedSlot < recovered.base.slot) throw stateBehindLog(appliedSlot, recovered.base.slot);
    if (appliedSlot > recovered.log.end) throw logBehindState(recovered.log.end, appliedSlot);
    const acceptor = new Acceptor(recovered.log, recovered.promised, effects);
    const learner = new Learner({
      self, acceptor, base: recovered.base, appliedSlot, limits, effects,
      tagOf: (slot, entry) =>
        this.#role.kind === 'leading' ? this.#role.leadership.passed(slot, entry) : undefined,
      configured: (configuration) => this.#configured(configuration),
    });
    this.#ground = { self, limits, effects, acceptor, learner };
    this.#catchUp = new CatchUp(this.#ground);
    this.#patience = new Patience(limits, random, {
      now, mayHaveGranted: recovered.promised !== undefined,
    });
    this.#voter = new Voter({
      ground: this.#ground, patience: this.#patience, catchUp: this.#catchUp,
    });
    this.#follower = new Follower(this.#ground, this.#catchUp);
    this.#recovered = recovered;
    this.#appliedAtStart = appliedSlot;
    this.#appliedSlot = appliedSlot;
    this.#wasMember = findMember(recovered.base.configuration, self) !== undefined;
    this.#highestRound = recovered.promised?.round ?? 0;
    this.#tickedAt = now;
    this.#knockedAt = now;
    this.#savedChosenSlot = recovered.chosenUpTo;
  }

  get leadership(): Told {
    return this.#told;
  }

  get configuration(): Configuration {
    return this.#ground.learner.configuration;
  }

  get chosenSlot(): number {
    return this.#ground.learner.chosenSlot;
  }

  get inFlightBytes(): number {
    return this.#role.kind === 'leading' ? this.#role.leadership.inFlightBytes : 0;
  }

  baseAt(slot: number): Base | undefined {
    return this.#ground.learner.baseAt(slot);
  }

  tick(now: number): void {
    if (!this.#begin(now)) return;
    const { heartbeatMs, tickMs } = this.#ground.limits;
    const passedMs = now - this.#tickedAt;
    // Where this process did not run, nobody was silent.
    const stalledMs = passedMs > heartbeatMs ? passedMs - tickMs : 0;
    this.#tickedAt = now;
    this.#patience.stalled(stalledMs, now);
    this.#saveChosenSlot();
    const role = this.#role;
    switch (role.kind) {
      case 'following': return this.#tickFollower(now);
      case 'asking':
        if (now - role.vote.startedAt >= this.#ground.limits.electionCutMs) this.#giveUp(now);
        return;
      case 'preparing':
        if (role.candidate.tick(now)) this.#maybeLead(role.candidate, now);
        else this.#giveUp(now);
        return;
      case 'leading':
        if (role.leadership.tick(now, stalledMs)) return;
        this.#ground.effects.log('warn', 'quorum-lost', { ballot: role.leadership.ballot });
        this.#giveUp(now);
    }
  }

  receive(from: MemberId, message: PaxosMessage, now: number): void {
    if (!this.#begin(now)) return;
    const { self, limits, effects } = this.#ground;
    if (!isSound(message, { from, self, limits })) {
      effects.log('warn', 'unsound-message', { from, kind: message.kind });
      return;
    }
    switch (message.kind) {
      case 'accept':
        if (this.#hear(from, message, now)) this.#follower.accept(from, message, now);
        return;
      case 'accepted': return this.#onAccepted(from, message, now);
      case 'heartbeat':
        if (!this.#hear(from, message, now)) return;
        return this.#follower.heartbeat(from, message, { now, appliedUpTo: this.#appliedSlot });
      case 'heard': return this.#onHeard(from, message, now);
      case 'pre-prepare':
        return this.#voter.onPrePrepare(from, message, { led: this.#led, now });
      case 'pre-promise': return this.#onPrePromise(from, message, now);
      case 'prepare': return this.#onPrepare(from, message, now);
      case 'promise': return this.#onPromise(from, message, now);
      case 'refused': return this.#onRefused(from, message, now);
      case 'learn': return this.#onLearn(from, message, now);
      case 'chosen': return this.#onChosen(from, message, now);
      case 'trimmed': return this.#catchUp.onTrimmed(from, message.upTo, now);
      case 'take-over': return this.#onTakeOver(from, message, now);
      case 'removed': return this.#onRemoved(message);
    }
  }

  linked(member: MemberId, isUp: boolean, now: number): void {
    if (!this.#begin(now)) return;
    this.#catchUp.linked(member, isUp);
    const role = this.#role;
    if (role.kind === 'leading') role.leadership.linked(member, isUp, now);
    if (role.kind !== 'following') return;
    if (role.leader === member) this.#patience.linked(isUp);
    else if (role.leader === undefined && isUp) this.#patience.hope();
  }

  propose(payload: Uint8Array, tag: number, now: number): void {
    this.#mustLead('propose').propose(payload, tag, now);
  }

  read(tag: number, now: number): void {
    this.#mustLead('answer a read').read(tag, now);
  }

  change(next: Membership, now: number): void {
    this.#mustLead('change the members').change(next, now);
  }

  transfer(to: MemberId, now: number): void {
    this.#mustLead('hand over').transfer(to, now);
  }

  applied(slot: number, now: number): void {
    if (!this.#begin(now)) return;
    this.#appliedSlot = Math.max(this.#appliedSlot, slot);
    this.#ground.learner.applied(slot, now);
  }

  hold(slot: number, now: number): void {
    this.#ground.learner.hold(`state at ${slot}`, slot, now);
  }

  installed(base: Base | undefined, now: number): void {
    if (!this.#begin(now)) return;
    if (base !== undefined && this.#role.kind !== 'following') this.#follow(undefined);
    this.#catchUp.installed(base, now);
    if (base === undefined) return;
    this.#appliedSlot = Math.max(this.#appliedSlot, base.slot);
    this.#answerLeader();
  }

  /**
   * False: nothing is to be done any more. The first input tells what the log holds beyond the
   * state.
   */
  #begin(now: number): boolean {
    if (this.#isStarted) return !this.#isRemoved;
    this.#isStarted = true;
    const { learner } = this.#ground;
    this.#ground.effects.configured(learner.configuration);
    // How far was chosen is written without haste; the state may know more.
    learner.choose(Math.max(this.#recovered.chosenUpTo, this.#appliedAtStart));
    learner.applied(this.#appliedAtStart, now);
    return true;
  }

  // Roles

  #follow(leader: MemberId | undefined): void {
    const former = this.#role;
    this.#role = { kind: 'following', leader };
    if (former.kind === 'leading') former.leadership.end();
    if (this.#told.kind === 'following' && this.#told.leader === leader) return;
    this.#told = { kind: 'following', leader };
    this.#ground.effects.leadership(this.#told);
  }

  /** An own attempt, or leadership, has come to nothing. */
  #giveUp(now: number): void {
    this.#follow(undefined);
    this.#patience.restart(now, true);
  }

  #tickFollower(now: number): void {
    const { self, learner, limits } = this.#ground;
    if (this.#wasMember && findMember(learner.configuration, self) === undefined) {
      if (now - this.#knockedAt >= limits.electionMs) this.#knock(now);
      return;
    }
    if (!isVoter(learner.configuration, self) || learner.isWaitingForState) return;
    if (this.#isAlone) this.#prepare(this.#nextBallot(), false, now);
    else if (this.#patience.isOver(now)) this.#ask(now);
  }

  /**
   * It has learned that it is in no configuration any more: those that go on can tell it for sure.
   */
  #knock(now: number): void {
    this.#knockedAt = now;
    const { learner, effects } = this.#ground;
    for (const { id } of learner.configuration.voters) {
      effects.send(id, { kind: 'learn', fromSlot: learner.chosenSlot + 1 });
    }
  }

  #ask(now: number): void {
    const vote = new PreVote(this.#nextBallot(), now);
    this.#follow(undefined);
    this.#role = { kind: 'asking', vote };
    const { effects, learner: { chosenSlot } } = this.#ground;
    for (const id of this.#otherVoters()) {
      effects.send(id, { kind: 'pre-prepare', ballot: vote.ballot, fromSlot: chosenSlot + 1 });
    }
  }

  #prepare(ballot: Ballot, isHandover: boolean, now: number): void {
    this.#follow(undefined);
    this.#note(ballot);
    const candidate = new Candidate(this.#ground, { ballot, isHandover, now });
    this.#role = { kind: 'preparing', candidate };
    candidate.start();
  }

  #maybeLead(candidate: Candidate, now: number): void {
    const { learner, self } = this.#ground;
    if (!isVoter(learner.configuration, self)) return this.#giveUp(now);
    const plan = candidate.plan();
    if (plan.kind === 'behind') this.#catchUp.want(plan.member, now);
    if (plan.kind !== 'ready') return;
    const leadership = new Leadership(this.#ground, {
      ballot: candidate.ballot,
      now,
      events: {
        leading: () => this.#tellLeading(candidate.ballot),
        behind: (member, at) => this.#catchUp.want(member, at),
        left: () => this.#follow(undefined),
      },
    });
    this.#role = { kind: 'leading', leadership };
    leadership.start(candidate.phase1, plan.values, now);
  }

  #tellLeading(ballot: Ballot): void {
    if (this.#told.kind === 'leading') return;
    this.#told = { kind: 'leading', ballot };
    this.#ground.effects.leadership(this.#told);
  }

  // Phase 1

  #onPrepare(from: MemberId, message: Said<'prepare'>, now: number): void {
    if (!this.#voter.onPrepare(from, message, { led: this.#led, now })) return;
    this.#note(message.ballot);
    this.#follow(undefined);
    this.#patience.restart(now, false);
  }


  #onPrePromise(from: MemberId, message: Said<'pre-promise'>, now: number): void {
    if (message.promised !== undefined) this.#note(message.promised);
    const role = this.#role;
    if (role.kind !== 'asking' || !isSameBallot(role.vote.ballot, message.ballot)) return;
    const { configuration } = this.#ground.learner;
    role.vote.answer(from, message.isGranted);
    if (role.vote.isWon(configuration)) this.#prepare(this.#nextBallot(), false, now);
    else if (role.vote.isLost(configuration)) this.#giveUp(now);
  }

  #onPromise(from: MemberId, message: Said<'promise'>, now: number): void {
    const role = this.#role;
    if (role.kind === 'leading' && isSameBallot(role.leadership.ballot, message.ballot)) {
      role.leadership.onPromise(from, message, now);
    }
    if (role.kind !== 'preparing' || !isSameBallot(role.candidate.ballot, message.ballot)) return;
    role.candidate.phase1.onPromise(from, message);
    this.#maybeLead(role.candidate, now);
  }

  #onRefused(from: MemberId, { ballot, promised }: Said<'refused'>, now: number): void {
    if (findMember(this.#ground.learner.configuration, from) === undefined) return;
    this.#note(promised);
    const own = this.#role.kind === 'preparing' ? this.#role.candidate.ballot : this.#led;
    if (own !== undefined && isSameBallot(own, ballot)) this.#giveUp(now);
  }

  // Phase 2

  /** Whether the speaker leads as far as this member knows; then it is followed. */
  #hear(from: MemberId, { ballot, chosenUpTo }: Said<'accept' | 'heartbeat'>, now: number): boolean {
    const { acceptor, learner: { configuration } } = this.#ground;
    if (acceptor.refuses(ballot)) {
      this.#voter.refuse(from, ballot);
      return false;
    }
    if (!isVoter(configuration, from) && chosenUpTo < configuration.fromSlot) {
      this.#voter.maybeSayRemoved(from);
      return false;
    }
    if (this.#role.kind !== 'following' || this.#role.leader !== from) this.#follow(from);
    this.#note(ballot);
    acceptor.promise(ballot);
    this.#patience.heard(acceptor.promised ?? ballot, now);
    return true;
  }

  #answerLeader(): void {
    if (this.#role.kind !== 'following' || this.#role.leader === undefined) return;
    this.#follower.answer(this.#role.leader);
  }

  #onAccepted(from: MemberId, { ballot, upTo }: Said<'accepted'>, now: number): void {
    const role = this.#role;
    if (role.kind !== 'leading' || !isSameBallot(role.leadership.ballot, ballot)) return;
    role.leadership.onAccepted(from, upTo, now);
  }

  #onHeard(from: MemberId, message: Said<'heard'>, now: number): void {
    const role = this.#role;
    if (role.kind !== 'leading' || !isSameBallot(role.leadership.ballot, message.ballot)) return;
    role.leadership.onHeard(from, message, now);
  }

  // Catching up

  #onLearn(from: MemberId, { fromSlot }: Said<'learn'>, now: number): void {
    const { learner: { configuration, chosenSlot }, acceptor: { log } } = this.#ground;
    if (fromSlot > chosenSlot + 1) this.#catchUp.want(from, now);
    const knowsOfStop = fromSlot >= configuration.fromSlot;
    if ((knowsOfStop || fromSlot <= log.base) && this.#voter.maybeSayRemoved(from)) return;
    this.#catchUp.answer(from, fromSlot, now);
  }

  #onChosen(from: MemberId, message: Said<'chosen'>, now: number): void {
    const role = this.#role;
    // What a leader proposes is decided by its quorum, not by what others say of these slots.
    if (role.kind === 'leading' && !role.leadership.isPreparing) return;
    const { learner } = this.#ground;
    const before = learner.chosenSlot;
    this.#catchUp.onChosen(from, message, now);
    if (learner.chosenSlot === before) return;
    if (role.kind === 'leading') role.leadership.moved(now);
    if (role.kind === 'preparing') {
      role.candidate.cameNearer(now);
      this.#maybeLead(role.candidate, now);
    }
    this.#answerLeader();
  }

  // Membership and hand-over

  #configured(configuration: Configuration): void {
    if (findMember(configuration, this.#ground.self) !== undefined) this.#wasMember = true;
    this.#ground.effects.configured(configuration);
  }

  #onTakeOver(from: MemberId, { ballot }: Said<'take-over'>, now: number): void {
    const { acceptor: { promised }, learner, self } = this.#ground;
    if (this.#role.kind !== 'following' || this.#role.leader !== from) return;
    if (promised === undefined || !isSameBallot(promised, ballot)) return;
    if (!isVoter(learner.configuration, self) || learner.isWaitingForState) return;
    this.#prepare({ round: ballot.round + 1, member: self }, true, now);
  }

  #onRemoved({ configurationNumber }: Said<'removed'>): void {
    const { learner: { configuration }, self, effects } = this.#ground;
    if (!this.#wasMember || configurationNumber < configuration.number) return;
    const isIn = findMember(configuration, self) !== undefined;
    if (configurationNumber === configuration.number && isIn) return;
    this.#follow(undefined);
    this.#isRemoved = true;
    effects.removed();
  }

  // Small things

  get #isAlone(): boolean {
    const { voters } = this.#ground.learner.configuration;
    return voters.length === 1 && voters[0]?.id === this.#ground.self;
  }

  /** The ballot that it leads, or finishes what others began under. */
  get #led(): Ballot | undefined {
    return this.#role.kind === 'leading' ? this.#role.leadership.ballot : undefined;
  }

  *#otherVoters(): Generator<MemberId> {
    for (const { id } of this.#ground.learner.configuration.voters) {
      if (id !== this.#ground.self) yield id;
    }
  }

  #note({ round }: Ballot): void {
    if (round > this.#highestRound) this.#highestRound = round;
  }

  #nextBallot(): Ballot {
    return { round: this.#highestRound + 1, member: this.#ground.self };
  }

  #saveChosenSlot(): void {
    const { learner: { chosenSlot }, effects } = this.#ground;
    if (chosenSlot === this.#savedChosenSlot) return;
    this.#savedChosenSlot = chosenSlot;
    effects.persist({ kind: 'chosen', upTo: chosenSlot });
  }

  #mustLead(act: string): Leadership {
    if (this.#told.kind === 'leading' && this.#role.kind === 'leading') return this.#role.leadership;
    throw new OxbowError('not-leader', `Cannot ${act} as this member does not lead: ask the leader.`);
  }
}

const stateBehindLog = (appliedSlot: number, base: number): OxbowError => new OxbowError(
  'state-behind-log',
  `The state stands at slot ${appliedSlot}, and the log begins after slot ${base}: ` +
    'put the state back, or let the cluster refill this node.',
);

const logBehindState = (end: number, appliedSlot: number): OxbowError => new OxbowError(
  'log-behind-state',
  `The log ends at slot ${end}, and the state stands at slot ${appliedSlot}: log files were lost. ` +
    'Put them back, or let the cluster refill this node.',
);
