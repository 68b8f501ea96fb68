import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureFolder } from './folder.js';

let root = '';

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'oxbow-folder-'));
});

afterEach(() => fs.rmSync(root, { recursive: true }));

test('makes a folder with those above it, and leaves one that is there', () => {
  const path = join(root, 'a', 'b', 'c');
  ensureFolder(path);
  fs.writeFileSync(join(path, 'kept'), '');
  ensureFolder(path);
  expect(fs.readdirSync(path)).toEqual(['kept']);
});

test('says why where there can be none', () => {
  fs.writeFileSync(join(root, 'file'), '');
  expect(() => ensureFolder(join(root, 'file'))).toThrow(/EEXIST/);
  expect(() => ensureFolder(join(root, 'file', 'below'))).toThrow(/EEXIST|ENOTDIR/);
});

test.runIf(process.platform === 'linux')('comes back from where the system takes no folders', () => {
  expect(() => ensureFolder('/proc/oxbow/data')).toThrow(/ENOENT/);
});
