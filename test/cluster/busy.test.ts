/**
 * A busy machine is no reason to change the leader: with every core taken by others for a while,
 * three nodes at default settings keep the one that they have, and go on committing.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { History } from '../checkers/history.js';
import { bundledApp } from './bundled-app.js';
import { Nodes } from './nodes.js';
import { Writer } from './writer.js';

const BUSY_MS = 12_000;
const BURN = 'for (;;) Math.sqrt(2);';

it('keeps its leader while every core is busy with something else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-busy-'));
  const nodes = await Nodes.start({ folder, app: await bundledApp(folder) });
  let burners: ChildProcess[] = [];
  try {
    const writer = await Writer.open('ann', nodes.urls, new History());
    await writer.append();
    const leader = await nodes.mustLeader();
    const before = await changes(nodes);
    burners = Array.from({ length: 2 * availableParallelism() }, () =>
      spawn(process.execPath, ['-e', BURN], { stdio: 'ignore' }));
    const until = Date.now() + BUSY_MS;
    while (Date.now() < until) {
      await writer.append();
      await sleep(20);
    }
    expect(await nodes.leader()).toBe(leader);
    expect(await changes(nodes), 'changes of leadership, by node').toEqual(before);
    await writer.close();
  } finally {
    for (const burner of burners) burner.kill('SIGKILL');
    await nodes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** How often each node has seen the leadership change since it started. */
async function changes(nodes: Nodes): Promise<number[]> {
  return Promise.all(nodes.numbers.map(async (node) => {
    const text = await (await fetch(nodes.http(node, '/metrics'))).text();
    const count = Number(/^oxbow_leader_changes(?:\{[^}]*\})? (\d+)$/m.exec(text)?.[1]);
    if (Number.isNaN(count)) throw new Error('the metric oxbow_leader_changes is missing');
    return count;
  }));
}
