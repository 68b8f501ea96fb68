/** Every bound of the server in one place, related by assertions. Sizes in characters of frames unless named otherwise. */
import { invariant } from '@oxbow/sdk/protocol';

export interface NodeLimits {
  /** A link that has not said hello by then is cut. */
  readonly helloMs: number;
  /** A link from which nothing came for so long is cut; clients ping more often. */
  readonly silentMs: number;
  readonly linksMax: number;
  readonly spacesPerLinkMax: number;
  /** Patterns in one token's claims. */
  readonly claimPatternsMax: number;
  /** Spaces held in memory. */
  readonly spacesMax: number;
  /** What a refused client is told to wait when the node is busy, starting or stopping. */
  readonly retryMs: number;
  /** Messages of one link that wait for a space to load or for the log to take more. */
  readonly waitingMessagesMax: number;
  /** A slot's payload, bytes. */
  readonly payloadBytesMax: number;
  /** Proposed and not chosen. */
  readonly slotsInFlightMax: number;
  readonly bytesInFlightMax: number;
  /** Executed and not chosen: beyond it, updates wait at their links. */
  readonly entriesInFlightMax: number;
  /** Chosen and not yet in the state store. */
  readonly slotsUnappliedMax: number;
  /** A commit entry as text; larger ones become rejections. */
  readonly entryCharsMax: number;
  /** The kept log of a space in memory. */
  readonly keptEntriesMax: number;
  readonly keptCharsMax: number;
  /** How far an update may push the Lamport counter of a space at once. */
  readonly lamportJumpMax: number;
}

export const nodeLimits: NodeLimits = {
  helloMs: 10_000,
  silentMs: 90_000,
  linksMax: 20_000,
  spacesPerLinkMax: 256,
  claimPatternsMax: 1_000,
  spacesMax: 2_000,
  retryMs: 2_000,
  waitingMessagesMax: 1_000,
  payloadBytesMax: 4 * 1024 * 1024,
  slotsInFlightMax: 128,
  bytesInFlightMax: 32 * 1024 * 1024,
  entriesInFlightMax: 50_000,
  slotsUnappliedMax: 10_000,
  entryCharsMax: 900_000,
  keptEntriesMax: 5_000,
  keptCharsMax: 4 * 1024 * 1024,
  lamportJumpMax: 2 ** 32,
};

/** Throws `invariant` when bounds contradict each other. */
export function checkNodeLimits(limits: NodeLimits): void {
  // UTF-8 takes at most three bytes for a UTF-16 code unit.
  invariant(
    limits.payloadBytesMax >= 3 * limits.entryCharsMax + 1_024,
    'a slot can carry the largest entry',
  );
  invariant(limits.bytesInFlightMax >= limits.payloadBytesMax, 'the log can take the largest slot');
  invariant(limits.keptEntriesMax >= 1 && limits.slotsInFlightMax >= 1, 'something can move');
  invariant(limits.silentMs > limits.helloMs, 'a link may be silent longer than before its hello');
}
