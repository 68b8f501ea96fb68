/** Rules that hold for the tree as a whole and that no compiler knows. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const tracked = execFileSync('git', ['ls-files'], { cwd: root }).toString().split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const sources = tracked.filter((file) => /^packages\/.*\.tsx?$/.test(file));
const shipped = sources.filter((file) => !/\.test(-d)?\.ts|\/testing\//.test(file));

test('no source file is longer than 600 lines', () => {
  const long = shipped.filter((file) => read(file).split('\n').length > 600);
  expect(long).toEqual([]);
});

test('the lock file names no registry host', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": *"https?:/);
});

test('no tracked file names a place on the machine where it was written', () => {
  const places = new RegExp(['/wor' + 'k/', '/roo' + 't/', '/home/[a-z]+/'].join('|'));
  const guilty = tracked.filter((file) => !/\.(png|ico|lock)$/.test(file) && places.test(read(file)));
  expect(guilty).toEqual([]);
});

test('no test is skipped, focused or left to be written', () => {
  const marks = /\b(it|test|describe)\.(skip|only|todo)\b/;
  const guilty = tracked.filter((file) => /\.test\.ts$/.test(file) && file !== 'test/house/source-tree.test.ts')
    .filter((file) => marks.test(read(file)));
  expect(guilty).toEqual([]);
});

test('every error code is documented', () => {
  const documented = read('docs/errors.md');
  const missing = new Set<string>();
  for (const file of shipped) {
    for (const [, code = ''] of read(file).matchAll(/new OxbowError\(\s*'([a-z-]+)'/g)) {
      if (!documented.includes(`\`${code}\``)) missing.add(`${code} (${file})`);
    }
  }
  expect([...missing]).toEqual([]);
});

test('every file that the docs link to exists', () => {
  const docs = tracked.filter((file) => file.endsWith('.md'));
  const broken: string[] = [];
  for (const doc of docs) {
    for (const [, target = ''] of read(doc).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      if (!existsSync(join(root, dirname(doc), target))) broken.push(`${doc} → ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

test('each promise names tests that exist', () => {
  const guarantees = read('docs/guarantees.md');
  const named = [...guarantees.matchAll(/`((?:packages|test)\/[^`]+\.ts)`/g)].map(([, file = '']) => file);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
