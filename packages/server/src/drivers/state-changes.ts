/**
 * What a run of commit entries comes to, for a store: the last version of each row, each replica's
 * last settled sequence, the entries to keep. Stores write this and nothing twice, however many
 * entries touched a row.
 */
import { appliedEntry, invariant } from '@oxbow/sdk/protocol';
import type {
  AppliedEntry, AppliedRow, KeyText, LedgerLine, SpaceId,
} from '@oxbow/sdk/protocol';
import type { SpaceEntries, SpaceHead } from '../space/state-store.js';

export interface SpaceChanges {
  readonly space: SpaceId;
  /** table → key → how the row stands in the end. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<KeyText, AppliedRow>>;
  readonly ledger: ReadonlyMap<string, LedgerLine>;
  /** Dense, from the csn after the space's former head on. */
  readonly entries: readonly KeptEntry[];
  readonly head: SpaceHead;
}

export interface KeptEntry {
  readonly csn: number;
  readonly text: string;
}

interface Growing extends SpaceChanges {
  readonly rows: Map<string, Map<KeyText, AppliedRow>>;
  readonly ledger: Map<string, LedgerLine>;
  readonly entries: KeptEntry[];
  head: SpaceHead;
}

/**
 * Entries of each space in csn order. Errors: `bad-value` never (they have been encoded before),
 * `invariant`.
 */
export function gatherChanges(batches: Iterable<SpaceEntries>): SpaceChanges[] {
  const changes = new Map<SpaceId, Growing>();
  for (const batch of batches) {
    for (const committed of batch.entries) {
      const entry = appliedEntry(committed);
      const { csn, at, lamport } = entry;
      let growing = changes.get(batch.space);
      if (growing === undefined) {
        growing = {
          space: batch.space,
          rows: new Map(),
          ledger: new Map(),
          entries: [],
          head: { csn, at, lamport },
        };
        changes.set(batch.space, growing);
      } else {
        invariant(csn === growing.head.csn + 1, 'entries of a space are applied without holes');
      }
      add(growing, entry);
    }
  }
  return [...changes.values()];
}

function add(changes: Growing, entry: AppliedEntry): void {
  const { csn, at, lamport, ledgerLine, text } = entry;
  changes.head = { csn, at, lamport };
  changes.entries.push({ csn, text });
  changes.ledger.set(ledgerLine.replica, ledgerLine);
  for (const row of entry.rows) {
    let rows = changes.rows.get(row.table);
    if (rows === undefined) changes.rows.set(row.table, (rows = new Map()));
    rows.set(row.key, row);
  }
}
