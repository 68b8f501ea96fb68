import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CommitEntry, Summary } from '@oxbow/sdk/protocol';
import { RawClient } from '../drivers/testing/raw-client.js';
import { runCommand, startServer, type ServerProcess } from './testing/server-process.js';

const ROUNDS = 12;
const WRITERS = 4;

let data = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'oxbow-kill-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

test(`what was acknowledged survives SIGKILL at ${ROUNDS} random moments, also with garbage at the log's end`, async () => {
  const history = new History();
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServer(data);
    await history.verify(server);
    const writers = await Promise.all(
      Array.from({ length: WRITERS }, (_, index) => write(server, `writer-${round}-${index}`, history)),
    );
    const ended = Promise.all(writers.map((writer) => writer.ended));
    await Promise.race([history.told(WRITERS + Math.floor(Math.random() * 300)), ended]);
    await server.end('SIGKILL');
    await ended;
    if (round % 3 === 2) tearTail(join(data, 'log'));
  }
  const server = await startServer(data);
  await history.verify(server);
  expect(await server.end('SIGTERM')).toBe(0);
});

test('SIGTERM ends with code 0 after a clean stop; a second server is refused meanwhile with code 1', async () => {
  const server = await startServer(data);
  const second = await runCommand(['serve', '--app', 'none.mjs', '--data', data, '--dev-auth']);
  expect(second.code).toBe(1);
  expect(second.err).toContain('code: app-not-found');
  await expect(startServer(data)).rejects.toThrow(`process ${server.pid} uses it`);
  expect(await server.end('SIGTERM')).toBe(0);
  const again = await startServer(data);
  await again.end('SIGTERM');
});

test('an app with its own copy of the SDK is understood: its refusals are refusals', async () => {
  const server = await startServer(data);
  const ann = await RawClient.connect({ url: server.url, replica: 'replica-a', token: 'dev:ann' });
  await ann.open('team');
  await ann.commit('team', 'add', { id: '1', text: 'x' });
  const second = await ann.commit('team', 'add', { id: '1', text: 'x' });
  expect(second.outcome).toEqual({ kind: 'rejected', code: 'taken', detail: { id: '1' } });
  ann.close();
  await server.end('SIGTERM');
});

test('the command tells its version, and what is missing', async () => {
  expect((await runCommand(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/);
  const noAuth = await runCommand(['serve', '--app', 'a.mjs', '--data', data]);
  expect(noAuth.code).toBe(1);
  expect(noAuth.err).toMatch(/--jwt-secret-file[\s\S]*config-invalid/);
});

/** What clients were told, and what the server says that happened. */
class History {
  acknowledged = 0;
  readonly #told = new Map<number, CommitEntry>();
  readonly #csns = new Map<string, number>();
  #csn = 0;
  #name = '';
  #goal = { acknowledged: Infinity, reached: (): void => undefined };

  tell(entry: CommitEntry): void {
    this.acknowledged += 1;
    this.#told.set(entry.csn, entry);
    if (this.acknowledged >= this.#goal.acknowledged) this.#goal.reached();
  }

  /** Up to where it is verified. */
  get place(): Partial<Summary> {
    return { csn: this.#csn, history: this.#name };
  }

  /** Waits until clients were told of so many more. */
  told(more: number): Promise<void> {
    return new Promise((reached) => {
      this.#goal = { acknowledged: this.acknowledged + more, reached };
    });
  }

  /**
   * Reads on from what was verified before: dense, every id once, all that was told as it was told.
   */
  async verify({ url }: ServerProcess): Promise<void> {
    const reader = await RawClient.connect({ url, replica: 'reader', token: 'dev:reader' });
    const { summary } = await reader.open('team', this.place);
    if (this.#name !== '') expect(summary.history).toBe(this.#name);
    this.#name = summary.history;
    const entries = (): CommitEntry[] =>
      reader.received.flatMap((message) => (message.kind === 'commits' ? message.entries : []));
    while ((entries().at(-1)?.csn ?? this.#csn) < summary.csn) await reader.next('commits');
    for (const entry of entries()) this.#take(entry);
    reader.close();
    for (const csn of this.#told.keys()) expect(csn).toBeLessThanOrEqual(this.#csn);
    this.#told.clear();
  }

  #take(entry: CommitEntry): void {
    expect(entry.csn).toBe(this.#csn + 1);
    this.#csn = entry.csn;
    const id = `${entry.id.replica}/${entry.id.seq}`;
    expect(this.#csns.get(id)).toBeUndefined();
    this.#csns.set(id, entry.csn);
    const told = this.#told.get(entry.csn);
    if (told === undefined) return;
    expect([entry.id, entry.outcome, entry.effects]).toEqual([told.id, told.outcome, told.effects]);
  }
}

/**
 * One update after the other until the server dies under it. A replica writes under its name in one
 * life of the server only: this client forgets what it sent, and sending other updates under the
 * same numbers is what a clone of a replica does.
 */
async function write(
  { url }: ServerProcess,
  replica: string,
  history: History,
): Promise<{ ended: Promise<void> }> {
  const writer = await RawClient.connect({ url, replica, token: 'dev:ann' });
  // A newcomer to a long history would be offered the whole state, which this client cannot take.
  await writer.open('team', history.place);
  const run = async (): Promise<void> => {
    for (;;) {
      const args = { id: `${replica}-${Math.floor(Math.random() * 50)}`, text: 'x'.repeat(100) };
      history.tell(await writer.commit('team', Math.random() < 0.5 ? 'put' : 'add', args));
    }
  };
  const ended = run().catch((error: Error) => {
    if (!error.message.startsWith('link ended: 1006') && !error.message.startsWith('link has ended')) {
      throw error;
    }
  });
  return { ended };
}

/**
 * What a power cut in the middle of a write leaves: bytes that are no record, after the last one.
 */
function tearTail(folder: string): void {
  const path = join(folder, readdirSync(folder).filter((name) => !name.endsWith('.new')).sort().at(-1) ?? '');
  const bytes = readFileSync(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const offset = Math.ceil((end + 1) / 8) * 8;
  const descriptor = openSync(path, 'r+');
  const garbage = Buffer.from(Array.from({ length: 600 }, () => Math.floor(Math.random() * 256)));
  writeSync(descriptor, garbage, 0, Math.min(garbage.length, bytes.length - offset), offset);
  closeSync(descriptor);
}
