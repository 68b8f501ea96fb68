/**
 * Compares the states of all replicas at an agreed slot. They apply the same log, so equal slots
 * mean equal states, unless a bug, a disk or a bit of memory says otherwise, and then nothing else
 * would ever tell (Chandra et al., "Paxos Made Live", 2007, §6.2; etcd's corruption check).
 *
 * The leader puts a command into the log; whoever applies it takes the digest of its state at that
 * very slot, in the background, and tells the leader. What a quorum of the voters agrees on is
 * right, and who differs from it replaces its state. Without such a quorum nobody is touched: an
 * operator must look.
 */
import { quorumSize, type Configuration } from '../paxos/configuration.js';
import type { MemberId } from '../paxos/ballot.js';
import type { CheckLimits } from './limits.js';

export type CheckMessage =
  /** To the leader. `hex` null: the state cannot be read. */
  | { readonly kind: 'state-digest'; readonly slot: number; readonly hex: string | null }
  /** From the leader: what a quorum has at the slot. */
  | { readonly kind: 'state-verdict'; readonly slot: number; readonly hex: string };

export interface CheckEffects {
  /** `encodeCommand` to the commit log; it may refuse. */
  propose(): void;
  /** `StateStore.exportAt`, its digest. Answer: `digested`. */
  takeDigest(slot: number): void;
  send(to: MemberId, message: CheckMessage): void;
  /**
   * The own state is not what a quorum has (or cannot be read): it must be replaced from `from`. A
   * leader hands leadership over first.
   */
  diverged(from: MemberId): void;
  log(
    level: 'debug' | 'info' | 'error', event: string, fields: Readonly<Record<string, unknown>>,
  ): void;
}

/** One comparison, at the leader. */
interface Round {
  readonly slot: number;
  readonly startedAt: number;
  readonly digests: Map<MemberId, string | null>;
}

export interface CheckConfig {
  readonly self: MemberId;
  readonly limits: CheckLimits;
}

export class StateCheck {
  readonly #config: CheckConfig;
  readonly #effects: CheckEffects;
  #configuration: Configuration | undefined;
  #leader: MemberId | undefined;
  #round: Round | undefined;
  /** Own digest of the last check; undefined: none yet, or it is being taken. */
  #own: { readonly slot: number; readonly hex: string | null } | undefined;
  #nextAt: number | undefined;
  #isDisputed = false;

  constructor(config: CheckConfig, effects: CheckEffects) {
    this.#config = config;
    this.#effects = effects;
  }

  /** The last comparison found no quorum: for readiness and the status page. */
  get isDisputed(): boolean {
    return this.#isDisputed;
  }

  configured(configuration: Configuration): void {
    this.#configuration = configuration;
  }

  /** `leader` undefined: nobody known. */
  led(leader: MemberId | undefined, now: number): void {
    this.#leader = leader;
    this.#round = undefined;
    this.#nextAt = this.#isLeading ? now + this.#config.limits.firstMs : undefined;
  }

  /** The command was chosen at `slot`. */
  chosen(slot: number, now: number): void {
    if (this.#isLeading) {
      this.#round = { slot, startedAt: now, digests: new Map() };
      this.#nextAt = now + this.#config.limits.everyMs;
    }
    this.#effects.takeDigest(slot);
  }

  /** Answer to `takeDigest`. `slot-passed` is no answer: leave it out. */
  digested(slot: number, hex: string | undefined, now: number): void {
    this.#own = { slot, hex: hex ?? null };
    if (this.#isLeading) this.#count(this.#config.self, slot, hex ?? null, now);
    else if (this.#leader !== undefined) {
      this.#effects.send(this.#leader, { kind: 'state-digest', slot, hex: hex ?? null });
    }
  }

  received(from: MemberId, message: CheckMessage, now: number): void {
    if (message.kind === 'state-digest') this.#count(from, message.slot, message.hex, now);
    else if (from === this.#leader) this.#onVerdict(from, message.slot, message.hex);
  }

  /** The state is another one: what was found of the former counts no more. */
  replaced(): void {
    this.#own = undefined;
  }

  tick(now: number): void {
    if (this.#round !== undefined && now - this.#round.startedAt >= this.#config.limits.answerMs) {
      this.#judge(this.#round, true);
      this.#round = undefined;
    }
    if (this.#nextAt === undefined || now < this.#nextAt || this.#round !== undefined) return;
    this.#nextAt = now + this.#config.limits.everyMs;
    this.#effects.propose();
  }

  get #isLeading(): boolean {
    return this.#leader === this.#config.self;
  }

  #count(from: MemberId, slot: number, hex: string | null, now: number): void {
    const round = this.#round;
    if (round === undefined || round.slot !== slot || !this.#isMember(from)) return;
    round.digests.set(from, hex);
    const isAll = this.#members().every((member) => round.digests.has(member));
    this.#judge(round, isAll);
    if (!isAll) return;
    this.#effects.log('debug', 'state-checked', { slot, tookMs: now - round.startedAt });
    this.#round = undefined;
  }

  /** As soon as a quorum agrees, whoever differs is told: also one whose answer comes late. */
  #judge({ slot, digests }: Round, isLast: boolean): void {
    const right = this.#rightDigest(digests);
    if (right === undefined) {
      const known = new Set([...digests.values()].filter((hex) => hex !== null));
      this.#isDisputed = isLast ? known.size > 1 : this.#isDisputed;
      if (!isLast || known.size < 2) return;
      this.#effects.log('error', 'state-disputed', { slot, digests: Object.fromEntries(digests) });
      return;
    }
    this.#isDisputed = false;
    for (const [member, hex] of digests) {
      if (hex === right) continue;
      // Once: a second answer would be judged anew.
      digests.set(member, right);
      this.#effects.log('error', 'state-diverged', { slot, member, found: hex, right });
      if (member !== this.#config.self) {
        this.#effects.send(member, { kind: 'state-verdict', slot, hex: right });
        continue;
      }
      this.#own = undefined;
      const healthy = [...digests].find(([other, theirs]) =>
        other !== member && theirs === right);
      if (healthy !== undefined) this.#effects.diverged(healthy[0]);
    }
  }

  #onVerdict(from: MemberId, slot: number, right: string): void {
    // By one's own digest, not on the leader's word: what was replaced since is innocent.
    if (this.#own?.slot !== slot || this.#own.hex === right) return;
    this.#effects.log('error', 'state-diverged', {
      slot, member: this.#config.self, found: this.#own.hex, right,
    });
    this.#own = undefined;
    this.#effects.diverged(from);
  }

  /** What a quorum of the voters has. */
  #rightDigest(digests: ReadonlyMap<MemberId, string | null>): string | undefined {
    const configuration = this.#configuration;
    if (configuration === undefined) return undefined;
    const votes = new Map<string, number>();
    for (const { id } of configuration.voters) {
      const hex = digests.get(id);
      if (hex === undefined || hex === null) continue;
      const count = (votes.get(hex) ?? 0) + 1;
      votes.set(hex, count);
      if (count >= quorumSize(configuration)) return hex;
    }
    return undefined;
  }

  #members(): readonly MemberId[] {
    const { voters = [], learners = [] } = this.#configuration ?? {};
    return [...voters, ...learners].map(({ id }) => id);
  }

  #isMember(id: MemberId): boolean {
    return this.#members().includes(id);
  }
}
