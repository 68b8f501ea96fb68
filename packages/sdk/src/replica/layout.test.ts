import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defineApp, Tables } from '../model/index.js';
import {
  cutPages, ledgerLineOf, OxbowError, updateKey,
  type BaseSnapshot, type CommitEntry, type Effect, type LedgerLine, type ReplicaId, type Update,
  type UpdateId,

} from '../protocol/index.js';
import type { SpaceHead, StoredReplicaSpace, StoredUpdate } from './changes.js';
import type { ConflictRecord } from './conflict.js';
import type { PersistOp } from './effects.js';
import type { LayoutBounds, SpaceLayout } from './layout.js';
import { readSpace, type SpaceReading } from './layout-reading.js';
import { headKey, pagesKey, sealed, spaceRange, type Records, type StoredRecords } from './store-keys.js';

const SPACE = 'team-42';
const REPLICAS = ['me', 'ann', 'bob', 'cid'].map((name) => name as ReplicaId);
const [ME, ANN] = ['me', 'ann'] as [ReplicaId, ReplicaId];
const TABLES = ['a', 'b', 'unknown'];
const BOUNDS: LayoutBounds = {
  pageCharsMin: 120, pageCharsTarget: 240, pageCharsMax: 480, rowsPerPageMax: 8,
  checkpointEntriesMin: 3, checkpointCharsMin: 1000,
};
const app = defineApp({ name: 'layout', version: 1, tables: {}, mutations: {} });

type Collection = PersistOp['collection'];

/** A disk that keeps whole writes, in order. */
class Disk {
  readonly #records = new Map<Collection, Map<string, string>>();

  write(ops: readonly PersistOp[]): void {
    for (const op of ops) {
      if (op.kind === 'put') this.records(op.collection).set(op.key, op.value);
      else this.records(op.collection).delete(op.key);
    }
  }

  records(collection: Collection): Map<string, string> {
    const records = this.#records.get(collection) ?? new Map<string, string>();
    this.#records.set(collection, records);
    return records;
  }

  read(space = SPACE): StoredRecords {
    const { from, to } = spaceRange(space);
    const of = (collection: Collection): Records =>
      [...this.records(collection)].filter(([key]) => key >= from && key < to).sort(([a], [b]) => (a < b ? -1 : 1));
    return { meta: of('meta'), updates: of('updates'), entries: of('entries'), pages: of('pages') };
  }

  /** Of the first record that `which` picks; says whether there was one. */
  damage(collection: Collection, which: (keys: string[]) => string | undefined, how: (text: string) => string): boolean {
    const records = this.records(collection);
    const key = which([...records.keys()]);
    const text = key === undefined ? undefined : records.get(key);
    if (key === undefined || text === undefined) return false;
    records.set(key, how(text));
    return true;
  }
}

/** What must be on disk, told in plain maps. */
class Model {
  history = 'h1';
  csn = 0;
  replica: ReplicaId = ME;
  tables = new Tables(app);
  ledgerLines = new Map<ReplicaId, LedgerLine>();
  /** All entries since the base was replaced. */
  entries: CommitEntry[] = [];
  trimmed = 0;
  updates = new Map<string, StoredUpdate>();
  conflicts = new Map<string, ConflictRecord>();

  copy(): Model {
    const copy = Object.assign(new Model(), this);
    copy.tables = this.tables.clone();
    copy.ledgerLines = new Map(this.ledgerLines);
    copy.entries = [...this.entries];
    copy.updates = new Map(this.updates);
    copy.conflicts = new Map(this.conflicts);
    return copy;
  }

  get head(): SpaceHead {
    const { history, csn, replica } = this;
    return { history: csn === 0 ? '' : history, csn, at: csn * 10, lamport: csn * 2, replica };
  }

  get base(): Tables {
    return this.tables;
  }

  ledger(): LedgerLine[] {
    return [...this.ledgerLines.values()];
  }
}

class Rig {
  readonly disk = new Disk();
  layout: SpaceLayout = this.restore().layout;
  model = new Model();
  saved = new Model();
  seq = 0;

  restore(replica = ME): SpaceReading {
    return readSpace(SPACE, this.disk.read(), { replica, bounds: BOUNDS });
  }

  commit(replica: ReplicaId, effects: readonly Effect[], atLeast = 0): void {
    const { model } = this;
    const seq = Math.max(atLeast, (model.ledgerLines.get(replica)?.seq ?? 0) + 1);
    const entry: CommitEntry = {
      csn: model.csn + 1, at: model.csn * 10, id: { replica, seq }, lamport: model.csn + 1,
      user: `user of ${replica}`, outcome: { kind: 'applied' }, effects,
      body: { context: { csn: 0, vector: {} }, name: 'put', version: 1, args: { at: new Date(seq) }, at: seq },
    };
    model.csn++;
    model.tables.apply(effects);
    model.ledgerLines.set(replica, ledgerLineOf(entry));
    model.entries.push(entry);
    this.layout.entriesCommitted([entry]);
    this.layout.headChanged(model.head);
  }

  addUpdate(replica: ReplicaId): void {
    const id = { replica, seq: ++this.seq };
    const update: Update = {
      id, lamport: id.seq, context: { csn: 0, vector: { [ANN]: 3 } }, name: 'book', version: 2,
      args: { when: new Date(id.seq), big: 10n, text: '😀' }, at: id.seq,
    };
    const stored = id.seq % 3 === 0
      ? { update: { ...update, formerly: { replica: ANN, seq: 1 } } }
      : { update };
    this.model.updates.set(`${replica}/${id.seq}`, stored);
    this.layout.updateAdded(stored);
  }

  removeUpdate(n: number): void {
    const found = [...this.model.updates][n % Math.max(1, this.model.updates.size)];
    if (found === undefined) return;
    const { id } = found[1].update;
    this.model.updates.delete(found[0]);
    this.layout.updateRemoved(id);
    // One of ours leaves only when it is settled.
    if (id.replica === this.model.replica) this.commit(id.replica, [], id.seq);
  }

  putConflict(n: number): void {
    const record = conflict(n);
    this.model.conflicts.set(String(n), record);
    this.layout.conflictPut(record);
  }

  removeConflict(n: number): void {
    this.model.conflicts.delete(String(n));
    this.layout.conflictRemoved(conflict(n).id);
  }

  trim(n: number): void {
    const { model } = this;
    model.trimmed = Math.max(model.trimmed, model.csn - (n % 6));
    this.layout.entriesTrimmed(model.trimmed);
  }

  replaceBase(history: string, csn: number, effects: readonly Effect[]): void {
    const { model } = this;
    if (history === model.history) model.csn += csn;
    else Object.assign(model, { history, csn: csn + 1 });
    model.tables.apply(effects);
    const seq = Math.max(100 + csn, model.ledgerLines.get(ANN)?.seq ?? 0);
    model.ledgerLines.set(ANN, { replica: ANN, seq, user: null });
    model.entries = [];
    model.trimmed = model.csn;
    this.layout.baseReplaced(snapshotOf(model));
    this.layout.headChanged(model.head);
  }

  reissue(): void {
    const replica = this.model.replica === ME ? ANN : ME;
    this.model.replica = replica;
    this.layout.headChanged(this.model.head);
  }

  flush(): void {
    this.disk.write(this.layout.take());
    this.saved = this.model.copy();
    this.verify();
  }

  checkpoint(budgetChars: number): void {
    this.flush();
    const ops = this.layout.maybeCheckpoint(this.model, budgetChars);
    this.disk.write(ops);
    this.verify();
  }

  crash(): void {
    this.model = this.saved.copy();
    this.layout = this.restore().layout;
    this.verify();
  }

  /** What the disk gives back is the model as of the last write. */
  verify(): void {
    const { stored, damage, layout } = this.restore();
    expectEqual({ damage, hasChanges: layout.hasChanges }, { damage: undefined, hasChanges: false });
    if (stored === undefined) expectEqual(this.disk.read().meta, []);
    else expectSame(stored, this.saved);
  }
}

function expectSame(stored: StoredReplicaSpace, model: Model): void {
  expectEqual(stored.head, model.head);
  const loaded = new Tables(app);
  for (const { table, pages } of stored.tables) {
    for (const [key, row] of pages.flatMap((page) => page.pairs())) {
      if (loaded.row(table, key) !== undefined) throw new Error(`${table} ${key} came twice`);
      loaded.apply([{ table, key, row }]);
    }
  }
  expectEqual(dump(loaded), dump(model.tables));
  expectEqual(byReplica(stored.ledger), byReplica(model.ledger()));
  const kept = model.entries.filter(({ csn }) => csn > model.trimmed);
  expectEqual(stored.entries.slice(stored.entries.length - kept.length), kept);
  expectEqual(model.entries.slice(model.entries.length - stored.entries.length), stored.entries);
  expectSameTentative(stored, model);
}

function expectSameTentative(stored: StoredReplicaSpace, model: Model): void {
  const byId = (a: { readonly id: UpdateId }, b: { readonly id: UpdateId }): number =>
    updateKey(a.id) < updateKey(b.id) ? -1 : 1;
  const byUpdate = (a: StoredUpdate, b: StoredUpdate): number => byId(a.update, b.update);
  expectEqual([...stored.updates].sort(byUpdate), [...model.updates.values()].sort(byUpdate));
  expectEqual([...stored.conflicts].sort(byId), [...model.conflicts.values()].sort(byId));
}

/** Node's comparison is many times faster than vitest's, which is asked only for its report. */
function expectEqual(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

const dump = (tables: Tables): unknown => tables.names().map((name) => [name, [...tables.rows(name)]]);

const byReplica = (lines: readonly LedgerLine[]): LedgerLine[] =>
  [...lines].sort((a, b) => (a.replica < b.replica ? -1 : 1));

function snapshotOf(model: Model): BaseSnapshot {
  const { history, csn, at, lamport } = model.head;
  const tables = model.tables.clone();
  return {
    history, csn, at, lamport,
    ledger: model.ledger(),
    *pages() {
      for (const name of tables.names()) yield* cutPages(name, tables.rows(name), BOUNDS);
    },
  };
}

const conflict = (n: number): ConflictRecord => ({
  id: { replica: ME, seq: n + 1 }, csn: n, at: n, name: 'book', version: 1, askedAt: 5,
  args: n % 2 === 0 ? undefined : { day: new Date(n), people: new Map([['ann', 1n]]) },
  attempt: [{ table: 'a', key: 'k', row: { id: 'k', when: new Date(n) } }],
  outcome: [
    { kind: 'unknown' } as const,
    { kind: 'rolled-back', was: { kind: 'alternative', index: 1 } } as const,
    { kind: 'merged' } as const,
    { kind: 'alternative', index: 2 } as const,
    { kind: 'rejected', code: 'room-full', detail: { room: new Set(['blue']) } } as const,
    { kind: 'rejected', code: 'room-full' } as const,
  ][n % 6] ?? { kind: 'applied' },
  effects: [{ table: 'a', key: 'k', row: null }],
  obstacles: [{ id: { replica: ANN, seq: 3 }, csn: 2, user: 'ann', name: undefined }].slice(n % 2),
  refused: [{ replica: ME, seq: n + 2 }].slice(n % 2),
});

// Random histories

type Step = (rig: Rig) => void;

const effect: fc.Arbitrary<Effect> = fc.record({
  table: fc.constantFrom(...TABLES),
  key: fc.nat(40).map((n) => `k${String(n).padStart(3, '0')}`),
  row: fc.option(fc.record({ n: fc.nat(9), text: fc.string({ maxLength: 60 }), when: fc.option(fc.constant(new Date(7))) }),
    { freq: 3 }),
});
const effects = fc.uniqueArray(effect, { maxLength: 6, selector: ({ table, key }) => table + key });
const replicas = fc.constantFrom(...REPLICAS);
const nat = fc.nat(30);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(replicas, effects).map(([who, rows]): Step => (rig) => rig.commit(who, rows)) },
  { weight: 3, arbitrary: fc.constantFrom(ME, ANN).map((who): Step => (rig) => rig.addUpdate(who)) },
  { weight: 1, arbitrary: nat.map((n): Step => (rig) => rig.removeUpdate(n)) },
  { weight: 1, arbitrary: nat.map((n): Step => (rig) => rig.putConflict(n)) },
  { weight: 1, arbitrary: nat.map((n): Step => (rig) => rig.removeConflict(n)) },
  { weight: 1, arbitrary: nat.map((n): Step => (rig) => rig.trim(n)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('h1', 'h2'), nat, effects)
      .map(([history, csn, rows]): Step => (rig) => rig.replaceBase(history, csn, rows)),
  },
  { weight: 1, arbitrary: fc.constant<Step>((rig) => rig.reissue()) },
  { weight: 3, arbitrary: fc.constant<Step>((rig) => rig.flush()) },
  { weight: 4, arbitrary: fc.constantFrom(1, 300, 100_000).map((chars): Step => (rig) => rig.checkpoint(chars)) },
  { weight: 2, arbitrary: fc.constant<Step>((rig) => rig.crash()) },
);

/** `max`: fast-check would otherwise stop at ten steps. */
const history = fc.array(step, { maxLength: 80, size: 'max' });

function play(steps: readonly Step[]): Rig {
  const rig = new Rig();
  for (const one of steps) one(rig);
  rig.flush();
  return rig;
}

describe('a space on disk', () => {
  test('is the model after every write of any history, with crashes and checkpoints between', () => {
    fc.assert(fc.property(history, (steps) => {
      play(steps);
    }), { numRuns: 200 });
  });

  test('keeps tentative updates and conflicts, and says so, whichever page is damaged', () => {
    const damage = fc.constantFrom<(text: string) => string>(
      (text) => text.slice(0, -1), () => '', (text) => text.replace(/.$/, '?'), (text) => `x${text}`,
      (text) => text.replace('k0', 'k1'), (text) => text.split('\n')[0] ?? '', (text) => text.replace(/\d/, '_'),
    );
    fc.assert(fc.property(history, fc.nat(), damage, (steps, n, how) => {
      const rig = play(steps);
      rig.commit(rig.model.replica, [{ table: 'a', key: 'k000', row: { n: 1 } }]);
      rig.replaceBase('h3', 3, [{ table: 'a', key: 'k001', row: { n: 1 } }]);
      rig.flush();
      let isSame = true;
      rig.disk.damage('pages', (keys) => keys[n % keys.length], (text) => {
        isSame = how(text) === text;
        return how(text);
      });
      const { stored, damage: found, layout } = rig.restore();
      if (isSame) return;
      expect(found).toMatchObject({ base: true, identity: false });
      expect(found?.keys).toHaveLength(1);
      if (stored === undefined) throw new Error('nothing was restored');
      expectSameTentative(stored, rig.model);
      const { replica } = rig.model;
      expect(stored.head).toMatchObject({ history: '', csn: 0, replica, lost: 'base-lost' });
      expect([...stored.ledger, ...stored.tables, ...stored.entries]).toEqual([]);
      rig.disk.write(layout.take());
      const again = rig.restore();
      expect(again.damage).toBeUndefined();
      expect(again.stored).toEqual({ ...stored, tables: expect.anything() });
    }), { numRuns: 150 });
  });
});

const put = (key: string, n = 0): Effect => ({ table: 'a', key, row: { n, text: 'x'.repeat(30) } });
const keys = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `k${String(from + n).padStart(3, '0')}`);

function rigWithPages(): Rig {
  const rig = new Rig();
  rig.replaceBase('h1', 4, keys(0, 60).map((key) => put(key)));
  rig.addUpdate(ME);
  rig.flush();
  expect(rig.disk.records('pages').size).toBeGreaterThan(8);
  return rig;
}

describe('a checkpoint', () => {
  test('writes nothing while little lies over the pages, or while changes wait', () => {
    const rig = rigWithPages();
    rig.commit(ANN, [put('k001', 1)]);
    rig.flush();
    expect(rig.layout.needsCheckpoint).toBe(false);
    expect(rig.layout.maybeCheckpoint(rig.model, 1e6)).toEqual([]);
    for (const n of [1, 2, 3]) rig.commit(ANN, [put('k001', n)]);
    expect(rig.layout.needsCheckpoint).toBe(true);
    expect(rig.layout.maybeCheckpoint(rig.model, 1e6)).toEqual([]);
    rig.flush();
    expect(rig.layout.maybeCheckpoint(rig.model, 1e6)).not.toEqual([]);
  });

  test('rewrites the pages that were touched, and no other', () => {
    const rig = rigWithPages();
    const before = new Map(rig.disk.records('pages'));
    for (const n of [1, 2, 3]) rig.commit(ANN, [put('k010', n), put('k050', n)]);
    rig.checkpoint(1e6);
    const after = rig.disk.records('pages');
    const gone = [...before].filter(([key, text]) => after.get(key) !== text).map(([, text]) => text);
    const isTouched = (text: string): boolean => /"k010"|"k050"|"ann"/.test(text);
    expect(gone.length).toBeLessThanOrEqual(3);
    expect(gone.every(isTouched)).toBe(true);
    expect([...after].filter(([key]) => !before.has(key)).every(([, text]) => isTouched(text))).toBe(true);
    expect(rig.layout.needsCheckpoint).toBe(false);
  });

  test('goes page by page within its budget, and is done in the end', () => {
    const rig = rigWithPages();
    for (const key of keys(0, 60)) rig.commit(ANN, [put(key, 1)]);
    rig.flush();
    let rounds = 0;
    while (rig.layout.needsCheckpoint && rounds < 100) {
      const ops = rig.layout.maybeCheckpoint(rig.model, 1);
      expect(ops.filter((op) => op.kind === 'put' && op.collection === 'pages').length).toBeLessThanOrEqual(4);
      rig.disk.write(ops);
      rig.verify();
      rounds++;
    }
    expect(rounds).toBeGreaterThan(8);
    expect(rounds).toBeLessThan(100);
  });

  test('is done with a page that entries touched without changing it', () => {
    const rig = rigWithPages();
    const before = [...rig.disk.records('pages').keys()];
    for (let n = 0; n < 3; n++) rig.commit(ANN, [put('k030')]);
    rig.checkpoint(1e6);
    expect(rig.layout.needsCheckpoint).toBe(false);
    rig.trim(0);
    rig.flush();
    expect(rig.disk.records('entries').size).toBe(0);
    const rewritten = before.filter((key) => !rig.disk.records('pages').has(key));
    expect(rewritten).toHaveLength(1);
  });

  test('lets entries go only when the kept log has let go of them, too', () => {
    const rig = rigWithPages();
    for (const n of [1, 2, 3, 4]) rig.commit(ANN, [put('k001', n)]);
    rig.checkpoint(1e6);
    expect(rig.disk.records('entries').size).toBe(4);
    rig.trim(1);
    rig.flush();
    expect(rig.disk.records('entries').size).toBe(1);
    rig.commit(ANN, [put('k001', 9)]);
    rig.trim(0);
    rig.flush();
    expect(rig.disk.records('entries').size).toBe(1);
  });

  test('joins a page that has shrunk with its neighbour', () => {
    const rig = rigWithPages();
    const before = rig.disk.records('pages').size;
    for (const [n, key] of keys(0, 60).entries()) {
      if (n % 5 !== 0) rig.commit(ANN, [{ table: 'a', key, row: null }]);
    }
    rig.flush();
    for (let n = 0; n < 100 && rig.layout.needsCheckpoint; n++) rig.checkpoint(1);
    expect(rig.layout.needsCheckpoint).toBe(false);
    expect(rig.disk.records('pages').size).toBeLessThanOrEqual(before / 2);
  });
});

test('a base that is replaced by nearly the same one keeps the pages that are the same', () => {
  const rig = rigWithPages();
  rig.replaceBase('h1', 5, [put('k030', 7)]);
  const pagePuts = rig.layout.take().filter((op) => op.kind === 'put' && op.collection === 'pages');
  expect(pagePuts.length).toBeLessThanOrEqual(3);
});

test('pages of the first layout are read, and are what a checkpoint makes anew', () => {
  const rig = rigWithPages();
  for (const [key, record] of rig.disk.records('pages')) {
    const [head = '', ...lines] = record.split('\n');
    rig.disk.records('pages').set(key, `${head}\n[${lines.join(',')}]`);
  }
  rig.crash();
  for (const n of [1, 2, 3]) rig.commit(ANN, [put('k010', n)]);
  rig.flush();
  rig.checkpoint(1e6);
  rig.crash();
  expect([...rig.disk.records('pages').values()].some((text) => text.includes('}]\n['))).toBe(true);
});

test('a page from beyond the csn of another history hides none of its entries', () => {
  const rig = rigWithPages();
  rig.replaceBase('h1', 50, []);
  for (const n of [1, 2, 3]) rig.commit(ANN, [put('k001', n)]);
  rig.checkpoint(1e6);
  rig.replaceBase('h2', 2, []);
  rig.flush();
  for (const n of [4, 5]) rig.commit(ANN, [put('k001', n)]);
  rig.flush();
  rig.crash();
  expect(rig.model.tables.row('a', 'k001')).toMatchObject({ n: 5 });
});

test('one turn is one write: what came and went in it leaves nothing', () => {
  const rig = new Rig();
  rig.addUpdate(ME);
  rig.removeUpdate(0);
  for (const n of [1, 2, 3]) rig.commit(ANN, [put('k001', n)]);
  const ops = rig.layout.take();
  expect(ops.filter((op) => op.key === headKey(SPACE))).toHaveLength(1);
  expect(ops.filter((op) => op.kind === 'put' && op.collection === 'updates')).toEqual([]);
  expect(rig.layout.take()).toEqual([]);
});

test('spaces with names that begin alike do not meet', () => {
  const rig = new Rig();
  rig.addUpdate(ME);
  rig.flush();
  for (const name of [`${SPACE}2`, SPACE.slice(0, -1), `${SPACE}!`, `${SPACE}~`]) {
    expect(Object.values(rig.disk.read(name)).flat()).toEqual([]);
  }
});

describe('damage beyond the pages', () => {
  test('of the head costs base and identity, not the updates', () => {
    const rig = rigWithPages();
    rig.disk.damage('meta', () => headKey(SPACE), () => 'gone');
    const { stored, damage, layout } = rig.restore('other' as ReplicaId);
    expect(damage).toEqual({ keys: [headKey(SPACE)], base: true, identity: true });
    expect(stored?.head.replica).toBe(ME);
    expect(stored?.updates).toEqual([...rig.model.updates.values()]);
    rig.disk.write(layout.take());
    expect(rig.restore().damage).toBeUndefined();
  });

  test('of the list of pages costs the base', () => {
    const rig = rigWithPages();
    rig.disk.records('meta').delete(pagesKey(SPACE));
    expect(rig.restore().damage).toEqual({ keys: [pagesKey(SPACE)], base: true, identity: false });
  });

  test('of a page whose record is gone is noticed as well', () => {
    const rig = rigWithPages();
    const [key = ''] = rig.disk.records('pages').keys();
    rig.disk.records('pages').delete(key);
    expect(rig.restore().damage).toEqual({ keys: [key], base: true, identity: false });
  });

  test('of an entry that lies over the pages costs the base; of an older one only the log before it', () => {
    const rig = rigWithPages();
    for (const n of [1, 2, 3, 4]) rig.commit(ANN, [put('k001', n)]);
    rig.checkpoint(1e6);
    rig.commit(ANN, [put('k001', 5)]);
    rig.flush();
    const entries = [...rig.disk.records('entries').keys()];
    rig.disk.damage('entries', () => entries[1], () => 'gone');
    const older = rig.restore();
    expect(older.damage).toEqual({ keys: [entries[1]], base: false, identity: false });
    expect(older.stored?.entries.map(({ csn }) => csn)).toEqual([3, 4, 5].map((n) => rig.model.csn - 5 + n));
    rig.disk.damage('entries', () => entries[4], () => 'gone');
    expect(rig.restore().damage).toMatchObject({ base: true, identity: false });
  });

  test('of an own update is a lost identity, of another\'s only that update', () => {
    for (const [who, identity] of [[ME, true], [ANN, false]] as const) {
      const rig = new Rig();
      for (let n = 0; n < 3; n++) rig.addUpdate(who);
      rig.flush();
      rig.disk.damage('updates', (ids) => ids[2], (text) => text.slice(1));
      const { stored, damage, layout } = rig.restore();
      expect(damage).toMatchObject({ base: false, identity });
      expect(stored?.updates.map(({ update }) => update.id.seq)).toEqual([1, 2]);
      rig.disk.write(layout.take());
      expect(rig.restore().damage).toBeUndefined();
    }
  });

  test('of a conflict costs that conflict', () => {
    const rig = new Rig();
    for (const n of [0, 1, 2]) rig.putConflict(n);
    rig.flush();
    rig.disk.damage('meta', (all) => all.find((key) => key.includes('conflict')), (text) => `${text} `);
    const { stored, damage } = rig.restore();
    expect(damage).toMatchObject({ base: false, identity: false });
    expect(stored?.conflicts).toHaveLength(2);
  });
});

test('a layout of newer code is refused', () => {
  const rig = rigWithPages();
  const head = sealed(JSON.stringify({ layout: 3, anything: true }));
  rig.disk.write([{ kind: 'put', collection: 'meta', key: headKey(SPACE), value: head }]);
  expect(() => rig.restore()).toThrowError(OxbowError);
  expect(() => rig.restore()).toThrowError(/found 3, know 2/);
});

test('a space whose replica id was changed knows its own updates by the new one', () => {
  const rig = new Rig();
  rig.commit(ME, [put('k001')]);
  rig.reissue();
  rig.addUpdate(ANN);
  rig.flush();
  expect(rig.layout.hasChanges).toBe(false);
  const [page = ''] = rig.disk.records('pages').keys();
  rig.disk.records('pages').delete(page);
  rig.disk.records('meta').set(pagesKey(SPACE), 'gone');
  expect(rig.restore().stored).toMatchObject({ head: { replica: ANN }, ledger: [] });
  rig.disk.records('meta').delete(headKey(SPACE));
  expect(rig.restore().stored?.head.replica).toBe(ANN);
});

