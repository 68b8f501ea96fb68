/**
 * Every bound of the protocol, in one place, related by assertions in check-limits.ts. A decoder
 * refuses what exceeds them, an encoder never makes it. Sizes are in UTF-16 code units of the
 * frame's text ("chars"): both sides can count them without encoding to bytes; a char is at most 3
 * bytes of UTF-8. Import it as a namespace: then a page carries only the numbers that it uses.
 */
const KI = 1024;
const MI = 1024 * KI;

/** One frame on a link; also one line of a bundle. Error: `message-too-large`. */
export const frameCharsMax = 4 * MI;
/** What a socket should accept at most, in bytes. */
export const frameBytesMax = 12 * MI;
/** Room for everything in a message besides its one biggest part. */
export const envelopeChars = 64 * KI;

/** One update as text. The author is told at once: `args-too-large`. */
export const updateCharsMax = 1 * MI;
/**
 * One commit entry as text, with body. A primary rejects what would exceed it: `limit-exceeded`.
 */
export const entryCharsMax = 3 * MI;
/** One row as text. */
export const rowCharsMax = 2 * MI;
export const updatesPerMessageMax = 1024;
export const entriesPerMessageMax = 1024;
/** A batch in a log payload: entries of many spaces. */
export const spacesPerBatchMax = 64 * KI;
export const effectsPerEntryMax = 10_000;
/**
 * Messages of a stream are cut when they reach this size, so that spaces can take turns on a
 * link.
 */
export const messageCharsTarget = 64 * KI;

/** Replicas with tentative updates in one summary or context. */
export const vectorReplicasMax = 10_000;
export const spaceCharsMax = 128;
export const replicaCharsMax = 64;
/** Tabs of one browser profile that write at the same time. Error: `too-many-tabs`. */
export const seatsMax = 64;
export const tableCharsMax = 64;
export const nameCharsMax = 128;
export const codeCharsMax = 64;
export const textCharsMax = 2 * KI;
export const userCharsMax = 256;
export const keyCharsMax = 4 * KI;
export const tokenCharsMax = 16 * KI;
export const urlCharsMax = 2 * KI;
export const hashCharsMax = 32;

/** Nesting of arrays and objects in a value. */
export const valueDepthMax = 64;
export const bigintDigitsMax = 4096;
export const regexpCharsMax = 4096;
/** Stays far below 2^53, so that one more is still exact. */
export const lamportMax = 2 ** 52;
/**
 * How far ahead of a holder's own counter an update may be: one wild writer must not use the
 * counter up.
 */
export const lamportJumpMax = 2 ** 32;
/** Wall times, ms since 1970: the range of a JavaScript date. */
export const atMax = 8_640_000_000_000_000;

/** Pages of a base: cut between these two sizes, at keys chosen by their hash (page.ts). */
export const pageCharsMin = 64 * KI;
export const pageCharsTarget = 256 * KI;
export const pageCharsMax = 1 * MI;
export const rowsPerPageMax = 64 * KI;
export const pagesPerTransferMax = 64 * KI;
/**
 * What an unfinished transfer may hold in memory at the receiver. Error: `transfer-too-large`.
 */
export const stagedCharsMax = 1024 * MI;
/**
 * A receiver without anything gets the base instead of entries when it is this many entries
 * behind.
 */
export const transferBehindEntries = 2 * KI;

/** Counted chars that may be under way on a link, one direction. */
export const windowChars = 1 * MI;
/** The receiver acknowledges at least this often … */
export const ackEveryChars = 128 * KI;
/** … and what is left over after this long. */
export const ackDelayMs = 500;
/** In flight and not one ack for so long: the link is taken for dead. Error: `link-stalled`. */
export const stallMs = 30_000;
/** What one space may send before the next one's turn. */
export const turnChars = 128 * KI;
export const spacesPerLinkMax = 1024;
/** Barriers without an answer on one link; one more is answered with `too-many-barriers`. */
export const barriersPerLinkMax = 256;
/** A replica asks again so long after a barrier that failed. */
export const barrierRetryMs = 100;
/** Linearizable reads of a replica that wait. Error: `too-many-reads`. */
export const readsWaitingMax = 10_000;

export const helloTimeoutMs = 10_000;
/** Silence after which a ping is sent. Exchanges repeat what got no answer at this pace, too. */
export const pingIntervalMs = 10_000;
/** Silence after a ping that ends the link. */
export const pongTimeoutMs = 20_000;

/**
 * A replica's link life (replica/session.ts): what an attempt may take, and the pauses between
 * attempts.
 */
export const tokenTimeoutMs = 15_000;
export const connectTimeoutMs = 15_000;
/** The same where there are other addresses to try; twice as long after each round of them. */
export const connectNextMs = 2_000;
export const reconnectMsMin = 100;
export const reconnectMsMax = 30_000;
/** Each pause is so many times the one before. */
export const reconnectGrowth = 1.5;
/** How often refusals may send an attempt elsewhere before it pauses. */
export const redirectsMax = 4;
export const addressesMax = 64;
/** An address that gave no answer is passed over for so long while there are others. */
export const silentAddressMs = 3_000;
/**
 * A link that lived so long and is lost is being replaced; only later it is worth a word to the
 * user. The pauses between attempts begin anew.
 */
export const resumeMs = 2_000;
/**
 * Where there are other addresses and something waits: silence after which the link must prove
 * that it lives …
 */
export const suspectMs = 1_000;
/**
 * … and the time that it has for it, or four round trips; twice as long after each vain suspicion.
 * With the silence before it: about when the others have another leader.
 */
export const suspectAnswerMs = 1_500;
/** A tick that comes so late says that we stood still ourselves: answers may wait behind it … */
export const lateTickMs = 250;
/** … and are given so long, once. */
export const lateGraceMs = 500;
/** After a refusal that nothing here can cure; the other side may have been changed. */
export const refusedRetryMs = 300_000;
/** A link that lived so long was a good one: what was refused before it may be asked again. */
export const healthyMs = 10_000;
/** A guest of whom nothing was heard for so long is gone; hidden tabs speak once a minute. */
export const guestSilentMs = 150_000;
/** A tab listens at this pace whether there is one that leads … */
export const tabTickMs = 1_000;
/** … and takes the lead from one that has been silent for so many ticks, though asked. */
export const tabSilentTicks = 6;
/** One that could not open the store tries again after so many ticks, twice as many each time. */
export const tabRestTicksMin = 2;
export const tabRestTicksMax = 64;
/** After a hint that the network changed: an answer must come so soon, or the link is dead. */
export const probeMs = 5_000;

/** A failing disk is tried again after these pauses. */
export const persistRetryMsMin = 200;
export const persistRetryMsMax = 10_000;
/** A disk that has failed for so long holds own updates back no longer. */
export const unsavedLeaveMs = 10_000;
/** A store that was deleted while it was open is begun anew so often; then memory has to do. */
export const storeRenewalsMax = 5;
/** Keys of records in a store: LMDB takes 1978 bytes, and a unit becomes at most three. */
export const storeKeyUnitsMax = 640;
/** Reads and writes that may wait in a store; a host keeps a few. Error: `store-busy`. */
export const storeJobsMax = 1024;
/** Operations in one write; a bigger batch is cut where a change ends. */
export const persistOpsTarget = 4_096;
/** Chars received that wait for the disk: beyond it links are cut until it has caught up. */
export const unsavedCharsMax = 64 * MI;
/** Nothing was written for so long: time to rewrite pages. */
export const checkpointIdleMs = 2_000;
/** Where it is never quiet, pages are rewritten after so long all the same. */
export const checkpointLatestMs = 30_000;
/** How long `close` waits for what is unsaved. Error: `close-unsaved`. */
export const closeTimeoutMs = 10_000;
/**
 * So much lies over the pages on disk before rewriting them is worth it: entries, or their chars.
 */
export const checkpointEntriesMin = 512;
export const checkpointCharsMin = 512 * KI;
/** Pages rewritten in one write. */
export const checkpointTurnChars = 1 * MI;
export const spacesOpenMax = 256;

/** One space of a replica: own updates without a final place. Error: `too-many-pending`. */
export const ownPendingMax = 500_000;
/** Others' tentative updates that it holds; more are refused with `too-many-tentative`. */
export const foreignPendingMax = 100_000;
/** Commit entries kept for passing on; trimmed to three quarters when it is full. */
export const entriesKeptMax = 4 * KI;
/**
 * Conflicts kept until they are acknowledged; beyond it the oldest goes. Reported:
 * `conflicts-dropped`.
 */
export const conflictsMax = 10_000;
/**
 * Former ids of a replica that are remembered per space. What was committed under older ones is not
 * missed when the server is restored to a state from before it.
 */
export const formerIdsMax = 32;
/** Updates named in one conflict as standing in the way. */
export const obstaclesMax = 16;
/** Updates without a final place that one may name as needed. Error: `too-many-needed`. */
export const needsMax = 256;
/** Refused updates that are remembered for those that need them, per space. */
export const refusalsMax = 4 * KI;
/** Own settled updates that can be taken back; beyond it the oldest can no longer be. */
export const undosMax = 256;
/** Live queries open at once in a space. Error: `too-many-queries`. */
export const liveQueriesMax = 10_000;

export const bundleCharsMax = 512 * MI;
export const bundleLinesMax = 1_000_000;
