/**
 * What every WriteAheadLog promises, whatever stands behind it. A driver of the seam passes this
 * suite or is none.
 */
import { describe, expect, it } from 'vitest';
import type { OxbowError } from '@oxbow/sdk/protocol';
import type { WriteAheadLog } from '../write-ahead-log.js';

/** A log on a disk that survives its runs. */
export interface WalBench {
  /** A new run on the same disk. */
  log(): WriteAheadLog;
  /** Lets everything that is under way come to its end. */
  settle(): Promise<void>;
  /** The process dies; what was not synced may be lost. */
  crash(): void;
}

export interface WalHeard {
  /** index → text, as recovered. */
  recovered: ReadonlyMap<number, string> | undefined;
  fatal: OxbowError | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function appendText(log: WriteAheadLog, text: string): number {
  const bytes = encoder.encode(text);
  return log.append(bytes.length, (target, offset) => target.set(bytes, offset));
}

/** Starts a run and writes down what it says. */
export function listenWal(log: WriteAheadLog): WalHeard {
  const heard: WalHeard = { recovered: undefined, fatal: undefined };
  log.start({
    onRecovered: (records) => {
      const texts = records.map(({ index, payload }) => [index, decoder.decode(payload)] as const);
      heard.recovered = new Map(texts);
    },
    onFatal: (error) => (heard.fatal = error),
  });
  return heard;
}

const codeOf = (task: () => void): unknown => {
  try {
    task();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return undefined;
};

export function writeAheadLogLaws(name: string, bench: () => WalBench): void {
  const started = async (disk: WalBench): Promise<{ log: WriteAheadLog; heard: WalHeard }> => {
    const log = disk.log();
    const heard = listenWal(log);
    await disk.settle();
    return { log, heard };
  };
  const textsOf = (heard: WalHeard): string[] => [...(heard.recovered?.values() ?? [])];

  describe(`the laws of a write-ahead log: ${name}`, () => {
    it('takes nothing before it has recovered', () => {
      const log = bench().log();
      expect(codeOf(() => appendText(log, 'a'))).toBe('log-failed');
      listenWal(log);
      expect(codeOf(() => appendText(log, 'a'))).toBe('log-failed');
    });

    it('numbers records densely from 1, over all runs', async () => {
      const disk = bench();
      const first = await started(disk);
      expect(['a', 'b', 'c'].map((text) => appendText(first.log, text))).toEqual([1, 2, 3]);
      first.log.flushed(() => undefined);
      await disk.settle();
      disk.crash();
      const second = await started(disk);
      expect(second.heard.recovered).toEqual(new Map([[1, 'a'], [2, 'b'], [3, 'c']]));
      expect(appendText(second.log, 'd')).toBe(4);
    });

    it('tells what is on disk in the order in which it was asked, and never too early', async () => {
      const disk = bench();
      const { log } = await started(disk);
      const told: string[] = [];
      for (const text of ['a', 'b', 'c']) {
        appendText(log, text);
        log.flushed(() => told.push(text));
      }
      expect(told).toEqual([]);
      await disk.settle();
      expect(told).toEqual(['a', 'b', 'c']);
      log.flushed(() => told.push('nothing new'));
      expect(told.at(-1)).toBe('nothing new');
    });

    it('tells in order also who asks while others are being told', async () => {
      const disk = bench();
      const { log } = await started(disk);
      const told: string[] = [];
      const ask = (name: string, then?: () => void): void => log.flushed(() => {
        told.push(name);
        then?.();
      });
      appendText(log, 'a');
      ask('first', () => ask('fourth'));
      ask('second');
      ask('third');
      await disk.settle();
      expect(told).toEqual(['first', 'second', 'third', 'fourth']);
    });

    it('lets appends that nobody waits for ride along', async () => {
      const disk = bench();
      const { log } = await started(disk);
      appendText(log, 'rides');
      await disk.settle();
      expect(log.inFlightBytes).toBeGreaterThan(0);
      appendText(log, 'waits');
      log.flushed(() => undefined);
      await disk.settle();
      expect(log.inFlightBytes).toBe(0);
      disk.crash();
      expect(textsOf((await started(disk)).heard)).toEqual(['rides', 'waits']);
    });

    it('may lose what nobody was told of, and keeps the rest', async () => {
      const disk = bench();
      const { log } = await started(disk);
      appendText(log, 'kept');
      log.flushed(() => undefined);
      await disk.settle();
      appendText(log, 'nobody waits');
      disk.crash();
      expect(textsOf((await started(disk)).heard)).toEqual(['kept']);
    });

    it('finishes what was appended before it stops, and takes no more', async () => {
      const disk = bench();
      const { log } = await started(disk);
      appendText(log, 'last words');
      let isStopped = false;
      log.stop(() => (isStopped = true));
      expect(codeOf(() => appendText(log, 'late'))).toBe('log-failed');
      await disk.settle();
      expect(isStopped).toBe(true);
      expect(textsOf((await started(disk)).heard)).toEqual(['last words']);
    });

    it('forgets only what was trimmed, and goes on with its numbers', async () => {
      const disk = bench();
      let { log, heard } = await started(disk);
      for (let round = 0; round < 6; round++) {
        for (let i = 1; i <= 20; i++) {
          expect(appendText(log, `record ${round * 20 + i}`)).toBe(round * 20 + i);
          log.flushed(() => undefined);
          await disk.settle();
        }
        log.trim(round * 20 + 15);
        await disk.settle();
        disk.crash();
        ({ log, heard } = await started(disk));
        expect(heard.fatal).toBeUndefined();
        const kept = [...(heard.recovered?.keys() ?? [])];
        const last = (round + 1) * 20;
        expect(kept.slice(-6)).toEqual([5, 4, 3, 2, 1, 0].map((before) => last - before));
        for (const [index, text] of heard.recovered ?? []) expect(text).toBe(`record ${index}`);
      }
    });

    it('takes a record of any size up to its bound', async () => {
      const disk = bench();
      const { log } = await started(disk);
      for (let size = 0; size <= 200; size += 25) appendText(log, 'x'.repeat(size));
      expect(codeOf(() => appendText(log, 'x'.repeat(201)))).toBe('payload-too-large');
      log.flushed(() => undefined);
      await disk.settle();
      disk.crash();
      const sizes = textsOf((await started(disk)).heard).map(({ length }) => length);
      expect(sizes).toEqual([0, 25, 50, 75, 100, 125, 150, 175, 200]);
    });
  });
}
