/**
 * Swarm configuration: each seed draws which faults there are and how bad, so that some runs are
 * quiet but for one kind and others have everything at once (Groce et al., "Swarm testing", 2012).
 */
import type { DiskFaults } from './disk.js';
import type { NetworkFaults } from './network.js';
import type { Random } from './random.js';

export interface Swarm {
  readonly clients: number;
  readonly spaces: readonly string[];
  readonly rooms: readonly string[];
  /** How long faults last, virtual ms. */
  readonly turmoilMs: number;
  /** Mean time between two mutations of a client, ms. */
  readonly mutateEveryMs: number;
  /** Up to so many mutations at once. */
  readonly burst: number;
  readonly network: NetworkFaults;
  readonly clientDisk: DiskFaults;
  readonly serverDisk: DiskFaults;
  /** Mean time between crashes of a client, of the server; 0: none. */
  readonly clientCrashEveryMs: number;
  /**
   * Probability that a client's crash is a power failure that takes back what was called complete.
   */
  readonly clientPowerLoss: number;
  /**
   * A client's profile is copied, and both go on. No more than one is, and no power fails then: two
   * copies that hold the same unsettled update and both lose their id to a third each issue it anew
   * (docs/guarantees.md).
   */
  readonly isCopied: boolean;
  readonly clientStore: StoreFaults;
  readonly app: AppChanges;
  /** The server is restored from a backup that is older than what it has; undefined: never. */
  readonly restore: Restore | undefined;
  readonly serverCrashEveryMs: number;
  /** Probability that the server crashes while its log is being synced, per sync. */
  readonly serverCrashInSync: number;
  /** Mean time between times without network of a client; 0: none. */
  readonly partitionEveryMs: number;
  /** Mean time between times that a client chooses to be offline; 0: none. */
  readonly offlineEveryMs: number;
  readonly skewMs: number;
  /** Entries that the server keeps for those who come late. */
  readonly keptEntries: number;
  readonly segmentBytes: number;
}

export interface Restore {
  readonly backupAtMs: number;
  /** From the backup on. */
  readonly restoreAfterMs: number;
  /** Probability that a client hears nothing from shortly before the backup until the restore. */
  readonly deaf: number;
}

function drawRestore(random: Random, turmoilMs: number): Restore | undefined {
  if (!random.chance(0.5)) return undefined;
  const backupAtMs = random.int(0, Math.floor(turmoilMs / 2));
  // Soon after, when clients have not heard of all that the backup holds; or late.
  const gapMs = random.pick([200, 2_000, turmoilMs - backupAtMs]);
  return { backupAtMs, restoreAfterMs: random.int(0, gapMs), deaf: random.pick([0, 0.5, 0.8]) };
}

/** What becomes of the app while it is used. */
export interface AppChanges {
  /** Probability that a mutation stands on others; half as often one is taken back. */
  readonly pins: number;
  /** When version 2 comes out, virtual ms; Infinity: never. */
  readonly upgradeAtMs: number;
  /** Probability that a client that starts after that runs it; it may be set back. */
  readonly newer: number;
  /** A server that starts after that runs it. */
  readonly serverAtMs: number;
  /** Probability that a mutation is one that version 2 says otherwise, beyond its usual share. */
  readonly changed: number;
  /** How often each client is restarted after it has come out: it may be set back. */
  readonly restarts: number;
}

/** Version 1 for ever, and updates that stand on their own. */
export const STEADY_APP: AppChanges = {
  pins: 0, upgradeAtMs: Infinity, newer: 0, serverAtMs: Infinity, changed: 0,
  restarts: 0,
};

/** A run that restores its server has enough to do. */
function drawApp(random: Random, turmoilMs: number, isRestored: boolean): AppChanges {
  const pins = random.chance(0.5) ? 0.4 : 0;
  const upgradeAtMs = random.chance(0.5) ? random.int(0, turmoilMs) : Infinity;
  const newer = random.pick([0.5, 0.9, 1]);
  const app = { pins, upgradeAtMs, newer, serverAtMs: upgradeAtMs, changed: 0, restarts: 1 };
  if (isRestored || upgradeAtMs === Infinity) return app;
  const isLater = upgradeAtMs < turmoilMs && random.chance(0.8);
  const serverAtMs = isLater ? random.int(upgradeAtMs, turmoilMs) : upgradeAtMs;
  return { ...app, newer: Math.min(newer, 0.9), serverAtMs, changed: 0.5, restarts: 6 };
}

/** What a browser does to the store of a client. */
export interface StoreFaults {
  /** Mean time between times without room in it; 0: none. */
  readonly fullEveryMs: number;
  /** Probability that a write fails, done or not: its connection was lost. */
  readonly broken: number;
  /** Mean time between two deletions of the open store; 0: none. */
  readonly deletedEveryMs: number;
  /** Probability that the store is gone after a crash. */
  readonly evicted: number;
}

/**
 * A power failure may take a client back to before it issued updates anew. It learns of that from
 * their commits, which say what they were first; not from a base that comes in their place.
 */
export const remembersReissues = (swarm: Swarm): boolean => {
  // What leaves unsaved, as the disk is full for long, is forgotten at a crash in the same way.
  const forgets = swarm.clientPowerLoss > 0 || swarm.clientStore.fullEveryMs > 0;
  // A restored server is met with a base.
  return !forgets || (swarm.keptEntries >= 1_000 && swarm.restore === undefined);
};

/** Every client keeps what it has saved, and knows of each of its updates what became of it. */
export const forgetsNothing = ({ isCopied, clientPowerLoss, clientStore }: Swarm): boolean => {
  const { evicted, deletedEveryMs, fullEveryMs } = clientStore;
  const mayForget = evicted > 0 || deletedEveryMs > 0 || fullEveryMs > 0;
  return !isCopied && clientPowerLoss === 0 && !mayForget;
};

export function drawSwarm(random: Random): Swarm {
  const maybe = (probability: number, value: () => number): number =>
    random.chance(probability) ? value() : 0;
  const disk = (): DiskFaults => ({
    meanMs: random.pick([0.1, 1, 5, 20]), slow: maybe(0.3, () => 0.02), tears: random.chance(0.7),
  });
  const isCopied = random.fork('copy').chance(0.2);
  const burst = random.pick([1, 3, 12]);
  const swarm = {
    clients: random.int(2, 5),
    spaces: random.chance(0.7) ? ['team'] : ['team', 'other'],
    rooms: ['blue', 'red', 'green'].slice(0, random.int(1, 4)),
    turmoilMs: random.int(4_000, 20_000),
    mutateEveryMs: random.pick([150, 500, 1000]) * (burst + 1) / 2,
    burst,
    network: {
      meanMs: random.pick([1, 10, 80]),
      loss: maybe(0.3, () => random.pick([0.005, 0.05])),
      duplication: maybe(0.3, () => random.pick([0.01, 0.1])),
      reordering: maybe(0.3, () => random.pick([0.01, 0.1])),
      cutEveryMs: maybe(0.5, () => random.pick([500, 3_000])),
      holes: maybe(0.3, () => 0.2),
    },
    clientDisk: disk(),
    serverDisk: disk(),
    clientCrashEveryMs: maybe(0.5, () => random.pick([2_000, 8_000])),
    clientPowerLoss: isCopied ? 0 : maybe(0.3, () => 0.5),
    isCopied,
    clientStore: drawStoreFaults(random.fork('store'), isCopied),
    serverCrashEveryMs: maybe(0.6, () => random.pick([1_000, 5_000])),
    serverCrashInSync: maybe(0.4, () => random.pick([0.01, 0.1])),
    partitionEveryMs: maybe(0.4, () => 6_000),
    offlineEveryMs: maybe(0.4, () => 6_000),
    skewMs: maybe(0.4, () => random.pick([1_000, 3_600_000])),
    keptEntries: random.pick([4, 20, 1000]),
    segmentBytes: random.pick([8 * 1024, 32 * 1024, 256 * 1024]),
  };
  // Two copies of a profile both lose their id to a restored server (docs/guarantees.md).
  const restore = isCopied ? undefined : drawRestore(random.fork('restore'), swarm.turmoilMs);
  return {
    ...swarm, restore, app: drawApp(random.fork('app'), swarm.turmoilMs, restore !== undefined),
  };
}

function drawStoreFaults(random: Random, isCopied: boolean): StoreFaults {
  const maybe = (probability: number, value: number): number =>
    random.chance(probability) ? value : 0;
  return {
    fullEveryMs: isCopied ? 0 : maybe(0.2, 4_000),
    broken: maybe(0.2, 0.1),
    deletedEveryMs: maybe(0.2, 3_000),
    evicted: maybe(0.2, 0.3),
  };
}
