/**
 * The state store in memory: for the simulation and for tests. `MemoryDisk` is what survives a crash; a
 * `MemoryStore` is one process's use of it, through which transactions come to the disk one after the other, each whole
 * or not at all. What a crash finds waiting is lost.
 */
import {
  decodeEntry, decodeRows, invariant, type KeyText, type LedgerLine, type SpaceId,
} from '@oxbow/sdk/protocol';
import { nodeLimits } from '../../node/limits.js';
import type { SpaceEntries, SpaceHead, StateStore, StoredSpace } from '../../space/state-store.js';
import { gatherChanges, type KeptEntry, type SpaceChanges } from '../state-changes.js';

interface DiskSpace {
  head: SpaceHead;
  /** table → key → row as text. */
  readonly rows: Map<string, Map<KeyText, string>>;
  readonly ledger: Map<string, LedgerLine>;
  entries: KeptEntry[];
}

export interface MemoryDiskOptions {
  /** The store's identity. */
  readonly history: string;
  readonly keptEntriesMax?: number;
  readonly keptCharsMax?: number;
}

export class MemoryDisk {
  readonly history: string;
  appliedSlot = 0;
  readonly #options: MemoryDiskOptions;
  readonly #spaces = new Map<SpaceId, DiskSpace>();

  constructor(options: MemoryDiskOptions) {
    this.history = options.history;
    this.#options = options;
  }

  /** One transaction. */
  apply(slot: number, batches: readonly SpaceEntries[]): void {
    const changes = gatherChanges(batches);
    for (const { space, entries } of changes) {
      const csn = this.#spaces.get(space)?.head.csn ?? 0;
      invariant(entries[0]?.csn === csn + 1, 'entries continue where the stored space ends');
    }
    for (const change of changes) this.#write(change);
    this.appliedSlot = slot;
  }

  read(space: SpaceId): StoredSpace | undefined {
    const found = this.#spaces.get(space);
    if (found === undefined) return undefined;
    const rows = [...found.rows].flatMap(([table, texts]) =>
      [...texts.values()].flatMap((text) =>
        decodeRows(`[${text}]`).map(([key, row]) => ({ table, key, row }))));
    return {
      head: found.head,
      rows,
      ledger: [...found.ledger.values()],
      entries: found.entries.map(({ text }) => decodeEntry(text)),
    };
  }

  #write(change: SpaceChanges): void {
    let found = this.#spaces.get(change.space);
    if (found === undefined) {
      found = { head: change.head, rows: new Map(), ledger: new Map(), entries: [] };
      this.#spaces.set(change.space, found);
    }
    found.head = change.head;
    for (const [replica, line] of change.ledger) found.ledger.set(replica, line);
    found.entries = this.#kept([...found.entries, ...change.entries]);
    for (const [table, changed] of change.rows) {
      const rows = found.rows.get(table) ?? new Map<KeyText, string>();
      found.rows.set(table, rows);
      for (const [key, text] of changed) {
        if (text === null) rows.delete(key);
        else rows.set(key, text);
      }
    }
  }

  #kept(entries: KeptEntry[]): KeptEntry[] {
    const { keptEntriesMax = nodeLimits.keptEntriesMax } = this.#options;
    const { keptCharsMax = nodeLimits.keptCharsMax } = this.#options;
    let first = Math.max(0, entries.length - keptEntriesMax);
    let chars = entries.slice(first).reduce((sum, { text }) => sum + text.length, 0);
    while (chars > keptCharsMax && first < entries.length - 1) {
      chars -= entries[first]?.text.length ?? 0;
      first += 1;
    }
    return entries.slice(first);
  }
}

/** Runs a task in a later turn; a disk's delay in the simulation. After a crash it runs none. */
export type Later = (task: () => void) => void;

export class MemoryStore implements StateStore {
  readonly #disk: MemoryDisk;
  readonly #later: Later;
  /** Done one after the other, each after a delay of its own. */
  readonly #tasks: (() => void)[] = [];

  constructor(disk: MemoryDisk, later: Later) {
    this.#disk = disk;
    this.#later = later;
  }

  opened(done: (at: { appliedSlot: number; history: string }, error?: Error) => void): void {
    const { appliedSlot, history } = this.#disk;
    this.#enqueue(() => done({ appliedSlot, history }));
  }

  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void {
    this.#enqueue(() => done(this.#disk.read(space)));
  }

  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void {
    this.#enqueue(() => {
      this.#disk.apply(slot, batches);
      done();
    });
  }

  close(done: () => void): void {
    this.#enqueue(done);
  }

  #enqueue(task: () => void): void {
    this.#tasks.push(task);
    if (this.#tasks.length === 1) this.#later(() => this.#next());
  }

  #next(): void {
    const task = this.#tasks[0];
    task?.();
    this.#tasks.shift();
    if (this.#tasks.length > 0) this.#later(() => this.#next());
  }
}
