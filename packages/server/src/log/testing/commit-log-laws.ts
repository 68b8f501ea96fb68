/**
 * What every CommitLog promises, whatever stands behind it. A driver of the seam passes this suite
 * or is none.
 */
import { describe, expect, it } from 'vitest';
import type { OxbowError } from '@oxbow/sdk/protocol';
import type { AppliedState, CommitLog } from '../commit-log.js';

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
  /** All that was told, in order, by name. */
  readonly order: string[];
  readonly cluster: string[];
  /** Of all slots. */
  readonly slots: number[];
  /** Of those that change something. */
  readonly texts: string[];
  readonly tags: (number | undefined)[];
  /** The slot of each text. */
  readonly places: number[];
  leads: boolean | undefined;
  lost: OxbowError | undefined;
  fatal: OxbowError | undefined;
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

export const stateAt = (slot: number, cluster?: string): AppliedState =>
  ({ slot, cluster, base: undefined });

/** Starts a run and writes down what it says. */
export function listen(log: CommitLog, state: AppliedState): Heard {
  const heard: Heard = {
    order: [], cluster: [], slots: [], texts: [], tags: [], places: [],
    leads: undefined, lost: undefined, fatal: undefined,
  };
  log.start(state, {
    onJoined: (cluster) => {
      heard.order.push('joined');
      heard.cluster.push(cluster);
    },
    onChosen: (slot, payload, tag) => {
      heard.order.push('chosen');
      heard.slots.push(slot);
      if (payload === undefined) return;
      heard.texts.push(new TextDecoder().decode(payload));
      heard.tags.push(tag);
      heard.places.push(slot);
    },
    onLeadership: ({ kind }) => {
      heard.order.push(kind);
      heard.leads = kind === 'leading';
    },
    onConfigured: () => heard.order.push('configured'),
    onStateNeeded: () => heard.order.push('state needed'),
    onStateReplaced: () => heard.order.push('state replaced'),
    onLost: (error) => {
      heard.order.push('lost');
      heard.lost = error;
    },
    onFatal: (error) => {
      heard.order.push('fatal');
      heard.fatal = error;
    },
  });
  return heard;
}

/** Laws of any log that comes to lead by itself. */
export function commitLogLaws(name: string, bench: () => LogBench): void {
  const started = (disk: LogBench, slot = 0, cluster?: string) => {
    const log = disk.log();
    const heard = listen(log, stateAt(slot, cluster));
    disk.settle();
    return { log, heard };
  };

  describe(`the laws of a commit log: ${name}`, () => {
    it('refuses proposals before it leads', () => {
      const log = bench().log();
      expect(codeOf(() => log.propose(bytes('a'), 1))).toBe('not-leader');
      listen(log, stateAt(0));
      expect(codeOf(() => log.propose(bytes('a'), 1))).toBe('not-leader');
    });

    it('says first which cluster it belongs to, the same in all runs', () => {
      const disk = bench();
      const first = started(disk);
      expect(first.heard.order[0]).toBe('joined');
      disk.crash();
      const second = started(disk);
      expect(second.heard.order[0]).toBe('joined');
      expect(second.heard.cluster).toEqual(first.heard.cluster);
    });

    it('chooses what is proposed in the order of proposals, with the tags of this run', () => {
      const disk = bench();
      const { log, heard } = started(disk);
      ['a', 'b', 'c'].forEach((text, i) => log.propose(bytes(text), i + 10));
      expect(heard.texts).toEqual([]);
      disk.settle();
      expect(heard).toMatchObject({ texts: ['a', 'b', 'c'], tags: [10, 11, 12] });
      expect(heard.slots).toEqual(heard.slots.map((_, i) => i + 1));
      expect(log.inFlightBytes).toBe(0);
    });

    it('counts the bytes that are proposed and not chosen', () => {
      const disk = bench();
      const { log } = started(disk);
      expect(log.inFlightBytes).toBe(0);
      log.propose(bytes('abc'), 1);
      const one = log.inFlightBytes;
      expect(one).toBeGreaterThanOrEqual(3);
      log.propose(bytes('de'), 2);
      expect(log.inFlightBytes).toBeGreaterThanOrEqual(one + 2);
      disk.settle();
      expect(log.inFlightBytes).toBe(0);
    });

    it('is full at its bounds, and takes more after onChosen', () => {
      const disk = bench();
      const { log, heard } = started(disk);
      let taken = 0;
      const fill = (): void => {
        for (; taken < 100_000; taken++) log.propose(bytes('x'.repeat(100)), taken);
      };
      expect(codeOf(fill)).toBe('log-full');
      disk.settle();
      log.propose(bytes('more'), taken);
      disk.settle();
      expect(heard.texts).toHaveLength(taken + 1);
    });

    it('refuses a payload beyond its bound', () => {
      const { log } = started(bench());
      const large = new Uint8Array(20 * 1024 * 1024);
      expect(codeOf(() => log.propose(large, 1))).toBe('payload-too-large');
    });

    it('replays to a later run what the state has not applied, without tags', () => {
      const disk = bench();
      const { log, heard: before } = started(disk);
      ['a', 'b', 'c'].forEach((text) => log.propose(bytes(text), 1));
      disk.settle();
      disk.crash();
      const { heard } = started(disk, before.places[0], before.cluster[0]);
      expect(heard).toMatchObject({ texts: ['b', 'c'], leads: true, tags: [undefined, undefined] });
      expect(heard.places).toEqual(before.places.slice(1));
      expect(heard.slots[0]).toBe(before.places[1]);
    });

    it('leads only after the replay', () => {
      const disk = bench();
      const { log } = started(disk);
      log.propose(bytes('a'), 1);
      disk.settle();
      disk.crash();
      const { heard } = started(disk);
      expect(heard.order.at(-1)).toBe('leading');
      expect(heard.texts).toEqual(['a']);
    });

    it('goes on with the next slot after a crash', () => {
      const disk = bench();
      const first = started(disk);
      first.log.propose(bytes('a'), 1);
      disk.settle();
      disk.crash();
      const applied = first.heard.slots.at(-1) ?? 0;
      const { log, heard } = started(disk, applied, first.heard.cluster[0]);
      log.propose(bytes('b'), 2);
      disk.settle();
      expect(heard).toMatchObject({ texts: ['b'], tags: [2] });
      expect(heard.slots[0]).toBe(applied + 1);
      expect(heard.slots).toEqual(heard.slots.map((_, i) => applied + 1 + i));
    });

    it('answers a barrier with a slot that holds all that was acknowledged before', () => {
      const disk = bench();
      const { log, heard } = started(disk);
      log.propose(bytes('a'), 1);
      disk.settle();
      const answers: (number | undefined)[] = [];
      log.barrier((slot) => answers.push(slot));
      disk.settle();
      expect(answers).toHaveLength(1);
      expect(answers[0]).toBeGreaterThanOrEqual(heard.places[0] ?? Infinity);
    });

    it('answers a barrier with nothing when it does not lead', () => {
      const disk = bench();
      const log = disk.log();
      const answers: (number | undefined)[] = [];
      log.barrier((slot) => answers.push(slot));
      listen(log, stateAt(0));
      disk.settle();
      log.stop(() => undefined);
      disk.settle();
      log.barrier((slot) => answers.push(slot));
      expect(answers).toEqual([undefined, undefined]);
    });

    it('says when all that was told is on its own disk', () => {
      const disk = bench();
      const { log, heard } = started(disk);
      log.propose(bytes('a'), 1);
      disk.settle();
      let isFlushed = false;
      log.flushed(() => (isFlushed = true));
      disk.settle();
      expect(isFlushed).toBe(true);
      disk.crash();
      expect(started(disk).heard.texts).toEqual(heard.texts);
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
      expect(heard).toMatchObject({ texts: ['a'], leads: false });
      expect(started(disk).heard.texts).toEqual(['a']);
    });

    it('forgets only what was trimmed', () => {
      const disk = bench();
      const { log, heard: before } = started(disk);
      for (let i = 1; i <= 40; i++) {
        log.propose(bytes(`payload ${i}`), i);
        disk.settle();
      }
      const applied = before.places[29] ?? 0;
      log.trim(applied);
      disk.settle();
      disk.crash();
      const { heard } = started(disk, applied, before.cluster[0]);
      expect(heard.fatal).toBeUndefined();
      expect(heard.texts).toEqual(Array.from({ length: 10 }, (_, i) => `payload ${31 + i}`));
    });
  });
}
