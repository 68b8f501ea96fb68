/**
 * Which tentative updates another one was built on: those whose versions of rows it read, or wrote
 * over. Recorded read sets and the versions in the overlay tell it; nothing is noted while updates
 * run, as hardly anybody asks.
 */
import { neededBy } from '../model/index.js';
import type { ReadSet } from '../model/index.js';
import { OxbowError, updateKey } from '../protocol/index.js';
import { needsMax } from '../protocol/limits.js';
import type { Effect, Needs, ReplicaId, UpdateId } from '../protocol/index.js';
import type { LogEntry } from './log.js';
import { isWithin } from './place.js';
import type { Ground } from './rebase.js';
import { versionBelow } from './version.js';
import type { TentativeRow } from './version.js';

/** What one execution read and wrote. */
interface Met {
  readonly reads: ReadSet;
  readonly effects: readonly Effect[];
}

/** Each once, in the order of the log. `rank`: of the update that was executed. */
export function builtOn(ground: Ground, { reads, effects }: Met, rank: number): LogEntry[] {
  const { overlay } = ground;
  const found = new Set<LogEntry>();
  const meet = (table: string, key: string): void => {
    const versions = overlay.versions(table, key);
    const version = versions && versionBelow(versions, rank);
    if (version !== undefined) found.add(version.entry);
  };
  for (const [table, keys] of reads.keys) for (const key of keys) meet(table, key);
  for (const { table, key } of effects) meet(table, key);
  for (const range of reads.ranges) {
    for (const row of overlay.tentative(range.table)) {
      const entry = writerWithin(ground, range, row, rank);
      if (entry !== undefined) found.add(entry);
    }
  }
  return [...found].sort((a, b) => a.rank - b.rank);
}

/** Of an update in the log: what it meets now, and what it says it needs. */
export function allBuiltOn(ground: Ground, id: UpdateId): readonly UpdateId[] {
  const entry = ground.log.get(id);
  if (entry === undefined) return [];
  const met = builtOn(ground, entry.execution, entry.rank).map(({ update }) => update.id);
  const { needs } = entry.update;
  if (needs === undefined) return met;
  const known = new Set(met.map(updateKey));
  return [...[...neededBy(needs)].filter((of) => !known.has(updateKey(of))), ...met];
}

/** Who put the row into the range, or took it out. */
function writerWithin(
  { runner: { app }, overlay }: Ground, range: ReadSet['ranges'][number],
  { key, versions }: TentativeRow, rank: number,
): LogEntry | undefined {
  const version = versionBelow(versions, rank);
  if (version === undefined) return undefined;
  const below = overlay.rowBelow(range.table, key, version.entry.rank);
  const isIn = isWithin(app, range, version.row, key) || isWithin(app, range, below, key);
  return isIn ? version.entry : undefined;
}

/** An update that another one takes back. */
export interface Undone {
  readonly id: UpdateId;
  /** While it has no final place. */
  readonly entry?: LogEntry;
}

/** `undoes`: what it takes back, whatever it reads. Errors: `too-many-needed`. */
export function needsOf(
  entries: readonly LogEntry[], policy: Needs['policy'], undoes?: Undone,
): Needs | undefined {
  const needed = new Set(undoes?.entry === undefined ? entries : [...entries, undoes.entry]);
  if (needed.size === 0 && undoes === undefined) return undefined;
  if (needed.size > needsMax) {
    throw new OxbowError(
      'too-many-needed',
      `This builds on ${needed.size} updates that wait, and must not stand without them: at most ` +
        `${needsMax}. Sync first.`,
    );
  }
  const seqs: Record<ReplicaId, number[]> = {};
  for (const { update: { id } } of needed) (seqs[id.replica] ??= []).push(id.seq);
  for (const replica in seqs) {
    // reason: for-in forgets the branded key type.
    seqs[replica as ReplicaId]?.sort((a, b) => a - b);
  }
  return undoes === undefined ? { policy, seqs } : { policy, seqs, undoes: undoes.id };
}

/** The same needs, where updates have been issued anew under other ids. */
export function needsAnew(
  needs: Needs, anew: (id: UpdateId) => UpdateId,
): Needs {
  const seqs: Record<ReplicaId, number[]> = {};
  // reason: Object.entries forgets the branded key type.
  for (const [replica, of] of Object.entries(needs.seqs) as [ReplicaId, readonly number[]][]) {
    for (const seq of of) {
      const id = anew({ replica, seq });
      (seqs[id.replica] ??= []).push(id.seq);
    }
  }
  const { policy, undoes } = needs;
  return undoes === undefined ? { policy, seqs } : { policy, seqs, undoes: anew(undoes) };
}
