/**
 * One member of a group: acceptor, learner and, at times, candidate or leader. Every input is a
 * method, everything that follows comes out through `PaxosEffects`; the same inputs give the same effects.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { Acceptor } from './acceptor.js';
import { isSameBallot } from './ballot.js';
import type { Ballot, MemberId } from './ballot.js';
import { Phase1, PreVote } from './candidacy.js';
import { CatchUp } from './catch-up.js';
import { findMember, isVoter } from './configuration.js';
import type { Configuration, Membership } from './configuration.js';
import type { Leadership as Told, PaxosEffects } from './effects.js';
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

export interface GroupMemberOptions {
  readonly self: MemberId;
  /** What `recover` made of the records on disk; the member goes on with it. */
  readonly recovered: Recovered;
  /**
   * The state on disk stands there; every chosen slot after it is told. Nothing is written to the
   * state before the log that told it is on disk, so what the log holds up to there is chosen. A state
   * that was installed brings its base, as a `trimmed` record after those of the log.
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
  | { readonly kind: 'preparing'; readonly phase1: Phase1; since: number; askedAt: number }
  | { readonly kind: 'leading'; readonly leadership: Leadership };

type Said<Kind extends PaxosMessage['kind']> = PaxosMessage & { readonly kind: Kind };

export class GroupMember implements PaxosMember {
  readonly #ground: Ground;
  readonly #patience: Patience;
  readonly #catchUp: CatchUp;
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
      acceptor, base: recovered.base, appliedSlot, limits, effects,
      tagOf: (slot, entry) =>
        this.#role.kind === 'leading' ? this.#role.leadership.passed(slot, entry) : undefined,
      configured: (configuration) => this.#configured(configuration),
    });
    this.#ground = { self, limits, effects, acceptor, learner };
    this.#catchUp = new CatchUp(this.#ground);
    this.#patience = new Patience(limits, random, {
      now, mayHaveGranted: recovered.promised !== undefined,
    });
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
    if (!this.#begin()) return;
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
      case 'preparing': return this.#tickCandidate(role, now);
      case 'leading':
        if (role.leadership.tick(now, stalledMs)) return;
        this.#ground.effects.log('warn', 'quorum-lost', { ballot: role.leadership.ballot });
        this.#giveUp(now);
    }
  }

  receive(from: MemberId, message: PaxosMessage, now: number): void {
    if (!this.#begin()) return;
    const { self, limits, effects } = this.#ground;
    if (!isSound(message, { from, self, limits })) {
      effects.log('warn', 'unsound-message', { from, kind: message.kind });
      return;
    }
    switch (message.kind) {
      case 'accept': return this.#onAccept(from, message, now);
      case 'accepted': return this.#onAccepted(from, message, now);
      case 'heartbeat': return this.#onHeartbeat(from, message, now);
      case 'heard': return this.#onHeard(from, message, now);
      case 'pre-prepare': return this.#onPrePrepare(from, message, now);
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
    if (!this.#begin()) return;
    this.#catchUp.linked(member, isUp);
    const role = this.#role;
    if (role.kind === 'leading') role.leadership.linked(member, isUp, now);
    if (role.kind !== 'following') return;
    if (role.leader === member) this.#patience.linked(isUp);
    else if (role.leader === undefined && isUp) this.#patience.hope(now);
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

  applied(slot: number): void {
    if (!this.#begin()) return;
    this.#appliedSlot = Math.max(this.#appliedSlot, slot);
    this.#ground.learner.applied(slot);
  }

  installed(base: Base | undefined, now: number): void {
    if (!this.#begin()) return;
    if (base !== undefined && this.#role.kind !== 'following') this.#follow(undefined);
    this.#catchUp.installed(base, now);
    if (base === undefined) return;
    this.#appliedSlot = Math.max(this.#appliedSlot, base.slot);
    this.#answerLeader();
  }

  /** False: nothing is to be done any more. The first input tells what the log holds beyond the state. */
  #begin(): boolean {
    if (this.#isStarted) return !this.#isRemoved;
    this.#isStarted = true;
    const { learner } = this.#ground;
    this.#ground.effects.configured(learner.configuration);
    // How far was chosen is written without haste; the state may know more.
    learner.choose(Math.max(this.#recovered.chosenUpTo, this.#appliedAtStart));
    learner.applied(this.#appliedAtStart);
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

  /** It has learned that it is in no configuration any more: those that go on can tell it for sure. */
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

  /** The ballot is on disk before anybody hears of it: after a crash it must not be opened again. */
  #prepare(ballot: Ballot, isHandover: boolean, now: number): void {
    const { self, acceptor, effects, learner: { chosenSlot } } = this.#ground;
    this.#follow(undefined);
    this.#note(ballot);
    acceptor.promise(ballot);
    const phase1 = new Phase1({ ballot, isHandover });
    this.#role = { kind: 'preparing', phase1, since: now, askedAt: now };
    effects.afterPersist(self, {
      kind: 'promise', ballot, part: 0, isLast: true, accepted: [],
      chosenUpTo: chosenSlot, trimmedUpTo: acceptor.log.base,
    });
    for (const id of this.#otherVoters()) {
      effects.afterPersist(id, { kind: 'prepare', ballot, fromSlot: chosenSlot + 1, isHandover });
    }
  }

  #tickCandidate(role: Role & { kind: 'preparing' }, now: number): void {
    const { limits, self, effects, learner } = this.#ground;
    const { phase1 } = role;
    const isTooLong = now - role.since >= limits.electionMs;
    if (learner.isWaitingForState || isTooLong) return this.#giveUp(now);
    if (phase1.has(self) && now - role.askedAt >= limits.heartbeatMs * 2) {
      role.askedAt = now;
      const { ballot, isHandover } = phase1;
      for (const id of this.#otherVoters()) {
        if (phase1.has(id)) continue;
        effects.send(id, { kind: 'prepare', ballot, fromSlot: learner.chosenSlot + 1, isHandover });
      }
    }
    this.#maybeLead(role, now);
  }

  #maybeLead(role: Role & { kind: 'preparing' }, now: number): void {
    const { learner, acceptor, self } = this.#ground;
    if (!isVoter(learner.configuration, self)) return this.#giveUp(now);
    const plan = role.phase1.plan(learner, acceptor);
    if (plan.kind === 'behind') this.#catchUp.want(plan.member, now);
    if (plan.kind !== 'ready') return;
    const leadership = new Leadership(this.#ground, {
      ballot: role.phase1.ballot,
      now,
      events: {
        leading: () => this.#tellLeading(role.phase1.ballot),
        behind: (member) => this.#catchUp.want(member, now),
        left: () => this.#follow(undefined),
      },
    });
    this.#role = { kind: 'leading', leadership };
    leadership.start(role.phase1, plan.values, now);
  }

  #tellLeading(ballot: Ballot): void {
    if (this.#told.kind === 'leading') return;
    this.#told = { kind: 'leading', ballot };
    this.#ground.effects.leadership(this.#told);
  }

  // Phase 1, asked

  #onPrePrepare(from: MemberId, { ballot, fromSlot }: Said<'pre-prepare'>, now: number): void {
    if (!this.#mayAsk(from, fromSlot, now)) return;
    const { acceptor, effects } = this.#ground;
    const { promised } = acceptor;
    const isGranted = this.#role.kind !== 'leading' && !acceptor.refuses(ballot) &&
      !(promised !== undefined && isSameBallot(promised, ballot)) &&
      this.#patience.isAnyoneFree(from, now);
    effects.send(from, { kind: 'pre-promise', ballot, isGranted, promised });
  }

  #onPrepare(from: MemberId, message: Said<'prepare'>, now: number): void {
    const { ballot, fromSlot, isHandover } = message;
    if (!this.#mayAsk(from, fromSlot, now)) return;
    const { acceptor, effects, limits, learner } = this.#ground;
    if (acceptor.refuses(ballot)) return this.#refuse(from, ballot);
    const { promised } = acceptor;
    if (promised === undefined || !isSameBallot(promised, ballot)) {
      if (!this.#isFree(ballot, isHandover, now)) return;
      this.#note(ballot);
      acceptor.promise(ballot);
      this.#follow(undefined);
      this.#patience.restart(now, false);
    }
    const bounds = { chosenUpTo: learner.chosenSlot, bytesMax: limits.partBytesMax };
    for (const part of acceptor.promises(ballot, fromSlot, bounds)) {
      effects.afterPersist(from, part);
    }
  }

  #isFree(ballot: Ballot, isHandover: boolean, now: number): boolean {
    if (this.#role.kind !== 'leading') return this.#patience.isFree(ballot, isHandover, now);
    return isHandover && ballot.round === this.#role.leadership.ballot.round + 1;
  }

  /** Only voters of the newest configuration may stand; one that knows of a newer one is asked for it. */
  #mayAsk(from: MemberId, fromSlot: number, now: number): boolean {
    const { learner } = this.#ground;
    if (isVoter(learner.configuration, from)) return true;
    if (fromSlot > learner.chosenSlot + 1) this.#catchUp.want(from, now);
    else this.#maybeSayRemoved(from);
    return false;
  }

  /**
   * Only once the new configuration has chosen something: until then those that leave may hold the
   * only other copies of what the old one chose.
   */
  #maybeSayRemoved(to: MemberId): boolean {
    const { learner: { configuration, chosenSlot }, effects } = this.#ground;
    if (configuration.number === 0 || chosenSlot < configuration.fromSlot) return false;
    if (findMember(configuration, to) !== undefined) return false;
    effects.send(to, { kind: 'removed', configurationNumber: configuration.number });
    return true;
  }

  #refuse(to: MemberId, ballot: Ballot): void {
    const { acceptor: { promised }, effects } = this.#ground;
    if (promised !== undefined) effects.send(to, { kind: 'refused', ballot, promised });
  }

  // Phase 1, answered

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
    if (role.kind !== 'preparing' || !isSameBallot(role.phase1.ballot, message.ballot)) return;
    role.phase1.onPromise(from, message);
    this.#maybeLead(role, now);
  }

  #onRefused(from: MemberId, { ballot, promised }: Said<'refused'>, now: number): void {
    if (findMember(this.#ground.learner.configuration, from) === undefined) return;
    this.#note(promised);
    const own = this.#ownBallot;
    if (own !== undefined && isSameBallot(own, ballot)) this.#giveUp(now);
  }

  // Phase 2, asked

  #onAccept(from: MemberId, message: Said<'accept'>, now: number): void {
    if (!this.#hear(from, message, now)) return;
    const { acceptor, learner, limits } = this.#ground;
    const { ballot, firstSlot, values } = message;
    if (learner.unappliedBytes <= limits.unappliedBytesMax) {
      let slot = firstSlot;
      const last = learner.chosenSlot + limits.aheadSlotsMax;
      for (const value of values) {
        if (slot > learner.chosenSlot && slot <= last) acceptor.accept(ballot, slot, value);
        slot += 1;
      }
    }
    if (!learner.hear(ballot, message.chosenUpTo)) this.#catchUp.want(from, now);
    this.#answerLeader();
  }

  #onHeartbeat(from: MemberId, message: Said<'heartbeat'>, now: number): void {
    if (!this.#hear(from, message, now)) return;
    const { acceptor, learner, effects } = this.#ground;
    const { ballot, round, chosenUpTo } = message;
    if (!learner.hear(ballot, chosenUpTo)) this.#catchUp.want(from, now);
    effects.send(from, {
      kind: 'heard', ballot, round, upTo: acceptor.heldUpTo(ballot, learner.chosenSlot),
      chosenUpTo: learner.chosenSlot, appliedUpTo: this.#appliedSlot,
    });
  }

  /** Whether the speaker leads as far as this member knows; then it is followed. */
  #hear(from: MemberId, { ballot, chosenUpTo }: Said<'accept' | 'heartbeat'>, now: number): boolean {
    const { acceptor, learner: { configuration } } = this.#ground;
    if (acceptor.refuses(ballot)) {
      this.#refuse(from, ballot);
      return false;
    }
    if (!isVoter(configuration, from) && chosenUpTo < configuration.fromSlot) {
      this.#maybeSayRemoved(from);
      return false;
    }
    if (this.#role.kind !== 'following' || this.#role.leader !== from) this.#follow(from);
    this.#note(ballot);
    acceptor.promise(ballot);
    this.#patience.heard(acceptor.promised ?? ballot, now);
    return true;
  }

  /** Tells the leader how far all is on this disk. */
  #answerLeader(): void {
    const { acceptor, learner: { chosenSlot }, effects } = this.#ground;
    const ballot = acceptor.promised;
    if (this.#role.kind !== 'following' || this.#role.leader === undefined) return;
    if (ballot === undefined || ballot.member !== this.#role.leader) return;
    effects.afterPersist(this.#role.leader, {
      kind: 'accepted', ballot, upTo: acceptor.heldUpTo(ballot, chosenSlot), chosenUpTo: chosenSlot,
    });
  }

  // Phase 2, answered

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
    if ((knowsOfStop || fromSlot <= log.base) && this.#maybeSayRemoved(from)) return;
    this.#catchUp.answer(from, fromSlot);
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
      role.since = now;
      this.#maybeLead(role, now);
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

  get #ownBallot(): Ballot | undefined {
    if (this.#role.kind === 'preparing') return this.#role.phase1.ballot;
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
