/**
 * `npm run bench -- NAME [--json]` runs one benchmark with its peers; the last line is one JSON
 * object. `--help` names them.
 */
import { parseArgs } from 'node:util';
import { measureClient, type ClientFlags } from './client.js';
import { measureCommit } from './commit.js';
import { measureCore } from './core.js';

const benches: Readonly<Record<string, (flags: ClientFlags) => Promise<Record<string, number>>>> = {
  core: measureCore,
  commit: measureCommit,
  client: measureClient,
};

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    peers: { type: 'string' },
    metrics: { type: 'string' },
    runs: { type: 'string' },
    quiet: { type: 'string' },
    'write-docs': { type: 'boolean' },
  },
  allowPositionals: true,
});
const name = positionals[0] ?? '';
const bench = benches[name];
if (bench === undefined || values.help) {
  console.error(`usage: npm run bench -- NAME [--json]
names: ${Object.keys(benches).join(', ')}
client also takes:
  --peers a,b      --metrics x,y      --runs 3
  --quiet 60       seconds to wait for a quiet machine before each figure
  --write-docs     make docs/benchmarks.md and its chart anew`);
  process.exit(values.help ? 0 : 2);
}
const metrics = await bench(values);
const rounded = Object.fromEntries(
  Object.entries(metrics).map(([metric, value]) => [metric, Number(value.toPrecision(4))]),
);
if (!values.json) console.table(rounded);
console.log(JSON.stringify({ name, metrics: rounded }));
process.exit(0);
