import { expect, test } from 'vitest';
import type { CommitEntry, Outcome, ReplicaId, UpdateId } from '../protocol/index.js';
import { Refusals } from './needs.js';

// reason: a test names its replicas itself.
const idOf = (replica: string, seq: number): UpdateId => ({ replica: replica as ReplicaId, seq });

const REFUSED: Outcome = { kind: 'rejected', code: 'taken' };
const APPLIED: Outcome = { kind: 'applied' };

/** A list of what was settled, which the refusals are told of. */
class Settled {
  readonly #seqs = new Map<string, number>();
  readonly refusals = new Refusals({
    ledger: [], older: () => [], settledSeq: (replica) => this.#seqs.get(replica) ?? 0,
  });
  #csn = 0;

  settle(id: UpdateId, outcome: Outcome, formerly?: UpdateId): void {
    const body = {
      context: { csn: 0, vector: {} }, name: 'book', version: 1, args: {}, at: 1, formerly,
    };
    const entry: CommitEntry = {
      csn: ++this.#csn, at: 1, id, lamport: 1, user: 'ann', outcome, effects: [], madeAt: 1, body,
    };
    this.refusals.note(entry);
    this.#seqs.set(id.replica, id.seq);
  }
}

test('a refused update is known by both its ids', () => {
  const list = new Settled();
  list.settle(idOf('new', 1), REFUSED, idOf('old', 7));
  expect(list.refusals.standingOf(idOf('new', 1))).toBe('refused');
  expect(list.refusals.standingOf(idOf('old', 7))).toBe('refused');
  expect(list.refusals.standingOf(idOf('old', 8))).toBe('stands');
});

test('where a copied profile gave the first id to another update, that one\'s fate is its own', () => {
  const after = new Settled();
  after.settle(idOf('new', 1), REFUSED, idOf('old', 7));
  after.settle(idOf('old', 7), APPLIED);
  expect(after.refusals.standingOf(idOf('old', 7))).toBe('stands');
  const before = new Settled();
  before.settle(idOf('old', 7), APPLIED);
  before.settle(idOf('new', 1), REFUSED, idOf('old', 7));
  expect(before.refusals.standingOf(idOf('old', 7))).toBe('stands');
  expect(before.refusals.standingOf(idOf('new', 1))).toBe('refused');
});
