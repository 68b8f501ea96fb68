/**
 * The whole applied state as a stream of chunks: for members that lag behind the kept log, for
 * backup and restore. A chunk is a run of records in key order, opaque to whoever carries it; the
 * cursor in it makes a transfer resumable. Its laws are in `testing/state-transfer-laws.ts`.
 */

export interface StateHead {
  /** The slot that the exported state stands at, whatever is applied meanwhile. */
  readonly slot: number;
  /** The history that it belongs to. */
  readonly cluster: string;
  /** About how much will come; for progress only. */
  readonly bytes: number;
}

export interface ImportHead {
  readonly slot: number;
  readonly cluster: string;
  /**
   * The log's words about the slot (`paxos/record.ts` `Base`, as text), kept with the state.
   * Undefined: it has none.
   */
  readonly base: string | undefined;
  /** False for a restored backup: whoever opens it founds a cluster. Default: true. */
  readonly isBound?: boolean;
}

export interface StateChunk {
  readonly bytes: Uint8Array;
  /** Pass it to `read` for what follows; undefined: this was the last one. */
  readonly next: Uint8Array | undefined;
}

/** A frozen picture of the state, held open until closed. */
export interface StateExport {
  readonly head: StateHead;
  /**
   * Records after `cursor` (undefined: from the start), at most about `bytesMax`. Errors:
   * `store-damaged`.
   */
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
  /**
   * Chunks in order, the next one after `done`. Errors: `bad-snapshot` when the chunk is not sound.
   */
  write(bytes: Uint8Array, done: (error?: Error) => void): void;
  /**
   * Reads back what was written, checks the digest, then replaces the present state at once and for
   * good. Errors: `bad-snapshot`, `snapshot-outdated` (the present state has moved on); the present
   * state is as it was.
   */
  finish(digest: string, done: (error?: Error) => void): void;
  abort(done: () => void): void;
}
