import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand, startServer, type ServerProcess } from './testing/server-process.js';

let folder = '';
let server: ServerProcess;
let door: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oxbow-cluster-cli-'));
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'a secret of this test alone, long enough');
  writeFileSync(join(folder, 'other'), 'another secret, which is long enough too');
  const flags = ['--dev-auth', '--node', 'a', '--peer', `127.0.0.1:${await freePort()}`];
  server = await startServer(join(folder, 'data'), [...flags, '--cluster-secret-file', secret]);
  door = ['--server', server.url, '--cluster-secret-file', secret];
});
afterAll(async () => {
  await server.end('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

test('status prints the group, and with --json what the node said', async () => {
  const { code, out } = await runCommand(['cluster', 'status', ...door]);
  expect(code).toBe(0);
  expect(out).toMatch(/1 of 1 voters are there, 'a' leads/);
  expect(out).toMatch(/^a +a\.[0-9a-f]{16} +leader +self/m);
  const json = await runCommand(['cluster', 'status', '--json', ...door]);
  expect(JSON.parse(json.out)).toMatchObject({ node: 'a', isLeading: true, voters: 1 });
});

test('doctor ends well when nothing is wrong', async () => {
  const { code, out } = await runCommand(['cluster', 'doctor', ...door]);
  expect(out).toMatch(/^warning +The group is one node.*\(no-tolerance\)$/m);
  expect(code).toBe(0);
});

const failing: [what: string, args: () => string[], code: string][] = [
  ['the last voter is not removed', () => ['remove', 'a', ...door], 'quorum-at-risk'],
  ['a node that nobody is linked with is not added', () => ['add', 'b', ...door], 'node-unreachable'],
  ['nobody is asked to lead who does not vote', () => ['transfer-leader', 'b', ...door], 'node-unknown'],
  ['another secret opens nothing', () => ['status', '--server', server.url, '--cluster-secret-file', join(folder, 'other')], 'admin-unauthorized'],
  ['no secret opens nothing', () => ['status', '--server', server.url], 'config-invalid'],
  ['what is no address is asked for nothing', () => ['status', '--server', 'localhost:8787', ...door.slice(2)], 'config-invalid'],
  ['a node that is not there', () => ['status', '--server', 'http://127.0.0.1:1', ...door.slice(2)], 'node-unreachable'],
];
for (const [what, args, expected] of failing) {
  test(what, async () => {
    const { code, err } = await runCommand(['cluster', ...args()]);
    expect(err).toMatch(new RegExp(`^oxbow: .*\\n  code: ${expected} `));
    expect(code).toBe(1);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
