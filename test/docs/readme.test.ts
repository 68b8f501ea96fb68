/** The example of the README runs as it stands there: against a real server, twice. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { createServer } from '@oxbow/server';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

function blocks(): Map<string, string> {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const found = new Map<string, string>();
  for (const [, code = ''] of readme.matchAll(/```ts\n([\s\S]*?)```/g)) {
    const name = /^\/\/ (\w+)\.ts/.exec(code)?.[1];
    if (name !== undefined) found.set(name, code);
  }
  return found;
}

test('the second of two bookings moves to its alternative', async () => {
  const scratch = join(root, '.tmp');
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'readme-'));
  const write = (name: string, code: string): void =>
    writeFileSync(join(folder, `${name}.js`), transformSync(code, { loader: 'ts', format: 'esm' }).code);
  const { app: appCode = '', main: mainCode = '' } = Object.fromEntries(blocks());
  write('app', appCode);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const args = ['--conditions=oxbow-source', '--import', 'tsx', 'main.js'];
  // reason: the module is the README's own app.
  const { default: app } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, 'app.js')).href)) as {
    default: Parameters<typeof createServer>[0]['app'];
  };
  const server = createServer({ app, data: join(folder, 'data'), port: 0, auth: { devAuth: true } });
  const { url } = await server.listen();
  write('main', mainCode.replace('ws://localhost:8787/sync', url));
  try {
    const first = await run(process.execPath, args, { cwd: folder });
    expect(first.stdout).toContain("local\n{ kind: 'applied' }");
    const second = await run(process.execPath, args, { cwd: folder });
    expect(second.stdout).toContain("{ kind: 'alternative', index: 0 }");
    expect(second.stdout).toContain("room: 'red'");
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
