/** A process that dies at any step of taking a state in leaves the old state or the new one. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestNow } from '../space/testing/state-transfer-laws.js';
import { apply, close, entry, opened, put, space } from '../space/testing/store-calls.js';
import { openLmdbStore } from './lmdb-store.js';

const SCRIPT = fileURLToPath(new URL('../../.tmp/kill-import/program.mjs', import.meta.url));
const bundled = build({
  entryPoints: [fileURLToPath(new URL('testing/kill-import.ts', import.meta.url))],
  outfile: SCRIPT, bundle: true, platform: 'node', format: 'esm', target: 'node20',
  conditions: ['oxbow-source'], external: ['lmdb', 'vitest', 'fast-check'],
});
const folder = fs.mkdtempSync(join(tmpdir(), 'oxbow-import-'));
const source = join(folder, 'source');
const old = join(folder, 'old');

async function filled(path: string, slots: number): Promise<string> {
  const store = openLmdbStore({ path, applyDelayMs: 1 });
  await new Promise<void>((done) => store.bind('K1', () => done()));
  for (let slot = 1; slot <= slots; slot++) {
    const effects = [put(`k${slot}`, { text: 'x'.repeat(300) })];
    await apply(store, slot, [{ space: space('team'), entries: [entry(slot, { effects })] }]);
  }
  const digest = await digestNow(store);
  await close(store);
  return digest;
}

const states = new Map<number, string>();
beforeAll(async () => {
  await bundled;
  states.set(40, await filled(source, 40));
  states.set(5, await filled(old, 5));
}, 60_000);
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function run(to: string, step: number) {
  const copy = `${to}-source`;
  fs.cpSync(source, copy, { recursive: true });
  fs.cpSync(old, to, { recursive: true });
  return spawnSync(process.execPath, [SCRIPT, copy, to, String(step)], { encoding: 'utf8' });
}

test('killed at every step: the old state or the new one, whole, and it goes on from there', async () => {
  const all = run(join(folder, 'all'), 0);
  const steps = Number(/^steps (\d+)$/m.exec(all.stdout)?.[1]);
  expect(steps, all.stderr).toBeGreaterThan(15);
  const ends: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const path = join(folder, `step-${step}`);
    expect(run(path, step).signal).toBe('SIGKILL');
    const store = openLmdbStore({ path, applyDelayMs: 1 });
    const { appliedSlot, history, isBound, base } = await opened(store);
    expect({ history, isBound }).toEqual({ history: 'K1', isBound: true });
    expect(base).toBe(appliedSlot === 40 ? 'base' : undefined);
    expect(await digestNow(store)).toBe(states.get(appliedSlot));
    expect(fs.existsSync(join(path, 'incoming'))).toBe(false);
    await apply(store, 41, [{ space: space('new'), entries: [entry(1)] }]);
    await close(store);
    ends.push(appliedSlot);
    fs.rmSync(path, { recursive: true });
    fs.rmSync(`${path}-source`, { recursive: true });
  }
  // First the old one, then the new one, and never back.
  expect([...ends].sort((a, b) => a - b)).toEqual(ends);
  expect(new Set(ends)).toEqual(new Set([5, 40]));
}, 180_000);
