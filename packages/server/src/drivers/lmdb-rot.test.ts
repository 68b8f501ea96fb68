/**
 * Rot at any place of the file: what comes out is the right data or a coded error, and a process
 * that LMDB ended once is not ended by it again. The places are drawn from a seed, so a failure
 * comes again.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { OxbowError } from '@oxbow/sdk/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apply, close, entry, gone, opened, put, space } from '../space/testing/store-calls.js';
import { openLmdbStore } from './lmdb-store.js';
import { describeStore, END, SPACES } from './testing/rotten-store.js';

const SCRIPT = fileURLToPath(new URL('../../.tmp/rotten/program.mjs', import.meta.url));
const bundled = build({
  entryPoints: [fileURLToPath(new URL('testing/rotten-store.ts', import.meta.url))],
  outfile: SCRIPT, bundle: true, platform: 'node', format: 'esm',
  conditions: ['oxbow-source'], external: ['lmdb'],
});
// Hundreds of files that nobody needs to outlive: in memory where there is such a place.
const base = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const folder = fs.mkdtempSync(join(base, 'oxbow-rot-'));
const sound = join(folder, 'sound');
/** What the state was at its last two slots: a lost meta page leads back by one transaction. */
const right = new Set<string>();

/** Numbers from a seed (xorshift). */
function draws(seed: number): (below: number) => number {
  let state = seed * 2_654_435_769 | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function edited(name: string, seed: number): string {
  const path = join(folder, name);
  fs.rmSync(path, { recursive: true, force: true });
  fs.cpSync(sound, path, { recursive: true });
  const draw = draws(seed);
  const file = join(path, 'data.mdb');
  const bytes = fs.readFileSync(file);
  // A third near the front, where the roots are; the rest anywhere. One bit, a few bytes, or a
  // whole page.
  const at = draw(3) === 0 ? draw(8_192) : draw(bytes.length);
  const kind = draw(4);
  if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << draw(8));
  else if (kind === 1) for (let n = 0; n < 8; n++) bytes[(at + n) % bytes.length] = draw(256);
  else if (kind === 2) bytes.fill(0, at & ~4_095, (at & ~4_095) + 4_096);
  else bytes.copy(bytes, at & ~4_095, draw(bytes.length) & ~4_095, bytes.length);
  fs.writeFileSync(file, bytes.subarray(0, fs.statSync(file).size));
  return path;
}

/** Many spaces on several levels of pages, values on pages of their own, and a free list. */
beforeAll(async () => {
  await bundled;
  const draw = draws(1);
  const csns = new Map<number, number>();
  const batch = (index: number) => {
    const csn = (csns.get(index) ?? 0) + 1;
    csns.set(index, csn);
    const effects = Array.from({ length: 5 }, () => {
      const long = draw(25) === 0 ? 9_000 : draw(120);
      return draw(5) === 0 ? gone(`k${draw(90)}`) : put(`k${draw(90)}`, { text: 'x'.repeat(long) });
    });
    return { space: space(`space-${index}`), entries: [entry(csn, { effects, replica: `r${draw(6)}` })] };
  };
  const all = [...Array(SPACES).keys()];
  for (const [first, last] of [[1, 59], [60, 60]] as const) {
    const store = openLmdbStore({ path: sound, applyDelayMs: 1, keptEntriesMax: 20 });
    for (let slot = first; slot <= last; slot++) {
      await apply(store, slot, all.filter((index) => slot < 3 || (index + slot) % 4 === 0).map(batch));
    }
    await close(store);
    fs.cpSync(sound, join(folder, 'copy'), { recursive: true, force: true });
    right.add(await describeStore(join(folder, 'copy'), Infinity));
  }
}, 60_000);

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const SEEDS = 400;
const isFine = (found: string): boolean => right.has(found) || found === 'code store-damaged';

test('the two last states differ, and no edit means no complaint', async () => {
  expect([...right].map((text) => text.slice(0, 3))).toEqual(['59 ', '60 ']);
  fs.cpSync(sound, join(folder, 'plain'), { recursive: true });
  expect((await describeStore(join(folder, 'plain'), Infinity)).startsWith('60 ')).toBe(true);
});

test('whatever is edited, a start that reads everything finds right data or says damaged', async () => {
  let damagedCount = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const path = edited('case', seed);
    const found = await describeStore(path, Infinity);
    if (!isFine(found)) throw new Error(`seed ${seed}: ${found.slice(0, 200)}`);
    if (found.startsWith('code')) damagedCount += 1;
  }
  // Free pages and gaps take edits without harm; most places do not.
  expect(damagedCount).toBeGreaterThan(SEEDS / 3);
}, 120_000);

test('without that reading LMDB may end the process, once: the next start finds the damage', async () => {
  const paths = Array.from({ length: SEEDS / 2 }, (_, index) => edited(`open-${index}`, 1_000 + index));
  let crashes = 0;
  let waiting = paths;
  while (waiting.length > 0) {
    const run = spawnSync(process.execPath, [SCRIPT, '--paths', ...waiting], { maxBuffer: 1e9 });
    const lines = run.stdout.toString().split('\n').filter((line) => line.endsWith(END));
    for (const line of lines) {
      const [path = '', found = ''] = line.slice(0, -END.length).split('\t');
      if (!isFine(found)) throw new Error(`${path}: ${found.slice(0, 200)}`);
    }
    if (run.signal === null && run.status === 0) break;
    crashes += 1;
    const crashed = waiting[lines.length] ?? '';
    // The mark of the run that did not end is there, so the small bound does not count.
    const again = await describeStore(crashed, 0);
    if (again !== 'code store-damaged') throw new Error(`${crashed}: ${again.slice(0, 200)}`);
    waiting = waiting.slice(lines.length + 1);
  }
  // If nothing ever crashed, the reading before the opening would be for nothing.
  expect(crashes).toBeGreaterThan(0);
}, 120_000);

test('a state set aside after damage leaves a store that works, and the damaged file beside it', async () => {
  const path = edited('aside', 3);
  fs.writeFileSync(join(path, 'data.mdb'), Buffer.alloc(65_536, 9));
  const store = openLmdbStore({ path, applyDelayMs: 1 });
  await expect(opened(store)).rejects.toMatchObject({ code: 'store-damaged' });
  const place = await new Promise((done) => store.setAside(done));
  expect(place).toMatchObject({ appliedSlot: 0, isBound: false });
  await apply(store, 5, [{ space: space('a'), entries: [entry(1)] }]);
  await close(store);
  expect(fs.statSync(join(path, 'damaged')).size).toBe(65_536);
});

test('the scrub finds what rots while the store runs, before anyone reads it', async () => {
  const path = edited('scrub', 3);
  fs.cpSync(sound, path, { recursive: true, force: true });
  const error = new Promise<OxbowError>((found) => {
    const store = openLmdbStore({
      path, applyDelayMs: 1, scrubEveryMs: 20,
      onDamaged: (why) => {
        store.apply(61, [], (refused) => {
          expect(refused).toMatchObject({ code: 'store-damaged' });
          store.close(() => found(why));
        });
      },
    });
    store.opened(() => rotLeaf(join(path, 'data.mdb')));
  });
  expect((await error).code).toBe('store-damaged');
  expect(await describeStore(path, 0)).toBe('code store-damaged');
});

/** Flips a bit of a value that is in use. */
function rotLeaf(file: string): void {
  const bytes = fs.readFileSync(file);
  const at = bytes.lastIndexOf('xxxxxxxxxx');
  const descriptor = fs.openSync(file, 'r+');
  fs.writeSync(descriptor, 'y', at);
  fs.closeSync(descriptor);
}
