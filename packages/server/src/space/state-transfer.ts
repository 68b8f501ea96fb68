/**
 * The whole applied state as a stream of chunks: for members that lag behind the kept log, for backup and
 * restore. A chunk is a run of records in key order, opaque to whoever carries it; the cursor in it
 * makes a transfer resumable. Its laws are in `testing/state-store-laws.ts`.
 */

export interface StateHead {
  /** The slot that the exported state stands at, whatever is applied meanwhile. */
  readonly slot: number;
  /** The history that it belongs to. */
  readonly cluster: string;
  /** About how much will come; for progress only. */
  readonly bytes: number;
}

export interface StateChunk {
  readonly bytes: Uint8Array;
  /** Pass it to `read` for what follows; undefined: this was the last one. */
  readonly next: Uint8Array | undefined;
}

/** A frozen picture of the state, held open until closed. */
export interface StateExport {
  readonly head: StateHead;
  /** Records after `cursor` (undefined: from the start), at most about `bytesMax`. */
  read(
    cursor: Uint8Array | undefined,
    bytesMax: number,
    done: (chunk: StateChunk | undefined, error?: Error) => void,
  ): void;
  /** SHA-256 over all records in key order, hex: equal states at equal slots have equal digests. */
  digest(done: (hex: string | undefined, error?: Error) => void): void;
  close(): void;
}

/** A state being taken in beside the present one, which stays untouched until `finish`. */
export interface StateImport {
  /** Chunks in order. Errors come back: `bad-snapshot` when the chunk is not sound. */
  write(bytes: Uint8Array, done: (error?: Error) => void): void;
  /** Checks the digest, then replaces the present state at once and for good (rename, folder synced). */
  finish(digest: string, done: (error?: Error) => void): void;
  abort(done: () => void): void;
}
