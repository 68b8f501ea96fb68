/** The worlds that a seed can be run in, and which one it is run in unless somebody says. */
import { runClusterSeed } from './cluster/run-cluster.js';
import { runPaxosSeed } from './paxos/run-paxos.js';
import { runSeed } from './run.js';
import type { RunResult } from './seed-run.js';
import { runTabsSeed } from './tabs/run-tabs.js';

export type WorldName = 'node' | 'paxos' | 'cluster' | 'tabs';

export const runners: Readonly<Record<WorldName, (seed: number, keepLog?: boolean) => RunResult>> = {
  /** One server and its clients. */
  node: runSeed,
  /** A group of Paxos members and whoever asks them. */
  paxos: runPaxosSeed,
  /** A group of whole nodes, and their clients. */
  cluster: runClusterSeed,
  /** Browser profiles of several tabs, and a server. */
  tabs: runTabsSeed,
};

export const worldNames: readonly WorldName[] = ['node', 'paxos', 'cluster', 'tabs'];

/** Shares: every world gets its part of any range of seeds. */
export const worldOf = (seed: number): WorldName =>
  (['node', 'cluster', 'paxos', 'cluster', 'tabs'] as const)[seed % 5] ?? 'cluster';
