/**
 * A row that nobody has asked for yet, as the text in which it lies on disk. To make the rows of a
 * large table takes as long as all the rest of a start, and most pages show few of them: so a table
 * keeps texts, and makes a row when somebody reads it. Looking for an index range it even reads the
 * indexed field out of the texts, where that is safe.
 */
import type { KeyText, Row } from '../protocol/index.js';

/** `[key,row]`, of our own writing, where the row is plain JSON. */
export type RowText = string;
export type KeptRow = Row | RowText;
export type KeptPair = readonly [key: KeyText, row: KeptRow];

/** As it is: to look at each value, as at a stranger's, would nearly double the time. */
export const rowOf = (kept: KeptRow): Row =>
  // reason: what was encoded was a row.
  typeof kept === 'string' ? (JSON.parse(kept) as readonly [KeyText, Row])[1] : kept;

/** The key in it, as a string of its own: a piece of the text would keep all of the page alive. */
export function keyIn(text: RowText): KeyText {
  const quoted = text.slice(1, text.indexOf('"', 2) + 1);
  // reason: a text in quotes, or the first of the two.
  if (!quoted.includes('\\')) return JSON.parse(quoted) as KeyText;
  // reason: as above.
  return (JSON.parse(text) as readonly [KeyText])[0];
}

/** How a field begins that is a text. */
export const markOf = (field: string): string => `${JSON.stringify(field)}:"`;

/**
 * The value of such a field on the row's own level, without making the row; undefined where it
 * takes that to tell. Within JSON's texts each quote is escaped, so a name in bare quotes and a
 * colon is a field; and before any second brace it is one of the row itself.
 */
export function textField(text: RowText, mark: string): string | undefined {
  const at = text.indexOf(mark);
  const brace = text.indexOf('{');
  if (at < brace || text[at - 1] === '\\') return undefined;
  const inner = text.indexOf('{', brace + 1);
  if (inner >= 0 && inner < at) return undefined;
  const from = at + mark.length;
  const value = text.slice(from, text.indexOf('"', from));
  return value.includes('\\') ? undefined : value;
}
