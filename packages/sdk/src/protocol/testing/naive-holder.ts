/**
 * The simplest holder that keeps the rules: lists and maps, nothing clever. Tests of anti-entropy
 * compare against it, and it checks by itself that nothing reaches it out of order.
 */
import {
  bareEntry, compareStamps, cutPages, invariant, updateKey,
  type BaseSnapshot, type CommitEntry, type Holder, type LedgerLine, type Outcome, type PageRow,
  type ReceivedBase, type Reception, type ReplicaId, type Row,
  type SnapshotPage, type Stamp, type Summary,
  type TentativeRun, type Update,
} from '../index.js';

export const replica = (name: string): ReplicaId =>
  // reason: tests name their replicas.
  name as ReplicaId;

const stampOf = ({ lamport, id }: Update): Stamp => ({ lamport, replica: id.replica });

const OK: Reception = { kind: 'ok' };

export class NaiveHolder implements Holder {
  readonly self: ReplicaId;
  history: string;
  csn = 0;
  /** Entries up to here are no longer kept. */
  trimmed = 0;
  entries: CommitEntry[] = [];
  rows = new Map<string, Map<string, Row>>();
  ledger = new Map<ReplicaId, LedgerLine>();
  /** In order of arrival. */
  tentative: { readonly arrival: number; readonly update: Update }[] = [];
  /** What was received, for traces. */
  readonly log: string[] = [];
  canSnapshot = true;
  refusing: string | undefined;
  pageBounds = { pageCharsMin: 200, pageCharsTarget: 400, pageCharsMax: 800, rowsPerPageMax: 50 };
  promised: readonly string[] | undefined;
  #arrivals = 0;
  #seq = 0;
  #lamport = 0;

  constructor(self: string, history = '') {
    this.self = replica(self);
    this.history = history;
  }

  // ---- what the tests do

  /** A tentative update of our own. */
  write(args: unknown = {}): Update {
    const vector: Record<ReplicaId, number> = {};
    for (const { update } of this.tentative) {
      if (update.id.replica !== this.self) vector[update.id.replica] = update.id.seq;
    }
    this.#seq = Math.max(this.#seq, this.known(this.self)) + 1;
    this.#lamport += 1;
    const update: Update = {
      id: { replica: this.self, seq: this.#seq }, lamport: this.#lamport,
      context: { csn: this.csn, vector }, name: 'set', version: 1, args, at: 1000 + this.#lamport,
    };
    this.#arrive(update);
    return update;
  }

  /** As a primary: gives the oldest tentative updates their final place. */
  commit(count = 1, outcome: Outcome = { kind: 'applied' }): void {
    for (let i = 0; i < count; i++) {
      const update = this.tentative[0]?.update;
      if (update === undefined) return;
      const { context, name, version, args, at, id, lamport } = update;
      const key = `${id.replica}-${id.seq}`;
      this.#settle({
        csn: this.csn + 1, at: 5000 + this.csn, id, lamport, user: null, outcome,
        effects: [{ table: 't', key, row: { key, args } }],
        body: { context, name, version, args, at },
      });
    }
  }

  trim(csn: number): void {
    this.trimmed = Math.max(this.trimmed, Math.min(csn, this.csn));
    this.entries = this.entries.filter((entry) => entry.csn > this.trimmed);
  }

  known(of: ReplicaId): number {
    const seqs = this.tentative.filter(({ update }) => update.id.replica === of)
      .map(({ update }) => update.id.seq);
    return Math.max(this.settledSeq(of), ...seqs);
  }

  /** All that two converged holders have in common. */
  state(): string {
    const rows = [...this.rows].flatMap(([table, of]) =>
      [...of].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => [table, key, row]));
    const tentative = this.tentative.map(({ update }) => update)
      .sort((a, b) => compareStamps(stampOf(a), stampOf(b)))
      .map(({ id }) => updateKey(id));
    const ledger = [...this.ledger.values()].map(({ replica: of, seq }) => `${of}/${seq}`).sort();
    return JSON.stringify({ history: this.history, csn: this.csn, rows, tentative, ledger });
  }

  // ---- HolderSource

  summary(): Summary {
    const vector: Record<ReplicaId, number> = {};
    for (const { update: { id } } of this.tentative) {
      vector[id.replica] = Math.max(vector[id.replica] ?? 0, id.seq);
    }
    return { history: this.history, csn: this.csn, vector };
  }

  settledSeq(of: string): number {
    return this.ledger.get(replica(of))?.seq ?? 0;
  }

  entriesAfter(csn: number, maxEntries: number): readonly CommitEntry[] | 'trimmed' {
    if (csn < this.trimmed) return 'trimmed';
    return this.entries.filter((entry) => entry.csn > csn).slice(0, maxEntries);
  }

  tentativeAfter(cursor: number, maxUpdates: number): TentativeRun {
    const run = this.tentative.filter(({ arrival }) => arrival > cursor).slice(0, maxUpdates);
    return { updates: run.map(({ update }) => update), cursor: run.at(-1)?.arrival ?? cursor };
  }

  snapshot(): BaseSnapshot | undefined {
    if (!this.canSnapshot) return undefined;
    const tables = [...this.rows].map(([table, of]): [string, PageRow[]] =>
      [table, [...of].sort(([a], [b]) => (a < b ? -1 : 1))]);
    const bounds = this.pageBounds;
    function* pages(): Generator<SnapshotPage, void, undefined> {
      for (const [table, rows] of tables) yield* cutPages(table, rows, bounds);
    }
    return {
      history: this.history, csn: this.csn, at: 5000, lamport: this.#lamport,
      ledger: [...this.ledger.values()], pages,
    };
  }

  // ---- HolderSink

  receiveUpdates(updates: readonly Update[]): Reception {
    if (this.refusing !== undefined) {
      return { kind: 'refused', code: this.refusing, message: 'No.' };
    }
    for (const update of updates) {
      const { id, context } = update;
      invariant(id.seq === this.known(id.replica) + 1, 'each update is the next of its replica');
      invariant(context.csn <= this.csn, 'what an update has seen committed came before it');
      for (const [of, seq] of Object.entries(context.vector)) {
        invariant(this.known(replica(of)) >= seq, 'what an update has seen came before it');
      }
      this.log.push(updateKey(id));
      this.#arrive(update);
    }
    return OK;
  }

  receiveCommits(history: string, entries: readonly CommitEntry[]): Reception {
    invariant(this.history === '' || this.history === history, 'commits are of our history');
    this.history = history;
    for (const entry of entries) {
      invariant(entry.csn === this.csn + 1, 'commits come in order without a gap');
      if (entry.id.seq <= this.settledSeq(entry.id.replica)) {
        return { kind: 'refused', code: 'settled-twice', message: 'No update settles twice.' };
      }
      this.log.push(`csn ${entry.csn}${entry.body === undefined ? '' : ' with body'}`);
      this.#settle(entry);
    }
    return OK;
  }

  havePages(): readonly string[] {
    if (this.promised !== undefined) return this.promised;
    return [...this.#ownPages()].map(({ hash }) => hash);
  }

  pageByHash(hash: string): readonly PageRow[] | undefined {
    return [...this.#ownPages()].find((page) => page.hash === hash)?.rows;
  }

  receiveBase(base: ReceivedBase): Reception {
    this.log.push(`base ${base.csn}`);
    if (this.history !== '' && this.history !== base.history) {
      this.tentative = this.tentative.filter(({ update }) => update.context.csn === 0);
    }
    this.history = base.history;
    this.csn = base.csn;
    this.trimmed = base.csn;
    this.entries = [];
    this.rows = new Map();
    for (const { table, rows } of base.pages) {
      for (const [key, row] of rows) this.#table(table).set(key, row);
    }
    this.ledger = new Map(base.ledger.map((line) => [line.replica, line]));
    this.#dropSettled();
    return OK;
  }

  #arrive(update: Update): void {
    this.#lamport = Math.max(this.#lamport, update.lamport);
    this.#arrivals += 1;
    this.tentative.push({ arrival: this.#arrivals, update });
  }

  #settle(entry: CommitEntry): void {
    invariant(entry.id.seq > this.settledSeq(entry.id.replica), 'updates settle in order');
    const held = this.tentative.find(({ update }) => updateKey(update.id) === updateKey(entry.id));
    const { update } = held ?? {};
    const body = entry.body ?? (update === undefined ? undefined : {
      context: update.context, name: update.name, version: update.version,
      args: update.args, at: update.at,
    });
    this.entries.push(body === undefined ? entry : { ...bareEntry(entry), body });
    this.csn = entry.csn;
    this.#lamport = Math.max(this.#lamport, entry.lamport);
    for (const { table, key, row } of entry.effects) {
      if (row === null) this.#table(table).delete(key);
      else this.#table(table).set(key, row);
    }
    const { replica: of, seq } = entry.id;
    this.ledger.set(of, { replica: of, seq, user: entry.user });
    this.#dropSettled();
  }

  #dropSettled(): void {
    this.tentative = this.tentative.filter(
      ({ update }) => update.id.seq > this.settledSeq(update.id.replica),
    );
  }

  #ownPages(): SnapshotPage[] {
    const snapshot = this.canSnapshot ? this.snapshot() : undefined;
    if (snapshot === undefined) return [];
    const pages: SnapshotPage[] = [];
    const all = snapshot.pages();
    for (let next = all.next(); next.done !== true; next = all.next()) pages.push(next.value);
    return pages;
  }

  #table(name: string): Map<string, Row> {
    let table = this.rows.get(name);
    if (table === undefined) this.rows.set(name, (table = new Map<string, Row>()));
    return table;
  }
}
