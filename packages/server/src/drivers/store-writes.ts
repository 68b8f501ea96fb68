/**
 * What a run of slots comes to as records: puts and removals, the same whichever store keeps them.
 * However slots are gathered into runs, the records come out equal in the end: digests of replicas
 * are compared.
 */
import { invariant, type SpaceId } from '@oxbow/sdk/protocol';
import { gatherChanges, type SpaceChanges } from './state-changes.js';
import type { SpaceEntries } from '../space/state-store.js';
import { entryKey, ledgerKey, metaKey, rowKey, spaceKey } from './store-keys.js';
import {
  damaged, openRecord, sealOf, sealRecord, type SpaceRecord,
} from './store-records.js';

/** Null: gone. */
export type PutRecord = (key: Buffer, value: string | null) => void;

export interface Former {
  /** What stands at the key before this run. */
  value(key: Buffer): string | undefined;
  /** Its checksum alone; undefined: there is nothing. */
  seal(key: Buffer): number | undefined;
  space(space: SpaceId): SpaceRecord | undefined;
}

export interface KeptBounds {
  /** Of all replicas alike, or their digests differ. */
  readonly keptEntriesMax: number;
  readonly keptCharsMax: number;
}

export interface Run {
  readonly batches: readonly SpaceEntries[];
  /** Spaces that there are. */
  readonly spaces: number;
}

/** Returns the spaces that the run created, in order. Errors: `invariant`, `store-damaged`. */
export function writeRun(
  { batches, spaces }: Run, former: Former, bounds: KeptBounds, put: PutRecord,
): SpaceId[] {
  const created: SpaceId[] = [];
  for (const change of gatherChanges(batches)) {
    const before = former.space(change.space);
    if (before === undefined) created.push(change.space);
    invariant(
      change.entries[0]?.csn === (before?.csn ?? 0) + 1,
      'entries continue where the stored space ends',
    );
    const number = before?.number ?? spaces + created.length;
    new SpaceWrite(number, before, former, put).write(change, bounds);
  }
  if (created.length > 0) {
    const key = metaKey('spaces');
    put(key, sealRecord(key, String(spaces + created.length)));
  }
  return created;
}

class SpaceWrite {
  readonly #number: number;
  readonly #before: SpaceRecord | undefined;
  readonly #former: Former;
  readonly #put: PutRecord;
  #count: number;
  #sum: number;

  constructor(
    number: number, before: SpaceRecord | undefined, former: Former, put: PutRecord,
  ) {
    this.#number = number;
    this.#before = before;
    this.#former = former;
    this.#put = put;
    this.#count = before?.count ?? 0;
    this.#sum = before?.sum ?? 0;
  }

  write(change: SpaceChanges, bounds: KeptBounds): void {
    for (const [table, rows] of change.rows) {
      for (const [key, row] of rows) this.#counted(rowKey(this.#number, table, key), row.text);
    }
    for (const line of change.ledger.values()) {
      this.#counted(ledgerKey(this.#number, line.replica), JSON.stringify(line));
    }
    const { first, chars } = this.#entries(change, bounds);
    const { csn, at, lamport } = change.head;
    const record: SpaceRecord = {
      csn, at, lamport, number: this.#number, first, chars, count: this.#count, sum: this.#sum,
    };
    const key = spaceKey(change.space);
    this.#put(key, sealRecord(key, JSON.stringify(record)));
  }

  #counted(key: Buffer, text: string | null): void {
    const seal = this.#before === undefined ? undefined : this.#former.seal(key);
    if (seal !== undefined) this.#count -= 1;
    this.#sum = (this.#sum - (seal ?? 0)) >>> 0;
    if (text === null) {
      if (seal !== undefined) this.#put(key, null);
      return;
    }
    const value = sealRecord(key, text);
    this.#count += 1;
    this.#sum = (this.#sum + sealOf(value)) >>> 0;
    this.#put(key, value);
  }

  /** Adds the new entries and forgets the oldest, old or new, that the kept log has no room for. */
  #entries(
    { entries, head }: SpaceChanges, { keptEntriesMax, keptCharsMax }: KeptBounds,
  ): { first: number; chars: number } {
    const firstNew = entries[0]?.csn ?? head.csn;
    let chars = entries.reduce((sum, { text }) => sum + text.length, this.#before?.chars ?? 0);
    let first = this.#before?.first ?? firstNew;
    const isTooMuch = (): boolean => head.csn - first + 1 > keptEntriesMax || chars > keptCharsMax;
    while (first < head.csn && isTooMuch()) {
      chars -= first < firstNew ? this.#forget(first) : entries[first - firstNew]?.text.length ?? 0;
      first += 1;
    }
    for (const { csn, text } of entries) {
      if (csn < first) continue;
      const key = entryKey(this.#number, csn);
      this.#put(key, sealRecord(key, text));
    }
    return { first, chars };
  }

  #forget(csn: number): number {
    const key = entryKey(this.#number, csn);
    const value = this.#former.value(key);
    if (value === undefined) throw damaged('an entry of the kept log is missing');
    this.#put(key, null);
    return openRecord(key, value).length;
  }
}
