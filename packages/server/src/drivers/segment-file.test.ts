import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SegmentDirectory, SegmentFile } from '../log/append-file.js';
import { openSegmentDirectory } from './segment-file.js';

let path = '';
let directory: SegmentDirectory;
beforeEach(() => {
  path = join(fs.mkdtempSync(join(tmpdir(), 'oxbow-log-')), 'log');
  directory = openSegmentDirectory({ path });
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(join(path, '..'), { recursive: true, force: true });
});

test('a new segment is as large as asked and full of zeros', async () => {
  const file = await open('0001', 3_000_000);
  expect(file.name).toBe('0001');
  const bytes = await read('0001');
  expect(bytes.length).toBe(3_000_000);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  file.close();
});

test('what was written and synced is read again, also after opening once more', async () => {
  const file = await open('0001', 100);
  file.write(10, Uint8Array.of(1, 2, 3));
  file.write(98, Uint8Array.of(4, 5, 6));
  await sync(file);
  file.close();
  const again = await open('0001', 100);
  again.write(13, Uint8Array.of(9));
  await sync(again);
  again.close();
  const bytes = await read('0001');
  expect([...bytes.subarray(9, 15)]).toEqual([0, 1, 2, 3, 9, 0]);
  expect([...bytes.subarray(97)]).toEqual([0, 4, 5, 6]);
});

test('segments are listed in order; one that was never finished is cleared away', async () => {
  for (const name of ['0002', '0010', '0001']) (await open(name, 10)).close();
  fs.writeFileSync(join(path, '0011.new'), 'half');
  expect(await list(directory)).toEqual(['0001', '0002', '0010']);
  const later = openSegmentDirectory({ path });
  expect(fs.readdirSync(path)).not.toContain('0011.new');
  await remove(later, '0002');
  expect(await list(later)).toEqual(['0001', '0010']);
});

test('a segment that is renamed keeps its bytes, and takes the place of another', async () => {
  const file = await open('0001', 10);
  file.write(0, Uint8Array.of(7));
  await sync(file);
  file.close();
  (await open('0002', 10)).close();
  await new Promise<void>((resolve, reject) => {
    directory.rename('0001', '0002', (error) => (error ? reject(error) : resolve()));
  });
  expect(await list(directory)).toEqual(['0002']);
  expect([...(await read('0002'))]).toEqual([7, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('nothing is answered in the turn of the call', async () => {
  const file = await open('0001', 10);
  let answers = 0;
  const count = (): void => { answers += 1; };
  directory.list(count);
  directory.read('0001', count);
  directory.open('0002', 10, (second) => { second?.close(); count(); });
  file.sync(count);
  expect(answers).toBe(0);
  await vi.waitFor(() => expect(answers).toBe(4));
  file.close();
});

test('a failed write is told by the next sync and is final: nothing is tried again', async () => {
  const file = await open('0001', 10);
  fs.chmodSync(join(path, '0001'), 0o600);
  const full = await openFull();
  full.write(0, Uint8Array.of(1));
  await expect(sync(full)).rejects.toMatchObject({ code: 'disk-full' });
  await expect(sync(full)).rejects.toMatchObject({ code: 'disk-full' });
  full.write(0, Uint8Array.of(1));
  await expect(sync(full)).rejects.toMatchObject({ code: 'disk-full' });
  full.close();
  file.close();
});

test('a segment that is missing is an error with its path', async () => {
  await expect(read('0009')).rejects.toMatchObject({
    code: 'data-unavailable', message: expect.stringContaining('0009') as string,
  });
});

test('a folder that cannot be made is an error', () => {
  const file = join(path, 'file');
  fs.writeFileSync(file, '');
  expect(() => openSegmentDirectory({ path: join(file, 'log') })).toThrow(
    expect.objectContaining({ code: 'data-unavailable' }),
  );
});

test('each barrier is told to the observer with its time', async () => {
  const times: number[] = [];
  const observed = openSegmentDirectory({
    path, monotonicMs: () => performance.now(), observeBarrier: (ms) => times.push(ms),
  });
  const file = await new Promise<SegmentFile | undefined>((done) => observed.open('1', 10, done));
  if (file === undefined) throw new Error('not opened');
  await sync(file);
  await sync(file);
  file.close();
  expect(times).toHaveLength(2);
  expect(times.every((ms) => ms > 0)).toBe(true);
});

/** A device that is always full, under the name of a segment. */
async function openFull(): Promise<SegmentFile> {
  fs.symlinkSync('/dev/full', join(path, 'full'));
  return open('full', 10);
}

function open(name: string, sizeBytes: number): Promise<SegmentFile> {
  return new Promise((resolve, reject) => {
    directory.open(name, sizeBytes, (file, error) => {
      if (file === undefined) reject(error ?? new Error('no file'));
      else resolve(file);
    });
  });
}

function read(name: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    directory.read(name, (bytes, error) => (error ? reject(error) : resolve(bytes)));
  });
}

function list(from: SegmentDirectory): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    from.list((names, error) => (error ? reject(error) : resolve(names)));
  });
}

function remove(from: SegmentDirectory, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    from.remove(name, (error) => (error ? reject(error) : resolve()));
  });
}

function sync(file: SegmentFile): Promise<void> {
  return new Promise((resolve, reject) => {
    file.sync((error) => (error ? reject(error) : resolve()));
  });
}
