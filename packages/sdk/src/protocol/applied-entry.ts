/** What a state keeps of a commit entry, in the texts that it is kept in. */
import type { KeyText, LedgerLine } from './update.js';

/** An entry as far as a state is concerned. */
export interface AppliedEntry {
  readonly csn: number;
  readonly at: number;
  readonly lamport: number;
  /** As the ledger stands after it. */
  readonly ledgerLine: LedgerLine;
  readonly rows: readonly AppliedRow[];
  /** As `encodeEntry` makes it. */
  readonly text: string;
}

export interface AppliedRow {
  readonly table: string;
  readonly key: KeyText;
  /** As `encodeRow` makes it; null: the row is gone. */
  readonly text: string | null;
}
