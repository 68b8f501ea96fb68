/**
 * Opens state stores whose files were edited and says what comes of it, a line each: the right
 * data, or a code. Run as a process of its own, for LMDB may end it with a signal.
 */
import { writeSync } from 'node:fs';
import { openLmdbStore } from '../lmdb-store.js';
import { apply, close, entry, load, opened, put, space } from '../../space/testing/store-calls.js';

/** What a reader would be shown, per space; JSON of everything. */
export async function describeStore(path: string, checkBytesMax: number): Promise<string> {
  const store = openLmdbStore({ path, applyDelayMs: 1, checkBytesMax });
  try {
    const { appliedSlot } = await opened(store);
    const content = await contentOf(store);
    // What LMDB does when it writes must not be led astray either.
    await apply(store, appliedSlot + 1, [{ space: space('new'), entries: [
      entry(1, { effects: [put('n', { text: 'y'.repeat(3_000) })] }),
    ] }]);
    if (await contentOf(store) !== content) return 'changed by a write';
    return `${appliedSlot} ${content}`;
  } catch (error) {
    return `code ${codeOf(error)}`;
  } finally {
    await close(store);
  }
}

export const SPACES = 40;
/** Ends a line that was written whole. */
export const END = ' .';

async function contentOf(store: ReturnType<typeof openLmdbStore>): Promise<string> {
  const content: unknown[] = [];
  for (let index = 0; index < SPACES; index++) {
    const stored = await load(store, space(`space-${index}`));
    if (stored === undefined) throw new Error(`space ${index} is taken for new`);
    content.push([stored.head, stored.rows, stored.ledger, stored.entries]);
  }
  return JSON.stringify(content);
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : `none: ${String(error)}`;
}

if (process.argv[2] === '--paths') {
  for (const path of process.argv.slice(3)) {
    writeSync(1, `${path}\t${await describeStore(path, 0)}${END}\n`);
  }
}
