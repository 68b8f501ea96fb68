// npm start: installs, builds, runs the server on its embedded store and serves the calendar.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const syncPort = process.env.OXBOW_PORT ?? '8787';
const pagePort = process.env.OXBOW_PAGE_PORT ?? '5173';
const data = process.env.OXBOW_DATA ?? 'data';
const children = [];
let stopping = false;
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));

// Before the build: whoever must free a port need not wait for it.
await mustBeFree(syncPort, 'OXBOW_PORT');
await mustBeFree(pagePort, 'OXBOW_PAGE_PORT');
build();
children.push(
  run('server', [
    'packages/server/bin/oxbow.js', 'serve', '--app', 'packages/examples/calendar/dist-app/app.js',
    '--data', data, '--port', syncPort, '--dev-auth', '--log-level', 'warn',
  ]),
  run('page', ['packages/examples/calendar/serve.mjs', '--port', pagePort, '--quiet']),
);
await answers(`http://127.0.0.1:${syncPort}/readyz`);
await answers(`http://127.0.0.1:${pagePort}/`);
if (!stopping) {
  const query = syncPort === '8787' ? '' : `?server=ws://localhost:${syncPort}/sync`;
  console.log(`
  The shared calendar: http://localhost:${pagePort}/${query}
  Sync server:         ws://localhost:${syncPort}/sync
  Data:                ${data}   (Ctrl-C stops, npm start goes on from there)
`);
}

function stop(code) {
  if (stopping) return;
  stopping = true;
  process.exitCode = code;
  for (const child of children) child.kill('SIGTERM');
}

function run(name, args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  child.on('exit', (code, signal) => {
    const how = signal ?? `code ${code}`;
    if (!stopping) console.error(`The ${name} ended (${how}): stopping the rest, too.`);
    stop(code ?? 1);
  });
  return child;
}

async function answers(url) {
  while (!stopping) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((later) => setTimeout(later, 50));
  }
}

function mustBeFree(port, variable) {
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  if (!isPort) {
    console.error(`Cannot use ${variable}=${port}: give a number from 1 to 65535.`);
    process.exit(1);
  }
  const probe = createServer();
  return new Promise((free) => {
    probe.once('error', ({ code }) => {
      const why = code === 'EADDRINUSE' ? 'another program listens there' : code;
      console.error(`Cannot use port ${port}: ${why}. Stop that program, or take another port:`);
      console.error(`  ${variable}=${Number(port) + 1} npm start`);
      process.exit(1);
    });
    probe.listen(Number(port), '127.0.0.1', () => probe.close(free));
  });
}
