/**
 * The core: the replica in memory, and one node that acknowledges after its log is synced, beside
 * PostgreSQL on the same disk. The node runs in a process of its own from the built package, as an
 * operator would run it; the load in another.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.js';
import type { ClientFigures } from './core-client.js';
import { runLoad } from './load.js';
import type { LoadReport } from './load-worker.js';
import { startPostgres, type Postgres } from './postgres.js';
import { median, quantile } from './statistics.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = join(root, '.tmp', 'bench');
const PORT = 18_787;
const CONNECTIONS = [1, 64, 512];
/** Where PostgreSQL stands beside us. */
const COMPARED = [1, 64];
/**
 * In turns with PostgreSQL, and the middle one counts: on a shared machine a slow spell of some
 * seconds must not meet the one and spare the other.
 */
const ROUNDS = 5;
const ROUND_S = 3;
const FIRST_WARM_UP_MS = 3_000;
const WARM_UP_MS = 500;

export async function measureCore(): Promise<Record<string, number>> {
  mkdirSync(scratch, { recursive: true });
  const client = await measureClient();
  const postgres = startPostgres(scratch, Math.max(...COMPARED));
  if (postgres === undefined) console.error('PostgreSQL is not installed: its figures are left out.');
  try {
    return { ...client, ...(await measureServer(postgres)) };
  } finally {
    postgres?.stop();
  }
}

async function measureServer(postgres: Postgres | undefined): Promise<Record<string, number>> {
  const metrics: Record<string, number> = {};
  const data = mkdtempSync(join(scratch, 'data-'));
  const appFile = await bundle('bench-app.ts', scratch);
  const server = await startServer(appFile, data);
  try {
    await load(64, FIRST_WARM_UP_MS);
    for (const connections of CONNECTIONS) {
      const theirs = COMPARED.includes(connections) ? postgres : undefined;
      Object.assign(metrics, await measureTurns(connections, theirs));
    }
  } finally {
    await stop(server);
    rmSync(data, { recursive: true, force: true });
  }
  return metrics;
}

async function measureTurns(
  connections: number, postgres: Postgres | undefined,
): Promise<Record<string, number>> {
  const ours: number[] = [];
  const theirs: number[] = [];
  const latenciesMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const report = await load(connections, WARM_UP_MS);
    ours.push((report.count / report.elapsedMs) * 1000);
    for (const latencyMs of report.latenciesMs) latenciesMs.push(latencyMs);
    if (postgres !== undefined) theirs.push(postgres.insertsPerS(connections, ROUND_S));
  }
  return {
    [`server_commits_per_s_${connections}`]: median(ours),
    [`p50_ms_${connections}`]: quantile(latenciesMs, 0.5),
    [`p99_ms_${connections}`]: quantile(latenciesMs, 0.99),
    ...(postgres && { [`postgres_inserts_per_s_${connections}`]: median(theirs) }),
  };
}

const load = (connections: number, warmUpMs: number): Promise<LoadReport> => runLoad({
  what: 'commits', url: `ws://127.0.0.1:${PORT}/sync`, connections, warmUpMs,
  measureMs: ROUND_S * 1000,
});

/** In a process of its own and bundled, as an app ships it. */
async function measureClient(): Promise<ClientFigures> {
  const file = await bundle('core-client.ts', scratch);
  return JSON.parse(execFileSync(process.execPath, [file]).toString()) as ClientFigures;
}

function startServer(appFile: string, data: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [
    // Node's default young generation is collected too often under such a load; README says so to
    // operators.
    '--max-semi-space-size=64', 'packages/server/bin/oxbow.js', 'serve', '--app', appFile, '--data', data,
    '--port', String(PORT), '--dev-auth', '--log-level', 'warn',
  ], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code}: is the project built?`)));
    const deadline = Date.now() + 15_000;
    const ask = (): void => {
      fetch(`http://127.0.0.1:${PORT}/readyz`).then(
        (answer) => (answer.ok ? resolve(child) : again()),
        again,
      );
    };
    const again = (): void => {
      if (Date.now() > deadline) reject(new Error('the server did not become ready'));
      else setTimeout(ask, 100);
    };
    ask();
  });
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
