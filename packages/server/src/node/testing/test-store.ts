/**
 * A state store in memory: each apply is atomic, in order, and takes until `run`. A crash loses
 * those under way.
 */
import type { CommitEntry, LedgerLine, SpaceId } from '@oxbow/sdk/protocol';
import { decodeEntry, encodeEntry, ledgerLineOf } from '@oxbow/sdk/protocol';
import type { SpaceEntries, SpaceHead, StoredSpace } from '../../space/state-store.js';

type StoredRow = StoredSpace['rows'][number];
interface SpaceState {
  head: SpaceHead;
  readonly rows: Map<string, StoredRow>;
  readonly ledger: Map<string, LedgerLine>;
  readonly entries: CommitEntry[];
}

export class TestStore {
  appliedSlot = 0;
  keptEntries = 1_000;
  readonly #spaces = new Map<SpaceId, SpaceState>();
  #waiting: (() => void)[] = [];

  load(space: SpaceId, done: (stored: StoredSpace | undefined) => void): void {
    this.#waiting.push(() => done(this.stored(space)));
  }

  apply(slot: number, batches: readonly SpaceEntries[], done: () => void): void {
    this.#waiting.push(() => {
      if (slot !== this.appliedSlot + 1) throw new Error(`slot ${slot} after ${this.appliedSlot}`);
      for (const { space, entries } of batches) this.#applySpace(space, entries);
      this.appliedSlot = slot;
      done();
    });
  }

  run(most = Infinity): boolean {
    let ran = 0;
    for (; ran < most; ran++) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next();
    }
    return ran > 0;
  }

  crash(): void {
    this.#waiting = [];
  }

  stored(space: SpaceId): StoredSpace | undefined {
    const state = this.#spaces.get(space);
    if (state === undefined) return undefined;
    const keys = [...state.rows.keys()].sort();
    return {
      head: state.head,
      rows: keys.flatMap((key) => state.rows.get(key) ?? []),
      ledger: [...state.ledger.values()],
      entries: state.entries.slice(-this.keptEntries),
    };
  }

  settledSeq(space: SpaceId, replica: string): number {
    return this.#spaces.get(space)?.ledger.get(replica)?.seq ?? 0;
  }

  #applySpace(space: SpaceId, entries: readonly CommitEntry[]): void {
    const fresh: SpaceState = {
      head: { csn: 0, at: 0, lamport: 0 }, rows: new Map(), ledger: new Map(), entries: [],
    };
    const state = this.#spaces.get(space) ?? fresh;
    this.#spaces.set(space, state);
    for (const entry of entries) {
      const { csn, at, id, effects } = entry;
      if (csn !== state.head.csn + 1) throw new Error(`csn ${csn} after ${state.head.csn}`);
      if (id.seq !== (state.ledger.get(id.replica)?.seq ?? 0) + 1) throw new Error('applied twice');
      state.head = { csn, at, lamport: Math.max(state.head.lamport, entry.lamport) };
      state.ledger.set(id.replica, ledgerLineOf(entry));
      for (const { table, key, row } of effects) {
        const place = `${table}\u0000${key}`;
        if (row === null) state.rows.delete(place);
        else state.rows.set(place, { table, key, row });
      }
      state.entries.push(decodeEntry(encodeEntry(entry)));
    }
  }
}
