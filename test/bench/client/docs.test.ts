import { expect, test } from 'vitest';
import { chartOf } from './chart.js';
import { bestOf, pageOf } from './docs.js';
import { eventOf, eventsOf, variedEventOf } from './document.js';
import type { ClientRun } from './measure.js';

const run: ClientRun = {
  options: {
    peers: ['oxbow', 'replicache', 'dexie', 'indexeddb'], metrics: ['durable_per_s', 'live_p50_ms'],
    runs: 3, quietS: 0,
  },
  date: '2026-11-23', chromium: 'Chromium 1', machine: '2 cores',
  samples: {
    'oxbow.durable_per_s': [900, 1_000, 1_100], 'dexie.durable_per_s': [500, 500, 500],
    'indexeddb.durable_per_s': [2_000, 2_000, 2_000],
    'oxbow.live_p50_ms': [0.03, 0.04, 0.05], 'replicache.live_p50_ms': [0.2, 0.3, 0.4],
  },
  failures: { 'dexie.live_p50_ms': 'it timed out' },
  foreignCores: [0.1, 0.2],
};

test('the best of a row is the best median of the peers; the floor is no peer', () => {
  expect(bestOf(run, 'durable_per_s')).toBe('oxbow');
  expect(bestOf(run, 'live_p50_ms')).toBe('oxbow');
  expect(pageOf(run)).toContain('| **1,000** (900–1,100) | – | 500 (500–500) | 2,000 (2,000–2,000) |');
});

test('each missing figure is explained: what a peer cannot do, or what went wrong', () => {
  const missing = pageOf(run).split('## What is missing, and why')[1]?.split('##')[0] ?? '';
  const lines = missing.split('\n').filter((line) => line.startsWith('- '));
  expect(lines).toHaveLength(3);
  expect(missing).toContain('Replicache, `durable_per_s`: Replicache promises no durability');
  expect(missing).toContain('Dexie, `live_p50_ms`: failed: it timed out');
  expect(missing).toContain('IndexedDB alone, `live_p50_ms`: IndexedDB has no queries');
});

test('the chart has a bar for each figure, and the longest is that of the worst', () => {
  const chart = chartOf(run);
  const widths = [...chart.matchAll(/<rect class="(\w+)" x="\d+" y="[\d.]+" width="([\d.]+)"/g)]
    .map(([, peer, width]) => [peer, Number(width)] as const);
  expect(widths.map(([peer]) => peer))
    .toEqual(['indexeddb', 'oxbow', 'dexie', 'oxbow', 'replicache']);
  const [floor, ours, worst] = widths.map(([, width]) => width);
  expect(floor).toBeLessThan(ours ?? 0);
  expect(ours).toBeLessThan(worst ?? 0);
});

test('the document is that of the baseline: the size, fifty a day, ids that differ', () => {
  expect(JSON.stringify(eventOf(7))).toHaveLength(327);
  const events = eventsOf(1_000);
  expect(new Set(events.map(({ id }) => id)).size).toBe(1_000);
  expect(events.filter(({ start }) => start.startsWith('2026-01-04T'))).toHaveLength(50);
  expect(JSON.stringify(variedEventOf(7))).toHaveLength(327);
  expect(variedEventOf(7).notes).not.toBe(variedEventOf(8).notes);
});
