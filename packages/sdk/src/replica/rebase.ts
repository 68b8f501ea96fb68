/**
 * One batch of changes beneath the tentative updates: commits, updates of others that belong into
 * the middle, updates that leave. Bayou undoes the log down to the first change and redoes all
 * above (SOSP'95 §4.3), so that what it costs depends on the log's length. Here an update runs
 * again only if what it read has changed as seen from its place (Kung and Robinson 1981: the read
 * set meets a write set); all others keep their effects. The walk goes up the log once, and what a
 * re-run changes counts for those above it.
 *
 * Use: `commit`, `remove`, `insert` as often as needed, then `finish` once.
 */
import { refusalByNeeds, sameValue } from '../model/index.js';
import type { Execution, Reader, Standing, Tables } from '../model/index.js';
import type { Effect, KeyText, Outcome, Row, UpdateId } from '../protocol/index.js';
import type { LogEntry, TentativeLog } from './log.js';
import type { Overlay } from './overlay.js';
import type { Runner } from './runner.js';
import { Touches } from './touch.js';
import { Version } from './version.js';

/** What a rebase works on. `base` is replaced as a whole by a full transfer. */
export interface Ground {
  readonly runner: Runner;
  readonly log: TentativeLog;
  readonly overlay: Overlay;
  base: Tables;
  /** Of an update that is held or settled. */
  standingOf(id: UpdateId): Standing;
  /** Set while somebody wants to know what runs again and why (inspector/). */
  watch?: RebaseWatch | undefined;
}

export interface RebaseWatch {
  /** That update runs again: it is new, or what it read meets one of those changes. */
  reruns(entry: LogEntry, above: Touches): void;
  /** The batch is over, and every update has done what it does now. */
  finished(): void;
  /** The base was replaced as a whole, and every update has run again. */
  replayed(): void;
}

export interface Rebased {
  /** Left in the log, with another outcome or other effects than before. */
  readonly changed: readonly LogEntry[];
  /** What the committed view may show otherwise than before; to be asked at rank `COMMITTED`. */
  readonly beneath: Touches;
  /** What the tentative view may show otherwise; to be asked at rank `TENTATIVE`. */
  readonly above: Touches;
}

/** One row as it changes in the tentative view. */
export interface RowChange {
  readonly table: string;
  readonly key: KeyText;
  readonly before: Row | undefined;
  readonly now: Row | undefined;
}

export class Rebase {
  readonly #ground: Ground;
  readonly #touches: Touches;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#touches = new Touches(ground.runner.app, ground.base, ground.overlay);
  }

  /**
   * Lays effects into the base. `held` is the update that they came of, if it is in the log: rows
   * that it already wrote alike stay the same objects, so that nobody sees a change. Returns the
   * effects as laid in, and the rows that stood there before.
   */
  commit(
    effects: readonly Effect[], held: LogEntry | undefined,
  ): { readonly effects: readonly Effect[]; readonly before: readonly (Row | undefined)[] } {
    const { base, overlay } = this.#ground;
    const before: (Row | undefined)[] = [];
    const steady: Effect[] = [];
    for (const effect of effects) {
      const { table, key } = effect;
      const old = base.row(table, key);
      this.#touches.touch(table, key, old);
      const written = held === undefined ? undefined : overlay.written(table, key, held);
      const laid = withRow(effect, steadyRow(effect.row, written, old));
      base.write(laid, old);
      before.push(old);
      steady.push(laid);
    }
    return { effects: steady, before };
  }

  /** Takes an update out of the log, with what it wrote. */
  remove(entry: LogEntry): void {
    const { log, overlay } = this.#ground;
    for (const { table, key } of entry.execution.effects) {
      this.#touches.touch(table, key);
      overlay.remove(table, key, entry);
    }
    log.remove(entry);
  }

  /** Once per batch, after all that leave. */
  insert(entries: readonly LogEntry[]): void {
    this.#ground.log.insert(entries);
  }

  finish(): Rebased {
    const { log, watch } = this.#ground;
    const lowest = log.entries.find(({ removed }) => !removed)?.rank ?? Infinity;
    const above = this.#touches.dropQuiet(lowest);
    const changed: LogEntry[] = [];
    for (const entry of log.entries) {
      if (entry.removed) continue;
      const isDue = entry.stale || isRefusalNew(this.#ground, entry);
      if (!isDue && !isMet(entry, above)) continue;
      watch?.reruns(entry, above);
      if (rerun(this.#ground, entry, above)) changed.push(entry);
    }
    log.compact();
    watch?.finished();
    return { changed, beneath: this.#touches, above };
  }
}

function isMet({ onlyRead, execution, rank }: LogEntry, above: Touches): boolean {
  if (onlyRead === undefined) return above.meets(execution.reads, rank);
  return above.meetsRow(onlyRead.table, onlyRead.key, rank);
}

const refusalOf = ({ standingOf }: Ground, { update: { needs } }: LogEntry): Outcome | undefined =>
  refusalByNeeds(needs, standingOf);

function isRefusalNew(ground: Ground, entry: LogEntry): boolean {
  return entry.update.needs !== undefined && !sameValue(refusalOf(ground, entry), entry.refusal);
}

function run(ground: Ground, entry: LogEntry, reader: Reader): Execution {
  entry.refusal = refusalOf(ground, entry);
  return ground.runner.run(entry, reader);
}

/** True if it did something else than before. */
function rerun(ground: Ground, entry: LogEntry, above: Touches): boolean {
  const { overlay } = ground;
  const before = entry.execution;
  const rerun = run(ground, entry, overlay.readerAt(entry.rank));
  const effects = rerun.effects.map((effect) => {
    const { table, key } = effect;
    const written = overlay.written(table, key, entry);
    const below = overlay.rowBelow(table, key, entry.rank);
    const row = steadyRow(effect.row, written, below);
    if (row !== written) {
      const touch = above.touch(table, key);
      overlay.put(table, key, new Version(entry, row));
      above.wrote(touch, row);
    }
    return withRow(effect, row);
  });
  for (const { table, key } of unwritten(before.effects, effects)) {
    above.touch(table, key);
    overlay.remove(table, key, entry);
  }
  return entry.ran({ ...rerun, effects });
}

/**
 * The author's own case: nothing stands above, so nothing else can change. `ready` sees the first
 * execution before anything has changed, and may throw; `onWrite` hears of every row that does.
 */
export function runOnTop(
  { runner, log, overlay }: Ground,
  entry: LogEntry,
  { ready, onWrite }: {
    readonly ready: ((run: Execution) => void) | undefined;
    readonly onWrite: (change: RowChange) => void;
  },
): void {
  const run = runner.run(entry, overlay.top);
  ready?.(run);
  log.push(entry);
  // Copied: a list that grew with the writes has room for many more, and stays as long as the
  // update.
  const effects = run.effects.slice();
  for (let i = 0; i < effects.length; i++) {
    const effect = effects[i];
    if (effect === undefined) continue;
    const { table, key } = effect;
    const below = overlay.rowBelow(table, key, entry.rank);
    const row = steadyRow(effect.row, undefined, below);
    overlay.put(table, key, new Version(entry, row));
    effects[i] = withRow(effect, row);
    if (below !== (row ?? undefined)) onWrite({ table, key, before: below, now: row ?? undefined });
  }
  entry.ran({ outcome: run.outcome, effects, reads: run.reads, opaque: run.opaque });
}

/**
 * Everything anew, over a base that was replaced as a whole. Returns what does something else than
 * before.
 */
export function replayAll(ground: Ground): LogEntry[] {
  const { log, overlay, watch } = ground;
  overlay.clear();
  const changed: LogEntry[] = [];
  for (const entry of log.entries) {
    const ran = run(ground, entry, overlay.top);
    for (const { table, key, row } of ran.effects) overlay.put(table, key, new Version(entry, row));
    if (entry.ran(ran)) changed.push(entry);
  }
  watch?.replayed();
  return changed;
}

/** An equal row that is there already, so that equal is identical wherever rows are compared. */
function steadyRow(
  row: Row | null, written: Row | null | undefined, below: Row | undefined,
): Row | null {
  if (row === null) return null;
  if (written && sameValue(written, row)) return written;
  return below !== undefined && sameValue(below, row) ? below : row;
}

const withRow = (effect: Effect, row: Row | null): Effect =>
  effect.row === row ? effect : { table: effect.table, key: effect.key, row };

/** Those of `before` whose keys are not among those of `after`. */
function unwritten(before: readonly Effect[], after: readonly Effect[]): readonly Effect[] {
  const isSame = (effect: Effect, i: number): boolean =>
    effect.key === after[i]?.key && effect.table === after[i].table;
  // Mostly a re-run writes the same rows again.
  if (before.every(isSame)) return [];
  const written = new Set(after.map(({ table, key }) => `${table}\u0000${key}`));
  return before.filter(({ table, key }) => !written.has(`${table}\u0000${key}`));
}
