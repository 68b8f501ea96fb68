/**
 * Queries whose results are kept current. A live query is a reader like any update: it remembers
 * what it read and is run again only when a batch of changes meets that (touch.ts). It is marked at
 * once and run when somebody looks, or at the next flush if somebody listens, so that many changes
 * in one turn cost one run.
 */
import { NO_READS, sameValue } from '../model/index.js';
import type { Observed, ReadSet, Shapes } from '../model/index.js';
import { OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import { newListeners } from './listeners.js';
import type { Report } from './listeners.js';
import { isWithin } from './place.js';
import type { Rebased, RowChange } from './rebase.js';
import { COMMITTED, TENTATIVE } from './touch.js';

/** `tentative`: with all that is known; `committed`: only what has its final place. */
export type View = 'tentative' | 'committed';

export interface LiveQuery<R> {
  /**
   * Always current. The same reference while the result is structurally the same. Throws what the
   * query throws.
   */
  get(): R;
  /** Calls `fn` once per flush in which the result changed. Returns the way to stop it. */
  subscribe(fn: () => void): () => void;
  /** Forgets the query; `get` then throws `live-closed`. */
  close(): void;
}

/** How a live query ended: what `get` gives. */
type Result<R> =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: R }
  | { readonly kind: 'error'; readonly error: unknown };

/** What is asked of a query by those who do not know its result's type. */
interface Watched {
  readonly reads: ReadSet;
  /** Runs again before it is looked at. */
  isStale: boolean;
  flush(report: Report): void;
}

export class LiveQueries {
  readonly #shapes: Shapes;
  readonly #flushSoon: () => void;
  readonly #watched: Readonly<Record<View, Set<Watched>>> = {
    tentative: new Set(),
    committed: new Set(),
  };
  /** Were marked since the last flush. */
  #marked = new Set<Watched>();
  /** Grows with every change of rows, in either view. */
  revision = 0;

  constructor(shapes: Shapes, flushSoon: () => void) {
    this.#shapes = shapes;
    this.#flushSoon = flushSoon;
  }

  /** `run` reads that view as it is at the time. Errors: `too-many-queries`. */
  open<R>(run: () => Observed<R>, view: View): LiveQuery<R> {
    const watched = this.#watched[view];
    if (watched.size >= limits.liveQueriesMax) {
      throw new OxbowError(
        'too-many-queries',
        `Cannot open more than ${limits.liveQueriesMax} live queries. Close those no longer shown.`,
      );
    }
    const live: Live<R> = new Live(run, () => { watched.delete(live); });
    watched.add(live);
    return live;
  }

  onWrite(change: RowChange): void {
    this.revision += 1;
    for (const live of this.#watched.tentative) {
      if (!live.isStale && meetsRow(this.#shapes, live.reads, change)) this.#mark(live);
    }
  }

  onRebase({ above, beneath }: Rebased): void {
    if (!above.isEmpty || !beneath.isEmpty) this.revision += 1;
    for (const live of this.#watched.tentative) {
      if (live.isStale || above.isEmpty) continue;
      if (above.meets(live.reads, TENTATIVE)) this.#mark(live);
    }
    for (const live of this.#watched.committed) {
      if (live.isStale || beneath.isEmpty) continue;
      if (beneath.meets(live.reads, COMMITTED)) this.#mark(live);
    }
  }

  onReplaced(): void {
    this.revision += 1;
    for (const live of [...this.#watched.tentative, ...this.#watched.committed]) {
      if (!live.isStale) this.#mark(live);
    }
  }

  flush(report: Report): void {
    const marked = this.#marked;
    if (marked.size === 0) return;
    this.#marked = new Set();
    for (const live of marked) live.flush(report);
  }

  #mark(live: Watched): void {
    live.isStale = true;
    this.#marked.add(live);
    this.#flushSoon();
  }
}

class Live<R> implements LiveQuery<R>, Watched {
  readonly #run: () => Observed<R>;
  readonly #forget: () => void;
  readonly #listeners = newListeners();
  #result: Result<R> = { kind: 'none' };
  /** What the listeners were told last. */
  #told: Result<R> = this.#result;
  #closed = false;
  reads: ReadSet = NO_READS;
  isStale = true;

  constructor(run: () => Observed<R>, forget: () => void) {
    this.#run = run;
    this.#forget = forget;
  }

  get(): R {
    if (this.#closed) {
      throw new OxbowError('live-closed', 'This live query was closed. Open another one.');
    }
    const result = this.#current();
    if (result.kind === 'error') throw result.error;
    return result.value;
  }

  subscribe(fn: () => void): () => void {
    // Without a run it would not be known what to watch.
    if (this.#listeners.count === 0 && !this.#closed) this.#told = this.#current();
    return this.#listeners.add(fn);
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  flush(report: Report): void {
    if (this.#closed || this.#listeners.count === 0) return;
    const current = this.#current();
    if (current === this.#told) return;
    this.#told = current;
    this.#listeners.call(report);
  }

  #current(): Exclude<Result<R>, { kind: 'none' }> {
    const last = this.#result;
    if (!this.isStale && last.kind !== 'none') return last;
    this.isStale = false;
    const run = this.#run();
    this.reads = run.reads;
    if (!run.ok) return (this.#result = { kind: 'error', error: run.error });
    if (last.kind === 'value' && sameValue(last.value, run.result)) return last;
    return (this.#result = { kind: 'value', value: run.result });
  }
}

function meetsRow(
  shapes: Shapes, reads: ReadSet, { table, key, before, now }: RowChange,
): boolean {
  if (reads.keys.get(table)?.has(key) === true) return true;
  for (const range of reads.ranges) {
    if (range.table !== table) continue;
    if (isWithin(shapes, range, now, key) || isWithin(shapes, range, before, key)) return true;
  }
  return false;
}
