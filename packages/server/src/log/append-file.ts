/**
 * What a log needs of a disk: named segment files, writes at an offset, a barrier. Callbacks come
 * later, never in the same turn. A failed `sync` is final: the page cache can no longer be
 * trusted, so the log stops (fsync is never retried).
 */

export interface SegmentFile {
  readonly name: string;
  /**
   * Hands bytes to the operating system; durable only after a later `sync` has called back. The
   * bytes are the caller's again.
   */
  write(offset: number, bytes: Uint8Array): void;
  /** Everything written before the call is on disk when `done` comes without an error. */
  sync(done: (error?: Error) => void): void;
  close(): void;
}

export interface SegmentDirectory {
  /** Segment names in ascending order with their contents' sizes in bytes. */
  list(done: (names: readonly string[], error?: Error) => void): void;
  read(name: string, done: (bytes: Uint8Array, error?: Error) => void): void;
  /**
   * Creates (durably, directory entry included) or opens for writing, contents kept. At least
   * `sizeBytes` long afterwards, what is new filled with zeros.
   */
  open(
    name: string,
    sizeBytes: number,
    done: (file: SegmentFile | undefined, error?: Error) => void,
  ): void;
  /** Durable when done; a file that has the new name already is replaced. */
  rename(name: string, newName: string, done: (error?: Error) => void): void;
  /** Durable when done. */
  remove(name: string, done: (error?: Error) => void): void;
}
