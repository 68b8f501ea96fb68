import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockData } from './data-lock.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'oxbow-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a second holder is refused and told the process id, and gets the directory after release', async () => {
  const first = await lockData(directory);
  await expect(lockData(directory)).rejects.toMatchObject({
    code: 'data-in-use',
    message: expect.stringContaining(`process ${process.pid} `) as string,
  });
  await first.release();
  const second = await lockData(directory);
  await second.release();
  expect(readdirSync(join(directory, 'lock'))).toEqual(['2']);
});

test('the lock of a killed process is taken over', async () => {
  const holder = await startHolder(directory);
  await expect(lockData(directory)).rejects.toMatchObject({
    code: 'data-in-use',
    message: expect.stringContaining(`process ${holder.pid ?? 0} `) as string,
  });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = await lockData(directory);
  await lock.release();
});

test('a stopped process still holds its lock', async () => {
  const holder = await startHolder(directory);
  holder.kill('SIGSTOP');
  await expect(lockData(directory)).rejects.toMatchObject({ code: 'data-in-use' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
});

test('of many that find a dead lock exactly one takes it', async () => {
  for (let round = 0; round < 5; round++) {
    const holder = await startHolder(directory);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockData(directory)));
    const won = tries.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(won).toHaveLength(1);
    await won[0]?.release();
  }
});

test('a directory deeper than a socket path may be long can be locked', async () => {
  const deep = join(directory, 'd'.repeat(100), 'e'.repeat(100));
  const lock = await lockData(deep);
  await expect(lockData(deep)).rejects.toMatchObject({ code: 'data-in-use' });
  await lock.release();
});

test('a directory that cannot be made is an error with the cause', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  await expect(lockData(join(file, 'x'))).rejects.toMatchObject({ code: 'data-unavailable' });
});

async function startHolder(path: string) {
  const script = fileURLToPath(new URL('testing/hold-lock.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=oxbow-source', '--import', 'tsx', script, path],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(child.stdout, 'data');
  return child;
}
