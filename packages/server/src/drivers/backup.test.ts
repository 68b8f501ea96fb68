import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { apply, close, entry, mustLoad, opened, put, sorted, space } from '../space/testing/store-calls.js';
import { digestNow } from '../space/testing/state-transfer-laws.js';
import { backupData, restoreData } from './backup-data.js';
import { saveBackup, verifyBackup } from './backup-file.js';
import { lockData } from './data-lock.js';
import { openLmdbStore } from './lmdb-store.js';

const NOW = '2026-01-02T03:04:05.006Z';
const TEAM = space('team');
let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'oxbow-backup-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const openAt = (data: string) => openLmdbStore({ path: join(data, 'state'), applyDelayMs: 1 });

async function filled(): Promise<{ data: string; digest: string; history: string }> {
  const data = join(folder, 'data');
  const store = openAt(data);
  await new Promise<void>((done) => store.bind('K1', () => done()));
  for (let slot = 1; slot <= 30; slot++) {
    const effects = [put(`k${slot}`, { text: 'x'.repeat(slot * 40) })];
    await apply(store, slot, [{ space: TEAM, entries: [entry(slot, { effects })] }]);
  }
  const digest = await digestNow(store);
  const { history } = await opened(store);
  await close(store);
  return { data, digest, history };
}

test('a restored state is the one that was backed up, unbound, and of a history of its own', async () => {
  const { data, digest, history } = await filled();
  const { path, report, isComplete } = await backupData(data, folder, NOW);
  expect(isComplete).toBe(true);
  expect(path).toBe(join(folder, 'oxbow-2026-01-02T03-04-05-006Z.backup'));
  expect(report).toMatchObject({ slot: 30, cluster: 'K1', takenAt: NOW, spaces: 1, digest });
  expect(await verifyBackup(path)).toEqual(report);
  const target = join(folder, 'restored');
  expect(await restoreData(path, target)).toEqual(report);
  const [before, after] = [openAt(data), openAt(target)];
  const place = await opened(after);
  expect(place).toMatchObject({ appliedSlot: 30, isBound: false, base: undefined });
  expect(place.history).not.toBe(history);
  expect(sorted(await mustLoad(after, TEAM))).toEqual(sorted(await mustLoad(before, TEAM)));
  expect(await digestNow(after)).toBe(digest);
  await close(before);
  await close(after);
  expect(fs.readdirSync(target).sort()).toEqual(['lock', 'state']);
});

test('nothing is overwritten: neither a backup nor data', async () => {
  const { data } = await filled();
  const { path } = await backupData(data, join(folder, 'b'), NOW);
  await expect(backupData(data, path, NOW)).rejects.toMatchObject({ code: 'backup-exists' });
  await expect(restoreData(path, data)).rejects.toMatchObject({ code: 'data-not-empty' });
});

test('a backup that cannot be written is told, whatever it is that fails', async () => {
  const { data } = await filled();
  const gone = join(folder, 'gone', 'b');
  await expect(backupData(data, gone, NOW)).rejects.toMatchObject({ code: 'backup-failed' });
  // The reason is known before there is anything to write.
  const slow = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('head');
    await new Promise((later) => setImmediate(later));
    await new Promise((later) => setImmediate(later));
    yield Buffer.alloc(1 << 20);
    yield Buffer.alloc(1 << 20);
  };
  await expect(saveBackup(slow(), gone, 'b')).rejects.toMatchObject({ code: 'backup-failed' });
});

test('a directory in use, without state, or killed on: each is told', async () => {
  const { data } = await filled();
  const lock = await lockData(data);
  await expect(backupData(data, folder, NOW)).rejects.toMatchObject({ code: 'data-in-use' });
  await lock.release();
  await expect(backupData(folder, folder, NOW)).rejects.toMatchObject({ code: 'config-invalid' });
  fs.writeFileSync(join(data, 'state', 'running'), '');
  expect((await backupData(data, join(folder, 'killed'), NOW)).isComplete).toBe(false);
});

test('a damaged state gives no backup, and leaves no file', async () => {
  const { data } = await filled();
  const file = join(data, 'state', 'data.mdb');
  const bytes = fs.readFileSync(file);
  // On every page: some are free.
  for (let at = 0; (at = bytes.indexOf('xxxxxx', at)) >= 0; at += 4_096) bytes.write('y', at);
  fs.writeFileSync(file, bytes);
  await expect(backupData(data, folder, NOW)).rejects.toMatchObject({ code: 'store-damaged' });
  expect(fs.readdirSync(folder)).toEqual(['data']);
});

test('a backup that is cut or edited anywhere is refused, and restores nothing', async () => {
  const { data } = await filled();
  const { path } = await backupData(data, join(folder, 'whole'), NOW);
  const whole = fs.readFileSync(path);
  const bad = join(folder, 'bad');
  for (let n = 0; n < 300; n++) {
    const at = (n * 7_919) % whole.length;
    const bytes = Buffer.from(whole);
    if (n % 3 === 0) fs.writeFileSync(bad, bytes.subarray(0, at));
    else {
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (n % 8));
      fs.writeFileSync(bad, bytes);
    }
    const found = await verifyBackup(bad).catch((error: unknown) => error);
    // Its own words about when and where it was taken are nobody's data.
    if (at > 120) expect(found).toMatchObject({ code: 'bad-snapshot' });
    else if (found instanceof Error) expect(found).toMatchObject({ code: 'bad-snapshot' });
  }
  fs.writeFileSync(bad, whole.subarray(0, -20));
  await expect(restoreData(bad, join(folder, 'none'))).rejects.toMatchObject({ code: 'bad-snapshot' });
  expect(fs.existsSync(join(folder, 'none', 'state'))).toBe(false);
});
