/**
 * One run of a node on its data directory: disk, log, links and server, put together. A run may end
 * because what the node promised is not all on its disk any more; its data are then set aside and
 * the next run begins as another member, to be filled by the others.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { AppDefinition } from '@oxbow/sdk/model';
import type { OxbowError } from '@oxbow/sdk/protocol';
import type { Verifier } from '../drivers/auth.js';
import { openLmdbStore } from '../drivers/lmdb-store.js';
import type { Logger } from '../drivers/log.js';
import { memberNotes } from '../drivers/member-note.js';
import type { Metrics } from '../drivers/metrics.js';
import { listenPeerLinks, type ListeningPeerLinks } from '../drivers/peer-links.js';
import { openSegmentDirectory } from '../drivers/segment-file.js';
import type { NodeLimits } from '../node/limits.js';
import { SegmentLog } from '../log/segment-log.js';
import { ClusterNode } from './cluster-node.js';
import type { ResolvedCluster } from './cluster-options.js';
import { systemClock } from './host-clock.js';
import { NodeHost, type NodeHostEvents } from './node-host.js';
import type { RecentSamples } from './recent-samples.js';

export interface CompositionParts {
  readonly app: AppDefinition;
  readonly data: string;
  readonly dev: boolean;
  readonly cluster: ResolvedCluster;
  readonly limits: NodeLimits;
  /** Where clients reach this node. */
  readonly clientUrl: string;
  readonly version: string;
  readonly verifier: Verifier;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly fsync: RecentSamples;
  readonly events: Omit<NodeHostEvents, 'stateNeeded'>;
}

export interface Composition {
  readonly host: NodeHost;
  readonly node: ClusterNode;
  readonly links: ListeningPeerLinks | undefined;
  /** Drains and closes all of it; `done` also when it had failed. */
  stop(done: () => void): void;
}

/** Errors: `data-unavailable`, `store-newer`, `config-invalid`, `port-in-use`, `listen-failed`. */
export async function compose(parts: CompositionParts): Promise<Composition> {
  const { data, logger, clientUrl, version } = parts;
  const { node: name, list, peerAddress, peers } = parts.cluster;
  const monotonicMs = (): number => performance.now();
  // What may fail comes first: who is told of it has nothing in hand that could be closed.
  const wal = new SegmentLog(openLog(parts, monotonicMs));
  const links = peers === undefined
    ? undefined
    : await listenPeerLinks({ node: name, logger, ...peers });
  const store = openLmdbStore({
    path: join(data, 'state'),
    monotonicMs,
    keptEntriesMax: parts.limits.keptEntriesMax,
    keptCharsMax: parts.limits.keptCharsMax,
    observeApply: (durationMs) => parts.metrics.storeApplied(durationMs),
    onDamaged: (error) => node.damaged(error),
  });
  const node: ClusterNode = new ClusterNode({
    node: name, list, peerAddress, clientUrl, version, links, store, logger, monotonicMs, wal,
    notes: memberNotes(data),
    clock: systemClock,
    random: Math.random,
    randomText: () => randomBytes(8).toString('hex'),
    randomCluster: () => randomUUID(),
    fsyncMs: () => parts.fsync.newest,
  });
  const hostParts = { ...parts, store, clock: systemClock, log: node.log, meter: parts.metrics };
  const host = new NodeHost(hostParts, {
    ...parts.events,
    stateNeeded: (from) => node.stateNeeded(from),
  });
  return { host, node, links, stop: (done) => host.stop(() => node.log.stop(done)) };
}

function openLog({ data, metrics, fsync }: CompositionParts, monotonicMs: () => number) {
  return openSegmentDirectory({
    path: join(data, 'log'),
    monotonicMs,
    observeBarrier: (durationMs) => {
      metrics.barrier(durationMs);
      fsync.add(durationMs);
    },
  });
}

const LOSSES = new Set([
  'log-damaged', 'log-behind-state', 'state-behind-log', 'store-damaged', 'state-diverged',
]);

/** What others can make good: this node has forgotten what it promised, or what it had applied. */
export const isRefillable = (error: OxbowError): boolean => LOSSES.has(error.code);

/** Keeps what cannot be trusted for whoever wants to look at it. Answers where. */
export function setAside(data: string): string {
  for (let number = 1; ; number++) {
    const folder = join(data, `set-aside-${number}`);
    if (existsSync(folder)) continue;
    mkdirSync(folder);
    for (const name of ['log', 'state']) {
      if (existsSync(join(data, name))) renameSync(join(data, name), join(folder, name));
    }
    return folder;
  }
}
