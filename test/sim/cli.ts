/**
 * npm run sim -- --seed N           replays one seed and prints its trace when something broke (--trace: always)
 * npm run sim -- --bugs             says which seed catches each planted bug (--bug NAME: that one)
 * npm run sim -- --seeds A..B       sweeps, and stops at the first violation with the command that replays it
 */
import { parseArgs } from 'node:util';
import { BUGS } from './bugs.js';
import { hunt, SEEDS_TO_CATCH } from './planted.js';
import { runSeed, type RunResult } from './run.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    trace: { type: 'boolean', default: false },
    bugs: { type: 'boolean', default: false },
    bug: { type: 'string' },
  },
});

function replay(seed: number): RunResult {
  const result = runSeed(seed, true);
  const again = runSeed(seed, false);
  if (values.trace || result.violation !== undefined) console.log(result.log.slice(-400).join('\n'));
  if (result.traceHash !== again.traceHash) {
    return { ...result, violation: `two runs of seed ${seed} differ: ${result.traceHash}, ${again.traceHash}` };
  }
  return result;
}

function sweep(from: number, to: number): RunResult | undefined {
  const started = Date.now();
  let mutations = 0;
  let commits = 0;
  for (let seed = from; seed <= to; seed++) {
    const result = runSeed(seed);
    if (result.violation !== undefined) return result;
    mutations += result.mutations;
    commits += result.commits;
    if ((seed - from + 1) % 250 === 0) console.log(`  ${seed - from + 1} seeds, ${mutations} mutations`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${to - from + 1} seeds hold: ${mutations} mutations, ${commits} commits, ${seconds} s`);
  return undefined;
}

function failed(result: RunResult): never {
  console.error(`\nseed ${result.seed}: ${result.violation}\nreplay: npm run sim -- --seed ${result.seed}`);
  process.exit(1);
}

async function huntAll(): Promise<boolean> {
  let all = true;
  for (const bug of BUGS.filter(({ name }) => values.bug === undefined || values.bug === name)) {
    const found = await hunt(bug);
    all &&= found !== undefined;
    const verdict = found === undefined
      ? `NOT caught by ${SEEDS_TO_CATCH} seeds`
      : `seed ${found.seed}: ${found.violation.split('\n')[0]?.slice(0, 140)}`;
    console.log(`${bug.name.padEnd(30)} ${verdict}`);
  }
  return all;
}

if (values.bugs || values.bug !== undefined) {
  if (!(await huntAll())) process.exit(1);
} else if (values.seed !== undefined) {
  const result = replay(Number(values.seed));
  if (result.violation !== undefined) failed(result);
  console.log(`seed ${result.seed} holds: ${result.mutations} mutations, ${result.commits} commits, ${result.events} events, trace ${result.traceHash}`);
} else {
  const [from, to] = (values.seeds ?? '1..100').split('..').map(Number);
  if (from === undefined || to === undefined || !(from <= to)) {
    console.error('usage: npm run sim -- --seed N | --seeds A..B');
    process.exit(2);
  }
  const result = sweep(from, to);
  if (result !== undefined) failed(result);
}
