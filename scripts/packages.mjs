// The packages as npm would publish them: packed, and looked at by publint and attw, which know how
// bundlers and TypeScript find what is in them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'oxbow-packed-'));
try {
  for (const name of ['sdk', 'server']) npm(['pack', '--silent', '--pack-destination', folder], `packages/${name}`);
  const packed = readdirSync(folder);
  if (packed.length !== 2) throw new Error(`packed: ${packed.join(', ')}`);
  for (const file of packed) {
    node(['node_modules/publint/src/cli.js', 'run', join(folder, file), '--strict']);
    // ES modules only: there is nothing for `require`, nor for TypeScript before exports were known.
    node(['node_modules/@arethetypeswrong/cli/dist/index.js', join(folder, file), '--profile', 'esm-only', '--quiet']);
    console.log(`${file}: publint and attw find nothing`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function npm(args, cwd) {
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  mustEnd(spawnSync(command, [...first, ...args], { cwd: join(root, cwd), encoding: 'utf8' }), args);
}

function node(args) {
  mustEnd(spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' }), args);
}

function mustEnd(run, [what]) {
  if (run.status === 0) return;
  console.error(run.stdout, run.stderr);
  console.error(`${what} ended with ${run.status ?? run.error?.message}`);
  process.exitCode = 1;
  throw new Error('the packages are not as they should be');
}
