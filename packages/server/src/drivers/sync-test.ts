/**
 * How long a sync takes on the disk of a folder: real writes, real fdatasync, a file that is
 * removed after.
 */
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const ROUNDS = 50;
const WRITE = Buffer.alloc(4_096, 0x6f);

export interface SyncTimes {
  readonly p50: number;
  readonly p99: number;
}

/** Rejects when the disk cannot be written. */
export async function testSync(folder: string): Promise<SyncTimes> {
  const path = join(folder, 'sync-test');
  const file = await fs.open(path, 'w');
  try {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      await file.write(WRITE, 0, WRITE.length, 0);
      await file.datasync();
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number => times[Math.floor(share * (ROUNDS - 1))] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  } finally {
    await file.close();
    // Two may test at once: the other one's end takes it away, too.
    await fs.rm(path, { force: true });
  }
}
