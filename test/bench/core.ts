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
import { measurePostgres } from './postgres.js';
import { quantile } from './statistics.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = join(root, '.tmp', 'bench');
const PORT = 18_787;
const CONNECTIONS = [1, 64, 512];
const WARM_UP_MS = 1_500;
const MEASURE_MS = 6_000;

export async function measureCore(): Promise<Record<string, number>> {
  mkdirSync(scratch, { recursive: true });
  const metrics: Record<string, number> = { ...(await measureClient()) };
  Object.assign(metrics, await measureServer());
  const postgres = measurePostgres(scratch, [1, 64], 6);
  if (postgres === undefined) console.error('PostgreSQL is not installed: its figures are left out.');
  for (const [clients, perS] of postgres?.insertsPerS ?? []) {
    metrics[`postgres_inserts_per_s_${clients}`] = perS;
  }
  return metrics;
}

async function measureServer(): Promise<Record<string, number>> {
  const metrics: Record<string, number> = {};
  const data = mkdtempSync(join(scratch, 'data-'));
  const appFile = await bundle('bench-app.ts', scratch);
  const server = await startServer(appFile, data);
  try {
    for (const connections of CONNECTIONS) {
      const report = await runLoad({
        what: 'commits', url: `ws://127.0.0.1:${PORT}/sync`, connections,
        warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS,
      });
      metrics[`server_commits_per_s_${connections}`] = (report.count / report.elapsedMs) * 1000;
      metrics[`p50_ms_${connections}`] = quantile(report.latenciesMs, 0.5);
      metrics[`p99_ms_${connections}`] = quantile(report.latenciesMs, 0.99);
    }
  } finally {
    await stop(server);
    rmSync(data, { recursive: true, force: true });
  }
  return metrics;
}

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
