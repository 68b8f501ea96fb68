/**
 * What is proposed to a log: the entries of one or more spaces as text, a line for each. JSON text
 * has no line breaks, so who only wants to keep the entries finds their ends without reading them.
 *
 *     ["team-42",2]
 *     {"csn":7,…}
 *     {"csn":8,…}
 *
 * Logs that were written before hold one JSON list instead; it is read all the same.
 */
import { BadField, fieldsOf, integer, list, spaceId } from './check.js';
import { entryOfText } from './entry-text.js';
import { OxbowError } from './error.js';
import type { SpaceId } from './ids.js';
import * as limits from './limits.js';
import { decodeEntry, encodeEntry, parsed, readEntry } from './record-codec.js';
import type { CommitEntry } from './update.js';

/** Entries of one space, in csn order. */
export interface EntryBatch {
  readonly space: SpaceId;
  readonly entries: readonly CommitEntry[];
}

type ReadEntry = (text: string) => CommitEntry;

export function encodeBatch(batches: readonly EntryBatch[]): string {
  let text = '';
  for (const { space, entries } of batches) {
    text += `[${JSON.stringify(space)},${entries.length}]\n`;
    for (const entry of entries) text += `${encodeEntry(entry)}\n`;
  }
  return text;
}

/**
 * Every field checked. Errors: `bad-message`, `message-too-large`. A batch is bounded by its log's
 * record size, not here.
 */
export const decodeBatch = (text: string): EntryBatch[] => batchesOf(text, decodeEntry);

/**
 * For text that one of us has written, out of a log that proves it unharmed: entries are decoded
 * when somebody looks into them. Errors: as above, as far as the text is read.
 */
export const readBatch = (text: string): EntryBatch[] => batchesOf(text, entryOfText);

function batchesOf(text: string, readOne: ReadEntry): EntryBatch[] {
  if (text.startsWith('[{') || text === '[]') return listOf(text);
  const batches: EntryBatch[] = [];
  for (let at = 0; at < text.length; ) {
    if (batches.length >= limits.spacesPerBatchMax) throw bad('it names too many spaces');
    const head = lineAt(text, at);
    at += head.length + 1;
    const { space, count } = parsed(head, 'batch', limits.envelopeChars, readHead);
    const entries: CommitEntry[] = [];
    for (let i = 0; i < count; i++) {
      const line = lineAt(text, at);
      at += line.length + 1;
      entries.push(readOne(line));
    }
    batches.push({ space, entries });
  }
  return batches;
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  if (end < 0) throw bad('a line is missing');
  return text.slice(at, end);
}

function readHead(value: unknown): { space: SpaceId; count: number } {
  if (!Array.isArray(value) || value.length !== 2) throw new BadField('', 'is not a head');
  return { space: spaceId(value[0], 'space'), count: integer(value[1], 'entries') };
}

const listOf = (text: string): EntryBatch[] =>
  parsed(text, 'batch', Infinity, (value) => list(value, '', limits.spacesPerBatchMax, readOld));

function readOld(value: unknown): EntryBatch {
  const fields = fieldsOf(value, '');
  return {
    space: spaceId(fields.space, 'space'),
    entries: list(fields.entries, 'entries', Infinity, readEntry),
  };
}

const bad = (why: string): OxbowError =>
  new OxbowError('bad-message', `Cannot read batch: ${why}. Its log was written by another program.`);
