// Runs a TypeScript entry from the sources: node scripts/run.mjs test/sim/cli.ts -- args
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
ensureInstalled(root);
const [entry, ...args] = process.argv.slice(2);
const result = spawnSync(
  process.execPath,
  ['--conditions=oxbow-source', '--import', 'tsx', '--expose-gc', entry, ...args],
  { cwd: root, stdio: 'inherit' },
);
process.exit(result.status ?? 1);
