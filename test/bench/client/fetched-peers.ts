/**
 * The peers' packages, fetched once into .tmp: neither who installs the SDK nor `npm test` should
 * pay for a hundred megabytes that only this benchmark wants. Versions are pinned here; scripts of
 * packages are not run.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const VERSIONS = {
  dexie: '4.4.7',
  events: '3.3.0',
  'pouchdb-browser': '9.0.0',
  'pouchdb-find': '9.0.0',
  replicache: '15.3.0',
  rxdb: '17.6.0',
  rxjs: '7.8.2',
  tinybase: '10.0.1',
  'y-indexeddb': '9.0.12',
  yjs: '13.6.33',
};

/** The node_modules that holds them. */
export function fetchedPeers(scratch: string): string {
  const folder = join(scratch, 'peers');
  const manifest = join(folder, 'package.json');
  const wanted = JSON.stringify({ private: true, dependencies: VERSIONS }, null, 2);
  const stamp = join(folder, 'fetched.json');
  const isThere = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (!isThere) {
    console.error('fetching the peers…');
    mkdirSync(folder, { recursive: true });
    writeFileSync(manifest, wanted);
    const flags = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', ['install', ...flags], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    writeFileSync(stamp, wanted);
  }
  return join(folder, 'node_modules');
}

export const versionOf = (name: string): string =>
  // reason: a name without a version would be a package that nobody fetched.
  VERSIONS[name as keyof typeof VERSIONS] ?? 'not fetched';
