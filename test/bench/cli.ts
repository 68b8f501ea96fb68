/**
 * `npm run bench -- NAME [--json]` runs one benchmark with its peers; the last line is one JSON
 * object. `--help` names them.
 */
import { parseArgs } from 'node:util';
import { measureCommit } from './commit.js';
import { measureCore } from './core.js';

const benches: Readonly<Record<string, () => Promise<Record<string, number>>>> = {
  core: measureCore,
  commit: measureCommit,
};

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const name = positionals[0] ?? '';
const bench = benches[name];
if (bench === undefined || values.help) {
  console.error(`usage: npm run bench -- NAME [--json]\nnames: ${Object.keys(benches).join(', ')}`);
  process.exit(values.help ? 0 : 2);
}
const metrics = await bench();
const rounded = Object.fromEntries(
  Object.entries(metrics).map(([metric, value]) => [metric, Number(value.toPrecision(4))]),
);
if (!values.json) console.table(rounded);
console.log(JSON.stringify({ name, metrics: rounded }));
process.exit(0);
