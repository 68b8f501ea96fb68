// npm run check: everything that a change must pass before it is shared, in a few minutes.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
ensureInstalled(root);
const steps = [
  ['types of what ships (pure folders with a bare library)', ['node_modules/typescript/bin/tsc', '-b']],
  ['types of tests and tools', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json']],
  ['types of the calendar', ['node_modules/typescript/bin/tsc', '-p', 'packages/examples/calendar', '--noEmit']],
  ['lint', ['node_modules/eslint/bin/eslint.js', 'packages', 'test', '--max-warnings', '0']],
  ['import boundaries', ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'packages', '--config', '.dependency-cruiser.cjs', '--output-type', 'err']],
  ['unit tests and transcripts', ['node_modules/vitest/vitest.mjs', 'run', 'packages', 'test/house', '--reporter=dot']],
  ['a short simulation', ['scripts/run.mjs', 'test/sim/cli.ts', '--seeds', '1..60']],
  ['bundle size', ['scripts/size.mjs']],
  ['public API as committed', ['scripts/api.mjs']],
  ['packages as they would be published', ['scripts/packages.mjs']],
];
const failed = [];
for (const [name, args] of steps) {
  const started = Date.now();
  const run = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${run.status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (run.status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}`);
  process.exit(1);
}
console.log('check passed');
