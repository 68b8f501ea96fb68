/**
 * How far own updates have come before they are final: made here, on disk, with others. A stage
 * only ascends, and an update leaves when the disk has it, not before: an update that others know
 * and its author forgot would have its number given out twice.
 */
import type { AppDefinition } from '../model/index.js';
import type { ReplicaId, UpdateId, VersionVector } from '../protocol/index.js';
import type { SpaceOwner } from './changes.js';
import type { LogEntry } from './log.js';
import type { SpaceState } from './state.js';

interface StagesConfig<A extends AppDefinition> {
  readonly state: SpaceState<A>;
  readonly owner: SpaceOwner;
  /** Its stage is another one. */
  readonly changed: (entry: LogEntry) => void;
}

/** The stages of a space's own tentative updates. */
export class OwnStages<A extends AppDefinition> {
  readonly #state: SpaceState<A>;
  readonly #owner: SpaceOwner;
  readonly #changed: (entry: LogEntry) => void;
  /** Own updates were sent that are not on disk. */
  #hasLeftUnsaved = false;
  /** Counts the times that updates of ours have come a stage further. */
  raised = 0;

  constructor({ state, owner, changed }: StagesConfig<A>) {
    this.#state = state;
    this.#owner = owner;
    this.#changed = changed;
  }

  /**
   * How many own updates only this replica has, and how many of them not even its disk. Stages
   * ascend from the newest to the oldest.
   */
  get unshared(): { readonly unsynced: number; readonly unsaved: number } {
    const { log } = this.#state.ground;
    let unsynced = 0;
    let unsaved = 0;
    for (const { update: { id: { replica, seq: last } } } of log.newestOwn()) {
      for (let seq = last; ; seq--) {
        const stage = log.get({ replica, seq })?.stage;
        if (stage !== 'local' && stage !== 'saved') break;
        unsynced++;
        if (stage === 'local') unsaved++;
      }
    }
    return { unsynced, unsaved };
  }

  /** This replica alone has something. */
  get hasUnsynced(): boolean {
    const { log } = this.#state.ground;
    return log.isNewestOwnAt('local') || log.isNewestOwnAt('saved');
  }

  /** Not even its disk has it. */
  get hasUnsaved(): boolean {
    return this.#state.ground.log.isNewestOwnAt('local');
  }

  /**
   * Own updates up to these, one of each seat, are surely on disk: they may be sent. In stamp order
   * over all seats: one tab's update may stand on another's.
   */
  saved(newest: readonly UpdateId[]): void {
    const { log } = this.#state.ground;
    const ours = newest.filter(({ replica }) => this.#state.isOurs(replica));
    if (this.#hasLeftUnsaved) for (const id of ours) this.#savedLate(id);
    const entries = ours.flatMap(({ replica, seq }) => log.unreleased(replica, seq));
    if (entries.length === 0) return;
    if (ours.length > 1) entries.sort((a, b) => a.rank - b.rank);
    for (const entry of entries) {
      log.release(entry);
      entry.stage = 'saved';
      this.#changed(entry);
    }
    this.raised += 1;
    this.#moreLeaves();
  }

  /**
   * The disk has failed for so long that own updates are safer with others than here alone: they
   * leave unsaved. A start that has forgotten them learns from the other side that their numbers
   * are used.
   */
  releaseUnsaved(): void {
    const { log } = this.#state.ground;
    const entries = log.unreleasedOwn();
    if (entries.length === 0) return;
    for (const entry of entries) log.release(entry);
    this.#hasLeftUnsaved = true;
    this.#moreLeaves();
  }

  /** Another keeps the disk, and has taken over what this entry says. */
  releaseToKeeper(entry: LogEntry): void {
    this.#state.ground.log.release(entry);
    this.#moreLeaves();
  }

  /** Own updates up to these numbers have come that far, as another tells. */
  raise(stage: 'saved' | 'shared', vector: VersionVector): void {
    const { ground: { log } } = this.#state;
    // reason: Object.entries forgets the branded key type.
    for (const [replica, seq] of Object.entries(vector) as [ReplicaId, number][]) {
      if (!this.#state.isOurs(replica)) continue;
      for (const entry of log.of(replica)) {
        if (entry.update.id.seq > seq) break;
        if (!this.#isNext(entry, stage)) continue;
        entry.stage = stage;
        this.raised += 1;
        this.#changed(entry);
      }
    }
  }

  /**
   * What is not on disk here is not shared either: a keeper whose disk works sends nothing else.
   */
  #isNext(entry: LogEntry, stage: 'saved' | 'shared'): boolean {
    if (entry.stage === 'saved') return stage === 'shared';
    return entry.stage === 'local' && (stage === 'saved' || this.#hasLeft(entry));
  }

  #hasLeft(entry: LogEntry): boolean {
    return this.#hasLeftUnsaved && entry.arrival > 0;
  }

  /** What left unsaved is on disk after all. */
  #savedLate({ replica, seq }: UpdateId): void {
    this.raise('saved', { [replica]: seq });
    this.#hasLeftUnsaved = this.#state.ground.log.entries.some(({ own, arrival, stage }) =>
      own && arrival > 0 && stage === 'local');
  }

  #moreLeaves(): void {
    this.#state.heldChanged();
    this.#owner.pump();
  }
}
