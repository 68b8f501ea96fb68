import { expect, test } from 'vitest';
import type { CommitEntry, Outcome, ReplicaId, UpdateId } from '../protocol/index.js';
import { refusalsMax } from '../protocol/limits.js';
import { Refusals } from './needs.js';

// reason: a test names its replicas itself.
const idOf = (replica: string, seq: number): UpdateId => ({ replica: replica as ReplicaId, seq });

const REFUSED: Outcome = { kind: 'rejected', code: 'taken' };
const APPLIED: Outcome = { kind: 'applied' };

interface Written {
  readonly formerly?: UpdateId;
  readonly user?: string;
}

/** A list of what was settled, which the refusals are told of. */
class Settled {
  readonly #lines = new Map<string, { seq: number; user: string }>();
  readonly refusals = new Refusals({
    ledger: [], older: () => [], settledSeq: (replica) => this.#lines.get(replica)?.seq ?? 0,
    isAnothers: (replica, user) => (this.#lines.get(replica)?.user ?? user) !== user,
  });
  #csn = 0;

  settle(id: UpdateId, outcome: Outcome, { formerly, user = 'ann' }: Written = {}): void {
    const body = {
      context: { csn: 0, vector: {} }, name: 'book', version: 1, args: {}, at: 1, formerly,
    };
    const entry: CommitEntry = {
      csn: ++this.#csn, at: 1, id, lamport: 1, user, outcome, effects: [], madeAt: 1, body,
    };
    this.refusals.note(entry);
    this.#lines.set(id.replica, { seq: id.seq, user });
  }
}

test('a refused update is known by both its ids', () => {
  const list = new Settled();
  list.settle(idOf('new', 1), REFUSED, { formerly: idOf('old', 7) });
  expect(list.refusals.standingOf(idOf('new', 1))).toBe('refused');
  expect(list.refusals.standingOf(idOf('old', 7))).toBe('refused');
  expect(list.refusals.standingOf(idOf('old', 8))).toBe('stands');
});

test('where a copied profile gave the first id to another update, that one\'s fate is its own', () => {
  const after = new Settled();
  after.settle(idOf('new', 1), REFUSED, { formerly: idOf('old', 7) });
  after.settle(idOf('old', 7), APPLIED);
  expect(after.refusals.standingOf(idOf('old', 7))).toBe('stands');
  const before = new Settled();
  before.settle(idOf('old', 7), APPLIED);
  before.settle(idOf('new', 1), REFUSED, { formerly: idOf('old', 7) });
  expect(before.refusals.standingOf(idOf('old', 7))).toBe('stands');
  expect(before.refusals.standingOf(idOf('new', 1))).toBe('refused');
});

test('what somebody else\'s update calls its first id says nothing of the update that has it', () => {
  const list = new Settled();
  list.settle(idOf('old', 1), APPLIED);
  // It is renamed, and who needs it knows it as old/2.
  list.settle(idOf('new', 1), APPLIED, { formerly: idOf('old', 2) });
  list.settle(idOf('liar', 1), REFUSED, { formerly: idOf('old', 2), user: 'eve' });
  expect(list.refusals.standingOf(idOf('old', 2))).toBe('stands');
  for (let seq = 2; seq <= refusalsMax + 2; seq++) {
    list.settle(idOf('liar', seq), REFUSED, { formerly: idOf('old', 1000 + seq), user: 'eve' });
  }
  expect(list.refusals.standingOf(idOf('old', 2))).toBe('stands');
});
