/**
 * Strangers at the server's door: frames that are nearly right, frames that are noise, bytes that
 * are neither HTTP nor WebSocket. The server (a process of its own) must stay up, let nobody reach
 * what they have no right to, and keep serving a client that does nothing wrong. Replay: SEED=… npx
 * vitest run test/fuzz/socket.test.ts
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { encodeMessage, type Message, type ReplicaId, type SpaceId } from '@oxbow/sdk/protocol';
import { startServer, type ServerProcess } from '../../packages/server/src/cli/testing/server-process.js';
import { mintToken } from '../../packages/server/src/cli/token.js';
import { RawClient } from '../../packages/server/src/drivers/testing/raw-client.js';

const FRAMES = 20_000;
const HTTP_TRIES = 1_000;
const FUZZERS = 8;
/** After a bad frame the link ends: so many are sent before another link is made. */
const FRAMES_PER_LINK = 6;

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const alphabet = ['{', '}', '[', ']', '"', ':', ',', '0', '-1', '1e999', 'null', 'true', '\\u0000', '\ud800', '9'.repeat(30), '😀', '__proto__'];

test(`${FRAMES} bad frames and ${HTTP_TRIES} bad handshakes disturb nobody (SEED=${seed})`, async () => {
  const data = mkdtempSync(join(tmpdir(), 'oxbow-fuzz-'));
  const secretFile = join(data, 'secret');
  writeFileSync(secretFile, 'a secret of more than thirty-two bytes, for tests');
  const token = (user: string, space: string): Promise<string> =>
    mintToken({ user, space: [space], secretFile, expires: '1h' });
  const server = await startServer(join(data, 'data'), ['--jwt-secret-file', secretFile]);
  const good = await RawClient.connect({
    url: server.url, replica: 'good', token: await token('ann', 'team'),
  });
  await good.open('team');
  const run = { isOver: false };
  const committed = commitUntil(good, run);

  const strangers = await token('mallory', 'fuzz/*');
  const random = new Random(seed);
  const fuzzers = Array.from({ length: FUZZERS }, (_, index) =>
    fuzz(server, { random: random.fork(), token: strangers, name: `fuzz-${index}` }));
  await Promise.all([...fuzzers, knock(server, random.fork())]);

  run.isOver = true;
  const count = await committed;
  expect(server.hasEnded()).toBe(false);
  const http = server.url.replace('ws:', 'http:').replace('/sync', '');
  for (const path of ['/livez', '/readyz']) expect((await fetch(http + path)).status).toBe(200);
  const metrics = await (await fetch(`${http}/metrics`)).text();
  // The noise went deep enough to be refused at several stages, and some of it was served.
  const codes = [...metrics.matchAll(/links_closed_total\{code="([^"]+)"\}/g)].map(([, code]) => code);
  expect(codes).toEqual(expect.arrayContaining(['bad-message', 'bad-frame', 'unexpected-message']));
  expect(metrics).toMatch(/updates_received_total [1-9]/);
  const reader = await RawClient.connect({
    url: server.url, replica: 'reader', token: await token('eve', 'team'),
  });
  // Nobody else has written there: what stands in the space is what the good client wrote.
  expect((await reader.open('team')).summary.csn).toBe(count);
  expect(await reader.commit('team', 'put', { id: 'last', text: 'x' })).toMatchObject({ csn: count + 1 });
  for (const client of [good, reader]) client.close();
  expect(await server.end('SIGTERM')).toBe(0);
  rmSync(data, { recursive: true, force: true });
}, 240_000);

async function commitUntil(client: RawClient, run: { isOver: boolean }): Promise<number> {
  let count = 0;
  while (!run.isOver || count < 50) {
    const entry = await client.commit('team', 'put', { id: String(count % 9), text: 'steady' });
    count += 1;
    expect(entry).toMatchObject({ csn: count, outcome: { kind: 'applied' } });
    await new Promise((later) => setTimeout(later, 5));
  }
  return count;
}

interface Fuzzer {
  readonly random: Random;
  readonly token: string;
  readonly name: string;
}

async function fuzz({ url }: ServerProcess, { random, token, name }: Fuzzer): Promise<void> {
  let sent = 0;
  while (sent < FRAMES / FUZZERS) {
    const socket = new WebSocket(url, 'oxbow', { perMessageDeflate: false });
    socket.on('error', () => undefined);
    await once(socket, 'open');
    const replica = `${name}-${random.below(5)}`;
    if (random.chance(0.9)) {
      socket.send(encodeMessage(hello(replica, token)));
      // Before the answer every other frame is out of place: most links get beyond.
      await once(socket, 'message');
    }
    if (random.chance(0.8)) socket.send(encodeMessage(open('fuzz/1')));
    for (let n = 0; n < FRAMES_PER_LINK && socket.readyState === WebSocket.OPEN; n++, sent++) {
      const frame = random.pick([mutated, mutated, swapped, noise, valid, valid])(random, replica);
      if (random.chance(0.02)) socket.send(Buffer.from(frame));
      else socket.send(frame);
      if (n % 2 === 0) await new Promise((later) => setImmediate(later));
    }
    if (random.chance(0.1)) rawSocket(socket).write(random.bytes(40));
    if (random.chance(0.3)) socket.terminate();
    else await farewell(socket);
  }
}

/** A link that the server found nothing wrong with is ended by us. */
async function farewell(socket: WebSocket): Promise<void> {
  const timer = setTimeout(() => socket.terminate(), 20);
  if (socket.readyState !== WebSocket.CLOSED) await once(socket, 'close');
  clearTimeout(timer);
}

/** Raw connections: noise, broken requests, broken handshakes. */
async function knock({ url }: ServerProcess, random: Random): Promise<void> {
  const port = Number(new URL(url).port);
  const request =
    `GET /sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
    `Sec-WebSocket-Protocol: oxbow\r\n\r\n`;
  for (let n = 0; n < HTTP_TRIES; n++) {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    const text = random.chance(0.5) ? mutate(random, request) : request;
    socket.write(random.chance(0.3) ? random.bytes(300) : text);
    if (random.chance(0.7)) socket.write(random.bytes(100));
    await new Promise((later) => setTimeout(later, random.below(3)));
    socket.destroy();
  }
}

function hello(replica: string, token: string): Message {
  return { kind: 'hello', versions: [1, 1], app: 'test', appVersion: 1, replica: replica as ReplicaId, token };
}

function open(space: string): Message {
  return {
    kind: 'open', space: space as SpaceId, round: 1, wants: 'all',
    summary: { history: '', csn: 0, vector: {} }, settledSeq: 0,
  };
}

/** Well-formed, and mostly out of place. */
function valid(random: Random, replica: string): string {
  const space = random.pick(['fuzz/1', 'fuzz/2', 'team', 'secret']) as SpaceId;
  const id = { replica: random.pick([replica, 'good', 'nobody']) as ReplicaId, seq: 1 + random.below(9) };
  const update = {
    id, lamport: 1 + random.below(2 ** 40), context: { csn: random.below(9), vector: {} },
    name: random.pick(['put', 'add', 'drop', '__proto__']), version: 1 + random.below(3),
    args: random.pick([{ id: 'a', text: 'b' }, null, [], 'x', { id: { id: 1 } }, { __proto__: null }]),
    at: random.below(2 ** 40),
  };
  return encodeMessage(random.pick<Message>([
    hello(replica, 'other'),
    open(space),
    { kind: 'updates', space, updates: [update, update] },
    { kind: 'commits', space, history: replica, entries: [] },
    { kind: 'have', space, csn: random.below(9), hashes: ['00'] },
    { kind: 'transferred', space, csn: 1, pages: 0 },
    { kind: 'leave', space },
    { kind: 'ack', received: random.below(2 ** 30) },
    { kind: 'welcome', version: 1, replica: replica as ReplicaId, user: null },
    { kind: 'fail', code: 'x', message: 'y', space },
    { kind: 'ping' },
    { kind: 'pong' },
  ]));
}

function mutated(random: Random, replica: string): string {
  return mutate(random, valid(random, replica));
}

/** Cuts, doubles, replaces. */
function mutate(random: Random, text: string): string {
  let result = text;
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(result.length);
    const length = random.below(6);
    const insert = random.pick([random.pick(alphabet), result.slice(at, at + 20), '']);
    result = result.slice(0, at) + insert + result.slice(at + length);
  }
  return result;
}

/** Right JSON with one value of another kind. */
function swapped(random: Random, replica: string): string {
  const odd = random.pick(['-1', '1.5', '1e300', '"x"', 'null', '[]', '{}', '[[[[[[]]]]]]', '"' + 'x'.repeat(5_000) + '"']);
  return valid(random, replica).replace(/:("[^"]*"|-?\d+|\[|\{\})/g, (whole) =>
    random.chance(0.15) && whole !== ':[' ? `:${odd}` : whole);
}

function noise(random: Random): string {
  if (random.chance(0.05)) return '['.repeat(50_000);
  return Array.from({ length: random.below(40) }, () => random.pick(alphabet)).join('');
}

function rawSocket(client: WebSocket): net.Socket {
  return (client as unknown as { _socket: net.Socket })._socket;
}

/** mulberry32. */
class Random {
  #state: number;

  constructor(start: number) {
    this.#state = start >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  bytes(max: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(max) }, () => this.below(256)));
  }

  fork(): Random {
    return new Random(this.below(2 ** 32));
  }
}
