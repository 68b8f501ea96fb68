/** A space as the app sees it. */
import type { Clock } from '../drivers/clock.js';
import type { AppDefinition, ArgsListOf, MutationName, ReadTx } from '../model/index.js';
import {
  OxbowError, type BundleHeader, type SpaceId, type Summary, type UpdateId, type Value,
} from '../protocol/index.js';
import type { ConflictRecord } from '../replica/conflict.js';
import type { LiveQuery } from '../replica/live.js';
import type { Receipt as HeldReceipt } from '../replica/receipt.js';
import type { PendingUpdate as HeldUpdate, SpaceReplica, ViewOptions } from '../replica/space.js';
import type { Closing, Waiting } from './closing.js';
import { Conflict } from './conflict.js';
import type { SpaceHealth } from './health.js';
import { loadBundles } from './on-demand.js';
import { Receipt, type ReceiptParts } from './receipt.js';

/** One function per mutation of the app. */
export type Mutate<A> = {
  readonly [N in MutationName<A>]: (...args: ArgsListOf<A, N>) => Receipt;
};

/** A tentative update as it stands now; with a receipt if it is ours. */
export type PendingUpdate = Omit<HeldUpdate, 'receipt'> & { readonly receipt: Receipt | undefined };

export interface SpaceParts<A extends AppDefinition> {
  readonly id: SpaceId;
  readonly app: A;
  readonly replica: SpaceReplica<A>;
  readonly health: SpaceHealth;
  readonly closing: Closing;
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /**
   * Calls back once when the committed view is as new as anything that anyone was told of. Returns
   * the way to stop.
   */
  readonly whenCurrent: (ready: () => void) => () => void;
}

export interface ReadOptions extends Waiting {
  /** Default: 5,000. */
  readonly timeoutMs?: number;
}

/** A list as the app gets it, made anew only when the list that it was made of is another. */
interface Wrapped<Held, Shown> {
  readonly of: readonly Held[];
  readonly list: readonly Shown[];
}

/**
 * One space of a replica: reads and writes are synchronous and work offline; what others do comes
 * in by itself.
 *
 * @example
 * const team = await replica.open('team-42');
 * const booking = { id: 'b1', room: 'blue', hour: 9, title: 'Planning', orElse: [] };
 * const receipt = team.mutate.book(booking);
 * const bookings = team.live((tx) => tx.booking.all());
 * bookings.subscribe(() => render(bookings.get()));
 * team.query((tx) => tx.booking.get('b1'), { view: 'committed' });
 */
export class Space<A extends AppDefinition> {
  readonly id: SpaceId;
  /**
   * `mutate.<name>(args)` writes here and now, visible at once, online or not, and is sent as soon
   * as it is saved. Errors: `args-invalid`, `bad-value`, `value-too-large`, `args-too-large`,
   * `too-many-pending`, `mutate-in-query`, `replica-closed`. A refusal by the app's rules is no
   * error: see the receipt's outcome.
   */
  readonly mutate: Mutate<A>;
  /** Disk, links and progress. */
  readonly health: SpaceHealth;
  readonly #parts: SpaceParts<A>;
  readonly #ofReceipts: ReceiptParts;
  #pending: Wrapped<HeldUpdate, PendingUpdate> | undefined;
  #conflicts: Wrapped<ConflictRecord, Conflict> | undefined;

  constructor(parts: SpaceParts<A>) {
    this.#parts = parts;
    this.id = parts.id;
    this.health = parts.health;
    const { replica, clock, closing } = parts;
    this.#ofReceipts = {
      closing,
      undo: (id) => {
        closing.check();
        return this.#receiptOf(replica.undo(id, clock.now()));
      },
      stalled: () => this.health.stalled,
    };
    const names = [...parts.app.definitions.keys()];
    const calls = names.map((name) => [name, (args: Value) => this.#mutate(name, args)] as const);
    // reason: the names are those of the app; the types of their arguments are checked by each
    // mutation's schema.
    this.mutate = Object.freeze(Object.fromEntries(calls)) as Mutate<A>;
  }

  /**
   * Runs `fn` over the tables, read-only. `view`: `tentative` (default) with all that is known
   * here, `committed` with what has its final place. What `fn` throws is thrown on.
   */
  query<R>(fn: (tx: ReadTx<A>) => R, options?: ViewOptions): R {
    return this.#parts.replica.query(fn, options);
  }

  /**
   * A linearizable read: runs `fn` over the committed view once that holds everything that anyone,
   * anywhere, had been told was committed when `read` was called. Costs a round trip to the server;
   * own updates that wait are not in it. Offline it waits. `timeoutMs`: 5,000 unless told
   * otherwise. Rejects with `read-unavailable` when the time is over, `too-many-reads`,
   * `replica-closed`, the reason of the signal, and with what `fn` throws.
   *
   * @example
   * const isFree = await team.read((tx) => !tx.booking.has('b1'), { timeoutMs: 2_000 });
   */
  read<R>(fn: (tx: ReadTx<A>) => R, options: ReadOptions = {}): Promise<R> {
    const { timeoutMs = 5_000 } = options;
    const { closing, clock, whenCurrent } = this.#parts;
    return closing.race<R>((resolve, reject) => {
      const stop = whenCurrent(() => {
        try {
          resolve(this.query(fn, { view: 'committed' }));
        } catch (error) {
          reject(error);
        }
      });
      const cancel = clock.after(timeoutMs, () => reject(this.#unread(timeoutMs)));
      return () => {
        stop();
        cancel();
      };
    }, options);
  }

  /**
   * A query that is kept current: `get()` gives the present result (the same reference while it is
   * structurally the same), `subscribe(fn)` calls back after it has changed, `close()` forgets it.
   * It runs again only when what it read has changed. Errors: `too-many-queries`.
   */
  live<R>(fn: (tx: ReadTx<A>) => R, options?: ViewOptions): LiveQuery<R> {
    return this.#parts.replica.live(fn, options);
  }

  /**
   * Another number whenever rows of either view are others: while it stands, what a query gave
   * still holds. For those who look now and then and do not want to keep a live query for it.
   */
  get revision(): number {
    return this.#parts.replica.revision;
  }

  /**
   * Updates without a final place, own and others', in stamp order. The same array while nothing
   * has changed.
   */
  pending(): readonly PendingUpdate[] {
    const of = this.#parts.replica.pending();
    if (this.#pending?.of !== of) {
      const list = of.map(({ receipt, ...update }) =>
        ({ ...update, receipt: receipt && this.#receiptOf(receipt) }));
      this.#pending = { of, list };
    }
    return this.#pending.list;
  }

  /**
   * Own updates that did not go as asked, oldest first, until acknowledged; durable. The same array
   * while unchanged.
   */
  get conflicts(): readonly Conflict[] {
    const of = this.#parts.replica.conflicts();
    if (this.#conflicts?.of !== of) {
      this.#conflicts = { of, list: of.map((record) => this.#conflictOf(record)) };
    }
    return this.#conflicts.list;
  }

  /**
   * The receipt of an own update by its id, also after a restart; undefined if it was settled long
   * ago.
   */
  receipt(id: UpdateId): Receipt | undefined {
    const held = this.#parts.replica.receipt(id);
    return held === undefined ? undefined : this.#receiptOf(held);
  }

  /**
   * Which updates without a final place a pending update was built on, as things stand: those whose
   * rows it read or wrote over, earliest first.
   */
  builtOn(id: UpdateId): readonly UpdateId[] {
    return this.#parts.replica.builtOn(id);
  }

  /**
   * Calls `fn` after `pending()`, `conflicts` or the committed state have changed. Returns the way
   * to stop it.
   */
  subscribe(fn: () => void): () => void {
    return this.#parts.replica.subscribe(fn);
  }

  /** What is held here, to be compared with what another replica holds. */
  summary(): Summary {
    return this.#parts.replica.summary();
  }

  /**
   * What this replica holds, as a file (UTF-8 text) for one that no network reaches. `base`: the
   * summary of the reader; without it the file suits every reader. Errors: `bundle-too-large`,
   * `part-unavailable`.
   */
  async exportBundle(options: { readonly base?: Summary } = {}): Promise<Uint8Array> {
    const { exportBundle } = await loadBundles();
    return exportBundle(this.#parts, options.base);
  }

  /**
   * Takes in what a bundle of this space holds and we lack; twice is harmless. It is taken whole or
   * not at all. Errors: `bad-bundle`, `bundle-gap`, `bundle-other-space`, `part-unavailable`,
   * `replica-closed`.
   */
  async importBundle(bytes: Uint8Array): Promise<BundleHeader> {
    const { importBundle } = await loadBundles();
    this.#parts.closing.check();
    return importBundle(this.#parts, bytes);
  }

  #mutate(name: string, args: Value): Receipt {
    this.#parts.closing.check();
    return this.#receiptOf(this.#parts.replica.mutate(name, args, this.#parts.clock.now()));
  }


  #unread(timeoutMs: number): OxbowError {
    const why = this.health.links.find(({ reason }) => reason !== undefined)?.reason;
    const cause = why === undefined ? '' : ` (${why})`;
    return new OxbowError(
      'read-unavailable',
      `No server has said within ${timeoutMs} ms how new a read of '${this.id}' must be${cause}. ` +
        'Go online, wait longer, or take what is here with query().',
    );
  }

  #receiptOf(held: HeldReceipt): Receipt {
    // reason: nobody else puts anything there. A WeakMap would be a burden to each write.
    return (held.shown ??= new Receipt(held, this.#ofReceipts)) as Receipt;
  }

  #conflictOf(record: ConflictRecord): Conflict {
    const { replica, closing, clock } = this.#parts;
    return new Conflict(record, {
      accept: (id) => replica.accept(id),
      dismiss: (id) => replica.dismiss(id),
      retry: (id, args) => {
        closing.check();
        return this.#receiptOf(replica.retry(id, args, clock.now()));
      },
    });
  }
}
