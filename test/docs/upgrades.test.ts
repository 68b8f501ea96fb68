/** The example of docs/upgrades.md runs as it stands there, and prints what it says. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import { createServer, silentLogger } from '@oxbow/server';
import { memory, openReplica, server as serverAt } from '@oxbow/sdk/node';
import type { App } from '@oxbow/sdk';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const guide = readFileSync(join(root, 'docs/upgrades.md'), 'utf8');

function written(): string {
  const scratch = join(root, '.tmp');
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'upgrades-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const [, code = ''] of guide.matchAll(/```ts\n([\s\S]*?)```/g)) {
    const name = /^\/\/ (\w+)\.ts/.exec(code)?.[1] ?? '';
    const { code: plain } = transformSync(code, { loader: 'ts', format: 'esm' });
    writeFileSync(join(folder, `${name}.js`), plain);
  }
  return folder;
}

test('what version 1 wrote is there in version 2, and the server takes it', async () => {
  const folder = written();
  try {
    const args = ['--conditions=oxbow-source', '--import', 'tsx', 'try.js'];
    const { stdout } = await run(process.execPath, args, { cwd: folder });
    const [, shown] = /```\n(\[ \{[\s\S]*?)```/.exec(guide) ?? [];
    expect(stdout).toBe(shown);
    const app = async (version: number) => {
      const { href } = pathToFileURL(join(folder, `version${version}.js`));
      // reason: the module is the guide's own app.
      const module = (await import(/* @vite-ignore */ href)) as { tasks: App<never, never> };
      return module.tasks;
    };
    await goesToTheServer(folder, await app(1), await app(2));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Written by version 1, sent by it to a server of version 2. */
async function goesToTheServer(
  folder: string, one: App<never, never>, two: App<never, never>,
): Promise<void> {
  const server = createServer({
    app: two, data: join(folder, 'data'), port: 0, auth: { devAuth: true }, logger: silentLogger,
  });
  const { url } = await server.listen();
  const reports: string[] = [];
  const replica = await openReplica({
    app: one, storage: memory(), sync: [serverAt(url, { token: 'dev:ann' })],
    onReport: ({ code }) => reports.push(code),
  });
  try {
    const home = await replica.open('home');
    // reason: the mutations of the guide, whose types a test cannot see.
    const { add, finish } = home.mutate as unknown as Record<
      'add' | 'finish', (args: object) => { until(stage: 'committed'): Promise<{ kind: string }> }
    >;
    void add({ id: 'a', title: 'Water the plants' });
    expect(await finish({ id: 'a', done: true }).until('committed')).toEqual({ kind: 'applied' });
    // reason: as above.
    const rows = home.query((tx) => (tx as unknown as { task: { all(): unknown[] } }).task.all());
    expect(rows).toEqual([{ id: 'a', title: 'Water the plants', state: 'done' }]);
    expect(reports).toEqual(['app-outdated']);
    expect(home.conflicts).toEqual([]);
  } finally {
    await replica.close();
    await server.close();
  }
}
