import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MemberId } from '../paxos/ballot.js';
import type { PaxosRecord } from '../paxos/record.js';
import { recover } from '../paxos/recovery.js';
import { foundAlone } from './founding.js';
import { MemberDisk } from './member-disk.js';
import { SegmentLog } from './segment-log.js';
import { MemorySegments } from './testing/memory-segments.js';
import type { WalRecord } from './write-ahead-log.js';

// reason: ids in tests are what they are.
const SELF = { id: 'a.1' as MemberId, name: 'a', peerAddress: '', clientUrl: '' };
const joined = foundAlone({ cluster: 'c', self: SELF, slot: 0 });
const { configuration } = joined.base;
const settle = (segments: MemorySegments): void => {
  while (segments.run());
};

/** A run on these segments: what it found, and its member's disk. */
function open(segments: MemorySegments, group = 0): {
  disk: MemberDisk; records: PaxosRecord[]; wal: SegmentLog;
} {
  const wal = new SegmentLog(segments, {
    segmentBytes: 2_048, payloadBytesMax: 1_000, inFlightBytesMax: 1_000_000,
  });
  let found: readonly WalRecord[] = [];
  wal.start({
    onRecovered: (records) => (found = records),
    onFatal: (error) => {
      throw error;
    },
  });
  settle(segments);
  const disk = new MemberDisk({ wal, group, checkpointBytes: 300 });
  return { disk, records: disk.recovered(found), wal };
}

/** What must outlive everything, of records or of what is left of them. */
function essence(records: readonly PaxosRecord[]): unknown {
  const recovered = recover(records.filter(({ kind }) => kind !== 'chosen'));
  if (recovered === undefined) throw new Error('no member');
  const { cluster, self, base, promised, log } = recovered;
  const held = [];
  for (let slot = base.slot + 1; slot <= log.end; slot++) {
    const entry = log.at(slot);
    held.push(entry === undefined ? undefined : [slot, entry.ballot.round, entry.value]);
  }
  return { cluster, self, base, promised: promised?.round, held };
}

const step = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('promise'), by: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('accept'), by: fc.integer({ min: -3, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('trim'), by: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart'), by: fc.constant(0) }) },
);

it('gives back what a member is, promised and holds, whatever was trimmed in between', () => {
  let given = 0;
  fc.assert(fc.property(fc.array(step, { minLength: 50, maxLength: 300 }), (steps) => {
    const segments = new MemorySegments();
    let { disk, wal } = open(segments);
    /** All that was ever persisted. */
    const written: PaxosRecord[] = [];
    const persist = (record: PaxosRecord): void => {
      written.push(record);
      disk.persist(record);
      wal.flushed(() => undefined);
      settle(segments);
    };
    persist(joined);
    let [round, slot, base] = [1, 1, 0];
    for (const { kind, by } of steps) {
      const ballot = { round, member: SELF.id };
      if (kind === 'promise') {
        round += by;
        persist({ kind: 'promised', ballot: { ...ballot, round } });
      } else if (kind === 'accept') {
        slot = Math.max(base + 1, slot + by);
        const payload = new Uint8Array(30).fill(slot);
        persist({ kind: 'accepted', ballot, slot, value: { kind: 'command', origin: ballot, payload } });
      } else if (kind === 'trim') {
        base = Math.min(slot, base + by);
        const trimmed = { slot: base, configuration, epoch: undefined };
        persist({ kind: 'trimmed', base: trimmed });
        disk.trimmed(trimmed);
        settle(segments);
      } else {
        segments.crash(() => false);
        const again = open(segments);
        disk = again.disk;
        wal = again.wal;
        expect(essence(again.records)).toEqual(essence(written));
      }
    }
    segments.crash(() => false);
    expect(essence(open(segments).records)).toEqual(essence(written));
    if (!segments.files.has('log-0000000001')) given += 1;
  }), { numRuns: 100 });
  // Segments went in many of the runs, or this has shown nothing.
  expect(given).toBeGreaterThan(20);
});

it('leaves the records of other groups alone', () => {
  const segments = new MemorySegments();
  const { disk, wal } = open(segments, 1);
  disk.persist(joined);
  wal.flushed(() => undefined);
  settle(segments);
  segments.crash(() => false);
  expect(open(segments, 2).records).toEqual([]);
  segments.crash(() => false);
  expect(open(segments, 1).records).toEqual([joined]);
});
