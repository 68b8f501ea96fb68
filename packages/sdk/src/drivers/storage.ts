/**
 * What a replica needs of a disk: four ordered collections of text, and atomic batches. Drivers are
 * dull: they decide nothing about layout (replica/layout.ts does). They answer through callbacks,
 * never in the same turn, so that one loop, real or simulated, decides the order.
 * `testing/storage-laws.ts` is the suite that each driver passes.
 */
import type { OxbowError } from '../protocol/index.js';

export const COLLECTIONS = ['meta', 'updates', 'entries', 'pages'] as const;
export type Collection = (typeof COLLECTIONS)[number];

/**
 * Keys are any code units, at most `limits.storeKeyUnitsMax`; values are well-formed text (no lone
 * surrogates), as JSON text is.
 */
export type StoreOp =
  | {
      readonly kind: 'put';
      readonly collection: Collection;
      readonly key: string;
      readonly value: string;
    }
  | { readonly kind: 'delete'; readonly collection: Collection; readonly key: string };

/** Half-open range of keys by code unit: from ≤ key < to. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

export type Done<T> = (
  result:
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: OxbowError },
) => void;

/** Whether the browser may throw the store away, and how full it is. Absent: not known here. */
export interface StoreCondition {
  /** False: under storage pressure, or after a week unused in Safari, everything may be gone. */
  readonly persisted?: boolean;
  readonly usageBytes?: number;
  readonly quotaBytes?: number;
}

export interface Store {
  /** `indexeddb`, `memory`, `file`: shown in `health.storage`. */
  readonly kind: string;
  /**
   * This opening had to create the database. A replica that is known elsewhere was evicted here.
   */
  readonly fresh: boolean;
  /** Records of `pages` come as they were written, or with an empty value: they are checked. */
  readonly checksPages?: boolean | undefined;
  /**
   * Pairs in key order. Sees every write that was asked for before it. A record that is there and
   * cannot be read comes with an empty value: what it meant is for the layout to say. Errors:
   * `store-closed`, `store-lost`, `store-failed`, `store-newer`, `store-busy`.
   */
  read(
    collection: Collection,
    range: KeyRange,
    done: Done<readonly (readonly [key: string, value: string])[]>,
  ): void;
  /**
   * All or nothing, in the order asked for. `done` with ok only when the transaction has completed:
   * that is what `saved` means. `unless`: where `meta` has that key, nothing of it happens
   * (`store-key-taken`); only stores that can be shared look at it. Errors: as `read`, and
   * `store-full`, `store-key-too-long`.
   */
  write(ops: readonly StoreOp[], done: Done<void>, unless?: string): void;
  /** Finishes what was asked for before it, then refuses all with `store-closed`. */
  close(done: Done<void>): void;
  /**
   * Set by the owner. Called once, when the store cannot be used again unless it is renewed; why is
   * in the error.
   */
  onLost?: ((error: OxbowError) => void) | undefined;
  condition?(done: Done<StoreCondition>): void;
  /** Asks the browser not to evict the store. Answers with the condition that this leads to. */
  readonly keep?: ((done: Done<StoreCondition>) => void) | undefined;
  /** `keep` is to be called unasked, as soon as there is something to lose. */
  readonly asksToBeKept?: boolean;
  /** After `store-lost`: begins anew in its place, empty. Errors: as opening. */
  readonly renew?: ((done: Done<void>) => void) | undefined;
  /**
   * Set where there was a store of this name before and its contents are gone (evicted, deleted):
   * the spaces in which it held what nobody else had. Known only where something outlives the
   * store; it is said once, at the opening or the renewal that found it.
   */
  readonly vanished?: readonly string[] | undefined;
  /** Whether the store holds something of the space that nobody else has: see `vanished`. */
  noteUnsynced?(space: string, hasUnsynced: boolean): void;
}

export interface Storage {
  /** Errors: `store-in-use`, `store-newer`, `store-unavailable`. */
  open(done: Done<Store>): void;
  /** What the tabs of a browser profile know this store by. Absent: it cannot be shared. */
  readonly sharedName?: string;
  /**
   * As `open`, but beside others that share it, too; who may write is their business
   * (fenced-store.ts). Errors: `store-in-use` where somebody has it for himself.
   */
  share?(done: Done<Store>): void;
  /** Deletes everything, for good. Errors: `store-in-use`, `store-unavailable`. */
  destroy?(done: Done<void>): void;
}
