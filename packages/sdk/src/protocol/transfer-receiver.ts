/**
 * The receiving half of a full transfer: collects pages in order until the base is complete. What
 * was skipped, as we said that we have it, is looked up by its hash; where it turns out that we
 * cannot read it after all, nothing of the holder's base is promised again.
 */
import type { HolderSink, ReceivedBase, SnapshotPage } from './holder.js';
import * as limits from './limits.js';
import {
  LEDGER_TABLE, type Page, type PageRow, type Transfer, type Transferred,
} from './message.js';
import type { PageStaging } from './page-staging.js';
import { pageHash } from './page.js';
import { encodeRows, readLedgerLine } from './record-codec.js';
import type { LedgerLine } from './update.js';

export type PageReception = 'ok' | 'gap' | 'too-large' | 'damaged';

export class TransferReceiver {
  readonly head: Transfer;
  readonly #staging: PageStaging;
  readonly #pages: SnapshotPage[] = [];
  readonly #ledger: LedgerLine[] = [];
  #nextIndex = 0;
  #rows = 0;

  constructor(head: Transfer, staging: PageStaging) {
    this.head = head;
    this.#staging = staging;
  }

  get isUntouched(): boolean {
    return this.#nextIndex === 0;
  }

  /** Rows of the app's tables that are here by now. */
  get rows(): number {
    return this.#rows;
  }

  /** Throws `BadField` for a malformed line of the ledger. */
  onPage(page: Page, chars: number, sink: HolderSink): PageReception {
    if (page.csn !== this.head.csn || page.index < this.#nextIndex) return 'ok';
    if (page.index > this.#nextIndex) return 'gap';
    const rows = page.rows ?? this.#staging.rows(page.hash) ?? sink.pageByHash(page.hash);
    if (rows === undefined) {
      this.#staging.distrustHolder();
      return 'gap';
    }
    if (page.rows !== undefined) {
      // Later transfers skip what is staged by its hash: it has to be what the hash says.
      if (pageHash(page.table, encodeRows(page.rows)) !== page.hash) return 'damaged';
      if (!this.#staging.put(page.hash, rows, chars)) return 'too-large';
    }
    this.#nextIndex += 1;
    if (page.table === LEDGER_TABLE) this.#ledger.push(...rows.map(ledgerLine));
    else {
      this.#rows += rows.length;
      this.#pages.push({ table: page.table, hash: page.hash, rows });
    }
    return 'ok';
  }

  /** The whole, or undefined when something of it is missing. */
  complete(end: Transferred): ReceivedBase | undefined {
    if (end.csn !== this.head.csn || end.pages !== this.#nextIndex) return undefined;
    const { history, csn, at, lamport } = this.head;
    return { history, csn, at, lamport, ledger: this.#ledger, pages: this.#pages };
  }
}

/** Hashes of all pages that need not travel. */
export function heldPages(staging: PageStaging, sink: HolderSink): string[] {
  const hashes = new Set(staging.hashes());
  if (staging.isHolderTrusted) for (const hash of sink.havePages()) hashes.add(hash);
  return [...hashes].slice(0, limits.pagesPerTransferMax);
}

const ledgerLine = ([replica, row]: PageRow): LedgerLine => readLedgerLine({ ...row, replica });
