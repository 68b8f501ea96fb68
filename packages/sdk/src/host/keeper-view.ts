/**
 * The links and the store of whoever has them, as plain data that can travel to another tab. An
 * inspector reads its own replica's; in a tab that leaves both to another it asks that one, which
 * loads this file then and not before.
 */
import { isSeatOf } from '../protocol/index.js';
import type { ReplicaId, SpaceId } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { FlowTotals } from '../protocol/link-flow.js';
import type { Stall } from '../replica/health.js';
import type { Peer, SpaceRefusal } from '../replica/peer.js';
import type { LinkHealth, Session } from '../replica/session.js';
import type { Inspection } from './inspection.js';

type Looked = Pick<Inspection, 'host' | 'wallNow'>;

export interface ConnectionView extends LinkHealth {
  /** The link is that of the tab that keeps the profile's disk and network; ours leads to it. */
  readonly isOfKeeper: boolean;
  /** Whose updates it carries as their author. */
  readonly replica: ReplicaId | undefined;
  /** From the newest greeting or ping to its answer, ms. */
  readonly roundTripMs: number | undefined;
  /** Since when the link is live, wall time, ms; undefined while it is not. */
  readonly liveSince: number | undefined;
  /** Version of the protocol on the live link. */
  readonly version: number | undefined;
  /** Chars of counted frames since the link began; undefined while it is not live. */
  readonly flow: (FlowTotals & { readonly inFlight: number; readonly window: number }) | undefined;
  readonly spaces: readonly {
    readonly space: SpaceId;
    /** Commits that the other side has and we lack; undefined until it has told. */
    readonly behind: number | undefined;
    /** Why the other side and we do not speak of it. */
    readonly refusal: SpaceRefusal | undefined;
  }[];
}

/** What is kept, and how far the disk has it. */
export interface StoreView {
  /** When a write was completed last, wall time, ms; undefined before the first. */
  readonly savedAt: number | undefined;
  /** All that was done is on disk. */
  readonly isSaved: boolean;
  readonly spaces: readonly StoredSpaceView[];
}

export interface StoredSpaceView {
  readonly space: SpaceId;
  readonly csn: number;
  /** The first and the last commit entry that is kept; undefined: none is. */
  readonly kept: { readonly from: number; readonly to: number } | undefined;
  readonly pending: number;
  readonly conflicts: number;
  /** Committed rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** What could not be read when it was opened. */
  readonly damage: Stall | undefined;
}

export interface KeeperView {
  readonly connections: readonly ConnectionView[];
  readonly store: StoreView;
}

export function keeperView(looked: Looked): KeeperView {
  const { sessions } = looked.host.machine.view;
  return {
    connections: sessions.all.map((session) => linkOf(looked, session)),
    store: storeOf(looked),
  };
}

function linkOf({ host, wallNow }: Looked, session: Session): ConnectionView {
  const { peers, slots } = host.machine.view;
  const { health, replica, roundTripMs, version, link } = session;
  const peer = link === undefined ? undefined : peers.get(link);
  const spoken = peer === undefined ? [] : [...slots.values()]
    .filter((slot) => isSeatOf(slot.replica.profile, peer.replica))
    .map(({ space }) => ({ space, behind: peer.aheadBy(space), refusal: peer.refusalOf(space) }));
  return {
    ...health, replica, roundTripMs, version, isOfKeeper: false, spaces: spoken,
    liveSince: peer && wallNow() - (host.now - peer.sinceMs),
    flow: peer && flowOf(peer),
  };
}

function flowOf({ flow }: Peer): ConnectionView['flow'] {
  return { ...flow, inFlight: flow.sent - flow.acked, window: limits.windowChars };
}

function storeOf({ host, wallNow }: Looked): StoreView {
  const { saving, slots } = host.machine.view;
  const { savedMs } = saving;
  return {
    savedAt: savedMs === undefined ? undefined : wallNow() - (host.now - savedMs),
    isSaved: saving.isDone,
    spaces: [...slots.values()].map(({ space, replica, damage }) => {
      const { ground: { base }, kept, csn } = replica.insides.state;
      const [first] = kept.since(0);
      return {
        space, csn,
        damage: damage && { code: damage.code, message: damage.message },
        kept: first && { from: first.entry.csn, to: csn },
        pending: replica.pending().length,
        conflicts: replica.conflicts().length,
        rows: Object.fromEntries(base.names().map((table) => [table, base.size(table)])),
      };
    }),
  };
}
