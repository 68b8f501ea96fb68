/**
 * One process per store file. A lock file with a process number goes stale at a crash, and numbers
 * are used again. LMDB keeps a table of its readers and asks the operating system which of them
 * still live (by file locks that die with their process): so the owner's number is a record in the
 * store, and it counts while its process is among the readers. Taking it is a write transaction, of
 * which there is one at a time.
 */
import type { RootDatabase } from 'lmdb';
import { OxbowError } from '../protocol/index.js';
import { keyBytes } from './key-bytes.js';

const OWNER_KEY = keyBytes(0, 'owner');

/**
 * Paths open in this process. On `globalThis`, as an app may load this module twice (bundled and
 * not).
 */
const HELD = Symbol.for('oxbow.openStoreFiles');

function heldPaths(): Set<string> {
  // reason: globalThis has no declared property for our symbol.
  const realm = globalThis as { [HELD]?: Set<string> };
  return (realm[HELD] ??= new Set());
}

/** Marks the path as open in this process. Throws `store-in-use`. */
export function takePath(path: string): void {
  if (heldPaths().has(path)) throw inUse(path, process.pid);
  heldPaths().add(path);
}

export function releasePath(path: string): void {
  heldPaths().delete(path);
}

/** Makes this process the owner. The caller holds the path. Throws `store-in-use`. */
export function takeOwnership(path: string, database: RootDatabase<string, Buffer>): void {
  // A read puts this process in the table of readers, where it stays until the database is closed.
  database.get(OWNER_KEY);
  const owner = database.transactionSync(() => {
    const recorded = Number(database.get(OWNER_KEY) ?? 0);
    // Our own number without our path: left by a process that had it before us (always 1 in a
    // container).
    if (recorded !== process.pid && liveReaders(database).has(recorded)) return recorded;
    void database.put(OWNER_KEY, String(process.pid));
    return process.pid;
  });
  if (owner !== process.pid) throw inUse(path, owner);
}

function liveReaders(database: RootDatabase<string, Buffer>): ReadonlySet<number> {
  database.readerCheck();
  // Lines of `pid thread txnid` below a head line.
  const lines = database.readerList().split('\n');
  return new Set(lines.map((line) => Number.parseInt(line.trim(), 10)));
}

const inUse = (path: string, pid: number): OxbowError =>
  new OxbowError(
    'store-in-use',
    `Cannot open the store file '${path}' as process ${pid} has it open. ` +
      'Stop that process, close its replica, or use another path.',
  );
