import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { keyBytes, keyOfBytes } from './key-bytes.js';
import { file } from './storage-file.js';
import { closed, lawsFor, openStore, put, read, refused, result, write } from './testing/storage-laws.js';
import type { StorageBench } from './testing/storage-laws.js';
import type { Store } from './storage.js';

const root = mkdtempSync(join(tmpdir(), 'oxbow-file-'));
afterAll(() => rmSync(root, { recursive: true }));

const bench: StorageBench = {
  kind: 'file',
  storage: (place) => file(join(root, place)),
  writtenByNewerCode: async (place) => {
    await closed(await openStore(file(join(root, place))));
    const database = open<string, Buffer>({
      path: join(root, place, 'store.mdb'), noSubdir: true, encoding: 'string', keyEncoding: 'binary',
    });
    await database.put(keyBytes(0, 'format'), '999');
    await database.close();
  },
};

describe('file keeps the laws of storage:', () => {
  for (const law of lawsFor(bench)) test(law.name, () => law.run(bench));
});

describe('relaxed file keeps the laws of storage:', () => {
  const relaxed: StorageBench = {
    kind: 'file',
    storage: (place) => file(join(root, 'relaxed', place), { durability: 'relaxed' }),
  };
  for (const law of lawsFor(relaxed)) test(law.name, () => law.run(relaxed));
});

describe('a process that dies', () => {
  test('leaves every write that it was told of, whole, and does not hold the store', async () => {
    const path = join(root, 'killed');
    const writer = startWriter(path);
    const told = await untilTold(writer, 30);
    const error = await refused('store-in-use', result<Store>((done) => file(path).open(done)));
    expect(error.message).toContain(String(writer.pid));
    const ended = new Promise((resolve) => writer.once('exit', resolve));
    writer.kill('SIGKILL');
    await ended;

    const store = await openStore(file(path));
    const left = (await read(store, 'meta')).map(([, text]) => Number(text));
    const right = (await read(store, 'updates')).map(([, text]) => Number(text));
    expect(left).toEqual(right);
    expect(left.at(-1)).toBeGreaterThanOrEqual(told);
    expect(left).toEqual(left.map((_, at) => at));
    await closed(store);
  });
});

test('the store stays owned while its file grows', async () => {
  const path = join(root, 'grown');
  const store = await openStore(file(path, { durability: 'relaxed' }));
  for (let n = 0; n < 24; n++) {
    await write(store, Array.from({ length: 8 }, (_, m) => put('pages', `${n}/${m}`, 'x'.repeat(1 << 20))));
  }
  const other = startWriter(path);
  const [line] = await Promise.all([firstLine(other), new Promise((resolve) => other.once('exit', resolve))]);
  expect(line).toBe('store-in-use');
  await closed(store);
});

test('a missing lmdb is named, and how to get it', async () => {
  vi.doMock('lmdb', () => {
    throw new Error('Cannot find package');
  });
  const error = await refused('store-unavailable', result<Store>((done) => file(join(root, 'none')).open(done)));
  expect(error.message).toContain('npm install lmdb');
  vi.doUnmock('lmdb');
});

test('a folder that cannot be made is store-unavailable', async () => {
  const error = await refused('store-unavailable', result<Store>((done) => file('/dev/null/here').open(done)));
  expect(error.message).toContain('/dev/null/here');
});

test('keys as bytes come back, and their order is that of the code units', () => {
  const keys = ['', 'a', '\u0000', '\u007f\u0080', '\u07ff\u0800', '😀', '\ud83d', '\uffff'];
  for (const key of keys) {
    expect(keyOfBytes(keyBytes(3, key))).toBe(key);
    for (const other of keys) {
      const order = key === other ? 0 : key < other ? -1 : 1;
      expect(Buffer.compare(keyBytes(3, key), keyBytes(3, other))).toBe(order);
    }
  }
});

test('a write that the system refuses is told with its reason, and the process goes on', async () => {
  const place = join(root, 'cramped');
  const writer = spawn('sh', ['-c', 'ulimit -f 8000; trap "" XFSZ; exec "$0" "$@"',
    process.execPath, ...writerArgs(place), '40000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(writer, 'exit');
  let last = '';
  for await (const line of linesOf(writer)) last = line;
  expect(await ended).toEqual([0, null]);
  expect(last).toMatch(/^store-failed: .*(Input\/output error|File too large)/);
});

function writerArgs(path: string): string[] {
  const script = fileURLToPath(new URL('./testing/endless-writer.ts', import.meta.url));
  return ['--conditions=oxbow-source', '--import', 'tsx', script, path];
}

function startWriter(path: string): ChildProcess {
  return spawn(process.execPath, writerArgs(path), { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function* linesOf(writer: ChildProcess): AsyncGenerator<string> {
  if (writer.stdout === null) throw new Error('The writer has no output');
  yield* createInterface({ input: writer.stdout });
}

async function untilTold(writer: ChildProcess, least: number): Promise<number> {
  for await (const line of linesOf(writer)) if (Number(line) >= least) return Number(line);
  throw new Error('The writer ended early');
}

async function firstLine(writer: ChildProcess): Promise<string | undefined> {
  for await (const line of linesOf(writer)) return line;
  return undefined;
}
