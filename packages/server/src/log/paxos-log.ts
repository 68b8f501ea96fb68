/**
 * The commit log over a Paxos group: the member's machine between the write-ahead log, the links to
 * the other members and the server. A one-node server is a group of one: the same code. It decides
 * nothing about the order; it knows when a disk may be trusted, and when there is nothing to trust.
 */
import { OxbowError, invariant } from '@oxbow/sdk/protocol';
import type { MemberId } from '../paxos/ballot.js';
import { decodeMessage } from '../paxos/codec/message-codec.js';
import { findMember } from '../paxos/configuration.js';
import type { Configuration, Member, Membership } from '../paxos/configuration.js';
import type { Chosen, Leadership, PaxosEffects } from '../paxos/effects.js';
import { GroupMember } from '../paxos/group.js';
import { paxosLimits } from '../paxos/limits.js';
import type { PaxosLimits } from '../paxos/limits.js';
import type { PaxosMember } from '../paxos/member.js';
import type { PaxosMessage } from '../paxos/message.js';
import { recover } from '../paxos/recovery.js';
import type { Recovered } from '../paxos/recovery.js';
import type { Base, PaxosRecord } from '../paxos/record.js';
import type { AppliedState, CommitLog, CommitLogEvents, LogLeadership } from './commit-log.js';
import { asOxbowError, isLoss, logBehind, logMissing, removed, stateBehind } from './log-errors.js';
import { MemberDisk } from './member-disk.js';
import type { JoinedRecord } from './member-disk.js';
import { MemberRun } from './member-run.js';
import type { MemberOutlet } from './member-run.js';
import type { PeerPort } from './peer-port.js';
import type { WalRecord, WriteAheadLog } from './write-ahead-log.js';

/** Time as an input: it only grows, and has no relation to the wall clock. */
export interface LogClock {
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`. Returns the way to call it off. */
  after(delayMs: number, task: () => void): () => void;
}

export interface PaxosLogParts {
  readonly wal: WriteAheadLog;
  readonly clock: LogClock;
  /** The machine's dice: from 0 to below 1, and not the same as other members'. */
  readonly random: () => number;
  /**
   * Asked when this disk belongs to no cluster yet, with the slot at which its state stands. `done`
   * with the record that says which cluster it shall belong to, sooner or later.
   */
  readonly form: (slot: number, done: (joined: JoinedRecord) => void) => void;
  /** The links to other members. A group of one has none. */
  readonly peers?: PeerPort;
  readonly limits?: PaxosLimits;
  readonly log?: PaxosEffects['log'];
  /** Number of the group on this node. Default: 0. */
  readonly group?: number;
  readonly checkpointBytes?: number;
}

type Phase = 'new' | 'opening' | 'running' | 'draining' | 'stopping' | 'over';

const CHECKPOINT_BYTES = 256 * 1024;
/** Beyond this much that waits for the disk, values from others are dropped: they come again. */
const BACKLOG_BYTES_MAX = 96 * 1024 * 1024;
const CARRIES_VALUES = new Set<PaxosMessage['kind']>(['accept', 'chosen']);

export class PaxosLog implements CommitLog {
  readonly #parts: PaxosLogParts;
  readonly #limits: PaxosLimits;
  readonly #disk: MemberDisk;
  readonly #barriers = new Map<number, (slot: number | undefined) => void>();
  #phase: Phase = 'new';
  #state: AppliedState = { slot: 0, cluster: undefined, base: undefined };
  #events: CommitLogEvents | undefined;
  #run: MemberRun | undefined;
  #lastBarrier = 0;
  readonly #linked = new Set<MemberId>();
  /** The stop that is under way. */
  #stopped: (() => void) | undefined;
  #cancelTick = (): void => undefined;
  #cancelStop = (): void => undefined;

  constructor(parts: PaxosLogParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? paxosLimits;
    const { wal, group = 0, checkpointBytes = CHECKPOINT_BYTES } = parts;
    this.#disk = new MemberDisk({ wal, group, checkpointBytes });
  }

  get inFlightBytes(): number {
    return this.#run?.member.inFlightBytes ?? 0;
  }

  /** For operators: who leads, who decides, up to where. Undefined before it has started. */
  get member(): Pick<PaxosMember, 'leadership' | 'configuration' | 'chosenSlot'> | undefined {
    return this.#run?.member;
  }

  start(state: AppliedState, events: CommitLogEvents): void {
    invariant(this.#phase === 'new', 'a log starts once');
    this.#phase = 'opening';
    this.#state = state;
    this.#events = events;
    this.#parts.wal.start({
      onRecovered: (records) => this.#guarded(() => this.#recovered(records)),
      onFatal: (error) => this.#fail(error),
    });
  }

  propose(payload: Uint8Array, tag: number): void {
    this.#mustRun().request((member, now) => member.propose(payload, tag, now));
  }

  barrier(done: (slot: number | undefined) => void): void {
    if (this.#run === undefined || this.#phase === 'stopping' || this.#phase === 'over') {
      return done(undefined);
    }
    const tag = ++this.#lastBarrier;
    this.#barriers.set(tag, done);
    try {
      this.#run.request((member, now) => member.read(tag, now));
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      // Not leader, or more questions than anyone can answer: the caller asks again.
      this.#answer(tag, undefined);
    }
  }

  flushed(done: () => void): void {
    // Before it has begun, nothing was told.
    if (this.#run === undefined) done();
    else this.#parts.wal.flushed(done);
  }

  trim(slot: number): void {
    this.#input((member, now) => member.applied(slot, now));
  }

  /** A state that stands at `slot` travels; whoever gets it asks for what comes after. */
  hold(slot: number): void {
    this.#run?.member.hold(slot, this.#parts.clock.monotonicMs());
  }

  /**
   * Where a state at `slot` stands, for whoever exports it; undefined: not chosen here, or trimmed.
   */
  baseAt(slot: number): Base | undefined {
    return this.#run?.member.baseAt(slot);
  }

  /** Ends the configuration. Errors: `not-leader`, `change-under-way`, `config-invalid`. */
  change(next: Membership): void {
    this.#mustRun().request((member, now) => member.change(next, now));
  }

  /** Asks another voter to take over. Errors: `not-leader`, `config-invalid`. */
  transfer(to: MemberId): void {
    this.#mustRun().request((member, now) => member.transfer(to, now));
  }

  /** Answer to `onStateNeeded`. Undefined: the state could not be fetched. */
  installed(base: Base | undefined): void {
    if (this.#phase !== 'running' && this.#phase !== 'draining') return;
    // First: what the member tells next are the slots after it.
    if (base !== undefined) this.#events?.onStateReplaced(base.slot);
    this.#input((member, now) => member.installed(base, now));
  }

  /** Another takes over where there is one; what is proposed comes to its end, or is given up. */
  stop(done: () => void): void {
    if (this.#phase !== 'running') return this.#stopDisk(done);
    this.#phase = 'draining';
    this.#stopped = done;
    this.#cancelStop = this.#parts.clock.after(this.#limits.electionMs, () => this.#leave());
    this.#handOver();
    this.#maybeLeave();
  }

  #recovered(wal: readonly WalRecord[]): void {
    const records = this.#disk.recovered(wal);
    const { slot, cluster } = this.#state;
    if (this.#disk.joined !== undefined) return this.#begin(records);
    if (cluster !== undefined) throw logMissing(cluster, slot);
    this.#parts.form(slot, (joined) => this.#guarded(() => {
      this.#disk.persist(joined);
      // Nobody may hear of a member that a crash could still forget.
      this.#parts.wal.flushed(() => this.#guarded(() => this.#begin([...records, joined])));
    }));
  }

  #begin(records: readonly PaxosRecord[]): void {
    const { clock, random, peers, wal, group = 0, log = () => undefined } = this.#parts;
    const { slot: appliedSlot } = this.#state;
    const recovered = mustReach(this.#state, this.#withStateBase(records));
    const { cluster, self } = recovered;
    this.#phase = 'running';
    this.#run = new MemberRun({
      self, group, wal, peers,
      disk: this.#disk,
      monotonicMs: () => clock.monotonicMs(),
      outlet: this.#outlet(cluster, log),
      onBroken: (cause) => this.#fail(asOxbowError(cause)),
    }, (effects) => new GroupMember({
      self, recovered, appliedSlot, effects, random,
      limits: this.#limits, now: clock.monotonicMs(),
    }));
    this.#events?.onJoined(cluster, memberOf(this.#run.member.configuration, self));
    this.#parts.peers?.start({
      linked: (member, isUp) => this.#peerLinked(member, isUp),
      frame: (from, bytes) => this.#peerFrame(from, bytes),
    });
    this.#tick();
  }

  /** A crash may have come between the taking in of a state and the log's hearing of it. */
  #withStateBase(records: readonly PaxosRecord[]): readonly PaxosRecord[] {
    const { slot, base } = this.#state;
    if (base === undefined || base.slot !== slot) return records;
    const trimmed = { kind: 'trimmed' as const, base };
    this.#disk.persist(trimmed);
    return [...records, trimmed];
  }

  #tick(): void {
    if (this.#phase === 'over' || this.#phase === 'stopping') return;
    this.#input((member, now) => member.tick(now));
    this.#cancelTick = this.#parts.clock.after(this.#limits.tickMs, () => this.#tick());
  }

  #outlet(cluster: string, log: PaxosEffects['log']): MemberOutlet {
    return {
      chosen: (slot, chosen) => this.#chosen(slot, chosen),
      leadership: (leadership) => this.#leadership(leadership),
      configured: (configuration) => {
        this.#events?.onConfigured(configuration);
        this.#parts.peers?.configured(configuration);
      },
      readable: (tag, slot) => this.#answer(tag, slot),
      unreadable: (tag) => this.#answer(tag, undefined),
      fetchState: (from) => this.#events?.onStateNeeded(from),
      removed: () => this.#fail(removed(cluster)),
      log,
    };
  }

  #chosen(slot: number, chosen: Chosen): void {
    if (chosen.kind === 'command') this.#events?.onChosen(slot, chosen.payload, chosen.tag);
    else this.#events?.onChosen(slot, undefined, undefined);
    this.#maybeLeave();
  }

  #leadership(leadership: Leadership): void {
    this.#events?.onLeadership(this.#toldLeadership(leadership));
    this.#maybeLeave();
  }

  #toldLeadership(leadership: Leadership): LogLeadership {
    if (leadership.kind === 'leading') return { kind: 'leading' };
    const { leader } = leadership;
    const configuration = this.#run?.member.configuration;
    return {
      kind: 'following',
      leader: leader === undefined || configuration === undefined
        ? undefined
        : findMember(configuration, leader),
    };
  }

  #answer(tag: number, slot: number | undefined): void {
    const done = this.#barriers.get(tag);
    this.#barriers.delete(tag);
    done?.(slot);
  }

  #peerLinked(member: MemberId, isUp: boolean): void {
    if (isUp) this.#linked.add(member);
    else this.#linked.delete(member);
    this.#input((machine, now) => machine.linked(member, isUp, now));
  }

  #peerFrame(from: MemberId, bytes: Uint8Array): void {
    const message = this.#decoded(from, bytes);
    if (message === undefined) return;
    const isBehind = this.#parts.wal.inFlightBytes > BACKLOG_BYTES_MAX;
    if (isBehind && CARRIES_VALUES.has(message.kind)) return;
    this.#input((member, now) => member.receive(from, message, now));
  }

  #decoded(from: MemberId, bytes: Uint8Array): PaxosMessage | undefined {
    try {
      const { group, message } = decodeMessage(bytes);
      return group === (this.#parts.group ?? 0) ? message : undefined;
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      this.#parts.log?.('warn', error.code, { from, why: error.message });
      return undefined;
    }
  }

  #handOver(): void {
    const run = this.#run;
    if (run?.member.leadership.kind !== 'leading') return;
    const to = run.member.configuration.voters.find(({ id }) => this.#linked.has(id));
    if (to !== undefined) run.input((member, now) => member.transfer(to.id, now));
  }

  /** A leader leaves when what it proposed is chosen and, where others vote, one of them leads. */
  #maybeLeave(): void {
    if (this.#phase !== 'draining' || this.#run === undefined) return;
    const { leadership, configuration, inFlightBytes } = this.#run.member;
    if (leadership.kind === 'leading') {
      if (configuration.voters.length > 1 && this.#linked.size > 0) return;
      if (inFlightBytes > 0) return;
    }
    this.#leave();
  }

  #leave(): void {
    if (this.#phase !== 'draining') return;
    this.#phase = 'stopping';
    this.#endRun();
    this.#events?.onLeadership({ kind: 'following', leader: undefined });
    this.#parts.wal.stop(() => {
      this.#phase = 'over';
      this.#stopped?.();
    });
  }

  #stopDisk(done: () => void): void {
    this.#phase = 'over';
    this.#endRun();
    this.#parts.wal.stop(done);
  }

  #endRun(): void {
    this.#cancelTick();
    this.#cancelStop();
    this.#run?.end();
    for (const tag of [...this.#barriers.keys()]) this.#answer(tag, undefined);
  }

  #mustRun(): MemberRun {
    if (this.#run === undefined || this.#phase !== 'running') {
      throw new OxbowError(
        'not-leader', 'The log takes no proposals now: it is starting or has stopped.',
      );
    }
    return this.#run;
  }

  #input(happen: (member: PaxosMember, now: number) => void): void {
    if (this.#phase === 'running' || this.#phase === 'draining') this.#run?.input(happen);
  }

  #guarded(step: () => void): void {
    if (this.#phase === 'over') return;
    try {
      step();
    } catch (error) {
      this.#fail(asOxbowError(error));
    }
  }

  #fail(error: OxbowError): void {
    if (this.#phase === 'over') return;
    const wasStarting = this.#phase === 'opening';
    this.#phase = 'over';
    this.#endRun();
    if (wasStarting && isLoss(error)) this.#events?.onLost(error);
    else this.#events?.onFatal(error);
    this.#stopped?.();
  }
}

/** The records reach as far as the state. */
function mustReach(state: AppliedState, records: readonly PaxosRecord[]): Recovered {
  const recovered = recover(records);
  invariant(recovered !== undefined, 'a member that joined can be recovered');
  const { base, log } = recovered;
  if (base.slot > state.slot) throw stateBehind(state.slot, base.slot);
  for (let slot = base.slot + 1; slot <= state.slot; slot++) {
    if (log.at(slot) === undefined) throw logBehind(slot - 1, state.slot);
  }
  return recovered;
}

/** The configuration does not name a member that is to be added yet. */
function memberOf(configuration: Configuration, id: MemberId): Member {
  const [name = id] = id.split('.');
  return findMember(configuration, id) ?? { id, name, peerAddress: '', clientUrl: '' };
}
