/**
 * npm run sim -- --seed N       replays one seed; its trace when something broke (--trace: always)
 * npm run sim -- --seeds A..B   sweeps up to the first violation, and says how to replay it
 * npm run sim -- --bugs         says which seed catches each planted bug (--bug NAME: that one)
 *
 * `--world node|paxos|cluster|tabs`: in that world only. Without it each seed has its own
 * (worlds.ts).
 */
import { parseArgs } from 'node:util';
import { BUGS } from './bugs.js';
import { CLUSTER_BUGS } from './cluster/cluster-bugs.js';
import { PAXOS_BUGS } from './paxos/paxos-bugs.js';
import { hunt, seedsToCatch } from './planted.js';
import type { RunResult } from './seed-run.js';
import { TABS_BUGS } from './tabs/tabs-bugs.js';
import { runners, worldNames, worldOf, type WorldName } from './worlds.js';

const USAGE = 'usage: npm run sim -- --seed N | --seeds A..B | --bugs | --bug NAME [--world NAME] [--trace]';

function misused(problem: string): never {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
}

function asked() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        world: { type: 'string' },
        trace: { type: 'boolean', default: false },
        bugs: { type: 'boolean', default: false },
        bug: { type: 'string' },
      },
    }).values;
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error));
  }
}

const values = asked();

const world = worldNames.find((name) => name === values.world);
if (values.world !== undefined && world === undefined) {
  misused(`There is no world ${values.world}: ${worldNames.join(', ')}.`);
}

const inWorld = (seed: number): WorldName => world ?? worldOf(seed);

function replay(seed: number): RunResult {
  const run = runners[inWorld(seed)];
  const result = run(seed, true);
  const again = run(seed, false);
  if (values.trace || result.violation !== undefined) console.log(result.log.slice(-400).join('\n'));
  if (result.traceHash !== again.traceHash) {
    return { ...result, violation: `two runs of seed ${seed} differ: ${result.traceHash}, ${again.traceHash}` };
  }
  return result;
}

function sweep(from: number, to: number): RunResult | undefined {
  const started = Date.now();
  const counts = new Map<WorldName, number>();
  let mutations = 0;
  let commits = 0;
  for (let seed = from; seed <= to; seed++) {
    const name = inWorld(seed);
    const result = runners[name](seed);
    if (result.violation !== undefined) return result;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    mutations += result.mutations;
    commits += result.commits;
    if ((seed - from + 1) % 250 === 0) console.log(`  ${seed - from + 1} seeds, ${mutations} mutations`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const shares = [...counts].map(([name, count]) => `${count} of world ${name}`).join(', ');
  console.log(`${to - from + 1} seeds hold (${shares}): ${mutations} mutations, ${commits} commits, ${seconds} s`);
  return undefined;
}

function failed(result: RunResult): never {
  const command = `npm run sim -- --seed ${result.seed} --world ${inWorld(result.seed)}`;
  console.error(`\nseed ${result.seed}: ${result.violation}\nreplay: ${command}`);
  process.exit(1);
}

async function huntAll(): Promise<boolean> {
  let all = true;
  const bugs = [...BUGS, ...PAXOS_BUGS, ...CLUSTER_BUGS, ...TABS_BUGS]
    .filter(({ name }) => values.bug === undefined || values.bug === name)
    .filter((bug) => world === undefined || (bug.world ?? 'node') === world);
  for (const bug of bugs) {
    const found = await hunt(bug);
    all &&= found !== undefined;
    const verdict = found === undefined
      ? `NOT caught by ${seedsToCatch(bug)} seeds`
      : `seed ${found.seed}: ${found.violation.split('\n')[0]?.slice(0, 140)}`;
    console.log(`${(bug.world ?? 'node').padEnd(8)} ${bug.name.padEnd(34)} ${verdict}`);
  }
  return all;
}

if (values.bugs || values.bug !== undefined) {
  if (!(await huntAll())) process.exit(1);
} else if (values.seed !== undefined) {
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) misused(`A seed is a whole number, not '${values.seed}'.`);
  const result = replay(seed);
  if (result.violation !== undefined) failed(result);
  console.log(
    `seed ${result.seed} holds in world ${inWorld(result.seed)}: ${result.mutations} mutations, ` +
    `${result.commits} commits, ${result.events} events, trace ${result.traceHash}`,
  );
} else {
  const [from, to] = (values.seeds ?? '1..100').split('..').map(Number);
  if (from === undefined || to === undefined || !(from <= to)) {
    misused(`Seeds are a range A..B, not '${values.seeds ?? ''}'.`);
  }
  const result = sweep(from, to);
  if (result !== undefined) failed(result);
}
