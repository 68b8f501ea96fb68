/** How the bounds of the protocol relate. */
import { invariant } from './error.js';
import * as limits from './limits.js';

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
  invariant(limits.lateTickMs < limits.suspectAnswerMs, 'a late tick is told from a slow answer');
  invariant(limits.reconnectGrowth > 1, 'pauses grow');
  invariant(limits.spacesOpenMax <= limits.spacesPerLinkMax, 'one link carries all open spaces');
  invariant(
    limits.spaceCharsMax + limits.replicaCharsMax + 64 <= limits.storeKeyUnitsMax,
    'a store takes the keys of every space (replica/store-keys.ts)',
  );
}
