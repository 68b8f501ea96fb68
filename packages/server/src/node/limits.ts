/**
 * Every bound of the server in one place, related by assertions. Chars are UTF-16 code units of
 * frames, as in the protocol's limits; what both sides must agree on stands there.
 */
import { checkLimits, invariant, limits as protocolLimits, OxbowError } from '@oxbow/sdk/protocol';
import { paxosLimits } from '../paxos/limits.js';
import type { PaxosLimits } from '../paxos/limits.js';

const KI = 1024;
const MI = 1024 * KI;

export interface NodeLimits {
  /**
   * A link that has not said hello, or whose token is not verified, by then is cut:
   * `hello-timeout`.
   */
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
  /**
   * Questions to the log for linearizable reads that are under way; what is asked meanwhile shares
   * the next.
   */
  readonly barrierRoundsMax: number;
  /**
   * Frames of one link that wait because the log is full: more than flow control allows is
   * `window-exceeded`.
   */
  readonly waitingCharsPerLinkMax: number;
  /** The same over all links: `server-busy`. */
  readonly waitingCharsMax: number;
  /** A slot's payload. */
  readonly payloadBytesMax: number;
  /** Proposed and not chosen. */
  readonly slotsInFlightMax: number;
  readonly bytesInFlightMax: number;
  /**
   * Executed and not chosen: beyond either, updates wait at their links. One message may overshoot
   * it.
   */
  readonly entriesInFlightMax: number;
  readonly charsInFlightMax: number;
  /** Chosen and not yet in the state store: beyond it, updates wait at their links. */
  readonly slotsUnappliedMax: number;
  /** The kept log of a space in memory. */
  readonly keptEntriesMax: number;
  readonly keptCharsMax: number;
  /** Chars of rows in one of the commits that lift a space to a newer version of the app. */
  readonly liftCharsMax: number;
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
  liftCharsMax: 256 * KI,
};

/** Bounds of the sockets under the links, and of the node's stop. */
export interface SocketLimits {
  /** Unread by a client: a link with more is ended as `slow-reader`. */
  readonly unreadBytesMax: number;
  /** A goodbye that is not answered by then is none: the socket is cut. */
  readonly goodbyeMs: number;
  /** Sockets, links or not: what is not a link yet is bounded, too. */
  readonly connectionsMax: number;
  /** A request's headers have to be there by then. */
  readonly headersMs: number;
  readonly headerBytesMax: number;
  /** How long an idle HTTP connection is kept. */
  readonly keepAliveMs: number;
  /** A drain that takes longer is cut short: what was acknowledged is in the log. */
  readonly drainMs: number;
}

export const socketLimits: SocketLimits = {
  unreadBytesMax: 4 * protocolLimits.frameBytesMax,
  goodbyeMs: 2_000,
  connectionsMax: 25_000,
  headersMs: 10_000,
  headerBytesMax: 16 * KI,
  keepAliveMs: 5_000,
  drainMs: 10_000,
};

/**
 * The defaults, with what an operator gives in their place. Errors: `config-invalid`, which names
 * the bound.
 */
export function resolveNodeLimits(given: Partial<NodeLimits> = {}): NodeLimits {
  for (const name of Object.keys(given)) {
    if (!(name in nodeLimits)) throw unusable(name, 'there is no such limit');
  }
  const limits = { ...nodeLimits, ...given };
  checkNodeLimits(limits);
  return limits;
}

/**
 * Errors: `config-invalid` when a bound is no count, or contradicts another, the protocol's or the
 * log's.
 */
export function checkNodeLimits(
  limits: NodeLimits,
  logLimits: PaxosLimits = paxosLimits,
): void {
  for (const [name, value] of Object.entries(limits)) {
    must(Number.isSafeInteger(value) && value >= 1, name, `it is a whole number from 1 on, not ${value}`);
  }
  checkPayloads(limits, logLimits);
  const { windowChars, frameCharsMax, pingIntervalMs, ackDelayMs } = protocolLimits;
  const perLinkMin = windowChars + frameCharsMax;
  must(
    limits.waitingCharsPerLinkMax >= perLinkMin, 'waitingCharsPerLinkMax',
    `who keeps to flow control never exceeds what may wait: at least ${perLinkMin}`,
  );
  must(
    limits.waitingCharsMax >= limits.waitingCharsPerLinkMax, 'waitingCharsMax',
    `one link can wait: at least waitingCharsPerLinkMax (${limits.waitingCharsPerLinkMax})`,
  );
  must(
    limits.silentMs > 2 * pingIntervalMs, 'silentMs',
    `a living client pings in time: more than ${2 * pingIntervalMs}`,
  );
  must(limits.tickMs <= ackDelayMs, 'tickMs', `acks go out when they are due: at most ${ackDelayMs}`);
  must(
    limits.linksMax < socketLimits.connectionsMax, 'linksMax',
    `probes get in beside the links: less than ${socketLimits.connectionsMax}`,
  );
}

function checkPayloads(limits: NodeLimits, log: PaxosLimits): void {
  // UTF-8 takes at most three bytes for a UTF-16 code unit.
  const payloadMin = 3 * (protocolLimits.entryCharsMax + BATCH_HEAD_CHARS);
  must(
    limits.payloadBytesMax >= payloadMin, 'payloadBytesMax',
    `a slot carries the largest entry: at least ${payloadMin}`,
  );
  must(
    limits.bytesInFlightMax >= limits.payloadBytesMax, 'bytesInFlightMax',
    `the largest slot can be proposed: at least payloadBytesMax (${limits.payloadBytesMax})`,
  );
  const taken = 'the log takes whatever a node proposes';
  must(
    limits.payloadBytesMax <= log.payloadBytesMax, 'payloadBytesMax',
    `${taken}: at most ${log.payloadBytesMax}`,
  );
  must(
    limits.bytesInFlightMax < log.windowBytesMax, 'bytesInFlightMax',
    `${taken}: less than ${log.windowBytesMax}`,
  );
  must(
    limits.slotsInFlightMax <= log.windowSlotsMax, 'slotsInFlightMax',
    `${taken}: at most ${log.windowSlotsMax}`,
  );
}

/** Throws `invariant` when bounds contradict each other or the protocol's. */
export function checkSocketLimits(limits: SocketLimits): void {
  const { frameBytesMax, frameCharsMax, windowChars } = protocolLimits;
  invariant(
    limits.unreadBytesMax >= frameBytesMax + 3 * (windowChars + frameCharsMax),
    'who keeps to flow control is no slow reader, though a large frame is under way',
  );
  invariant(limits.goodbyeMs < limits.drainMs, 'goodbyes are said before a stop is cut short');
}

function must(condition: boolean, name: string, rule: string): void {
  if (!condition) throw unusable(name, rule);
}

const unusable = (name: string, rule: string): OxbowError =>
  new OxbowError('config-invalid', `Cannot use the limit '${name}': ${rule}.`);

/** What a batch's text has around an entry: the space's name, brackets. */
export const BATCH_HEAD_CHARS = 2 * protocolLimits.spaceCharsMax + 64;

checkLimits();
checkNodeLimits(nodeLimits);
checkSocketLimits(socketLimits);
