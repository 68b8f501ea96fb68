/** The links of a replica: state, round trips, what is under way within the window. */
import type { Inspection } from '../host/inspection.js';
import { keeperView, type ConnectionView, type KeeperView } from '../host/keeper-view.js';
import type { LinkHealth } from '../replica/session.js';

/** `seen`: what the tab has told that keeps disk and network; undefined: nothing yet. */
export function connectionsOf(
  inspection: Inspection, seen: KeeperView | undefined,
): readonly ConnectionView[] {
  const { machine } = inspection.host;
  const own = keeperView(inspection).connections;
  if (isKeeper(inspection)) return own;
  const used = own.filter(({ state }) => state !== 'offline');
  const far = machine.links.map(keepersLink);
  const told = seen?.connections.map((link) => ({ ...link, isOfKeeper: true }));
  return [...used, ...told ?? far];
}

/** Disk and network are ours, not another tab's. */
export const isKeeper = ({ host: { machine } }: Inspection): boolean =>
  [...machine.view.slots.values()].every(({ replica }) => replica.insides.state.isKeeper);

const keepersLink = (health: LinkHealth): ConnectionView => ({
  ...health, isOfKeeper: true, replica: undefined, roundTripMs: undefined, version: undefined,
  liveSince: undefined, flow: undefined, spaces: [],
});

