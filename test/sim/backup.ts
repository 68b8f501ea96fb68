/** Backup and restore of a simulated server, by the same steps as the command line's. */
import type { SpaceId } from '@oxbow/sdk/protocol';
import type { StateStore } from '../../packages/server/src/space/state-store.js';
import type { StateExport, StateImport } from '../../packages/server/src/space/state-transfer.js';

export interface SimBackup {
  readonly slot: number;
  readonly chunks: readonly Uint8Array[];
  readonly digest: string;
}

/** A data directory that was filled from a backup. */
export interface RestoredData {
  /** The history that the server had so far. */
  readonly from: string;
  /** By space: how many commits it holds. */
  readonly csns: ReadonlyMap<string, number>;
  /** The server goes on with it. */
  use(): void;
}

const CHUNK_BYTES = 4 * 1024;

/** Of a store that a server uses; one that dies meanwhile tells nothing. */
export function takeBackup(store: StateStore, done: (backup: SimBackup) => void): void {
  store.exportState((picture, error) => {
    const from = given(picture, error);
    const { slot } = from.head;
    readAll(from, (chunks) => from.digest((hex, failure) => {
      from.close();
      done({ slot, chunks, digest: given(hex, failure) });
    }));
  });
}

function readAll(picture: StateExport, done: (chunks: Uint8Array[]) => void): void {
  const chunks: Uint8Array[] = [];
  const read = (cursor: Uint8Array | undefined): void => {
    picture.read(cursor, CHUNK_BYTES, (chunk, error) => {
      const { bytes, next } = given(chunk, error);
      chunks.push(bytes);
      if (next === undefined) done(chunks);
      else read(next);
    });
  };
  read(undefined);
}

interface RestorePlan {
  readonly backup: SimBackup;
  readonly cluster: string;
}

/** Tells how many commits each of the spaces has in it. */
export function restoreInto(
  store: StateStore, { backup, cluster }: RestorePlan, spaces: readonly string[],
  done: (csns: Map<string, number>) => void,
): void {
  const head = { slot: Math.max(1, backup.slot), cluster, base: undefined, isBound: false };
  store.importState(head, (taking, error) => {
    writeAll(given(taking, error), backup, () => csnsIn(store, spaces, done));
  });
}

function writeAll(taking: StateImport, { chunks, digest }: SimBackup, done: () => void): void {
  const write = (i: number): void => {
    const bytes = chunks[i];
    if (bytes === undefined) {
      taking.finish(digest, (error) => {
        if (error !== undefined) throw error;
        done();
      });
      return;
    }
    taking.write(bytes, (error) => {
      if (error !== undefined) throw error;
      write(i + 1);
    });
  };
  write(0);
}

function csnsIn(
  store: StateStore, spaces: readonly string[], done: (csns: Map<string, number>) => void,
): void {
  const csns = new Map<string, number>();
  for (const space of spaces) {
    // reason: the simulation's spaces have names that are ones.
    store.load(space as SpaceId, (stored, error) => {
      if (error !== undefined) throw error;
      csns.set(space, stored?.head.csn ?? 0);
      if (csns.size === spaces.length) done(csns);
    });
  }
}

function given<T>(value: T | undefined, error: Error | undefined): T {
  if (value === undefined) throw error ?? new Error('neither a value nor an error');
  return value;
}
