import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommitEntry, ReplicaId, SpaceId, Update } from '@oxbow/sdk/protocol';
import { testApp } from '../node/testing/test-app.js';
import { SpaceActor } from './actor.js';
import type { Author, Intake } from './actor.js';
import type { StoredSpace } from './state-store.js';

// reason: names in tests are what they are.
const replicaOf = (name: string): ReplicaId => name as ReplicaId;
// reason: as above.
const SPACE = 'team' as SpaceId;
const LIMITS = { keptEntriesMax: 100, keptCharsMax: 1e6, replicasPerSpaceMax: 10, liftCharsMax: 200 };
const ANN: Author = { replica: replicaOf('r1'), user: 'ann', mayWrite: true };
const BOB: Author = { replica: replicaOf('r2'), user: 'bob', mayWrite: true };

const actorOf = (stored?: StoredSpace): SpaceActor =>
  new SpaceActor(SPACE, { app: testApp, dev: true, limits: LIMITS }, stored);

const updateOf = (replica: ReplicaId, seq: number, more: Partial<Update> = {}): Update => ({
  id: { replica, seq }, lamport: seq, context: { csn: 0, vector: {} },
  name: 'add', version: 1, args: { id: 'c', by: 1 }, at: 5, ...more,
});

const entryOf = (intake: Intake): CommitEntry => {
  if (intake.kind !== 'executed') throw new Error(`not executed: ${JSON.stringify(intake)}`);
  return intake.entry;
};
/** Of all that it executed; those entries are chosen first. */
const snapshotOf = (actor: SpaceActor, entries: readonly CommitEntry[]) => {
  actor.chosen(entries);
  const snapshot = actor.snapshot();
  if (snapshot === undefined) throw new Error('something is in flight');
  return snapshot;
};
const reasonOf = (intake: Intake): string => (intake.kind === 'refused' ? intake.code : intake.kind);

describe('a space actor', () => {
  it('knows an update that it executed, chosen or not, and one that comes too early', () => {
    const actor = actorOf();
    const entry = entryOf(actor.intake(updateOf(ANN.replica, 1), ANN, 10));
    expect(actor.intake(updateOf(ANN.replica, 1), ANN, 10)).toEqual({ kind: 'duplicate' });
    expect(actor.intake(updateOf(ANN.replica, 3), ANN, 10)).toEqual({ kind: 'gap' });
    actor.chosen([entry]);
    expect(actor.intake(updateOf(ANN.replica, 1), ANN, 10)).toEqual({ kind: 'duplicate' });
  });

  it('refuses another update under a number that it knows, chosen or not, also after a restart', () => {
    const actor = actorOf();
    const entries = [1, 2, 3].map((seq) =>
      entryOf(actor.intake(updateOf(ANN.replica, seq, { lamport: seq * 10 }), ANN, 10)));
    const verdicts = (of: SpaceActor): string[] => [
      updateOf(ANN.replica, 3, { lamport: 30 }),
      updateOf(ANN.replica, 3, { lamport: 31 }),
      updateOf(ANN.replica, 3, { lamport: 30, at: 6 }),
      // Counters ascend with numbers: these two cannot both be.
      updateOf(ANN.replica, 2, { lamport: 30 }),
      updateOf(ANN.replica, 4, { lamport: 30 }),
      updateOf(ANN.replica, 5, { lamport: 40 }),
    ].map((update) => reasonOf(of.intake(update, ANN, 10)));
    const expected = ['duplicate', ...Array.from({ length: 4 }, () => 'replica-cloned'), 'gap'];
    expect(verdicts(actor)).toEqual(expected);
    actor.chosen(entries);
    expect(verdicts(actor)).toEqual(expected);
    const { head, ledger } = actor.snapshot() ?? {};
    if (head === undefined || ledger === undefined) throw new Error('nothing is in flight');
    expect(verdicts(actorOf({ head, ledger, rows: [], entries: [] }))).toEqual(expected);
  });

  it('tells only of what is chosen', () => {
    const actor = actorOf();
    const entries = [1, 2].map((seq) => entryOf(actor.intake(updateOf(ANN.replica, seq), ANN, 10)));
    const told = () => [actor.chosenCsn, actor.chosenSeq(ANN.replica), actor.entriesAfter(0, 9).length];
    expect(told()).toEqual([0, 0, 0]);
    expect([actor.entriesInFlight, actor.inFlight]).toEqual([2, { r1: 2 }]);
    actor.chosen(entries.slice(0, 1));
    expect(told()).toEqual([1, 1, 1]);
    actor.chosen(entries.slice(1));
    expect(told()).toEqual([2, 2, 2]);
    expect([actor.entriesInFlight, actor.inFlight]).toEqual([0, {}]);
  });

  it('holds a snapshot back until all that is in it is chosen', () => {
    const actor = actorOf();
    const first = entryOf(actor.intake(updateOf(ANN.replica, 1), ANN, 10));
    expect(actor.snapshot()).toBeUndefined();
    const second = entryOf(actor.intake(updateOf(BOB.replica, 1), BOB, 10));
    actor.chosen([first]);
    const snapshot = actor.snapshot();
    expect(snapshot).toMatchObject({ head: { csn: 1 }, ledger: [{ replica: 'r1', seq: 1 }] });
    expect(snapshot?.tables.row('counter', 'c')).toMatchObject({ total: 1 });
    actor.releaseSnapshot();
    actor.chosen([second]);
    expect(actor.snapshot()).toMatchObject({ head: { csn: 2 } });
  });

  it('belongs to no replica of another user', () => {
    const actor = actorOf();
    actor.intake(updateOf(ANN.replica, 1), ANN, 10);
    const thief = { ...BOB, replica: ANN.replica };
    expect(reasonOf(actor.intake(updateOf(ANN.replica, 2), thief, 10))).toBe('replica-not-yours');
    expect(reasonOf(actor.intake(updateOf(ANN.replica, 1), thief, 10))).toBe('replica-not-yours');
  });

  it('takes an update only when its context is here', () => {
    const actor = actorOf();
    const vector = { [ANN.replica]: 1 };
    const seen = updateOf(BOB.replica, 1, { context: { csn: 0, vector } });
    expect(reasonOf(actor.intake(seen, BOB, 10))).toBe('gap');
    const entry = entryOf(actor.intake(updateOf(ANN.replica, 1), ANN, 10));
    const ahead = updateOf(BOB.replica, 1, { context: { csn: 1, vector: {} } });
    // Executed is not enough: nobody can have seen a commit that is not chosen.
    expect(reasonOf(actor.intake(ahead, BOB, 10))).toBe('context-ahead');
    expect(reasonOf(actor.intake(seen, BOB, 10))).toBe('executed');
    actor.chosen([entry]);
  });

  it('refuses what needs a refused update, also where that was before it woke up', () => {
    const awake = actorOf();
    const fails = entryOf(awake.intake(updateOf(ANN.replica, 1, { name: 'throws' }), ANN, 10));
    const adds = entryOf(awake.intake(updateOf(ANN.replica, 2), ANN, 10));
    const { head, ledger } = snapshotOf(awake, [fails, adds]);
    const outcome = (actor: SpaceActor, seq: number, policy: 'reject' | 'review' = 'reject') => {
      const needs = { policy, seqs: { [ANN.replica]: [seq] } };
      return entryOf(actor.intake(updateOf(ANN.replica, 3, { needs }), ANN, 10)).outcome;
    };
    const stored = (entries: readonly CommitEntry[]) => actorOf({ head, ledger, rows: [], entries });
    const refused = (code: string, seq: number) =>
      ({ kind: 'rejected', code, detail: { replica: ANN.replica, seq } });
    expect(outcome(awake, 1)).toEqual(refused('dependency-refused', 1));
    expect(outcome(stored([fails, adds]), 1, 'review')).toEqual(refused('dependency-review', 1));
    expect(outcome(stored([fails, adds]), 2)).toEqual({ kind: 'applied' });
    // Of what is no longer kept nobody can say what came of it.
    expect(outcome(stored([adds]), 1)).toEqual(refused('dependency-unknown', 1));
    expect(outcome(stored([adds]), 2)).toEqual({ kind: 'applied' });
  });

  it('lets what a newer version of the app wrote wait, and rejects what no version knows', () => {
    const actor = actorOf();
    const reasons = [{ app: 3, name: 'new' }, { version: 2 }, { app: 2, name: 'gone' }].map((more) =>
      reasonOf(actor.intake(updateOf(ANN.replica, 1, more), ANN, 10)));
    expect(reasons).toEqual(['update-newer', 'update-newer', 'executed']);
  });

  it('wakes up from the store as it was', () => {
    const step = fc.record({ who: fc.boolean(), hour: fc.nat(3), now: fc.nat(50) });
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const awake = actorOf();
      let sleeper = actorOf();
      const seqs = new Map<Author, number>();
      for (const { who, hour, now } of steps) {
        const author = who ? ANN : BOB;
        const seq = (seqs.get(author) ?? 0) + 1;
        seqs.set(author, seq);
        const args = { id: `${author.replica}-${seq}`, room: 'blue', hour, orElse: [hour + 9] };
        const update = updateOf(author.replica, seq, { name: 'book', args });
        const entries = [awake, sleeper].map((actor) => {
          const entry = entryOf(actor.intake(update, author, now));
          actor.chosen([entry]);
          return entry;
        });
        expect(entries[1]).toEqual(entries[0]);
        const snapshot = sleeper.snapshot();
        if (snapshot === undefined) throw new Error('nothing is in flight');
        const { head, ledger, tables } = snapshot;
        const rows = tables.names().flatMap((table) =>
          Array.from(tables.rows(table), ([key, row]) => ({ table, key, row })));
        const kept = sleeper.entriesAfter(0, 1_000);
        // Some stores know no order.
        if (now % 2 === 0) rows.reverse();
        sleeper = actorOf({ head, ledger, rows, entries: kept === 'trimmed' ? [] : kept });
      }
    }), { numRuns: 50 });
  });
});
