/**
 * Parts that few pages need are files of their own, loaded when they are asked for: a page does not
 * carry them from its start. Offline they come out of what the app has cached; where they are not
 * there either, that is an error like any other, told before anything was changed.
 */
import type * as guard from '../model/guard.js';
import { OxbowError } from '../protocol/index.js';
import type * as keeperView from './keeper-view.js';
import type * as rescue from './rescue.js';
import type * as bundles from './space-bundles.js';
import type * as sessionWait from './session-wait.js';

/** `what`: its name, for people. Errors: `part-unavailable`. */
export async function loaded<T>(what: string, load: Promise<T>): Promise<T> {
  try {
    return await load;
  } catch (cause) {
    throw new OxbowError(
      'part-unavailable',
      `Cannot load ${what}. Go online, or have the service worker keep all files of the app.`,
      { cause },
    );
  }
}

export const loadBundles = (): Promise<typeof bundles> =>
  loaded('bundles', import('./space-bundles.js'));

export const loadGuard = (): Promise<typeof guard> =>
  loaded('the guard of mutations', import('../model/guard.js'));

export const loadRescue = (): Promise<typeof rescue> =>
  loaded('the export of what is unsynced', import('./rescue.js'));

export const loadSessionWait = (): Promise<typeof sessionWait> =>
  loaded('the wait for a session', import('./session-wait.js'));

export const loadKeeperView = (): Promise<typeof keeperView> =>
  loaded('what the inspector of another tab asks for', import('./keeper-view.js'));

/** A last resort must not wait for the network that it is the last resort against. */
export function prefetchRescue(): void {
  // Where it fails, whoever asks for it later is told.
  loadRescue().catch(() => undefined);
}
