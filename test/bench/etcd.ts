/**
 * etcd's three nodes on the same disk in the same run: values of 200 bytes, its default settings,
 * real fsync. Its own tool makes the load; the failover is looked at from outside, by a fresh put
 * to each survivor every 10 ms (a put that etcd holds while nobody leads would show its client's
 * patience).
 */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { etcdBenchmark } from './etcd-tool.js';
import { freePorts } from './free-ports.js';

export interface EtcdFigures {
  readonly metrics: Readonly<Record<string, number>>;
  readonly failoversMs: readonly number[];
}

const NODES = [0, 1, 2];
/** Clients, connections, operations. */
const PUTS = [[1, 1, 4_000], [64, 16, 40_000], [512, 64, 60_000]] as const;
/** Before anything is measured, as with our nodes. */
const FIRST = [64, 16, 30_000] as const;
const READS = [64, 16, 40_000] as const;
const QUIET = ['--log-level', 'error', '--logger', 'zap', '--quota-backend-bytes', '4294967296'];

/** Undefined where etcd or its tool is not to be had. `scratch` is on the disk to measure. */
export async function measureEtcd(
  scratch: string, failovers: number,
): Promise<EtcdFigures | undefined> {
  if (spawnSync('etcd', ['--version']).status !== 0) return undefined;
  const tool = etcdBenchmark(scratch);
  if (tool === undefined) return undefined;
  const cluster = await EtcdCluster.start(scratch);
  try {
    const metrics = await measureLoad(cluster, tool);
    const failoversMs: number[] = [];
    for (let i = 0; i < failovers; i++) failoversMs.push(await cluster.failover());
    return { metrics, failoversMs };
  } finally {
    await cluster.stop();
  }
}

async function measureLoad(cluster: EtcdCluster, tool: string): Promise<Record<string, number>> {
  const metrics: Record<string, number> = {};
  const leader = cluster.url(await cluster.leader());
  const put = ['put', '--key-size=16', '--key-space-size=100000', '--val-size=200'];
  await runTool(tool, [leader], FIRST, put);
  for (const load of PUTS) {
    const [clients] = load;
    const report = await runTool(tool, [leader], load, put);
    metrics[`commits_per_s_${clients}`] = report.perS;
    metrics[`p50_ms_${clients}`] = report.p50Ms;
    metrics[`p99_ms_${clients}`] = report.p99Ms;
  }
  await cluster.put(0, 'foo');
  const urls = NODES.map((node) => cluster.url(node));
  const reads = await runTool(tool, urls, READS, ['range', 'foo', '--consistency=l']);
  metrics.reads_per_s_64 = reads.perS;
  return metrics;
}

interface ToolReport {
  readonly perS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function runTool(
  tool: string, urls: readonly string[], [clients, connections, total]: readonly number[],
  what: readonly string[],
): Promise<ToolReport> {
  const args = [
    `--endpoints=${urls.join(',')}`, `--conns=${connections}`, `--clients=${clients}`, ...what,
    `--total=${total}`,
  ];
  return new Promise((resolve, reject) => {
    execFile(tool, args, { timeout: 120_000, maxBuffer: 1 << 26 }, (error, stdout) => {
      const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1]);
      const perS = number(/Requests\/sec:\s+([\d.e+]+)/);
      if (error !== null || !(perS > 0)) return reject(error ?? new Error('no report'));
      const p50Ms = number(/50% in ([\d.e-]+)/) * 1000;
      resolve({ perS, p50Ms, p99Ms: number(/99% in ([\d.e-]+)/) * 1000 });
    });
  });
}

class EtcdCluster {
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #processes: ChildProcess[] = [];

  private constructor(folder: string, ports: readonly number[]) {
    this.#folder = folder;
    this.#ports = ports;
  }

  static async start(scratch: string): Promise<EtcdCluster> {
    const folder = mkdtempSync(join(scratch, 'etcd-'));
    const cluster = new EtcdCluster(folder, await freePorts(6));
    for (const node of NODES) cluster.#spawn(node, 'new');
    await cluster.leader();
    return cluster;
  }

  url(node: number): string {
    return `http://127.0.0.1:${this.#ports[node] ?? 0}`;
  }

  async leader(): Promise<number> {
    for (let tries = 0; tries < 300; tries++) {
      const all = await Promise.all(NODES.map((node) => this.#status(node)));
      const found = all.findIndex((status) => status?.member === status?.leader);
      if (all[found] !== undefined && await this.put(found, 'warm')) return found;
      await sleep(100);
    }
    throw new Error('etcd has no leader');
  }

  async put(node: number, key: string): Promise<boolean> {
    const value = Buffer.from('x1y2z3w4'.repeat(25)).toString('base64');
    const body = { key: Buffer.from(key).toString('base64'), value };
    return (await this.#call(node, '/v3/kv/put', body)) !== undefined;
  }

  /** Kills the leader; ms until a survivor has acknowledged a put. */
  async failover(): Promise<number> {
    const leader = await this.leader();
    const survivors = NODES.filter((node) => node !== leader);
    const started = performance.now();
    this.#processes[leader]?.kill('SIGKILL');
    let tookMs: number | undefined;
    while (tookMs === undefined && performance.now() - started < 20_000) {
      for (const node of survivors) {
        void this.put(node, 'failover').then((isDone) => {
          if (isDone) tookMs ??= performance.now() - started;
        });
      }
      await sleep(10);
    }
    this.#spawn(leader, 'existing');
    await sleep(2_000);
    await this.leader();
    return tookMs ?? Number.NaN;
  }

  async stop(): Promise<void> {
    const ends = this.#processes.map((child) => new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill('SIGKILL');
    }));
    await Promise.all(ends);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(node: number, state: 'new' | 'existing'): void {
    const peer = (other: number): string => `http://127.0.0.1:${this.#ports[3 + other] ?? 0}`;
    this.#processes[node] = spawn('etcd', [
      '--name', `n${node}`, '--data-dir', join(this.#folder, `n${node}`),
      '--listen-client-urls', this.url(node), '--advertise-client-urls', this.url(node),
      '--listen-peer-urls', peer(node), '--initial-advertise-peer-urls', peer(node),
      '--initial-cluster', NODES.map((other) => `n${other}=${peer(other)}`).join(','),
      '--initial-cluster-state', state, ...QUIET,
    ], { stdio: 'ignore' });
  }

  async #status(node: number): Promise<{ member: string; leader: string } | undefined> {
    const answer = await this.#call(node, '/v3/maintenance/status', {});
    // reason: the shape of etcd's own answer.
    const status = answer as { header?: { member_id?: string }; leader?: string } | undefined;
    const { header, leader } = status ?? {};
    if (header?.member_id === undefined || leader === undefined) return undefined;
    return { member: header.member_id, leader };
  }

  /** Undefined: not answered, or refused. */
  async #call(node: number, path: string, body: object): Promise<unknown> {
    try {
      const answer = await fetch(this.url(node) + path, {
        method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(500),
      });
      return answer.ok ? await answer.json() : undefined;
    } catch {
      // A node that is down or does not know a leader: the caller asks again.
      return undefined;
    }
  }
}
