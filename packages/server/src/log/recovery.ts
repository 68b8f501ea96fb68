/**
 * Reads what a former run left: the chain from the oldest segment to its end. Nothing is told to
 * anyone here: records that the operating system shows us may never have reached the disk, so the
 * log syncs before it tells (segment-log.ts).
 */
import type { OxbowError } from '@oxbow/sdk/protocol';
import type { SegmentDirectory } from './append-file.js';
import { damaged, lostSegment, otherLayout, unreadable } from './log-errors.js';
import { CHAIN_START, isOtherLayout, keptFrom } from './record.js';
import type { ChainLink, ChainPlace } from './record.js';
import { provesDurable, scanSegment } from './scan.js';
import type { SegmentScan } from './scan.js';
import type { WalRecord } from './write-ahead-log.js';

export interface RecoveredSegment {
  readonly number: number;
  readonly sizeBytes: number;
  /** Last record in it or before it. */
  readonly lastIndex: number;
}

export interface RecoveredLog {
  readonly last: ChainPlace;
  /** The records that were not trimmed, in order. */
  readonly records: readonly WalRecord[];
  /** Records before it are not needed. */
  readonly keepFrom: number;
  /** Oldest first; the last one is where the log goes on. Empty for a new log. */
  readonly segments: readonly RecoveredSegment[];
  /** Where the log goes on in the last segment. */
  readonly endOffset: number;
}

const PREFIX = 'log-';
export const segmentName = (number: number): string =>
  PREFIX + String(number).padStart(10, '0');

const segmentNumber = (name: string): number | undefined =>
  /^log-\d{10}$/.test(name) ? Number(name.slice(PREFIX.length)) : undefined;

export type Recovered = (log: RecoveredLog | undefined, error?: OxbowError) => void;

export function recoverLog(directory: SegmentDirectory, done: Recovered): void {
  directory.list((names, error) => {
    if (error) return done(undefined, unreadable('the log directory', error));
    const numbers = names.map(segmentNumber).filter((number) => number !== undefined);
    numbers.sort((a, b) => a - b);
    readNext(new ChainReader(), numbers.values());
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
  #records: WalRecord[] = [];
  readonly #segments: RecoveredSegment[] = [];
  #last: ChainPlace | undefined;
  #endOffset = 0;
  /** Records before the oldest segment. */
  #indexBefore = 0;
  #keepFrom = 1;
  /** The chain's last link says that it goes on in the segment of this number. */
  #goesOnIn: number | undefined;
  /** The chain has ended in an earlier segment: later ones may hold no proof of more. */
  #hasEnded = false;
  /** A segment came before in which nothing could be read. */
  #unreadable: string | undefined;

  add(number: number, bytes: Uint8Array): OxbowError | undefined {
    const name = segmentName(number);
    if (isOtherLayout(bytes)) return otherLayout(name);
    if (this.#goesOnIn !== undefined && number !== this.#goesOnIn) {
      return lostSegment(`the log goes on in '${segmentName(this.#goesOnIn)}'`);
    }
    if (this.#hasEnded) return provesDurable(bytes, this.#last) ? damaged(name, 0) : undefined;
    const scan = scanSegment(bytes, this.#last);
    if (scan.isDamaged) return damaged(name, scan.offset);
    if (scan.links.length > 0) {
      if (this.#unreadable !== undefined) return damaged(this.#unreadable, 0);
      this.#take(number, bytes.length, scan);
      return undefined;
    }
    if (this.#goesOnIn === number) this.#goOn(number, bytes.length);
    this.#hasEnded = this.#last !== undefined;
    this.#unreadable ??= name;
    return undefined;
  }

  #take(number: number, sizeBytes: number, { links, last, offset }: SegmentScan): void {
    if (this.#last === undefined) this.#indexBefore = links[0]?.index ?? 0;
    for (const link of links) this.#takeLink(link);
    this.#last = last;
    this.#goOn(number, sizeBytes);
    this.#endOffset = offset;
    if (links.at(-1)?.kind === 'end') this.#goesOnIn = number + 1;
  }

  #takeLink(link: ChainLink): void {
    if (link.kind === 'record') this.#records.push({ index: link.index, payload: link.payload });
    else this.#keepFrom = Math.max(this.#keepFrom, keptFrom(link));
  }

  #goOn(number: number, sizeBytes: number): void {
    this.#segments.push({ number, sizeBytes, lastIndex: this.#last?.index ?? 0 });
    this.#endOffset = 0;
    this.#goesOnIn = undefined;
  }

  finish(): OxbowError | undefined {
    if (this.#goesOnIn !== undefined) {
      return lostSegment(`the log goes on in '${segmentName(this.#goesOnIn)}'`);
    }
    if (this.#indexBefore >= this.#keepFrom) {
      return lostSegment(`records ${this.#keepFrom} to ${this.#indexBefore} are needed and not there`);
    }
    return undefined;
  }

  recovered(): RecoveredLog {
    return {
      last: this.#last ?? CHAIN_START,
      records: this.#records.filter(({ index }) => index >= this.#keepFrom),
      keepFrom: this.#keepFrom,
      segments: this.#segments,
      endOffset: this.#endOffset,
    };
  }
}
