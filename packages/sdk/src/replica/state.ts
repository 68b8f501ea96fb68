/**
 * What one open space is, apart from who watches it: base, log and overlay, and how far it has
 * come.
 */
import { FORM_TABLE, freezeValue, Refusals, Tables } from '../model/index.js';
import { isSeatOf, seatId, updateKey } from '../protocol/index.js';
import type { AppDefinition, Guard, Standing } from '../model/index.js';
import type {
  CommitEntry, Context, LedgerLine, Mark, OxbowError, ReplicaId, Row, SpaceId, Summary, UpdateId,
  VersionVector,
} from '../protocol/index.js';
import { formerIdsMax } from '../protocol/limits.js';
import type {
  IdentityLoss, SpaceHead, StoredReplicaSpace, StoredTable,
} from './changes.js';
import { Conflicts } from './conflict.js';
import { KeptLog } from './kept-log.js';
import { Ledger } from './ledger.js';
import { Lifting } from './lifting.js';
import { TentativeLog } from './log.js';
import type { LogEntry } from './log.js';
import { Overlay } from './overlay.js';
import type { Ground } from './rebase.js';
import type { Holding } from './reception.js';
import { Runner } from './runner.js';
import { Undos } from './undo.js';

export interface StateConfig<A extends AppDefinition> {
  readonly app: A;
  readonly space: SpaceId;
  /** The profile's id: all own updates bear it, or that of one of its seats (seats.ts). */
  readonly replica: ReplicaId;
  /** Which seat is ours; undefined: none yet, nothing is written here. Default: 0. */
  readonly seat?: number | undefined;
  /**
   * We keep the profile's disk: its updates are passed on once they are there. Otherwise another
   * program does, and ours go to it at once. Default: true.
   */
  readonly isKeeper?: boolean;
  /** `tx.user` of own updates. */
  readonly user: string | null;
  /** Freeze rows, report mutations that are not deterministic. */
  readonly dev: boolean;
  readonly guard?: Guard | undefined;
  readonly report?: ((error: OxbowError) => void) | undefined;
  readonly stored?: StoredReplicaSpace | undefined;
}

// reason: no id is empty, so nobody has this one.
const NOBODY = '' as ReplicaId;

/** The highest number that the seat gave out, as the disk tells. */
function issuedAt(seat: number | undefined, stored: StoredReplicaSpace | undefined): number {
  if (stored === undefined || seat === undefined) return 0;
  return seat === 0 ? stored.issued : stored.issuedBySeat?.[seat] ?? 0;
}

export class SpaceState<A extends AppDefinition> implements Holding {
  readonly space: SpaceId;
  readonly runner: Runner<A>;
  readonly ground: Ground;
  readonly kept = new KeptLog();
  readonly lifting: Lifting;
  readonly conflicts: Conflicts;
  readonly undos: Undos;
  readonly dev: boolean;
  /** The profile's id. */
  profile: ReplicaId;
  /** Ids that the profile had before, the newest last: what was settled under them is ours, too. */
  former: readonly ReplicaId[];
  /** The id that the profile has been given since: ours go over to it when all is known. */
  nextProfile: ReplicaId | undefined;
  seat: number | undefined;
  isKeeper: boolean;
  /** Where another tab keeps the disk: how far the profile's updates are on it, as it says. */
  savedByKeeper: VersionVector = {};
  user: string | null;
  ledger: Ledger;
  refusals: Refusals;
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

  constructor(config: StateConfig<A>) {
    const { app, space, replica, user, dev, guard, stored, report = () => undefined } = config;
    this.space = space;
    this.dev = dev;
    this.user = user;
    this.runner = new Runner({ app, dev, guard });
    this.lifting = new Lifting(app, report);
    const head = stored?.head;
    this.profile = head?.replica ?? replica;
    this.former = head?.former ?? [];
    this.seat = 'seat' in config ? config.seat : 0;
    this.isKeeper = config.isKeeper ?? true;
    this.history = head?.history ?? '';
    this.csn = head?.csn ?? 0;
    this.at = head?.at ?? 0;
    this.committedLamport = head?.lamport ?? 0;
    this.lamport = this.committedLamport;
    this.lost = head?.lost;
    this.nextSeq = issuedAt(this.seat, stored) + 1;
    this.ledger = new Ledger(stored?.ledger ?? []);
    this.conflicts = new Conflicts(stored?.conflicts ?? []);
    this.undos = new Undos(stored?.undos ?? []);
    const ground = {
      runner: this.runner,
      log: new TentativeLog(),
      base: this.#tablesOf(stored?.tables ?? []),
      standingOf: (id: UpdateId) => this.#standingOf(id),
    };
    this.ground = { ...ground, overlay: new Overlay(app, () => this.ground.base) };
    for (const entry of stored?.entries ?? []) this.kept.add({ entry, before: undefined });
    this.refusals = this.refusalsSince(stored?.ledger ?? [], () => this.kept.entries());
  }

  /** `older`: entries that are kept of what the ledger counts. */
  refusalsSince(ledger: readonly LedgerLine[], older: () => Iterable<CommitEntry>): Refusals {
    return new Refusals({
      ledger, older,
      settledSeq: (replica) => this.ledger.seqOf(replica),
      isAnothers: (replica, user) => this.ledger.isAnothers(replica, user),
    });
  }

  get head(): SpaceHead {
    const { history, csn, at, committedLamport: lamport, profile: replica, lost } = this;
    const { former } = this;
    return {
      history, csn, at, lamport, replica,
      ...(lost !== undefined && { lost }), ...(former.length > 0 && { former }),
    };
  }

  /** What the next own update's author has seen. The same object while that stays. */
  get context(): Context {
    return (this.#context ??= { csn: this.csn, vector: this.ground.log.seen(this.replica) });
  }

  /** Own updates that may not leave are not in it. The same object while it stays. */
  get summary(): Summary {
    const { history, csn, ground, lost } = this;
    const isLeftOut = (id: ReplicaId): boolean => lost !== undefined && this.isOurs(id);
    return (this.#summary ??= { history, csn, vector: ground.log.vector(isLeftOut) });
  }

  /** After every change of the history, of csn, or of what is held and may be passed on. */
  heldChanged(): void {
    this.#context = undefined;
    this.#summary = undefined;
  }

  userOf(replica: ReplicaId): string | null {
    return this.isOurs(replica) ? this.user : this.ledger.userOf(replica);
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
    const lastByReplica = new Map<ReplicaId, number>();
    for (const { own, update: { id } } of this.ground.log.entries) {
      if (!own) continue;
      const last = lastByReplica.get(id.replica) ?? this.settledSeq(id.replica);
      if (id.seq !== last + 1) return false;
      lastByReplica.set(id.replica, id.seq);
    }
    const last = lastByReplica.get(this.replica) ?? this.settledSeq(this.replica);
    return last + 1 === this.nextSeq;
  }

  /** What this program writes under; nobody's name while it has no seat. */
  get replica(): ReplicaId {
    return this.seat === undefined ? NOBODY : seatId(this.profile, this.seat);
  }

  /** It is the profile's: ours, or another tab's. */
  isOurs(replica: ReplicaId): boolean {
    if (isSeatOf(this.profile, replica)) return true;
    return this.nextProfile !== undefined && isSeatOf(this.nextProfile, replica);
  }

  /** Updates of that replica are ours, or were before the profile got another id. */
  wasOurs(replica: ReplicaId): boolean {
    return this.isOurs(replica) || this.former.some((profile) => isSeatOf(profile, replica));
  }

  noteFormer(profiles: readonly ReplicaId[]): void {
    const others = this.former.filter((profile) => !profiles.includes(profile));
    this.former = [...others, ...profiles].slice(-formerIdsMax);
  }

  /** Nobody but us can have brought an update of that replica into the world. */
  isOnlyOurs(replica: ReplicaId): boolean {
    return this.isKeeper ? this.isOurs(replica) : replica === this.replica;
  }

  /** The own update in the log that its author made under that id first. */
  ownBy(firstId: UpdateId): LogEntry | undefined {
    const key = updateKey(firstId);
    return this.ground.log.entries.find(({ own, removed, firstId: id }) =>
      own && !removed && updateKey(id) === key);
  }

  firstOwns(): LogEntry[] {
    const firsts = new Map<ReplicaId, LogEntry>();
    for (const entry of this.ground.log.entries) {
      const { own, removed, update: { id } } = entry;
      if (own && !removed && !firsts.has(id.replica)) firsts.set(id.replica, entry);
    }
    return [...firsts.values()];
  }

  /** The own update in the log that takes that one back. */
  undoOf(id: UpdateId): LogEntry | undefined {
    const key = updateKey(id);
    return this.ground.log.entries.find(({ own, removed, update: { needs } }) =>
      own && !removed && needs?.undoes !== undefined && updateKey(needs.undoes) === key);
  }

  #standingOf(id: UpdateId): Standing {
    const { log } = this.ground;
    const held = log.get(id);
    if (held === undefined) return this.refusals.standingOf(id);
    return held.outcome.kind === 'rejected' ? 'refused' : 'stands';
  }

  get foreignCount(): number {
    return this.ground.log.size - this.ground.log.ownCount;
  }

  /** From outside: in development frozen like all others. */
  row<R extends Row | null>(row: R): R {
    return this.dev ? freezeValue(row) : row;
  }

  #tablesOf(stored: readonly StoredTable[]): Tables {
    const tables = new Tables(this.runner.app);
    const load = ({ table, pages }: StoredTable): void => {
      if (this.lifting.isIdle && !this.dev) return tables.loadAsleep(table, pages);
      const rows = [...this.lifting.rows(table, pages.flatMap((page) => page.pairs()))];
      if (this.dev) freezeValue(rows);
      tables.load(table, rows);
    };
    for (const one of stored) if (one.table === FORM_TABLE) load(one);
    this.lifting.begin(tables);
    for (const one of stored) if (one.table !== FORM_TABLE) load(one);
    return tables;
  }
}
