import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OxbowError, type ReplicaId } from '@oxbow/sdk/protocol';
import { createVerifier } from '../drivers/auth.js';
import { loadApp } from './load-app.js';
import { explain, main } from './main.js';
import { mintToken } from './token.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oxbow-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const APP = `{ name: 'a', version: 1, shapes: new Map(), definitions: new Map() }`;

test('an app is found as default export or as the export `app`', async () => {
  for (const [name, source] of [['a.mjs', `export default ${APP}`], ['b.mjs', `export const app = ${APP}`]] as const) {
    writeFileSync(join(folder, name), source);
    expect((await loadApp(join(folder, name))).name).toBe('a');
  }
  const source = fileURLToPath(new URL('../drivers/testing/test-app.ts', import.meta.url));
  expect((await loadApp(source)).name).toBe('test');
});

test('a module without an app is told with what it exports', async () => {
  writeFileSync(join(folder, 'c.mjs'), 'export const calendar = { name: 1 }; export function run() {}');
  await expect(loadApp(join(folder, 'c.mjs'))).rejects.toMatchObject({
    code: 'app-invalid',
    message: expect.stringMatching(/calendar \(object with name\), run \(function\)/) as string,
  });
  writeFileSync(join(folder, 'd.mjs'), 'syntax error here');
  await expect(loadApp(join(folder, 'd.mjs'))).rejects.toMatchObject({ code: 'app-invalid' });
  writeFileSync(join(folder, 'e.mjs'), 'import "./gone.mjs"');
  await expect(loadApp(join(folder, 'e.mjs'))).rejects.toMatchObject({ code: 'app-invalid' });
  writeFileSync(join(folder, 'f.ts'), 'import "./gone.ts"');
  await expect(loadApp(join(folder, 'f.ts'))).rejects.toMatchObject({
    code: 'app-invalid', message: expect.stringContaining('Build it first') as string,
  });
  await expect(loadApp(join(folder, 'none.mjs'))).rejects.toMatchObject({ code: 'app-not-found' });
});

test.each([
  { user: '', expires: '1h' }, { user: 'ann', expires: '-1h' }, { user: 'ann', expires: '1h ago' },
  { user: 'ann', expires: '0s' }, { user: 'ann', expires: 'soon' },
])('no token is minted that could open nothing: $user, $expires', async (wrong) => {
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'x'.repeat(48));
  await expect(mintToken({ ...wrong, space: ['team'], secretFile }))
    .rejects.toMatchObject({ code: 'config-invalid' });
});

test('a minted token is one that a server with the same secret lets in', async () => {
  const secret = 'x'.repeat(40);
  writeFileSync(join(folder, 'secret'), `${secret}\n`);
  const flags = { user: 'ann', space: ['team-*', 'cal/ann=r'], secretFile: join(folder, 'secret'), expires: '1h' };
  const token = await mintToken(flags);
  const verifier = createVerifier({ secret });
  const claims = await new Promise((done) => verifier.verify(token, 'r' as ReplicaId, done));
  expect(claims).toMatchObject({ user: 'ann', spaces: { 'team-*': 'rw', 'cal/ann': 'r' } });
  await expect(mintToken({ ...flags, expires: 'soon' })).rejects.toMatchObject({ code: 'config-invalid' });
  await expect(mintToken({ ...flags, space: ['\u0000'] })).rejects.toMatchObject({ code: 'config-invalid' });
  await expect(mintToken({ ...flags, secretFile: '/nowhere' })).rejects.toMatchObject({ code: 'config-invalid' });
});

test.each([
  [['serve', '--app', 'a', '--data', 'x', '--prot', '1'], "Unknown option '--prot' (Did you mean --port?)"],
  [['serve', '--data', 'x'], "Required option '--app <file>' not specified."],
  [['serve', '--app', 'a', '--data', 'x', '--log-level', 'loud'], "argument 'loud' is invalid."],
  [['restart'], "Unknown command 'restart' (Did you mean restore?)"],
  [['cluster', 'add'], "Missing required argument 'node'."],
])('what was typed wrongly has its code: %j', async (args, sentence) => {
  const said = vi.spyOn(console, 'error').mockReturnValue();
  const before = process.exitCode;
  try {
    await main(['node', 'oxbow', ...args]);
    expect(process.exitCode).toBe(1);
    expect(said).toHaveBeenCalledOnce();
    const text = String(said.mock.calls[0]?.[0]);
    expect(text).toContain(sentence);
    expect(text).toContain('code: config-invalid');
  } finally {
    process.exitCode = before;
    said.mockRestore();
  }
});

test('an error is explained with its sentence, code and cause; an unforeseen one with its trace', () => {
  const error = new OxbowError('data-in-use', 'Cannot open it. Stop it.', { cause: new Error('EBUSY') });
  expect(explain(error)).toBe('oxbow: Cannot open it. Stop it.\n  code: data-in-use (docs/errors.md)\n  because: EBUSY');
  expect(explain(new TypeError('oops'))).toMatch(/nobody foresaw[\s\S]*cli\.test/);
});
