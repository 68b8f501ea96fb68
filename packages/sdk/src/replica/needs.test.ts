import { expect, test } from 'vitest';
import { defineApp, mutation, table, unchecked } from '../model/index.js';
import type { Outcome, UpdateId } from '../protocol/index.js';
import { committed, foreign, OneSpace, replicaId } from './testing/one-space.js';

interface Order {
  readonly id: string;
  readonly day: string;
  readonly note: string;
}
interface Payment {
  readonly id: string;
  readonly order: string;
}

/** Payments stand on orders, each mutation with another policy. */
const shop = defineApp({
  name: 'shop',
  version: 1,
  tables: {
    order: table<Order>()({ key: 'id', indexes: { byDay: ['day'] } }),
    payment: table<Payment>()({ key: 'id' }),
  },
  mutations: {
    order: mutation({
      args: unchecked<Order>(),
      apply: (tx, a) => tx.order.put({ id: a.id, day: a.day, note: a.note }),
      inverse: (a) => ({ name: 'drop', args: { id: a.id } }),
    }),
    drop: mutation({
      args: unchecked<{ id: string }>(),
      apply: (tx, a) => tx.order.delete(a.id),
      inverse: (a, { before }) => ({ name: 'order', args: before.order.get(a.id) }),
    }),
    note: mutation({
      args: unchecked<{ id: string; note: string }>(),
      check: (tx, a) => tx.order.has(a.id),
      apply: (tx, a) => tx.order.update(a.id, { note: a.note }),
      inverse: (a, { before }) =>
        ({ name: 'note', args: { id: a.id, note: before.order.get(a.id)?.note ?? '' } }),
    }),
    pay: mutation({
      args: unchecked<Payment>(),
      apply: (tx, a) => {
        tx.order.has(a.order);
        tx.payment.put({ id: a.id, order: a.order });
      },
      ifNeededIsRefused: 'reject',
    }),
    payIfKept: mutation({
      args: unchecked<Payment>(),
      apply: (tx, a) => {
        tx.order.has(a.order);
        tx.payment.put({ id: a.id, order: a.order });
      },
    }),
    remind: mutation({
      args: unchecked<{ id: string; day: string }>(),
      apply: (tx, a) => {
        const [first] = tx.order.index('byDay').get(a.day).all();
        tx.payment.put({ id: a.id, order: first?.id ?? 'none' });
      },
      ifNeededIsRefused: 'review',
    }),
    odd: mutation({
      args: unchecked<{ id: string }>(),
      apply: (tx, a) => tx.order.delete(a.id),
      inverse: () => ({ name: 'drop', args: { id: () => 'no' } }),
    }),
  },
});

const REFUSED: Outcome = { kind: 'rejected', code: 'sold-out' };
const open = () => new OneSpace(shop);
const order = (id: string, day = 'monday') => ({ id, day, note: 'first' });

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it should be there');
  return value;
}

/** The primary's word on own update number `seq`, at that csn. */
function settle(one: OneSpace<typeof shop>, csn: number, outcome?: Outcome) {
  const [first] = one.ownUpdates();
  const update = must(first);
  const effects = outcome === undefined
    ? must(one.space.pending().find(({ id }) => id.seq === update.id.seq)).effects : [];
  return one.commit(committed(csn, update, { outcome: outcome ?? { kind: 'applied' }, effects }));
}

const outcomes = (one: OneSpace<typeof shop>) => one.space.pending().map(({ outcome }) => outcome);
const payments = (one: OneSpace<typeof shop>) =>
  one.space.query((tx) => tx.payment.all().map(({ id }) => id));
const refusedBy = (code: string, seq: number) =>
  ({ kind: 'rejected', code, detail: { replica: 'me', seq } });

test('an update says what it needs, where its mutation wants it refused with that', () => {
  const one = open();
  one.mutate('order', order('a'));
  one.mutate('pay', { id: 'p', order: 'a' });
  one.mutate('payIfKept', { id: 'q', order: 'a' });
  one.mutate('pay', { id: 'r', order: 'elsewhere' });
  expect(one.ownUpdates().map(({ needs }) => needs)).toEqual([
    undefined, { policy: 'reject', seqs: { me: [1] } }, undefined, undefined,
  ]);
});

test.each([
  ['pay', { id: 'p', order: 'a' }, 'dependency-refused'],
  ['remind', { id: 'p', day: 'monday' }, 'dependency-review'],
])('%s falls with what it was built on, and says which that was', (name, args, code) => {
  const one = open();
  one.mutate('order', order('a'));
  one.mutate(name, args);
  expect(payments(one)).toEqual(['p']);
  settle(one, 1, REFUSED);
  expect(outcomes(one)).toEqual([refusedBy(code, 1)]);
  expect(payments(one)).toEqual([]);
});

test('by default an update is checked again and stands', () => {
  const one = open();
  one.mutate('order', order('a'));
  one.mutate('payIfKept', { id: 'p', order: 'a' });
  one.mutate('note', { id: 'a', note: 'second' });
  settle(one, 1, REFUSED);
  expect(outcomes(one)).toEqual([{ kind: 'applied' }, { kind: 'rejected', code: 'check-failed' }]);
});

test('a chain falls as a whole, and stands up again when the first does', () => {
  const one = open();
  one.mutate('order', order('a'));
  one.mutate('note', { id: 'a', note: 'second' });
  one.mutate('remind', { id: 'p', day: 'monday' });
  expect(one.ownUpdates()[2]?.needs).toEqual({ policy: 'review', seqs: { me: [2] } });
  one.space.receiveCommits('h', [committed(1, foreign(['r', 1, 1], ['drop', { id: 'z' }]))]);
  settle(one, 2, REFUSED);
  // What it needs fails its check, and is not settled yet: it may still pass.
  expect(outcomes(one).at(-1)).toEqual(refusedBy('dependency-review', 2));
  const row = order('a');
  const put = foreign(['r', 2, 9], ['order', row], 2);
  one.commit(committed(3, put, { effects: [{ table: 'order', key: 'a', row }] }));
  expect(outcomes(one)).toEqual([{ kind: 'applied' }, { kind: 'applied' }]);
});

test('a range is built on who put a row into it, and on who took one out', () => {
  const one = open();
  const row = order('b', 'tuesday');
  one.commit(committed(1, foreign(['r', 1, 1], ['order', row]), {
    effects: [{ table: 'order', key: 'b', row }],
  }));
  one.mutate('drop', { id: 'b' });
  one.mutate('order', order('c', 'wednesday'));
  one.mutate('remind', { id: 'p', day: 'tuesday' });
  const id = must(one.space.pending().at(-1)).id;
  expect(one.space.builtOn(id).map(({ seq }) => seq)).toEqual([1]);
});

test('what fell with another says so in the inbox, and can be asked again as it was', () => {
  const one = open();
  one.mutate('order', order('a'));
  one.mutate('remind', { id: 'p', day: 'monday' });
  settle(one, 1, REFUSED);
  const [fallen] = one.space.pending();
  settle(one, 2, must(fallen).outcome);
  one.write();
  one.restart();
  const record = must(one.space.conflicts()[1]);
  expect(record).toMatchObject({
    name: 'remind', outcome: { code: 'dependency-review' }, refused: [{ replica: 'me', seq: 1 }],
  });
  const again = one.space.retry(record.id, undefined, 9000);
  expect(again.outcome).toEqual({ kind: 'applied' });
  expect(payments(one)).toEqual(['p']);
});

test('also after a restart it is known what was refused, and what no longer is', () => {
  const one = open();
  one.mutate('order', order('a'));
  one.mutate('pay', { id: 'p', order: 'a' });
  one.write();
  settle(one, 1, REFUSED);
  one.write();
  one.restart();
  expect(outcomes(one)).toEqual([refusedBy('dependency-refused', 1)]);
});

test('issued anew under another id, an update needs what it needed', () => {
  const one = open();
  one.mutate('order', order('a'));
  one.mutate('pay', { id: 'p', order: 'a' });
  one.write();
  one.space.reissue(replicaId('fresh'));
  expect(one.ownUpdates().map(({ needs }) => needs)).toEqual([
    undefined, { policy: 'reject', seqs: { fresh: [1] } },
  ]);
  settle(one, 1, REFUSED);
  expect(outcomes(one)).toEqual([
    { kind: 'rejected', code: 'dependency-refused', detail: { replica: 'fresh', seq: 1 } },
  ]);
});

test('more needs than an update can name are an error of whoever writes, and change nothing', () => {
  const one = open();
  for (let i = 0; i < 300; i++) one.mutate('order', order(`a${i}`));
  expect(() => one.mutate('remind', { id: 'p', day: 'monday' }))
    .toThrow(expect.objectContaining({ code: 'too-many-needed' }));
  expect(one.space.pending()).toHaveLength(300);
  one.mutate('order', order('b'));
  expect(one.ownUpdates().at(-1)?.id.seq).toBe(301);
});

const notes = (one: OneSpace<typeof shop>) =>
  one.space.query((tx) => tx.order.all().map(({ id, note }) => `${id} ${note}`));
const undo = (one: OneSpace<typeof shop>, id: UpdateId) => one.space.undo(id, 7000);

test('undo takes back what is pending, undo of undo does it again, and each only once', () => {
  const one = open();
  one.mutate('order', order('a'));
  const { id } = one.mutate('note', { id: 'a', note: 'second' });
  const undone = undo(one, id);
  expect(notes(one)).toEqual(['a first']);
  expect(undo(one, id)).toBe(undone);
  undo(one, undone.id);
  expect(notes(one)).toEqual(['a second']);
});

test('also after a restart what is pending is taken back once', () => {
  const one = open();
  const { id } = one.mutate('order', order('a'));
  const undone = undo(one, id);
  one.write();
  one.restart();
  expect(undo(one, id).id).toEqual(undone.id);
  expect(one.space.pending()).toHaveLength(2);
});

test('an undo goes with the update that it takes back', () => {
  const one = open();
  one.mutate('order', order('a'));
  const { id } = one.mutate('note', { id: 'a', note: 'second' });
  settle(one, 1);
  undo(one, id);
  settle(one, 2, REFUSED);
  expect(outcomes(one)).toEqual([refusedBy('dependency-refused', 2)]);
});

test('what is committed is taken back to the rows that it replaced, also after a restart', () => {
  const one = open();
  one.mutate('order', order('a'));
  settle(one, 1);
  const { id } = one.mutate('note', { id: 'a', note: 'second' });
  const row = { ...order('a'), note: 'theirs' };
  const theirs = foreign(['r', 1, 2], ['order', row], 1);
  one.commit(committed(2, theirs, { effects: [{ table: 'order', key: 'a', row }] }));
  settle(one, 3);
  one.write();
  one.restart();
  const undone = undo(one, id);
  expect(notes(one)).toEqual(['a theirs']);
  one.write();
  one.restart();
  expect(undo(one, id).id).toEqual(undone.id);
  settle(one, 4);
  one.write();
  one.restart();
  expect(() => undo(one, id)).toThrow(expect.objectContaining({ code: 'undo-unknown' }));
  expect(notes(one)).toEqual(['a theirs']);
});

test('what was refused, or has no inverse, cannot be taken back', () => {
  const one = open();
  const code = (id: UpdateId): unknown => {
    try {
      return undo(one, id).id;
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
  };
  const refused = one.mutate('note', { id: 'none', note: 'x' });
  const plain = one.mutate('pay', { id: 'p', order: 'a' });
  const odd = one.mutate('odd', { id: 'a' });
  expect([refused, plain, odd].map(({ id }) => code(id)))
    .toEqual(['undo-rejected', 'undo-unknown', 'bad-inverse']);
  settle(one, 1, REFUSED);
  expect(code(refused.id)).toBe('undo-rejected');
  settle(one, 2);
  settle(one, 3);
  expect(one.errors.map((error) => error.code)).toEqual(['bad-inverse']);
});

/** Version 2 calls the `id` of `drop` `key`. */
const shelf = (version: 1 | 2) => defineApp({
  name: 'shelf',
  version,
  tables: { order: table<Order>()({ key: 'id' }) },
  mutations: {
    order: mutation({
      args: unchecked<Order>(),
      apply: (tx, a) => tx.order.put(a),
      inverse: ({ id }) => ({ name: 'drop', args: version === 1 ? { id } : { key: id } }),
    }),
    drop: mutation({
      version,
      upgrade: version === 1 ? {} : { 1: ({ id }: { id: string }) => ({ key: id }) },
      args: unchecked<{ id?: string; key?: string }>(),
      apply: (tx, a) => tx.order.delete((version === 1 ? a.id : a.key) ?? 'nothing'),
    }),
  },
});

test('what a newer version of the app wrote is neither taken back nor asked again by an older one', () => {
  const one = new OneSpace(shelf(2));
  const { id } = one.mutate('order', order('a'));
  const refused = one.mutate('drop', { key: 'b' });
  one.write();
  const [made, dropped] = one.ownUpdates();
  one.commit(
    committed(1, must(made), { effects: [{ table: 'order', key: 'a', row: order('a') }] }),
    committed(2, must(dropped), { outcome: REFUSED }),
  );
  one.write();
  one.restart(undefined, shelf(1));
  const unknown = expect.objectContaining({ code: 'mutation-unknown' });
  expect(() => one.space.undo(id, 7000)).toThrow(unknown);
  expect(() => one.space.retry(refused.id, undefined, 7000)).toThrow(unknown);
  expect(one.space.pending()).toEqual([]);
  one.restart(undefined, shelf(2));
  one.space.undo(id, 7000);
  one.space.retry(refused.id, undefined, 7000);
  expect(one.space.pending().map(({ name, args }) => [name, args]))
    .toEqual([['drop', { key: 'a' }], ['drop', { key: 'b' }]]);
  expect(one.space.query((tx) => tx.order.all())).toEqual([]);
});
