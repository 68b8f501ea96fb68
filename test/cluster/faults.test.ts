/**
 * Three processes under fire, clients with the real SDK, and the same checkers that the simulation
 * uses: what the simulated disk, network and clock leave out shows here. Thirty rounds in the
 * suite; more by `OXBOW_FAULT_ROUNDS=300 npx vitest run test/cluster`, another order by
 * `OXBOW_FAULT_SEED`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { History } from '../checkers/history.js';
import { checkLinearizable } from '../checkers/linearizability.js';
import { lists, type ListInput, type ListOutput } from '../checkers/model.js';
import { Random } from '../sim/random.js';
import { bundledApp } from './bundled-app.js';
import { faults } from './faults.js';
import { Nodes } from './nodes.js';
import { Writer } from './writer.js';

const ROUNDS = Number(process.env.OXBOW_FAULT_ROUNDS ?? 30);
const SEED = Number(process.env.OXBOW_FAULT_SEED ?? 1);
const WRITERS = ['ann', 'bob', 'cem', 'dia'];
/** Between two operations of one writer: a history stays small enough to be judged. */
const PAUSE_MS = 60;

it('keeps every acknowledged append, once and in one order, through thirty rounds of faults', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-faults-'));
  const nodes = await Nodes.start({ folder, app: await bundledApp(folder), isProxied: true });
  const history = new History<ListInput, ListOutput>();
  try {
    const writers = await Promise.all(
      WRITERS.map((name) => Writer.open(name, nodes.urls, history)),
    );
    await underFire(nodes, writers);
    await settled(writers);
    expectSound(writers, history);
    for (const writer of writers) await writer.close();
  } finally {
    await nodes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, ROUNDS * 30_000);

/** Everyone writes and reads all the time; after each fault everyone gets something through. */
async function underFire(nodes: Nodes, writers: readonly Writer[]): Promise<void> {
  const random = new Random(SEED);
  let isOver = false;
  const loops = writers.map(async (writer) => {
    while (!isOver) {
      await writer.append();
      await writer.read();
      await sleep(PAUSE_MS);
    }
  });
  for (let round = 0; round < ROUNDS; round++) {
    const fault = faults[round % faults.length];
    if (fault === undefined) continue;
    try {
      await fault.run(nodes, () => random.unit());
      await progress(writers);
    } catch (error) {
      const words = `round ${round} (${fault.name}, seed ${SEED}): ${String(error)}`;
      throw new Error(`${words}\n${nodes.logs.join('\n')}`, { cause: error });
    }
  }
  isOver = true;
  await Promise.all(loops);
}

/** Each writer has something committed that was not before. */
async function progress(writers: readonly Writer[]): Promise<void> {
  const before = writers.map(({ committed }) => committed.length);
  const deadline = Date.now() + 20_000;
  while (!writers.every(({ committed }, i) => committed.length > (before[i] ?? 0))) {
    if (Date.now() > deadline) throw new Error('nothing was committed for 20 s');
    await sleep(20);
  }
}

/** All writers hold the same committed lists. */
async function settled(writers: readonly Writer[]): Promise<void> {
  const deadline = Date.now() + 20_000;
  const texts = (): string[] => writers.map((writer) => JSON.stringify(writer.lists()));
  while (new Set(texts()).size > 1) {
    if (Date.now() > deadline) throw new Error(`the writers differ: ${texts().join('\n')}`);
    await sleep(20);
  }
}

function expectSound(writers: readonly Writer[], history: History<ListInput, ListOutput>): void {
  const values = Object.values(writers[0]?.lists() ?? {}).flat();
  expect(new Set(values).size, 'a value stands twice').toBe(values.length);
  const told = writers.flatMap(({ committed }) => committed);
  expect(told.filter((value) => !values.includes(value)), 'acknowledged and lost').toEqual([]);
  expect(told.length).toBeGreaterThan(ROUNDS * WRITERS.length);
  expect(checkLinearizable(lists, history.operations())).toMatchObject({ kind: 'linearizable' });
}
