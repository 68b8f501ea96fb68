/** Several tabs of one browser profile, as the app asks for them. */
import { webTabs, type TabDriver } from '../drivers/tab-driver.js';
import type { Storage } from '../drivers/storage.js';
import type { AppDefinition } from '../model/index.js';
import { OxbowError } from '../protocol/index.js';
import type { HostConfig, ReplicaHost } from './replica-host.js';
import { TabHost } from './tab-host.js';

export interface TabsOptions {
  /** Locks and channel of your own, where the platform has none. Default: those of the browser. */
  readonly driver?: TabDriver;
}

/** In `sync`: this tab shares its replica with the others of its profile. */
export interface Tabs {
  readonly kind: 'tabs';
  host<A extends AppDefinition>(config: HostConfig<A>): ReplicaHost<A>;
}

/**
 * All tabs (and workers) of a browser profile have one replica: each writes at once and shows what
 * the others wrote, one of them keeps the store and the network, and another takes its place when
 * it is closed, crashes or is frozen. Give it in every tab, with the same storage and the same
 * servers. Needs Web Locks and BroadcastChannel (all browsers, on secure pages) and a storage that
 * can be shared (`indexedDb`). Errors of `openReplica`: `tabs-unsupported`, `too-many-tabs`.
 *
 * @example
 * openReplica({ app, storage: indexedDb('calendar'), sync: [server(url, { token }), tabs()] });
 */
export function tabs(options: TabsOptions = {}): Tabs {
  return {
    kind: 'tabs',
    host: (config) => {
      const driver = options.driver ?? webTabs();
      const { storage } = config;
      if (driver === undefined) throw unsupported('there are no Web Locks or no BroadcastChannel here (an old Node, a page that is not secure)');
      if (!isShared(storage)) throw unsupported('this storage cannot be shared: use indexedDb()');
      return new TabHost(config, driver, storage);
    },
  };
}

type Shared = Storage & Required<Pick<Storage, 'share' | 'sharedName'>>;

const isShared = (storage: Storage): storage is Shared =>
  storage.share !== undefined && storage.sharedName !== undefined;

const unsupported = (why: string): OxbowError =>
  new OxbowError('tabs-unsupported', `Cannot share a replica between tabs as ${why}. Leave tabs() out.`);
