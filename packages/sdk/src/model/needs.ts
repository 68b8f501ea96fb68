/**
 * What becomes of an update when one that it stands on is refused. Re-running its check, as for all
 * others, is often enough; where it is not (a payment without its booking), whoever wrote it said
 * so, and it names what it needs. The primary knows the outcome of each by then, and its verdict
 * travels as an outcome like any other; replicas say beforehand what it will be. Bayou has no such
 * thing: there a write's check is all that guards it (Terry et al., SOSP'95 §4.3).
 */
import { updateKey } from '../protocol/index.js';
import { refusalsMax } from '../protocol/limits.js';
import type {
  CommitEntry, LedgerLine, Needs, Outcome, ReplicaId, UpdateId,
} from '../protocol/index.js';

/** `unknown`: it is settled, and what came of it is no longer known here. */
export type Standing = 'stands' | 'refused' | 'unknown';

const CODES = { reject: 'dependency-refused', review: 'dependency-review' } as const;

/** The refusal of an update with these needs; undefined: nothing stands against it. */
export function refusalByNeeds(
  needs: Needs | undefined, standingOf: (id: UpdateId) => Standing,
): Outcome | undefined {
  if (needs === undefined) return undefined;
  for (const id of neededBy(needs)) {
    const standing = standingOf(id);
    if (standing === 'stands') continue;
    const code = standing === 'unknown' ? 'dependency-unknown' : CODES[needs.policy];
    return { kind: 'rejected', code, detail: { replica: id.replica, seq: id.seq } };
  }
  return undefined;
}

export function* neededBy({ seqs }: Needs): Generator<UpdateId, void, undefined> {
  // reason: Object.entries forgets the branded key type.
  for (const [replica, of] of Object.entries(seqs) as [ReplicaId, readonly number[]][]) {
    for (const seq of of) yield { replica, seq };
  }
}

interface RefusalsConfig {
  /** As of now. */
  readonly ledger: readonly LedgerLine[];
  /** Entries up to now that are still kept. */
  readonly older: () => Iterable<CommitEntry>;
  /** How far a replica's updates are settled, whenever it is asked. */
  readonly settledSeq: (replica: ReplicaId) => number;
  /** Whether updates of that replica are settled as those of somebody else. */
  readonly isAnothers: (replica: ReplicaId, user: string | null) => boolean;
}

/**
 * Which settled updates were refused. What was settled before this program began to count is looked
 * up in the entries that are still kept, when somebody asks for the first time.
 */
export class Refusals {
  readonly #older: () => Iterable<CommitEntry>;
  readonly #settledSeq: RefusalsConfig['settledSeq'];
  readonly #isAnothers: RefusalsConfig['isAnothers'];
  /** Of each replica, nothing is known of updates up to here. */
  readonly #floors = new Map<ReplicaId, number>();
  /** In the order in which they were settled. */
  readonly #refused = new Map<string, UpdateId>();
  #hasLooked = false;

  constructor({ ledger, older, settledSeq, isAnothers }: RefusalsConfig) {
    this.#settledSeq = settledSeq;
    this.#isAnothers = isAnothers;
    for (const { replica, seq } of ledger) this.#floors.set(replica, seq);
    this.#older = older;
  }

  note({ id, user, outcome, body }: CommitEntry): void {
    if (outcome.kind !== 'rejected') {
      if (this.#refused.size > 0) this.#refused.delete(updateKey(id));
      return;
    }
    this.#add(id);
    // Who needs it may have known it under its first id. Whoever wrote it says which that was: of
    // another user's updates they say nothing. And where a profile was copied, the id may be that
    // of another update as well, whose fate is its own.
    const { formerly } = body ?? {};
    if (formerly === undefined || this.#isAnothers(formerly.replica, user)) return;
    if (formerly.seq > this.#settledSeq(formerly.replica)) this.#add(formerly);
  }

  /** Of an update that is settled. */
  standingOf(id: UpdateId): Standing {
    if (!this.#hasLooked) this.#look();
    if (this.#refused.has(updateKey(id))) return 'refused';
    return id.seq > (this.#floors.get(id.replica) ?? 0) ? 'stands' : 'unknown';
  }

  #look(): void {
    this.#hasLooked = true;
    const later = [...this.#refused.values()];
    this.#refused.clear();
    for (const entry of this.#older()) {
      const { replica, seq } = entry.id;
      if (seq <= (this.#floors.get(replica) ?? 0)) this.#floors.set(replica, seq - 1);
      this.note(entry);
    }
    for (const id of later) this.#add(id);
  }

  #add(id: UpdateId): void {
    this.#refused.set(updateKey(id), id);
    if (this.#refused.size <= refusalsMax) return;
    const [oldest] = this.#refused.values();
    if (oldest === undefined) return;
    this.#refused.delete(updateKey(oldest));
    const floor = this.#floors.get(oldest.replica) ?? 0;
    this.#floors.set(oldest.replica, Math.max(floor, oldest.seq));
  }
}
