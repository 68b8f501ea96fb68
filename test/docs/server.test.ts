/** What docs/server.md says of tokens and of a server in a program runs as it stands there. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';
import type { OxbowServer } from '@oxbow/server';
import type { Receipt, Space } from '@oxbow/sdk';
import { memory, openReplica, server as serverAt } from '@oxbow/sdk/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../../packages/server/src/cli/testing/server-process.js';
import { app as testApp } from '../../packages/server/src/drivers/testing/test-app.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
let folder: string;

beforeAll(() => {
  const scratch = join(root, '.tmp');
  mkdirSync(scratch, { recursive: true });
  folder = mkdtempSync(join(scratch, 'server-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  // As `openssl rand -base64 48` writes it: with a newline.
  writeFileSync(join(folder, 'secret'), `${Buffer.alloc(48, 7).toString('base64')}\n`);
  writeFileSync(join(folder, 'sessions.js'), "export const sessions = new Map([['s1', 'ann']]);");
  for (const page of ['app', 'server']) {
    const guide = readFileSync(join(root, `docs/${page}.md`), 'utf8');
    for (const [, code = ''] of guide.matchAll(/```ts\n([\s\S]*?)```/g)) {
      const name = /^\/\/ (\w+)\.ts/.exec(code)?.[1] ?? '';
      const { code: plain } = transformSync(code, { loader: 'ts', format: 'esm' });
      const quiet = plain.replace('port: 8787', 'port: 0')
        .replace("'./data'", JSON.stringify(join(folder, 'embedded')));
      writeFileSync(join(folder, `${name}.js`), quiet);
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const imported = (name: string): Promise<unknown> =>
  import(/* @vite-ignore */ pathToFileURL(join(folder, `${name}.js`)).href);

test('a token made as the page says is let in by the command, with the rights that it names', async () => {
  const { stdout } = await run(process.execPath, ['token.js'], { cwd: folder });
  const server = await startServer(join(folder, 'data'), ['--jwt-secret-file', join(folder, 'secret')]);
  const replica = await opened(testApp, server.url, stdout.trim());
  const become: string[] = [];
  for (const name of ['team-42', 'news/today']) {
    const space = await replica.open(name);
    become.push(await fateOf(space, space.mutate.put({ id: 'x', text: 'y' })));
  }
  expect(replica.user).toBe('ann');
  await replica.close();
  expect(await server.end('SIGTERM')).toBe(0);
  expect(become).toEqual(['applied', 'forbidden']);
});

test('a server in a program asks its function who may', async () => {
  // reason: the modules are the pages' own.
  const { server } = (await imported('embedded')) as { server: OxbowServer };
  const { library } = (await imported('library')) as { library: typeof testApp };
  const { url } = await server.listen();
  const become: string[] = [];
  for (const [token, name] of [['s1', 'home/ann'], ['s1', 'home/bob'], ['s2', 'home/ann']] as const) {
    const replica = await opened(library, url, token);
    const space = await replica.open(name);
    // reason: the page's app has `add`, the types here are those of another one.
    const { add } = space.mutate as unknown as { add(args: unknown): Receipt };
    become.push(await fateOf(space, add({ id: 'emma', title: 'Emma' })));
    await replica.close();
  }
  await server.close();
  expect(become).toEqual(['applied', 'forbidden', 'token-invalid']);
});

const opened = (app: typeof testApp, url: string, token: string) =>
  openReplica({ app, storage: memory(), sync: [serverAt(url, { token })], onReport: () => undefined });

/** How it was committed, or why it cannot be: the code of what holds it up. */
async function fateOf(space: Space<typeof testApp>, receipt: Receipt): Promise<string> {
  const isHeldUp = (code: string | undefined): code is string =>
    code !== undefined && code !== 'not-connected';
  const heldUp = new Promise<string>((found) => {
    const look = (): void => {
      const code = space.health.stalled?.code;
      if (isHeldUp(code)) found(code);
    };
    space.health.subscribe(look);
    look();
  });
  return Promise.race([receipt.until('committed').then(({ kind }) => kind, String), heldUp]);
}
