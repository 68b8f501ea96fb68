/**
 * A page of the base whose rows nobody has asked for yet: as the text in which it lies on disk. A
 * start that made rows of all pages, or only told one row from the next, would take twice as long,
 * and most pages of an app show few of them. Where an index is looked at, its field is looked for
 * in the text.
 */
import { fieldText, isOutside, type Range } from '../model/index.js';
import type { Sleeper } from '../model/ordered-map.js';
import type { KeyText, PageRow, Row } from '../protocol/index.js';
import { ofLines } from '../protocol/record-codec.js';
import { decodeValue } from '../protocol/value.js';

export class KeptPage implements Sleeper<Row> {
  readonly from: KeyText;
  /** One for each row, in key order. */
  readonly #lines: string;
  /** Counts instead of what the lines say: later words (null: deleted), and rows that were made. */
  readonly #over: Map<KeyText, Row | null>;

  constructor(from: KeyText, lines: string, over?: ReadonlyMap<KeyText, Row | null>) {
    this.from = from;
    this.#lines = lines;
    this.#over = new Map(over);
  }

  pairs(): PageRow[] {
    // reason: the checksum of the page says that `pageRecord` wrote it.
    const rows = (JSON.parse(ofLines(this.#lines)) as Written[]).map(madeOf);
    if (this.#over.size === 0) return rows;
    return present([...rows, ...this.#over]).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  within(field: string, range: Range): PageRow[] | undefined {
    const start = plainStart(range);
    if (start === '') return undefined;
    const mark = `${JSON.stringify(field)}:"`;
    const lines = this.#lines;
    // Within JSON's texts each quote is escaped: what the row itself says there is always found.
    let at = -1;
    while ((at = lines.indexOf(mark + start, at + 1)) >= 0) {
      const value = lines.slice(at + mark.length, lines.indexOf('"', at + mark.length));
      if (!value.includes('\\') && isOutside(range, fieldText(value))) continue;
      const line = lines.slice(lines.lastIndexOf('\n', at) + 1, lines.indexOf('\n', at) >>> 0);
      // reason: as above.
      const [key, row] = madeOf(JSON.parse(line) as Written);
      if (!this.#over.has(key)) this.#over.set(key, row);
    }
    return present([...this.#over]);
  }
}

/** The last word on each key, where that is a row. */
const present = (pairs: readonly (readonly [KeyText, Row | null])[]): PageRow[] =>
  [...new Map(pairs)].filter((pair): pair is [KeyText, Row] => pair[1] !== null);

/**
 * How each text in the range begins, as far as JSON and keys (model/key.ts) have it as it is. Empty
 * where the range is not one of texts.
 */
function plainStart({ from, to = '' }: Range): string {
  let end = 0;
  while (end < to.length && from[end] === to[end] && PLAIN.test(from[end] ?? '')) end += 1;
  return from.slice(0, end);
}

const PLAIN = /[ !#-[\]-\uD7FE]/;

type Written = PageRow | readonly [KeyText, Row, meta: unknown];

const madeOf = (row: Written): PageRow =>
  // reason: what was encoded was a row.
  row.length === 2 ? row : [row[0], decodeValue(row[1], row[2], 'row') as Row];
