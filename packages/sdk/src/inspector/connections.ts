/** The links of a replica: state, round trips, what is under way within the window. */
import type { Inspection } from '../host/inspection.js';
import { isSeatOf } from '../protocol/index.js';
import type { ReplicaId, SpaceId } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { FlowTotals } from '../protocol/link-flow.js';
import type { Peer, SpaceRefusal } from '../replica/peer.js';
import type { LinkHealth, Session } from '../replica/session.js';

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

export function connectionsOf(inspection: Inspection): readonly ConnectionView[] {
  const { machine } = inspection.host;
  const { sessions, slots } = machine.view;
  const own = sessions.all.map((session) => ownLink(inspection, session));
  const isKeeper = [...slots.values()].every(({ replica }) => replica.insides.state.isKeeper);
  if (isKeeper) return own;
  const used = own.filter(({ state }) => state !== 'offline');
  return [...used, ...machine.links.map(keepersLink)];
}

function ownLink({ host, wallNow }: Inspection, session: Session): ConnectionView {
  const { peers, slots } = host.machine.view;
  const { health, replica, roundTripMs, version, link } = session;
  const peer = link === undefined ? undefined : peers.get(link);
  const spoken = peer === undefined ? [] : [...slots.values()]
    .filter((slot) => isSeatOf(slot.replica.profile, peer.replica))
    .map(({ space }) => ({ space, behind: peer.aheadBy(space), refusal: peer.refusalOf(space) }));
  return {
    ...health, replica, roundTripMs, version, isOfKeeper: false, spaces: spoken,
    liveSince: peer && wallNow() - (host.insides.now - peer.sinceMs),
    flow: peer && flowOf(peer),
  };
}

const keepersLink = (health: LinkHealth): ConnectionView => ({
  ...health, isOfKeeper: true, replica: undefined, roundTripMs: undefined, version: undefined,
  liveSince: undefined, flow: undefined, spaces: [],
});

function flowOf({ flow }: Peer): ConnectionView['flow'] {
  return { ...flow, inFlight: flow.sent - flow.acked, window: limits.windowChars };
}
