/**
 * A member's part of the write-ahead log: its records, which of them are still needed, and a
 * checkpoint that says again what must outlive the others (who it is, what it promised, from where
 * on it holds the log) before the old ones may go.
 *
 * Accepted values are needed from the trimmed base on. They are remembered in runs: the highest
 * slot of some dozen records in a row, and the first one's index. A run goes when all of it is
 * behind the base, the oldest first, so that whatever the order of slots is, too much is kept and
 * never too little.
 */
import { compareBallots } from '../paxos/ballot.js';
import type { Ballot } from '../paxos/ballot.js';
import { readRecord, recordSize, writeRecord } from '../paxos/codec/record-codec.js';
import type { Base, PaxosRecord } from '../paxos/record.js';
import type { WalRecord, WriteAheadLog } from './write-ahead-log.js';

export type JoinedRecord = PaxosRecord & { readonly kind: 'joined' };

interface Run {
  readonly firstIndex: number;
  records: number;
  highestSlot: number;
}

const RUN_RECORDS = 64;

export interface MemberDiskOptions {
  readonly wal: WriteAheadLog;
  readonly group: number;
  /** Written since the last checkpoint: at least so much before the next one. */
  readonly checkpointBytes: number;
}

export class MemberDisk {
  readonly #options: MemberDiskOptions;
  #joined: JoinedRecord | undefined;
  #promised: Ballot | undefined;
  #runs: Run[] = [];
  /** Of the last checkpoint's first record. */
  #checkpointIndex = 0;
  #bytesSince = 0;
  /** What `#write` writes next. */
  #record: PaxosRecord | undefined;
  readonly #write = (target: Uint8Array, offset: number): void => {
    const record = this.#record;
    if (record !== undefined) writeRecord(target, offset, this.#options.group, record);
  };

  constructor(options: MemberDiskOptions) {
    this.#options = options;
  }

  /** Undefined: no member ever wrote here. */
  get joined(): JoinedRecord | undefined {
    return this.#joined;
  }

  /** What former runs wrote, in order. Errors: `log-unreadable`. */
  recovered(records: readonly WalRecord[]): PaxosRecord[] {
    const own: PaxosRecord[] = [];
    for (const { index, payload } of records) {
      const { group, record } = readRecord(payload);
      if (group !== this.#options.group) continue;
      this.#note(index, record);
      own.push(withoutFile(record));
    }
    return own;
  }

  persist(record: PaxosRecord): void {
    const size = recordSize(record);
    this.#record = record;
    const index = this.#options.wal.append(size, this.#write);
    this.#bytesSince += size;
    this.#note(index, record);
  }

  /** Nothing up to `base.slot` is needed; the member has persisted that it is so. */
  trimmed(base: Base): void {
    const { wal, checkpointBytes } = this.#options;
    if (this.#joined === undefined || this.#bytesSince < checkpointBytes) return;
    this.#bytesSince = 0;
    const gone = this.#runs.findIndex(({ highestSlot }) => highestSlot > base.slot);
    this.#runs = gone < 0 ? [] : this.#runs.slice(gone);
    this.persist({ ...this.#joined, base });
    if (this.#promised !== undefined) this.persist({ kind: 'promised', ballot: this.#promised });
    wal.trim(Math.min(this.#runs[0]?.firstIndex ?? Infinity, this.#checkpointIndex));
  }

  #note(index: number, record: PaxosRecord): void {
    switch (record.kind) {
      case 'joined':
        this.#joined = record;
        this.#checkpointIndex = index;
        return;
      case 'promised':
        return this.#promise(record.ballot);
      case 'accepted':
        this.#promise(record.ballot);
        return this.#accepted(index, record.slot);
      case 'chosen':
      case 'trimmed':
    }
  }

  #promise(ballot: Ballot): void {
    const promised = this.#promised;
    if (ballot === promised) return;
    if (promised === undefined || compareBallots(ballot, promised) > 0) this.#promised = ballot;
  }

  #accepted(index: number, slot: number): void {
    const run = this.#runs.at(-1);
    if (run === undefined || run.records >= RUN_RECORDS) {
      this.#runs.push({ firstIndex: index, records: 1, highestSlot: slot });
      return;
    }
    run.records += 1;
    run.highestSlot = Math.max(run.highestSlot, slot);
  }
}

/** A small value that is kept would keep a whole segment's bytes alive. */
function withoutFile(record: PaxosRecord): PaxosRecord {
  if (record.kind !== 'accepted' || record.value.kind !== 'command') return record;
  return { ...record, value: { ...record.value, payload: record.value.payload.slice() } };
}
