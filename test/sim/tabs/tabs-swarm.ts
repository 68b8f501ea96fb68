/**
 * What each seed of the tabs' world draws besides the faults of network and server. Disks fill up
 * and fail, but keep what they have: what the loss of one does is another world's matter (run.ts).
 */
import type { Random } from '../random.js';
import { drawSwarm, STEADY_APP, type StoreFaults, type Swarm } from '../swarm.js';

export interface TabsSwarm extends Swarm {
  /** Mean times between a tab being opened, closed, frozen in a profile, ms; 0: never. */
  readonly tabEveryMs: number;
  readonly closeEveryMs: number;
  readonly freezeEveryMs: number;
  /** Mean time that a tab stays frozen. */
  readonly frozenMs: number;
}

export function drawTabsSwarm(random: Random): TabsSwarm {
  const maybe = (probability: number, value: () => number): number =>
    random.chance(probability) ? value() : 0;
  const swarm = drawSwarm(random.fork('world'));
  return {
    ...swarm,
    app: STEADY_APP,
    clients: random.int(1, 3),
    turmoilMs: random.int(10_000, 40_000),
    clientPowerLoss: 0, isCopied: false, skewMs: 0, partitionEveryMs: 0,
    clientStore: drawFailing(random.fork('store')),
    clientCrashEveryMs: maybe(0.6, () => random.pick([3_000, 10_000])),
    tabEveryMs: random.pick([1_000, 4_000]),
    closeEveryMs: maybe(0.5, () => random.pick([3_000, 10_000])),
    freezeEveryMs: maybe(0.7, () => random.pick([2_000, 6_000])),
    frozenMs: random.pick([300, 4_000, 15_000]),
  };
}

const drawFailing = (random: Random): StoreFaults => ({
  fullEveryMs: random.chance(0.3) ? 4_000 : 0,
  broken: random.chance(0.2) ? 0.1 : 0,
  deletedEveryMs: 0,
  evicted: 0,
});
