/**
 * What tabs of a profile tell each other besides anti-entropy. They are of one origin, but perhaps
 * not of one build: a word that is not known is passed over.
 */
import type { ReplicaId, SpaceId, UpdateId } from '../protocol/index.js';
import type { Kept } from './tab-side.js';
import type { SpaceRefusal } from './peer.js';
import type { LinkHealth } from './session.js';
import type { Profile } from './profile.js';

/** What every tab shows of the disk and the network that one of them has. */
export interface KeeperStatus {
  readonly profile: Profile;
  readonly isOnline: boolean;
  readonly links: readonly LinkHealth[];
  /** Spaces that the server will not speak of, or takes nothing of. A former build tells none. */
  readonly refusals?: readonly (SpaceRefusal & { readonly space: SpaceId })[];
  readonly storage: StorageStatus;
}

export interface StorageStatus {
  readonly kind: string;
  readonly persisted?: boolean | undefined;
  readonly usageBytes?: number | undefined;
  readonly quotaBytes?: number | undefined;
  /** Documented codes: why writes fail at present, why the store is not the one asked for. */
  readonly failing?: string | undefined;
  readonly loss?: string | undefined;
  /** What went with a store that was found empty. */
  readonly evicted?: { readonly unsynced: readonly string[] } | undefined;
}

export type TabWord =
  // From the keeper.
  /** Before anything else of a space: the id of the profile in it. */
  | { readonly kind: 'seat'; readonly space: SpaceId; readonly profile: ReplicaId }
  | ({ readonly kind: 'kept'; readonly space: SpaceId } & Kept)
  /** All of the space, as conflict-text.ts writes them. */
  | {
      readonly kind: 'conflicts'; readonly space: SpaceId; readonly records: readonly string[];
      /** In the first of them on a link: what can be taken back. Each tab sees what comes later. */
      readonly undos?: readonly string[];
    }
  | ({ readonly kind: 'status' } & KeeperStatus)
  /** As host/keeper-view.ts makes it. */
  | { readonly kind: 'seen'; readonly view: unknown }
  // To the keeper.
  | { readonly kind: 'acknowledged'; readonly space: SpaceId; readonly id: UpdateId }
  /** What the tab wrote cannot go out under the profile's present id. */
  | { readonly kind: 'lost'; readonly space: SpaceId }
  | { readonly kind: 'online'; readonly isOnline: boolean }
  /** For an inspector: answer `seen`, and ask live links for an answer first. */
  | { readonly kind: 'look'; readonly isPinging: boolean };
