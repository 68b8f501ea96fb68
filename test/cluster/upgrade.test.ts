/**
 * Three processes that are updated to a newer version of their app one after the other, followers
 * first, as docs/cluster.md says, while people with the old version go on writing: no update
 * fails, every row ends in the new form, lifted once, and all nodes hold the same.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { memory, openReplica, server, type Replica, type Space } from '@oxbow/sdk/node';
import { expect, it } from 'vitest';
import { apps, type Version } from '../e2e/upgrade-app.js';
import { bundledVersion } from './bundled-app.js';
import { Nodes } from './nodes.js';
import { stateDigest } from './state-digest.js';

type App = (typeof apps)[1];

/** Between two updates of one person. */
const PAUSE_MS = 15;
const SETTLED_MS = 30_000;

interface Person {
  readonly replica: Replica<App>;
  readonly space: Space<App>;
  readonly reports: string[];
}

async function person(name: string, version: Version, urls: readonly string[]): Promise<Person> {
  const reports: string[] = [];
  const replica = await openReplica({
    app: apps[version], storage: memory(), sync: [server(urls, { token: `dev:${name}` })],
    onReport: ({ code }) => reports.push(code),
  });
  return { replica, space: await replica.open('team'), reports };
}

/** Adds tasks and finishes every other one, until told to stop; answers which are done. */
async function work(
  name: string, { space }: Person, isOver: () => boolean,
): Promise<Map<string, boolean>> {
  const done = new Map<string, boolean>();
  for (let i = 0; !isOver(); i++) {
    const id = `${name}${String(i).padStart(4, '0')}`;
    const outcomes = [
      await space.mutate.add({ id, title: 'new' }).until('committed'),
      await space.mutate.rename({ id, title: `task ${i}` }).until('committed'),
    ];
    if (i % 2 === 0) outcomes.push(await space.mutate.finish({ id, done: true }).until('committed'));
    for (const { kind } of outcomes) if (kind !== 'applied') throw new Error(`${id}: ${kind}`);
    done.set(id, i % 2 === 0);
    await sleep(PAUSE_MS);
  }
  return done;
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + SETTLED_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not within ${SETTLED_MS} ms: ${what}`);
    await sleep(50);
  }
}

const committed = ({ space }: Person) =>
  space.query((tx) => tx.task.all().map((row) => row), { view: 'committed' });

it('is updated node by node while people of the older version write: nothing fails, all rows are lifted once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-upgrade-'));
  const nodes = await Nodes.start({ folder, app: await bundledVersion(folder, 1) });
  try {
    const people = { a: await person('ann', 1, nodes.urls), b: await person('bob', 1, nodes.urls) };
    let isOver = false;
    const working = Object.entries(people).map(([name, who]) => work(name, who, () => isOver));
    await until('some rows of version 1', () => committed(people.a).length > 20);
    await bundledVersion(folder, 2);
    const leader = await nodes.mustLeader();
    for (const node of [...nodes.numbers.filter((other) => other !== leader), leader]) {
      await nodes.signal(node, 'SIGTERM');
      nodes.spawn(node);
      await nodes.ready();
    }
    await until('version 2 leads', () => committed(people.a).some(({ lifts }) => lifts === 1));
    const before = committed(people.a).length;
    await until('people of version 1 go on', () => committed(people.a).length > before + 10);
    isOver = true;
    const done = new Map((await Promise.all(working)).flatMap((map) => [...map]));

    const late = await person('cem', 2, nodes.urls);
    await until('the newcomer has it all', () => committed(late).length === done.size);
    const rows = committed(late);
    expect(rows).toEqual([...done].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, isDone]) => ({
      id, title: `task ${Number(id.slice(1))}`, edits: 1, lifts: 1, state: isDone ? 'done' : 'open',
    })));
    for (const who of [people.a, people.b]) {
      await until('they hold the same', () => JSON.stringify(committed(who)) === JSON.stringify(rows));
      expect(who.space.conflicts).toEqual([]);
      expect(who.reports).toEqual(['app-outdated']);
      await who.replica.close();
    }
    await late.replica.close();
    await until('all nodes hold the same', async () => {
      const digests = await Promise.all(nodes.numbers.map((node) => stateDigest(nodes, node, folder)));
      return new Set(digests).size === 1;
    });
  } catch (error) {
    throw new Error(`${String(error)}\n${nodes.logs.join('\n')}`, { cause: error });
  } finally {
    await nodes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
