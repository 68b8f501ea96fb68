// npm test: installs, builds, finds a browser, runs every test, and ends with one line of totals.
import { mkdirSync, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { ensureChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
build();
const chromium = ensureChromium();
if (chromium === undefined && process.env.CI) {
  console.log('0 passed, 1 failed');
  process.exit(1);
}
mkdirSync(`${root}/.tmp`, { recursive: true });
const report = `${root}/.tmp/test-report.json`;
const run = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...(chromium === undefined ? {} : { OXBOW_CHROMIUM: chromium }) } },
);
const totals = JSON.parse(readFileSync(report, 'utf8'));
const failedFiles = totals.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
console.log(`${totals.numPassedTests} passed, ${totals.numFailedTests + failedFiles} failed`);
process.exit(run.status ?? 1);
