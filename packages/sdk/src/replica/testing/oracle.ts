/**
 * The replica as Bayou describes it, with nothing clever: after every step the committed entries
 * give the base, and all tentative updates are executed over it from the first to the last. What
 * the real replica shows must equal this.
 */
import { execute, placeOf, PRIMARY } from '../../model/index.js';
import type { AppDefinition, IndexHit, Range, Reader } from '../../model/index.js';
import { compareStamps, updateKey } from '../../protocol/index.js';
import type {
  CommitEntry, Effect, KeyText, Outcome, ReceivedBase, ReplicaId, Row, Update,
} from '../../protocol/index.js';

/** Sorted anew at every scan. */
export class NaiveTables implements Reader {
  readonly #app: AppDefinition;
  readonly #rows: Map<string, Map<KeyText, Row>>;

  constructor(app: AppDefinition, rows = new Map<string, Map<KeyText, Row>>()) {
    this.#app = app;
    this.#rows = rows;
  }

  copy(): NaiveTables {
    const rows = [...this.#rows].map(([table, of]): [string, Map<KeyText, Row>] => [table, new Map(of)]);
    return new NaiveTables(this.#app, new Map(rows));
  }

  apply(effects: readonly Effect[]): void {
    for (const { table, key, row } of effects) {
      const rows = this.#rows.get(table) ?? new Map<KeyText, Row>();
      this.#rows.set(table, rows);
      if (row === null) rows.delete(key);
      else rows.set(key, row);
    }
  }

  row(table: string, key: KeyText): Row | undefined {
    return this.#rows.get(table)?.get(key);
  }

  scan(table: string, index: string, { from, to }: Range, reverse: boolean): IndexHit[] {
    const shape = this.#app.shapes.get(table)?.indexes.find(({ name }) => name === index);
    const hits: IndexHit[] = [];
    for (const [key, row] of this.#rows.get(table) ?? []) {
      const place = index === PRIMARY || shape === undefined ? key : placeOf(shape, row, key);
      if (place >= from && (to === undefined || place < to)) hits.push({ place, key, row });
    }
    hits.sort((a, b) => (a.place < b.place ? -1 : 1));
    return reverse ? hits.reverse() : hits;
  }
}

export interface Believed {
  readonly committed: Reader;
  readonly tentative: Reader;
  /** In stamp order. */
  readonly pending: readonly { readonly id: string; readonly outcome: Outcome }[];
}

interface Written {
  readonly self: ReplicaId;
  readonly history: string;
  readonly csn: number;
  readonly base: NaiveTables;
  readonly log: readonly Update[];
  readonly users: ReadonlyMap<ReplicaId, string | null>;
  readonly settled: ReadonlyMap<ReplicaId, number>;
}

export class Oracle {
  readonly #app: AppDefinition;
  readonly #user: string | null;
  #base: NaiveTables;
  #users = new Map<ReplicaId, string | null>();
  #settled = new Map<ReplicaId, number>();
  #log: Update[] = [];
  #written: Written;
  self: ReplicaId;
  history = '';
  csn = 0;

  constructor(app: AppDefinition, self: ReplicaId, user: string | null) {
    this.#app = app;
    this.self = self;
    this.#user = user;
    this.#base = new NaiveTables(app);
    this.#written = {
      self, history: '', csn: 0, base: this.#base.copy(), log: [], users: new Map(), settled: new Map(),
    };
  }

  get log(): readonly Update[] {
    return this.#log;
  }

  add(update: Update): void {
    this.#log.push(update);
    this.#log.sort((a, b) => compareStamps(stamp(a), stamp(b)));
  }

  /** Takes what follows without a gap, as the prefix property has it. */
  receiveUpdates(updates: readonly Update[]): void {
    for (const update of updates) {
      const { replica, seq } = update.id;
      if (replica === this.self || seq <= this.known(replica)) continue;
      // reason: Object.entries forgets the branded key type.
      const seen = Object.entries(update.context.vector) as [ReplicaId, number][];
      const isMet = update.context.csn <= this.csn && seen.every(([of, last]) => last <= this.known(of));
      if (seq !== this.known(replica) + 1 || !isMet) return;
      this.add(update);
    }
  }

  receiveCommits(history: string, entries: readonly CommitEntry[]): void {
    if (this.history !== '' && this.history !== history) return;
    for (const entry of entries) {
      if (entry.csn !== this.csn + 1) continue;
      this.history = history;
      this.csn = entry.csn;
      this.#base.apply(entry.effects);
      this.#settle(entry.id.replica, entry.id.seq, entry.user);
    }
  }

  receiveBase(base: ReceivedBase): void {
    if (base.history === this.history && base.csn <= this.csn) return;
    if (this.history !== '' && base.history !== this.history) {
      this.#log = this.#log.filter(({ id }) => id.replica === this.self);
    }
    this.history = base.history;
    this.csn = base.csn;
    this.#base = new NaiveTables(this.#app);
    for (const { table, rows } of base.pages) {
      this.#base.apply(rows.map(([key, row]) => ({ table, key, row })));
    }
    this.#settled.clear();
    this.#users.clear();
    for (const { replica, seq, user } of base.ledger) this.#settle(replica, seq, user);
  }

  /** All that happened so far is on disk. */
  write(): void {
    const { self, history, csn } = this;
    this.#written = {
      self, history, csn, base: this.#base.copy(), log: [...this.#log],
      users: new Map(this.#users), settled: new Map(this.#settled),
    };
  }

  /** What was not on disk never happened. */
  restart(): void {
    const { self, history, csn, base, log, users, settled } = this.#written;
    this.self = self;
    this.history = history;
    this.csn = csn;
    this.#base = base.copy();
    this.#log = [...log];
    this.#users = new Map(users);
    this.#settled = new Map(settled);
  }

  reissued(replica: ReplicaId, updates: readonly Update[]): void {
    this.#log = this.#log.filter(({ id }) => id.replica !== this.self);
    this.self = replica;
    for (const update of updates) this.add(update);
  }

  known(replica: ReplicaId): number {
    const held = this.#log.filter(({ id }) => id.replica === replica).map(({ id }) => id.seq);
    return Math.max(this.#settled.get(replica) ?? 0, ...held);
  }

  replay(): Believed {
    const tentative = this.#base.copy();
    const pending = this.#log.map((update) => {
      const { replica } = update.id;
      const user = replica === this.self ? this.#user : (this.#users.get(replica) ?? null);
      const { outcome, effects } = execute(
        this.#app, tentative, { update, user, side: 'client', dev: true },
      );
      tentative.apply(effects);
      return { id: updateKey(update.id), outcome };
    });
    return { committed: this.#base, tentative, pending };
  }

  #settle(replica: ReplicaId, seq: number, user: string | null): void {
    this.#settled.set(replica, seq);
    this.#users.set(replica, user);
    this.#log = this.#log.filter(({ id }) => id.replica !== replica || id.seq > seq);
  }
}

const stamp = ({ lamport, id: { replica } }: Update) => ({ lamport, replica });
