/**
 * The life of a space's updates: stages, receipts, conflicts, restarts, and identities that were
 * lost.
 */
import { expect, test } from 'vitest';
import { bareEntry, limits, seatId } from '../protocol/index.js';
import type { CommitEntry, Mark, Update } from '../protocol/index.js';
import { Primary } from './testing/primary.js';
import { committed, foreign, OneSpace, putBy, replicaId } from './testing/one-space.js';
import { shelfApp } from './testing/shelf-app.js';

const item = (id: string, shelf: string, rank = 0) => ({ id, shelf, rank });
const open = () => new OneSpace(shelfApp);

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing there');
  return value;
}

/** An own update in order of issue. */
const own = (one: OneSpace<typeof shelfApp>, i = 0): Update => must(one.ownUpdates()[i]);

test('arguments are copied: what the caller changes later changes nothing', () => {
  const one = open();
  const args = item('1', 'a');
  one.mutate('put', args);
  args.shelf = 'b';
  expect(one.space.query((tx) => tx.item.get('1')?.shelf)).toBe('a');
});

test('an unknown mutation and arguments that cannot travel are refused before anything is written', () => {
  const one = open();
  expect(() => one.mutate('nope', {})).toThrow(expect.objectContaining({ code: 'mutation-unknown' }));
  expect(() => one.mutate('put', { id: () => 1 })).toThrow(expect.objectContaining({ code: 'bad-value' }));
  const long = 'x'.repeat(limits.updateCharsMax - 10);
  expect(() => one.mutate('put', { id: long })).toThrow(expect.objectContaining({ code: 'args-too-large' }));
  expect(one.space.pending()).toEqual([]);
  expect(must(one.mutate('put', item('1', 'a'))).id.seq).toBe(1);
});

test('nothing can be written from within a query', () => {
  const one = open();
  expect(() => one.space.query(() => one.mutate('put', item('1', 'a'))))
    .toThrow(expect.objectContaining({ code: 'mutate-in-query' }));
});

test('a receipt goes from local to committed, and tells of each change once per flush', () => {
  const one = open();
  const receipt = one.mutate('put', item('1', 'a'));
  const stages: string[] = [receipt.stage];
  receipt.onChange(() => stages.push(receipt.stage));
  one.write();
  one.flush();
  one.space.learned({ summary: { history: '', csn: 0, vector: { [replicaId('me')]: 1 } }, settledSeq: 0 });
  one.flush();
  one.commit(committed(1, own(one)));
  one.flush();
  expect(stages).toEqual(['local', 'saved', 'shared', 'committed']);
  expect(receipt.outcome).toEqual({ kind: 'applied' });
});

test('an outcome may change while tentative, and the author is told', () => {
  const one = open();
  const receipt = one.mutate('move', { id: '1', shelf: 'b' });
  let told = 0;
  receipt.onChange(() => { told += 1; });
  expect(receipt.outcome).toEqual({ kind: 'rejected', code: 'gone' });
  one.commit(putBy([1, 'r', 1], item('1', 'a')));
  one.flush();
  expect([receipt.outcome, told]).toEqual([{ kind: 'applied' }, 1]);
});

test('an own update is not sent, nor said to be held, before it is on disk', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  expect(one.space.tentativeAfter(0, 10).updates).toEqual([]);
  expect(one.space.summary().vector).toEqual({});
  one.write();
  expect(one.space.tentativeAfter(0, 10).updates).toHaveLength(1);
  expect(one.space.summary().vector).toEqual({ me: 1 });
});

test('a cursor of tentative updates survives what is put into the middle, and what is saved late', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  one.mutate('put', item('2', 'a'));
  one.write();
  const first = one.space.tentativeAfter(0, 10);
  one.mutate('put', item('3', 'a'));
  // An earlier stamp than all that was sent.
  one.space.receiveUpdates([foreign(['a', 1, 1], ['put', item('9', 'a')])]);
  const second = one.space.tentativeAfter(first.cursor, 10);
  expect(second.updates.map(({ id }) => id.replica)).toEqual(['a']);
  one.write();
  const third = one.space.tentativeAfter(second.cursor, 10);
  expect(third.updates.map(({ id }) => id.seq)).toEqual([3]);
});

test('an update is above all that its author has seen, and says what that was', () => {
  const one = open();
  one.commit(putBy([1, 'r', 1], item('1', 'a')));
  one.space.receiveUpdates([foreign(['s', 1, 40], ['put', item('2', 'a')])]);
  one.mutate('put', item('3', 'a'));
  expect(own(one)).toMatchObject({ lamport: 41, context: { csn: 1, vector: { s: 1 } } });
});

test('an update whose author has seen more than we hold waits for the rest', () => {
  const one = open();
  const early = foreign(['r', 2, 5], ['put', item('1', 'a')]);
  expect(one.space.receiveUpdates([early]).kind).toBe('gap');
  const ahead = foreign(['r', 1, 4], ['put', item('1', 'a')], 7);
  expect(one.space.receiveUpdates([ahead]).kind).toBe('gap');
  expect(one.space.pending()).toEqual([]);
});

test('counters that leap or do not ascend are refused', () => {
  const one = open();
  const leap = foreign(['r', 1, limits.lamportJumpMax * 2], ['put', item('1', 'a')]);
  expect(one.space.receiveUpdates([leap])).toMatchObject({ kind: 'refused', code: 'lamport-jump' });
  one.space.receiveUpdates([foreign(['r', 1, 5], ['put', item('1', 'a')])]);
  const back = foreign(['r', 2, 5], ['put', item('1', 'a')]);
  expect(one.space.receiveUpdates([back])).toMatchObject({ kind: 'refused', code: 'bad-update' });
});

test('commits must be dense, of our history, and each replica in sequence', () => {
  const one = open();
  const first = putBy([1, 'r', 1], item('1', 'a'));
  expect(one.commit(putBy([2, 'r', 1], item('1', 'a'))).kind).toBe('gap');
  expect(one.commit(putBy([1, 'r', 2], item('1', 'a')))).toMatchObject({ code: 'commit-out-of-order' });
  expect(one.commit(first).kind).toBe('ok');
  expect(one.space.receiveCommits('other', [putBy([2, 'r', 2], item('1', 'a'))]))
    .toMatchObject({ code: 'history-changed' });
  expect(one.space.head).toMatchObject({ history: 'h', csn: 1 });
});

test('a commit notice for an update that we do not hold is a gap: it could not be passed on', () => {
  const one = open();
  const notice = bareEntry(putBy([1, 'r', 1], item('1', 'a')));
  expect(one.commit(notice).kind).toBe('gap');
  expect(one.space.head.csn).toBe(0);
});

test('an entry that came as a notice is passed on with its body', () => {
  const one = open();
  const update = foreign(['r', 1, 1], ['put', item('1', 'a')]);
  one.space.receiveUpdates([update]);
  const entry = committed(1, update);
  expect(one.commit(bareEntry(entry)).kind).toBe('ok');
  expect(one.space.entriesAfter(0, 10)).toEqual([entry]);
});

test('the author of others\' pending updates is learned from a commit of theirs', () => {
  const one = open();
  const first = foreign(['r', 1, 1], ['put', item('1', 'a')]);
  one.space.receiveUpdates([first, foreign(['r', 2, 2], ['put', item('2', 'a')])]);
  const by = () => one.space.query((tx) => tx.item.get('2')?.by);
  expect(by()).toBe(null);
  one.commit(committed(1, first, { user: 'rob' }));
  expect(by()).toBe('rob');
});

test('own updates run as the user, also when another one was verified', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  one.space.setUser('zoe');
  expect(one.space.query((tx) => tx.item.get('1')?.by)).toBe('zoe');
});

/** Two others have filled the shelf that we hoped for. */
function collision(): { one: OneSpace<typeof shelfApp>; obstacles: CommitEntry[] } {
  const one = open();
  one.mutate('place', { ...item('1', 'a'), orElse: [], insist: false });
  one.write();
  const obstacles = [putBy([2, 'r', 2], item('8', 'a')), putBy([3, 's', 1], item('9', 'a'))];
  one.commit(putBy([1, 'r', 1], item('7', 'b')));
  one.commit(
    ...obstacles, committed(4, own(one), { outcome: { kind: 'rejected', code: 'full' } }),
  );
  return { one, obstacles };
}

test('a conflict says what was asked, what was got and who stood in the way; also after a restart', () => {
  const { one, obstacles } = collision();
  const expected = {
    id: { replica: 'me', seq: 1 }, csn: 4, name: 'place', args: { id: '1', shelf: 'a' },
    outcome: { kind: 'rejected', code: 'full' }, effects: [], attempt: [{ table: 'item', key: '1' }],
    obstacles: obstacles.map(({ id, csn }) => ({ id, csn, user: 'bob', name: 'put' })),
  };
  expect(one.space.conflicts()).toMatchObject([expected]);
  one.write();
  one.restart();
  expect(one.space.conflicts()).toMatchObject([expected]);
  expect(one.space.receipt(expected.id as Update['id'])).toMatchObject({
    stage: 'committed', outcome: { kind: 'rejected', code: 'full' }, name: 'place',
  });
});

test('a conflict is there until it is acknowledged; a retry is a new update', () => {
  const { one } = collision();
  const [record] = one.space.conflicts();
  const again = { ...item('1', 'c'), orElse: [], insist: false };
  const receipt = one.space.retry(must(record).id, again, 2000);
  expect([receipt.id.seq, one.space.conflicts()]).toEqual([2, []]);
  expect(() => one.space.retry(must(record).id, again, 2000))
    .toThrow(expect.objectContaining({ code: 'conflict-unknown' }));
  one.space.dismiss(must(record).id);
  one.write();
  one.restart();
  expect(one.space.conflicts()).toEqual([]);
});

/** Of another version of the app, or a server whose rules are others. */
const ODD: readonly unknown[] = [
  { nested: true }, [1], NaN, new Date(NaN), undefined, new Map([[1, 2]]), 'x'.repeat(5000),
];

test('a committed row whose indexed field cannot be one is kept, and stands in the index as null does', () => {
  const rows = ODD.map((shelf, i) => ({ id: `odd${i}`, shelf, rank: i }));
  const effects = rows.map((row) => ({ table: 'item', key: row.id, row }));
  const isNull = (shelf: unknown): boolean => typeof shelf !== 'string' || shelf.length > 400;
  const expected = rows.filter(({ shelf }) => isNull(shelf)).map(({ id }) => id);
  const found = (one: OneSpace<typeof shelfApp>) => (['committed', 'tentative'] as const).map((view) =>
    // reason: null is no shelf as the app types it.
    one.space.query((tx) => tx.item.index('byShelf').get(null as unknown as string).all(), { view })
      .map(({ id }) => id));

  const byEntries = open();
  byEntries.mutate('put', item('mine', 'a'));
  expect(byEntries.commit(committed(1, foreign(['r', 1, 1], ['later', {}]), { effects })).kind).toBe('ok');
  expect(found(byEntries)).toEqual([expected, expected]);
  byEntries.write();
  byEntries.restart();
  expect(found(byEntries)).toEqual([expected, expected]);

  const byBase = open();
  const pages = [{ table: 'item', hash: 'x', rows: rows.map((row) => [row.id, row] as const) }];
  expect(byBase.space.receiveBase({ history: 'h', csn: 1, at: 1, lamport: 1, ledger: [], pages }).kind).toBe('ok');
  expect(found(byBase)).toEqual([expected, expected]);
  // It moves and goes like any other.
  const move = [{ table: 'item', key: 'odd0', row: item('odd0', 'b') }, { table: 'item', key: 'odd1', row: null }];
  byBase.commit(committed(2, foreign(['r', 1, 1], ['later', {}]), { effects: move }));
  expect(found(byBase)[0]).toEqual(expected.filter((id) => id !== 'odd0' && id !== 'odd1'));
});

test('who writes such a row here is refused until the field is mended', () => {
  const one = open();
  const effects = [{ table: 'item', key: 'odd', row: { id: 'odd', shelf: 'a', rank: {} } }];
  one.commit(committed(1, foreign(['r', 1, 1], ['later', {}]), { effects }));
  expect(one.mutate('move', { id: 'odd', shelf: 'b' }).outcome)
    .toMatchObject({ kind: 'rejected', code: 'mutation-failed', detail: { code: 'bad-key' } });
  expect(one.mutate('put', item('odd', 'b')).outcome).toEqual({ kind: 'applied' });
});

test('an own update that went as asked is no conflict', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  one.write();
  one.commit(committed(1, own(one)));
  expect(one.space.conflicts()).toEqual([]);
  expect(one.space.receipt({ replica: replicaId('me'), seq: 1 })?.stage).toBe('committed');
});

test('pending updates survive a restart with their receipts; what was not on disk is gone', () => {
  const one = open();
  one.commit(putBy([1, 'r', 1], item('9', 'a')));
  one.mutate('place', { ...item('1', 'a'), orElse: [], insist: false });
  one.write();
  one.mutate('put', item('2', 'a'));
  one.restart();
  expect(one.space.query((tx) => tx.item.all().map(({ id }) => id))).toEqual(['1', '9']);
  expect(one.space.receipt({ replica: replicaId('me'), seq: 1 })).toMatchObject({
    stage: 'saved', outcome: { kind: 'applied' },
  });
  expect(one.mutate('put', item('3', 'a')).id.seq).toBe(2);
});

test('an update of a mutation that this code does not know is held and passed on without effects', () => {
  const one = open();
  one.space.receiveUpdates([foreign(['r', 1, 1], ['later', { x: 1 }])]);
  expect(one.space.pending()).toMatchObject([{ opaque: true, effects: [], own: false }]);
  expect(one.space.tentativeAfter(0, 10).updates).toHaveLength(1);
});

test('a commit under our id that is not ours: unsettled updates leave under a fresh id, in order', () => {
  const one = open();
  const first = one.mutate('put', item('1', 'a'));
  const second = one.mutate('put', item('1', 'b'));
  one.write();
  const clone = foreign(['me', 1, 77], ['put', item('5', 'c')]);
  one.commit(committed(1, clone, { effects: [{ table: 'item', key: '5', row: item('5', 'c') }] }));
  expect(one.losses).toEqual(['cloned']);
  expect(one.space.tentativeAfter(0, 10).updates).toEqual([]);
  expect(one.space.summary().vector).toEqual({});
  one.space.reissue(replicaId('new'));
  expect([first.id, second.id]).toMatchObject([{ replica: 'new', seq: 1 }, { replica: 'new', seq: 2 }]);
  expect(one.space.query((tx) => tx.item.all().map(({ id, shelf }) => id + shelf))).toEqual(['1b', '5c']);
  expect(own(one)).toMatchObject({ at: first.at, context: { csn: 1 } });
  one.write();
  expect(one.space.tentativeAfter(0, 10).updates.map(({ id }) => id.seq)).toEqual([1, 2]);
  one.restart();
  expect(one.space.receipt({ replica: replicaId('me'), seq: 2 })?.id).toMatchObject({ replica: 'new' });
});

test('a notice for a rival with our id and stamp is told from ours by when it was made', () => {
  const one = open();
  const receipt = one.mutate('put', item('1', 'a'));
  one.write();
  const rival = { ...own(one), at: own(one).at + 1 };
  expect(one.commit(bareEntry(committed(1, rival))).kind).toBe('gap');
  expect([one.losses, receipt.stage]).toEqual([['cloned'], 'saved']);
});

test('a peer that knows more of our updates than we do has heard a clone, or a former self', () => {
  const one = open();
  one.space.learned({ summary: { history: '', csn: 0, vector: {} }, settledSeq: 3 });
  expect(one.losses).toEqual(['cloned']);
});

test('a number of ours that bears another update elsewhere shows a clone, before anything is sent', () => {
  const told = (newest: Mark) =>
    ({ summary: { history: '', csn: 0, vector: { [replicaId('me')]: newest.seq } }, settledSeq: 0, newest });
  const losses = (change: Partial<Mark>) => {
    const one = open();
    one.mutate('put', item('1', 'a'));
    one.mutate('put', item('2', 'a'));
    one.write();
    const { id, lamport, at } = must(one.ownUpdates()[0]);
    one.space.learned(told({ seq: id.seq, lamport, madeAt: at, ...change }));
    return [one.losses, one.space.tentativeAfter(0, 10).updates.length];
  };
  expect(losses({})).toEqual([[], 2]);
  expect(losses({ lamport: 2 })).toEqual([['cloned'], 0]);
  expect(losses({ madeAt: 1 })).toEqual([['cloned'], 0]);
  expect(losses({ seq: 3 })).toEqual([['cloned'], 0]);
});

test('a settled number is compared as well, also after a restart', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  one.write();
  const { lamport, at: madeAt } = own(one);
  one.commit(committed(1, own(one)));
  one.write();
  one.restart();
  const tell = (newest: Mark) =>
    one.space.learned({ summary: one.space.summary(), settledSeq: 1, newest });
  tell({ seq: 1, lamport, madeAt });
  expect(one.losses).toEqual([]);
  tell({ seq: 1, lamport, madeAt: madeAt + 1 });
  expect(one.losses).toEqual(['cloned']);
});

test('a base in which others of our updates are settled than we hold keeps ours, to be issued anew', () => {
  const one = open();
  const [shared, rival, later] = ['1', '2', '3'].map((id) => one.mutate('put', item(id, 'a')));
  one.write();
  const primary = new Primary(shelfApp, 'h');
  const [first, second] = one.ownUpdates();
  primary.receive([must(first), { ...must(second), at: 1, args: item('9', 'b') }]);
  while (primary.commit(0));
  one.space.receiveBase(primary.base());
  expect(one.losses).toEqual(['cloned']);
  // Whether that one is ours cannot be told any more: its author is.
  expect([must(shared).stage, must(shared).outcome]).toEqual(['committed', { kind: 'unknown' }]);
  one.space.reissue(replicaId('new'));
  expect([must(rival).id, must(later).id]).toMatchObject([{ replica: 'new', seq: 1 }, { replica: 'new', seq: 2 }]);
  expect(one.space.query((tx) => tx.item.all().map(({ id }) => id))).toEqual(['1', '2', '3', '9']);
});

test('what a former self has issued anew is settled by that, and its receipt follows', () => {
  const takeOver = (change: Partial<Update>, user = 'ann') => {
    const one = open();
    const [first, second] = ['1', '2'].map((id) => must(one.mutate('put', item(id, 'a'))));
    one.write();
    const { name, args, at } = own(one);
    const anew: Update = {
      ...foreign(['new', 1, 50], [name, args]), at, formerly: must(first).id, ...change,
    };
    one.commit(committed(1, anew, { user, effects: [{ table: 'item', key: '1', row: item('1', 'a') }] }));
    return { one, first: must(first), second: must(second) };
  };
  const { one, first, second } = takeOver({});
  expect([first.stage, first.id]).toEqual(['committed', { replica: 'new', seq: 1 }]);
  // The second cannot go out as it is any more: its replica's first never comes.
  expect([second.stage, one.losses]).toEqual(['saved', ['cloned']]);
  one.space.reissue(replicaId('newer'));
  expect(second.id).toEqual({ replica: 'newer', seq: 1 });
  one.write();
  one.restart();
  expect(one.space.pending().map(({ id }) => id)).toEqual([{ replica: 'newer', seq: 1 }]);
  // Whoever only says so is not believed.
  for (const lie of [takeOver({ at: 1 }), takeOver({ args: item('1', 'b') }), takeOver({ name: 'place' }),
    takeOver({}, 'eve'), takeOver({ formerly: { replica: replicaId('me'), seq: 2 } }), takeOver({ formerly: undefined })]) {
    expect([lie.first.stage, lie.second.stage, lie.one.losses]).toEqual(['saved', 'saved', []]);
  }
});

test('updates that were withheld stay so after a restart', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  one.write();
  one.space.disown('cloned');
  one.write();
  one.restart();
  expect([one.space.lost, one.space.tentativeAfter(0, 10).updates]).toEqual(['cloned', []]);
});

test('an update under our id that we never made shows a clone', () => {
  const one = open();
  one.space.receiveUpdates([foreign(['me', 1, 9], ['put', item('1', 'a')])]);
  expect([one.losses, one.space.pending()]).toEqual([['cloned'], []]);
});

test('a store that was written under another replica id issues its updates anew when it is opened', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  one.write();
  one.restart(replicaId('other'));
  expect(one.space.pending()).toMatchObject([{ id: { replica: 'other', seq: 1 }, own: true }]);
  expect(one.space.head.replica).toBe('other');
});

test('a base of another history: others\' updates go with the old one, ours are issued anew', () => {
  const one = open();
  one.commit(putBy([1, 'r', 1], item('9', 'a')));
  one.mutate('put', item('1', 'a'));
  one.space.receiveUpdates([foreign(['r', 2, 9], ['put', item('2', 'a')])]);
  const primary = new Primary(shelfApp, 'other');
  expect(one.space.receiveBase(primary.base()).kind).toBe('ok');
  expect(one.losses).toEqual(['history-changed']);
  one.space.reissue(replicaId('new'));
  expect(one.space.query((tx) => tx.item.all().map(({ id }) => id))).toEqual(['1']);
  expect(one.space.head).toMatchObject({ history: 'other', csn: 0, replica: 'new' });
});

test('an own update that a transfer settled has an unknown outcome, and its author is told', () => {
  const one = open();
  const receipt = one.mutate('put', item('1', 'a'));
  one.write();
  const primary = new Primary(shelfApp, 'h');
  primary.receive(one.space.tentativeAfter(0, 10).updates);
  primary.commit(0);
  one.space.receiveBase(primary.base());
  expect([receipt.stage, receipt.outcome]).toEqual(['committed', { kind: 'unknown' }]);
  expect(one.space.conflicts()).toMatchObject([{ name: 'put', outcome: { kind: 'unknown' } }]);
  expect(one.space.query((tx) => tx.item.has('1'), { view: 'committed' })).toBe(true);
});

test('a base that is not in order is refused and changes nothing', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  const page = { table: 'item', hash: 'x', rows: [['b', {}], ['a', {}]] as const };
  const base = { history: 'h', csn: 5, at: 1, lamport: 1, ledger: [], pages: [page] };
  expect(one.space.receiveBase(base)).toMatchObject({ kind: 'refused', code: 'bad-transfer' });
  expect(one.space.head.csn).toBe(0);
  expect(one.space.query((tx) => tx.item.has('1'))).toBe(true);
});

test('pages that were promised are there until a transfer is done, whatever is committed meanwhile', () => {
  const one = open();
  one.commit(putBy([1, 'r', 1], item('1', 'a')));
  const [hash] = one.space.havePages();
  one.commit(putBy([2, 'r', 2], item('1', 'b')));
  expect(one.space.pageByHash(must(hash))).toMatchObject([['1', { shelf: 'a' }]]);
});

test('the kept log is bounded, and says where it was trimmed', () => {
  const one = open();
  for (let csn = 1; csn <= limits.entriesKeptMax + 1; csn++) {
    one.commit(putBy([csn, 'r', csn], item('1', 'a', csn)));
  }
  expect(one.space.entriesAfter(0, 10)).toBe('trimmed');
  expect(one.space.entriesAfter(limits.entriesKeptMax, 10)).toHaveLength(1);
  expect(one.space.entriesAfter(limits.entriesKeptMax + 1, 10)).toEqual([]);
});

test('a held update that the primary knows otherwise makes room for the committed one', () => {
  const one = open();
  one.space.receiveUpdates([
    foreign(['r', 1, 1], ['put', item('1', 'a')]), foreign(['r', 2, 2], ['put', item('2', 'a')]),
  ]);
  const other = foreign(['r', 1, 9], ['put', item('3', 'c')]);
  expect(one.commit(bareEntry(committed(1, other))).kind).toBe('gap');
  expect([one.space.pending(), one.space.summary().vector]).toEqual([[], {}]);
  expect(one.commit(committed(1, other)).kind).toBe('ok');
});

test('lists keep their reference while nothing changed, and who subscribed is told', () => {
  const one = open();
  let told = 0;
  one.space.subscribe(() => { told += 1; });
  const before = one.space.pending();
  expect(one.space.pending()).toBe(before);
  one.mutate('put', item('1', 'a'));
  one.flush();
  expect(one.space.pending()).not.toBe(before);
  expect(told).toBe(1);
});

test('what is saved leaves in stamp order, whichever seats of the profile wrote it', () => {
  const one = open();
  one.mutate('put', item('1', 'a'));
  const neighbour = { replica: seatId(replicaId('me'), 1), seq: 1 };
  const { lamport, ...rest } = must(one.space.tentative[0]);
  one.space.receiveUpdates([{ ...rest, id: neighbour, lamport: lamport + 1 }]);
  const onTop = one.mutate('put', item('2', 'a'));
  // Not that one: it is not on the disk, and may be forgotten when another tab takes the disk over.
  expect(must(one.space.tentative.at(-1)).context.vector).toEqual({});
  one.space.stages.saved([onTop.id, neighbour]);
  expect(one.space.tentativeAfter(0, 10).updates.map(({ id }) => [id.replica, id.seq]))
    .toEqual([['me', 1], ['me_1', 1], ['me', 2]]);
});
