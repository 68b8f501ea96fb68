/**
 * The replicated log of one node with all that belongs to it: the write-ahead log, the Paxos
 * member, the links to the others and the state that travels between them. To the server it is a
 * `CommitLog`. A node without others is the same, less the links.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { ClusterStatus } from './cluster-status.js';
import { clusterStatus } from './cluster-status.js';
import type { NodeList } from '../cluster/node-list.js';
import type { PeerLinks } from '../cluster/peer-link.js';
import type { Order, OrderResult } from '../cluster/effects.js';
import type { Logger } from '../drivers/log.js';
import type { MemberNotes } from '../drivers/member-note.js';
import type { CommitLog, CommitLogEvents, LogLeadership } from '../log/commit-log.js';
import { PaxosLog } from '../log/paxos-log.js';
import type { WriteAheadLog } from '../log/write-ahead-log.js';
import type { MemberId } from '../paxos/ballot.js';
import { baseFromText, baseToText } from '../paxos/codec/base-text.js';
import type { Member } from '../paxos/configuration.js';
import type { PaxosLimits } from '../paxos/limits.js';
import type { CheckLimits, TransferLimits } from '../space/limits.js';
import type { StateStore } from '../space/state-store.js';
import type { StateExport } from '../space/state-transfer.js';
import { ClusterHost } from './cluster-host.js';
import type { HostClock } from './host-clock.js';
import type { Spread } from './recent-samples.js';
import { StateChecks } from './state-checks.js';
import { StateTravel } from './state-travel.js';

export interface ClusterNodeParts {
  readonly node: string;
  readonly peerAddress: string;
  readonly clientUrl: string;
  readonly list: NodeList;
  readonly version: string;
  /** Undefined: it stays alone. */
  readonly links: PeerLinks | undefined;
  readonly notes: MemberNotes;
  readonly wal: WriteAheadLog;
  readonly store: StateStore;
  readonly clock: HostClock;
  readonly monotonicMs: () => number;
  readonly random: () => number;
  readonly randomText: () => string;
  readonly randomCluster: () => string;
  readonly logger: Logger;
  /** The newest sync of the log, ms. */
  readonly fsyncMs: () => number;
  readonly limits?: ClusterNodeLimits;
}

/** What is absent is as it is shipped. */
export interface ClusterNodeLimits {
  readonly paxos?: PaxosLimits;
  readonly transfer?: TransferLimits;
  readonly checks?: CheckLimits;
  /** Of the log: written since the last checkpoint before the next one. */
  readonly checkpointBytes?: number;
}

export interface ServerFigures {
  readonly state: string;
  readonly fsync: Spread;
  readonly commit: Spread;
  readonly proposalsInFlight: number;
  readonly commits: number;
}

const TRAVEL_TICK_MS = 500;

export class ClusterNode {
  readonly log: CommitLog;
  readonly #parts: ClusterNodeParts;
  readonly #paxos: PaxosLog;
  readonly #cluster: ClusterHost;
  #events: CommitLogEvents | undefined;
  #travel: StateTravel | undefined;
  #checks: StateChecks | undefined;
  #leadership: LogLeadership = { kind: 'following', leader: undefined };
  #leaderChanges = 0;
  #appliedSlot = 0;
  #cancelTick = (): void => undefined;
  #isOver = false;

  constructor(parts: ClusterNodeParts) {
    this.#parts = parts;
    this.#cluster = new ClusterHost({
      ...parts,
      lost: (error) => this.#events?.onLost(error),
      position: () => this.#position(),
    });
    const { wal, clock, monotonicMs, random, logger, limits = {} } = parts;
    this.#paxos = new PaxosLog({
      wal, random,
      clock: { monotonicMs, after: (delayMs, task) => clock.after(delayMs, task) },
      form: (slot, done) => this.#cluster.form(slot, done),
      peers: this.#cluster.peers,
      log: (level, event, fields) => logger.log(level, event, fields),
      ...(limits.paxos === undefined ? {} : { limits: limits.paxos }),
      ...(limits.checkpointBytes === undefined ? {} : { checkpointBytes: limits.checkpointBytes }),
    });
    this.#cluster.govern(this.#paxos);
    this.log = this.#commitLog();
  }

  get leadership(): LogLeadership {
    return this.#leadership;
  }

  /** It can serve clients, or knows who can. */
  get isOfUse(): boolean {
    return this.#leadership.kind === 'leading' || this.#leadership.leader !== undefined;
  }

  get gauges() {
    const { chosenSlot, appliedSlot } = this.#position();
    const { voters = [] } = this.#cluster.machine?.configuration ?? {};
    return {
      leading: this.#leadership.kind === 'leading' ? 1 : 0,
      leaderChanges: this.#leaderChanges,
      chosenSlot, appliedSlot,
      voters: voters.length,
      peersLinked: this.#cluster.machine?.heard.size ?? 0,
      loopLagMs: this.#cluster.loopLagMs,
      transfer: this.#travel?.progress,
    };
  }

  status(figures: ServerFigures): ClusterStatus {
    const { node, version, list, links, clock } = this.#parts;
    const { machine, positions, loopLagMs } = this.#cluster;
    return clusterStatus({
      ...figures, node, version, list, machine, positions,
      leader: this.#leader(),
      isLeading: this.#leadership.kind === 'leading',
      links: links?.states() ?? [],
      own: { ...this.#position(), loopLagMs },
      wallMs: clock.now(),
    });
  }

  /** All that is applied here by now: of a follower perhaps not yet the newest. */
  exportState(): Promise<StateExport> {
    return new Promise((resolve, reject) => {
      this.#parts.store.exportState((picture, error) => {
        if (picture !== undefined) resolve(picture);
        else reject(error ?? new OxbowError('invariant', 'a store gives a picture or an error'));
      });
    });
  }

  order(order: Order, done: (result: OrderResult) => void): void {
    this.#cluster.order(order, done);
  }

  /** The log that this node needs is gone: it takes the state of another. */
  stateNeeded(from: MemberId): void {
    this.#parts.logger.log('info', 'state-fetch', { from });
    this.#travel?.fetch(from, this.#appliedSlot + 1);
  }

  /** A record of the state cannot be read. Where there are others, they fill this node anew. */
  damaged(error: OxbowError): void {
    this.#parts.logger.log('error', 'state-damaged', { code: error.code, error });
    if (this.#parts.links !== undefined) this.#events?.onFatal(error);
  }

  /**
   * From the next start on this disk is another member's. Answers whether there are others to fill
   * it.
   */
  forget(): boolean {
    const note = this.#parts.notes.read();
    if (this.#parts.links === undefined || note === undefined || note.kind === 'fresh') return false;
    this.#cluster.forget(note.cluster);
    return true;
  }

  /** After the log has stopped, before the store is closed. A second time it does nothing. */
  stop(done: () => void): void {
    if (this.#isOver) return done();
    this.#isOver = true;
    this.#cancelTick();
    this.#travel?.stop();
    this.#checks?.stop();
    this.#cluster.stop(done);
  }

  /** The log as the server sees it: with an ear at what concerns the cluster. */
  #commitLog(): CommitLog {
    const paxos = this.#paxos;
    return {
      start: (state, events) => {
        this.#events = events;
        this.#appliedSlot = state.slot;
        paxos.start(state, this.#tapped(events));
      },
      propose: (payload, tag) => paxos.propose(payload, tag),
      barrier: (done) => paxos.barrier(done),
      flushed: (done) => paxos.flushed(done),
      trim: (slot) => {
        this.#appliedSlot = Math.max(this.#appliedSlot, slot);
        paxos.trim(slot);
      },
      get inFlightBytes() {
        return paxos.inFlightBytes;
      },
      stop: (done) => paxos.stop(() => this.stop(done)),
    };
  }

  #tapped(events: CommitLogEvents): CommitLogEvents {
    return {
      ...events,
      onLost: (error) => events.onLost(this.#isFreshDamage(error) ? nothingLost(error) : error),
      onJoined: (cluster, self) => {
        this.#joined(cluster, self);
        events.onJoined(cluster, self);
      },
      onChosen: (slot, payload, tag) => {
        const checks = this.#checks;
        events.onChosen(slot, checks === undefined ? payload : checks.seen(slot, payload), tag);
      },
      onConfigured: (configuration) => {
        this.#checks?.configured(configuration);
        const { voters, learners } = configuration;
        const isAlone = this.#parts.links === undefined && voters.length + learners.length > 1;
        if (isAlone) events.onFatal(needsItsCluster(voters));
        else events.onConfigured(configuration);
      },
      onLeadership: (leadership) => {
        this.#noteLeadership(leadership);
        this.#checks?.led(this.#leader()?.id);
        events.onLeadership(this.#withPresentUrl(leadership));
      },
      onStateReplaced: (slot) => {
        this.#appliedSlot = slot;
        this.#checks?.replaced();
        events.onStateReplaced(slot);
      },
    };
  }

  /** Its note is written before the first record of a member: without one the log is empty. */
  #isFreshDamage({ code }: OxbowError): boolean {
    return code === 'log-damaged' && this.#parts.notes.read()?.kind === 'fresh';
  }

  #noteLeadership(leadership: LogLeadership): void {
    const wasLeading = this.#leadership.kind === 'leading';
    const isLeading = leadership.kind === 'leading';
    if (this.#leadership.kind !== leadership.kind || !isLeading) this.#leaderChanges += 1;
    this.#leadership = leadership;
    this.#parts.logger.log('info', 'leadership', {
      leading: isLeading, leader: leadership.kind === 'following' ? leadership.leader?.id : undefined,
    });
    if (wasLeading !== isLeading) this.#cluster.leads(isLeading);
  }

  /** What the leader says of itself is newer than what the configuration says of it. */
  #withPresentUrl(leadership: LogLeadership): LogLeadership {
    if (leadership.kind === 'leading' || leadership.leader === undefined) return leadership;
    const { leader } = leadership;
    const said = this.#cluster.machine?.heard.get(leader.name);
    if (said?.id !== leader.id) return leadership;
    return { kind: 'following', leader: { ...leader, clientUrl: said.clientUrl } };
  }

  #leader(): Member | undefined {
    const leadership = this.#withPresentUrl(this.#leadership);
    if (leadership.kind === 'following') return leadership.leader;
    const id = this.#cluster.machine?.id;
    return this.#cluster.machine?.configuration?.voters.find((voter) => voter.id === id);
  }

  #joined(cluster: string, self: Member): void {
    const { store, logger, randomText, monotonicMs: now, limits = {} } = this.#parts;
    this.#travel = new StateTravel({
      store, cluster, logger, now,
      incarnation: randomText(),
      ...(limits.transfer === undefined ? {} : { limits: limits.transfer }),
      baseAt: (slot) => this.#baseAt(slot),
      hold: (slot) => this.#paxos.hold(slot),
      // reason: whoever is on the bulk channel is known by its member id.
      send: (to, frame) => void this.#cluster.sendBulk(to as MemberId, frame),
    }, {
      fetched: (from, base, why) => {
        logger.log(base === undefined ? 'warn' : 'info', 'state-fetched', { from, why });
        if (why !== 'cancelled') this.#paxos.installed(base === undefined ? undefined : baseFromText(base));
      },
      damaged: (error) => this.#events?.onFatal(error),
    });
    this.#checks = new StateChecks({
      self: self.id, store, logger, now,
      propose: (payload, tag) => this.#paxos.propose(payload, tag),
      send: (to, frame) => void this.#cluster.sendBulk(to, frame),
      diverged: (error) => this.#events?.onFatal(error),
      ...(limits.checks === undefined ? {} : { limits: limits.checks }),
    });
    this.#cluster.joined(cluster, self);
    this.#cluster.bulk({
      linked: (member, isUp) => (isUp ? this.#travel?.linked(member) : this.#travel?.cut(member)),
      frame: (from, bytes) => {
        if (this.#checks?.frame(from, bytes) !== true) this.#travel?.frame(from, bytes);
      },
    });
    this.#tick();
  }

  #baseAt(slot: number): string | undefined {
    const base = this.#paxos.baseAt(slot);
    return base === undefined ? undefined : baseToText(base);
  }

  #tick(): void {
    if (this.#isOver) return;
    this.#travel?.tick();
    this.#checks?.tick();
    this.#cancelTick = this.#parts.clock.after(TRAVEL_TICK_MS, () => this.#tick());
  }

  #position() {
    const { leadership, chosenSlot = this.#appliedSlot } = this.#paxos.member ?? {};
    const leader = leadership?.kind === 'leading' ? this.#cluster.machine?.id : leadership?.leader;
    return { chosenSlot, appliedSlot: this.#appliedSlot, leader, fsyncMs: this.#parts.fsyncMs() };
  }
}

function nothingLost(cause: OxbowError): OxbowError {
  const message = 'The log of this node is damaged. The node has not joined a cluster yet, so nothing that ' +
    "anybody counts on is in it: remove the folder 'log' of its data directory, and start again.";
  return new OxbowError('log-damaged', message, { cause });
}

function needsItsCluster(voters: readonly Member[]): OxbowError {
  const list = voters.map(({ name, peerAddress }) => `${name}=${peerAddress}`).join(',');
  const message = `This data directory belongs to a node of a group: start it with --cluster ${list} and --node.`;
  return new OxbowError('config-invalid', message);
}
