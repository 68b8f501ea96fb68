/**
 * The learner: takes chosen slots strictly in order, says what counts, and forgets what nobody
 * needs. A speaker's word that all up to n is chosen is not enough: what is held here may be an
 * older ballot's value of that slot. Only a value accepted under the speaker's own ballot is surely
 * the one that it means; any other is asked for. Lamport, "Paxos Made Simple", 2001, §2.3.
 */
import { invariant } from '@oxbow/sdk/protocol';
import { valueBytes } from './accepted-log.js';
import type { Entry } from './accepted-log.js';
import type { Acceptor } from './acceptor.js';
import { isSameBallot } from './ballot.js';
import type { Ballot, MemberId } from './ballot.js';
import { findMember } from './configuration.js';
import type { Configuration } from './configuration.js';
import { Course } from './effect.js';
import type { PaxosEffects } from './effects.js';
import { Holds } from './holds.js';
import type { PaxosLimits } from './limits.js';
import type { Base } from './record.js';
import type { Value } from './value.js';

export interface LearnerOptions {
  readonly self: MemberId;
  readonly acceptor: Acceptor;
  readonly base: Base;
  /** The state on disk stands there; its slots are not told again. */
  readonly appliedSlot: number;
  readonly limits: PaxosLimits;
  readonly effects: PaxosEffects;
  /** The tag of an own proposal of the present leadership. Called once per slot, in order. */
  readonly tagOf: (slot: number, entry: Entry) => number | undefined;
  /** A stop-sign was chosen, or the state that was installed is of a later configuration. */
  readonly configured: (configuration: Configuration) => void;
}

/** A trim takes a quarter of what may be kept, so that it is rare. */
const KEPT_AFTER_TRIM = 0.75;

export class Learner {
  readonly #options: LearnerOptions;
  #course: Course;
  /** Follows behind, at the log's base. */
  #trail: Course;
  /** Slots up to here count as applied. */
  #appliedSlot: number;
  #appliedBytes = 0;
  readonly #holds = new Holds();
  /** A state is on its way: it may stand anywhere, so nothing may be told meanwhile. */
  isWaitingForState = false;

  constructor(options: LearnerOptions) {
    this.#options = options;
    this.#course = new Course(options.base);
    this.#trail = new Course(options.base);
    this.#appliedSlot = options.base.slot;
  }

  get chosenSlot(): number {
    return this.#course.slot;
  }

  get configuration(): Configuration {
    return this.#course.configuration;
  }

  /** Of this place, to walk on from it over values that are not chosen yet. */
  get base(): Base {
    return this.#course.base;
  }

  /** Chosen or accepted, and not in the state on disk. */
  get unappliedBytes(): number {
    return this.#options.acceptor.log.bytes - this.#appliedBytes;
  }

  /** Everything up to there is chosen, and held. */
  choose(upTo: number): void {
    const { log } = this.#options.acceptor;
    while (this.#course.slot < upTo && !this.isWaitingForState) {
      const entry = log.at(this.#course.slot + 1);
      invariant(entry !== undefined, 'a chosen slot is held');
      this.#take(entry);
    }
  }

  /**
   * The speaker of `ballot` says that all up to `upTo` is chosen. False: some of it is not held
   * here.
   */
  hear(ballot: Ballot, upTo: number): boolean {
    const { log } = this.#options.acceptor;
    while (this.#course.slot < upTo && !this.isWaitingForState) {
      const entry = log.at(this.#course.slot + 1);
      if (entry === undefined || !isSameBallot(entry.ballot, ballot)) return false;
      this.#take(entry);
    }
    return true;
  }

  /** Chosen values as another member holds them. */
  learn(firstSlot: number, values: readonly Value[]): void {
    const { log } = this.#options.acceptor;
    let slot = firstSlot;
    for (const value of values) {
      if (slot === this.#course.slot + 1 && !this.isWaitingForState) {
        this.#options.acceptor.keepChosen(slot, value);
        const entry = log.at(slot);
        invariant(entry !== undefined, 'what was kept is held');
        this.#take(entry);
      }
      slot += 1;
    }
  }

  /** The state was replaced by one that stands at `base.slot`. */
  install(base: Base): void {
    invariant(base.slot >= this.#course.slot, 'a state never goes backwards');
    const { number } = this.#course.configuration;
    this.#options.acceptor.log.trim(base.slot);
    this.#course = new Course(base);
    this.#trail = new Course(base);
    this.#appliedSlot = base.slot;
    this.#appliedBytes = 0;
    this.#sayTrimmed();
    if (base.configuration.number > number) this.#options.configured(base.configuration);
  }

  /** Whoever asks within `holdMs` for what comes after `slot` finds it, within bounds. */
  hold(holder: string, slot: number, now: number): void {
    this.#holds.hold(holder, { slot, until: now + this.#options.limits.holdMs }, now);
  }

  /** The state on disk stands at `slot`. */
  applied(slot: number, now: number): void {
    const { log } = this.#options.acceptor;
    const upTo = Math.min(slot, this.#course.slot);
    while (this.#appliedSlot < upTo) {
      this.#appliedSlot += 1;
      const entry = log.at(this.#appliedSlot);
      if (entry !== undefined) this.#appliedBytes += valueBytes(entry.value);
    }
    const kept = this.#appliedSlot - log.base;
    const { keptSlotsMax } = this.#options.limits;
    if (kept > keptSlotsMax || this.#appliedBytes > this.#keptBytesMax) this.#trim(now);
  }

  /** Where a state at `slot` stands; undefined: not chosen here, or forgotten. */
  baseAt(slot: number): Base | undefined {
    if (slot < this.#trail.slot || slot > this.#course.slot) return undefined;
    const walk = new Course(this.#trail.base);
    while (walk.slot < slot) {
      const entry = this.#options.acceptor.log.at(walk.slot + 1);
      invariant(entry !== undefined, 'a chosen slot is held');
      walk.step(entry.value);
    }
    return walk.base;
  }

  #take(entry: Entry): void {
    const { effects, appliedSlot, tagOf, configured } = this.#options;
    const { value } = entry;
    const counts = this.#course.step(value);
    const slot = this.#course.slot;
    const tag = tagOf(slot, entry);
    if (slot > appliedSlot) {
      effects.chosen(slot, counts && value.kind === 'command'
        ? { kind: 'command', payload: value.payload, tag }
        : { kind: 'nothing' });
    }
    if (counts && value.kind === 'stop') {
      // Before any vote in the next configuration: after a crash this one might have no quorum any
      // more that could tell it again.
      effects.persist({ kind: 'chosen', upTo: slot });
      configured(this.#course.configuration);
    }
  }

  get #keptBytesMax(): number {
    const { keptBytesMax, keptAloneBytesMax } = this.#options.limits;
    const { voters, learners } = this.configuration;
    const isAlone = voters.length + learners.length === 1;
    return isAlone ? Math.min(keptBytesMax, keptAloneBytesMax) : keptBytesMax;
  }

  #trim(now: number): void {
    const { limits, acceptor: { log } } = this.#options;
    const held = this.#heldFrom(now);
    const slots = Math.floor(limits.keptSlotsMax * KEPT_AFTER_TRIM);
    const bytes = this.#keptBytesMax * KEPT_AFTER_TRIM;
    while (this.#appliedSlot - this.#trail.slot > slots || this.#appliedBytes > bytes) {
      if (this.#trail.slot >= held) break;
      const entry = log.at(this.#trail.slot + 1);
      if (entry === undefined || this.#isFarewell(entry.value)) break;
      this.#trail.step(entry.value);
      this.#appliedBytes -= valueBytes(entry.value);
    }
    if (this.#trail.slot === log.base) return;
    log.trim(this.#trail.slot);
    this.#sayTrimmed();
  }

  /** Whom it takes too long is let go: a log in memory must end somewhere. */
  #heldFrom(now: number): number {
    const { limits, effects } = this.#options;
    const held = this.#holds.lowest(now);
    if (held === Infinity || this.#appliedBytes <= limits.heldBytesMax) return held;
    this.#holds.release();
    effects.log('warn', 'log-no-longer-held', { slot: held, bytes: this.#appliedBytes });
    return Infinity;
  }

  /**
   * The stop-sign that votes this member out is kept: after a restart it must know that it once
   * belonged here, for those that go on may have the news from nobody else.
   */
  #isFarewell(value: Value): boolean {
    if (value.kind !== 'stop') return false;
    const { self } = this.#options;
    const next = new Course(this.#trail.base);
    next.step(value);
    return findMember(this.#trail.configuration, self) !== undefined &&
      findMember(next.configuration, self) === undefined;
  }

  #sayTrimmed(): void {
    const { effects } = this.#options;
    const { base } = this.#trail;
    effects.persist({ kind: 'trimmed', base });
    effects.trimmed(base);
  }
}
