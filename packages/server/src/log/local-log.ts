/**
 * The commit log of one node that nobody else knows: a slot is a record of the write-ahead log,
 * and chosen when it is on disk.
 */
import { OxbowError, invariant } from '@oxbow/sdk/protocol';
import type { SegmentDirectory } from './append-file.js';
import type { CommitLog, CommitLogEvents } from './commit-log.js';
import { SegmentLog } from './segment-log.js';
import type { WalRecord } from './write-ahead-log.js';

export interface LocalLogLimits {
  /** Preallocated size of a segment file. */
  readonly segmentBytes: number;
  readonly payloadBytesMax: number;
  /** Proposed and not chosen; beyond it `propose` throws `log-full`. */
  readonly inFlightBytesMax: number;
  readonly inFlightSlotsMax: number;
}

export const localLogLimits: LocalLogLimits = {
  segmentBytes: 32 * 1024 * 1024,
  payloadBytesMax: 12 * 1024 * 1024,
  inFlightBytesMax: 64 * 1024 * 1024,
  inFlightSlotsMax: 1_024,
};

interface Proposal {
  readonly slot: number;
  readonly payload: Uint8Array;
  readonly tag: number;
}

export class LocalLog implements CommitLog {
  readonly #limits: LocalLogLimits;
  readonly #log: SegmentLog;
  #events: CommitLogEvents | undefined;
  #isLeading = false;
  readonly #proposals: Proposal[] = [];
  #inFlightBytes = 0;

  constructor(directory: SegmentDirectory, limits: LocalLogLimits = localLogLimits) {
    invariant(limits.inFlightBytesMax >= limits.payloadBytesMax, 'the largest payload fits');
    this.#limits = limits;
    this.#log = new SegmentLog(directory, { ...limits, inFlightBytesMax: Infinity });
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  start(appliedSlot: number, events: CommitLogEvents): void {
    this.#events = events;
    this.#log.start({
      onRecovered: (records) => this.#recovered(appliedSlot, records),
      onFatal: (error) => {
        this.#isLeading = false;
        events.onFatal(error);
      },
    });
  }

  propose(payload: Uint8Array, tag: number): void {
    if (!this.#isLeading) {
      throw new OxbowError('not-leader', 'The log takes no proposals now: it is starting or has stopped.');
    }
    if (
      this.#proposals.length >= this.#limits.inFlightSlotsMax ||
      this.#inFlightBytes + payload.length > this.#limits.inFlightBytesMax
    ) {
      throw new OxbowError('log-full', 'Too much is in flight: wait for onChosen, then propose again.');
    }
    const slot = this.#log.append(payload.length, (target, at) => target.set(payload, at));
    this.#inFlightBytes += payload.length;
    this.#proposals.push({ slot, payload, tag });
    this.#log.flushed(() => this.#chosen());
  }

  trim(slot: number): void {
    // The last one stays: it tells at which slot an empty replay begins.
    this.#log.trim(slot);
  }

  stop(done: () => void): void {
    const wasLeading = this.#isLeading;
    this.#isLeading = false;
    this.#log.stop(() => {
      if (wasLeading) this.#events?.onLeadership(false);
      done();
    });
  }

  #recovered(appliedSlot: number, records: readonly WalRecord[]): void {
    const last = records.at(-1)?.index ?? appliedSlot;
    const first = records[0]?.index ?? appliedSlot + 1;
    if (last < appliedSlot || (records.length === 0 && appliedSlot > 0)) {
      this.#events?.onFatal(logBehind(last, appliedSlot));
      return;
    }
    if (first > appliedSlot + 1) {
      this.#events?.onFatal(stateBehind(appliedSlot, first - 1));
      return;
    }
    for (const { index, payload } of records) {
      if (index > appliedSlot) this.#events?.onChosen(index, payload, undefined);
    }
    this.#isLeading = true;
    this.#events?.onLeadership(true);
  }

  #chosen(): void {
    const proposal = this.#proposals.shift();
    if (proposal === undefined) return;
    const { slot, payload, tag } = proposal;
    this.#inFlightBytes -= payload.length;
    this.#events?.onChosen(slot, payload, tag);
  }
}

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
