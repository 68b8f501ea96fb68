/**
 * Who gives updates their final place, in tests: takes them from any replica in any order that
 * causality allows.
 */
import { execute, Tables } from '../../model/index.js';
import type { AppDefinition } from '../../model/index.js';
import { ledgerLineOf, markOf } from '../../protocol/index.js';
import type {
  CommitEntry, Effect, LedgerLine, Mark, Outcome, ReceivedBase, ReplicaId, Update,
} from '../../protocol/index.js';
import { snapshotOf } from '../base-picture.js';

export interface PrimaryRules {
  /** Everybody's, in place of one user per replica. */
  readonly user?: (() => string | undefined) | undefined;
  /** The last word, as a server has rules that clients do not know. */
  readonly overrule?: (update: Update) => { readonly outcome: Outcome; readonly effects: readonly Effect[] } | undefined;
}

export class Primary {
  readonly #app: AppDefinition;
  readonly #rules: PrimaryRules;
  #tables: Tables;
  #ledger = new Map<ReplicaId, LedgerLine>();
  #lamport = 0;
  /** By replica, in sequence, not committed yet. */
  #queues = new Map<ReplicaId, Update[]>();
  entries: CommitEntry[] = [];
  history: string;

  constructor(app: AppDefinition, history = 'one', rules: PrimaryRules = {}) {
    this.#app = app;
    this.#rules = rules;
    this.history = history;
    this.#tables = new Tables(app);
  }

  get csn(): number {
    return this.entries.length;
  }

  /** Known ones, and those that follow a hole, are ignored. */
  receive(updates: readonly Update[]): void {
    for (const update of updates) {
      const queue = this.#queues.get(update.id.replica) ?? [];
      this.#queues.set(update.id.replica, queue);
      const last = queue.at(-1)?.id.seq ?? this.settledSeq(update.id.replica);
      if (update.id.seq === last + 1) queue.push(update);
    }
  }

  settledSeq(replica: ReplicaId): number {
    return this.#ledger.get(replica)?.seq ?? 0;
  }

  newestOf(replica: ReplicaId): Mark | undefined {
    const line = this.#ledger.get(replica);
    return line && markOf(line);
  }

  /**
   * Commits the first of that replica's, or of the next one's that may be; false: nothing is left.
   */
  commit(choice: number): boolean {
    const ready = [...this.#queues.values()].flatMap((queue) => {
      const [first] = queue;
      return first !== undefined && this.#isMet(first) ? [queue] : [];
    });
    const update = ready[choice % Math.max(1, ready.length)]?.shift();
    if (update === undefined) return false;
    this.#commit(update);
    return true;
  }

  /** Everything after `csn` never happened: a restore from a backup. */
  rollBack(csn: number, history: string): void {
    const kept = this.entries.slice(0, csn);
    this.entries = [];
    this.#tables = new Tables(this.#app);
    this.#ledger = new Map();
    this.#queues = new Map();
    this.history = history;
    for (const entry of kept) this.#lay(entry);
  }

  base(): ReceivedBase {
    const { pages, ...head } = snapshotOf(
      {
        history: this.history, csn: this.csn, at: this.csn * 10, lamport: this.#lamport,
        ledger: [...this.#ledger.values()],
      },
      this.#tables,
    );
    const all = [];
    const run = pages();
    for (let page = run.next(); page.done !== true; page = run.next()) all.push(page.value);
    return { ...head, pages: all };
  }

  #isMet({ context }: Update): boolean {
    // reason: Object.entries forgets the branded key type.
    const seen = Object.entries(context.vector) as [ReplicaId, number][];
    return context.csn <= this.csn && seen.every(([replica, seq]) => seq <= this.settledSeq(replica));
  }

  #commit(update: Update): void {
    const { id, lamport, ...body } = update;
    const user = this.#rules.user?.() ?? userOf(id.replica);
    const { outcome, effects } = this.#rules.overrule?.(update)
      ?? execute(this.#app, this.#tables, { update, user, side: 'server', dev: true });
    this.#lay({
      csn: this.csn + 1, at: (this.csn + 1) * 10, id, lamport, user, outcome,
      // Through text, as over a wire: no row is the same object as the author's.
      effects: structuredClone(effects),
      body,
    });
  }

  #lay(entry: CommitEntry): void {
    this.entries.push(entry);
    this.#tables.apply(entry.effects);
    this.#lamport = Math.max(this.#lamport, entry.lamport);
    this.#ledger.set(entry.id.replica, ledgerLineOf(entry));
  }
}

/** Whose replica it is, as the primary has verified it. */
export const userOf = (replica: ReplicaId): string => `user of ${replica.split('-')[0] ?? ''}`;
