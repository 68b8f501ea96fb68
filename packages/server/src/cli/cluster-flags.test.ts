import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveAdminToken, resolveCluster } from '../host/cluster-options.js';
import type { MemberId } from '../paxos/ballot.js';
import { clusterOf, type ClusterFlags } from './cluster-flags.js';

const SECRET = 'x'.repeat(40);
let folder = '';
let secretFile = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oxbow-flags-'));
  secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${SECRET}\n`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('without flags a node stays alone, under the name that its data have', () => {
  expect(clusterOf({})).toBeUndefined();
  expect(resolveCluster(undefined, undefined)).toMatchObject({ node: 'a', peers: undefined });
  const note = { kind: 'fresh', id: 'web.abcdefgh' as MemberId } as const;
  expect(resolveCluster(undefined, note).node).toBe('web');
  const options = { node: 'b', nodes: 'b=h:1', secret: SECRET };
  expect(() => resolveCluster(options, note)).toThrow(/belongs to node 'web': give --node web/);
});

test('flags and file say the same; a flag goes first', () => {
  const config = join(folder, 'cluster.json');
  writeFileSync(config, JSON.stringify({
    node: 'a', secretFile,
    nodes: { a: { peer: '127.0.0.1:1', client: 'wss://a.example/sync' }, b: { peer: 'h:2' } },
  }));
  const fromFile = clusterOf({ config });
  expect(fromFile).toEqual({
    node: 'a', secret: SECRET,
    nodes: { a: { peer: '127.0.0.1:1', client: 'wss://a.example/sync' }, b: { peer: 'h:2' } },
  });
  expect(resolveCluster(fromFile, undefined)).toMatchObject({
    node: 'a', clientUrl: 'wss://a.example/sync', peers: { host: '127.0.0.1', port: 1 },
  });
  const second = clusterOf({ config, node: 'b', clusterSecretFile: secretFile });
  expect(resolveCluster(second, undefined)).toMatchObject({
    node: 'b', clientUrl: undefined, peers: { host: '::', port: 2 },
  });
  const tls = { clusterTlsCa: 'ca', clusterTlsCert: 'cert', clusterTlsKey: 'key' };
  expect(clusterOf({ config, ...tls })).toMatchObject({ tls: { ca: 'ca', cert: 'cert', key: 'key' } });
  expect(clusterOf({ config, ...tls })).not.toHaveProperty('secret');
});

test('a node may start alone with its door open', () => {
  const options = clusterOf({ node: 'a', peer: '127.0.0.1:7', clusterSecretFile: secretFile });
  expect([...resolveCluster(options, undefined).list.keys()]).toEqual(['a']);
});

test('the admin token is given, or made of the secret and not the secret', () => {
  const cluster = { node: 'a', nodes: 'a=h:1', secret: SECRET };
  expect(resolveAdminToken(undefined, undefined)).toBeUndefined();
  expect(resolveAdminToken('y'.repeat(32), cluster)).toBe('y'.repeat(32));
  expect(resolveAdminToken(undefined, cluster)).toMatch(/^[0-9a-f]{64}$/);
  expect(() => resolveAdminToken('short', undefined)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
});

const flaws: [flags: ClusterFlags, why: RegExp][] = [
  [{ cluster: 'a=h:1' }, /--node/],
  [{ node: 'a' }, /--node a needs --cluster/],
  [{ peer: 'h:1' }, /--peer needs --node/],
  [{ cluster: 'a=h:1', node: 'a', peer: 'h:1' }, /--peer is for a node that starts alone/],
  [{ cluster: 'a=h:1', node: 'a', clusterTlsCa: 'x' }, /belong together/],
  [{ clusterSecretFile: 'x' }, /--cluster-secret-file needs --cluster/],
  [{ clientUrl: 'ws://x' }, /--client-url needs --cluster/],
  [{ config: '/nowhere' }, /Cannot read the configuration file/],
];
for (const [flags, why] of flaws) {
  test(`refused: ${Object.keys(flags).join(' ')}`, () => {
    expect(() => clusterOf(flags)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    expect(() => clusterOf(flags)).toThrow(why);
  });
}

test('a cluster without a proof is none, on loopback neither', () => {
  const open = { node: 'a', nodes: 'a=127.0.0.1:1' };
  for (const options of [open, { ...open, secret: SECRET, tls: { ca: 'a', cert: 'b', key: 'c' } }]) {
    expect(() => resolveCluster(options, undefined)).toThrow(/exactly one of a cluster secret/);
  }
});
