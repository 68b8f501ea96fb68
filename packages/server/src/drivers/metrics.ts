/** What the node tells Prometheus. Names are stable: dashboards and alert rules hang on them. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Counter as NodeCounter, Histogram as NodeHistogram } from '../node/effects.js';
import type { NodeGauges } from '../node/machine.js';

/** What the host reports as it happens. */
export interface Meter {
  count(counter: NodeCounter, by: number): void;
  observe(histogram: NodeHistogram, value: number): void;
  linkClosed(code: string): void;
}

export interface Gauges extends NodeGauges {
  /** Bytes proposed to the commit log and not yet on disk. */
  readonly logBytesInFlight: number;
  readonly ready: boolean;
}

/** Of the group, as this node sees it. */
export interface ClusterGauges {
  readonly leading: number;
  readonly leaderChanges: number;
  readonly chosenSlot: number;
  readonly appliedSlot: number;
  readonly voters: number;
  readonly peersLinked: number;
  readonly loopLagMs: number;
  /** Of a state that is being taken in from another node; undefined: none is. */
  readonly transfer: { readonly bytes: number } | undefined;
}

export interface Metrics extends Meter {
  /** One barrier of the write-ahead log, ms. */
  barrier(durationMs: number): void;
  /** One transaction of the state store, ms. */
  storeApplied(durationMs: number): void;
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

const COUNTERS: Readonly<Record<NodeCounter, string>> = {
  links_opened: 'Links accepted',
  links_refused: 'Links refused in or before their hello',
  frames_received: 'Frames received',
  frames_sent: 'Frames sent',
  updates_received: 'Updates received, repeated ones included',
  updates_duplicate: 'Updates that were settled or under way already',
  updates_refused: 'Updates refused: no right, or not well-formed',
  barriers_answered: 'Linearizable reads confirmed to clients',
  entries_committed: 'Commit entries on disk, rejections included',
  entries_rejected: 'Commit entries whose outcome is a rejection',
  slots_proposed: 'Batches given to the commit log',
  spaces_loaded: 'Spaces loaded into memory',
  spaces_dropped: 'Spaces dropped from memory',
};

const GAUGES: GaugeList<Gauges> = [
  ['links', 'Open links', (now) => now.links],
  ['spaces', 'Spaces in memory', (now) => now.spaces],
  ['slots_in_flight', 'Batches proposed and not on disk', (now) => now.slotsInFlight],
  ['entries_in_flight', 'Entries executed and not on disk', (now) => now.entriesInFlight],
  ['slots_unapplied', 'Batches not yet in the state store', (now) => now.slotsUnapplied],
  ['links_waiting', 'Links whose updates wait for a space or the log', (now) => now.linksWaiting],
  ['log_bytes_in_flight', 'Bytes in the log and not on disk', (now) => now.logBytesInFlight],
  ['ready', '1 while the node serves', (now) => (now.ready ? 1 : 0)],
];

const CLUSTER_GAUGES: GaugeList<ClusterGauges> = [
  ['leading', '1 while this node leads its group', (now) => now.leading],
  ['leader_changes', 'Changes of leadership seen since the start', (now) => now.leaderChanges],
  ['chosen_slot', 'Slot up to which the log is known as chosen', (now) => now.chosenSlot],
  ['applied_slot', 'Slot at which the state on disk stands', (now) => now.appliedSlot],
  ['apply_lag_slots', 'Chosen slots that are not in the state on disk',
    (now) => Math.max(0, now.chosenSlot - now.appliedSlot)],
  ['voters', 'Voters of the group', (now) => now.voters],
  ['peers_linked', 'Nodes that this one is linked with', (now) => now.peersLinked],
  ['loop_late_seconds', 'By how much the event loop was late at most in the last seconds',
    (now) => now.loopLagMs / 1_000],
  ['snapshot_running', '1 while a state is taken in from another node',
    (now) => (now.transfer === undefined ? 0 : 1)],
  ['snapshot_received_bytes', 'Of the state that is being taken in', (now) => now.transfer?.bytes ?? 0],
];

const FAST_SECONDS = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
];
/** Any text can stand in a close reason; a label must not grow with what clients send. */
const CODE = /^[a-z0-9-]{1,64}$/;

export function createMetrics(
  gauges: () => Gauges, cluster: () => ClusterGauges | undefined = () => undefined,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = registerCounters(registry);
  registerGauges(registry, GAUGES, gauges);
  registerGauges(registry, CLUSTER_GAUGES, cluster);
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers: [registry] });
  const commit = histogram(
    'oxbow_commit_seconds', 'From the arrival of a batch\'s first update to disk', FAST_SECONDS);
  const slot = histogram(
    'oxbow_slot_entries', 'Entries in one batch', [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
  const barrier = histogram('oxbow_log_fsync_seconds', 'One fdatasync of the log', FAST_SECONDS);
  const stored = histogram(
    'oxbow_store_apply_seconds', 'One transaction of the state store', FAST_SECONDS);
  const closed = new Counter({
    name: 'oxbow_links_closed_total',
    help: 'Links ended, by code (docs/errors.md)',
    labelNames: ['code'],
    registers: [registry],
  });
  return {
    count: (counter, by) => counters[counter].inc(by),
    observe: (name, value) => {
      if (name === 'commit_ms') commit.observe(value / 1_000);
      else slot.observe(value);
    },
    linkClosed: (code) => closed.inc({ code: CODE.test(code) ? code : 'other' }),
    barrier: (durationMs) => barrier.observe(durationMs / 1_000),
    storeApplied: (durationMs) => stored.observe(durationMs / 1_000),
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

function registerCounters(registry: Registry): Record<NodeCounter, Counter> {
  const made = Object.entries(COUNTERS).map(([name, help]) => [
    name,
    new Counter({ name: `oxbow_${name}_total`, help, registers: [registry] }),
  ]);
  // reason: Object.entries forgets the key type; the keys are those of COUNTERS.
  return Object.fromEntries(made) as Record<NodeCounter, Counter>;
}

type GaugeList<T> = readonly (readonly [name: string, help: string, read: (now: T) => number])[];

/** Read when asked, so that nothing is kept up to date in between. */
function registerGauges<T>(registry: Registry, list: GaugeList<T>, now: () => T | undefined): void {
  for (const [name, help, read] of list) {
    new Gauge({
      name: `oxbow_${name}`,
      help,
      registers: [registry],
      collect() {
        const present = now();
        if (present !== undefined) this.set(read(present));
      },
    });
  }
}
