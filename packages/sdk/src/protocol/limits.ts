/**
 * Every bound of the protocol, in one place, related by assertions below. A decoder refuses what
 * exceeds them, an encoder never makes it. Sizes are in UTF-16 code units of the frame's text
 * ("chars"): both sides can count them without encoding to bytes; a char is at most 3 bytes of
 * UTF-8.
 */
import { invariant } from './error.js';

const KI = 1024;
const MI = 1024 * KI;

export const limits = {
  /** One frame on a link; also one line of a bundle. Error: `message-too-large`. */
  frameCharsMax: 4 * MI,
  /** What a socket should accept at most, in bytes. */
  frameBytesMax: 12 * MI,
  /** Room for everything in a message besides its one biggest part. */
  envelopeChars: 64 * KI,

  /** One update as text. The author is told at once: `args-too-large`. */
  updateCharsMax: 1 * MI,
  /**
   * One commit entry as text, with body. A primary rejects what would exceed it: `limit-exceeded`.
   */
  entryCharsMax: 3 * MI,
  /** One row as text. */
  rowCharsMax: 2 * MI,
  updatesPerMessageMax: 1024,
  entriesPerMessageMax: 1024,
  /** A batch in a log payload: entries of many spaces. */
  spacesPerBatchMax: 64 * KI,
  effectsPerEntryMax: 10_000,
  /**
   * Messages of a stream are cut when they reach this size, so that spaces can take turns on a
   * link.
   */
  messageCharsTarget: 64 * KI,

  /** Replicas with tentative updates in one summary or context. */
  vectorReplicasMax: 10_000,
  spaceCharsMax: 128,
  replicaCharsMax: 64,
  /** Tabs of one browser profile that write at the same time. Error: `too-many-tabs`. */
  seatsMax: 64,
  tableCharsMax: 64,
  nameCharsMax: 128,
  codeCharsMax: 64,
  textCharsMax: 2 * KI,
  userCharsMax: 256,
  keyCharsMax: 4 * KI,
  tokenCharsMax: 16 * KI,
  urlCharsMax: 2 * KI,
  hashCharsMax: 32,

  /** Nesting of arrays and objects in a value. */
  valueDepthMax: 64,
  bigintDigitsMax: 4096,
  regexpCharsMax: 4096,
  /** Stays far below 2^53, so that one more is still exact. */
  lamportMax: 2 ** 52,
  /**
   * How far ahead of a holder's own counter an update may be: one wild writer must not use the
   * counter up.
   */
  lamportJumpMax: 2 ** 32,
  /** Wall times, ms since 1970: the range of a JavaScript date. */
  atMax: 8_640_000_000_000_000,

  /** Pages of a base: cut between these two sizes, at keys chosen by their hash (page.ts). */
  pageCharsMin: 64 * KI,
  pageCharsTarget: 256 * KI,
  pageCharsMax: 1 * MI,
  rowsPerPageMax: 64 * KI,
  pagesPerTransferMax: 64 * KI,
  /**
   * What an unfinished transfer may hold in memory at the receiver. Error: `transfer-too-large`.
   */
  stagedCharsMax: 1024 * MI,
  /**
   * A receiver without anything gets the base instead of entries when it is this many entries
   * behind.
   */
  transferBehindEntries: 2 * KI,

  /** Counted chars that may be under way on a link, one direction. */
  windowChars: 1 * MI,
  /** The receiver acknowledges at least this often … */
  ackEveryChars: 128 * KI,
  /** … and what is left over after this long. */
  ackDelayMs: 500,
  /** In flight and not one ack for so long: the link is taken for dead. Error: `link-stalled`. */
  stallMs: 30_000,
  /** What one space may send before the next one's turn. */
  turnChars: 128 * KI,
  spacesPerLinkMax: 1024,
  /** Barriers without an answer on one link; one more is answered with `too-many-barriers`. */
  barriersPerLinkMax: 256,
  /** A replica asks again so long after a barrier that failed. */
  barrierRetryMs: 100,
  /** Linearizable reads of a replica that wait. Error: `too-many-reads`. */
  readsWaitingMax: 10_000,

  helloTimeoutMs: 10_000,
  /** Silence after which a ping is sent. Exchanges repeat what got no answer at this pace, too. */
  pingIntervalMs: 10_000,
  /** Silence after a ping that ends the link. */
  pongTimeoutMs: 20_000,

  /**
   * A replica's link life (replica/session.ts): what an attempt may take, and the pauses between
   * attempts.
   */
  tokenTimeoutMs: 15_000,
  connectTimeoutMs: 15_000,
  /** The same where there are other addresses to try; twice as long after each round of them. */
  connectNextMs: 2_000,
  reconnectMsMin: 100,
  reconnectMsMax: 30_000,
  /** Each pause is so many times the one before. */
  reconnectGrowth: 1.5,
  /** How often refusals may send an attempt elsewhere before it pauses. */
  redirectsMax: 4,
  addressesMax: 64,
  /** An address that gave no answer is passed over for so long while there are others. */
  silentAddressMs: 3_000,
  /**
   * A link that lived so long and is lost is being replaced; only later it is worth a word to the
   * user. The pauses between attempts begin anew.
   */
  resumeMs: 2_000,
  /**
   * Where there are other addresses and something waits: silence after which the link must prove
   * that it lives …
   */
  suspectMs: 2_000,
  /** … and the time that it has for it; twice as long after each vain suspicion. */
  suspectAnswerMs: 3_000,
  /** After a refusal that nothing here can cure; the other side may have been changed. */
  refusedRetryMs: 300_000,
  /** A link that lived so long was a good one: what was refused before it may be asked again. */
  healthyMs: 10_000,
  /** After a hint that the network changed: an answer must come so soon, or the link is dead. */
  probeMs: 5_000,

  /** A failing disk is tried again after these pauses. */
  persistRetryMsMin: 200,
  persistRetryMsMax: 10_000,
  /** A disk that has failed for so long holds own updates back no longer. */
  unsavedLeaveMs: 10_000,
  /** A store that was deleted while it was open is begun anew so often; then memory has to do. */
  storeRenewalsMax: 5,
  /** Keys of records in a store: LMDB takes 1978 bytes, and a unit becomes at most three. */
  storeKeyUnitsMax: 640,
  /** Reads and writes that may wait in a store; a host keeps a few. Error: `store-busy`. */
  storeJobsMax: 1024,
  /** Operations in one write; a bigger batch is cut where a change ends. */
  persistOpsTarget: 4_096,
  /** Chars received that wait for the disk: beyond it links are cut until it has caught up. */
  unsavedCharsMax: 64 * MI,
  /** Nothing was written for so long: time to rewrite pages. */
  checkpointIdleMs: 2_000,
  /** Where it is never quiet, pages are rewritten after so long all the same. */
  checkpointLatestMs: 30_000,
  /** How long `close` waits for what is unsaved. Error: `close-unsaved`. */
  closeTimeoutMs: 10_000,
  /**
   * So much lies over the pages on disk before rewriting them is worth it: entries, or their chars.
   */
  checkpointEntriesMin: 512,
  checkpointCharsMin: 512 * KI,
  /** Pages rewritten in one write. */
  checkpointTurnChars: 1 * MI,
  spacesOpenMax: 256,

  /** One space of a replica: own updates without a final place. Error: `too-many-pending`. */
  ownPendingMax: 500_000,
  /** Others' tentative updates that it holds; more are refused with `too-many-tentative`. */
  foreignPendingMax: 100_000,
  /** Commit entries kept for passing on; trimmed to three quarters when it is full. */
  entriesKeptMax: 4 * KI,
  /**
   * Conflicts kept until they are acknowledged; beyond it the oldest goes. Reported:
   * `conflicts-dropped`.
   */
  conflictsMax: 10_000,
  /** Updates named in one conflict as standing in the way. */
  obstaclesMax: 16,
  /** Live queries open at once in a space. Error: `too-many-queries`. */
  liveQueriesMax: 10_000,

  bundleCharsMax: 512 * MI,
  bundleLinesMax: 1_000_000,
} as const;

/**
 * Throws `invariant` when bounds contradict each other. They are constants, so a test asks once,
 * and so does every server at its start; pages do not carry the sentences.
 */
export function checkLimits(): void {
  invariant(limits.frameBytesMax >= 3 * limits.frameCharsMax, 'a socket takes any frame');
  invariant(
    limits.entryCharsMax + limits.envelopeChars <= limits.frameCharsMax,
    'a frame carries any entry',
  );
  invariant(limits.updateCharsMax < limits.entryCharsMax, 'an entry has room for its body');
  invariant(limits.rowCharsMax < limits.entryCharsMax, 'an entry has room for its biggest row');
  invariant(
    limits.pageCharsMax + limits.rowCharsMax + limits.envelopeChars <= limits.frameCharsMax,
    'a frame carries any page, also one that a big row overfills',
  );
  invariant(
    limits.pageCharsMin < limits.pageCharsTarget && limits.pageCharsTarget < limits.pageCharsMax,
    'pages are cut between min and max',
  );
  invariant(
    limits.pagesPerTransferMax * (limits.hashCharsMax + 3) + limits.envelopeChars <=
      limits.frameCharsMax,
    'a frame carries the hashes of all pages',
  );
  invariant(
    limits.vectorReplicasMax * (limits.replicaCharsMax + 20) + limits.envelopeChars <=
      limits.frameCharsMax,
    'a frame carries any vector',
  );
  invariant(
    limits.messageCharsTarget <= limits.turnChars && limits.turnChars <= limits.windowChars,
    'a message fits a turn, a turn fits the window',
  );
  invariant(
    2 * limits.ackEveryChars <= limits.windowChars,
    'acks come before the window is used up',
  );
  invariant(2 * limits.ackDelayMs < limits.stallMs, 'a slow ack is not taken for a stall');
  invariant(
    limits.pingIntervalMs < limits.pongTimeoutMs && limits.pongTimeoutMs < limits.stallMs * 2,
    'silence is asked about before it ends a link',
  );
  invariant(
    limits.reconnectMsMin < limits.reconnectMsMax && limits.reconnectMsMax < limits.refusedRetryMs,
    'a refusal is asked about less often than a lost link',
  );
  invariant(
    limits.connectNextMs <= limits.connectTimeoutMs && limits.suspectMs <= limits.pingIntervalMs &&
      limits.suspectAnswerMs <= limits.pongTimeoutMs,
    'whoever has a choice waits no longer than who has none',
  );
  invariant(limits.reconnectGrowth > 1, 'pauses grow');
  invariant(limits.spacesOpenMax <= limits.spacesPerLinkMax, 'one link carries all open spaces');
  invariant(
    limits.spaceCharsMax + limits.replicaCharsMax + 64 <= limits.storeKeyUnitsMax,
    'a store takes the keys of every space (replica/store-keys.ts)',
  );
}
