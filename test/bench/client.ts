/**
 * `npm run bench -- client`: the replica in a browser beside Replicache, RxDB, PouchDB, Dexie,
 * TinyBase, Yjs, and IndexedDB itself. Selects with --peers, --metrics, --runs; --write-docs makes
 * docs/benchmarks.md and its chart anew out of this run.
 */
import { writeClientDocs } from './client/docs.js';
import { everything, measureClientPeers } from './client/measure.js';
import { median } from './statistics.js';

const RUNS = 3;
const QUIET_S = 60;

export interface ClientFlags {
  readonly peers?: string | undefined;
  readonly metrics?: string | undefined;
  readonly runs?: string | undefined;
  readonly quiet?: string | undefined;
  readonly 'write-docs'?: boolean | undefined;
}

export async function measureClient(flags: ClientFlags): Promise<Record<string, number>> {
  const run = await measureClientPeers({
    peers: selected(everything.peers, flags.peers, 'peers'),
    metrics: selected(everything.metrics, flags.metrics, 'metrics'),
    runs: counted(flags.runs, RUNS, 'runs'),
    quietS: counted(flags.quiet, QUIET_S, 'quiet'),
  });
  if (flags['write-docs'] === true) writeClientDocs(run);
  for (const [figure, why] of Object.entries(run.failures)) console.error(`missing ${figure}: ${why}`);
  return Object.fromEntries(
    Object.entries(run.samples).map(([figure, values]) => [figure, median(values)]),
  );
}

function selected<T extends string>(all: readonly T[], flag: string | undefined, what: string): readonly T[] {
  if (flag === undefined) return all;
  const names = flag.split(',');
  const unknown = names.filter((name) => !all.some((known) => known === name));
  if (unknown.length > 0) throw new Error(`no such ${what}: ${unknown.join(', ')}. There are: ${all.join(', ')}`);
  return all.filter((name) => names.includes(name));
}

function counted(flag: string | undefined, otherwise: number, what: string): number {
  const count = Number(flag ?? otherwise);
  if (!Number.isInteger(count) || count < 0) throw new Error(`--${what} takes a whole number`);
  return count;
}
