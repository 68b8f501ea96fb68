// npm start: installs, builds, runs the server on its embedded store and serves the calendar.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const syncPort = process.env.OXBOW_PORT ?? '8787';
const pagePort = process.env.OXBOW_PAGE_PORT ?? '5173';
const data = process.env.OXBOW_DATA ?? 'data';
build();
const children = [
  run('server', [
    'packages/server/bin/oxbow.js', 'serve', '--app', 'packages/examples/calendar/dist-app/app.js',
    '--data', data, '--port', syncPort, '--dev-auth',
  ]),
  run('page', ['packages/examples/calendar/serve.mjs', '--port', pagePort]),
];
const query = syncPort === '8787' ? '' : `?server=ws://localhost:${syncPort}/sync`;
console.log(`\n  The shared calendar: http://localhost:${pagePort}/${query}\n  Sync server:         ws://localhost:${syncPort}/sync   (Ctrl-C stops both)\n`);

let stopping = false;
function stop(code) {
  if (stopping) return;
  stopping = true;
  process.exitCode = code;
  for (const child of children) child.kill('SIGTERM');
}
function run(name, args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  child.on('exit', (code) => {
    if (!stopping) console.error(`The ${name} ended (code ${code}).`);
    stop(code ?? 1);
  });
  return child;
}
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));
