/**
 * What a replica needs of a disk: four ordered collections of text, and atomic batches. Drivers are dull:
 * they decide nothing about layout (replica/layout.ts does). They answer through callbacks, never in
 * the same turn, so that one loop, real or simulated, decides the order. `testing/storage-laws.ts` is the
 * suite that each driver passes.
 */
import type { OxbowError } from '../protocol/index.js';

export const COLLECTIONS = ['meta', 'updates', 'entries', 'pages'] as const;
export type Collection = (typeof COLLECTIONS)[number];

export type StoreOp =
  | { readonly kind: 'put'; readonly collection: Collection; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly collection: Collection; readonly key: string };

/** Half-open range of keys by code unit: from ≤ key < to. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

export type Done<T> = (result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: OxbowError }) => void;

export interface Store {
  /** `indexeddb`, `memory`, `file`: shown in `health.storage`. */
  readonly kind: string;
  read(collection: Collection, range: KeyRange, done: Done<readonly (readonly [key: string, value: string])[]>): void;
  /** All or nothing. `done` with ok only when the transaction has completed: that is what `saved` means. */
  write(ops: readonly StoreOp[], done: Done<void>): void;
  close(done: Done<void>): void;
}

export interface Storage {
  /** Errors: `store-in-use`, `store-newer`, `store-unavailable`. */
  open(done: Done<Store>): void;
}
