/**
 * Under which replica ids we write. Normally there is one for ever. A space whose updates can no
 * longer go out under it (a cloned or rolled-back store, another history, an id that is someone
 * else's) gets a fresh one, alone: another space's updates may already be known under the old id,
 * and issued anew they would count twice.
 */
import type { ReplicaId } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import { profileOp, type Profile } from './profile.js';
import type { Change } from './save-queue.js';

export class Identity {
  readonly #newId: () => string;
  readonly #userByApp: string | null | undefined;
  #profile: Profile;
  #isUnsaved: boolean;
  #refusedMs = -Infinity;

  constructor(config: {
    readonly profile: Profile | undefined;
    readonly newId: () => string;
    /** Who the app says that the user is. */
    readonly user: string | null | undefined;
  }) {
    const { profile, newId, user } = config;
    this.#newId = newId;
    this.#userByApp = user;
    this.#isUnsaved = profile === undefined;
    this.#profile = profile ?? { replica: this.#fresh(), user: user ?? null, isVerified: false };
    const isOther = user !== undefined && user !== this.#profile.user;
    if (isOther) this.#become({ ...this.#profile, user, isVerified: false });
  }

  /** What new spaces write under. */
  get replica(): ReplicaId {
    return this.#profile.replica;
  }

  get user(): string | null {
    return this.#profile.user;
  }

  get hasChanges(): boolean {
    return this.#isUnsaved;
  }

  /** Has to come before all changes of spaces. */
  takeChange(): Change {
    this.#isUnsaved = false;
    return { ops: [profileOp(this.#profile)], saved: undefined };
  }

  /** A server says who we are. True if that is news. */
  verified(user: string | null): boolean {
    if (this.#profile.isVerified && this.#profile.user === user) return false;
    const isOther = this.#profile.user !== user;
    this.#become({ ...this.#profile, user, isVerified: true });
    return isOther;
  }

  /**
   * The store is another one, and empty. Spaces that it held and memory does not may have used up
   * numbers under the present id: they go on under a fresh one.
   */
  startOver(): void {
    this.#become({ ...this.#profile, replica: this.#fresh() });
  }

  /** The store that we have taken over knows better; where it knows nothing, it is told. */
  adopt(profile: Profile | undefined): void {
    this.#isUnsaved = profile === undefined;
    if (profile !== undefined) this.#profile = profile;
  }

  /** Whoever keeps the store says who we are. True if the user is another one. */
  told(profile: Profile): boolean {
    const isOther = profile.user !== this.#profile.user;
    this.#profile = profile;
    return isOther;
  }

  get profile(): Profile {
    return this.#profile;
  }

  /** The id that takes the place of `old`: the present one, or a fresh one. */
  after(old: ReplicaId): ReplicaId {
    if (old === this.#profile.replica) this.#become({ ...this.#profile, replica: this.#fresh() });
    return this.#profile.replica;
  }

  /**
   * Whether the cure for an id that the other side takes for another's is a fresh one. Not if it
   * would send one user's updates in the name of another: then the person signs in again as who
   * they were, or the app uses another store.
   */
  mayReplace(hasUnsettled: boolean, now: number): boolean {
    // An other side that refuses every id must not make us use up one per second.
    if (now - this.#refusedMs < limits.refusedRetryMs) return false;
    const isSameUser = !this.#profile.isVerified || this.#userByApp === this.#profile.user;
    if (hasUnsettled && !isSameUser) return false;
    this.#refusedMs = now;
    return true;
  }

  #become(profile: Profile): void {
    this.#profile = profile;
    this.#isUnsaved = true;
  }

  #fresh(): ReplicaId {
    // reason: this is where replica ids come from.
    return this.#newId() as ReplicaId;
  }
}
