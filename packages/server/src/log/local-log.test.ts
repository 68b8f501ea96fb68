import { describe, expect, it } from 'vitest';
import { LocalLog } from './local-log.js';
import type { LocalLogLimits } from './local-log.js';
import { commitLogLaws, listen } from './testing/commit-log-laws.js';
import { MemorySegments } from './testing/memory-segments.js';

const small: LocalLogLimits = {
  segmentBytes: 640,
  payloadBytesMax: 200,
  inFlightBytesMax: 4_000,
  inFlightSlotsMax: 100,
};
const settle = (disk: MemorySegments): void => {
  while (disk.run());
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : error;

commitLogLaws('LocalLog over segment files in memory', () => {
  const disk = new MemorySegments();
  return {
    log: () => new LocalLog(disk, small),
    settle: () => settle(disk),
    crash: () => disk.crash(() => false),
  };
});

const restart = (disk: MemorySegments, appliedSlot = 0, limits = small) => {
  const log = new LocalLog(disk, limits);
  const heard = listen(log, appliedSlot);
  settle(disk);
  return { log, heard };
};

function written(count: number): MemorySegments {
  const disk = new MemorySegments();
  const { log } = restart(disk);
  for (let i = 1; i <= count; i++) {
    log.propose(bytes(`payload ${i}`), i);
    settle(disk);
  }
  disk.crash(() => false);
  return disk;
}

describe('LocalLog', () => {
  it('is full at its bounds, and takes more after onChosen', () => {
    const disk = new MemorySegments();
    const { log } = restart(disk, 0, { ...small, inFlightSlotsMax: 2 });
    log.propose(bytes('a'), 1);
    log.propose(bytes('b'), 2);
    expect(() => log.propose(bytes('c'), 3)).toThrow(/in flight/);
    settle(disk);
    log.propose(bytes('c'), 3);
  });

  it('knows a trimmed log from an empty one', () => {
    const disk = written(20);
    const { log } = restart(disk, 20);
    log.trim(20);
    settle(disk);
    disk.crash(() => false);
    expect(disk.files.has('log-0000000001')).toBe(false);
    expect(restart(disk, 20).heard).toMatchObject({ slots: [], leads: true });
    expect(codeOf(restart(disk, 0).heard.fatal)).toBe('state-behind-log');
  });

  it('stops with log-behind-state when log files were lost', () => {
    expect(codeOf(restart(new MemorySegments(), 7).heard.fatal)).toBe('log-behind-state');
    expect(codeOf(restart(written(3), 7).heard.fatal)).toBe('log-behind-state');
  });
});
