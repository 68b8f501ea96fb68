/**
 * Reads what a former run left: the chain from the oldest segment to its end. Nothing is told to anyone here: records that the
 * operating system shows us may never have reached the disk, so the log syncs before it replays (local-log.ts).
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { SegmentDirectory } from './append-file.js';
import { CHAIN_START } from './record.js';
import type { ChainPlace, LogRecord } from './record.js';
import { provesDurable, scanSegment } from './scan.js';
import type { SegmentScan } from './scan.js';

export interface RecoveredSegment {
  readonly number: number;
  readonly sizeBytes: number;
  /** Last slot in it or before it. */
  readonly lastSlot: number;
}

export interface RecoveredLog {
  readonly last: ChainPlace;
  /** Slots after the applied one, in order. */
  readonly records: readonly LogRecord[];
  /** Oldest first; the last one holds the chain's end. Empty for a new log. */
  readonly segments: readonly RecoveredSegment[];
  /** Where the chain ends in the last segment. */
  readonly endOffset: number;
}

const PREFIX = 'log-';
export const segmentName = (number: number): string =>
  PREFIX + String(number).padStart(10, '0');

const segmentNumber = (name: string): number | undefined =>
  /^log-\d{10}$/.test(name) ? Number(name.slice(PREFIX.length)) : undefined;

export type Recovered = (log: RecoveredLog | undefined, error?: OxbowError) => void;

export function recoverLog(
  directory: SegmentDirectory,
  appliedSlot: number,
  done: Recovered,
): void {
  directory.list((names, error) => {
    if (error) return done(undefined, unreadable('the log directory', error));
    const numbers = names.map(segmentNumber).filter((number) => number !== undefined);
    numbers.sort((a, b) => a - b);
    readNext(new ChainReader(appliedSlot), numbers.values());
  });

  function readNext(chain: ChainReader, rest: Iterator<number>): void {
    const next = rest.next();
    if (next.done) return finish(chain);
    const name = segmentName(next.value);
    directory.read(name, (bytes, error) => {
      const failure = error ? unreadable(name, error) : chain.add(next.value, bytes);
      if (failure) return done(undefined, failure);
      readNext(chain, rest);
    });
  }

  function finish(chain: ChainReader): void {
    const failure = chain.finish();
    return failure ? done(undefined, failure) : done(chain.recovered());
  }
}

/** Follows the chain through the segments, given in order. */
class ChainReader {
  readonly #appliedSlot: number;
  readonly #records: LogRecord[] = [];
  readonly #segments: RecoveredSegment[] = [];
  #last: ChainPlace | undefined;
  #endOffset = 0;
  /** The chain has ended in an earlier segment: later ones may hold no proof of more. */
  #ended = false;
  /** A segment came before in which nothing could be read. */
  #unreadable: string | undefined;

  constructor(appliedSlot: number) {
    this.#appliedSlot = appliedSlot;
  }

  add(number: number, bytes: Uint8Array): OxbowError | undefined {
    const name = segmentName(number);
    if (this.#ended) {
      return provesDurable(bytes, 0, this.#last) ? damaged(name, 0) : undefined;
    }
    const scan = scanSegment(bytes, this.#last);
    if (scan.verdict === 'damaged') return damaged(name, scan.offset);
    if (scan.records.length === 0) {
      this.#ended = this.#last !== undefined;
      this.#unreadable ??= name;
      return undefined;
    }
    if (this.#unreadable !== undefined) return damaged(this.#unreadable, 0);
    return this.#take(number, bytes.length, scan);
  }

  #take(number: number, sizeBytes: number, scan: SegmentScan): OxbowError | undefined {
    const first = scan.records[0];
    if (this.#last === undefined && first !== undefined && first.slot > this.#appliedSlot) {
      return stateBehind(this.#appliedSlot, first.slot);
    }
    this.#last = scan.last;
    this.#endOffset = scan.offset;
    this.#segments.push({ number, sizeBytes, lastSlot: scan.last?.slot ?? 0 });
    for (const record of scan.records) {
      if (record.kind === 'slot' && record.slot > this.#appliedSlot) this.#records.push(record);
    }
    return undefined;
  }

  finish(): OxbowError | undefined {
    const lastSlot = this.#last?.slot ?? 0;
    return lastSlot < this.#appliedSlot ? logBehind(lastSlot, this.#appliedSlot) : undefined;
  }

  recovered(): RecoveredLog {
    return {
      last: this.#last ?? CHAIN_START,
      records: this.#records,
      segments: this.#segments,
      endOffset: this.#endOffset,
    };
  }
}

const unreadable = (what: string, cause: Error): OxbowError =>
  new OxbowError(
    'log-unreadable',
    `Cannot read ${what}: ${cause.message}. Mend the disk or the file's permissions, then start again.`,
    { cause },
  );

const damaged = (name: string, offset: number): OxbowError =>
  new OxbowError(
    'log-damaged',
    `Segment '${name}' is damaged at byte ${offset}: a record that was on disk cannot be read, and later ones exist. ` +
      'Nothing was changed. Restore the data directory from a backup, or the segment from a copy of the disk.',
  );

const logBehind = (lastSlot: number, appliedSlot: number): OxbowError =>
  new OxbowError(
    'log-behind-state',
    `The log ends at slot ${lastSlot} but the state stands at slot ${appliedSlot}: log files were lost. ` +
      'Put them back, or restore log and state together from a backup.',
  );

const stateBehind = (appliedSlot: number, trimmed: number): OxbowError =>
  new OxbowError(
    'state-behind-log',
    `The state stands at slot ${appliedSlot} but the log begins after slot ${trimmed}: the state was lost or is older. ` +
      'Put the newer state back, or restore log and state together from a backup.',
  );
