/**
 * The node's HTTP side: three small answers, and the door to WebSocket. `/livez` says "do not
 * restart me", `/readyz` "send me traffic": a node that recovers or drains is alive and not ready
 * (etcd #13340 and #16007 show what happens to clusters whose probes mean the same).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { OxbowError } from '@oxbow/sdk/protocol';
import { ADMIN_PATH } from './admin-http.js';
import { socketLimits } from '../node/limits.js';
import { endHandshake, SYNC_PATH } from './client-links.js';

export interface Readiness {
  readonly ready: boolean;
  /** `starting`, `ready`, `draining`, `failed`. */
  readonly state: string;
  /** What an operator should know though the node works: development mode, for example. */
  readonly warnings: readonly string[];
}

export interface HttpOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readiness(): Readiness;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Answers what is under `/cluster`. */
  admin(request: IncomingMessage, response: ServerResponse): void;
}

export interface HttpServer {
  readonly address: AddressInfo;
  /** No new connections; those that there are end now. */
  close(done: () => void): void;
}

/** Listens. Errors: `port-in-use`, `listen-failed`. */
export function listenHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer(
    {
      maxHeaderSize: socketLimits.headerBytesMax,
      headersTimeout: socketLimits.headersMs,
      requestTimeout: socketLimits.headersMs,
      keepAliveTimeout: socketLimits.keepAliveMs,
      noDelay: true,
    },
    (request, response) => answer(request, response, options),
  );
  server.maxConnections = socketLimits.connectionsMax;
  server.on('upgrade', (request, socket, head) => {
    if (pathOf(request) === SYNC_PATH) options.upgrade(request, socket, head);
    else endHandshake(socket, { status: '404 Not Found', text: `not-found: use ${SYNC_PATH}` });
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) endHandshake(socket, { status: '400 Bad Request', text: 'bad-request' });
    else socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)));
    server.listen(options.port, options.host, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(started(server, address));
    });
  });
}

function started(server: Server, address: AddressInfo): HttpServer {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    address,
    close(done) {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, options: HttpOptions): void {
  const path = pathOf(request);
  if (path === ADMIN_PATH || path.startsWith(`${ADMIN_PATH}/`)) {
    // Orders have no body either.
    if (request.method !== 'GET') response.setHeader('Connection', 'close');
    options.admin(request, response);
    return;
  }
  // A body is never read: whoever sends one is answered and the connection ends.
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Connection', 'close');
    reply(response, 405, 'text/plain', 'method-not-allowed\n');
    return;
  }
  switch (path) {
    case '/livez':
      reply(response, 200, 'text/plain', 'ok\n');
      return;
    case '/readyz': {
      const readiness = options.readiness();
      const text = `${JSON.stringify(readiness)}\n`;
      reply(response, readiness.ready ? 200 : 503, 'application/json', text);
      return;
    }
    case '/metrics':
      options.metrics().then(
        ({ type, text }) => reply(response, 200, type, text),
        () => reply(response, 500, 'text/plain', 'metrics-failed\n'),
      );
      return;
    case SYNC_PATH:
      reply(response, 426, 'text/plain', 'upgrade-required: this is a WebSocket address\n');
      return;
    default:
      reply(response, 404, 'text/plain', 'not-found\n');
  }
}

function reply(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/[?#].*$/s, '');
}

function listenError(error: Error, { host, port }: HttpOptions): OxbowError {
  if ('code' in error && error.code === 'EADDRINUSE') {
    return new OxbowError(
      'port-in-use',
      `Cannot listen on ${host}:${port}: another program does. Stop it or choose another port.`,
      { cause: error },
    );
  }
  return new OxbowError(
    'listen-failed',
    `Cannot listen on ${host}:${port}: ${error.message}. Check host and port.`,
    { cause: error },
  );
}
