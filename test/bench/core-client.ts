/**
 * The replica in memory: how fast mutations run with a live query on them, and what a rebase costs:
 * 1,000 pending updates meet 1,000 commits of others over 10,000 rows, without and with conflicts.
 * Each figure is the median of several fresh runs.
 */
import type { CommitEntry, ReplicaId, SpaceId } from '@oxbow/sdk/protocol';
import { SpaceReplica } from '../../packages/sdk/src/replica/space.js';
import type { SpaceOwner } from '../../packages/sdk/src/replica/changes.js';
import { app, type Meeting } from './bench-app.js';
import { median } from './statistics.js';
import type { ReadTx } from '@oxbow/sdk/model';

type BenchTx = ReadTx<typeof app>;

const ROWS = 10_000;
const PENDING = 1_000;
const COMMITS = 1_000;
const RUNS = 7;
const MUTATIONS_PER_RUN = 20_000;
/** Mutations between two flushes of live queries: what one busy turn of a page does. */
const PER_TURN = 10;

// reason: fixed identities of the benchmark.
const OWN = '00000000-0000-4000-8000-000000000001' as ReplicaId;
const OTHER = '00000000-0000-4000-8000-000000000002' as ReplicaId;
const SPACE = 'bench' as SpaceId;

export interface ClientFigures {
  readonly mutations_per_s: number;
  readonly replays_per_s: number;
  readonly rebase_quiet_ms: number;
  readonly rebase_conflict_ms: number;
}

function measureClient(): ClientFigures {
  const runs = <T>(run: () => T): T[] => Array.from({ length: RUNS }, run);
  measureMutations();
  const mutations = runs(measureMutations);
  const quiet = runs(() => measureRebase((i) => PENDING + i));
  const conflict = runs(() => measureRebase((i) => i));
  const conflictMs = median(conflict);
  return {
    mutations_per_s: median(mutations),
    replays_per_s: (PENDING / conflictMs) * 1000,
    rebase_quiet_ms: median(quiet),
    rebase_conflict_ms: conflictMs,
  };
}

function meeting(i: number, title = `Meeting ${i} with the planning group`): Meeting {
  const day = `2026-${String(1 + (i % 12)).padStart(2, '0')}-${String(1 + (i % 28)).padStart(2, '0')}`;
  return {
    id: `m${i.toString(36).padStart(6, '0')}`, day, start: 8 + (i % 9), title,
    room: ['Ada', 'Babbage', 'Curie'][i % 3] ?? 'Ada',
    notes: 'Bring the printed agenda and the figures of last week; dial-in opens ten minutes before.',
  };
}

function commit(csn: number, row: Meeting): CommitEntry {
  return {
    csn, at: 1_767_225_600_000 + csn, id: { replica: OTHER, seq: csn }, lamport: csn, user: 'other',
    outcome: { kind: 'applied' }, effects: [{ table: 'meeting', key: row.id, row: { ...row } }],
    body: { context: { csn: csn - 1, vector: {} }, name: 'schedule', version: 1, args: row, at: csn },
  };
}

/** A replica that is never saved or sent: what is measured is the work in memory. */
function openSpace(): { space: SpaceReplica<typeof app>; flush: () => void } {
  let wanted = false;
  const nothing = (): void => {};
  const owner: SpaceOwner = {
    changes: {
      updateAdded: nothing, updateRemoved: nothing, entriesCommitted: nothing, entriesTrimmed: nothing,
      baseReplaced: nothing, conflictPut: nothing, conflictRemoved: nothing, headChanged: nothing,
      undoPut: nothing, undoRemoved: nothing,
    },
    flushSoon: () => {
      wanted = true;
    },
    pump: nothing,
    identityLost: nothing,
    report: (error) => {
      throw error;
    },
  };
  const space = new SpaceReplica({ app, space: SPACE, replica: OWN, user: 'ann', dev: false, owner });
  const flush = (): void => {
    if (wanted) space.flushNotifications();
    wanted = false;
  };
  return { space, flush };
}

function measureMutations(): number {
  const { space, flush } = openSpace();
  const live = space.live((tx: BenchTx) => tx.meeting.index('byDay').get('2026-01-01').all());
  let notified = 0;
  live.subscribe(() => notified++);
  const rows = Array.from({ length: MUTATIONS_PER_RUN }, (_, i) => meeting(i));
  const started = performance.now();
  for (let i = 0; i < rows.length; i++) {
    space.mutate('schedule', rows[i], 1_767_225_600_000);
    if (i % PER_TURN === PER_TURN - 1) flush();
  }
  const elapsedMs = performance.now() - started;
  const expected = rows.filter((row) => row.day === '2026-01-01').length;
  if (live.get().length !== expected || notified === 0) throw new Error('the live query missed a mutation');
  return (MUTATIONS_PER_RUN / elapsedMs) * 1000;
}

/** `target` says which row the i-th foreign commit changes; pending update i has retitled row i. */
function measureRebase(target: (i: number) => number): number {
  const { space, flush } = openSpace();
  const base = Array.from({ length: ROWS }, (_, i) => commit(i + 1, meeting(i)));
  for (let from = 0; from < ROWS; from += 500) space.receiveCommits('h', base.slice(from, from + 500));
  for (let i = 0; i < PENDING; i++) {
    space.mutate('retitle', { id: meeting(i).id, title: `mine ${i}` }, 1_767_225_600_000);
  }
  const live = space.live((tx: BenchTx) => tx.meeting.index('byDay').get('2026-01-01').all());
  live.subscribe(() => undefined);
  flush();
  const foreign = Array.from({ length: COMMITS }, (_, i) =>
    commit(ROWS + i + 1, { ...meeting(target(i)), room: 'Dijkstra' }));
  const started = performance.now();
  space.receiveCommits('h', foreign);
  flush();
  live.get();
  const elapsedMs = performance.now() - started;
  const first = space.query((tx: BenchTx) => tx.meeting.get(meeting(0).id));
  if (first?.title !== 'mine 0') throw new Error('a pending update was lost in the rebase');
  return elapsedMs;
}

process.stdout.write(JSON.stringify(measureClient()));
