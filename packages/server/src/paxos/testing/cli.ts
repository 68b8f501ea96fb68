/**
 * Many seeds of the random cluster, by hand: `node --conditions=oxbow-source --import tsx
 * packages/server/src/paxos/testing/cli.ts --seeds 1..5000`
 */
import { RandomCluster } from './random-cluster.js';

const at = process.argv.indexOf('--seeds');
const [from = 1, to = from] = (process.argv[at + 1] ?? '1..300').split('..').map(Number);
const sum = { chosen: 0, leaderships: 0, configurations: 0, reads: 0, states: 0 };
const startedAt = Date.now();
let failures = 0;
for (let seed = from; seed <= to && failures < 10; seed++) {
  try {
    const outcome = new RandomCluster({ seed, steps: 600 + (seed % 5) * 200 }).run();
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += outcome[key];
  } catch (error) {
    failures += 1;
    process.stdout.write(`seed ${seed}: ${String(error)}\n`);
  }
}
process.stdout.write(`${JSON.stringify({ from, to, failures, ms: Date.now() - startedAt, ...sum })}\n`);
process.exitCode = failures > 0 ? 1 : 0;
