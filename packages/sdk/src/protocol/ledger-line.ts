/**
 * A line of the ledger: how far the updates of one replica are settled, whose replica it is, and
 * which update was the last. A sequence number alone does not say that: two copies of one store
 * count on under the same id, and one of theirs would be taken for the other's. Their counters and
 * clocks differ.
 */
import type { PageRow } from './message.js';
import type { CommitEntry, LedgerLine, Mark, Update } from './update.js';

/** As the ledger stands after that entry. */
export function ledgerLineOf(entry: CommitEntry): LedgerLine {
  const { id: { replica, seq }, user, lamport, body, madeAt = body?.at } = entry;
  return madeAt === undefined ? { replica, seq, user } : { replica, seq, user, lamport, madeAt };
}

/** As it stands in a page of the ledger. */
export function ledgerRow({ replica, seq, user, lamport, madeAt }: LedgerLine): PageRow {
  const isMarked = lamport !== undefined && madeAt !== undefined;
  return [replica, isMarked ? { seq, user, lamport, madeAt } : { seq, user }];
}

/** What the line knows of its last update; undefined where it was written without. */
export function markOf({ seq, lamport, madeAt }: LedgerLine): Mark | undefined {
  return lamport === undefined || madeAt === undefined ? undefined : { seq, lamport, madeAt };
}

/**
 * Whether the update, of the same replica, cannot belong to the sequence whose update `mark` is: it
 * bears that one's number and is another, or its counter does not ascend with its number.
 */
export function isRival(
  { id: { seq }, lamport, at }: Pick<Update, 'id' | 'lamport' | 'at'>, mark: Mark,
): boolean {
  if (seq === mark.seq) return lamport !== mark.lamport || at !== mark.madeAt;
  return seq < mark.seq ? lamport >= mark.lamport : lamport <= mark.lamport;
}
