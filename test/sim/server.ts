/**
 * The simulated server: a real NodeHost with the real log, a group of one, on a simulated disk,
 * store, clock and network. Each slot is written into the truth as it is chosen, before anybody can
 * be told.
 */
import { decodeBatch } from '@oxbow/sdk/protocol';
import { NodeHost } from '../../packages/server/src/host/node-host.js';
import type { CommitLog } from '../../packages/server/src/log/commit-log.js';
import { foundAlone } from '../../packages/server/src/log/founding.js';
import { PaxosLog } from '../../packages/server/src/log/paxos-log.js';
import { SegmentLog, segmentLogLimits } from '../../packages/server/src/log/segment-log.js';
import { nodeLimits } from '../../packages/server/src/node/limits.js';
import type { MemberId } from '../../packages/server/src/paxos/ballot.js';
import { paxosLimits } from '../../packages/server/src/paxos/limits.js';
import { apps, type Version } from './app.js';
import type { Truth } from './checkers.js';
import { SimDirectory } from './disk.js';
import type { Network } from './network.js';
import type { Random } from './random.js';
import { SimStateStore } from './state-store.js';
import type { Swarm } from './swarm.js';
import { restoreInto, takeBackup, type RestoredData, type SimBackup } from './backup.js';
import { Process, type World } from './world.js';

export interface ServerParts {
  readonly world: World;
  readonly process: Process;
  readonly network: Network;
  readonly swarm: Swarm;
  readonly truths: ReadonlyMap<string, Truth>;
  readonly random: Random;
  /** Lets this server crash and come back, if that is still wanted. */
  readonly crashAWhile: () => void;
}

/**
 * Entries of the simulated app are small; so may slots and segments be, and more of them are seen.
 */
const PAYLOAD_BYTES_MAX = 6 * 1024;
/** What the log's record has around a payload, at most. */
const RECORD_HEAD_BYTES = 256;
const KEPT_SLOTS = 64;
/** A space takes several commits to be lifted. */
const LIFT_CHARS_MAX = 20;

export class SimServer {
  readonly #parts: ServerParts;
  readonly #crashes: Random;
  #directory: SimDirectory;
  #store: SimStateStore;
  #backup: SimBackup | undefined;
  #restores = 0;
  /** Of the cluster that it is. */
  #history = 'simulated';
  readonly #dice: Random;
  readonly #lifts: Random;
  #host: NodeHost | undefined;
  /** Of the app that it serves. */
  version: Version = 1;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    const { world, process, random, swarm } = parts;
    this.#crashes = random.fork('crashes');
    this.#dice = random.fork('paxos');
    this.#lifts = random.fork('lifts');
    this.#directory = this.#newDirectory('log');
    this.#store = new SimStateStore(world, process, {
      random: random.fork('store'), faults: swarm.serverDisk, keptEntries: swarm.keptEntries,
    });
  }

  get process(): Process {
    return this.#parts.process;
  }

  get state(): string {
    return `server ${this.process.isAlive ? this.#host?.state : 'down'} ${JSON.stringify(this.#host?.gauges())}`;
  }

  start(): void {
    const { process, network, swarm, world } = this.#parts;
    process.start();
    this.version = world.now >= swarm.app.serverAtMs ? 2 : 1;
    const host = new NodeHost({
      app: apps[this.version],
      clock: process.clock,
      log: this.#recorded(this.#newLog()),
      store: this.#store,
      verifier: {
        warnings: [],
        verify: (token, _replica, done) => {
          const user = token?.replace('dev:', '') ?? null;
          process.clock.soon(() => done({ user, spaces: { '*': 'rw' } }));
        },
      },
      logger: {
        log: (level, event) => {
          world.trace(`server ${level} ${event}`);
          if (event === 'space-migrated') this.#maybeCutShort();
        },
      },
      dev: true,
      limits: {
        ...nodeLimits,
        payloadBytesMax: PAYLOAD_BYTES_MAX,
        keptEntriesMax: swarm.keptEntries,
        liftCharsMax: LIFT_CHARS_MAX,
      },
    }, {
      ready: () => world.trace('server is ready'),
      failed: (error) => {
        throw error;
      },
    });
    this.#host = host;
    host.start();
    network.listen(process, {
      accept: (link) => host.accept({ send: (frame) => link.send(frame), close: () => link.close() }),
    });
  }

  /** A picture of the state as it is, taken from the running server. */
  backUp(): void {
    if (!this.process.isAlive) return;
    takeBackup(this.#store, (backup) => {
      this.#backup = backup;
      this.#parts.world.trace(`a backup of slot ${backup.slot} is taken`);
    });
  }

  /**
   * The backup is restored into an empty data directory; `done` is called when all is ready but for
   * the start of a server on it. Nothing happens if there is no backup.
   */
  restore(done: (restored: RestoredData) => void): void {
    const { world, process, random, swarm: { serverDisk: faults, keptEntries } } = this.#parts;
    const backup = this.#backup;
    if (backup === undefined) return;
    const name = `restored-${++this.#restores}`;
    const from = this.#history;
    const tool = new Process(world, 'restore', 0);
    tool.start();
    const options = { random: random.fork(name), faults, keptEntries, history: name };
    const filled = new SimStateStore(world, tool, options);
    restoreInto(filled, { backup, cluster: name }, [...this.#parts.truths.keys()], (csns) => {
      const use = (): void => {
        this.crash();
        this.#history = name;
        this.#directory = this.#newDirectory(`log of ${name}`);
        this.#store = new SimStateStore(world, process, { ...options, disk: filled.disk });
        world.trace(`the server is restored to slot ${backup.slot}`);
        this.start();
      };
      done({ from, csns, use });
    });
  }

  #newDirectory(name: string): SimDirectory {
    const { world, process, random, swarm, crashAWhile } = this.#parts;
    return new SimDirectory(world, process, {
      random: random.fork(name), faults: swarm.serverDisk,
      onSync: () => {
        if (!this.#crashes.chance(swarm.serverCrashInSync)) return;
        world.after(this.#crashes.exponential(swarm.serverDisk.meanMs / 2), crashAWhile);
      },
    });
  }

  /** It crashes while the commits that lift a space are on their way. */
  #maybeCutShort(): void {
    const { world, swarm, crashAWhile } = this.#parts;
    if (!this.#lifts.chance(0.6)) return;
    world.after(this.#lifts.exponential(swarm.serverDisk.meanMs * 3), crashAWhile);
  }

  crash(): void {
    this.process.crash();
    this.#directory.crash();
    this.#store.crash();
    this.#host = undefined;
    this.#parts.network.deafen(this.process);
  }

  #newLog(): PaxosLog {
    const { process, swarm } = this.#parts;
    // reason: names in the simulation are what they are.
    const self = { id: `node.${this.#restores + 1}` as MemberId, name: 'node', peerAddress: '', clientUrl: '' };
    return new PaxosLog({
      wal: new SegmentLog(this.#directory, {
        ...segmentLogLimits,
        segmentBytes: swarm.segmentBytes, payloadBytesMax: PAYLOAD_BYTES_MAX + RECORD_HEAD_BYTES,
      }),
      clock: { monotonicMs: process.monotonic, after: process.clock.after },
      random: () => this.#dice.unit(),
      form: (slot, done) => done(foundAlone({ cluster: this.#history, slot, self })),
      limits: { ...paxosLimits, keptSlotsMax: KEPT_SLOTS, keptBytesMax: 4 * swarm.segmentBytes },
      checkpointBytes: swarm.segmentBytes / 8,
    });
  }

  /** The same log, each chosen slot written into the truth first. */
  #recorded(log: PaxosLog): CommitLog {
    const record = (slot: number, payload: Uint8Array | undefined): void => {
      this.#parts.world.trace(`slot ${slot} is chosen`);
      if (payload === undefined) return;
      for (const { space, entries } of decodeBatch(new TextDecoder().decode(payload))) {
        const truth = this.#parts.truths.get(space);
        for (const entry of entries) truth?.chosen(entry);
      }
    };
    return {
      start: (state, events) => log.start(state, {
        ...events,
        onChosen: (slot, payload, tag) => {
          record(slot, payload);
          events.onChosen(slot, payload, tag);
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
