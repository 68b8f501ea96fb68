/**
 * replica → last settled sequence and verified user: the part of the committed state that makes
 * updates count once.
 */
import { markOf, type LedgerLine, type Mark, type ReplicaId } from '../protocol/index.js';

export class Ledger {
  readonly #lines = new Map<string, LedgerLine>();

  constructor(lines: readonly LedgerLine[]) {
    for (const line of lines) this.#lines.set(line.replica, line);
  }

  /** 0: nothing of that replica is settled. */
  seqOf(replica: string): number {
    return this.#lines.get(replica)?.seq ?? 0;
  }

  /** Null: not known yet. */
  userOf(replica: ReplicaId): string | null {
    return this.#lines.get(replica)?.user ?? null;
  }

  /** Updates of it are settled, as those of somebody else. */
  isAnothers(replica: ReplicaId, user: string | null): boolean {
    const line = this.#lines.get(replica);
    return line !== undefined && line.user !== user;
  }

  /**
   * Which update is the last that is settled of that replica; undefined where that is not known.
   */
  markOf(replica: ReplicaId): Mark | undefined {
    const line = this.#lines.get(replica);
    return line && markOf(line);
  }

  settle(line: LedgerLine): void {
    this.#lines.set(line.replica, line);
  }

  lines(): LedgerLine[] {
    return [...this.#lines.values()];
  }
}
