/**
 * The figures as bars: for each row how many times worse than the best a peer is, on a logarithmic
 * scale, so that rates, milliseconds and bytes can stand in one picture. Plain SVG; its colours
 * follow the reader's light or dark scheme.
 */
import { median } from '../statistics.js';
import { figureText } from './figure-text.js';
import type { ClientRun } from './measure.js';
import { metricFacts, peerFacts, type MetricName, type PeerName } from './metrics.js';

const WIDTH = 960;
const LABELS = 150;
const COLUMN = 250;
const BAR = 13;
const TITLE = 30;
const GAP = 18;
const COLUMNS = 2;
/** Bars of this many times the best, and more, end at the edge. */
const WORST = 1_000;
/** The best has a bar, too. */
const SHORTEST = 6;

const COLOURS: Readonly<Record<PeerName, readonly [light: string, dark: string]>> = {
  oxbow: ['#0b6e4f', '#3fcf9b'],
  replicache: ['#6b7280', '#9aa3b2'],
  rxdb: ['#6b7280', '#9aa3b2'],
  pouchdb: ['#6b7280', '#9aa3b2'],
  dexie: ['#6b7280', '#9aa3b2'],
  tinybase: ['#6b7280', '#9aa3b2'],
  yjs: ['#6b7280', '#9aa3b2'],
  indexeddb: ['#c3c8d0', '#4b5361'],
};

interface Bar {
  readonly peer: PeerName;
  readonly value: number;
  /** At least 1: how many times worse than the best. */
  readonly times: number;
}

export function chartOf(run: ClientRun): string {
  const blocks = run.options.metrics.map((metric) => ({ metric, bars: barsOf(run, metric) }))
    .filter(({ bars }) => bars.length > 0);
  const heights = Array.from({ length: COLUMNS }, () => 40);
  const parts: string[] = [];
  for (const { metric, bars } of blocks) {
    const column = heights[0] !== undefined && heights.every((height) => height >= (heights[0] ?? 0)) ? 0
      : heights.indexOf(Math.min(...heights));
    const y = heights[column] ?? 0;
    parts.push(blockOf(metric, bars, { x: 20 + column * (WIDTH / COLUMNS), y }));
    heights[column] = y + TITLE + bars.length * (BAR + 4) + GAP;
  }
  const height = Math.max(...heights) + 10;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Benchmarks: multiples of the best, shorter is better">
<style>
  text { font: 12px system-ui, sans-serif; fill: #1c2430; }
  .title { font-weight: 600; font-size: 13px; }
  .quiet { fill: #5a6472; }
${rules(0)}
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e8ecf2; }
    .quiet { fill: #a7b0be; }
    .ground { fill: #12161c; }
${rules(1)}
  }
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="8"/>
<text x="20" y="24" class="quiet">Shorter is better: length tells how many times worse than the best (logarithmic), the number is the figure.</text>
${parts.join('\n')}
</svg>
`;
}

function barsOf(run: ClientRun, metric: MetricName): Bar[] {
  const measured = run.options.peers.flatMap((peer) => {
    const values = run.samples[`${peer}.${metric}`];
    return values === undefined ? [] : [{ peer, value: median(values) }];
  });
  const isMore = metricFacts[metric].better === 'more';
  const values = measured.map(({ value }) => value);
  const best = isMore ? Math.max(...values) : Math.min(...values);
  return measured
    .map(({ peer, value }) => ({ peer, value, times: isMore ? best / value : value / best }))
    .sort((a, b) => a.times - b.times);
}

function blockOf(metric: MetricName, bars: readonly Bar[], at: { x: number; y: number }): string {
  const lines = bars.map(({ peer, value, times }, i) => {
    const y = at.y + TITLE - 8 + i * (BAR + 4);
    const share = Math.min(1, Math.log(times) / Math.log(WORST));
    const width = (SHORTEST + share * (COLUMN - SHORTEST)).toFixed(1);
    const x = at.x + LABELS;
    return `<text x="${x - 8}" y="${y + 11}" text-anchor="end"${peer === 'oxbow' ? ' class="title"' : ''}>${peerFacts[peer].title}</text>` +
      `<rect class="${peer}" x="${x}" y="${y}" width="${width}" height="${BAR}" rx="2"/>` +
      `<text class="quiet" x="${x + Number(width) + 5}" y="${y + 11}">${figureText(value)}</text>`;
  });
  const title = `<text class="title" x="${at.x}" y="${at.y + 10}">${metricFacts[metric].title}</text>`;
  return [title, ...lines].join('\n');
}

const rules = (scheme: 0 | 1): string =>
  Object.entries(COLOURS).map(([peer, colours]) => `  .${peer} { fill: ${colours[scheme]}; }`).join('\n');
