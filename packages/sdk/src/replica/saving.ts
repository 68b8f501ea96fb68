/**
 * What goes to disk, and when: what has changed, at the end of each turn; pages rewritten, in quiet
 * times. Also how much waits for a disk that is slower than the links.
 */
import { type OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { ReplicaEffects, Token } from './effects.js';
import type { Identity } from './identity.js';
import { SaveQueue, type Change } from './save-queue.js';

/** An open space, as far as saving goes. */
export interface SavedSpace {
  readonly hasChanges: boolean;
  readonly needsCheckpoint: boolean;
  takeChanges(): Change;
  /** Own updates may leave though they are not on disk. */
  releaseUnsaved(): void;
  /** Rewrites some pages; no operations if that is not worth it. */
  checkpoint(): Change;
}

export interface SavingConfig {
  readonly out: Pick<ReplicaEffects, 'persist' | 'report'>;
  readonly random: () => number;
  readonly nextNumber: () => number;
  readonly identity: Identity;
  readonly spaces: () => Iterable<SavedSpace>;
}

export class Saving {
  readonly #config: SavingConfig;
  readonly #queue: SaveQueue;
  #nowMs = 0;
  #savedMs: number | undefined;
  /** Since when writing fails; undefined while it works. */
  #failingSinceMs: number | undefined;
  /** When something was gathered last, and when pages were rewritten last. */
  #changedMs = 0;
  #checkpointMs = 0;
  /** Chars received and not yet in a write; and in the write under way. */
  #unsaved = { waiting: 0, inFlight: 0 };

  constructor(config: SavingConfig) {
    const { out, random, nextNumber } = config;
    this.#config = config;
    this.#queue = new SaveQueue({
      out, random, nextNumber, gather: (opsTarget) => this.#gather(opsTarget),
    });
  }

  /** Everything that was done is on disk. */
  get isDone(): boolean {
    return this.#queue.isIdle && !this.#hasChanges;
  }

  /** When a write was completed last. */
  get savedMs(): number | undefined {
    return this.#savedMs;
  }

  get error(): OxbowError | undefined {
    return this.#queue.error;
  }

  get deadlineMs(): number {
    const checkpointMs = this.#queue.isIdle && this.#needsCheckpoint
      ? this.#changedMs + limits.checkpointIdleMs
      : Infinity;
    return Math.min(this.#queue.deadlineMs ?? Infinity, checkpointMs);
  }

  /**
   * Counts what came over a link and will have to be saved. False: the disk has to catch up first.
   */
  mayTake(chars: number): boolean {
    this.#unsaved.waiting += chars;
    return this.#unsaved.waiting + this.#unsaved.inFlight <= limits.unsavedCharsMax;
  }

  flush(now: number): void {
    this.#nowMs = now;
    this.#queue.flush();
    this.#maybeReleaseUnsaved();
  }

  tick(now: number): void {
    if (now < this.deadlineMs) return;
    this.#queue.tick(now);
    this.flush(now);
  }

  persisted(token: Token, now: number): void {
    this.#nowMs = now;
    this.#savedMs = now;
    this.#failingSinceMs = undefined;
    this.#queue.persisted(token);
  }

  persistFailed(token: Token, error: OxbowError, now: number): void {
    this.#nowMs = now;
    this.#queue.persistFailed(token, error, now);
    this.#failingSinceMs ??= now;
    this.#maybeReleaseUnsaved();
  }

  /** The store is another one, and empty. */
  startOver(): void {
    this.#failingSinceMs = undefined;
    this.#unsaved = { waiting: 0, inFlight: 0 };
    this.#queue.startOver();
  }

  /** A disk that has failed for long: it is better that others have the updates than nobody. */
  #maybeReleaseUnsaved(): void {
    if (this.#failingSinceMs === undefined) return;
    if (this.#nowMs - this.#failingSinceMs < limits.unsavedLeaveMs) return;
    for (const space of this.#config.spaces()) space.releaseUnsaved();
  }

  get #hasChanges(): boolean {
    if (this.#config.identity.hasChanges) return true;
    for (const space of this.#config.spaces()) if (space.hasChanges) return true;
    return false;
  }

  get #needsCheckpoint(): boolean {
    for (const space of this.#config.spaces()) if (space.needsCheckpoint) return true;
    return false;
  }

  /**
   * Who we are comes first: no space is ever on disk under an id that the profile does not know.
   */
  #gather(opsTarget: number): Change[] {
    const { identity, spaces } = this.#config;
    const changes: Change[] = identity.hasChanges ? [identity.takeChange()] : [];
    let ops = 0;
    for (const space of spaces()) {
      if (!space.hasChanges || ops >= opsTarget) continue;
      const change = space.takeChanges();
      ops += change.ops.length;
      changes.push(change);
    }
    this.#unsaved = { waiting: 0, inFlight: this.#unsaved.waiting };
    if (changes.length > 0) this.#changedMs = this.#nowMs;
    return this.#isCheckpointDue ? [...changes, ...this.#checkpoint()] : changes;
  }

  /** It is quiet; or it never is, and has not been done for long. */
  get #isCheckpointDue(): boolean {
    return this.#nowMs - this.#changedMs >= limits.checkpointIdleMs
      || this.#nowMs - this.#checkpointMs >= limits.checkpointLatestMs;
  }

  /** Some pages of one space. The next ones when these are written, if it stays quiet. */
  #checkpoint(): Change[] {
    for (const space of this.#config.spaces()) {
      if (!space.needsCheckpoint) continue;
      const change = space.checkpoint();
      if (change.ops.length === 0) continue;
      this.#checkpointMs = this.#nowMs;
      return [change];
    }
    this.#changedMs = this.#nowMs;
    return [];
  }
}
