/**
 * A space as one link sees it: what anti-entropy may read (chosen entries only) and what happens to
 * what it brings (updates go to the actor, on behalf of whoever is behind the link). The server
 * makes commits and takes them from nobody.
 */
import { cutPages, isSeatOf } from '@oxbow/sdk/protocol';
import type {
  BaseSnapshot, CommitEntry, Holder, Mark, PageRow, Reception, ReplicaId, SnapshotPage, Summary,
  TentativeRun, Told, Update,
} from '@oxbow/sdk/protocol';
import type { Author, SpaceActor, StateSnapshot } from '../space/actor.js';

/** Whom a feed speaks for, and who hears what it took. */
export interface FeedOwner {
  readonly now: number;
  /** Rights at this moment. */
  author(space: SpaceActor['space']): Author;
  onExecuted(actor: SpaceActor, entry: CommitEntry, chars: number): void;
  onDuplicate(): void;
  /** The other side knows more commits of our history than we: ours has been set back. */
  onAhead(space: SpaceActor['space']): void;
}

const OK: Reception = { kind: 'ok' };
const GAP: Reception = { kind: 'gap' };
const NOT_PRIMARY: Reception = {
  kind: 'refused',
  code: 'not-primary',
  message: 'Cannot take commits: they are made here. Send updates only.',
};
const NONE: readonly never[] = [];

export class SpaceFeed implements Holder {
  readonly #actor: SpaceActor;
  readonly #history: string;
  readonly #owner: FeedOwner;

  constructor(actor: SpaceActor, history: string, owner: FeedOwner) {
    this.#actor = actor;
    this.#history = history;
    this.#owner = owner;
  }

  summary(): Summary {
    const { chosenCsn, inFlight } = this.#actor;
    return { history: this.#history, csn: chosenCsn, vector: inFlight };
  }

  settledSeq(replica: ReplicaId): number {
    return this.#actor.chosenSeq(replica);
  }

  entriesAfter(csn: number, maxEntries: number): readonly CommitEntry[] | 'trimmed' {
    return this.#actor.entriesAfter(csn, maxEntries);
  }

  newestOf(replica: ReplicaId): Mark | undefined {
    return this.#actor.newestOf(replica);
  }

  /** Nothing stays tentative here: an update is told about when it is an entry. */
  tentativeAfter(cursor: number): TentativeRun {
    return { updates: NONE, cursor };
  }

  snapshot(): BaseSnapshot | undefined {
    const state = this.#actor.snapshot();
    return state && baseOf(state, this.#history);
  }

  receiveUpdates(updates: readonly Update[]): Reception {
    const author = this.#owner.author(this.#actor.space);
    for (const update of updates) {
      const reception = this.#receive(update, author);
      if (reception !== OK) return reception;
    }
    return OK;
  }

  receiveAgain(update: Update): Reception {
    return this.#receive(update, this.#owner.author(this.#actor.space));
  }

  receiveCommits(): Reception {
    return NOT_PRIMARY;
  }

  receiveBase(): Reception {
    return NOT_PRIMARY;
  }

  havePages(): readonly string[] {
    return NONE;
  }

  pageByHash(): undefined {
    return undefined;
  }

  learned({ summary: { history, csn } }: Told): void {
    const { space, chosenCsn } = this.#actor;
    if (history === this.#history && csn > chosenCsn) this.#owner.onAhead(space);
  }

  #receive(update: Update, author: Author): Reception {
    const { replica } = update.id;
    const isCarried = !isSeatOf(author.replica, replica);
    if (isCarried && !this.#actor.mayCarry(update, author)) {
      return refused('foreign-replica', `Cannot take updates of '${replica}' from '${author.replica}': each replica brings its own, those of its tabs, and out of files those of the same user.`);
    }
    const intake = this.#actor.intake(update, author, this.#owner.now);
    switch (intake.kind) {
      case 'executed':
        this.#owner.onExecuted(this.#actor, intake.entry, intake.chars);
        return OK;
      case 'duplicate':
        this.#owner.onDuplicate();
        return OK;
      case 'gap':
        return GAP;
      case 'refused':
        return refused(intake.code, intake.message);
    }
  }
}

const refused = (code: string, message: string): Reception => ({ kind: 'refused', code, message });

function baseOf({ head, ledger, tables }: StateSnapshot, history: string): BaseSnapshot {
  return {
    ...head,
    history,
    ledger,
    *pages(): Generator<SnapshotPage, void, undefined> {
      for (const table of tables.names()) {
        const rows: Iterable<PageRow> = tables.rows(table);
        yield* cutPages(table, rows);
      }
    },
  };
}
