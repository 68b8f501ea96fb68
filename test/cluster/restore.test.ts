/**
 * Three nodes are backed up while people write, and all three are lost. The backup is restored into
 * one new node, the other two are added, as docs/cluster.md says; and people who stayed, among
 * them one who was offline, go on at the new cluster: nothing is done twice, what it has forgotten
 * is told to its authors, and nodes and people all hold the same.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { memory, openReplica, server, type Replica, type Space } from '@oxbow/sdk/node';
import { expect, it } from 'vitest';
import { bundledApp } from './bundled-app.js';
import { app } from './list-app.js';
import { nameOf, Nodes } from './nodes.js';
import { stateDigest } from './state-digest.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const SETTLED_MS = 30_000;
const run = promisify(execFile);

interface Person {
  readonly replica: Replica<typeof app>;
  readonly space: Space<typeof app>;
}

async function person(name: string, urls: readonly string[]): Promise<Person> {
  const replica = await openReplica({
    app, storage: memory(), sync: [server(urls, { token: `dev:${name}` })],
  });
  return { replica, space: await replica.open('team') };
}

const append = ({ space }: Person, value: string) => space.mutate.append({ id: 'x', value });

const committed = ({ space }: Person): readonly string[] =>
  space.query((tx) => tx.list.get('x')?.values ?? [], { view: 'committed' });

const inbox = ({ space }: Person) => space.conflicts.map(({ args, outcome }) =>
  // reason: every update of this test is an append.
  [(args as { readonly value: string }).value, outcome.kind]);

async function oxbow(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['packages/server/bin/oxbow.js', ...args], { cwd: root });
  return stdout;
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + SETTLED_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not within ${SETTLED_MS} ms: ${what}`);
    await sleep(50);
  }
}

/** The steps of docs/cluster.md. */
async function restoreAll(nodes: Nodes, backup: string): Promise<void> {
  for (const node of nodes.numbers) renameSync(nodes.data(node), `${nodes.data(node)}-lost`);
  await oxbow('restore', '--from', backup, '--data', nodes.data(0));
  nodes.spawn(0);
  await nodes.ready();
  for (const node of nodes.numbers.slice(1)) {
    nodes.spawn(node);
    await until(`${nameOf(node)} is added`, () => isAdded(nodes, node));
  }
  await nodes.ready();
  await until('all vote', async () => {
    // reason: the command prints what the node answered.
    const { voters } = JSON.parse(await cluster(nodes, 'status', '--json')) as { voters: number };
    return voters === nodes.numbers.length;
  });
}

async function isAdded(nodes: Nodes, node: number): Promise<boolean> {
  try {
    await cluster(nodes, 'add', nameOf(node));
    return true;
  } catch (error) {
    // It is not linked yet, or the one before is still being filled.
    if (/node-unreachable|change-under-way/u.test(String(error))) return false;
    throw error;
  }
}

const cluster = (nodes: Nodes, ...args: readonly string[]): Promise<string> => oxbow(
  'cluster', ...args, '--server', nodes.http(0, ''), '--cluster-secret-file', nodes.secretFile,
);

it('is restored from a backup of the running cluster: people go on, and hear what it has forgotten', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-restore-'));
  const nodes = await Nodes.start({ folder, app: await bundledApp(folder) });
  try {
    const [ann, bob] = [await person('ann', nodes.urls), await person('bob', nodes.urls)];
    for (let i = 0; i < 20; i++) await append(i % 2 === 0 ? ann : bob, `before${i}`).until('committed');
    const backup = join(folder, 'team.backup');
    const follower = ((await nodes.mustLeader()) + 1) % 3;
    await oxbow('backup', '--url', nodes.http(follower, ''), '--to', backup, '--cluster-secret-file', nodes.secretFile);
    const saved = committed(ann);
    await append(ann, 'after-ann').until('committed');
    await append(bob, 'after-bob').until('committed');
    await until('both know it', () => committed(ann).length === 22 && committed(bob).length === 22);
    bob.replica.goOffline();
    append(bob, 'offline');

    await Promise.all(nodes.numbers.map((node) => nodes.signal(node, 'SIGKILL')));
    await restoreAll(nodes, backup);
    await append(ann, 'new').until('committed');
    bob.replica.goOnline();
    await until('bob is heard', () => committed(ann).includes('offline'));

    expect(committed(ann)).toEqual([...saved, 'new', 'offline']);
    expect([inbox(ann), inbox(bob)]).toEqual([[['after-ann', 'rolled-back']], [['after-bob', 'rolled-back']]]);
    await bob.space.conflicts[0]?.retry().until('committed');
    ann.space.conflicts[0]?.dismiss();
    const all = [...saved, 'new', 'offline', 'after-bob'];
    await until('people hold the same', () =>
      [ann, bob].every((who) => committed(who).join() === all.join()));
    expect([inbox(ann), inbox(bob)]).toEqual([[], []]);
    await until('all nodes hold the same', async () => {
      const digests = await Promise.all(nodes.numbers.map((node) => stateDigest(nodes, node, folder)));
      return new Set(digests).size === 1;
    });

    // It is a cluster of three: any one may go.
    await nodes.signal(await nodes.mustLeader(), 'SIGKILL');
    await append(ann, 'with two').until('committed');
    for (const { replica } of [ann, bob]) await replica.close();
  } catch (error) {
    throw new Error(`${String(error)}\n${nodes.logs.join('\n')}`, { cause: error });
  } finally {
    await nodes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
