// npm run cluster: three nodes on this machine and the calendar, each a process of its own, to be killed at will.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: flags } = parseArgs({
  options: {
    // Clients at port, port + 1, port + 2; nodes among themselves at port + 100 and so on.
    port: { type: 'string', default: process.env.OXBOW_PORT ?? '8787' },
    'page-port': { type: 'string', default: process.env.OXBOW_PAGE_PORT ?? '5173' },
    data: { type: 'string', default: process.env.OXBOW_DATA ?? join(root, '.tmp', 'cluster') },
    'log-level': { type: 'string', default: 'warn' },
  },
});
const first = Number(flags.port);
const names = ['a', 'b', 'c'];
const clientPort = (name) => first + names.indexOf(name);
const list = names.map((name) => `${name}=127.0.0.1:${clientPort(name) + 100}`).join(',');
const urls = names.map((name) => `ws://localhost:${clientPort(name)}/sync`);
/** A node that dies is started again after so long, as a supervisor would. */
const RESTART_MS = 2_000;
/** What does not end by itself. */
const PATIENCE_MS = 15_000;

build();
const secretFile = join(flags.data, 'secret');
mkdirSync(flags.data, { recursive: true });
if (!existsSync(secretFile)) writeFileSync(secretFile, randomBytes(32).toString('hex'), { mode: 0o600 });

const running = new Map();
let isStopping = false;
for (const name of names) startNode(name);
start('page', ['packages/examples/calendar/serve.mjs', '--port', flags['page-port']]);
await Promise.all(names.map(ready));
await tellWhere();

function startNode(name) {
  start(name, [
    'packages/server/bin/oxbow.js', 'serve', '--app', 'packages/examples/calendar/dist-app/app.js',
    '--data', join(flags.data, name), '--port', String(clientPort(name)), '--dev-auth',
    '--cluster', list, '--node', name, '--cluster-secret-file', secretFile,
    '--client-url', `ws://localhost:${clientPort(name)}/sync`, '--log-level', flags['log-level'],
  ]);
}

function start(name, args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  running.set(name, child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line !== '' && !line.startsWith('!!')) console.log(`[${name}] ${line}`);
    });
  }
  child.on('exit', (code, signal) => {
    running.delete(name);
    if (isStopping) return;
    console.log(`[${name}] ended (${signal ?? `code ${code}`})${names.includes(name) ? ', is started again' : ''}`);
    if (names.includes(name)) setTimeout(() => !isStopping && startNode(name), RESTART_MS);
  });
}

async function ready(name) {
  for (;;) {
    const answer = await fetch(`http://localhost:${clientPort(name)}/readyz`).catch(() => undefined);
    if (answer?.ok || isStopping) return;
    await new Promise((later) => setTimeout(later, 100));
  }
}

async function tellWhere() {
  if (isStopping) return;
  const { adminTokenOf } = await import('../packages/server/dist/drivers/admin-http.js');
  const token = adminTokenOf(readFileSync(secretFile, 'utf8').trim());
  const page = `http://localhost:${flags['page-port']}/?server=${encodeURIComponent(urls.join(','))}`;
  const oxbow = 'node packages/server/bin/oxbow.js cluster';
  const admin = `--server http://localhost:${first} --cluster-secret-file ${secretFile}`;
  console.log(`
  The shared calendar:  ${page}
  The cluster, live:    ${names.map((name) => `http://localhost:${clientPort(name)}/cluster#token=${token}`).join('\n                        ')}
  Nodes (process ids):  ${names.map((name) => `${name} ${running.get(name)?.pid}`).join(', ')}: kill -9 one, it is started again
  At the command line:  ${oxbow} status ${admin}
                        ${oxbow} doctor ${admin}
  (Ctrl-C stops all)
`);
}

function stop() {
  if (isStopping) return;
  isStopping = true;
  for (const child of running.values()) child.kill('SIGTERM');
  const patience = setTimeout(() => {
    for (const child of running.values()) child.kill('SIGKILL');
  }, PATIENCE_MS);
  const look = setInterval(() => {
    if (running.size > 0) return;
    clearInterval(look);
    clearTimeout(patience);
    process.exit(0);
  }, 50);
}
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
