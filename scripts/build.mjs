// Builds what the packages ship: the SDK and the server (tsc), the calendar's page and its app module.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export function build() {
  ensureInstalled(root);
  step('tsc', ['node_modules/typescript/bin/tsc', '-b']);
  step('calendar', [process.env.npm_execpath ?? '', 'run', 'build', '-w', 'packages/examples/calendar', '--silent']);
}

function step(name, args) {
  const [script, ...rest] = args;
  const run = script === ''
    ? spawnSync('npm', rest, { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync(process.execPath, [script, ...rest], { cwd: root, stdio: ['ignore', 2, 2] });
  if (run.status !== 0) {
    console.error(`The build failed at: ${name}`);
    process.exit(run.status ?? 1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
