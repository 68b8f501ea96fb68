/**
 * From a running server to a new one: nothing is lost on the way, and clients notice that it is
 * another history.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { memory, openReplica } from '@oxbow/sdk';
import { server } from '@oxbow/sdk/node';
import { backupCommand, restoreCommand } from '../cli/backup.js';
import { silentLogger } from '../drivers/log.js';
import { app } from '../drivers/testing/test-app.js';
import { createServer, type OxbowServer } from './create-server.js';

const TOKEN = 't'.repeat(40);
let folder = '';
const servers: OxbowServer[] = [];
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'oxbow-backup-'));
});
afterEach(async () => {
  for (const started of servers.splice(0)) await started.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function start(data: string, port = 0): Promise<{ server: OxbowServer; http: string; url: string }> {
  const started = createServer({
    app, data: join(folder, data), port, auth: { devAuth: true }, logger: silentLogger,
    adminToken: TOKEN,
  });
  servers.push(started);
  const { url } = await started.listen();
  return { server: started, url, http: url.replace('ws:', 'http:').replace('/sync', '') };
}

test('a client of a restored server keeps what it had not sent, and is told what was forgotten', async () => {
  const first = await start('data');
  const { port } = first.server.address ?? { port: 0 };
  const replica = await openReplica({
    app, storage: memory(), sync: [server(first.url, { token: 'dev:ann' })],
  });
  const team = await replica.open('team');
  await team.mutate.put({ id: '1', text: 'before' }).until('committed');

  await expect(backup('--url', first.http, '--to', folder, '--admin-token-file', tokenFile('wrong'.repeat(10))))
    .rejects.toMatchObject({ code: 'backup-failed', message: expect.stringContaining('401') as string });
  const file = join(folder, 'team.backup');
  await backup('--url', first.http, '--to', file, '--admin-token-file', tokenFile(TOKEN));

  await team.mutate.put({ id: '2', text: 'after the backup' }).until('committed');
  replica.goOffline();
  const unsent = team.mutate.put({ id: '3', text: 'never sent' });
  await first.server.close();
  await restoreCommand().parseAsync(['--from', file, '--data', join(folder, 'restored')], { from: 'user' });
  await start('restored', port);
  replica.goOnline();
  expect(await unsent.until('committed')).toMatchObject({ kind: 'applied' });
  const ids = team.query((tx) => tx.item.all().map(({ id }) => id), { view: 'committed' });
  // What was committed after the backup is gone with the history that it belonged to: it is said.
  expect(ids).toEqual(['1', '3']);
  expect(team.conflicts).toMatchObject([{
    name: 'put', args: { id: '2' }, outcome: { kind: 'rolled-back', was: { kind: 'applied' } },
  }]);
  await team.conflicts[0]?.retry().until('committed');
  expect(team.query((tx) => tx.item.has('2'), { view: 'committed' })).toBe(true);
  expect(team.conflicts).toEqual([]);
  await replica.close();
}, 30_000);

function tokenFile(token: string): string {
  const path = join(folder, 'token');
  fs.writeFileSync(path, `${token}\n`);
  return path;
}

async function backup(...args: string[]): Promise<void> {
  await backupCommand().exitOverride().parseAsync(args, { from: 'user' });
}
