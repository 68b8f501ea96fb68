/** A page that has a replica with `tabs()`, and answers what a test asks of it. */
import { indexedDb, openReplica, server, tabs, type Replica, type Space } from '@oxbow/sdk';
import { tabsApp } from './tabs-app.js';

let replica: Replica<typeof tabsApp> | undefined;
let space: Space<typeof tabsApp> | undefined;
const receipts = new Map<string, ReturnType<Space<typeof tabsApp>['mutate']['add']>>();

function mustSpace(): Space<typeof tabsApp> {
  if (space === undefined) throw new Error('open first');
  return space;
}

function mustReplica(): Replica<typeof tabsApp> {
  if (replica === undefined) throw new Error('open first');
  return replica;
}

const tabsPage = {
  open: async (url: string, store: string): Promise<string> => {
    const sync = [server(url, { token: 'dev:ann' }), tabs()];
    replica = await openReplica({ app: tabsApp, storage: indexedDb(store), sync });
    space = await replica.open('team');
    return replica.id;
  },
  /** Where it stands at once. */
  add: (id: string): string => {
    const receipt = mustSpace().mutate.add({ id });
    receipts.set(id, receipt);
    return receipt.stage;
  },
  stage: (id: string): string => receipts.get(id)?.stage ?? 'none',
  words: (): string[] => mustSpace().query((tx) => tx.word.all().map(({ id, times }) => `${id}*${times}`)),
  pending: (): string[] => mustSpace().pending().map(({ receipt }) => receipt?.stage ?? 'foreign'),
  /** In another space, which only this tab has open. Resolves when it is saved. */
  addElsewhere: async (name: string, id: string): Promise<void> => {
    const other = await mustReplica().open(name);
    await other.mutate.add({ id }).until('saved');
  },
  /** What the file with all that is unsynced says. */
  exported: async (): Promise<string> =>
    new TextDecoder().decode(await mustReplica().exportUnsynced()),
  keep: (): Promise<boolean> => mustReplica().keepStorage(),
  persisted: (): boolean | undefined => mustReplica().health.storage.persisted,
  offline: (): void => replica?.goOffline(),
  online: (): void => replica?.goOnline(),
  isOffline: (): boolean => replica?.offline ?? true,
  close: async (): Promise<void> => replica?.close(),
  /** Whether this page's own connection to the database can write: nobody holds it up. */
  locks: async (): Promise<string[]> =>
    ((await navigator.locks.query()).held ?? []).map(({ name }) => name ?? '').sort(),
};

export type TabsPage = typeof tabsPage;

Object.assign(globalThis, { tabsPage });
