/** Bounds of a state's travel between nodes, related by assertions. */
import { invariant } from '@oxbow/sdk/protocol';

export interface TransferLimits {
  /** About so much in a chunk; a record that is larger makes a chunk of its own. */
  readonly chunkBytes: number;
  /** A chunk that is larger is refused. */
  readonly chunkBytesMax: number;
  /** Sent and not acknowledged. */
  readonly chunksInFlightMax: number;
  /** Who is fetched from serves so many at once; others are told to wait. */
  readonly fetchersMax: number;
  /** A picture that nobody reads is held for so long, so that a fetch can go on after a cut. */
  readonly holdMs: number;
  /** Each side says that it is there at least so often. */
  readonly aliveMs: number;
  /** Silence for so long is a cut. */
  readonly silentMs: number;
  /** A fetch that was cut waits for its link for so long, then it is given up. */
  readonly resumeMs: number;
  /** Of one fetch: cuts, damaged chunks, exporters that were busy. */
  readonly retriesMax: number;
  readonly retryMs: number;
  /** Of the log's words about the slot. */
  readonly baseCharsMax: number;
  readonly cursorBytesMax: number;
}

const KI = 1024;
const MI = 1024 * KI;

export const transferLimits: TransferLimits = {
  chunkBytes: 256 * KI,
  chunkBytesMax: 14 * MI,
  chunksInFlightMax: 8,
  fetchersMax: 4,
  holdMs: 60_000,
  aliveMs: 2_000,
  silentMs: 15_000,
  resumeMs: 30_000,
  retriesMax: 10,
  retryMs: 1_000,
  baseCharsMax: 60 * KI,
  cursorBytesMax: 2 * KI,
};

/** Throws `invariant` when bounds contradict each other. */
export function checkTransferLimits(limits: TransferLimits): void {
  invariant(limits.chunkBytesMax >= limits.chunkBytes, 'a chunk of the usual size is taken');
  invariant(limits.chunksInFlightMax >= 2, 'reading and writing go on at once');
  invariant(limits.silentMs >= 3 * limits.aliveMs, 'a lost word is no silence');
  invariant(limits.holdMs >= limits.resumeMs, 'what can be resumed is held');
}

checkTransferLimits(transferLimits);

export interface CheckLimits {
  /** After a leadership began. */
  readonly firstMs: number;
  readonly everyMs: number;
  /** Who has not told its digest by then is not waited for. */
  readonly answerMs: number;
}

export const checkLimits: CheckLimits = {
  firstMs: 60_000,
  everyMs: 10 * 60_000,
  answerMs: 5 * 60_000,
};

invariant(checkLimits.answerMs < checkLimits.everyMs, 'a comparison ends before the next begins');
