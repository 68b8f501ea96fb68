/**
 * What became of own updates that did not go as asked. The list is durable, because the person may
 * be away when the decision comes; a callback that fires once loses the refused version for good.
 */
import type { ReadSet, Shapes } from '../model/index.js';
import { updateKey } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { Effect, ReplicaId, Row, UpdateId, Value } from '../protocol/index.js';
import type { KeptEntry } from './kept-log.js';
import type { LogEntry } from './log.js';
import { isWithin } from './place.js';
import type { FinalOutcome } from './receipt.js';

export type { FinalOutcome };

/** A committed update of another replica that changed what ours depended on. */
export interface Obstacle {
  readonly id: UpdateId;
  readonly csn: number;
  readonly user: string | null;
  /** The mutation. */
  readonly name: string | undefined;
}

/**
 * One own update whose final outcome was not `applied`. Plain data; values may be anything that
 * travels.
 */
export interface ConflictRecord {
  readonly id: UpdateId;
  /** Its place in the final order; 0 if it has none, or it is unknown. */
  readonly csn: number;
  /** When it was settled: commit timestamp, ms. */
  readonly at: number;
  /** What was asked, when (wall time, ms), and what it had done here at first. */
  readonly name: string;
  readonly version: number;
  readonly args: Value;
  readonly askedAt: number;
  readonly attempt: readonly Effect[];
  /** What was got. */
  readonly outcome: FinalOutcome;
  readonly effects: readonly Effect[];
  /** Which updates stood in the way, oldest first; at most `limits.obstaclesMax`. */
  readonly obstacles: readonly Obstacle[];
  /**
   * Earlier updates of ours that it was built on and that were refused themselves, as far as this
   * run of the program saw it.
   */
  readonly refused: readonly UpdateId[];
}

/** Own conflicts until they are acknowledged, oldest first. */
export class Conflicts {
  readonly #records = new Map<string, ConflictRecord>();
  #list: readonly ConflictRecord[] | undefined;

  constructor(stored: readonly ConflictRecord[]) {
    const sorted = stored.toSorted((a, b) => a.csn - b.csn || a.id.seq - b.id.seq);
    for (const record of sorted) this.#records.set(updateKey(record.id), record);
  }

  /** The same array while nothing changed. */
  get list(): readonly ConflictRecord[] {
    return (this.#list ??= [...this.#records.values()]);
  }

  get(id: UpdateId): ConflictRecord | undefined {
    return this.#records.get(updateKey(id));
  }

  /** Returns the oldest one, if it had to go to make room. */
  put(record: ConflictRecord): ConflictRecord | undefined {
    this.#list = undefined;
    this.#records.set(updateKey(record.id), record);
    if (this.#records.size <= limits.conflictsMax) return undefined;
    const [oldest] = this.#records.values();
    if (oldest !== undefined) this.#records.delete(updateKey(oldest.id));
    return oldest;
  }

  /** False: it was not there. */
  remove(id: UpdateId): boolean {
    this.#list = undefined;
    return this.#records.delete(updateKey(id));
  }
}

/** How an update was settled. */
export interface Settlement {
  readonly csn: number;
  readonly at: number;
  readonly outcome: FinalOutcome;
  readonly effects: readonly Effect[];
  readonly obstacles: readonly Obstacle[];
}

export function conflictRecord(entry: LogEntry, settled: Settlement): ConflictRecord {
  const { update: { id, name, version, args, at: askedAt }, attempt, refusedBelow } = entry;
  const { csn, at, outcome, effects, obstacles } = settled;
  const refused = refusedBelow ?? [];
  return {
    id, csn, at, name, version, args, askedAt, attempt, outcome, effects, obstacles, refused,
  };
}

/** Later updates of ours that met what a refused one wanted: they are told. */
export function noteRefused(refused: LogEntry, later: readonly LogEntry[], shapes: Shapes): void {
  const { update: { id }, attempt, execution } = refused;
  const written = [...attempt, ...execution.effects];
  const keys = new Set(written.map(({ table, key }) => `${table}\u0000${key}`));
  for (const entry of later) {
    const { execution: { reads, effects }, update: { needs } } = entry;
    const isMet = needs?.seqs[id.replica]?.includes(id.seq) === true
      || effects.some(({ table, key }) => keys.has(`${table}\u0000${key}`))
      || written.some((effect) => meetsReads(shapes, reads, effect, undefined));
    if (isMet && (entry.refusedBelow ??= []).length < limits.obstaclesMax) {
      entry.refusedBelow.push(id);
    }
  }
}

/**
 * Committed updates of others that its author had not seen and that met what it read or wanted to
 * write. `since`: the entries after its context, up to its own.
 */
export function obstaclesTo(
  { execution, attempt }: LogEntry,
  since: readonly KeptEntry[],
  { shapes, self }: { readonly shapes: Shapes; readonly self: ReplicaId },
): Obstacle[] {
  const wanted = new Set([...attempt, ...execution.effects].map(({ table, key }) => `${table}\u0000${key}`));
  const obstacles: Obstacle[] = [];
  for (const { entry, before } of since) {
    if (obstacles.length >= limits.obstaclesMax) break;
    if (entry.id.replica === self) continue;
    const isMet = entry.effects.some((effect, i) =>
      wanted.has(`${effect.table}\u0000${effect.key}`)
      || meetsReads(shapes, execution.reads, effect, before?.[i]));
    if (!isMet) continue;
    const { id, csn, user, body } = entry;
    obstacles.push({ id, csn, user, name: body?.name });
  }
  return obstacles;
}

function meetsReads(
  shapes: Shapes, reads: ReadSet, { table, key, row }: Effect, before: Row | undefined,
): boolean {
  if (reads.keys.get(table)?.has(key) === true) return true;
  return reads.ranges.some((range) => range.table === table
    && (isWithin(shapes, range, row, key) || isWithin(shapes, range, before, key)));
}
