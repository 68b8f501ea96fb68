/**
 * Clients with the real SDK that write and read all the time while faults befall the nodes, one a
 * round, and what must hold afterwards: the same checkers that the simulation uses.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { History } from '../checkers/history.js';
import { checkLinearizable } from '../checkers/linearizability.js';
import { lists, type ListInput, type ListOutput } from '../checkers/model.js';
import { Random } from '../sim/random.js';
import type { Fault } from './faults.js';
import type { Nodes } from './nodes.js';
import { Writer } from './writer.js';

export interface Trial {
  readonly nodes: Nodes;
  /** They come in turn. */
  readonly faults: readonly Fault[];
  readonly rounds: number;
  readonly seed: number;
}

const WRITERS = ['ann', 'bob', 'cem', 'dia'];
/** Between two operations of one writer: a history stays small enough to be judged. */
const PAUSE_MS = 60;

/**
 * Keeps every acknowledged append, once and in one order, and goes on after each fault; fails
 * otherwise, with the round and what the nodes have logged.
 */
export async function holdsThrough(trial: Trial): Promise<void> {
  const history = new History<ListInput, ListOutput>();
  const writers = await Promise.all(
    WRITERS.map((name) => Writer.open(name, trial.nodes.urls, history)),
  );
  await underFire(trial, writers);
  await settled(writers);
  expectSound(trial, writers, history);
  for (const writer of writers) await writer.close();
}

/** Everyone writes and reads all the time; after each fault everyone gets something through. */
async function underFire(trial: Trial, writers: readonly Writer[]): Promise<void> {
  const { nodes, faults, rounds, seed } = trial;
  const random = new Random(seed);
  let isOver = false;
  const loops = writers.map(async (writer) => {
    while (!isOver) {
      await writer.append();
      await writer.read();
      await sleep(PAUSE_MS);
    }
  });
  for (let round = 0; round < rounds; round++) {
    const fault = faults[round % faults.length];
    if (fault === undefined) continue;
    try {
      await fault.run(nodes, () => random.unit());
      await progress(writers);
    } catch (error) {
      const words = `round ${round} (${fault.name}, seed ${seed}): ${String(error)}`;
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

function expectSound(
  { rounds }: Trial, writers: readonly Writer[], history: History<ListInput, ListOutput>,
): void {
  const values = Object.values(writers[0]?.lists() ?? {}).flat();
  expect(new Set(values).size, 'a value stands twice').toBe(values.length);
  const told = writers.flatMap(({ committed }) => committed);
  expect(told.filter((value) => !values.includes(value)), 'acknowledged and lost').toEqual([]);
  expect(told.length).toBeGreaterThan(rounds * WRITERS.length);
  expect(checkLinearizable(lists, history.operations())).toMatchObject({ kind: 'linearizable' });
}
