/**
 * One node of a simulated cluster: everything that `host/composition.ts` puts together for a real
 * one, on a simulated disk, clock and network. It does for its process what `create-server.ts` and
 * a service supervisor do: data that cannot be trusted are set aside, and what has ended is started
 * again.
 */
import type { OxbowError } from '@oxbow/sdk/protocol';
import type { Order } from '../../../packages/server/src/cluster/effects.js';
import type { NodeList } from '../../../packages/server/src/cluster/node-list.js';
import type { MemberNote } from '../../../packages/server/src/drivers/member-note.js';
import { ClusterNode } from '../../../packages/server/src/host/cluster-node.js';
import { isRefillable } from '../../../packages/server/src/host/composition.js';
import { NodeHost } from '../../../packages/server/src/host/node-host.js';
import type { CommitLog } from '../../../packages/server/src/log/commit-log.js';
import { SegmentLog, segmentLogLimits } from '../../../packages/server/src/log/segment-log.js';
import { nodeLimits } from '../../../packages/server/src/node/limits.js';
import type { Configuration } from '../../../packages/server/src/paxos/configuration.js';
import { transferLimits } from '../../../packages/server/src/space/limits.js';
import { apps, type Version } from '../app.js';
import { Violation } from '../checkers.js';
import { SimDirectory } from '../disk.js';
import { addressOf, type Network } from '../network.js';
import type { NodeNetwork } from '../node-network.js';
import type { Random } from '../random.js';
import { SimStateStore } from '../state-store.js';
import { Process, type World } from '../world.js';
import type { ClusterChecks } from './cluster-checks.js';
import type { ClusterSwarm } from './cluster-swarm.js';
import { SimPeerLinks } from './sim-peer-links.js';

export interface SimNodeParts {
  readonly world: World;
  readonly random: Random;
  readonly swarm: ClusterSwarm;
  readonly clients: Network;
  readonly peers: NodeNetwork<Uint8Array>;
  readonly list: NodeList;
  readonly checks: ClusterChecks;
}

/**
 * Entries of the simulated app are small; so may slots and segments be, and more of them are seen.
 */
const PAYLOAD_BYTES_MAX = 6 * 1024;
const RECORD_BYTES_MAX = 8 * 1024;
const RESTART_MS = 300;
/** A space takes several commits to be lifted. */
const LIFT_CHARS_MAX = 20;

interface Run {
  readonly host: NodeHost;
  readonly node: ClusterNode;
  /** The newest that governs, as this run knows. */
  configuration: Configuration | undefined;
  chosenSlot: number;
}

export class SimNode {
  readonly name: string;
  readonly process: Process;
  readonly directory: SimDirectory;
  readonly store: SimStateStore;
  readonly #parts: SimNodeParts;
  readonly #random: Random;
  #note: MemberNote | undefined;
  #run: Run | undefined;
  #rottenAs: string | undefined;
  #isLogHit = false;
  /** It was voted out, and stays so. */
  isRemoved = false;
  /** Of the app that it serves. */
  version: Version = 1;
  #lastConfiguration: Configuration | undefined;
  /** Times that its data could not be trusted. */
  losses = 0;

  constructor(name: string, parts: SimNodeParts) {
    this.name = name;
    this.#parts = parts;
    this.#random = parts.random.fork(name);
    const { world, swarm } = parts;
    const ppm = swarm.driftPpm / 2;
    const drift = this.#random.fork('drift').int(-ppm, ppm + 1) / 1_000_000;
    this.process = new Process(world, name, 0, 1 + drift);
    this.directory = new SimDirectory(world, this.process, {
      random: this.#random.fork('log'), faults: swarm.serverDisk, onSync: () => undefined,
    });
    this.store = new SimStateStore(world, this.process, {
      random: this.#random.fork('store'), faults: swarm.store,
      keptEntries: swarm.keptEntries, history: `store-of-${name}`,
    });
  }

  /** Under which id it has voted, or will. */
  get id(): string | undefined {
    return this.#note?.id;
  }

  /** A bit of its log has changed, and it has not yet found out, or found it harmless. */
  get isRotten(): boolean {
    return this.#rottenAs !== undefined && this.#rottenAs === this.id;
  }

  /** It knows that there is a cluster, and that it belongs to it. */
  get hasJoined(): boolean {
    return this.#note?.kind === 'member';
  }

  get isLeading(): boolean {
    return this.process.isAlive && this.#run?.node.leadership.kind === 'leading';
  }

  get configuration(): Configuration | undefined {
    return this.process.isAlive ? this.#run?.configuration : undefined;
  }

  /** Also while it is down: what it goes by when it comes back. */
  get lastConfiguration(): Configuration | undefined {
    return this.configuration ?? this.#lastConfiguration;
  }

  get appliedSlot(): number {
    return this.store.disk.appliedSlot;
  }

  get chosenSlot(): number | undefined {
    return this.#run?.chosenSlot;
  }

  get state(): string {
    const { host, node, configuration } = this.#run ?? {};
    return `${this.id ?? this.name} ${this.process.isAlive ? host?.state : 'down'} ${node?.leadership.kind} ` +
      `configuration ${configuration?.number} chosen ${this.chosenSlot} applied ${this.appliedSlot}`;
  }

  start(): void {
    if (this.isRemoved) return;
    this.process.start();
    this.#compose();
  }

  crash(isPowerLost: boolean): void {
    if (!this.process.isAlive) return;
    this.#lastConfiguration = this.#run?.configuration ?? this.#lastConfiguration;
    this.process.crash();
    this.directory.crash(isPowerLost);
    this.store.crash();
    this.#run = undefined;
    this.#parts.clients.deafen(this.process);
    this.#parts.peers.detach(this.name, isPowerLost);
  }

  /** As an operator stops it; killed if that takes too long. */
  stop(killedMs: number, done: () => void): void {
    const run = this.#run;
    if (run === undefined) return;
    let isDone = false;
    const end = (): void => {
      if (isDone) return;
      isDone = true;
      if (this.#run === run) this.crash(false);
      done();
    };
    run.host.stop(() => run.node.log.stop(end));
    this.#parts.world.after(killedMs, end);
  }

  /** While it is down: a new disk is put in. What the node kept beside the log is gone, too. */
  wipe(): void {
    this.#parts.world.trace(`${this.name} has a new disk`);
    this.directory.wipe();
    this.store.setAsideOffline();
    this.#note = undefined;
    this.losses++;
  }

  /** While it is down: a bit of its log changes. */
  rot(): void {
    // Before it belongs to a cluster nobody could make it good, and nothing was promised.
    if (this.#note?.kind !== 'member') return;
    const hit = this.directory.rot(this.#random);
    if (hit === undefined) return;
    this.#parts.world.trace(`${this.name} has a rotten ${hit === 'log' ? 'log' : 'disk'}`);
    this.#rottenAs = this.id;
    this.#isLogHit = hit === 'log';
  }

  order(order: Order): void {
    this.#run?.node.order(order, ({ code }) =>
      this.#parts.world.trace(`${order.kind} ${order.name}: ${code}`));
  }

  #compose(): void {
    const { world, swarm, clients, peers, list } = this.#parts;
    const links = new SimPeerLinks(this.process, peers);
    const dice = this.#random.fork(`run-${world.now}`);
    const node = new ClusterNode({
      node: this.name, list, links,
      peerAddress: list.get(this.name)?.peerAddress ?? '',
      clientUrl: addressOf(this.process),
      version: 'simulated',
      notes: {
        read: () => this.#note,
        write: (note) => {
          this.#note = note;
        },
      },
      wal: new SegmentLog(this.directory, {
        ...segmentLogLimits, segmentBytes: swarm.segmentBytes * 2, payloadBytesMax: RECORD_BYTES_MAX,
      }),
      store: this.store,
      clock: this.process.clock,
      monotonicMs: this.process.monotonic,
      random: () => dice.unit(),
      randomText: () => `${dice.uint32().toString(36)}${dice.uint32().toString(36)}00000000`.slice(0, 12),
      randomCluster: () => `cluster-${dice.uint32().toString(16)}`,
      logger: { log: (level, event, fields) => this.#logged(level, event, fields) },
      fsyncMs: () => 0,
      limits: {
        paxos: swarm.paxos,
        checkpointBytes: swarm.segmentBytes / 8,
        transfer: { ...transferLimits, chunkBytes: 1_024, retryMs: 100, aliveMs: 300, silentMs: 1_500, resumeMs: 1_500 },
        checks: { firstMs: swarm.checkEveryMs / 2, everyMs: swarm.checkEveryMs, answerMs: swarm.checkEveryMs / 2 },
      },
    });
    const run: Run = { host: this.#host(node), node, configuration: undefined, chosenSlot: 0 };
    this.#run = run;
    run.host.start();
    clients.listen(this.process, {
      accept: (link) => run.host.accept({ send: (frame) => link.send(frame), close: () => link.close() }),
    });
  }

  #host(node: ClusterNode): NodeHost {
    const { swarm, world } = this.#parts;
    this.version = world.now >= swarm.app.upgradeAtMs ? 2 : 1;
    return new NodeHost({
      app: apps[this.version], dev: true, clock: this.process.clock, store: this.store,
      log: this.#recorded(node.log),
      verifier: {
        warnings: [],
        verify: (token, _replica, done) => {
          const user = token?.replace('dev:', '') ?? null;
          this.process.clock.soon(() => done({ user, spaces: { '*': 'rw' } }));
        },
      },
      logger: { log: (level, event, fields) => this.#logged(level, event, fields) },
      limits: { ...nodeLimits, payloadBytesMax: PAYLOAD_BYTES_MAX, keptEntriesMax: swarm.keptEntries, liftCharsMax: LIFT_CHARS_MAX },
    }, {
      ready: () => world.trace(`${this.name} is ready`),
      stateNeeded: (from) => node.stateNeeded(from),
      failed: (error) => this.#failed(node, error),
    });
  }

  /** What `create-server.ts` does about it, and whoever supervises the process. */
  #failed(node: ClusterNode, error: OxbowError): void {
    const { world } = this.#parts;
    world.trace(`${this.name} failed: ${error.code} ${error.message}`);
    if (error.code === 'invariant') throw error;
    if (error.code === 'state-diverged') {
      throw new Violation('replicas that applied the same slots are equal', error.message);
    }
    if (error.code === 'removed') {
      this.isRemoved = true;
      world.soon(() => this.crash(false));
      return;
    }
    const isNew = isRefillable(error) && node.forget();
    world.soon(this.process.bound(() => {
      this.crash(false);
      if (isNew) this.#setAside();
      world.after(RESTART_MS, () => {
        if (!this.process.isAlive) this.start();
      });
    }));
  }

  #setAside(): void {
    this.#parts.world.trace(`${this.name} sets its data aside`);
    this.directory.wipe();
    this.store.setAsideOffline();
    this.losses++;
  }

  #logged(level: string, event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#parts.world.trace(`${this.name} ${level} ${event} ${JSON.stringify(fields)}`);
  }

  /** The same log, what it tells heard by the checkers first. */
  #recorded(log: CommitLog): CommitLog {
    const { checks } = this.#parts;
    const run = (): Run | undefined => this.#run;
    return {
      start: (state, events) => log.start(state, {
        ...events,
        onChosen: (slot, payload, tag) => {
          checks.chosen(this.name, slot, payload);
          const now = run();
          if (now !== undefined) now.chosenSlot = slot;
          events.onChosen(slot, payload, tag);
        },
        onJoined: (cluster, self) => {
          if (this.#isLogHit && this.isRotten) {
            throw new Violation('damage of what was on disk is noticed', `${self.id} goes on with its log`);
          }
          this.#rottenAs = undefined;
          events.onJoined(cluster, self);
        },
        onConfigured: (configuration) => {
          const now = run();
          if (now !== undefined) now.configuration = configuration;
          events.onConfigured(configuration);
        },
        onLeadership: (leadership) => {
          if (leadership.kind === 'leading') {
            checks.leaderships++;
            this.#parts.world.trace(`${this.name} leads`);
          }
          events.onLeadership(leadership);
        },
        onStateReplaced: (slot) => {
          const now = run();
          if (now !== undefined) now.chosenSlot = slot;
          events.onStateReplaced(slot);
        },
      }),
      propose: (payload, tag) => log.propose(payload, tag),
      barrier: (done) => log.barrier(done),
      flushed: (done) => log.flushed(done),
      trim: (slot) => log.trim(slot),
      get inFlightBytes() {
        return log.inFlightBytes;
      },
      stop: (done) => log.stop(done),
    };
  }
}
