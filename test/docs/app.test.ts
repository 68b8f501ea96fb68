/** The example of docs/app.md runs as it stands there, and prints what it says. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const guide = readFileSync(join(root, 'docs/app.md'), 'utf8');

test('the library lends, moves, notes a wish and refuses as its page says', async () => {
  const scratch = join(root, '.tmp');
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'app-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const [, code = ''] of guide.matchAll(/```ts\n([\s\S]*?)```/g)) {
      const name = /^\/\/ (\w+)\.ts/.exec(code)?.[1] ?? '';
      const { code: plain } = transformSync(code, { loader: 'ts', format: 'esm' });
      writeFileSync(join(folder, `${name}.js`), plain);
    }
    const args = ['--conditions=oxbow-source', '--import', 'tsx', 'try.js'];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: folder });
    const [, shown] = /```\n(\{ kind[\s\S]*?)```/.exec(guide) ?? [];
    expect(stdout).toBe(shown);
    // The replica is in development: nothing in the example is to be reported.
    expect(stderr).not.toContain('mutation-not-deterministic');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
