/** What a seed draws for the Paxos world. */
import { paxosLimits, type PaxosLimits } from '../../../packages/server/src/paxos/limits.js';
import type { DiskFaults } from '../disk.js';
import type { NodeNetworkFaults } from '../node-network.js';
import type { Random } from '../random.js';

export interface NodeFaults {
  /** Mean times between faults of the group, ms; 0: none of this kind. */
  readonly crashEveryMs: number;
  /** Probability that a crash takes several nodes at once. */
  readonly crashMany: number;
  /** Probability that the power goes with it, and what was not flushed. */
  readonly powerLoss: number;
  /** Probability of a crash while a flush is under way, per flush. */
  readonly crashInFlush: number;
  /** Probability that the power goes just after a promise was written, which may not be on disk. */
  readonly crashAtPromise: number;
  /** The leader is cut off for as long as another needs to take its place. */
  readonly usurpEveryMs: number;
  /** Mean time until a crashed node is back. */
  readonly downMs: number;
  readonly pauseEveryMs: number;
  readonly stallEveryMs: number;
  readonly cutEveryMs: number;
  /** Mean time until it is over. */
  readonly cutMs: number;
  /** The leader is unheard for a few ms, and often gone soon after. */
  readonly falterEveryMs: number;
  readonly wipeEveryMs: number;
  readonly changeEveryMs: number;
  readonly transferEveryMs: number;
}

export interface PaxosSwarm {
  readonly nodes: number;
  readonly clients: number;
  readonly keys: number;
  readonly turmoilMs: number;
  /** Mean time that a client waits between two operations. */
  readonly thinkMs: number;
  /** Share of reads. */
  readonly reads: number;
  readonly network: NodeNetworkFaults;
  readonly disk: DiskFaults;
  readonly faults: NodeFaults;
  /** Parts per million by which clocks run wrong, at most. */
  readonly driftPpm: number;
  readonly limits: PaxosLimits;
}

/** What bounds trust: with clocks that may be worse, reads don't go by the lease. */
const TRUSTED_PPM = 1_000;

export function drawPaxosSwarm(random: Random): PaxosSwarm {
  const maybe = (probability: number, ...values: readonly number[]): number =>
    random.chance(probability) ? random.pick(values) : 0;
  const driftPpm = random.pick([0, 200, TRUSTED_PPM, 50_000]);
  return {
    nodes: random.pick([3, 3, 3, 3, 5, 5, 1]),
    clients: random.int(2, 6),
    keys: random.int(1, 4),
    turmoilMs: random.int(3_000, 10_000),
    thinkMs: random.pick([5, 40, 150]),
    reads: random.pick([0.2, 0.5, 0.8]),
    network: {
      meanMs: random.pick([0.2, 1, 8]),
      slow: maybe(0.3, 0.002, 0.02),
      loss: maybe(0.3, 0.005, 0.05),
      duplication: maybe(0.3, 0.01, 0.1),
      cutEveryMs: maybe(0.3, 1_000, 5_000),
    },
    disk: { meanMs: random.pick([0.1, 1, 5]), slow: maybe(0.3, 0.01), tears: true },
    faults: drawNodeFaults(random, maybe),
    driftPpm,
    limits: drawLimits(random, driftPpm <= TRUSTED_PPM),
  };
}

function drawNodeFaults(
  random: Random, maybe: (probability: number, ...values: readonly number[]) => number,
): NodeFaults {
  return {
    crashEveryMs: maybe(0.6, 700, 3_000),
    crashMany: maybe(0.5, 0.2, 0.6),
    powerLoss: random.pick([0, 0.5, 1]),
    crashInFlush: maybe(0.3, 0.001, 0.01),
    crashAtPromise: maybe(0.6, 0.3, 0.7),
    usurpEveryMs: maybe(0.4, 1_000, 2_000),
    downMs: random.pick([5, 50, 400]),
    pauseEveryMs: maybe(0.4, 1_000, 4_000),
    stallEveryMs: maybe(0.4, 500, 2_000),
    cutEveryMs: maybe(0.7, 400, 700, 2_500),
    cutMs: random.pick([300, 600, 1_200]),
    falterEveryMs: maybe(0.4, 500, 2_000),
    wipeEveryMs: maybe(0.2, 2_500),
    changeEveryMs: maybe(0.4, 300, 1_500),
    transferEveryMs: maybe(0.3, 500, 2_000),
  };
}

/** Small bounds are met often. */
function drawLimits(random: Random, isClockTrusted: boolean): PaxosLimits {
  const windowSlotsMax = random.pick([4, 32, 1_024]);
  const messageBytesMax = random.pick([2_048, 64 * 1024]);
  const windowBytesMax = random.pick([2_048, 1024 * 1024]);
  return {
    ...paxosLimits,
    leaseReads: isClockTrusted && random.chance(0.7),
    driftPpm: TRUSTED_PPM,
    payloadBytesMax: 1_024,
    windowSlotsMax,
    windowBytesMax,
    messageBytesMax,
    partBytesMax: random.pick([300, 2_048]),
    inFlightBytesMax: messageBytesMax * random.pick([1, 20]),
    inFlightMessagesMax: random.pick([2, 16, 256]),
    aheadSlotsMax: windowSlotsMax * random.pick([2, 8]),
    // A stop-sign is beside the window, and counts.
    unappliedBytesMax: windowBytesMax * random.pick([1, 8]) + 8_192,
    keptSlotsMax: random.pick([4, 30, 100_000]),
    keptBytesMax: random.pick([2_048, 64 * 1024 * 1024]),
  };
}
