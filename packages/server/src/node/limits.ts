/**
 * Every bound of the server in one place, related by assertions. Chars are UTF-16 code units of frames, as in the
 * protocol's limits; what both sides must agree on stands there.
 */
import { checkLimits, invariant, limits as protocolLimits } from '@oxbow/sdk/protocol';
import { paxosLimits } from '../paxos/limits.js';
import type { PaxosLimits } from '../paxos/limits.js';

const KI = 1024;
const MI = 1024 * KI;

export interface NodeLimits {
  /** A link that has not said hello, or whose token is not verified, by then is cut: `hello-timeout`. */
  readonly helloMs: number;
  /** A link from which nothing came for so long is cut: `link-silent`. */
  readonly silentMs: number;
  /** How often links are looked at. */
  readonly tickMs: number;
  /** `too-many-links` */
  readonly linksMax: number;
  /** Patterns in one token's claims: `token-invalid`. */
  readonly claimPatternsMax: number;
  /** Spaces held in memory; the idle ones make room, else `server-busy`. */
  readonly spacesMax: number;
  /** Replicas that have ever written to one space: `too-many-replicas`. */
  readonly replicasPerSpaceMax: number;
  /** What a refused client is told to wait when the node is busy, starting or stopping. */
  readonly retryMs: number;
  /** The same while it is not known who leads: an election takes less than a second. */
  readonly noLeaderRetryMs: number;
  /** Questions to the log for linearizable reads that are under way; what is asked meanwhile shares the next. */
  readonly barrierRoundsMax: number;
  /** Frames of one link that wait because the log is full: more than flow control allows is `window-exceeded`. */
  readonly waitingCharsPerLinkMax: number;
  /** The same over all links: `server-busy`. */
  readonly waitingCharsMax: number;
  /** A slot's payload. */
  readonly payloadBytesMax: number;
  /** Proposed and not chosen. */
  readonly slotsInFlightMax: number;
  readonly bytesInFlightMax: number;
  /** Executed and not chosen: beyond either, updates wait at their links. One message may overshoot it. */
  readonly entriesInFlightMax: number;
  readonly charsInFlightMax: number;
  /** Chosen and not yet in the state store: beyond it, updates wait at their links. */
  readonly slotsUnappliedMax: number;
  /** The kept log of a space in memory. */
  readonly keptEntriesMax: number;
  readonly keptCharsMax: number;
}

export const nodeLimits: NodeLimits = {
  helloMs: protocolLimits.helloTimeoutMs,
  silentMs: 90_000,
  tickMs: 250,
  linksMax: 20_000,
  claimPatternsMax: 1_000,
  spacesMax: 2_000,
  replicasPerSpaceMax: 100_000,
  retryMs: 2_000,
  noLeaderRetryMs: 100,
  barrierRoundsMax: 64,
  waitingCharsPerLinkMax: protocolLimits.windowChars + protocolLimits.frameCharsMax,
  waitingCharsMax: 256 * MI,
  payloadBytesMax: 12 * MI,
  slotsInFlightMax: 128,
  bytesInFlightMax: 48 * MI,
  entriesInFlightMax: 50_000,
  charsInFlightMax: 64 * MI,
  slotsUnappliedMax: 10_000,
  keptEntriesMax: 4 * KI,
  keptCharsMax: 4 * MI,
};

/** Throws `invariant` when bounds contradict each other, the protocol's, or the log's. */
export function checkNodeLimits(
  limits: NodeLimits,
  logLimits: PaxosLimits = paxosLimits,
): void {
  const { entryCharsMax, windowChars, frameCharsMax, pingIntervalMs } = protocolLimits;
  // UTF-8 takes at most three bytes for a UTF-16 code unit.
  invariant(
    limits.payloadBytesMax >= 3 * (entryCharsMax + BATCH_HEAD_CHARS),
    'a slot carries the largest entry',
  );
  invariant(limits.bytesInFlightMax >= limits.payloadBytesMax, 'the largest slot can be proposed');
  invariant(
    limits.payloadBytesMax <= logLimits.payloadBytesMax &&
      limits.bytesInFlightMax < logLimits.windowBytesMax &&
      limits.slotsInFlightMax <= logLimits.windowSlotsMax,
    'the log takes whatever a node proposes',
  );
  invariant(limits.barrierRoundsMax >= 1, 'a read can be asked for');
  invariant(limits.slotsInFlightMax >= 1 && limits.keptEntriesMax >= 1, 'something can move');
  invariant(
    limits.waitingCharsPerLinkMax >= windowChars + frameCharsMax,
    'who keeps to flow control never exceeds what may wait',
  );
  invariant(limits.waitingCharsMax >= limits.waitingCharsPerLinkMax, 'one link can wait');
  invariant(limits.silentMs > 2 * pingIntervalMs, 'a living client pings in time');
  invariant(limits.tickMs <= protocolLimits.ackDelayMs, 'acks go out when they are due');
}

/** What a batch's text has around an entry: the space's name, brackets. */
export const BATCH_HEAD_CHARS = 2 * protocolLimits.spaceCharsMax + 64;

checkLimits();
checkNodeLimits(nodeLimits);
