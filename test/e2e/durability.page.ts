/**
 * The page of durability.test.ts: a replica in IndexedDB as an app has it, and what a test may ask
 * of it.
 */
import { indexedDb, openReplica, server, tabs, warnBeforeUnload } from '@oxbow/sdk';
import type { Replica, Space, StorageHealth } from '@oxbow/sdk';
import { notes } from './notes-app.js';

type App = typeof notes;

const reports: string[] = [];
let replica: Replica<App> | undefined;
let space: Space<App> | undefined;

export interface Opening {
  readonly server?: string;
  readonly user?: string;
  readonly warn?: boolean;
  /** With other tabs of the profile. */
  readonly tabs?: boolean;
}

const page = {
  open: async (name: string, options: Opening = {}): Promise<void> => {
    const token = `dev:${options.user ?? 'ann'}`;
    replica = await openReplica({
      app: notes, storage: indexedDb(name, { waitForLock: true }), dev: true,
      sync: [
        ...(options.server === undefined ? [] : [server(options.server, { token })]),
        ...(options.tabs === true ? [tabs()] : []),
      ],
      onReport: (error) => reports.push(error.code),
    });
    if (options.warn === true) warnBeforeUnload(replica);
    space = await replica.open('team');
  },

  /** Resolves when they have come so far. */
  write: async (ids: readonly string[], stage: 'local' | 'saved' | 'committed', text = 'x'): Promise<void> => {
    const receipts = ids.map((id) => mustSpace().mutate.write({ id, text }));
    await Promise.all(receipts.map((receipt) => receipt.until(stage)));
  },

  /** How often each was written. */
  counts: (view: 'tentative' | 'committed' = 'tentative'): string[] =>
    mustSpace().query((tx) => tx.count.all().map(({ id, value }) => `${id}:${value}`), { view }),

  storage: (): StorageHealth => mustReplica().health.storage,
  unsaved: (): number => mustReplica().health.unsaved,
  unsynced: (): number => mustReplica().health.unsynced,
  stalled: (): string | undefined => mustSpace().health.stalled?.code,
  pending: (): number => mustSpace().pending().length,
  damage: (): string | undefined => mustSpace().health.damage?.code,
  keep: (): Promise<boolean> => mustReplica().keepStorage(),
  exportUnsynced: async (): Promise<string> =>
    new TextDecoder().decode(await mustReplica().exportUnsynced()),
  /** How many there were, by space. */
  importUnsynced: async (file: string): Promise<Readonly<Record<string, number>>> => {
    const imported = await mustReplica().importUnsynced(new TextEncoder().encode(file));
    return Object.fromEntries(Object.entries(imported).map(([of, { length }]) => [of, length]));
  },
  reports: (): readonly string[] => reports,
  close: (): Promise<void> => mustReplica().close(),
};

function mustReplica(): Replica<App> {
  if (replica === undefined) throw new Error('No replica is open on this page');
  return replica;
}

function mustSpace(): Space<App> {
  if (space === undefined) throw new Error('No space is open on this page');
  return space;
}

export type DurabilityPage = typeof page;
Object.assign(globalThis, { durability: page });
