/**
 * The yardstick for durable commits: PostgreSQL on the same disk in the same run, one insert of 200
 * bytes per transaction, synchronous_commit on. Left out, and said so, where PostgreSQL is not
 * installed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PORT = 15_433;

export interface Postgres {
  /** By so many clients at once, each with one insert in flight. */
  insertsPerS(clients: number, seconds: number): number;
  stop(): void;
}

/** The folder of PostgreSQL's programs, pgbench among them, or undefined. */
function programs(): string | undefined {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return undefined;
  const versions = readdirSync(base).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(base, version, 'bin')).find((bin) => existsSync(join(bin, 'pgbench')));
}

/** Undefined where PostgreSQL is missing. `root` is on the disk to measure. */
export function startPostgres(root: string, clientsMax: number): Postgres | undefined {
  const bin = programs();
  if (bin === undefined) return undefined;
  mkdirSync(root, { recursive: true });
  const folder = mkdtempSync(join(root, 'postgres-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) spawnSync('chown', ['postgres', folder]);
  chmodSync(folder, 0o755);
  const asOwner = (program: string, args: readonly string[]): void => {
    const command = join(bin, program);
    if (isRoot) execFileSync('runuser', ['-u', 'postgres', '--', command, ...args], { cwd: folder, stdio: 'pipe' });
    else execFileSync(command, args, { cwd: folder, stdio: 'pipe' });
  };
  const data = join(folder, 'data');
  try {
    asOwner('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres']);
    asOwner('pg_ctl', ['-D', data, '-w', '-l', join(folder, 'log'), '-o', serverOptions(clientsMax), 'start']);
  } catch (error) {
    remove();
    throw error;
  }
  const stop = (): void => {
    try {
      asOwner('pg_ctl', ['-D', data, '-m', 'fast', 'stop']);
    } finally {
      remove();
    }
  };
  try {
    return { insertsPerS: inserting(bin, folder), stop };
  } catch (error) {
    stop();
    throw error;
  }
}

const serverOptions = (clients: number): string => [
  `-p ${PORT}`, '-c listen_addresses=127.0.0.1', "-c unix_socket_directories=''",
  '-c synchronous_commit=on', '-c fsync=on', `-c max_connections=${clients + 20}`,
  '-c shared_buffers=256MB', '-c max_wal_size=4GB',
].join(' ');

function inserting(bin: string, folder: string): Postgres['insertsPerS'] {
  const connect = ['-h', '127.0.0.1', '-p', String(PORT), '-U', 'postgres'];
  execFileSync(join(bin, 'psql'), [...connect, '-q', '-c', 'create table kv(id bigserial primary key, v text not null)']);
  const script = join(folder, 'insert.sql');
  writeFileSync(script, `insert into kv(v) values ('${'x1y2z3w4'.repeat(25)}');\n`);
  return (clients, seconds) => {
    const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', String(seconds), '-f', script];
    const out = execFileSync(join(bin, 'pgbench'), [...connect, ...args, 'postgres'], { stdio: 'pipe' }).toString();
    return Number(/tps = ([\d.]+)/.exec(out)?.[1]);
  };
}
