/**
 * One open space within its machine: the replica of it, its way to the disk, and whether anything
 * moves. Changes go to the layout, wishes to the machine.
 */
import type { AppDefinition, Guard } from '../model/index.js';
import {
  isSeatOf, OxbowError, PageStaging, seatId, updateKey,
  type ReplicaId, type SpaceId, type Update, type UpdateId,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { IdentityLoss, ReplicaChanges, SpaceOwner, StoredUpdate } from './changes.js';
import type { PersistOp } from './effects.js';
import type { CheckpointSource, HeldSpace } from './layout.js';
import type { SpaceReading } from './layout-reading.js';
import type { PeerSpace } from './peer.js';
import type { Change } from './save-queue.js';
import type { SavedSpace } from './saving.js';
import { SpaceReplica } from './space.js';

/** What a slot wants of its machine. */
export interface SlotOwner {
  /** Call `flush` at the end of the turn. */
  flushSoon(): void;
  /** The space has news for peers. */
  onNews(space: SpaceId): void;
  report(error: OxbowError): void;
}

export interface Unshared {
  readonly hasUnsynced: boolean;
  readonly hasUnsaved: boolean;
}

export interface Place {
  readonly seat: number;
  readonly isKeeper: boolean;
}

/** Where changes go, and come out as writes. */
export interface SlotLayout extends ReplicaChanges {
  readonly hasChanges: boolean;
  readonly needsCheckpoint: boolean;
  take(): readonly PersistOp[];
  maybeCheckpoint(source: CheckpointSource, budgetChars: number): readonly PersistOp[];
  startOver(held: HeldSpace): void;
}

export interface SlotConfig<A extends AppDefinition> {
  readonly app: A;
  readonly space: SpaceId;
  /**
   * Another one than the space was stored under: its own updates are issued anew under this one.
   */
  readonly replica: ReplicaId;
  readonly user: string | null;
  /** Which seat of the profile is ours, and whether we keep its disk. Default: 0, and yes. */
  readonly place?: Place | undefined;
  readonly dev: boolean;
  readonly guard: Guard | undefined;
  readonly reading: SpaceReading;
  readonly owner: SlotOwner;
  readonly now: number;
}

export class SpaceSlot<A extends AppDefinition> implements PeerSpace, SavedSpace {
  readonly space: SpaceId;
  readonly replica: SpaceReplica<A>;
  readonly staging = new PageStaging();
  /** What could not be read when it was opened. */
  readonly damage: OxbowError | undefined;
  /** The seat that own updates are made under as soon as all is known that was made under it. */
  readonly seat: number;
  /** Acknowledged here, where another tab keeps the disk. */
  readonly acknowledged = new Map<string, UpdateId>();
  #layout: SlotLayout;
  readonly #owner: SlotOwner;
  /** The newest update of each seat that is in no write yet. */
  #newest = new Map<ReplicaId, UpdateId>();
  #isNotificationDue = false;
  #unshared: Unshared | undefined;
  /**
   * Whether own updates are to be issued anew: at once, or as soon as it is known which of them are
   * settled.
   */
  #reissue: 'no' | 'when-known' | 'now' = 'no';
  /** A link may still carry own updates: what its other side has said does not tell their end. */
  #areSentUnderWay = false;
  #progress = { csn: -1, count: 0, atMs: 0 };

  constructor(config: SlotConfig<A>) {
    const { app, space, replica, user, dev, guard, reading, owner, now, place } = config;
    const { seat, isKeeper } = place ?? { seat: 0, isKeeper: true };
    this.space = space;
    this.seat = seat;
    this.#layout = isKeeper ? reading.layout : UNKEPT;
    this.#owner = owner;
    this.replica = new SpaceReplica({
      app, space, replica, user, dev, guard, isKeeper, seat: isKeeper ? seat : undefined,
      stored: reading.stored, owner: this.#asOwner(),
    });
    this.damage = damageOf(space, reading);
    if (this.replica.lost !== undefined) this.#reissue = 'when-known';
    this.noteProgress(now);
  }

  /** What the other side of a link knows our updates by. */
  get self(): ReplicaId {
    const { replica: { profile, isKeeper } } = this;
    return isKeeper ? profile : seatId(profile, this.seat);
  }

  /** From here on changes go there; nothing is owed for what came before. */
  keepIn(layout: SlotLayout, unsaved: readonly Update[] = []): void {
    this.#layout = layout;
    this.#newest.clear();
    for (const update of unsaved) this.#noteNewest({ update });
  }

  /** Another tab keeps the disk. */
  keepNowhere(): void {
    this.keepIn(UNKEPT);
  }

  /** Own updates stay here until the other side has said anew what it knows of them. */
  withhold(loss: IdentityLoss): void {
    if (this.replica.lost === undefined) this.replica.disown(loss);
    else this.#layout.headChanged(this.replica.head);
    this.#reissue = 'when-known';
    this.#areSentUnderWay = true;
    this.#owner.flushSoon();
  }

  get hasChanges(): boolean {
    return this.#layout.hasChanges;
  }

  /** Own updates cannot leave under the present replica id. */
  get needsReissue(): boolean {
    return this.#reissue !== 'no';
  }

  /** Not even what is settled has to be known first. */
  get isReissueForced(): boolean {
    return this.#reissue === 'now';
  }

  /**
   * True once after a loss: links have to be made anew, so that nothing that was sent on them
   * arrives any more.
   */
  takeLinkDoubt(): boolean {
    const isDoubtful = this.#areSentUnderWay;
    this.#areSentUnderWay = false;
    return isDoubtful;
  }

  get isWaiting(): boolean {
    return this.replica.unsettledCount > 0;
  }

  get movedMs(): number {
    return this.#progress.atMs;
  }

  get needsCheckpoint(): boolean {
    return this.#layout.needsCheckpoint;
  }

  /** Everything that has changed since the last call, as one atomic write. */
  takeChanges(): Change {
    const newest = [...this.#newest.values()];
    this.#newest.clear();
    const saved = (): void => this.replica.stages.saved(newest);
    return { ops: this.#layout.take(), saved: newest.length === 0 ? undefined : saved };
  }

  /** Rewrites some pages; nothing if that is not worth it yet. */
  checkpoint(): Change {
    const ops = this.#layout.maybeCheckpoint(this.replica, limits.checkpointTurnChars);
    return { ops, saved: undefined };
  }

  /** The disk is another one, and empty. */
  startOver(): void {
    this.#layout.startOver(this.replica);
    for (const update of this.replica.tentative) this.#noteNewest({ update });
    this.#owner.flushSoon();
  }

  /** The disk fails: own updates leave all the same. */
  releaseUnsaved(): void {
    this.replica.stages.releaseUnsaved();
  }

  /** What of the space this replica alone has, or not even its disk, where that is news. */
  takeUnshared(): Unshared | undefined {
    const { hasUnsynced, hasUnsaved } = this.replica.stages;
    const before = this.#unshared;
    if (before?.hasUnsynced === hasUnsynced && before.hasUnsaved === hasUnsaved) return undefined;
    return (this.#unshared = { hasUnsynced, hasUnsaved });
  }

  notify(): void {
    if (!this.#isNotificationDue) return;
    this.#isNotificationDue = false;
    this.replica.flushNotifications();
  }

  /** Own updates are issued anew at the end of the turn, whatever is known of them. */
  forceReissue(): void {
    this.#reissue = 'now';
    this.#owner.flushSoon();
  }

  /** It is known which own updates are settled. True: the others go out as they are. */
  resume(): boolean {
    if (!this.replica.resume()) return false;
    this.#reissue = 'no';
    return true;
  }

  reissue(replica: ReplicaId): void {
    this.#reissue = 'no';
    this.#areSentUnderWay = false;
    this.#newest.clear();
    this.replica.reissue(replica);
  }

  /**
   * True when something that was waited for has come; also what one begins to wait for counts from
   * now on.
   */
  noteProgress(now: number): boolean {
    const { csn, awaitedCount: count } = this.replica;
    const { csn: csnBefore, count: countBefore } = this.#progress;
    if (csn === csnBefore && count === countBefore) return false;
    const hasMoved = csn !== csnBefore || count < countBefore || countBefore === 0;
    this.#progress = { csn, count, atMs: hasMoved ? now : this.#progress.atMs };
    return true;
  }

  #asOwner(): SpaceOwner {
    const owner = this.#owner;
    return {
      changes: this.#watched(),
      flushSoon: () => {
        this.#isNotificationDue = true;
        owner.flushSoon();
      },
      pump: () => owner.onNews(this.space),
      identityLost: (loss) => this.#onLost(loss),
      report: (error) => owner.report(error),
    };
  }

  #onLost(loss: IdentityLoss): void {
    // Nothing is sent from one history into another: the new base says what is settled in it.
    if (loss === 'history-changed' && this.replica.isKeeper) return this.forceReissue();
    this.#reissue = 'when-known';
    this.#areSentUnderWay = true;
    this.#owner.flushSoon();
  }

  /** The layout, with an eye on which own update is the newest. */
  #watched(): ReplicaChanges {
    return {
      updateAdded: (stored) => {
        this.#noteNewest(stored);
        this.#layout.updateAdded(stored);
      },
      updateRemoved: (id) => this.#layout.updateRemoved(id),
      entriesCommitted: (entries) => this.#layout.entriesCommitted(entries),
      entriesTrimmed: (throughCsn) => this.#layout.entriesTrimmed(throughCsn),
      baseReplaced: (snapshot) => this.#layout.baseReplaced(snapshot),
      conflictPut: (record) => this.#layout.conflictPut(record),
      conflictRemoved: (id) => {
        if (this.#layout === UNKEPT) this.acknowledged.set(updateKey(id), id);
        this.#layout.conflictRemoved(id);
      },
      undoPut: (record) => this.#layout.undoPut(record),
      undoRemoved: (id) => this.#layout.undoRemoved(id),
      headChanged: (head) => this.#layout.headChanged(head),
    };
  }

  #noteNewest({ update: { id } }: StoredUpdate): void {
    // reason: while the space is being built there is no replica yet; what it issues anew then is
    // its own.
    const own = this.replica as SpaceReplica<A> | undefined;
    if (own === undefined || isSeatOf(own.profile, id.replica)) this.#newest.set(id.replica, id);
  }
}

/** Of a tab that leaves the disk to another. */
const UNKEPT: SlotLayout = {
  hasChanges: false, needsCheckpoint: false,
  take: () => [], maybeCheckpoint: () => [], startOver: () => undefined,
  updateAdded: () => undefined, updateRemoved: () => undefined,
  entriesCommitted: () => undefined, entriesTrimmed: () => undefined,
  baseReplaced: () => undefined, headChanged: () => undefined,
  conflictPut: () => undefined, conflictRemoved: () => undefined,
  undoPut: () => undefined, undoRemoved: () => undefined,
};

function damageOf(space: SpaceId, { damage }: SpaceReading): OxbowError | undefined {
  if (damage === undefined) return undefined;
  const base = damage.base ? ' The committed data is fetched again from the other side.' : '';
  const own = damage.identity ? ' Updates of yours that were not sent may be lost.' : '';
  const problem = `${damage.keys.length} records of space '${space}' cannot be read.${base}${own}`;
  return new OxbowError('store-damaged', `${problem} What is left was kept.`);
}
