/** Everything of index.ts, with the drivers that only Node has. */
import { WebSocket } from 'ws';
import { socketTransport, type ServerOptions } from './drivers/transport-websocket.js';
import type { Transport } from './drivers/transport.js';
import * as limits from './protocol/limits.js';

export * from './index.js';
export { file } from './drivers/storage-file.js';

/**
 * A server to sync with, by WebSocket, for Node. As `server` of `@oxbow/sdk`.
 *
 * @example
 * server('ws://localhost:8787/sync', { token: 'dev:ann' })
 */
export function server(
  urls: string | readonly string[], options: ServerOptions = {},
): Transport {
  return socketTransport(urls, options, (to, protocol) => new WebSocket(to, protocol, {
    maxPayload: limits.frameBytesMax,
    perMessageDeflate: false,
    handshakeTimeout: limits.connectTimeoutMs,
  }));
}
