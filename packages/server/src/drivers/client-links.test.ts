import * as net from 'node:net';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { clientLinks, type ClientLinks, type ClientLinksOptions } from './client-links.js';
import { listenHttp, type HttpServer, type Readiness } from './http.js';
import { createMetrics } from './metrics.js';
import type { ServerLink } from './server-link.js';

let links: ClientLinks;
let http: HttpServer;
let readiness: Readiness;
let accepted: ServerLink[];
let received: string[];
let closed: string[];

beforeEach(() => start({}));
afterEach(() => stop());

async function start(options: Partial<ClientLinksOptions>): Promise<void> {
  [accepted, received, closed] = [[], [], []];
  readiness = { ready: true, state: 'ready', warnings: [] };
  const gauges = {
    links: 3, spaces: 0, slotsInFlight: 0, entriesInFlight: 0, slotsUnapplied: 0,
    linksWaiting: 0, logBytesInFlight: 0, ready: true,
  };
  const metrics = createMetrics(() => gauges);
  metrics.count('frames_received', 5);
  metrics.observe('commit_ms', 1.5);
  metrics.barrier(0.1);
  metrics.linkClosed('slow-reader');
  metrics.linkClosed('a text from outside\n');
  links = clientLinks({
    frameBytesMax: 1_000_000, bufferedBytesMax: 4_000_000, linksMax: 3, ...options,
    accept: (link) => {
      accepted.push(link);
      return { received: (frame) => received.push(frame), closed: (code) => closed.push(code) };
    },
  });
  http = await listenHttp({
    host: '127.0.0.1', port: 0,
    readiness: () => readiness,
    metrics: () => metrics.render(),
    admin: (_request, response) => void response.writeHead(404).end(),
    upgrade: (request, socket, head) => links.upgrade(request, socket, head),
  });
}

async function stop(): Promise<void> {
  links.closeAll('stopping');
  await new Promise<void>((done) => http.close(done));
}

test('who is refused and does not hang up is not kept', async () => {
  const { port } = http.address;
  const knocks = [
    'GET /sync HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 'nonsense\r\n\r\n',
  ];
  for (const knock of knocks) {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    // Whether it comes as an end or as a reset is the system's business.
    socket.on('error', () => undefined);
    const closed = new Promise<void>((done) => socket.on('close', () => done()));
    socket.write(knock);
    const [answer] = await once(socket, 'data') as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400 /);
    // As long as the other end stands, our words arrive somewhere.
    const words = setInterval(() => socket.write('still here'), 20);
    await closed;
    clearInterval(words);
  }
});

test('frames travel both ways, in order, and the end is told once', async () => {
  const client = await connect();
  for (let n = 0; n < 100; n++) client.send(`up ${n}`);
  await vi.waitFor(() => expect(received).toHaveLength(100));
  expect(received[99]).toBe('up 99');
  const frames: string[] = [];
  client.on('message', (data: Buffer) => frames.push(data.toString()));
  for (let n = 0; n < 100; n++) accepted[0]?.send(`down ${n} ä€😀`);
  await vi.waitFor(() => expect(frames).toHaveLength(100));
  expect(frames[7]).toBe('down 7 ä€😀');
  client.close();
  await vi.waitFor(() => expect(closed).toEqual(['link-closed']));
});

test('frames of every length arrive as they were sent, whatever they are made of', async () => {
  const client = await connect();
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536];
  const texts = lengths.flatMap((length) =>
    ['x', 'é', '€', '\u{1f600}'].map((character) => character.repeat(length)));
  const frames: string[] = [];
  client.on('message', (data: Buffer, isBinary) => frames.push(isBinary ? 'binary' : data.toString()));
  for (const text of texts) accepted[0]?.send(text);
  await vi.waitFor(() => expect(frames).toHaveLength(texts.length));
  expect(frames.every((frame, at) => frame === texts[at])).toBe(true);
  client.close();
  await vi.waitFor(() => expect(closed).toEqual(['link-closed']));
});

test('a close from our side says why, after what was sent before', async () => {
  const client = await connect();
  const frames: string[] = [];
  client.on('message', (data: Buffer) => frames.push(data.toString()));
  accepted[0]?.send('last words');
  accepted[0]?.close('bad-message');
  accepted[0]?.send('too late');
  const [code, reason] = await end(client);
  expect([frames, code, reason]).toEqual([['last words'], 4000, 'bad-message']);
  await vi.waitFor(() => expect(closed).toEqual(['bad-message']));
});

test('a binary frame, bad UTF-8, a broken frame and one too large end the link with their codes', async () => {
  const cases: [task: (client: WebSocket) => void, wire: number, code: string][] = [
    [(client) => client.send(Buffer.from('{}')), 1003, 'bad-frame'],
    [(client) => client.send(Buffer.from([0xff, 0xfe]), { binary: false }), 1007, 'bad-frame'],
    [(client) => rawSocket(client).write(Buffer.from([0xff, 0xff, 0xff])), 1002, 'bad-frame'],
    [(client) => client.send('x'.repeat(1_000_001)), 1009, 'message-too-large'],
  ];
  for (const [task, wire, code] of cases) {
    closed.length = 0;
    const client = await connect();
    task(client);
    expect((await end(client))[0]).toBe(wire);
    await vi.waitFor(() => expect(closed).toEqual([code]));
  }
  expect(received).toEqual([]);
});

test('a reader that does not read is cut, and others are not held up', async () => {
  const lazy = await connect();
  rawSocket(lazy).pause();
  const other = await connect();
  const frame = 'x'.repeat(900_000);
  for (let n = 0; n < 200 && closed.length === 0; n++) {
    accepted[0]?.send(frame);
    await new Promise((later) => setImmediate(later));
  }
  expect(closed).toEqual(['slow-reader']);
  accepted[1]?.send('still here');
  const [data] = (await once(other, 'message')) as [Buffer];
  expect(data.toString()).toBe('still here');
  lazy.terminate();
});

test('a handshake without our subprotocol, to another path or beyond the bound is refused', async () => {
  expect(await refusal('/sync', 'chat')).toBe(400);
  expect(await refusal('/sync', undefined)).toBe(400);
  expect(await refusal('/other', 'oxbow')).toBe(404);
  const many = [await connect(), await connect(), await connect()];
  expect(await refusal('/sync', 'oxbow')).toBe(503);
  many[0]?.terminate();
  await vi.waitFor(() => expect(closed).toHaveLength(1));
  await connect();
});

test('origins are checked when a list is given; programs send none', async () => {
  await stop();
  await start({ origins: ['https://calendar.example'] });
  expect(await refusal('/sync', 'oxbow', 'https://evil.example')).toBe(403);
  await connect('https://calendar.example');
  await connect();
});

test('livez, readyz and metrics answer; anything else is refused', async () => {
  expect(await get('/livez')).toMatchObject({ status: 200, text: 'ok\n' });
  expect((await get('/readyz')).status).toBe(200);
  readiness = { ready: false, state: 'draining', warnings: ['development'] };
  const notReady = await get('/readyz');
  expect(notReady.status).toBe(503);
  expect(JSON.parse(notReady.text)).toEqual(readiness);
  const { text } = await get('/metrics');
  expect(text).toContain('oxbow_links 3');
  expect(text).toContain('oxbow_frames_received_total 5');
  expect(text).toContain('oxbow_links_closed_total{code="slow-reader"} 1');
  expect(text).toContain('oxbow_links_closed_total{code="other"} 1');
  expect(text).toContain('oxbow_commit_seconds_bucket{le="0.002"} 1');
  expect(text).toContain('nodejs_eventloop_lag_seconds');
  expect((await get('/secret')).status).toBe(404);
  expect((await get('/sync')).status).toBe(426);
  expect((await get('/livez', 'POST')).status).toBe(405);
});

test('garbage instead of HTTP is answered or cut, and the server stays up', async () => {
  const garbage = [
    Buffer.from('GET / HTTP/9.9\r\n\r\n'),
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0xfc]),
    Buffer.from(`GET /livez HTTP/1.1\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`),
    Buffer.from('GET /sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    Buffer.from('GET /sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'),
  ];
  for (const bytes of garbage) {
    const socket = net.connect(http.address.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    socket.end(bytes);
    await once(socket, 'close');
  }
  expect((await get('/livez')).status).toBe(200);
});

test('a port that is taken is an error with the cure', async () => {
  const again = listenHttp({
    host: '127.0.0.1', port: http.address.port, readiness: () => readiness,
    metrics: () => Promise.resolve({ type: '', text: '' }), upgrade: () => undefined,
    admin: () => undefined,
  });
  await expect(again).rejects.toMatchObject({ code: 'port-in-use' });
});

const address = (path: string): string => `127.0.0.1:${http.address.port}${path}`;

async function connect(origin?: string): Promise<WebSocket> {
  const client = new WebSocket(`ws://${address('/sync')}`, 'oxbow', origin === undefined ? {} : { origin });
  client.on('error', () => undefined);
  await once(client, 'open');
  return client;
}

async function refusal(path: string, protocol: string | undefined, origin?: string): Promise<number | undefined> {
  const client = new WebSocket(`ws://${address(path)}`, protocol, origin === undefined ? {} : { origin });
  client.on('error', () => undefined);
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, { statusCode?: number; resume(): void }];
  response.resume();
  client.terminate();
  return response.statusCode;
}

async function end(client: WebSocket): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return [code, reason.toString()];
}

function rawSocket(client: WebSocket): net.Socket {
  return (client as unknown as { _socket: net.Socket })._socket;
}

async function get(path: string, method = 'GET'): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${address(path)}`, { method });
  return { status: response.status, text: await response.text() };
}
