import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SpaceId } from '@oxbow/sdk/protocol';
import { stateStoreLaws } from '../space/testing/state-store-laws.js';
import { findDamage } from './lmdb-header.js';
import { openLmdbStore } from './lmdb-store.js';
import { metaKey } from './store-keys.js';
import { MemoryDisk, MemoryStore } from './testing/memory-store.js';

stateStoreLaws('the memory store', (options) => {
  const disk = new MemoryDisk({ history: 'h', ...options });
  return { open: () => new MemoryStore(disk, setImmediate), destroy: () => undefined };
});

stateStoreLaws('the LMDB store', (options) => {
  const path = mkdtempSync(join(tmpdir(), 'oxbow-state-'));
  return {
    open: () => openLmdbStore({ path, applyDelayMs: 1, ...options }),
    destroy: () => rmSync(path, { recursive: true, force: true }),
  };
});

let path = '';
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'oxbow-state-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

test('a store of a newer layout is refused with both numbers', async () => {
  await new Promise<void>((done) => openLmdbStore({ path }).close(done));
  const raw = open<string, Buffer>({ path, encoding: 'string', keyEncoding: 'binary' });
  await raw.put(metaKey('layout'), '9');
  await raw.close();
  expect(() => openLmdbStore({ path })).toThrow(
    expect.objectContaining({ code: 'store-newer', message: expect.stringContaining('9') as string }),
  );
});

test('a file that is no store is refused as damaged', () => {
  writeFileSync(join(path, 'data.mdb'), Buffer.alloc(64 * 1024, 7));
  expect(() => openLmdbStore({ path })).toThrow(expect.objectContaining({ code: 'store-damaged' }));
});

test('a store that lost its end is refused as damaged', async () => {
  const store = openLmdbStore({ path });
  const entries = Array.from({ length: 500 }, (_, index) => ({
    csn: index + 1, at: 1, lamport: 1, id: { replica: 'r' as never, seq: index + 1 }, user: null,
    outcome: { kind: 'applied' } as const,
    effects: [{ table: 'item', key: `k${index}`, row: { text: 'x'.repeat(500) } }],
  }));
  await new Promise<void>((done) => {
    store.apply(1, [{ space: 'team' as SpaceId, entries }], () => store.close(done));
  });
  expect(findDamage(path)).toBeUndefined();
  truncateSync(join(path, 'data.mdb'), 3 * 4096);
  expect(() => openLmdbStore({ path })).toThrow(expect.objectContaining({ code: 'store-damaged' }));
});

test('a path that cannot be a folder is refused as unavailable', () => {
  writeFileSync(join(path, 'file'), '');
  expect(() => openLmdbStore({ path: join(path, 'file') })).toThrow(
    expect.objectContaining({ code: 'data-unavailable' }),
  );
});

test('a text that cannot be read is an error of its space, not of the process', async () => {
  const store = openLmdbStore({ path });
  const name = 'team' as SpaceId;
  await new Promise<void>((done) => {
    const id = { replica: 'r' as never, seq: 1 };
    const entry = {
      csn: 1, at: 1, lamport: 1, id, user: null, outcome: { kind: 'applied' } as const,
      effects: [{ table: 'item', key: 'a', row: { n: 1 } }],
    };
    store.apply(1, [{ space: name, entries: [entry] }], () => store.close(done));
  });
  const raw = open<string, Buffer>({ path, encoding: 'string', keyEncoding: 'binary' });
  for (const { key, value } of raw.getRange()) if (value.startsWith('["a"')) await raw.put(key, '["a"');
  await raw.close();
  const again = openLmdbStore({ path });
  const error = await new Promise<unknown>((done) => again.load(name, (_stored, why) => done(why)));
  expect(error).toMatchObject({ code: 'store-damaged', message: expect.stringContaining('team') as string });
  await new Promise<void>((done) => again.close(done));
});
