/** docs/benchmarks.md and its chart, out of one run. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from '../statistics.js';
import { chartOf } from './chart.js';
import { versionOf } from './fetched-peers.js';
import { figureText } from './figure-text.js';
import type { ClientRun } from './measure.js';
import { absences, metricFacts, peerFacts, type MetricName, type PeerName } from './metrics.js';

const docs = new URL('../../../docs/', import.meta.url);

export function writeClientDocs(run: ClientRun): void {
  writeFileSync(fileURLToPath(new URL('benchmarks.svg', docs)), chartOf(run));
  writeFileSync(fileURLToPath(new URL('benchmarks.md', docs)), pageOf(run));
}

/** The page as text. */
export function pageOf(run: ClientRun): string {
  const { peers, metrics } = run.options;
  const table = [
    row(['', ...peers.map((peer) => peerFacts[peer].title)]),
    row(['---', ...peers.map(() => '---:')]),
    ...metrics.map((metric) => row([metricFacts[metric].title, ...cellsOf(run, metric)])),
  ].join('\n');
  return `# Benchmarks in the browser

Made by \`npm run bench -- client --write-docs\`; do not edit by hand. ${howOften(run)} The best of
a row is bold; IndexedDB alone is the floor of those that write one record a row, not a peer.
${warning(run)}
![Each row's figures as multiples of the best](benchmarks.svg)

${table}

## What each row means

${metrics.map((metric) => `- **${metricFacts[metric].title}** (\`${metric}\`, ${metricFacts[metric].better} is better): ${metricFacts[metric].meaning}.`).join('\n')}

The document is a calendar event of 325 bytes as JSON (\`test/bench/client/document.ts\`), 50 a day,
under random-looking ids, with an index on its start.

## What is missing, and why

${missing(run)}

## On what

- ${run.date}, ${run.machine}.
- ${run.chromium}, headless, pages cross-origin isolated (a clock of 5 µs), everything on 127.0.0.1.
- ${versionsOf(peers)}.
- Every figure has a profile of its own; "cold" means that the browser was ended and started again.
  Peers take turns within a round. Other programs used ${foreign(run)} meanwhile.

## To be read with it

${NOTES}
`;
}

/** Of others, beyond which times say more about them than about us. */
const QUIET_CORES = 0.25;
const RUNS_MIN = 3;

const NOTES = `- "Durable" is each peer's own default: its IndexedDB transaction has completed, which Chromium by
  default hands to the operating system without an fsync. It survives a crash of the browser, not
  of the power.
- *Applied* asks for reads to see the write, nothing more. Where a peer writes to disk first
  (Dexie, RxDB, PouchDB, IndexedDB) applied and durable are the same work; where it writes to
  memory first, the disk follows in the background or, with TinyBase here, at a save.
- The first load of Oxbow and of Replicache is a first sync from a server within the page. Oxbow
  reads it out of text frames, whose writing is not timed; Replicache is handed objects.
- TinyBase saves a whole table at a time: one by one this is slow, at once it is fast. Its
  pipelined figure is one save after all writes.
- Yjs has no query: its live figure is a callback that looks at the touched map only.
- In the rebase Replicache and Oxbow keep 1,000 edits pending on top of what arrives. RxDB and
  PouchDB resolve conflicts of revisions, Yjs merges an update of a CRDT: neither runs the edits
  again, and neither could refuse one.
- Weight: RxDB and Oxbow with their way to sync, Replicache has it built in; the others without.
- Memory: those that answer from the disk hold nothing between reads; those that answer at once
  hold the rows.
- With 3 runs, do not take a difference under about 30 % for real.`;

function cellsOf(run: ClientRun, metric: MetricName): string[] {
  const best = bestOf(run, metric);
  return run.options.peers.map((peer) => {
    const values = run.samples[`${peer}.${metric}`];
    if (values === undefined) return '–';
    const text = figureText(median(values));
    const spread = values.length === 1 ? ''
      : ` (${figureText(Math.min(...values))}–${figureText(Math.max(...values))})`;
    return `${peer === best ? `**${text}**` : text}${spread}`;
  });
}

/** Who is first in that row; the floor is no peer. */
export function bestOf(run: ClientRun, metric: MetricName): PeerName | undefined {
  const sign = metricFacts[metric].better === 'more' ? -1 : 1;
  const ranked = run.options.peers.filter((peer) => peer !== 'indexeddb')
    .flatMap((peer) => {
      const values = run.samples[`${peer}.${metric}`];
      return values === undefined ? [] : [{ peer, value: sign * median(values) }];
    })
    .sort((a, b) => a.value - b.value);
  return ranked[0]?.peer;
}

const howOften = ({ options: { runs } }: ClientRun): string => runs === 1
  ? 'Each figure was measured once.'
  : `Each figure is the median of ${runs} runs, in parentheses the lowest and the highest.`;

/** Said by the page itself: who quotes a figure does not read how it came about. */
function warning({ options: { runs }, foreignCores }: ClientRun): string {
  const isBusy = foreignCores.length === 0 || median(foreignCores) > QUIET_CORES;
  if (runs >= RUNS_MIN && !isBusy) return '';
  const why = isBusy ? 'other programs kept the machine busy' : 'there were few runs';
  return `\n**Compare within a row only, and quote no figure of this page: ${why}.**\n`;
}

function missing(run: ClientRun): string {
  const lines = run.options.metrics.flatMap((metric) => run.options.peers.flatMap((peer) => {
    if (run.samples[`${peer}.${metric}`] !== undefined) return [];
    const why = absences[peer]?.[metric] ?? `failed: ${run.failures[`${peer}.${metric}`] ?? 'unknown'}`;
    return [`- ${peerFacts[peer].title}, \`${metric}\`: ${why}`];
  }));
  return lines.length === 0 ? 'Nothing.' : lines.join('\n');
}

function versionsOf(peers: readonly PeerName[]): string {
  const packages = peers.flatMap((peer) => peerFacts[peer].packages);
  return packages.map((name) => `${name} ${versionOf(name)}`).join(', ');
}

function foreign({ foreignCores }: ClientRun): string {
  if (foreignCores.length === 0) return 'an unknown part of the machine';
  return `${median(foreignCores).toFixed(2)} cores (at most ${Math.max(...foreignCores).toFixed(2)})`;
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
