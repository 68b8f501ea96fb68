/**
 * Three logs of one group on disks in memory, with links that carry everything in order until they
 * are cut.
 */
import type { MemberId } from '../../paxos/ballot.js';
import type { Member } from '../../paxos/configuration.js';
import { paxosLimits } from '../../paxos/limits.js';
import { PaxosLog } from '../paxos-log.js';
import type { PeerPortEvents } from '../peer-port.js';
import { SegmentLog } from '../segment-log.js';
import { listen, stateAt } from './commit-log-laws.js';
import type { Heard } from './commit-log-laws.js';
import { MemorySegments } from './memory-segments.js';

const SEGMENT_BYTES = 4_096;

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

interface Timer {
  readonly node: number;
  readonly atMs: number;
  readonly task: () => void;
}

export const memberAt = (node: number): Member => ({
  // reason: ids in tests are what they are.
  id: `${'abc'[node]}.1` as MemberId, name: `${'abc'[node]}`, peerAddress: `${node}`, clientUrl: '',
});

export class LogTrio {
  readonly disks = [0, 1, 2].map(() => new MemorySegments());
  readonly logs: PaxosLog[] = [];
  /** Of the present run of each. */
  readonly heard: Heard[] = [];
  readonly logged: string[] = [];
  nowMs = 1_000;
  readonly #ports: (PeerPortEvents | undefined)[] = [];
  #frames: Frame[] = [];
  #timers: Timer[] = [];
  readonly #applied = [0, 0, 0];
  #dice = 0;

  start(node: number): void {
    const slot = this.#applied[node] ?? 0;
    const log = this.#newLog(node);
    this.logs[node] = log;
    this.heard[node] = listen(log, stateAt(slot, slot > 0 ? 'trio' : undefined));
  }

  startAll(): void {
    for (const node of [0, 1, 2]) this.start(node);
  }

  /** The state of a node has come to where its log is, and is on disk. */
  apply(node: number): void {
    const slot = this.heard[node]?.slots.at(-1);
    if (slot === undefined) return;
    this.logs[node]?.flushed(() => {
      this.#applied[node] = slot;
      this.logs[node]?.trim(slot);
    });
  }

  crash(node: number): void {
    this.disks[node]?.crash(() => false);
    this.#ports[node] = undefined;
    this.#frames = this.#frames.filter(({ from, to }) => from !== node && to !== node);
    this.#timers = this.#timers.filter((timer) => timer.node !== node);
    for (const other of this.#others(node)) this.#ports[other]?.linked(memberAt(node).id, false);
  }

  /** Bytes that say they come from there. */
  inject(from: number, to: number, bytes: Uint8Array): void {
    this.#ports[to]?.frame(memberAt(from).id, bytes);
  }

  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; this.nowMs++) {
      const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
      this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
      for (const { task } of due) task();
      this.settle();
    }
  }

  settle(): void {
    while (this.#moved());
  }

  /** Passes time until somebody leads; -1: nobody does. */
  leader(): number {
    for (let waited = 0; waited < 10_000; waited += 50) {
      this.pass(50);
      const leaders = [0, 1, 2].filter((node) =>
        this.#ports[node] !== undefined && this.heard[node]?.leads === true);
      if (leaders.length === 1) return leaders[0] ?? -1;
    }
    return -1;
  }

  #moved(): boolean {
    let moved = false;
    for (const disk of this.disks) moved = disk.run() || moved;
    const frames = this.#frames;
    this.#frames = [];
    for (const { from, to, bytes } of frames) this.inject(from, to, bytes);
    return moved || frames.length > 0;
  }

  #newLog(node: number): PaxosLog {
    const disk = this.disks[node] ?? new MemorySegments();
    const voters = [0, 1, 2].map(memberAt);
    const configuration = { number: 0, fromSlot: 1, voters, learners: [] };
    return new PaxosLog({
      wal: new SegmentLog(disk, {
        segmentBytes: SEGMENT_BYTES, payloadBytesMax: SEGMENT_BYTES - 200,
        inFlightBytesMax: 1_000_000,
      }),
      clock: { monotonicMs: () => this.nowMs, after: (ms, task) => this.#after(node, ms, task) },
      random: () => ((this.#dice = (this.#dice * 7 + 3) % 11) / 11),
      form: (_slot, done) => done({
        kind: 'joined', cluster: 'trio', self: memberAt(node).id,
        base: { slot: 0, configuration, epoch: undefined },
      }),
      peers: {
        start: (events) => this.#opened(node, events),
        configured: () => undefined,
        send: (to, bytes) => {
          const receiver = [0, 1, 2].find((other) => memberAt(other).id === to);
          if (receiver === undefined || this.#ports[receiver] === undefined) return;
          this.#frames.push({ from: node, to: receiver, bytes });
        },
      },
      limits: { ...paxosLimits, keptSlotsMax: 16, keptBytesMax: 2_000 },
      log: (_level, event) => this.logged.push(event),
      checkpointBytes: 500,
    });
  }

  #opened(node: number, events: PeerPortEvents): void {
    this.#ports[node] = events;
    for (const other of this.#others(node)) {
      if (this.#ports[other] === undefined) continue;
      events.linked(memberAt(other).id, true);
      this.#ports[other]?.linked(memberAt(node).id, true);
    }
  }

  #after(node: number, delayMs: number, task: () => void): () => void {
    const timer = { node, atMs: this.nowMs + delayMs, task };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  #others(node: number): number[] {
    return [0, 1, 2].filter((other) => other !== node);
  }
}
