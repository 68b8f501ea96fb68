/** The figures: what each means, in which unit, which way is better, and why a peer lacks one. */

export const PEERS = [
  'oxbow', 'replicache', 'rxdb', 'pouchdb', 'dexie', 'tinybase', 'yjs', 'indexeddb',
] as const;
export type PeerName = (typeof PEERS)[number];

export interface PeerFacts {
  readonly title: string;
  /** Its packages, the first of which gives the version. */
  readonly packages: readonly string[];
}

export const peerFacts: Readonly<Record<PeerName, PeerFacts>> = {
  oxbow: { title: 'Oxbow', packages: [] },
  replicache: { title: 'Replicache', packages: ['replicache'] },
  rxdb: { title: 'RxDB (Dexie)', packages: ['rxdb'] },
  pouchdb: { title: 'PouchDB', packages: ['pouchdb-browser', 'pouchdb-find'] },
  dexie: { title: 'Dexie', packages: ['dexie'] },
  tinybase: { title: 'TinyBase', packages: ['tinybase'] },
  yjs: { title: 'Yjs (y-indexeddb)', packages: ['yjs', 'y-indexeddb'] },
  indexeddb: { title: 'IndexedDB alone', packages: [] },
};

export interface MetricFacts {
  readonly title: string;
  readonly better: 'more' | 'less';
  readonly meaning: string;
}

const NO_DURABILITY =
  'Replicache promises no durability: it writes to its store when idle and does not say when.';
const NO_LIVE = 'IndexedDB has no queries that call back.';
const NO_MERGE = {
  dexie: 'Dexie alone knows no other side whose changes meet pending edits.',
  tinybase: 'TinyBase\'s plain store knows no pending edits; its mergeable store would be another one.',
  indexeddb: 'IndexedDB knows no other side.',
};

export const metricFacts = {
  applied_per_s: {
    title: 'Writes applied /s', better: 'more',
    meaning: '10,000 single inserts into an empty database, each awaited until reads see it',
  },
  durable_per_s: {
    title: 'Durable writes /s, one by one', better: 'more',
    meaning: '2,000 single inserts, each awaited until durable in the peer\'s default mode',
  },
  durable_pipelined_per_s: {
    title: 'Durable writes /s, pipelined', better: 'more',
    meaning: '5,000 single inserts issued without waiting, until the last one is durable',
  },
  live_p50_ms: {
    title: 'Live query, ms', better: 'less',
    meaning: 'median of 300: from the call that changes one event to the callback of a live query over its day (50 of 10,000)',
  },
  bulk_10k_ms: {
    title: 'First load of 10,000, ms', better: 'less',
    meaning: 'into an empty database, until visible and, where the peer can say so, durable',
  },
  open_10k_all_ms: {
    title: 'Cold open, all 10,000, ms', better: 'less',
    meaning: 'the browser was started anew: from open() to the array of all events',
  },
  open_50k_all_ms: {
    title: 'Cold open, all 50,000, ms', better: 'less', meaning: 'the same with 50,000 events',
  },
  open_50k_day_ms: {
    title: 'Cold open, one day of 50,000, ms', better: 'less',
    meaning: 'the same, from open() to the 50 events of one day by an index',
  },
  rebase_1000_ms: {
    title: 'Rebase in the same page, ms', better: 'less',
    meaning: '10,000 events, 1,000 unconfirmed edits, then 1,000 changes of others arrive (half of them to edited events): until all is settled and a live query has seen it',
  },
  rebase_1000_restarted_ms: {
    title: 'Rebase after a restart, ms', better: 'less',
    meaning: 'the same in a browser that was started anew on the stored events',
  },
  gzip_kib: {
    title: 'Weight, KiB gzip', better: 'less',
    meaning: 'the least that an app imports for this, bundled and minified by esbuild, gzip -9',
  },
  disk_bytes_per_row: {
    title: 'Disk, bytes per event', better: 'less',
    meaning: '10,000 events whose notes differ, size of the IndexedDB folder after the browser has ended',
  },
  heap_mib: {
    title: 'Page memory, MiB', better: 'less',
    meaning: 'after a cold open of 10,000 events, one reading of all (result dropped) and a collection',
  },
} as const satisfies Record<string, MetricFacts>;

export type MetricName = keyof typeof metricFacts;

// reason: the keys of the record above.
export const METRICS = Object.keys(metricFacts) as MetricName[];

/** Why a figure is missing. */
export const absences: Readonly<Partial<Record<PeerName, Partial<Record<MetricName, string>>>>> = {
  replicache: { durable_per_s: NO_DURABILITY, durable_pipelined_per_s: NO_DURABILITY },
  dexie: { rebase_1000_ms: NO_MERGE.dexie, rebase_1000_restarted_ms: NO_MERGE.dexie },
  tinybase: { rebase_1000_ms: NO_MERGE.tinybase, rebase_1000_restarted_ms: NO_MERGE.tinybase },
  indexeddb: {
    live_p50_ms: NO_LIVE, gzip_kib: 'IndexedDB comes with the browser.',
    rebase_1000_ms: NO_MERGE.indexeddb, rebase_1000_restarted_ms: NO_MERGE.indexeddb,
  },
};
