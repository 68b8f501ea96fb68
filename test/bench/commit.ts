/**
 * The replicated log: three nodes of ours beside three of etcd, on the same disk in the same run,
 * values of 200 bytes, real fsync, one write in flight per writer. The load goes to whoever leads,
 * as etcd's does.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Nodes } from '../cluster/nodes.js';
import { bundle } from './bundle.js';
import { measureEtcd } from './etcd.js';
import { measureFailover } from './failover.js';
import { runLoad } from './load.js';
import { median, quantile } from './statistics.js';

const scratch = fileURLToPath(new URL('../../.tmp/bench', import.meta.url));
const WRITERS = [1, 64, 512];
const READERS = 64;
const FAILOVERS = 10;
const PERIOD = { warmUpMs: 1_500, measureMs: 6_000 };
/** Before anything is measured, as with etcd: nodes that have just begun are slower. */
const FIRST_MS = 5_000;

export async function measureCommit(): Promise<Record<string, number>> {
  mkdirSync(scratch, { recursive: true });
  const metrics: Record<string, number> = {};
  const add = (peer: string, figures: Readonly<Record<string, number>>): void => {
    for (const [name, value] of Object.entries(figures)) metrics[`${peer}.${name}`] = value;
  };
  add('oxbow', await measureOxbow());
  const etcd = await measureEtcd(scratch, FAILOVERS);
  if (etcd === undefined) console.error('etcd is not installed: its figures are left out.');
  else add('etcd', { ...etcd.metrics, ...failoverFigures(etcd.failoversMs) });
  return metrics;
}

async function measureOxbow(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(scratch, 'cluster-'));
  const nodes = await Nodes.start({
    folder, app: await bundle('bench-app.ts', scratch),
    // As README says to operators of busy nodes.
    execArgv: ['--max-semi-space-size=64'], env: { NODE_ENV: 'production' },
  });
  try {
    const metrics = await measureLoad(nodes);
    const failoversMs: number[] = [];
    for (let i = 0; i < FAILOVERS; i++) {
      failoversMs.push(await measureFailover(nodes));
      await sleep(1_000);
    }
    return { ...metrics, ...failoverFigures(failoversMs) };
  } finally {
    await nodes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureLoad(nodes: Nodes): Promise<Record<string, number>> {
  const metrics: Record<string, number> = {};
  const url = nodes.url(0);
  await runLoad({ url, what: 'commits', connections: 64, warmUpMs: 0, measureMs: FIRST_MS });
  for (const connections of WRITERS) {
    const report = await runLoad({ url, what: 'commits', connections, ...PERIOD });
    metrics[`commits_per_s_${connections}`] = (report.count / report.elapsedMs) * 1000;
    metrics[`p50_ms_${connections}`] = quantile(report.latenciesMs, 0.5);
    metrics[`p99_ms_${connections}`] = quantile(report.latenciesMs, 0.99);
  }
  const reads = await runLoad({ url, what: 'reads', connections: READERS, ...PERIOD });
  metrics[`reads_per_s_${READERS}`] = (reads.count / reads.elapsedMs) * 1000;
  return metrics;
}

const failoverFigures = (tookMs: readonly number[]): Record<string, number> => ({
  failover_ms_median: median(tookMs),
  failover_ms_max: Math.max(...tookMs),
});
