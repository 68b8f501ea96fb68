/**
 * Which updates of a space are settled: replica → last sequence, and whose replica it is. Holding
 * it is what makes an update happen once however often it arrives. It counts twice: what is
 * executed (intake goes by it), and what is chosen (only that is told to anyone).
 */
import { invariant, isRival, markOf, profileOf } from '@oxbow/sdk/protocol';
import type { LedgerLine, Mark, ReplicaId, Update, UpdateId } from '@oxbow/sdk/protocol';

interface Line {
  readonly user: string | null;
  // chosen ≤ executed
  executed: number;
  chosen: number;
  /**
   * Which update the last executed one is; undefined where an older version of this code wrote the
   * line.
   */
  mark: Mark | undefined;
}

export class Ledger {
  readonly #lines = new Map<ReplicaId, Line>();
  /** Whose a profile is: the user who wrote first from any of its seats. */
  readonly #owners = new Map<ReplicaId, string | null>();
  /**
   * Executed and not chosen, as a version vector. The same object always: it is read once per
   * message, and building it anew would cost more than executing an update.
   */
  readonly inFlight: Record<ReplicaId, number> = {};

  constructor(stored: readonly LedgerLine[]) {
    for (const line of stored) {
      const { replica, seq, user } = line;
      this.#add(replica, { user, executed: seq, chosen: seq, mark: markOf(line) });
    }
  }

  get size(): number {
    return this.#lines.size;
  }

  has(replica: ReplicaId): boolean {
    return this.#lines.has(replica);
  }

  /** Some seat of that replica's profile has written. */
  knowsProfile(replica: ReplicaId): boolean {
    return this.#owners.has(profileOf(replica));
  }

  /** A profile, with all its seats, belongs to the user of its first update here, for ever. */
  isAnothers(replica: ReplicaId, user: string | null): boolean {
    const line = this.#lines.get(replica);
    if (line !== undefined) return line.user !== user;
    const owner = this.#owners.get(profileOf(replica));
    return owner !== undefined && owner !== user;
  }

  /** The last executed update of that replica. */
  newestOf(replica: ReplicaId): Mark | undefined {
    return this.#lines.get(replica)?.mark;
  }

  /** The update cannot be of the one program whose updates were executed under that id. */
  isRival(update: Update): boolean {
    const mark = this.#lines.get(update.id.replica)?.mark;
    return mark !== undefined && isRival(update, mark);
  }

  executedSeq(replica: ReplicaId): number {
    return this.#lines.get(replica)?.executed ?? 0;
  }

  chosenSeq(replica: ReplicaId): number {
    return this.#lines.get(replica)?.chosen ?? 0;
  }

  execute({ id: { replica, seq }, lamport, at: madeAt }: Update, user: string | null): void {
    const line = this.#lines.get(replica);
    invariant(seq === (line?.executed ?? 0) + 1, 'a replica\'s updates are executed in sequence');
    const mark = { seq, lamport, madeAt };
    if (line === undefined) {
      this.#add(replica, { user, executed: seq, chosen: 0, mark });
    } else {
      line.executed = seq;
      line.mark = mark;
    }
    this.inFlight[replica] = seq;
  }

  #add(replica: ReplicaId, line: Line): void {
    this.#lines.set(replica, line);
    const profile = profileOf(replica);
    if (!this.#owners.has(profile)) this.#owners.set(profile, line.user);
  }

  choose({ replica, seq }: UpdateId): void {
    const line = this.#lines.get(replica);
    invariant(line !== undefined && seq === line.chosen + 1, 'updates are chosen in sequence');
    line.chosen = seq;
    if (line.executed === seq) delete this.inFlight[replica];
  }

  /** As of the last executed update. */
  executedLines(): LedgerLine[] {
    return Array.from(this.#lines, ([replica, { user, executed, mark }]) => ({
      replica, user, ...(mark ?? { seq: executed }),
    }));
  }
}
