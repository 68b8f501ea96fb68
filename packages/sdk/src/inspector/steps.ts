/**
 * Rebase steps: which updates ran again in a batch, and why. A rebase leaves no trace of its own;
 * so somebody has to look on, and while nobody does it costs nothing. What is kept is bounded: the
 * newest batches, and of a large one the first runs.
 */
import type { ReadSet } from '../model/index.js';
import type { Row, UpdateId } from '../protocol/index.js';
import type { LogEntry } from '../replica/log.js';
import { isWithin } from '../replica/place.js';
import type { RebaseWatch } from '../replica/rebase.js';
import type { FinalOutcome } from '../replica/receipt.js';
import type { RowTurn, Touches } from '../replica/touch.js';
import { versionBelow } from '../replica/version.js';
import { keyWords, rangeWords } from './key-words.js';
import type { InspectedState } from './inspected-state.js';

/** Whose write is seen at a row now. */
export type Writer =
  | { readonly kind: 'commit'; readonly csn: number; readonly name: string | undefined }
  | { readonly kind: 'update'; readonly id: UpdateId; readonly name: string }
  /** Nobody's that is still held or kept: what had been written there is gone, or is old. */
  | { readonly kind: 'base' };

/** One read that met one change. */
export interface Meeting {
  readonly table: string;
  readonly key: string;
  /** How it was read: by its key, or in that range of an index (empty: of the table). */
  readonly read: 'key' | { readonly index: string; readonly range: string };
  readonly by: Writer;
  readonly before: Row | undefined;
  readonly now: Row | undefined;
}

export interface RunView {
  readonly id: UpdateId;
  readonly name: string;
  readonly own: boolean;
  /**
   * `arrived`: it is new here. `author`: its verified author is another. `read`: what it read is
   * another, see `meetings`.
   */
  readonly why: 'arrived' | 'author' | 'read';
  readonly meetings: readonly Meeting[];
  /** Undefined for one that had never run. */
  readonly before: FinalOutcome | undefined;
  readonly now: FinalOutcome;
  /** It did something else than before. */
  readonly isChanged: boolean;
}

export interface RebaseStep {
  readonly number: number;
  /** Wall time, ms. */
  readonly at: number;
  readonly csnBefore: number;
  readonly csn: number;
  /** A whole base was received: everything ran again. */
  readonly isReplay: boolean;
  /** Left in the log afterwards. */
  readonly pending: number;
  /** How many ran; `runs` has the first of them. */
  readonly ran: number;
  readonly runs: readonly RunView[];
}

const STEPS_MAX = 200;
const RUNS_MAX = 50;
const MEETINGS_MAX = 5;

interface Run extends Pick<RunView, 'why' | 'meetings' | 'before'> {
  readonly entry: LogEntry;
  readonly executionBefore: LogEntry['execution'];
}

export class RebaseRecorder implements RebaseWatch {
  readonly #state: InspectedState;
  readonly #wallNow: () => number;
  readonly #onStep: () => void;
  #steps: RebaseStep[] = [];
  #runs: Run[] = [];
  #ran = 0;
  #count = 0;
  #csn: number;

  constructor(state: InspectedState, wallNow: () => number, onStep: () => void) {
    this.#state = state;
    this.#wallNow = wallNow;
    this.#onStep = onStep;
    this.#csn = state.csn;
  }

  /** The newest first. */
  get steps(): readonly RebaseStep[] {
    return this.#steps.toReversed();
  }

  reruns(entry: LogEntry, above: Touches): void {
    this.#ran++;
    if (this.#runs.length >= RUNS_MAX) return;
    const { stale, parsed, execution } = entry;
    const isNew = parsed === undefined;
    this.#runs.push({
      entry, executionBefore: execution,
      why: isNew ? 'arrived' : stale ? 'author' : 'read',
      meetings: isNew || stale ? [] : this.#meetings(entry, above),
      before: isNew ? undefined : execution.outcome,
    });
  }

  finished(): void {
    this.#note(false);
  }

  replayed(): void {
    this.#ran = this.#state.ground.log.size;
    this.#note(true);
  }

  #note(isReplay: boolean): void {
    const { csn, ground } = this.#state;
    const step: RebaseStep = {
      number: ++this.#count, at: this.#wallNow(), csnBefore: this.#csn, csn, isReplay,
      pending: ground.log.size, ran: this.#ran, runs: this.#runs.map(runView),
    };
    this.#csn = csn;
    this.#runs = [];
    this.#ran = 0;
    this.#steps.push(step);
    if (this.#steps.length > STEPS_MAX) this.#steps.shift();
    this.#onStep();
  }

  #meetings({ rank, execution: { reads } }: LogEntry, above: Touches): Meeting[] {
    const meetings: Meeting[] = [];
    for (const turn of above.changesAt(rank)) {
      const read = this.#readOf(reads, turn);
      if (read === undefined) continue;
      const { table, key, before, now } = turn;
      meetings.push({
        table, key: keyWords(key), read, by: this.#writerOf(turn, rank), before, now,
      });
      if (meetings.length >= MEETINGS_MAX) break;
    }
    return meetings;
  }

  #readOf(reads: ReadSet, { table, key, before, now }: RowTurn): Meeting['read'] | undefined {
    if (reads.keys.get(table)?.has(key) === true) return 'key';
    const shapes = this.#state.runner.app;
    const range = reads.ranges.find((one) => one.table === table
      && (isWithin(shapes, one, before, key) || isWithin(shapes, one, now, key)));
    return range && { index: range.index, range: rangeWords(range) };
  }

  #writerOf({ table, key }: RowTurn, rank: number): Writer {
    const { ground: { overlay }, kept } = this.#state;
    const version = versionBelow(overlay.versions(table, key) ?? [], rank);
    if (version !== undefined) {
      const { id, name } = version.entry.update;
      return { kind: 'update', id, name };
    }
    const last = kept.since(0).findLast(({ entry }) =>
      entry.effects.some((effect) => effect.key === key && effect.table === table));
    if (last === undefined) return { kind: 'base' };
    return { kind: 'commit', csn: last.entry.csn, name: last.entry.body?.name };
  }
}

function runView({ entry, executionBefore, why, meetings, before }: Run): RunView {
  const { update: { id, name }, own, execution, outcome } = entry;
  const isChanged = executionBefore.outcome !== execution.outcome
    || executionBefore.effects !== execution.effects;
  return { id, name, own, why, meetings, before, now: outcome, isChanged };
}
