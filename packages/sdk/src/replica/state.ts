/**
 * What one open space is, apart from who watches it: base, log and overlay, and how far it has
 * come.
 */
import { freezeValue, Tables } from '../model/index.js';
import type { AppDefinition, Guard } from '../model/index.js';
import type {
  Context, Mark, ReplicaId, Row, SpaceId, Summary, UpdateId,
} from '../protocol/index.js';
import type { IdentityLoss, SpaceHead, StoredReplicaSpace } from './changes.js';
import { Conflicts } from './conflict.js';
import { KeptLog } from './kept-log.js';
import { Ledger } from './ledger.js';
import { TentativeLog } from './log.js';
import type { LogEntry } from './log.js';
import { Overlay } from './overlay.js';
import type { Ground } from './rebase.js';
import type { Holding } from './reception.js';
import { Runner } from './runner.js';

export interface StateConfig<A extends AppDefinition> {
  readonly app: A;
  readonly space: SpaceId;
  readonly replica: ReplicaId;
  /** `tx.user` of own updates. */
  readonly user: string | null;
  /** Freeze rows, report mutations that are not deterministic. */
  readonly dev: boolean;
  readonly guard?: Guard | undefined;
  readonly stored?: StoredReplicaSpace | undefined;
}

export class SpaceState<A extends AppDefinition> implements Holding {
  readonly space: SpaceId;
  readonly runner: Runner<A>;
  readonly ground: Ground;
  readonly kept = new KeptLog();
  readonly conflicts: Conflicts;
  readonly dev: boolean;
  replica: ReplicaId;
  user: string | null;
  ledger: Ledger;
  history: string;
  csn: number;
  /** Commit timestamp at `csn`, ms. */
  at: number;
  /** Of the commits. */
  committedLamport: number;
  /** The highest ever seen: the next own update is above it. */
  lamport: number;
  /** Of the next own update. */
  nextSeq = 1;
  /** Set while own updates may not leave. */
  lost: IdentityLoss | undefined;
  #context: Context | undefined;
  #summary: Summary | undefined;

  constructor({ app, space, replica, user, dev, guard, stored }: StateConfig<A>) {
    this.space = space;
    this.dev = dev;
    this.user = user;
    this.runner = new Runner({ app, dev, guard });
    const head = stored?.head;
    this.replica = head?.replica ?? replica;
    this.history = head?.history ?? '';
    this.csn = head?.csn ?? 0;
    this.at = head?.at ?? 0;
    this.committedLamport = head?.lamport ?? 0;
    this.lamport = this.committedLamport;
    this.lost = head?.lost;
    this.nextSeq = (stored?.issued ?? 0) + 1;
    this.ledger = new Ledger(stored?.ledger ?? []);
    this.conflicts = new Conflicts(stored?.conflicts ?? []);
    const ground = {
      runner: this.runner,
      log: new TentativeLog(),
      base: this.#tablesOf(stored?.rows ?? []),
    };
    this.ground = { ...ground, overlay: new Overlay(app, () => this.ground.base) };
    for (const entry of stored?.entries ?? []) this.kept.add({ entry, before: undefined });
  }

  get head(): SpaceHead {
    const { history, csn, at, committedLamport: lamport, replica, lost } = this;
    const head = { history, csn, at, lamport, replica };
    return lost === undefined ? head : { ...head, lost };
  }

  /** What the next own update's author has seen. The same object while that stays. */
  get context(): Context {
    return (this.#context ??= { csn: this.csn, vector: this.ground.log.vector(this.replica) });
  }

  /** Own updates that may not leave are not in it. The same object while it stays. */
  get summary(): Summary {
    const { history, csn, ground, replica, lost } = this;
    const except = lost === undefined ? undefined : replica;
    return (this.#summary ??= { history, csn, vector: ground.log.vector(except) });
  }

  /** After every change of the history, of csn, or of what is held and may be passed on. */
  heldChanged(): void {
    this.#context = undefined;
    this.#summary = undefined;
  }

  userOf(replica: ReplicaId): string | null {
    return replica === this.replica ? this.user : this.ledger.userOf(replica);
  }

  /** The highest sequence of that replica that is settled or held. */
  knownSeq(replica: ReplicaId): number {
    return Math.max(this.ledger.seqOf(replica), this.ground.log.lastSeq(replica) ?? 0);
  }

  settledMark(replica: ReplicaId): Mark | undefined {
    return this.ledger.markOf(replica);
  }

  settledSeq(replica: ReplicaId): number {
    return this.ledger.seqOf(replica);
  }

  held(id: UpdateId): LogEntry | undefined {
    return this.ground.log.get(id);
  }

  /** Own updates follow the settled ones without a gap, and no number is missing at their end. */
  get isSequenceWhole(): boolean {
    let next = this.settledSeq(this.replica) + 1;
    for (const { update } of this.ground.log.of(this.replica)) {
      if (update.id.seq !== next) return false;
      next += 1;
    }
    return next === this.nextSeq;
  }

  firstOwn(): LogEntry | undefined {
    return this.ground.log.firstOf(this.replica);
  }

  get foreignCount(): number {
    return this.ground.log.size - this.ground.log.countOf(this.replica);
  }

  /** From outside: in development frozen like all others. */
  row<R extends Row | null>(row: R): R {
    return this.dev ? freezeValue(row) : row;
  }

  #tablesOf(rows: StoredReplicaSpace['rows']): Tables {
    const tables = new Tables(this.runner.app);
    for (const { table, key, row } of rows) tables.apply([{ table, key, row: this.row(row) }]);
    return tables;
  }
}
