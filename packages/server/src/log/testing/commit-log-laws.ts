/**
 * What every CommitLog promises, whatever stands behind it. A driver of the seam passes this suite
 * or is none.
 */
import { describe, expect, it } from 'vitest';
import type { CommitLog } from '../commit-log.js';

/** A log on a disk that survives its runs. */
export interface LogBench {
  /** A new run on the same disk. */
  log(): CommitLog;
  /** Lets everything that is under way come to its end. */
  settle(): void;
  /** The process dies; what was not synced may be lost. */
  crash(): void;
}

export interface Heard {
  readonly slots: number[];
  readonly texts: string[];
  readonly tags: (number | undefined)[];
  leads: boolean | undefined;
  fatal: Error | undefined;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeOf = (task: () => void): unknown => {
  try {
    task();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return undefined;
};

/** Starts a run and writes down what it says. */
export function listen(log: CommitLog, appliedSlot: number): Heard {
  const heard: Heard = { slots: [], texts: [], tags: [], leads: undefined, fatal: undefined };
  log.start(appliedSlot, {
    onChosen: (slot, payload, tag) => {
      heard.slots.push(slot);
      heard.texts.push(new TextDecoder().decode(payload));
      heard.tags.push(tag);
    },
    onLeadership: (leads) => (heard.leads = leads),
    onFatal: (error) => (heard.fatal = error),
  });
  return heard;
}

export function commitLogLaws(name: string, bench: () => LogBench): void {
  const started = (disk: LogBench, appliedSlot = 0): { log: CommitLog; heard: Heard } => {
    const log = disk.log();
    const heard = listen(log, appliedSlot);
    disk.settle();
    return { log, heard };
  };

  describe(`the laws of a commit log: ${name}`, () => {
    it('refuses proposals before it leads', () => {
      const log = bench().log();
      expect(codeOf(() => log.propose(bytes('a'), 1))).toBe('not-leader');
      listen(log, 0);
      expect(codeOf(() => log.propose(bytes('a'), 1))).toBe('not-leader');
    });

    it('chooses what is proposed in dense slots from 1, with the tags of this run', () => {
      const disk = bench();
      const { log, heard } = started(disk);
      ['a', 'b', 'c'].forEach((text, i) => log.propose(bytes(text), i + 10));
      expect(heard.slots).toEqual([]);
      disk.settle();
      expect(heard).toMatchObject({ slots: [1, 2, 3], texts: ['a', 'b', 'c'], tags: [10, 11, 12] });
      expect(log.inFlightBytes).toBe(0);
    });

    it('counts the bytes that are proposed and not chosen', () => {
      const disk = bench();
      const { log } = started(disk);
      log.propose(bytes('abc'), 1);
      log.propose(bytes('de'), 2);
      expect(log.inFlightBytes).toBe(5);
      disk.settle();
      expect(log.inFlightBytes).toBe(0);
    });

    it('replays to a later run what the state has not applied, without tags', () => {
      const disk = bench();
      const { log } = started(disk);
      ['a', 'b', 'c'].forEach((text) => log.propose(bytes(text), 1));
      disk.settle();
      disk.crash();
      const { heard } = started(disk, 1);
      expect(heard).toMatchObject({ slots: [2, 3], texts: ['b', 'c'], leads: true });
      expect(heard.tags).toEqual([undefined, undefined]);
    });

    it('leads only after the replay', () => {
      const disk = bench();
      const { log } = started(disk);
      log.propose(bytes('a'), 1);
      disk.settle();
      disk.crash();
      const order: string[] = [];
      disk.log().start(0, {
        onChosen: (slot) => order.push(`slot ${slot}`),
        onLeadership: (leads) => order.push(`leads ${leads}`),
        onFatal: (error) => order.push(error.message),
      });
      disk.settle();
      expect(order).toEqual(['slot 1', 'leads true']);
    });

    it('goes on with the next slot after a crash', () => {
      const disk = bench();
      started(disk).log.propose(bytes('a'), 1);
      disk.settle();
      disk.crash();
      const { log, heard } = started(disk, 1);
      log.propose(bytes('b'), 2);
      disk.settle();
      expect(heard).toMatchObject({ slots: [2], texts: ['b'], tags: [2] });
    });

    it('finishes what is in flight before it stops, and takes no more', () => {
      const disk = bench();
      const { log, heard } = started(disk);
      log.propose(bytes('a'), 1);
      let isStopped = false;
      log.stop(() => (isStopped = true));
      expect(codeOf(() => log.propose(bytes('b'), 2))).toBe('not-leader');
      disk.settle();
      expect(isStopped).toBe(true);
      expect(heard.texts).toEqual(['a']);
      expect(started(disk).heard.texts).toEqual(['a']);
    });

    it('forgets only what was trimmed', () => {
      const disk = bench();
      const { log } = started(disk);
      for (let i = 1; i <= 40; i++) log.propose(bytes(`payload ${i}`), i);
      disk.settle();
      log.trim(30);
      disk.settle();
      disk.crash();
      expect(started(disk, 30).heard.slots).toEqual([31, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
    });
  });
}
