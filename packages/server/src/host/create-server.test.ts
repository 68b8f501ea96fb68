import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommitEntry, Message, SpaceId } from '@oxbow/sdk/protocol';
import { silentLogger } from '../drivers/log.js';
import { RawClient } from '../drivers/testing/raw-client.js';
import { app } from '../drivers/testing/test-app.js';
import { createServer, type OxbowServer, type ServerOptions } from './create-server.js';

const SECRET = 'a secret of more than thirty-two bytes, for tests';
const SPACE = 'team';

let data = '';
let servers: OxbowServer[] = [];
let clients: RawClient[] = [];
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'oxbow-server-'));
});
afterEach(async () => {
  for (const client of clients) client.close();
  for (const server of servers) await server.close();
  [clients, servers] = [[], []];
  rmSync(data, { recursive: true, force: true });
});

test('what is written by one client reaches the other, and is there after a restart', async () => {
  const first = await serve();
  const ann = await client(first, 'replica-a');
  const bob = await client(first, 'replica-b', 'dev:bob');
  await ann.open(SPACE);
  await bob.open(SPACE);
  const seen = bob.next('commits');
  const entry = await ann.commit(SPACE, 'put', { id: '1', text: 'room' });
  expect(entry).toMatchObject({ csn: 1, user: 'ann', outcome: { kind: 'applied' } });
  expect((await seen).entries[0]).toMatchObject({ csn: 1, effects: entry.effects });
  const refused = await bob.commit(SPACE, 'add', { id: '1', text: 'room' });
  expect(refused).toMatchObject({ csn: 2, outcome: { kind: 'rejected', code: 'taken' } });
  await first.server.close();

  const second = await serve();
  const eve = await client(second, 'replica-e', 'dev:eve');
  const everything = eve.next('commits', ({ entries }) => entries.at(-1)?.csn === 2);
  const opened = await eve.open(SPACE);
  expect(opened.summary.csn).toBe(2);
  expect((await everything).entries.at(-1)?.outcome).toEqual(refused.outcome);
});

test('a graceful stop loses nothing that was acknowledged, under load, and tells clients to come back', async () => {
  const first = await serve();
  const acknowledged = new Map<string, number>();
  const writers = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const writer = await client(first, `writer-${index}`);
      await writer.open(SPACE);
      return writer;
    }),
  );
  const farewells = writers.map((writer) =>
    writer.next('fail', ({ code }) => code === 'server-stopping'));
  const loads = writers.map(async (writer) => {
    for (;;) {
      const entry = await writer.commit(SPACE, 'put', { id: writer.replica, text: 'x' });
      acknowledged.set(writer.replica, entry.id.seq);
    }
  });
  const ended = Promise.allSettled(loads);
  await new Promise((later) => setTimeout(later, 300));
  await first.server.close();
  await ended;
  for (const farewell of await Promise.all(farewells)) expect(farewell.retryMs).toBeGreaterThan(0);

  const second = await serve();
  expect(acknowledged.size).toBe(8);
  for (const [replica, seq] of acknowledged) {
    const again = await client(second, replica);
    expect((await again.open(SPACE)).settledSeq).toBeGreaterThanOrEqual(seq);
  }
});

test('readyz says no before and while it stops, livez stays; metrics count what happened', async () => {
  const { server, http } = await serve();
  expect(await status(`${http}/livez`)).toBe(200);
  const ready = await fetch(`${http}/readyz`);
  expect(ready.status).toBe(200);
  expect(await ready.json()).toMatchObject({
    state: 'ready', warnings: [expect.stringContaining('DEVELOPMENT') as string],
  });
  const ann = await client({ url: urlOf(http) }, 'replica-a');
  await ann.open(SPACE);
  await ann.commit(SPACE, 'put', { id: '1', text: 'room' });
  await ann.commit(SPACE, 'add', { id: '1', text: 'room' });
  const metrics = async (): Promise<string> => (await fetch(`${http}/metrics`)).text();
  await expect.poll(metrics).toMatch(/oxbow_store_apply_seconds_count [1-9]/);
  const text = await metrics();
  expect(text).toContain('oxbow_entries_committed_total 2');
  expect(text).toContain('oxbow_entries_rejected_total 1');
  expect(text).toContain('oxbow_links 1');
  expect(text).toMatch(/oxbow_log_fsync_seconds_count [1-9]/);
  const stopping = server.close();
  const answer = await fetch(`${http}/readyz`).catch(() => undefined);
  if (answer !== undefined) expect(answer.status).toBe(503);
  await stopping;
});

test('two servers cannot share a data directory; a failed start leaves it free', async () => {
  const first = await serve();
  await expect(createServer(options()).listen()).rejects.toMatchObject({
    code: 'data-in-use', message: expect.stringContaining(String(process.pid)) as string,
  });
  const { port } = first.server.address ?? { port: 0 };
  const other = mkdtempSync(join(tmpdir(), 'oxbow-server-'));
  const crowded = createServer({ ...options(), data: other, port });
  await expect(crowded.listen()).rejects.toMatchObject({ code: 'port-in-use' });
  const free = createServer({ ...options(), data: other });
  await free.listen();
  await free.close();
  rmSync(other, { recursive: true, force: true });
});

describe('with signed tokens', () => {
  const auth = { secret: SECRET };
  const refusals: [what: string, token: () => Promise<string | undefined>, code: string][] = [
    ['none', () => Promise.resolve(undefined), 'token-missing'],
    ['an expired one', () => token({ sub: 'ann', spaces: ['*'] }, -60), 'token-expired'],
    ['a forged one', () => token({ sub: 'ann', spaces: ['*'] }, 60, SECRET.toUpperCase()), 'token-invalid'],
    ['an unsigned one', () => Promise.resolve(unsigned({ sub: 'ann', spaces: ['*'] })), 'token-invalid'],
    ['one without a user', () => token({ spaces: ['*'] }), 'token-invalid'],
    ['one without rights', () => token({ sub: 'ann' }), 'token-invalid'],
  ];
  for (const [what, make, code] of refusals) {
    test(`${what} ends the link with ${code}`, async () => {
      const server = await serve({ auth });
      const given = await make();
      const ann = new RawClient({ ...server, replica: 'replica-a', ...(given === undefined ? {} : { token: given }) });
      clients.push(ann);
      await ann.opened();
      const fail = ann.next('fail');
      ann.hello();
      expect(await fail).toMatchObject({ code });
      expect(await ann.end()).toEqual([4000, code]);
    });
  }

  test('a space without the right is refused, the link and its other spaces go on', async () => {
    const server = await serve({ auth });
    const spaces = { team: 'rw', 'public/*': 'r' };
    const ann = await client(server, 'replica-a', await token({ sub: 'ann', spaces }));
    const fail = ann.next('fail', ({ space }) => space === 'secret');
    ann.send(openOf('secret'));
    expect((await fail).code).toBe('forbidden');
    await ann.open('public/news');
    const readOnly = refusalOf(ann, 'public/news');
    ann.send(updatesOf(ann, 'public/news'));
    expect(await readOnly).toBe('forbidden');
    await ann.open(SPACE);
    expect(await ann.commit(SPACE, 'put', { id: '1', text: 'x' })).toMatchObject({ csn: 1 });
  });

  test('another user\'s replica id is refused', async () => {
    const server = await serve({ auth });
    const ann = await client(server, 'replica-a', await token({ sub: 'ann', spaces: ['*'] }));
    await ann.open(SPACE);
    await ann.commit(SPACE, 'put', { id: '1', text: 'x' });
    ann.close();
    await new Promise((later) => setTimeout(later, 50));
    const bob = await client(server, 'replica-a', await token({ sub: 'bob', spaces: ['*'] }));
    const refused = bob.next('fail');
    bob.send(openOf(SPACE));
    bob.send(updatesOf(bob, SPACE, 2));
    expect((await refused).code).toBe('replica-not-yours');
  });

  test('a token that runs out ends the link with token-expired', async () => {
    const server = await serve({ auth: { ...auth, clockToleranceS: 0 } });
    const ann = await client(server, 'replica-a', await token({ sub: 'ann', spaces: ['*'] }, 2));
    expect((await ann.end())[1]).toBe('token-expired');
  });
});

test('no secret or token reaches the log', async () => {
  const lines: string[] = [];
  const logger: ServerOptions['logger'] = {
    log: (level, event, fields) => lines.push(JSON.stringify([level, event, fields])),
  };
  const server = await serve({ auth: { secret: SECRET }, logger });
  const good = await token({ sub: 'ann', spaces: ['*'] });
  await client(server, 'replica-a', good);
  const bad = new RawClient({ ...server, replica: 'replica-b', token: `${good}x` });
  clients.push(bad);
  await bad.opened();
  bad.hello();
  await bad.end();
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join()).not.toContain(good.slice(0, 20));
  expect(lines.join()).not.toContain(SECRET);
});

test('limits that an operator gives hold, and those that cannot be are named before anything is opened', async () => {
  expect(() => createServer({ ...options(), limits: { tickMs: 60_000 } })).toThrow(expect.objectContaining({
    code: 'config-invalid', message: expect.stringContaining("'tickMs'"),
  }));
  const running = await serve({ limits: { linksMax: 1 } });
  await client(running, 'replica-a');
  await expect(client(running, 'replica-b', 'dev:bob')).rejects.toThrow();
});

interface Running {
  readonly server: OxbowServer;
  readonly url: string;
  readonly http: string;
}

function options(): ServerOptions {
  return { app, data, port: 0, auth: { devAuth: true }, logger: silentLogger };
}

async function serve(more: Partial<ServerOptions> = {}): Promise<Running> {
  const server = createServer({ ...options(), ...more });
  servers.push(server);
  const { url } = await server.listen();
  return { server, url, http: url.replace('ws:', 'http:').replace('/sync', '') };
}

async function client({ url }: { url: string }, replica: string, token = 'dev:ann'): Promise<RawClient> {
  const made = await RawClient.connect({ url, replica, token });
  clients.push(made);
  return made;
}

const urlOf = (http: string): string => `${http.replace('http:', 'ws:')}/sync`;

async function status(url: string): Promise<number> {
  return (await fetch(url)).status;
}

function openOf(space: string): Message {
  return {
    kind: 'open', space: space as SpaceId, round: 1, wants: 'all',
    summary: { history: '', csn: 0, vector: {} }, settledSeq: 0,
  };
}

function updatesOf(from: RawClient, space: string, seq = 1): Message {
  return { kind: 'updates', space: space as SpaceId, updates: [from.update('put', { id: 'x', text: 'y' }, seq)] };
}

/** A refused update comes as a message that fails, or as a commit that is a rejection. */
async function refusalOf(from: RawClient, space: string): Promise<string> {
  const fail = from.next('fail', (message) => message.space === space).then(({ code }) => code);
  const entry = from.next('commits', (message) => message.space === space)
    .then(({ entries }) => entries.map(rejection).join());
  return Promise.race([fail, entry]);
}

function rejection({ outcome }: CommitEntry): string {
  return outcome.kind === 'rejected' ? outcome.code : outcome.kind;
}

function token(claims: Record<string, unknown>, forS = 60, secret = SECRET): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(Date.now() / 1_000) + forS)
    .sign(new TextEncoder().encode(secret));
}

function unsigned(claims: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.${createHmac('sha256', '').digest('base64url')}`;
}
