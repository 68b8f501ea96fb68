import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listen, peerLinksLaws, stopped, type PeerBench, type PeerEnd } from '../cluster/testing/peer-links-laws.js';
import type { Logger } from './log.js';
import { silentLogger } from './log.js';
import { listenPeerLinks, type ListeningPeerLinks, type PeerLinksOptions, type PeerTrust } from './peer-links.js';
import { encodeFrame, frameKind } from './peer-links-frame.js';
import { peerLinkLimits } from './peer-links-limits.js';
import { TestAuthority } from './testing/test-certificates.js';

const SECRET = 'a secret that all nodes of the tests share, long enough';
const LOOPBACK = '127.0.0.1';
const WAIT = { timeout: 20_000, interval: 5 };
const secretTrust: PeerTrust = { kind: 'secret', secret: SECRET };
const limits = { ...peerLinkLimits, patienceMs: 50, pingMs: 100 };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oxbow-peers-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

peerLinksLaws('TCP with a secret', () => bench(() => secretTrust));
peerLinksLaws('mTLS', () => {
  const authority = new TestAuthority();
  return bench((name) => tlsTrust(authority, name));
});

/** Ports are found once and kept, as an operator's are. */
function bench(trustOf: (name: string) => PeerTrust): PeerBench {
  const first = 20_000 + Math.floor(Math.random() * 12_000);
  const port = (name: string): number => first + name.charCodeAt(0);
  return {
    open: (node) => listenPeerLinks({
      node, host: LOOPBACK, port: port(node), trust: trustOf(node), logger: silentLogger, limits,
    }),
    address: (name) => `${LOOPBACK}:${port(name)}`,
    close: () => Promise.resolve(),
  };
}

function tlsTrust(authority: TestAuthority, file: string, issued = authority.issue(file)): PeerTrust {
  const path = (end: string): string => join(folder, `${file}.${end}`);
  const { cert, key } = issued;
  for (const [end, pem] of Object.entries({ ca: authority.ca, cert, key })) writeFileSync(path(end), pem);
  return { kind: 'tls', files: { ca: path('ca'), cert: path('cert'), key: path('key') } };
}

let ends: PeerEnd[] = [];
let closers: (() => void)[] = [];
afterEach(async () => {
  for (const close of closers) close();
  for (const { links } of ends) await stopped(links);
  [ends, closers] = [[], []];
});

interface Node extends PeerEnd {
  readonly address: string;
}

async function node(name: string, more: Partial<PeerLinksOptions> = {}): Promise<Node> {
  const options = { node: name, host: LOOPBACK, port: 0, trust: secretTrust, logger: silentLogger, limits, ...more };
  const links: ListeningPeerLinks = await listenPeerLinks(options);
  const end = listen(links);
  ends.push(end);
  return { ...end, address: `${LOOPBACK}:${links.address.port}` };
}

const problems = ({ links }: PeerEnd): string[] =>
  links.states().flatMap(({ problem }) => (problem === undefined ? [] : [problem.code]));
const want = ({ links }: PeerEnd, name: string, address: string): void =>
  links.want(new Map([[name, address]]));

describe('who is not believed', () => {
  test('another secret: both sides are told why, nobody is linked', async () => {
    const [a, b] = [await node('a'), await node('b', { trust: { kind: 'secret', secret: `${SECRET}!` } })];
    want(a, 'b', b.address);
    want(b, 'a', a.address);
    await expect.poll(() => [problems(a), problems(b)], WAIT)
      .toEqual([['peer-unproven', 'peer-unproven'], ['peer-unproven', 'peer-unproven']]);
    expect([a.told, b.told]).toEqual([[], []]);
  });

  test('a certificate of another authority', async () => {
    const a = await node('a', { trust: tlsTrust(new TestAuthority(), 'a') });
    const b = await node('b', { trust: tlsTrust(new TestAuthority(), 'b') });
    want(a, 'b', b.address);
    want(b, 'a', a.address);
    await expect.poll(() => problems(a)[0], WAIT).toBe('peer-unproven');
    expect([a.told, b.told]).toEqual([[], []]);
  });

  test('a certificate that was issued for another node, unless its only name is the common name', async () => {
    const authority = new TestAuthority();
    const a = await node('a', { trust: tlsTrust(authority, 'a') });
    const eve = await node('b', { trust: tlsTrust(authority, 'eve') });
    want(a, 'b', eve.address);
    await expect.poll(() => problems(a)[0], WAIT).toBe('peer-unproven');
    const sly = await node('c', { trust: tlsTrust(authority, 'sly', authority.issue('c', ['eve'])) });
    want(a, 'c', sly.address);
    await expect.poll(() => problems(a)[0], WAIT).toBe('peer-unproven');
    const plain = await node('d', { trust: tlsTrust(authority, 'plain', authority.issue('d', [])) });
    want(a, 'd', plain.address);
    await expect.poll(() => a.isUp('d'), WAIT).toBe(true);
  });

  test('one without TLS at a port with TLS, and the reverse', async () => {
    const [a, b] = [await node('a', { trust: tlsTrust(new TestAuthority(), 'a') }), await node('b')];
    want(a, 'b', b.address);
    want(b, 'a', a.address);
    await expect.poll(() => problems(a).length > 0 && problems(b).length > 0, WAIT).toBe(true);
    expect([a.told, b.told]).toEqual([[], []]);
  });

  test('a recorded greeting proves nothing the second time', async () => {
    const [a, b] = [await node('a'), await node('b')];
    const recorded: Buffer[] = [];
    const proxy = await forward(b.address, {
      seen: (bytes, connection) => connection === 1 && recorded.push(bytes),
    });
    want(a, 'b', proxy.address);
    await expect.poll(() => b.isUp('a'), WAIT).toBe(true);
    await stopped(a.links);
    await expect.poll(() => b.told.filter((line) => line.startsWith('cut')).length, WAIT).toBe(2);
    const told = b.told.length;
    const answer = await talk(b.address, recorded);
    expect(answer).toContain('peer-unproven');
    expect(b.told.length).toBe(told);
  });

  test('an address at which a node of another name answers', async () => {
    const [a, c] = [await node('a'), await node('c')];
    want(a, 'b', c.address);
    await expect.poll(() => problems(a), WAIT).toEqual(['peer-misnamed', 'peer-misnamed']);
    expect(a.links.states()[0]?.problem?.message).toMatch(/'b' was dialled and 'c' answered/);
    expect(c.told).toEqual([]);
  });

  test('a second process under a name that is in use; the first one stays', async () => {
    const [a, b] = [await node('a'), await node('b')];
    want(b, 'a', a.address);
    await expect.poll(() => a.isUp('b') && b.isUp('a'), WAIT).toBe(true);
    const namesake = await node('b');
    want(namesake, 'a', a.address);
    await expect.poll(() => problems(namesake), WAIT).toEqual(['peer-name-taken', 'peer-name-taken']);
    expect(a.told).toHaveLength(2);
    expect(a.isUp('b')).toBe(true);
  });

  test('a secret that is too short, certificates that are none', async () => {
    await expect(async () => node('a', { trust: { kind: 'secret', secret: 'short' } }))
      .rejects.toMatchObject({ code: 'config-invalid' });
    const files = { ca: '/nowhere', cert: '/nowhere', key: '/nowhere' };
    await expect(async () => node('a', { trust: { kind: 'tls', files } }))
      .rejects.toMatchObject({ code: 'config-invalid' });
  });
});

test('a half-open link is cut by its silence, and dialled again', async () => {
  const [a, b] = [await node('a'), await node('b')];
  const proxy = await forward(b.address);
  want(a, 'b', proxy.address);
  await expect.poll(() => a.isUp('b'), WAIT).toBe(true);
  proxy.freeze();
  await expect.poll(() => problems(a), WAIT).toContain('link-silent');
  proxy.thaw();
  await expect.poll(() => a.isUp('b') && b.isUp('a'), WAIT).toBe(true);
});

test('a reader that stalls costs a bounded amount of memory and nobody else\'s time', async () => {
  const [a, b, c] = [await node('a', { limits: { ...limits, quietPeriodsMax: 1_000 } }), await node('b'), await node('c')];
  const proxy = await forward(b.address);
  a.links.want(new Map([['b', proxy.address], ['c', c.address]]));
  await expect.poll(() => a.isUp('b') && a.isUp('c'), WAIT).toBe(true);
  proxy.freeze();
  const frame = new Uint8Array(4 * 1024 * 1024);
  let taken = 0;
  for (let i = 0; i < 100; i++) taken += a.links.send('b', 'bulk', frame) ? 1 : 0;
  expect(taken).toBeLessThan(20);
  expect(a.links.bufferedBytes('b', 'bulk')).toBeLessThanOrEqual(limits.bufferedBytesMax.bulk);
  a.links.send('c', 'bulk', Buffer.from('still here'));
  await expect.poll(() => c.frames.length, WAIT).toBe(1);
});

test('certificates are read anew: a rotated one is used for the next link', async () => {
  const [old, rotated] = [new TestAuthority('old'), new TestAuthority('rotated')];
  const a = await node('a', { trust: tlsTrust(old, 'a') });
  const b = await node('b', { trust: tlsTrust(rotated, 'b') });
  want(a, 'b', b.address);
  await expect.poll(() => problems(a)[0], WAIT).toBe('peer-unproven');
  tlsTrust(rotated, 'a');
  // reason: `node` opens real links and forgets it.
  (a.links as ListeningPeerLinks).reloadCertificates();
  await expect.poll(() => a.isUp('b'), WAIT).toBe(true);
});

test('certificates that cannot be used leave the former ones in force', async () => {
  const authority = new TestAuthority();
  const lines: string[] = [];
  const logger: Logger = { log: (level, event) => lines.push(`${level} ${event}`) };
  const a = await node('a', { trust: tlsTrust(authority, 'a'), logger });
  const b = await node('b', { trust: tlsTrust(authority, 'b') });
  writeFileSync(join(folder, 'a.key'), 'no key');
  // reason: `node` opens real links and forgets it.
  (a.links as ListeningPeerLinks).reloadCertificates();
  expect(lines).toContain('error peer-certificates-unusable');
  want(b, 'a', a.address);
  await expect.poll(() => a.isUp('b'), WAIT).toBe(true);
});

test('noise at the port disturbs no link and ends no node; no secret is logged', async () => {
  const lines: string[] = [];
  const logger: Logger = { log: (level, event, fields) => lines.push(JSON.stringify([level, event, fields])) };
  const [a, b] = [await node('a', { logger }), await node('b')];
  const recorded: Buffer[] = [];
  const proxy = await forward(a.address, { seen: (bytes) => recorded.push(bytes) });
  want(b, 'a', proxy.address);
  await expect.poll(() => a.isUp('b') && b.isUp('a'), WAIT).toBe(true);
  const greeting = Buffer.concat(recorded);
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 10 }, () => talk(a.address, [noise(greeting)])));
  }
  expect(a.told).toHaveLength(2);
  b.links.send('a', 'control', Buffer.from('undisturbed'));
  await expect.poll(() => a.frames.length, WAIT).toBe(1);
  expect(lines.join()).not.toContain(SECRET);
});

test('a crowd that says nothing leaves room for nodes once its time is over', async () => {
  const a = await node('a', { limits: { ...limits, greetingMs: 300 } });
  const crowd = Array.from({ length: 300 }, () => createConnection(Number(a.address.split(':')[1]), LOOPBACK));
  for (const socket of crowd) socket.on('error', () => undefined);
  closers.push(() => crowd.forEach((socket) => socket.destroy()));
  const b = await node('b');
  want(b, 'a', a.address);
  await expect.poll(() => a.isUp('b'), WAIT).toBe(true);
});

/** Random bytes, or a real greeting with a few bytes changed, cut off or doubled. */
function noise(greeting: Buffer): Buffer {
  const size = Math.floor(Math.random() * 300);
  if (Math.random() < 0.3) return randomBytes(size);
  if (Math.random() < 0.2) return encodeFrame(frameKind.hello, randomBytes(size));
  const bytes = Buffer.from(greeting.subarray(0, Math.ceil(Math.random() * greeting.length)));
  for (let i = 0; i < 3; i++) bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
  return Math.random() < 0.5 ? bytes : Buffer.concat([bytes, bytes]);
}

/** Says something and answers with all that came back until the end. */
function talk(address: string, said: readonly Buffer[]): Promise<string> {
  const socket = createConnection(Number(address.split(':')[1]), LOOPBACK);
  let heard = '';
  socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
  socket.on('error', () => undefined);
  for (const bytes of said) socket.write(bytes);
  const patience = setTimeout(() => socket.destroy(), 200);
  return new Promise((resolve) => socket.once('close', () => {
    clearTimeout(patience);
    resolve(heard);
  }));
}

interface Proxy {
  readonly address: string;
  /** Takes and gives nothing more, without ending anything. */
  freeze(): void;
  thaw(): void;
}

async function forward(address: string, watch: { seen?(bytes: Buffer, connection: number): void } = {}): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let [isFrozen, connections] = [false, 0];
  const server: Server = createServer((near) => {
    const far = createConnection(Number(address.split(':')[1]), LOOPBACK);
    const connection = ++connections;
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (!isFrozen) to.destroy();
      });
      if (isFrozen) from.pause();
    }
    near.on('data', (bytes) => watch.seen?.(bytes, connection));
    if (isFrozen) near.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  // reason: a TCP server that listens has an address with a port.
  const { port } = server.address() as { port: number };
  return {
    address: `${LOOPBACK}:${port}`,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
  };
}
