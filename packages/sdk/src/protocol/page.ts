/**
 * Cuts a base, rows in key order, into pages. Where a page ends depends on the rows near the cut
 * only, not on what stands before: a row that is inserted or grows changes the page that it lies
 * in, and all others keep their hash, so that a receiver with an older base need not be sent them
 * again. With cuts by count each insertion would shift every page behind it. Muthitacharoen et al.,
 * *LBFS* (SOSP'01) §3.1.
 */
import * as limits from './limits.js';
import { ledgerRow } from './ledger-line.js';
import { LEDGER_TABLE, type PageRow } from './message.js';
import type { SnapshotPage } from './holder.js';
import { encodeRow, rememberRowLines } from './record-codec.js';
import type { LedgerLine } from './update.js';

export interface PageBounds {
  readonly pageCharsMin: number;
  readonly pageCharsTarget: number;
  readonly pageCharsMax: number;
  readonly rowsPerPageMax: number;
}

export const PAGE_BOUNDS: PageBounds = {
  pageCharsMin: limits.pageCharsMin,
  pageCharsTarget: limits.pageCharsTarget,
  pageCharsMax: limits.pageCharsMax,
  rowsPerPageMax: limits.rowsPerPageMax,
};

/**
 * Pages of one table, lazily. `rows` in key order. The text of each page is made on the way and
 * remembered.
 */
export function* cutPages(
  table: string, rows: Iterable<PageRow>, bounds: PageBounds = PAGE_BOUNDS,
): Generator<SnapshotPage, void, undefined> {
  let page: PageRow[] = [];
  let texts: string[] = [];
  let chars = 0;
  for (const row of rows) {
    const text = encodeRow(row);
    const isFull = page.length >= bounds.rowsPerPageMax ||
      chars + text.length > bounds.pageCharsMax;
    if (page.length > 0 && (isFull || endsBefore(row[0], chars, text.length, bounds))) {
      yield sealed(table, page, texts);
      page = [];
      texts = [];
      chars = 0;
    }
    page.push(row);
    texts.push(text);
    chars += text.length + 1;
  }
  if (page.length > 0) yield sealed(table, page, texts);
}

/**
 * The ledger as pages of its reserved table, so that no message grows with the number of replicas.
 */
export function* ledgerPages(lines: readonly LedgerLine[]): Generator<SnapshotPage> {
  const sorted = [...lines].sort((a, b) => (a.replica < b.replica ? -1 : 1));
  yield* cutPages(LEDGER_TABLE, sorted.map(ledgerRow));
}

/**
 * Beyond the minimum each char has the same small chance to be where the page ends, drawn by the
 * key of its row: big rows cut more often than small ones, and pages come out near the target
 * whatever the rows' size.
 */
function endsBefore(
  key: string, chars: number, rowChars: number, bounds: PageBounds,
): boolean {
  if (chars < bounds.pageCharsMin) return false;
  const spread = bounds.pageCharsTarget - bounds.pageCharsMin;
  return hash32(key) < (rowChars / spread) * 0x1_0000_0000;
}

function sealed(table: string, rows: readonly PageRow[], texts: readonly string[]): SnapshotPage {
  rememberRowLines(rows, texts.join('\n'));
  return { table, hash: pageHash(table, `[${texts.join(',')}]`), rows };
}

/** Names a page by its contents: 16 hex digits. Tells accidents apart, not attacks. */
export function pageHash(table: string, rowsText: string): string {
  return checksum(rowsText, hash32(table));
}

/** 16 hex digits of two independent 32-bit mixes over the code units. */
export function checksum(text: string, seed = 0): string {
  let a = 0x9e3779b9 ^ seed;
  let b = 0x85ebca6b ^ Math.imul(seed, 0x27d4eb2f);
  const even = text.length & ~1;
  for (let i = 0; i < even; i += 2) {
    const pair = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16);
    a = Math.imul(((a << 15) | (a >>> 17)) ^ pair, 0x01000193);
    b = Math.imul((b << 13) | (b >>> 19), 0x2c1b3c6d) ^ pair;
  }
  if (even < text.length) {
    a = Math.imul(a ^ text.charCodeAt(even), 0x01000193);
    b = Math.imul(b, 0x2c1b3c6d) ^ text.charCodeAt(even);
  }
  return hex(finish(a ^ text.length)) + hex(finish(b + text.length));
}

function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return finish(hash);
}

/** Murmur3's last step: every bit of the input reaches every bit of the output. */
function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');
