/**
 * A TanStack DB collection over a live query of a space. Both sides are optimistic: TanStack shows
 * what was asked until its handler has ended, our tentative view shows what came of it at once. So
 * the handler runs the named mutation, gives the collection the new view while TanStack still
 * holds its own guess, and ends: TanStack drops the guess and shows the view in one step, without
 * a moment that has neither or both. It must not wait for the server there: while a handler runs,
 * TanStack holds back whatever else comes in.
 */
import type { CollectionConfig } from '@tanstack/db';
import type { AppDefinition, ReadTx } from '../model/index.js';
import { OxbowError } from '../protocol/index.js';
import type { Receipt } from '../host/receipt.js';
import type { Mutate, Space } from '../host/space.js';
import type { View } from '../replica/live.js';
import type { Stage } from '../replica/receipt.js';
import { ShownRows } from './shown-rows.js';

/** What a change of a row was made of: the receipts of the mutations that were called for it. */
export type Called = Receipt | readonly Receipt[];

export interface SpaceCollectionOptions<
  A extends AppDefinition, R extends object, K extends string | number,
> {
  readonly space: Space<A>;
  /** A whole table: `(tx) => tx.booking.all()`. */
  readonly query: (tx: ReadTx<A>) => readonly R[];
  readonly getKey: (row: R) => K;
  /** Default: TanStack makes one. */
  readonly id?: string;
  /** Default: `tentative`. */
  readonly view?: View;
  /**
   * The mutations that mean what is done to the collection; what has none is refused by TanStack.
   * A mutation must write the row under the key that the collection was given.
   */
  readonly insert?: (mutate: Mutate<A>, row: R) => Called;
  readonly update?: (mutate: Mutate<A>, row: R, changes: Partial<R>, before: R) => Called;
  readonly delete?: (mutate: Mutate<A>, row: R) => Called;
  /**
   * How far an update must have come for TanStack's `isPersisted` to resolve. Default: `local`.
   * With `shared` or `committed` the collection stands still while it waits, offline for ever.
   */
  readonly until?: Stage;
}

/** At `collection.utils`. */
export type SpaceUtils = {
  /**
   * Takes over what the space shows now. For a `mutationFn` of yours, after its last mutation;
   * everything else is taken over by itself.
   */
  readonly takeOver: () => void;
};

export type SpaceCollectionConfig<R extends object, K extends string | number> =
  CollectionConfig<R, K, never, SpaceUtils> & { readonly utils: SpaceUtils; schema?: never };

const receipts = new WeakMap<object, readonly Receipt[]>();

/** Of what the handlers called for this transaction: stages and outcomes, now and later. */
export const receiptsOf = (transaction: object): readonly Receipt[] =>
  receipts.get(transaction) ?? [];

/**
 * Options for `createCollection`. A mutation that is refused at once makes `isPersisted` reject
 * with `update-rejected` (its cause is the outcome) and the guess is taken back; one that the
 * server refuses later leaves the collection with the tentative view, and is in `space.conflicts`.
 *
 * @example
 * const bookings = createCollection(spaceCollection({
 *   space: team,
 *   query: (tx) => tx.booking.all(),
 *   getKey: (row) => row.id,
 *   insert: (mutate, row) => mutate.book({ ...row, orElse: [] }),
 * }));
 * bookings.insert({ id: 'b1', room: 'blue', hour: 9, title: 'Planning' });
 */
export function spaceCollection<
  A extends AppDefinition, R extends object, K extends string | number,
>(options: SpaceCollectionOptions<A, R, K>): SpaceCollectionConfig<R, K> {
  const { id, getKey, insert, update, delete: remove } = options;
  const shown = new ShownSpace(options);
  return {
    ...(id === undefined ? {} : { id }),
    getKey,
    sync: { sync: (to) => shown.showIn(to), rowUpdateMode: 'full' },
    ...(insert && {
      onInsert: ({ transaction }) =>
        shown.write(transaction, (mutate, { modified }) => insert(mutate, modified)),
    }),
    ...(update && {
      onUpdate: ({ transaction }) =>
        shown.write(transaction, (mutate, { modified, changes, original }) =>
          update(mutate, modified, changes, original)),
    }),
    ...(remove && {
      onDelete: ({ transaction }) =>
        shown.write(transaction, (mutate, { original }) => remove(mutate, original)),
    }),
    utils: { takeOver: () => shown.takeOver() },
  };
}

type SyncRun<R extends object, K extends string | number> =
  Parameters<SpaceCollectionConfig<R, K>['sync']['sync']>[0];

/** One collection's end of the space. */
class ShownSpace<A extends AppDefinition, R extends object, K extends string | number> {
  readonly #options: SpaceCollectionOptions<A, R, K>;
  /** While TanStack wants the collection filled. */
  #takeOver: (() => void) | undefined;

  constructor(options: SpaceCollectionOptions<A, R, K>) {
    this.#options = options;
  }

  takeOver(): void {
    this.#takeOver?.();
  }

  /** Fills the collection and keeps it so. Returns the way to stop. */
  showIn({ begin, write, commit, markReady }: SyncRun<R, K>): () => void {
    const { space, query, view, getKey } = this.#options;
    const rows = new ShownRows(getKey);
    const live = space.live(query, { view });
    const takeOver = (): void => {
      const changes = rows.show(live.get());
      if (changes.length === 0) return;
      begin();
      for (const change of changes) write(change);
      commit();
    };
    try {
      takeOver();
    } catch (error) {
      live.close();
      throw error;
    }
    const stop = live.subscribe(takeOver);
    this.#takeOver = takeOver;
    markReady();
    return () => {
      this.#takeOver = undefined;
      stop();
      live.close();
    };
  }

  /** Calls the mutations, hands over what they did, and tells what became of them. */
  async write<M>(
    transaction: { readonly mutations: readonly M[] },
    call: (mutate: Mutate<A>, change: M) => Called,
  ): Promise<void> {
    const { space, until = 'local' } = this.#options;
    const called: Receipt[] = [];
    receipts.set(transaction, called);
    try {
      for (const change of transaction.mutations) {
        called.push(...asList(call(space.mutate, change)));
      }
    } finally {
      this.takeOver();
    }
    if (until !== 'local') await Promise.all(called.map((receipt) => receipt.until(until)));
    for (const receipt of called) mustStand(receipt);
  }
}

const asList = (called: Called): readonly Receipt[] => ('until' in called ? [called] : called);

function mustStand({ name, outcome }: Receipt): void {
  if (outcome.kind !== 'rejected') return;
  throw new OxbowError(
    'update-rejected', `'${name}' was refused: ${outcome.code}.`, { cause: outcome },
  );
}
