/**
 * What a seed draws for the cluster world: what clients suffer as in the node world, and a group
 * under it.
 */
import { paxosLimits, type PaxosLimits } from '../../../packages/server/src/paxos/limits.js';
import type { DiskFaults } from '../disk.js';
import type { NodeNetworkFaults } from '../node-network.js';
import type { Random } from '../random.js';
import { drawSwarm, type Swarm } from '../swarm.js';

export interface ClusterFaults {
  readonly crashEveryMs: number;
  /** Probability that a crash takes several nodes at once. */
  readonly crashMany: number;
  readonly powerLoss: number;
  /** Mean time until a crashed node is back. */
  readonly downMs: number;
  readonly pauseEveryMs: number;
  readonly stallEveryMs: number;
  readonly cutEveryMs: number;
  /** A disk that takes nothing any more. */
  readonly failEveryMs: number;
  /** A lost disk, or a bit of the log that changed while the node was down. */
  readonly loseEveryMs: number;
  readonly orderEveryMs: number;
  /** Stops as they should be, one node after the other. */
  readonly stopEveryMs: number;
  readonly wallJumpEveryMs: number;
}

export interface ClusterSwarm extends Swarm {
  readonly nodes: number;
  /** Nodes that may be added. */
  readonly spares: number;
  readonly readEveryMs: number;
  /** What keeps the applied state: it may lag far behind the log. */
  readonly store: DiskFaults;
  readonly peers: NodeNetworkFaults;
  readonly faults: ClusterFaults;
  readonly driftPpm: number;
  readonly paxos: PaxosLimits;
  /** Between comparisons of the replicas' states. */
  readonly checkEveryMs: number;
}

const TRUSTED_PPM = 1_000;
const STORE_LAG_MS = 500;

export function drawClusterSwarm(random: Random): ClusterSwarm {
  const maybe = (probability: number, ...values: readonly number[]): number =>
    random.chance(probability) ? random.pick(values) : 0;
  const swarm = drawSwarm(random.fork('clients'));
  const disk = { ...swarm.serverDisk, meanMs: random.pick([0.1, 1, 4]) };
  const driftPpm = random.pick([0, 200, TRUSTED_PPM, 50_000]);
  const orderEveryMs = maybe(0.35, 400, 1_500);
  return {
    ...swarm,
    clients: random.int(1, 4),
    turmoilMs: random.int(2_500, 7_000),
    app: { ...swarm.app, upgradeAtMs: swarm.app.upgradeAtMs / 4, changed: 0 },
    mutateEveryMs: random.pick([100, 300, 800]),
    burst: Math.min(3, swarm.burst),
    serverDisk: disk,
    store: random.chance(0.3) ? { ...disk, meanMs: STORE_LAG_MS, slow: 0 } : disk,
    nodes: random.pick([3, 3, 3, 5]),
    spares: orderEveryMs === 0 ? 0 : 1,
    readEveryMs: random.pick([100, 400]),
    peers: {
      meanMs: random.pick([0.2, 1, 8]),
      slow: maybe(0.3, 0.002, 0.02),
      loss: 0,
      duplication: 0,
      cutEveryMs: maybe(0.3, 1_000, 5_000),
    },
    faults: drawFaults(random, maybe, orderEveryMs),
    driftPpm,
    paxos: drawLimits(random, driftPpm <= TRUSTED_PPM),
    checkEveryMs: random.pick([300, 1_000, 60_000]),
  };
}

function drawFaults(
  random: Random, maybe: (probability: number, ...values: readonly number[]) => number,
  orderEveryMs: number,
): ClusterFaults {
  return {
    crashEveryMs: maybe(0.6, 700, 3_000),
    crashMany: maybe(0.5, 0.2, 0.6),
    powerLoss: random.pick([0, 0.5, 1]),
    downMs: random.pick([20, 200, 600]),
    pauseEveryMs: maybe(0.4, 1_000, 4_000),
    stallEveryMs: maybe(0.4, 500, 2_000),
    cutEveryMs: maybe(0.6, 700, 2_500),
    failEveryMs: maybe(0.2, 2_500),
    loseEveryMs: maybe(0.4, 700, 1_500),
    orderEveryMs,
    stopEveryMs: maybe(0.3, 1_500),
    wallJumpEveryMs: maybe(0.2, 1_000),
  };
}

function drawLimits(random: Random, isClockTrusted: boolean): PaxosLimits {
  return {
    ...paxosLimits,
    leaseReads: isClockTrusted && random.chance(0.7),
    driftPpm: TRUSTED_PPM,
    windowSlotsMax: random.pick([8, 1_024]),
    partBytesMax: random.pick([2_048, paxosLimits.partBytesMax]),
    keptSlotsMax: random.pick([4, 30, 100_000]),
  };
}
