/** The page of upgrades.browser.test.ts: either version of the app over one store. */
import { indexedDb, openReplica, server, tabs } from '@oxbow/sdk';
import type { Replica, Space } from '@oxbow/sdk';
import { apps, type Version } from './upgrade-app.js';

type App = (typeof apps)[1];

const reports: string[] = [];
let replica: Replica<App> | undefined;
let space: Space<App> | undefined;

export interface Opening {
  readonly version: Version;
  readonly server: string;
  readonly user?: string;
  /** Beside other tabs. */
  readonly shared?: boolean;
}

const page = {
  /** Answers the replica's id. */
  open: async (opening: Opening): Promise<string> => {
    const sync = [server(opening.server, { token: `dev:${opening.user ?? 'ann'}` })];
    replica = await openReplica({
      app: apps[opening.version], dev: true,
      storage: indexedDb('tasks', { waitForLock: true }),
      sync: opening.shared === true ? [...sync, tabs()] : sync,
      onReport: (error) => reports.push(error.code),
    });
    space = await replica.open('team');
    return replica.id;
  },

  /** Resolves with the outcome, or before that if `stage` comes before. */
  mutate: async (
    name: string, args: object, stage: 'local' | 'saved' | 'committed' = 'saved',
  ): Promise<string> => {
    // reason: what the other version knows is called by its name.
    const calls = mustSpace().mutate as unknown as Record<string, (args: object) => Receipt>;
    const receipt = calls[name]?.(args);
    if (receipt === undefined) throw new Error(`there is no ${name} here`);
    return (await receipt.until(stage)).kind;
  },
  rows: (view: 'tentative' | 'committed' = 'tentative'): string[] =>
    mustSpace().query((tx) => tx.task.all().map(rowText), { view }),
  /** By the index that only version 2 fills. */
  inState: (state: 'open' | 'done'): string[] =>
    mustSpace().query((tx) => tx.task.index('byState').get(state).all().map(({ id }) => id)),
  pending: (): string[] => mustSpace().pending().map(({ name }) => name),
  conflicts: (): string[] => mustSpace().conflicts.map(({ outcome }) => outcome.kind),
  csn: (): number => mustSpace().summary().csn,
  /** Of the link. */
  refusals: (): string[] =>
    mustSpace().health.links.flatMap(({ code }) => (code === undefined ? [] : [code])),
  stalled: (): string | undefined => mustSpace().health.stalled?.code,
  reports: (): readonly string[] => reports,
  close: async (): Promise<void> => replica?.close(),
};

type Receipt = ReturnType<Space<App>['mutate']['add']>;

/** `a: title, open, lifted 1, edited 0`: of a field only what is there. */
function rowText({ id, title, edits, done, state, lifts }: Row): string {
  const form = lifts === undefined ? 'as of version 1' : `lifted ${lifts}`;
  return `${id}: ${title}, ${state ?? (done === true ? 'done?' : 'open?')}, ${form}, edited ${edits}`;
}

interface Row {
  readonly id: string;
  readonly title: string;
  readonly edits: number;
  readonly done?: boolean;
  readonly state?: string;
  readonly lifts?: number;
}

function mustSpace(): Space<App> {
  if (space === undefined) throw new Error('No space is open on this page');
  return space;
}

export type UpgradesPage = typeof page;
Object.assign(globalThis, { upgrades: page });
