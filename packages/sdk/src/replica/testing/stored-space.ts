/**
 * A disk for one space, as plain as can be: maps. What was not written is lost with the program.
 */
import { ledgerLineOf, updateKey } from '../../protocol/index.js';
import type {
  BaseSnapshot, CommitEntry, KeyText, LedgerLine, PageRow, ReplicaId, Row, Update, UpdateId,
} from '../../protocol/index.js';
import { rowLines } from '../../protocol/record-codec.js';
import type { ReplicaChanges, SpaceHead, StoredReplicaSpace, StoredUpdate } from '../changes.js';
import type { ConflictRecord } from '../conflict.js';
import { KeptPage } from '../kept-page.js';
import type { UndoRecord } from '../undo.js';

export class StoredSpace implements ReplicaChanges {
  readonly #rows = new Map<string, { readonly table: string; readonly key: KeyText; readonly row: Row }>();
  readonly #ledger = new Map<string, LedgerLine>();
  readonly #updates = new Map<string, StoredUpdate>();
  readonly #conflicts = new Map<string, ConflictRecord>();
  readonly #undos = new Map<string, UndoRecord>();
  #entries: CommitEntry[] = [];
  #head: SpaceHead | undefined;
  #unwritten: (() => void)[] = [];
  /** Named and not removed again, on disk or not. */
  #present = new Map<string, Update>();

  /** In sequence. */
  updatesOf(replica: ReplicaId): Update[] {
    const updates = [...this.#present.values()].filter(({ id }) => id.replica === replica);
    return updates.sort((a, b) => a.id.seq - b.id.seq);
  }

  updateAdded(stored: StoredUpdate): void {
    this.#present.set(updateKey(stored.update.id), stored.update);
    this.#unwritten.push(() => this.#updates.set(updateKey(stored.update.id), stored));
  }

  updateRemoved(id: UpdateId): void {
    this.#present.delete(updateKey(id));
    this.#unwritten.push(() => this.#updates.delete(updateKey(id)));
  }

  entriesCommitted(entries: readonly CommitEntry[]): void {
    this.#unwritten.push(() => {
      for (const entry of entries) this.#lay(entry);
    });
  }

  entriesTrimmed(throughCsn: number): void {
    this.#unwritten.push(() => {
      this.#entries = this.#entries.filter(({ csn }) => csn > throughCsn);
    });
  }

  baseReplaced(snapshot: BaseSnapshot): void {
    this.#unwritten.push(() => this.#replace(snapshot));
  }

  conflictPut(record: ConflictRecord): void {
    this.#unwritten.push(() => this.#conflicts.set(updateKey(record.id), record));
  }

  conflictRemoved(id: UpdateId): void {
    this.#unwritten.push(() => this.#conflicts.delete(updateKey(id)));
  }

  undoPut(record: UndoRecord): void {
    this.#unwritten.push(() => this.#undos.set(updateKey(record.id), record));
  }

  undoRemoved(id: UpdateId): void {
    this.#unwritten.push(() => this.#undos.delete(updateKey(id)));
  }

  headChanged(head: SpaceHead): void {
    this.#unwritten.push(() => { this.#head = head; });
  }

  /** All that was named so far is on disk. */
  write(): void {
    for (const one of this.#unwritten) one();
    this.#unwritten = [];
  }

  /** What a new start of the program finds; undefined: nothing was ever written. */
  read(): StoredReplicaSpace | undefined {
    this.#unwritten = [];
    this.#present = new Map([...this.#updates].map(([key, { update }]) => [key, update]));
    if (this.#head === undefined) return undefined;
    return {
      head: this.#head,
      tables: this.#tables(),
      ledger: [...this.#ledger.values()],
      entries: [...this.#entries],
      updates: [...this.#updates.values()],
      conflicts: [...this.#conflicts.values()],
      undos: [...this.#undos.values()],
      issued: 0,
    };
  }

  #tables(): StoredReplicaSpace['tables'] {
    const tables = new Map<string, PageRow[]>();
    for (const { table, key, row } of this.#rows.values()) {
      tables.set(table, [...(tables.get(table) ?? []), [key, row]]);
    }
    return [...tables].map(([table, rows]) => {
      // What cannot be written stands over the page, as an entry would put it there.
      const isText = ([, row]: PageRow): boolean => !Object.values(row).some((of) => of instanceof Date);
      const lines = rowLines(rows.filter(isText).sort(([a], [b]) => (a < b ? -1 : 1)));
      const over = new Map(rows.filter((row) => !isText(row)));
      return { table, pages: [new KeptPage('', lines, over)] };
    });
  }

  #lay(entry: CommitEntry): void {
    this.#entries.push(entry);
    this.#ledger.set(entry.id.replica, ledgerLineOf(entry));
    for (const { table, key, row } of entry.effects) {
      if (row === null) this.#rows.delete(`${table} ${key}`);
      else this.#rows.set(`${table} ${key}`, { table, key, row });
    }
  }

  #replace(snapshot: BaseSnapshot): void {
    this.#rows.clear();
    this.#ledger.clear();
    this.#entries = [];
    for (const line of snapshot.ledger) this.#ledger.set(line.replica, line);
    const pages = snapshot.pages();
    for (let page = pages.next(); page.done !== true; page = pages.next()) {
      const { table, rows } = page.value;
      for (const [key, row] of rows) this.#rows.set(`${table} ${key}`, { table, key, row });
    }
  }
}
