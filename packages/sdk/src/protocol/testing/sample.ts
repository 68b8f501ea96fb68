/**
 * One of each message, and values of every kind that travels: what codec tests and fuzzing begin
 * with.
 */
import type { CommitEntry, Message, ReplicaId, SpaceId, Update, Value } from '../index.js';

// reason: samples name their replica and space.
export const R = 'replica-1' as ReplicaId;
export const S = 'cal/ann' as SpaceId;

export const richValue: Value = {
  when: new Date(86_400_000), tags: new Set(['a', 'b']), big: 12345678901234567890n,
  deep: new Map<unknown, unknown>([
    ['k', { at: new Date(5), none: undefined }], [new Date(1), /x.\/y/gi],
  ]),
  odd: [NaN, Infinity, -Infinity, -0, undefined], 'dotted.key\\': new Date(7), '': new Date(8),
};

export const plainUpdate: Update = {
  id: { replica: R, seq: 7 }, lamport: 42, at: 1_700_000_000_000, name: 'book', version: 1,
  // reason: a vector literal has plain string keys.
  context: { csn: 12, vector: { 'replica-2': 3 } as Record<ReplicaId, number> },
  args: { id: 'b1', room: 'blue', start: 9, end: 10, title: 'Stand-up', people: ['ann', 'bob'] },
};
export const richUpdate: Update = { ...plainUpdate, id: { replica: R, seq: 8 }, args: richValue };
export const voidUpdate: Update = { ...plainUpdate, id: { replica: R, seq: 9 }, args: undefined };
// reason: as above.
export const anewUpdate: Update = {
  ...richUpdate, id: { replica: R, seq: 10 }, formerly: { replica: 'replica-0' as ReplicaId, seq: 3 },
};

const { context, name, version, args, at } = plainUpdate;
export const entry: CommitEntry = {
  csn: 13, at: 1_700_000_000_500, id: plainUpdate.id, lamport: 42, user: 'ann',
  outcome: { kind: 'alternative', index: 1 },
  effects: [
    { table: 'booking', key: 's:b1', row: { id: 'b1', room: 'blue', start: 9 } },
    { table: 'booking', key: 's:b0', row: null },
    // reason: a rich row for the test.
    { table: 'rich', key: 's:r', row: richValue as Record<string, Value> },
  ],
  body: { context, name, version, args, at },
};
export const rejected: CommitEntry = {
  ...entry, csn: 14, effects: [], user: null,
  outcome: { kind: 'rejected', code: 'room-full', detail: { room: 'blue', until: new Date(9) } },
};
export const bare: CommitEntry = {
  csn: 15, at: 1_700_000_000_900, id: { replica: R, seq: 10 }, lamport: 44, user: null,
  outcome: { kind: 'rejected', code: 'x' }, effects: [],
};

const summary = { history: 'h1', csn: 12, vector: context.vector };
export const messages: readonly Message[] = [
  { kind: 'hello', versions: [1, 2], app: 'calendar', appVersion: 3, replica: R, token: 'x.y.z' },
  { kind: 'welcome', version: 1, replica: R, user: 'ann' },
  { kind: 'open', space: S, round: 1, wants: 'all', summary, settledSeq: 4 },
  { kind: 'opened', space: S, round: 1, summary, settledSeq: 4, completion: 2 },
  { kind: 'held', space: S, completion: 2 },
  { kind: 'updates', space: S, updates: [plainUpdate, richUpdate, voidUpdate, anewUpdate] },
  { kind: 'commits', space: S, history: 'h1', entries: [entry, rejected, bare] },
  { kind: 'transfer', space: S, history: 'h1', csn: 12, at: 99, lamport: 42 },
  { kind: 'have', space: S, csn: 12, hashes: ['00112233aabbccdd'] },
  {
    kind: 'page', space: S, csn: 12, index: 0, table: '', hash: 'aa',
    rows: [[R, { seq: 1, user: null }]],
  },
  {
    kind: 'page', space: S, csn: 12, index: 1, table: 'booking', hash: 'bb',
    // reason: a rich row for the test.
    rows: [['s:a', { a: 1 }], ['s:b', richValue as Record<string, Value>]],
  },
  { kind: 'page', space: S, csn: 12, index: 2, table: 'booking', hash: 'cc' },
  { kind: 'transferred', space: S, csn: 12, pages: 3 },
  { kind: 'ack', received: 123_456 },
  { kind: 'leave', space: S },
  { kind: 'fail', code: 'forbidden', message: 'No.', space: S, sendingOnly: true, retryMs: 500 },
  { kind: 'fail', code: 'protocol-version', message: 'No.' },
  {
    kind: 'fail', code: 'not-leader', message: 'Go there.',
    redirect: 'wss://b.example:8787/sync?zone=2',
  },
  { kind: 'barrier', space: S, id: 1 },
  { kind: 'barrier-at', space: S, id: 1, csn: 12 },
  { kind: 'barrier-failed', space: S, id: 2, code: 'not-leader' },
  { kind: 'ping' },
  { kind: 'pong' },
];
