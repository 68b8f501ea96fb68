/** What apps use in browsers and Node. Node's own drivers are in node.ts. */
import { socketTransport, type ServerOptions } from './drivers/transport-websocket.js';
import type { Transport } from './drivers/transport.js';
import { OxbowError } from './protocol/index.js';

export { defineApp, mutation, reject, Rejection, table, unchecked } from './model/index.js';
export type {
  App, ArgsListOf, ArgsOf, CheckTx, Inverse, Key, MutationName, ReadTx, RefusalPolicy, RowOf,
  ScanOf, TableTx, Tx,
} from './model/index.js';
export { OxbowError } from './protocol/index.js';
export type {
  BundleHeader, CommitEntry, Effect, Outcome, ReplicaId, Row, SpaceId, Summary, UpdateId, Value,
} from './protocol/index.js';
export { openReplica } from './host/open-replica.js';
export type { OpenOptions } from './host/open-replica.js';
export type { Replica } from './host/replica.js';
export type { Waiting } from './host/closing.js';
export type { Imported, ImportOptions } from './host/rescue.js';
export type { Mutate, PendingUpdate, ReadOptions, Space } from './host/space.js';
export type { Receipt } from './host/receipt.js';
export type { Conflict } from './host/conflict.js';
export type { Session } from './host/guarantees.js';
export type { Guarantee, WaitOptions } from './host/session-wait.js';
export type { ReplicaHealth, SpaceHealth, StorageHealth } from './host/health.js';
export type { LinkHealth } from './replica/session.js';
export type { Stall } from './replica/health.js';
export type { FinalOutcome, Obstacle } from './replica/conflict.js';
export type { LiveQuery, View } from './replica/live.js';
export type { Stage } from './replica/receipt.js';
export { indexedDb } from './drivers/storage-indexeddb.js';
export { memory } from './drivers/storage-memory.js';
export { warnBeforeUnload } from './drivers/unload-warning.js';
export type { UnloadWarning } from './drivers/unload-warning.js';
export { tabs } from './host/tabs.js';
export type { Tabs, TabsOptions } from './host/tabs.js';
export type { TabDriver } from './drivers/tab-driver.js';
export { memoryTransport } from './drivers/transport-memory.js';
export type { Storage } from './drivers/storage.js';
export type { Transport } from './drivers/transport.js';
export type { ServerOptions } from './drivers/transport-websocket.js';

/**
 * A server to sync with, by WebSocket: its URL, or the URLs of the nodes of a cluster, of which any
 * may be down. The link is kept: it comes back by itself after every loss, at the next node if need
 * be, at once when the browser says that the network is back. A node may send it on to another that
 * the list does not name, but from an encrypted link (wss) never to one that is not. Errors:
 * `bad-server-url`. Needs a global `WebSocket`: browsers, Node 22 and later; for older Node import
 * it from `@oxbow/sdk/node`.
 *
 * @example
 * server('wss://sync.example/sync', { token: async () => (await fetch('/token')).text() })
 * server(['wss://a.example/sync', 'wss://b.example/sync', 'wss://c.example/sync'], { token })
 */
export function server(
  urls: string | readonly string[], options: ServerOptions = {},
): Transport {
  return socketTransport(urls, options, (to, protocol) => {
    if (typeof WebSocket === 'undefined') {
      throw new OxbowError('no-websocket', "There is no WebSocket here: import server from '@oxbow/sdk/node'.");
    }
    return new WebSocket(to, protocol);
  });
}
