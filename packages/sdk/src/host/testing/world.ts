/** One clock and one server for tests of the host; replicas come and go. */
import { memoryTransport } from '../../drivers/transport-memory.js';
import type { OxbowError } from '../../protocol/index.js';
import type { SpaceReplica } from '../../replica/space.js';
import { shelfApp as app } from '../../replica/testing/shelf-app.js';
import { ReplicaHost } from '../replica-host.js';
import { ManualClock, seededEntropy } from './manual-clock.js';
import { ManualStorage } from './manual-storage.js';
import { TestServer } from './test-server.js';

export type App = typeof app;

export interface Started {
  readonly host: ReplicaHost<App>;
  readonly storage: ManualStorage;
  /** Codes, in order. */
  readonly reports: string[];
  readonly error: () => OxbowError | undefined;
}

export function world() {
  const clock = new ManualClock();
  const server = new TestServer(app);
  let seed = 0;
  const start = (
    storage = new ManualStorage(clock), options: { offline?: boolean; user?: string } = {},
  ): Started => {
    const reports: string[] = [];
    const host = new ReplicaHost({
      app, storage, clock, entropy: seededEntropy(++seed), dev: true,
      transports: [memoryTransport({ clock, accept: server.accept })],
      onReport: (error) => reports.push(error.code),
      ...options,
    });
    let error: OxbowError | undefined;
    host.start((result) => { if (!result.ok) error = result.error; });
    clock.settle();
    return { host, storage, reports, error: () => error };
  };
  const open = (host: ReplicaHost<App>, name = 'room'): SpaceReplica<App> => {
    let space: SpaceReplica<App> | undefined;
    host.open(name, (result) => {
      if (!result.ok) throw result.error;
      space = result.value;
    });
    clock.settle();
    if (space === undefined) throw new Error('not opened');
    return space;
  };
  return { clock, server, start, open };
}

export const items = (
  space: SpaceReplica<App>, view: 'tentative' | 'committed' = 'tentative',
): string[] => space.query((tx) => tx.item.all().map(({ id, shelf }) => `${id}@${shelf}`), { view });

export const put = (id: string) => ({ id, shelf: 'a', rank: 1 });
