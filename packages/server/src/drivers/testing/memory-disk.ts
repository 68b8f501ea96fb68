/**
 * The records of a state store in memory, each run of slots whole or not at all: what survives a
 * crash in the simulation and in tests. The records are those of the LMDB store, byte for byte, so
 * digests of the two are equal.
 */
import { createHash } from 'node:crypto';
import { invariant, type SpaceId } from '@oxbow/sdk/protocol';
import { nodeLimits } from '../../node/limits.js';
import type { SpaceEntries, StoredSpace } from '../../space/state-store.js';
import type { ImportHead, StateChunk } from '../../space/state-transfer.js';
import { encodeRecords, type TravellingRecord } from '../state-chunks.js';
import { isTravelling, metaKey, spaceKey } from '../store-keys.js';
import { loadSpace } from '../store-load.js';
import {
  damaged, isSound, openRecord, readSpaceRecord, sealOf, type RecordView,
} from '../store-records.js';
import { writeRun, type KeptBounds } from '../store-writes.js';

export interface MemoryDiskOptions {
  /** The store's identity until it is bound. */
  readonly history: string;
  readonly keptEntriesMax?: number;
  readonly keptCharsMax?: number;
}

export class MemoryDisk {
  appliedSlot = 0;
  history: string;
  isBound = false;
  base: string | undefined;
  /** Of what was set aside; the newest last. */
  readonly aside: MemoryRecords[] = [];
  records = new MemoryRecords();
  readonly #firstHistory: string;
  readonly #bounds: KeptBounds;

  constructor(options: MemoryDiskOptions) {
    this.#firstHistory = options.history;
    this.history = options.history;
    this.#bounds = {
      keptEntriesMax: options.keptEntriesMax ?? nodeLimits.keptEntriesMax,
      keptCharsMax: options.keptCharsMax ?? nodeLimits.keptCharsMax,
    };
  }

  /** One transaction. */
  apply(slot: number, batches: readonly SpaceEntries[]): void {
    invariant(slot > this.appliedSlot, 'slots are applied in order');
    const { records } = this;
    const puts: [string, string | null][] = [];
    const former = {
      value: (key: Buffer) => records.get(key),
      seal: (key: Buffer) => {
        const value = records.get(key);
        return value === undefined ? undefined : sealOf(value);
      },
      space: (space: SpaceId) => {
        const key = spaceKey(space);
        const value = records.get(key);
        return value === undefined ? undefined : readSpaceRecord(key, value);
      },
    };
    const run = { batches, spaces: this.#spaces() };
    writeRun(run, former, this.#bounds, (key, value) => puts.push([key.toString('latin1'), value]));
    records.write(puts);
    this.appliedSlot = slot;
  }

  read(space: SpaceId): StoredSpace | undefined {
    const loading = loadSpace(this.records, space);
    for (;;) {
      const step = loading.next();
      if (step.done === true) return step.value;
    }
  }

  replace(records: MemoryRecords, { slot, cluster, base, isBound = true }: ImportHead): void {
    this.records = records;
    this.appliedSlot = slot;
    this.history = cluster;
    this.isBound = isBound;
    this.base = base;
  }

  setAside(): void {
    this.aside.push(this.records);
    this.replace(new MemoryRecords(), {
      slot: 0, cluster: this.#firstHistory, base: undefined, isBound: false,
    });
  }

  #spaces(): number {
    const key = metaKey('spaces');
    const value = this.records.get(key);
    return value === undefined ? 0 : Number(openRecord(key, value));
  }
}

/** Keys as Latin-1, one character a byte: their order is that of the bytes. */
export class MemoryRecords implements RecordView {
  readonly #values: Map<string, string>;
  #sorted: string[] | undefined;

  constructor(values = new Map<string, string>()) {
    this.#values = values;
  }

  get bytes(): number {
    let bytes = 0;
    for (const [key, value] of this.#values) bytes += key.length + value.length;
    return bytes;
  }

  get(key: Buffer): string | undefined {
    return this.#values.get(key.toString('latin1'));
  }

  write(puts: Iterable<readonly [string, string | null]>): void {
    for (const [key, value] of puts) {
      if (value === null ? this.#values.delete(key) : !this.#values.has(key)) this.#sorted = undefined;
      if (value !== null) this.#values.set(key, value);
    }
  }

  *range(start: Buffer, end: Buffer): Generator<{ key: Buffer; value: string }> {
    const last = end.toString('latin1');
    const keys = this.#keys();
    for (let index = this.#firstFrom(start.toString('latin1')); index < keys.length; index++) {
      const key = keys[index] ?? '';
      if (key >= last) return;
      yield { key: Buffer.from(key, 'latin1'), value: this.#values.get(key) ?? '' };
    }
  }

  copy(): MemoryRecords {
    return new MemoryRecords(new Map(this.#values));
  }

  /** Errors: `store-damaged`. */
  chunk(cursor: Uint8Array | undefined, bytesMax: number): StateChunk {
    const after = cursor === undefined ? '' : Buffer.from(cursor).toString('latin1');
    const keys = this.#keys();
    const taken: TravellingRecord[] = [];
    let bytes = 0;
    for (let index = this.#firstFrom(after); index < keys.length; index++) {
      const text = keys[index] ?? '';
      const record = { key: Buffer.from(text, 'latin1'), value: Buffer.from(this.#values.get(text) ?? '') };
      if (text === after || !isTravelling(record.key)) continue;
      if (!isSound(record.key, record.value)) throw damaged('a record is not what was written');
      const size = 8 + record.key.length + record.value.length;
      if (taken.length > 0 && bytes + size > bytesMax) {
        return { bytes: encodeRecords(taken), next: taken.at(-1)?.key };
      }
      taken.push(record);
      bytes += size;
    }
    return { bytes: encodeRecords(taken), next: undefined };
  }

  /** Errors: `store-damaged`. */
  digest(): string {
    return createHash('sha256').update(this.chunk(undefined, Infinity).bytes).digest('hex');
  }

  /**
   * Rot: flips a bit of the value that `pick` (0 ≤ pick < 1) chooses. False: there is nothing to
   * rot.
   */
  damage(pick: number): boolean {
    const keys = this.#keys();
    const key = keys[Math.floor(pick * keys.length)];
    const value = key === undefined ? undefined : this.#values.get(key);
    if (key === undefined || value === undefined) return false;
    const at = Math.floor(value.length / 2);
    const flipped = String.fromCharCode(value.charCodeAt(at) ^ 1);
    this.#values.set(key, value.slice(0, at) + flipped + value.slice(at + 1));
    return true;
  }

  #keys(): string[] {
    this.#sorted ??= [...this.#values.keys()].sort();
    return this.#sorted;
  }

  #firstFrom(key: string): number {
    const keys = this.#keys();
    let [low, high] = [0, keys.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
