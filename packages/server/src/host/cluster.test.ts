import {
  existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adminTokenOf } from '../drivers/admin-http.js';
import { silentLogger } from '../drivers/log.js';
import { RawClient } from '../drivers/testing/raw-client.js';
import { app } from '../drivers/testing/test-app.js';
import { TestAuthority } from '../drivers/testing/test-certificates.js';
import type { Finding } from './cluster-doctor.js';
import type { ClusterStatus } from './cluster-status.js';
import { createServer, type OxbowServer, type ServerOptions } from './create-server.js';

const SECRET = 'a secret that the three nodes of this test share';
const WAIT = { timeout: 20_000, interval: 20 };
const SPACE = 'team';

interface Node {
  readonly name: string;
  readonly data: string;
  readonly server: OxbowServer;
  /** `http://127.0.0.1:port` */
  readonly http: string;
}

let folder = '';
let nodes = new Map<string, Node>();
let clients: RawClient[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oxbow-cluster-'));
  nodes = new Map();
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await Promise.all([...nodes.values()].map(({ server }) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

test('three nodes form a group; what one acknowledged is there when its leader is gone', async () => {
  const list = await freeAddresses(['a', 'b', 'c']);
  await Promise.all(['a', 'b', 'c'].map((name) => start(name, list)));
  const leader = await theLeader();
  const ann = await client(leader, 'replica-a');
  await ann.open(SPACE);
  expect(await ann.commit(SPACE, 'put', { id: '1', text: 'room' })).toMatchObject({ csn: 1 });

  const follower = [...nodes.values()].find(({ name }) => name !== leader.name);
  const refused = new RawClient({ url: syncUrl(follower), replica: 'replica-b', token: 'dev:bob' });
  clients.push(refused);
  await refused.opened();
  const fail = refused.next('fail');
  refused.hello();
  expect(await fail).toMatchObject({ code: 'not-leader', redirect: syncUrl(leader) });

  await stop(leader.name);
  const next = await theLeader();
  expect(next.name).not.toBe(leader.name);
  const bob = await client(next, 'replica-b', 'dev:bob');
  expect((await bob.open(SPACE)).summary.csn).toBe(1);
  expect(await bob.commit(SPACE, 'put', { id: '2', text: 'desk' })).toMatchObject({ csn: 2 });

  await start(leader.name, list);
  await expect.poll(async () => (await status(next)).votersUp, WAIT).toBe(3);
  await expect.poll(async () => lagOf(await status(next), leader.name), WAIT).toBe(0);
});

test('a wiped node comes back under a new id and votes again', async () => {
  const list = await freeAddresses(['a', 'b', 'c']);
  await Promise.all(['a', 'b', 'c'].map((name) => start(name, list)));
  const leader = await theLeader();
  const ann = await client(leader, 'replica-a');
  await ann.open(SPACE);
  for (let i = 0; i < 20; i++) await ann.commit(SPACE, 'put', { id: String(i), text: 'x' });
  const victim = [...nodes.values()].find(({ name }) => name !== leader.name)?.name ?? '';
  const before = idOf(await status(leader), victim);
  await stop(victim);
  rmSync(join(folder, victim), { recursive: true });
  await start(victim, list);
  await expect.poll(async () => {
    const seen = (await status(leader)).nodes.find(({ name }) => name === victim);
    return [seen?.role, seen?.id !== before, seen?.lagSlots];
  }, WAIT).toEqual(['voter', true, 0]);
  expect(await ann.commit(SPACE, 'put', { id: 'after', text: 'y' })).toMatchObject({ csn: 21 });
});

for (const [what, ruin] of [
  ['is damaged in the middle', (log: string) => rot(log)],
  ['is gone', (log: string) => rmSync(log, { recursive: true })],
  ['is whole, but whose state is rotten,', (log: string) => rotState(join(log, '..', 'state'))],
] as const) {
  test(`a node whose log ${what} is filled anew under a new id, and nobody else notices`, async () => {
    const list = await freeAddresses(['a', 'b', 'c']);
    await Promise.all(['a', 'b', 'c'].map((name) => start(name, list)));
    const leader = await theLeader();
    const ann = await client(leader, 'replica-a');
    await ann.open(SPACE);
    for (let i = 0; i < 50; i++) await ann.commit(SPACE, 'put', { id: String(i), text: 'x' });
    const victim = [...nodes.values()].find(({ name }) => name !== leader.name)?.name ?? '';
    const before = idOf(await status(leader), victim);
    await stop(victim);
    ruin(join(folder, victim, 'log'));
    await start(victim, list);
    await expect.poll(async () => {
      const seen = (await status(leader)).nodes.find(({ name }) => name === victim);
      return [seen?.role, seen?.id !== before, seen?.lagSlots];
    }, WAIT).toEqual(['voter', true, 0]);
    expect(existsSync(join(folder, victim, 'set-aside-1'))).toBe(true);
    expect(await ann.commit(SPACE, 'put', { id: 'after', text: 'y' })).toMatchObject({ csn: 51 });
    expect((await status(leader)).isLeading).toBe(true);
  });
}

test('a log that is damaged before its node has joined a cluster: nothing is lost, and it says what to do', async () => {
  const list = await freeAddresses(['a', 'b']);
  const begun = async (): Promise<void> => {
    // It is stopped before it is ready.
    start('a', list).catch(() => undefined);
    await httpOf('a');
    await expect.poll(() => existsSync(join(folder, 'a', 'member.json')), WAIT).toBe(true);
    await stop('a');
  };
  await begun();
  const log = join(folder, 'a', 'log');
  const [segment = ''] = readdirSync(log).sort();
  const bytes = readFileSync(join(log, segment));
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  writeFileSync(join(log, segment), bytes);
  await expect(start('a', list)).rejects.toMatchObject({
    code: 'log-damaged', message: expect.stringContaining("remove the folder 'log'") as string,
    cause: { code: 'log-damaged' },
  });
  rmSync(log, { recursive: true });
  await begun();
});

test('a start that fails is told, also where its data were to be set aside, and holds nothing', async () => {
  const list = await freeAddresses(['a', 'b', 'c']);
  await Promise.all(['a', 'b', 'c'].map((name) => start(name, list)));
  await theLeader();
  await stop('a');
  const data = join(folder, 'a');
  rmSync(join(data, 'log'), { recursive: true });
  // Nothing can be made under that name, and it looks free.
  symlinkSync(join(folder, 'nowhere'), join(data, 'set-aside-1'));
  await expect(start('a', list)).rejects.toMatchObject({ code: 'log-behind-state' });
  rmSync(join(data, 'set-aside-1'));
  rmSync(join(data, 'log'), { recursive: true, force: true });
  writeFileSync(join(data, 'log'), 'no folder');
  await expect(start('a', list)).rejects.toMatchObject({ code: 'data-unavailable' });
  rmSync(join(data, 'log'));
  // Its port for nodes is free: it comes back as one that has forgotten, and is filled.
  await start('a', list);
});

test('certificates instead of a secret', async () => {
  const list = await freeAddresses(['a', 'b']);
  const authority = new TestAuthority();
  for (const name of ['a', 'b']) {
    const { cert, key } = authority.issue(name);
    for (const [end, pem] of Object.entries({ ca: authority.ca, cert, key })) {
      writeFileSync(join(folder, `${name}.${end}`), pem);
    }
  }
  await Promise.all(['a', 'b'].map((name) => start(name, list, {
    adminToken: adminTokenOf(SECRET),
    cluster: { node: name, nodes: list, tls: filesOf(name) },
  })));
  const leader = await theLeader();
  const ann = await client(leader, 'replica-a');
  await ann.open(SPACE);
  expect(await ann.commit(SPACE, 'put', { id: '1', text: 'room' })).toMatchObject({ csn: 1 });
});

test('without a quorum a node is alive and not ready, and stops at once when told', async () => {
  const list = await freeAddresses(['a', 'b', 'c']);
  const events: string[] = [];
  void start('a', list, { logger: { log: (_level, event) => events.push(event) } });
  const http = await httpOf('a');
  expect((await fetch(`${http}/livez`)).status).toBe(200);
  const ready = await fetch(`${http}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([503, { ready: false, state: 'starting' }]);
  await expect.poll(async () => {
    const seen = await fetch(`${http}/cluster/status`, { headers: bearer });
    return ((await seen.json()) as ClusterStatus).advice;
  }, WAIT).toMatchObject({ code: 'waiting-for-nodes', message: expect.stringContaining('b, c') as string });
  await stop('a');
  expect(events).toContain('stopped');
  expect(events).not.toContain('drain-timeout');
});

test('the metrics of a group; a down peer fails nobody\'s probe', async () => {
  const list = await freeAddresses(['a', 'b', 'c']);
  await Promise.all(['a', 'b', 'c'].map((name) => start(name, list)));
  const leader = await theLeader();
  const victim = [...nodes.values()].find(({ name }) => name !== leader.name)?.name ?? '';
  await stop(victim);
  await expect.poll(async () => (await status(leader)).votersUp, WAIT).toBe(2);
  for (const { http } of nodes.values()) expect((await fetch(`${http}/readyz`)).status).toBe(200);
  const text = await (await fetch(`${leader.http}/metrics`)).text();
  for (const line of ['oxbow_leading 1', 'oxbow_voters 3', 'oxbow_peers_linked 1', 'oxbow_snapshot_running 0']) {
    expect(text).toContain(line);
  }
  await expect.poll(async () => {
    const doctor = await fetch(`${leader.http}/cluster/doctor`, { headers: bearer });
    const { findings } = (await doctor.json()) as { findings: readonly Finding[] };
    return findings.map(({ level, code }) => `${level} ${code}`);
  }, WAIT).toEqual(expect.arrayContaining([
    'error no-tolerance', 'error peer-unreachable',
    expect.stringMatching(/^(ok disk|warning disk-slow)$/) as string,
  ]));
});

test('one node grows to three while it serves', async () => {
  const list = await freeAddresses(['a', 'b', 'c']);
  const alone = await start('a', undefined);
  const ann = await client(alone, 'replica-a');
  await ann.open(SPACE);
  expect(await ann.commit(SPACE, 'put', { id: '1', text: 'room' })).toMatchObject({ csn: 1 });
  await stop('a');

  const first = await start('a', list);
  void start('b', list);
  void start('c', list);
  const bob = await client(first, 'replica-b', 'dev:bob');
  expect((await bob.open(SPACE)).summary.csn).toBe(1);
  for (const name of ['b', 'c']) {
    await expect.poll(() => order(first, `add?name=${name}`), WAIT).toMatchObject({ code: 'done' });
  }
  await expect.poll(async () => (await status(first)).voters, WAIT).toBe(3);
  expect(await bob.commit(SPACE, 'put', { id: '2', text: 'desk' })).toMatchObject({ csn: 2 });
  expect(await order(first, 'transfer-leader?name=b')).toMatchObject({ code: 'done' });
  await expect.poll(async () => (await theLeader()).name, WAIT).toBe('b');
  const eve = await client(await theLeader(), 'replica-e', 'dev:eve');
  expect((await eve.open(SPACE)).summary.csn).toBe(2);
});

test('orders and figures are for those who have the token', async () => {
  const list = await freeAddresses(['a']);
  const { http } = await start('a', list);
  expect((await fetch(`${http}/cluster`)).status).toBe(200);
  for (const headers of [{}, { authorization: 'Bearer nothing' }, { authorization: `Bearer ${SECRET}` }]) {
    expect((await fetch(`${http}/cluster/status`, { headers })).status).toBe(401);
    expect((await fetch(`${http}/cluster/remove?name=a`, { method: 'POST', headers })).status).toBe(401);
  }
  expect((await fetch(`${http}/cluster/remove?name=a`, { headers: bearer })).status).toBe(405);
  const last = await fetch(`${http}/cluster/remove?name=a`, { method: 'POST', headers: bearer });
  expect([last.status, await last.json()]).toMatchObject([409, { code: 'quorum-at-risk' }]);
});

const bearer = { authorization: `Bearer ${adminTokenOf(SECRET)}` };

/** `list` undefined: a node that knows no others. */
async function start(
  name: string, list: Record<string, { peer: string }> | undefined, more: Partial<ServerOptions> = {},
): Promise<Node> {
  const data = join(folder, name);
  const options: ServerOptions = { app, data, port: 0, auth: { devAuth: true }, logger: silentLogger };
  const server = createServer({
    ...options,
    ...(list === undefined ? {} : { cluster: { node: name, nodes: list, secret: SECRET } }),
    ...more,
  });
  // Before it is ready, so that it is closed in any case.
  nodes.set(name, { name, data, server, http: '' });
  const { url } = await server.listen();
  const node = { name, data, server, http: url.replace('ws:', 'http:').replace('/sync', '') };
  nodes.set(name, node);
  return node;
}

async function stop(name: string): Promise<void> {
  await nodes.get(name)?.server.close();
  nodes.delete(name);
}

/** Where a node listens that is not ready yet. */
async function httpOf(name: string): Promise<string> {
  await expect.poll(() => nodes.get(name)?.server.address?.port ?? 0, WAIT).toBeGreaterThan(0);
  return `http://127.0.0.1:${nodes.get(name)?.server.address?.port ?? 0}`;
}

/** Changes one byte half-way: of a record that others follow. */
function rot(log: string): void {
  const [name = ''] = readdirSync(log).sort();
  const bytes = readFileSync(join(log, name));
  const used = bytes.findLastIndex((byte) => byte !== 0);
  const at = Math.floor(used / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  writeFileSync(join(log, name), bytes);
}

/** Changes what the rows hold, on every page: some are free. */
function rotState(state: string): void {
  const bytes = readFileSync(join(state, 'data.mdb'));
  for (let at = 0; (at = bytes.indexOf('"text":"x"', at)) >= 0; at += 1_000) bytes.write('y', at + 8);
  writeFileSync(join(state, 'data.mdb'), bytes);
}

const filesOf = (name: string): { ca: string; cert: string; key: string } => ({
  ca: join(folder, `${name}.ca`), cert: join(folder, `${name}.cert`), key: join(folder, `${name}.key`),
});

async function theLeader(): Promise<Node> {
  let leader: Node | undefined;
  await expect.poll(async () => {
    for (const node of nodes.values()) {
      if (node.http !== '' && (await status(node)).isLeading) leader = node;
    }
    return leader !== undefined;
  }, WAIT).toBe(true);
  if (leader === undefined) throw new Error('nobody leads');
  return leader;
}

async function status({ http }: Node): Promise<ClusterStatus> {
  return (await (await fetch(`${http}/cluster/status`, { headers: bearer })).json()) as ClusterStatus;
}

async function order({ http }: Node, path: string): Promise<unknown> {
  return (await fetch(`${http}/cluster/${path}`, { method: 'POST', headers: bearer })).json();
}

const lagOf = ({ nodes }: ClusterStatus, name: string): number | undefined =>
  nodes.find((node) => node.name === name)?.lagSlots;
const idOf = ({ nodes }: ClusterStatus, name: string): string | undefined =>
  nodes.find((node) => node.name === name)?.id;
const syncUrl = (node: Node | undefined): string => `${(node?.http ?? '').replace('http:', 'ws:')}/sync`;

async function client(node: Node, replica: string, token = 'dev:ann'): Promise<RawClient> {
  const made = await RawClient.connect({ url: syncUrl(node), replica, token });
  clients.push(made);
  return made;
}

async function freeAddresses(names: readonly string[]): Promise<Record<string, { peer: string }>> {
  const ports = await Promise.all(names.map(() => new Promise<number>((resolve) => {
    const probe = createNetServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  })));
  return Object.fromEntries(names.map((name, i) => [name, { peer: `127.0.0.1:${ports[i] ?? 0}` }]));
}
