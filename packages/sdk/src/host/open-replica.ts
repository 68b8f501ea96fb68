/**
 * The composition root for apps: platform clock and chance, the given storage and transports,
 * promises.
 */
import type { AppDefinition, NewGuard } from '../model/index.js';
import { reportOnConsole } from '../drivers/console-report.js';
import { onNetworkHint } from '../drivers/network-hints.js';
import { systemClock } from '../drivers/system-clock.js';
import { systemEntropy } from '../drivers/system-entropy.js';
import type { Storage } from '../drivers/storage.js';
import type { Transport } from '../drivers/transport.js';
import { OxbowError } from '../protocol/index.js';
import { Closing, type Waiting } from './closing.js';
import { loadGuard, prefetchRescue } from './on-demand.js';
import { Replica } from './replica.js';
import { ReplicaHost, type HostConfig } from './replica-host.js';
import type { Tabs } from './tabs.js';

export interface OpenOptions<A extends AppDefinition> extends Waiting {
  readonly app: A;
  /**
   * `indexedDb(name)`, `memory()`, or `file(path)` from `@oxbow/sdk/node`. One store per signed-in
   * user.
   */
  readonly storage: Storage;
  /**
   * Ways to others, e.g. `[server(url, { token }), tabs()]`. Default: none, the replica is on its
   * own.
   */
  readonly sync?: readonly (Transport | Tabs)[];
  /** Who writes, as far as the app knows: `tx.user` until a server has verified somebody. */
  readonly user?: string | null;
  /**
   * Freeze rows, and report mutations that touch `Date`, `Math.random`, timers or `fetch`. Default:
   * true where `process.env.NODE_ENV` is `development` (bundlers put it in).
   */
  readonly dev?: boolean;
  /** Do not connect before `goOnline()`. Default: false. */
  readonly offline?: boolean;
  /** Go on in memory when the store cannot be used, visible in `health.storage`. Default: true. */
  readonly fallbackToMemory?: boolean;
  /** What went wrong and was dealt with. Default: a warning on the console. */
  readonly onReport?: (error: OxbowError) => void;
}

/**
 * Opens the replica of this browser profile or process. It works at once and offline; links are
 * opened in the background. Errors: `store-in-use`, `store-newer`, `store-damaged`;
 * `store-unavailable` only if `fallbackToMemory` is false; and the reason of the signal: what is
 * opened after that is closed at once.
 *
 * @example
 * const replica = await openReplica({
 *   app: calendar,
 *   storage: indexedDb('calendar'),
 *   sync: [server('wss://sync.example/sync', { token: () => fetchToken() })],
 * });
 * const team = await replica.open('team-42');
 */
export async function openReplica<A extends AppDefinition>(
  options: OpenOptions<A>,
): Promise<Replica<A>> {
  const { app, storage, sync = [], user, offline, fallbackToMemory, signal } = options;
  const { dev = isDevelopment(), onReport = reportOnConsole } = options;
  const config: HostConfig<A> = {
    app, storage, user, offline, fallbackToMemory,
    transports: sync.filter((way): way is Transport => !isTabs(way)),
    clock: systemClock,
    entropy: systemEntropy,
    dev,
    newGuard: dev ? await guardOr(onReport) : undefined,
    onReport,
  };
  const tabbed = sync.find(isTabs);
  const host = tabbed === undefined ? new ReplicaHost(config) : tabbed.host(config);
  await new Closing().race<void>((resolve, reject) => {
    host.start((started) => {
      if (!started.ok) reject(started.error);
      else if (signal?.aborted === true) host.close(() => undefined);
      else resolve();
    });
    return () => undefined;
  }, { signal });
  prefetchRescue();
  const stopHints = onNetworkHint(() => host.hurry());
  return new Replica({ app, host, clock: systemClock, onClose: stopHints });
}

const isTabs = (way: Transport | Tabs): way is Tabs => 'kind' in way && way.kind === 'tabs';

/** An app that is being developed works without its guard, too. */
async function guardOr(report: (error: OxbowError) => void): Promise<NewGuard | undefined> {
  try {
    const { Guard } = await loadGuard();
    return (onReport) => new Guard(onReport);
  } catch (error) {
    if (!(error instanceof OxbowError)) throw error;
    report(error);
    return undefined;
  }
}

function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV === 'development';
  } catch {
    // A browser without a bundler has no `process`.
    return false;
  }
}
