/**
 * Phase 2 of one ballot: values get slots, go to every member in a stream of its own pace, and are
 * chosen when a quorum has them on disk. The proposer's own accepts leave before its disk has them;
 * its vote counts only after. Lamport, "Paxos Made Simple", 2001, §3.
 *
 * Work per proposal does not grow with what is in flight: answers are cumulative, and the slot
 * that a quorum has reached is the k-th largest of a handful of numbers.
 */
import { valueBytes } from './accepted-log.js';
import type { Entry } from './accepted-log.js';
import type { Ballot, MemberId } from './ballot.js';
import { quorumSize } from './configuration.js';
import type { Configuration } from './configuration.js';
import type { Ground } from './ground.js';
import type { PaxosMessage } from './message.js';
import { Progress } from './progress.js';
import type { Value } from './value.js';

type AcceptMessage = PaxosMessage & { readonly kind: 'accept' };

interface Batch {
  readonly message: AcceptMessage;
  readonly end: number;
  readonly bytes: number;
}

export class Proposer {
  readonly ballot: Ballot;
  /** The lowest slot that is proposed under this ballot. */
  readonly firstSlot: number;
  readonly #ground: Ground;
  readonly #members = new Map<MemberId, Progress>();
  #voters: readonly Progress[] = [];
  #quorum = 1;
  #lastSlot: number;
  #inFlightBytes = 0;
  /** Members at the same place get the same message. */
  #batch: Batch | undefined;
  readonly #scratch: number[] = [];

  constructor(ground: Ground, ballot: Ballot) {
    this.#ground = ground;
    this.ballot = ballot;
    this.#lastSlot = ground.learner.chosenSlot;
    this.firstSlot = this.#lastSlot + 1;
    this.govern(ground.learner.configuration);
  }

  get lastSlot(): number {
    return this.#lastSlot;
  }

  /** Proposed and not chosen. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  get inFlightSlots(): number {
    return this.#lastSlot - this.#ground.learner.chosenSlot;
  }

  /** All that are told, voters or not, but for the member itself. */
  *others(): Generator<Progress> {
    for (const progress of this.#members.values()) {
      if (progress.id !== this.#ground.self) yield progress;
    }
  }

  member(id: MemberId): Progress | undefined {
    return this.#members.get(id);
  }

  /** From now on this configuration's members are told, and its voters counted. */
  govern(configuration: Configuration): void {
    const { voters, learners } = configuration;
    const known = new Map(this.#members);
    this.#members.clear();
    for (const { id } of [...voters, ...learners]) {
      this.#members.set(id, known.get(id) ?? new Progress(id));
    }
    this.#voters = voters.flatMap(({ id }) => this.#members.get(id) ?? []);
    this.#quorum = quorumSize(configuration);
  }

  /** Gives the value the next slot. */
  propose(value: Value, tag: number | undefined, now: number): void {
    this.append(value, tag);
    this.publish(now);
  }

  append(value: Value, tag: number | undefined): void {
    this.#lastSlot += 1;
    this.#inFlightBytes += valueBytes(value);
    this.#ground.acceptor.accept(this.ballot, this.#lastSlot, value, tag);
  }

  /** Sends what was appended. */
  publish(now: number): void {
    for (const progress of this.#members.values()) {
      if (progress.id !== this.#ground.self) this.stream(progress, now);
    }
    const { self, effects, learner } = this.#ground;
    effects.afterPersist(self, {
      kind: 'accepted', ballot: this.ballot, upTo: this.#lastSlot, chosenUpTo: learner.chosenSlot,
    });
  }

  /** The slot was chosen. */
  passed(slot: number, { value }: Entry): void {
    if (slot <= this.#lastSlot) this.#inFlightBytes -= valueBytes(value);
    else this.#lastSlot = slot;
  }

  /** `from` has all up to `upTo` on disk. Chooses what a quorum has. */
  onAccepted(from: MemberId, upTo: number, now: number): void {
    const progress = this.#members.get(from);
    if (progress === undefined) return;
    progress.onDisk(Math.min(upTo, this.#lastSlot), now);
    if (progress.next === undefined && progress.match >= this.#floor) {
      progress.rewind(progress.match + 1);
    }
    const { learner } = this.#ground;
    if (progress.match > learner.chosenSlot) {
      const chosen = this.reached('match');
      if (chosen > learner.chosenSlot) learner.choose(chosen);
    }
    if (from !== this.#ground.self) this.stream(progress, now);
  }

  onHeard(from: MemberId, round: number, upTo: number, now: number): void {
    const progress = this.#members.get(from);
    if (progress === undefined) return;
    progress.heard(round, Math.min(upTo, this.#lastSlot), this.#floor);
    this.stream(progress, now);
    if (upTo > progress.match && !progress.isWaiting) this.#askAgain(progress);
  }

  /** It promised, and holds all up to there: so much need not be sent. */
  onPromised(from: MemberId, chosenUpTo: number): void {
    const progress = this.#members.get(from);
    const upTo = Math.min(chosenUpTo, this.#lastSlot);
    if (progress === undefined || progress.next !== undefined || upTo < this.#floor) return;
    progress.rewind(upTo + 1);
  }

  linked(id: MemberId, isUp: boolean, now: number): void {
    const progress = this.#members.get(id);
    if (progress === undefined) return;
    progress.isUp = isUp;
    this.#restart(progress, now);
  }

  /** Sends again what has not been answered for long. */
  tick(now: number): void {
    for (const progress of this.#members.values()) {
      if (!progress.isWaiting || now - progress.movedAt < this.#ground.limits.resendMs) continue;
      progress.movedAt = now;
      this.#restart(progress, now);
    }
  }

  /** The highest number that a quorum of voters has reached. */
  reached(what: 'match' | 'round'): number {
    const scratch = this.#scratch;
    scratch.length = 0;
    for (const voter of this.#voters) {
      const value = voter[what];
      let at = scratch.length;
      while (at > 0 && (scratch[at - 1] ?? 0) < value) at -= 1;
      scratch.splice(at, 0, value);
    }
    return scratch[this.#quorum - 1] ?? 0;
  }

  stream(progress: Progress, now: number): void {
    while (progress.canSend(this.#ground.limits) && (progress.next ?? Infinity) <= this.#lastSlot) {
      const batch = this.#from(progress.next ?? 0);
      if (batch === undefined) return progress.stop();
      this.#ground.effects.send(progress.id, batch.message);
      progress.sent(batch.end, batch.bytes, now);
    }
  }

  /**
   * It holds more than it has said is on its disk, and nothing is under way: its answer was lost.
   */
  #askAgain({ id, next }: Progress): void {
    if (next === undefined) return;
    const { effects, learner: { chosenSlot: chosenUpTo } } = this.#ground;
    effects.send(id, {
      kind: 'accept', ballot: this.ballot, firstSlot: next, values: [], chosenUpTo,
    });
  }

  /**
   * Where a member must stand to be sent accepts: earlier slots are not of this ballot, or gone.
   */
  get #floor(): number {
    return Math.max(this.firstSlot - 1, this.#ground.acceptor.log.base);
  }

  #restart(progress: Progress, now: number): void {
    if (progress.next === undefined) return;
    if (progress.match >= this.#floor) {
      progress.rewind(progress.match + 1);
      this.stream(progress, now);
    } else {
      progress.stop();
    }
  }

  #from(firstSlot: number): Batch | undefined {
    const { acceptor: { log }, learner: { chosenSlot }, limits } = this.#ground;
    const made = this.#batch;
    if (made?.message.firstSlot === firstSlot && made.end === this.#lastSlot &&
      made.message.chosenUpTo === chosenSlot) return made;
    const values: Value[] = [];
    let bytes = 0;
    for (let slot = firstSlot; slot <= this.#lastSlot; slot++) {
      const entry = log.at(slot);
      if (entry === undefined) break;
      const size = valueBytes(entry.value);
      if (values.length > 0 && bytes + size > limits.partBytesMax) break;
      values.push(entry.value);
      bytes += size;
    }
    if (values.length === 0) return undefined;
    this.#batch = {
      message: { kind: 'accept', ballot: this.ballot, firstSlot, values, chosenUpTo: chosenSlot },
      end: firstSlot + values.length - 1,
      bytes,
    };
    return this.#batch;
  }
}
