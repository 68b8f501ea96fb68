import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Link } from './transport.js';
import { socketTransport, type ServerOptions } from './transport-websocket.js';

const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

async function listening(onConnection: (socket: WebSocket, protocol: string) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  servers.push(server);
  server.on('connection', (socket) => onConnection(socket, socket.protocol));
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `ws://127.0.0.1:${address.port}/sync?secret=1`;
}

const viaWs = (url: string | readonly string[], options: ServerOptions = {}) =>
  socketTransport(url, options, (to, protocol) => new WebSocket(to, protocol));

/** Connects and answers the story of the link up to its end. */
function story(url: string, onOpened: (link: Link) => void, onFrame?: (link: Link, frame: string) => void) {
  return new Promise<string[]>((resolve) => {
    const told: string[] = [];
    let link: Link | undefined;
    viaWs(url).connect({
      opened: (opened) => { told.push('opened'); link = opened; onOpened(opened); },
      received: (frame) => {
        told.push(`got ${frame}`);
        if (link !== undefined) onFrame?.(link, frame);
      },
      closed: (reason) => { told.push(`closed: ${reason}`); resolve(told); },
    });
  });
}

describe('a link over WebSocket', () => {
  it('speaks the subprotocol and carries text both ways', async () => {
    let spoken = '';
    const url = await listening((socket, protocol) => {
      spoken = protocol;
      socket.on('message', (data) => socket.send(`echo ${String(data)}`));
    });
    const told = await story(url, (link) => link.send('hi'), (link) => link.close());
    expect(told).toEqual(['opened', 'got echo hi', 'closed: code 1000']);
    expect(spoken).toBe('oxbow');
  });

  it('refuses binary frames', async () => {
    const url = await listening((socket) => socket.send(Buffer.from('bytes')));
    const told = await story(url, () => undefined);
    expect(told[1]).toMatch(/^closed: code 1003/);
  });

  it('tells why the server left', async () => {
    const url = await listening((socket) => socket.close(1013, 'try later'));
    expect(await story(url, () => undefined)).toEqual(['opened', 'closed: code 1013: try later']);
  });

  it('tells of a server that is not there and of a URL that is none, never in the same turn', async () => {
    expect((await story('ws://127.0.0.1:1/', () => undefined))[0]).toMatch(/^closed: /);
    let isSameTurn = true;
    const told = new Promise<string>((resolve) => {
      viaWs('ws://a.example/').connect({
        opened: () => undefined,
        received: () => undefined,
        closed: (reason) => resolve(`${isSameTurn}: ${reason}`),
      }, 'nonsense');
      isSameTurn = false;
    });
    expect(await told).toMatch(/^false: /);
  });

  it('tells why there is no link where the socket knows it', async () => {
    const server = createServer((_request, response) => response.end());
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // reason: it listens on a port.
    const { port } = server.address() as AddressInfo;
    const [refused] = await story(`ws://127.0.0.1:${port}/`, () => undefined);
    expect(refused).toBe('closed: code 1006: Unexpected server response: 404');
    server.close();
  });

  it('tells nothing any more of an attempt that was abandoned', async () => {
    const told: string[] = [];
    let seesClose: (() => void) | undefined;
    const closed = new Promise<void>((resolve) => { seesClose = resolve; });
    const url = await listening((socket) => socket.on('close', () => seesClose?.()));
    const abandon = viaWs(url).connect({
      opened: () => { told.push('opened'); abandon(); },
      received: () => told.push('received'),
      closed: () => told.push('closed'),
    });
    await closed;
    expect(told).toEqual(['opened']);
  });

  it('takes a token as text or from a function, and passes on that the function failed', async () => {
    const ask = (options: ServerOptions) => new Promise<string>((resolve) => {
      viaWs('ws://x', options).token?.((token, error) => resolve(token ?? error?.code ?? 'nothing'));
    });
    expect(await ask({ token: 'fixed' })).toBe('fixed');
    expect(await ask({ token: async () => 'fetched' })).toBe('fetched');
    expect(await ask({ token: () => { throw new Error('offline'); } })).toBe('token-unavailable');
    expect(viaWs('ws://x').token).toBeUndefined();
  });

  it('connects to the address that it is told, the first unless told otherwise', async () => {
    const connectTo = (urls: readonly string[], address?: string) => {
      const asked: string[] = [];
      socketTransport(urls, {}, (url) => {
        asked.push(url);
        throw new Error('As told.');
      }).connect({ opened: () => undefined, received: () => undefined, closed: () => undefined }, address);
      return asked;
    };
    const urls = ['wss://a.example/sync', 'wss://b.example/sync'];
    expect(viaWs(urls).addresses).toEqual(urls);
    expect(connectTo(urls)).toEqual(['wss://a.example/sync']);
    expect(connectTo(urls, 'wss://b.example/sync')).toEqual(['wss://b.example/sync']);
    expect(connectTo(urls, 'https://c.example/sync')).toEqual(['wss://c.example/sync']);
  });

  it('needs at least one address', () => {
    expect(() => viaWs([])).toThrow(expect.objectContaining({ code: 'bad-server-url' }));
  });

  it.each([
    'localhost:8787/sync', 'nonsense', '', 'ftp://a.example/sync', 'ws:a.example', 'a.example/?key=1',
  ])('refuses at once what is no address: %j', (url) => {
    const error: unknown = expect.objectContaining({
      code: 'bad-server-url', message: expect.not.stringContaining('key=1') as string,
    });
    expect(() => viaWs(['wss://a.example/sync', url])).toThrow(error as Error);
  });

  it('is named after its URL without the query, which may hold secrets', () => {
    expect(viaWs('wss://sync.example/sync?secret=1').name).toBe('wss://sync.example/sync');
    expect(viaWs('wss://sync.example', { name: 'home' }).name).toBe('home');
  });
});
