/**
 * The simulated server: a real NodeHost with the real local log, on a simulated disk, store, clock and network. Each slot is
 * written into the truth as it is chosen, before anybody can be told.
 */
import { decodeBatch } from '@oxbow/sdk/protocol';
import { NodeHost } from '../../packages/server/src/host/node-host.js';
import type { CommitLog } from '../../packages/server/src/log/commit-log.js';
import { LocalLog, localLogLimits } from '../../packages/server/src/log/local-log.js';
import { nodeLimits } from '../../packages/server/src/node/limits.js';
import { app } from './app.js';
import type { Truth } from './checkers.js';
import { SimDirectory } from './disk.js';
import type { Network } from './network.js';
import type { Random } from './random.js';
import { SimStateStore } from './state-store.js';
import type { Swarm } from './swarm.js';
import type { Process, World } from './world.js';

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

/** Entries of the simulated app are small; so may slots and segments be, and more of them are seen. */
const PAYLOAD_BYTES_MAX = 6 * 1024;

export class SimServer {
  readonly #parts: ServerParts;
  readonly #directory: SimDirectory;
  readonly #store: SimStateStore;
  #host: NodeHost | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    const { world, process, random, swarm } = parts;
    const crashes = random.fork('crashes');
    this.#directory = new SimDirectory(world, process, {
      random: random.fork('log'), faults: swarm.serverDisk,
      onSync: () => {
        if (!crashes.chance(swarm.serverCrashInSync)) return;
        world.after(crashes.exponential(swarm.serverDisk.meanMs / 2), parts.crashAWhile);
      },
    });
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
    const log = new LocalLog(this.#directory, {
      ...localLogLimits,
      segmentBytes: swarm.segmentBytes, payloadBytesMax: PAYLOAD_BYTES_MAX,
    });
    const host = new NodeHost({
      app,
      clock: process.clock,
      log: this.#recorded(log),
      store: this.#store,
      verifier: {
        warnings: [],
        verify: (token, _replica, done) => {
          const user = token?.replace('dev:', '') ?? null;
          process.clock.soon(() => done({ user, spaces: { '*': 'rw' } }));
        },
      },
      logger: { log: (level, event) => world.trace(`server ${level} ${event}`) },
      dev: true,
      limits: {
        ...nodeLimits,
        payloadBytesMax: PAYLOAD_BYTES_MAX,
        keptEntriesMax: swarm.keptEntries,
      },
    }, {
      ready: () => world.trace('server is ready'),
      failed: (error) => {
        throw error;
      },
    });
    this.#host = host;
    host.start();
    network.listen({
      accept: (link) => host.accept({ send: (frame) => link.send(frame), close: () => link.close() }),
    });
  }

  crash(): void {
    this.process.crash();
    this.#directory.crash();
    this.#store.crash();
    this.#host = undefined;
    this.#parts.network.listen(undefined);
  }

  /** The same log, each chosen slot written into the truth first. */
  #recorded(log: LocalLog): CommitLog {
    const record = (slot: number, payload: Uint8Array): void => {
      this.#parts.world.trace(`slot ${slot} is chosen`);
      for (const { space, entries } of decodeBatch(new TextDecoder().decode(payload))) {
        const truth = this.#parts.truths.get(space);
        for (const entry of entries) truth?.chosen(entry);
      }
    };
    return {
      start: (appliedSlot, events) => log.start(appliedSlot, {
        ...events,
        onChosen: (slot, payload, tag) => {
          record(slot, payload);
          events.onChosen(slot, payload, tag);
        },
      }),
      propose: (payload, tag) => log.propose(payload, tag),
      trim: (slot) => log.trim(slot),
      get inFlightBytes() {
        return log.inFlightBytes;
      },
      stop: (done) => log.stop(done),
    };
  }
}
