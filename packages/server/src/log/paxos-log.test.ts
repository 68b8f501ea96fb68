import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemberId } from '../paxos/ballot.js';
import { paxosLimits } from '../paxos/limits.js';
import { foundAlone } from './founding.js';
import { PaxosLog } from './paxos-log.js';
import { SegmentLog } from './segment-log.js';
import { commitLogLaws, listen, stateAt } from './testing/commit-log-laws.js';
import type { Heard } from './testing/commit-log-laws.js';
import { MemorySegments } from './testing/memory-segments.js';

// reason: ids in tests are what they are.
const SELF = { id: 'a.1' as MemberId, name: 'a', peerAddress: '', clientUrl: '' };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A group of one on a disk in memory; time stands still unless it is passed. */
class Bench {
  readonly disk = new MemorySegments();
  readonly segmentBytes: number;
  nowMs = 1_000;
  founded = 0;
  #timers: { readonly atMs: number; readonly task: () => void }[] = [];

  constructor(segmentBytes = 4_096) {
    this.segmentBytes = segmentBytes;
  }

  log(): PaxosLog {
    return new PaxosLog({
      wal: new SegmentLog(this.disk, {
        segmentBytes: this.segmentBytes, payloadBytesMax: this.segmentBytes - 200,
        inFlightBytesMax: 1_000_000,
      }),
      clock: {
        monotonicMs: () => this.nowMs,
        after: (delayMs, task) => {
          const timer = { atMs: this.nowMs + delayMs, task };
          this.#timers.push(timer);
          return () => (this.#timers = this.#timers.filter((other) => other !== timer));
        },
      },
      random: () => 0.5,
      form: (slot, done) => done(foundAlone({
        cluster: `cluster ${++this.founded}`, self: SELF, slot,
      })),
      limits: { ...paxosLimits, keptSlotsMax: 8, keptBytesMax: 2_000 },
      checkpointBytes: 500,
    });
  }

  settle(): void {
    while (this.disk.run());
  }

  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; this.nowMs++) {
      const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
      this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
      for (const { task } of due) task();
      this.settle();
    }
  }

  crash(keep: () => boolean = () => false, pieceBytes = 16): void {
    this.#timers = [];
    this.disk.crash(keep, pieceBytes);
  }

  kill(): void {
    this.#timers = [];
    this.disk.kill();
  }

  start(slot = 0, cluster?: string): { log: PaxosLog; heard: Heard } {
    const log = this.log();
    const heard = listen(log, stateAt(slot, cluster));
    this.settle();
    return { log, heard };
  }
}

commitLogLaws('PaxosLog, a group of one', () => {
  const bench = new Bench();
  return {
    log: () => bench.log(),
    settle: () => bench.settle(),
    crash: () => bench.crash(),
  };
});

const CLUSTER = 'cluster 1';

/** A log with `count` payloads, its run over; and the slot of the last. */
function written(count: number, trims = false): { bench: Bench; last: number } {
  const bench = new Bench();
  const { log, heard } = bench.start();
  for (let i = 1; i <= count; i++) {
    log.propose(bytes(`payload ${i}`), i);
    bench.settle();
    if (trims) log.trim(heard.slots.at(-1) ?? 0);
  }
  bench.crash();
  return { bench, last: heard.slots.at(-1) ?? 0 };
}

describe('PaxosLog, a group of one', () => {
  it('shares one sync among all that was proposed during the one before', () => {
    const bench = new Bench(64_000);
    const { log, heard } = bench.start();
    const before = bench.disk.syncs;
    for (let i = 1; i <= 50; i++) log.propose(bytes(`${i}`), i);
    bench.settle();
    expect(heard.texts).toHaveLength(50);
    expect(bench.disk.syncs - before).toBe(2);
  });

  it('founds its cluster once, and tells nobody before that is on disk', () => {
    const bench = new Bench();
    const heard = listen(bench.log(), stateAt(0));
    for (let i = 0; heard.order.length === 0 && i < 20; i++) {
      bench.crash();
      expect(heard.order).toEqual([]);
      listen(bench.log(), stateAt(0));
      bench.disk.run(i);
      bench.crash();
    }
    const { heard: later } = bench.start();
    expect(later.cluster).toHaveLength(1);
    bench.crash();
    expect(bench.start().heard.cluster).toEqual(later.cluster);
  });

  it('founds a cluster on a restored state: its first slot is the one after it', () => {
    const bench = new Bench();
    const { log, heard } = bench.start(40);
    log.propose(bytes('first'), 1);
    bench.settle();
    expect(heard.slots[0]).toBe(41);
    bench.crash();
    expect(bench.start(40, CLUSTER).heard.texts).toEqual(['first']);
  });

  it('chooses nothing after a failed sync, and says so once', () => {
    const bench = new Bench();
    const { log, heard } = bench.start();
    log.propose(bytes('a'), 1);
    bench.disk.failSync = new Error('EIO');
    log.propose(bytes('b'), 2);
    bench.settle();
    expect(heard.texts).toEqual([]);
    expect(heard.order.filter((what) => what === 'fatal')).toHaveLength(1);
    expect(heard.fatal?.code).toBe('log-failed');
    expect(() => log.propose(bytes('c'), 3)).toThrow();
  });

  it('ends a stop under which the disk fails', () => {
    const bench = new Bench();
    const { log, heard } = bench.start();
    log.propose(bytes('a'), 1);
    bench.disk.failSync = new Error('EIO');
    let isStopped = false;
    log.stop(() => (isStopped = true));
    bench.settle();
    expect([isStopped, heard.fatal?.code]).toEqual([true, 'log-failed']);
  });

  it('leads at once after a restart: nobody can hold a lease of a group of one', () => {
    const { bench } = written(3);
    expect(bench.start().heard.leads).toBe(true);
  });

  it('keeps what it is and what it promised when old segments go', () => {
    const { bench, last } = written(400, true);
    expect(bench.disk.files.has('log-0000000001')).toBe(false);
    const { log, heard } = bench.start(last, CLUSTER);
    expect(heard).toMatchObject({ cluster: [CLUSTER], leads: true, lost: undefined });
    log.propose(bytes('goes on'), 1);
    bench.settle();
    expect(heard.texts).toEqual(['goes on']);
    expect(bench.founded).toBe(1);
  });

  it('needs no more disk than what it keeps', () => {
    const { bench } = written(2_000, true);
    expect(bench.disk.files.size).toBeLessThanOrEqual(6);
  });

  it('is lost when the log is damaged, and changes nothing', () => {
    const { bench } = written(30);
    const file = bench.disk.files.get('log-0000000001');
    if (file === undefined) throw new Error('no segment');
    file.durable[700] = (file.durable[700] ?? 0) ^ 1;
    const before = file.durable.slice();
    const { heard } = bench.start(0, CLUSTER);
    expect(heard).toMatchObject({ order: ['lost'], lost: { code: 'log-damaged' } });
    expect(file.durable).toEqual(before);
  });

  it('is lost when the log is gone, or ends before the state', () => {
    const { bench, last } = written(3);
    expect(bench.start(last + 1, CLUSTER).heard.lost?.code).toBe('log-behind-state');
    expect(new Bench().start(last, CLUSTER).heard.lost?.code).toBe('log-behind-state');
    expect(new Bench().start(0, CLUSTER).heard.lost?.code).toBe('log-behind-state');
  });

  it('is lost when the state is older than what the log still holds', () => {
    const { bench } = written(400, true);
    expect(bench.start(0, CLUSTER).heard.lost?.code).toBe('state-behind-log');
  });

  it('goes on from a state that was taken in, though a crash came before the log knew', () => {
    const { bench, last } = written(3);
    const { configuration } = bench.start().log.member ?? {};
    if (configuration === undefined) throw new Error('not started');
    bench.crash();
    const slot = last + 100;
    const log = bench.log();
    const heard = listen(log, {
      slot, cluster: CLUSTER, base: { slot, configuration, epoch: undefined },
    });
    bench.settle();
    log.propose(bytes('goes on'), 1);
    bench.settle();
    expect(heard).toMatchObject({ leads: true, texts: ['goes on'] });
    expect(heard.slots[0]).toBe(slot + 1);
    log.flushed(() => undefined);
    bench.settle();
    bench.crash();
    expect(bench.start(slot + 1, CLUSTER).heard.lost).toBeUndefined();
  });

  it('may be asked from within what it tells', () => {
    const bench = new Bench();
    const log = bench.log();
    const told: string[] = [];
    const more = (text: string): void => {
      told.push(text);
      if (told.length < 6) log.propose(bytes(`${told.length}`), told.length);
      log.barrier((slot) => told.push(`barrier ${slot === undefined ? 'lost' : 'answered'}`));
    };
    log.start(stateAt(0), {
      onJoined: () => undefined,
      onChosen: (_slot, payload) => {
        if (payload !== undefined) more(new TextDecoder().decode(payload));
      },
      onLeadership: ({ kind }) => {
        if (kind === 'leading') log.propose(bytes('first'), 1);
      },
      onConfigured: () => undefined,
      onStateNeeded: () => undefined,
      onStateReplaced: () => undefined,
      onLost: () => undefined,
      onFatal: (error) => told.push(error.message),
    });
    bench.settle();
    expect(told.slice(0, 4)).toEqual(['first', 'barrier answered', '1', 'barrier answered']);
  });

  it('keeps every chosen payload through any crashes, in order and once', () => {
    const run = fc.record({
      applied: fc.double({ min: 0, max: 1, noNaN: true }),
      steps: fc.array(
        fc.record({ size: fc.integer({ min: 0, max: 300 }), run: fc.integer({ min: 0, max: 4 }) }),
        { maxLength: 25 },
      ),
      isPowerCut: fc.boolean(),
      kept: fc.infiniteStream(fc.boolean()),
      trims: fc.boolean(),
      passes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), (runs) => {
        const bench = new Bench(2_048);
        /** slot → payload, as told. */
        const chosen = new Map<number, string>();
        let applied = 0;
        let cluster: string | undefined;
        let number = 0;
        for (const { applied: part, steps, isPowerCut, kept, trims, passes } of runs) {
          const { log, heard } = bench.start(applied, cluster);
          expect([heard.lost, heard.fatal]).toEqual([undefined, undefined]);
          expect(heard.leads).toBe(true);
          cluster ??= heard.cluster[0];
          expect(heard.cluster).toEqual([cluster]);
          const take = (): void => {
            heard.slots.forEach((slot, i) => expect(slot).toBe(applied + 1 + i));
            heard.places.forEach((slot, i) => {
              const text = heard.texts[i] ?? '';
              expect(chosen.get(slot) ?? text).toBe(text);
              chosen.set(slot, text);
            });
          };
          for (const slot of chosen.keys()) {
            if (slot > applied) expect(heard.places).toContain(slot);
          }
          take();
          for (const { size, run: some } of steps) {
            log.propose(bytes(`${number++}:`.padEnd(size, 'x')), number);
            bench.disk.run(some);
          }
          if (passes) bench.pass(30);
          take();
          const last = heard.slots.at(-1) ?? applied;
          const next = Math.max(applied, Math.floor(part * last));
          // A state is on disk only after its log is.
          let isFlushed = false;
          log.flushed(() => (isFlushed = true));
          bench.disk.run(3);
          if (isFlushed && trims) log.trim(next);
          bench.disk.run(2);
          take();
          if (isFlushed) applied = next;
          const keeps = kept[Symbol.iterator]();
          if (isPowerCut) bench.crash(() => keeps.next().value === true, 8);
          else bench.kill();
        }
        const numbers = [...chosen].sort(([a], [b]) => a - b).map(([, text]) => parseInt(text, 10));
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });
});
