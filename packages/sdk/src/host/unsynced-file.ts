/**
 * The file of the last resort: a bundle per space with all that has no final place, one JSON text a
 * line. Each bundle proves itself whole; the first line says how many there are, and whose they
 * are.
 */
import { isSpaceId, OxbowError, type SpaceId } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';

const FILE_VERSION = 1;

export interface UnsyncedSpace {
  readonly space: SpaceId;
  /** In which the updates' authors counted commits; empty: none was known. */
  readonly history: string;
  /** How many there are. */
  readonly updates: number;
  readonly bundle: string;
}

export interface UnsyncedFile {
  readonly app: string;
  /** Whose updates these are, as far as the replica knew. */
  readonly user: string | null;
  readonly spaces: readonly UnsyncedSpace[];
}

export function encodeUnsynced({ app, user, spaces }: UnsyncedFile): Uint8Array {
  const head = { oxbow: 'unsynced', version: FILE_VERSION, app, user, spaces: spaces.length };
  const lines = [head, ...spaces].map((line) => JSON.stringify(line));
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** Errors: `bad-bundle`. */
export function decodeUnsynced(bytes: Uint8Array): UnsyncedFile {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const [first, ...rest] = text.trimEnd().split('\n', limits.spacesOpenMax + 1).map(fieldsOf);
    const spaces = rest.map(spaceOf);
    if (first?.oxbow !== 'unsynced' || first.version !== FILE_VERSION) throw new Error('no such file');
    if (first.spaces !== spaces.length) throw new Error('spaces are missing');
    const { app, user } = first;
    if (typeof app !== 'string' || (user !== null && typeof user !== 'string')) throw new Error('no head');
    return { app, user, spaces };
  } catch (cause) {
    throw new OxbowError('bad-bundle', 'This is no file of unsynced updates, or it is damaged. Export it again.', { cause });
  }
}

function spaceOf({ space, history, updates, bundle }: Record<string, unknown>): UnsyncedSpace {
  if (typeof space !== 'string' || !isSpaceId(space)) throw new Error('a line names no space');
  if (typeof history !== 'string' || typeof bundle !== 'string') throw new Error('a line has no bundle');
  if (typeof updates !== 'number') throw new Error('a line has no count');
  return { space, history, updates, bundle };
}

function fieldsOf(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null) throw new Error('a line is no object');
  // reason: every field of an object out of JSON.parse is still unknown.
  return value as Record<string, unknown>;
}
