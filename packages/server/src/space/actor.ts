/**
 * One active space: takes updates in, executes them at once and one after the other on state that
 * runs ahead of the log, and gives each its place in the order. What is executed is a promise to
 * ourselves only: until the log has chosen it, nobody is told (Terry et al., SOSP'95 §4.1, the
 * primary's commit; here durable first).
 */
import { Refusals, Tables, execute, freezeValue, refusalByNeeds } from '@oxbow/sdk/model';
import type { AppDefinition, Guard } from '@oxbow/sdk/model';
import { encodeEntry, invariant, limits as protocolLimits, MadeEntry, OxbowError } from '@oxbow/sdk/protocol';
import type {
  CommitEntry, LedgerLine, Mark, ReplicaId, SpaceId, Update, VersionVector,
} from '@oxbow/sdk/protocol';
import { birthEffects, isAhead, LIFT, LIFTER, pieces } from './lift.js';
import { KeptLog } from './kept-log.js';
import type { KeptLogBounds } from './kept-log.js';
import { Ledger } from './ledger.js';
import type { SpaceHead, StoredSpace } from './state-store.js';

/** On whose behalf an update comes in, as verified, at this moment. */
export interface Author {
  readonly replica: ReplicaId;
  readonly user: string | null;
  readonly mayWrite: boolean;
}

export type Intake =
  | ({ readonly kind: 'executed' } & Executed)
  /** Executed before, perhaps settled. */
  | { readonly kind: 'duplicate' }
  /** Something before it, or of what its author had seen, is missing here. */
  | { readonly kind: 'gap' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** It has its place; the entry is not chosen yet. `chars`: length of its text. */
export interface Executed {
  readonly entry: CommitEntry;
  readonly chars: number;
}

export interface ActorBounds extends KeptLogBounds {
  readonly replicasPerSpaceMax: number;
  /** Chars of rows in one of the commits that lift a space to a newer version of the app. */
  readonly liftCharsMax: number;
}

export interface ActorConfig {
  readonly app: AppDefinition;
  readonly dev: boolean;
  readonly guard?: Guard;
  readonly limits: ActorBounds;
}

/** The whole state as of one csn, frozen. */
export interface StateSnapshot {
  readonly head: SpaceHead;
  readonly ledger: readonly LedgerLine[];
  readonly tables: Tables;
}

const EMPTY_HEAD: SpaceHead = { csn: 0, at: 0, lamport: 0 };
const DUPLICATE: Intake = { kind: 'duplicate' };
const GAP: Intake = { kind: 'gap' };
const NO_EFFECTS: CommitEntry['effects'] = [];

type Decision = Pick<CommitEntry, 'outcome' | 'effects'>;
const FORBIDDEN: Decision = {
  outcome: { kind: 'rejected', code: 'forbidden' }, effects: NO_EFFECTS,
};

export class SpaceActor {
  readonly space: SpaceId;
  readonly #config: ActorConfig;
  readonly #tables: Tables;
  readonly #ledger: Ledger;
  readonly #kept: KeptLog;
  readonly #refusals: Refusals;
  /** After the last executed update. */
  #head: SpaceHead;
  // chosenCsn ≤ head.csn
  #chosenCsn: number;
  /** Taken while entries were in flight; given out once the last of them is chosen. */
  #held: StateSnapshot | undefined;

  constructor(space: SpaceId, config: ActorConfig, stored: StoredSpace | undefined) {
    this.space = space;
    this.#config = config;
    this.#head = stored?.head ?? EMPTY_HEAD;
    this.#chosenCsn = this.#head.csn;
    this.#ledger = new Ledger(stored?.ledger ?? []);
    this.#kept = new KeptLog(config.limits, stored?.entries ?? [], this.#head.csn);
    this.#refusals = new Refusals({
      ledger: stored?.ledger ?? [],
      older: () => this.#keptEntries(),
      settledSeq: (replica) => this.#ledger.executedSeq(replica),
      isAnothers: (replica, user) => this.#ledger.isAnothers(replica, user),
    });
    this.#tables = new Tables(config.app);
    if (stored !== undefined) fill(this.#tables, stored.rows, config.dev);
    if (isAhead(config.app, this.#tables)) throw ahead(space, config.app.version);
  }

  /**
   * Brings rows of older versions of the app into the present form, before anything else is
   * executed (lift.ts). `failed`: a row stays as it was.
   */
  lift(now: number, failed: (error: OxbowError) => void): readonly Executed[] {
    const { app, limits: { liftCharsMax: charsMax } } = this.#config;
    const done: Executed[] = [];
    // Nobody has written: its first commit will say in which form its rows are.
    if (this.#head.csn === 0) return done;
    for (const effects of pieces({ app, tables: this.#tables, charsMax, failed })) {
      const seq = this.#ledger.executedSeq(LIFTER) + 1;
      const update: Update = {
        id: { replica: LIFTER, seq }, lamport: this.#head.lamport + 1,
        context: { csn: this.#chosenCsn, vector: {} }, name: LIFT, version: app.version,
        args: { part: seq }, at: Math.max(0, Math.trunc(now)),
      };
      const decision: Decision = { outcome: { kind: 'applied' }, effects };
      const entry = this.#entryOf(update, { user: null, decision, now });
      done.push(this.#executed({ entry, chars: encodeEntry(entry).length }, update, null));
    }
    return done;
  }

  /** What everybody may know. */
  get chosenCsn(): number {
    return this.#chosenCsn;
  }

  get entriesInFlight(): number {
    return this.#head.csn - this.#chosenCsn;
  }

  /** Updates that are here and not chosen yet. */
  get inFlight(): VersionVector {
    return this.#ledger.inFlight;
  }

  chosenSeq(replica: ReplicaId): number {
    return this.#ledger.chosenSeq(replica);
  }

  /** The last of that replica's updates that is here, chosen or not. */
  newestOf(replica: ReplicaId): Mark | undefined {
    return this.#ledger.newestOf(replica);
  }

  entriesAfter(csn: number, maxEntries: number): readonly CommitEntry[] | 'trimmed' {
    return csn >= this.#chosenCsn ? [] : this.#kept.after(csn, maxEntries);
  }

  /**
   * Whether somebody may bring an update of another profile than the link's own, out of a file: one
   * of the same user's, or of one that has not been here yet. It has the id that its author gave
   * it, so it happens once, whoever brings it first.
   */
  mayCarry(update: Update, { user }: Author): boolean {
    return !this.#ledger.isAnothers(update.id.replica, user) && !this.#ledger.isRival(update);
  }

  /** Takes an update or says why not. `now`: wall time, ms since 1970. */
  intake(update: Update, author: Author, now: number): Intake {
    const { replica, seq } = update.id;
    // Whose profile it is, his are all its seats.
    if (this.#ledger.isAnothers(replica, author.user) ||
      (replica !== author.replica && this.#ledger.isAnothers(author.replica, author.user))) {
      return refused('replica-not-yours', `Replica '${replica}' has written here for another user. Write under a fresh replica id.`);
    }
    if (replica === LIFTER) return refused('replica-not-yours', `Nobody writes as '${LIFTER}'.`);
    if (this.#ledger.isRival(update)) return refused('replica-cloned', CLONED);
    const executed = this.#ledger.executedSeq(replica);
    if (seq <= executed) return DUPLICATE;
    if (seq > executed + 1) return GAP;
    return this.#obstacle(update, author) ?? this.#execute(update, author, now);
  }

  /**
   * The log has chosen these: the oldest that are in flight. `chars` of each entry's text is known
   * by now.
   */
  chosen(entries: readonly CommitEntry[]): void {
    for (const entry of entries) {
      invariant(entry.csn === this.#chosenCsn + 1, 'entries are chosen in their order');
      invariant(entry.csn <= this.#head.csn, 'what is chosen was executed here');
      this.#chosenCsn = entry.csn;
      this.#ledger.choose(entry.id);
      this.#kept.push(entry, encodeEntry(entry).length);
    }
  }

  /**
   * The state at some csn that is chosen; undefined: not now, ask again after the next `chosen`.
   */
  snapshot(): StateSnapshot | undefined {
    if (this.entriesInFlight === 0) return this.#take();
    this.#held ??= this.#take();
    return this.#held.head.csn <= this.#chosenCsn ? this.#held : undefined;
  }

  /** Whoever waited for a snapshot has asked for it: it must not hold on to old rows. */
  releaseSnapshot(): void {
    if (this.#held !== undefined && this.#held.head.csn <= this.#chosenCsn) this.#held = undefined;
  }

  #take(): StateSnapshot {
    return {
      head: this.#head, ledger: this.#ledger.executedLines(), tables: this.#tables.clone(),
    };
  }

  #keptEntries(): readonly CommitEntry[] {
    const entries = this.#kept.after(this.#kept.firstCsn - 1, Infinity);
    invariant(entries !== 'trimmed', 'what is kept reaches back to its first');
    return entries;
  }

  #obstacle(update: Update, author: Author): Intake | undefined {
    const { context, lamport, id } = update;
    if (isNewer(update, this.#config.app)) {
      return refused('update-newer', `'${update.name}' was written by a newer version of the app: update the server first. It waits.`);
    }
    if (context.csn > this.#chosenCsn) {
      return refused('context-ahead', `The update's author knew ${context.csn} commits, here are ${this.#chosenCsn}: the server was set back. Give its state a new history.`);
    }
    for (const replica in context.vector) {
      // reason: for-in forgets the branded key type.
      const other = replica as ReplicaId;
      if (other !== id.replica && (context.vector[other] ?? 0) > this.#ledger.executedSeq(other)) {
        return GAP;
      }
    }
    if (lamport > this.#head.lamport + protocolLimits.lamportJumpMax) {
      return refused('lamport-jump', 'The Lamport counter of an update is out of all proportion.');
    }
    return this.#ledger.has(id.replica) ? undefined : this.#newcomerObstacle(id.replica, author);
  }

  /**
   * Who was allowed to write and is no longer gets an answer, as a rejection in the order, from
   * whichever tab. Who never was must not make others carry anything of his.
   */
  #newcomerObstacle(replica: ReplicaId, author: Author): Intake | undefined {
    if (!author.mayWrite && !this.#ledger.knowsProfile(replica)) {
      return refused('forbidden', `You may read '${this.space}' but not write to it. Ask for the right.`);
    }
    const { replicasPerSpaceMax } = this.#config.limits;
    if (this.#ledger.size < replicasPerSpaceMax) return undefined;
    return refused('too-many-replicas', `${replicasPerSpaceMax} replicas have written to '${this.space}'. Split the space.`);
  }

  /** Everything that can fail comes before the first change of our state. */
  #execute(update: Update, author: Author, now: number): Intake {
    const fitting = this.#fitting(this.#decide(update, author, now), update);
    return { kind: 'executed', ...this.#executed(fitting, update, author.user) };
  }

  #executed(done: Executed, update: Update, user: string | null): Executed {
    const { entry } = done;
    this.#tables.apply(entry.effects);
    this.#ledger.execute(update, user);
    this.#refusals.note(entry);
    const lamport = Math.max(this.#head.lamport, update.lamport);
    this.#head = { csn: entry.csn, at: entry.at, lamport };
    return done;
  }

  #decide(update: Update, { user, mayWrite }: Author, now: number): CommitEntry {
    const decision = mayWrite ? this.#run(update, user) : FORBIDDEN;
    return this.#entryOf(update, { user, decision, now });
  }

  #entryOf(
    update: Update,
    { user, decision: { outcome, effects: decided }, now }: {
      readonly user: string | null; readonly decision: Decision; readonly now: number;
    },
  ): CommitEntry {
    const { id, lamport } = update;
    const csn = this.#head.csn + 1;
    // The first says in which form the rows of the space are, whatever becomes of itself.
    const birth = csn === 1 ? birthEffects(this.#config.app) : NO_EFFECTS;
    const effects = birth.length === 0 ? decided : [...decided, ...birth];
    // Clocks may jump back; commit timestamps never do.
    const at = Math.max(Math.trunc(now), this.#head.at);
    return new MadeEntry({ csn, at, id, lamport, user, outcome, effects, body: update });
  }

  #run(update: Update, user: string | null): Decision {
    const { app, dev, guard } = this.#config;
    const side = 'server';
    const refusal = refusalByNeeds(update.needs, (id) => this.#refusals.standingOf(id));
    const invocation = guard === undefined
      ? { update, user, side, dev, refusal } as const
      : { update, user, side, dev, refusal, guard } as const;
    return execute(app, this.#tables, invocation);
  }

  /**
   * An entry that no frame could carry becomes a rejection; so does one that cannot be written down
   * at all.
   */
  #fitting(entry: CommitEntry, update: Update): { entry: CommitEntry; chars: number } {
    try {
      return { entry, chars: encodeEntry(entry).length };
    } catch {
      const { context, name, version, at } = update;
      const small: CommitEntry = {
        ...entry,
        outcome: { kind: 'rejected', code: 'limit-exceeded' },
        effects: entry.csn === 1 ? birthEffects(this.#config.app) : NO_EFFECTS,
        body: { context, name, version, at, args: null },
      };
      return { entry: small, chars: encodeEntry(small).length };
    }
  }
}

/** A rejection would be final: it waits for a server that knows what it asks. */
function isNewer({ name, version, app = 1 }: Update, ours: AppDefinition): boolean {
  const known = ours.definitions.get(name);
  return app > ours.version || (known !== undefined && version > (known.version ?? 1));
}

const ahead = (space: SpaceId, version: number): OxbowError =>
  new OxbowError(
    'app-older',
    `The rows of '${space}' are of a newer version of the app than ${version}: update this server.`,
  );

const CLONED =
  'Another copy of this replica has written here under the same numbers. Write under a fresh replica id.';

const refused = (code: string, message: string): Intake => ({ kind: 'refused', code, message });

/**
 * Stores give rows in table and key order, which makes filling cheap; in any other order they are
 * put one by one.
 */
function fill(tables: Tables, rows: StoredSpace['rows'], dev: boolean): void {
  if (dev) for (const { row } of rows) freezeValue(row);
  const isOrdered = rows.every((row, i) => {
    const before = rows[i - 1];
    return before === undefined || before.table < row.table ||
      (before.table === row.table && before.key < row.key);
  });
  if (!isOrdered) return tables.apply(rows);
  for (let from = 0; from < rows.length; ) {
    const table = rows[from]?.table ?? '';
    let to = from;
    while (rows[to]?.table === table) to += 1;
    tables.load(table, rows.slice(from, to).map(({ key, row }) => [key, row] as const));
    from = to;
  }
}
