import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SpaceId } from '@oxbow/sdk/protocol';
import type { StateStore } from '../space/state-store.js';
import {
  stateStoreLaws, type LawOptions, type StoreUnderTest,
} from '../space/testing/state-store-laws.js';
import { stateTransferLaws } from '../space/testing/state-transfer-laws.js';
import { openLmdbStore } from './lmdb-store.js';
import { metaKey, spaceKey } from './store-keys.js';
import { sealRecord } from './store-records.js';
import { MemoryDisk, MemoryStore } from './testing/memory-store.js';

const inMemory = (options: LawOptions): StoreUnderTest => {
  const disk = new MemoryDisk({ history: 'h', ...options });
  return { open: () => new MemoryStore(disk, setImmediate), destroy: () => undefined };
};
const inLmdb = (options: LawOptions): StoreUnderTest => {
  const folder = mkdtempSync(join(tmpdir(), 'oxbow-state-'));
  return {
    open: () => openLmdbStore({ path: folder, applyDelayMs: 1, ...options }),
    destroy: () => rmSync(folder, { recursive: true, force: true }),
  };
};

stateStoreLaws('the memory store', inMemory);
stateTransferLaws('the memory store', inMemory);
stateStoreLaws('the LMDB store', inLmdb);
stateTransferLaws('the LMDB store', inLmdb);

let path = '';
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'oxbow-state-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

async function openError(): Promise<unknown> {
  const store = openLmdbStore({ path });
  const error = await new Promise((done) => store.opened((_at, why) => done(why)));
  await closed(store);
  return error;
}

const closed = (store: StateStore): Promise<void> => new Promise((done) => store.close(done));

async function withRows(count: number): Promise<void> {
  const store = openLmdbStore({ path });
  const entries = Array.from({ length: count }, (_, index) => ({
    csn: index + 1, at: 1, lamport: 1, id: { replica: 'r' as never, seq: index + 1 }, user: null,
    outcome: { kind: 'applied' } as const,
    effects: [{ table: 'item', key: `k${index}`, row: { text: 'x'.repeat(500) } }],
  }));
  await new Promise<void>((done) => {
    store.apply(1, [{ space: 'team' as SpaceId, entries }], () => store.close(done));
  });
}

async function edit(change: (raw: RootDatabase<string, Buffer>) => Promise<unknown>): Promise<void> {
  const raw = open<string, Buffer>({
    path, encoding: 'string', keyEncoding: 'binary', overlappingSync: false,
  });
  await change(raw);
  await raw.close();
}

test('a store of a newer layout is refused with both numbers', async () => {
  await closed(openLmdbStore({ path }));
  await edit((raw) => raw.put(metaKey('layout'), sealRecord(metaKey('layout'), '9')));
  expect(await openError()).toMatchObject({
    code: 'store-newer', message: expect.stringContaining('9') as string,
  });
});

test('a store of the layout without checksums is refused as older', async () => {
  await edit((raw) => raw.put(metaKey('layout'), '1'));
  expect(await openError()).toMatchObject({ code: 'store-older' });
});

test('a file that is no store is refused as damaged', async () => {
  writeFileSync(join(path, 'data.mdb'), Buffer.alloc(64 * 1024, 7));
  expect(await openError()).toMatchObject({ code: 'store-damaged' });
});

test('a store that lost its end is refused as damaged', async () => {
  await withRows(500);
  expect(await openError()).toBeUndefined();
  truncateSync(join(path, 'data.mdb'), 3 * 4096);
  expect(await openError()).toMatchObject({ code: 'store-damaged' });
});

test('a path that cannot be a folder is refused as unavailable', async () => {
  const folder = path;
  writeFileSync(join(folder, 'file'), '');
  path = join(folder, 'file');
  expect(await openError()).toMatchObject({ code: 'data-unavailable' });
  path = folder;
});

test('a record that cannot be read is an error of its space, not of the process', async () => {
  await withRows(3);
  await edit(async (raw) => {
    for (const { key, value } of raw.getRange()) {
      if (value.includes('["k1"')) await raw.put(key, value.replace('"k1"', '"k9"'));
    }
  });
  const again = openLmdbStore({ path, checkBytesMax: 0 });
  const error = await new Promise<unknown>((done) =>
    again.load('team' as SpaceId, (_stored, why) => done(why)));
  expect(error).toMatchObject({ code: 'store-damaged', message: expect.stringContaining('team') as string });
  await closed(again);
  expect(await openError()).toMatchObject({ code: 'store-damaged' });
});

test('a row that went missing is an error of its space', async () => {
  await withRows(3);
  await edit(async (raw) => {
    for (const { key, value } of raw.getRange()) if (value.includes('["k1"')) await raw.remove(key);
  });
  const again = openLmdbStore({ path });
  const error = await new Promise<unknown>((done) =>
    again.load('team' as SpaceId, (_stored, why) => done(why)));
  expect(error).toMatchObject({ code: 'store-damaged' });
  await closed(again);
});

test('a space that went missing is damage, not a new space', async () => {
  await withRows(3);
  await edit((raw) => raw.remove(spaceKey('team' as SpaceId)));
  expect(await openError()).toMatchObject({ code: 'store-damaged' });
});
