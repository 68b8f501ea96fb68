import { describe, expect, it } from 'vitest';
import { defineApp, mutation, table, unchecked } from '@oxbow/sdk/model';
import type { AppDefinition } from '@oxbow/sdk/model';
import type { CommitEntry, OxbowError, ReplicaId, SpaceId, Update } from '@oxbow/sdk/protocol';
import { SpaceActor } from './actor.js';
import type { Author } from './actor.js';
import { LIFTER } from './lift.js';
import type { StoredSpace } from './state-store.js';

// reason: names in tests are what they are.
const SPACE = 'team' as SpaceId;
// reason: as above.
const ANN: Author = { replica: 'ann' as ReplicaId, user: 'ann', mayWrite: true };
const LIMITS = {
  keptEntriesMax: 100, keptCharsMax: 1e6, replicasPerSpaceMax: 10, liftCharsMax: 60,
};

interface Note {
  readonly id: string;
  /** What each version's step has added. */
  readonly text: string;
}

/** Each step shows how often it was taken. */
const appOf = (version: number): AppDefinition => {
  const steps = [2, 3].filter((to) => to <= version);
  const migrate = Object.fromEntries(steps.map((to) => [to, (row: Note) => {
    if (row.id === 'odd' && to === 2) throw new Error('cannot');
    return { ...row, text: `${row.text}+${to}` };
  }]));
  return defineApp({
    name: 'notes', version,
    tables: {
      note: table<Note>()({ key: 'id', migrate }),
      plain: table<Note>()({ key: 'id' }),
    },
    mutations: {
      put: mutation({ args: unchecked<Note>(), apply: (tx, a) => tx.note.put(a) }),
    },
  });
};

/** A store as every node of a group has it: entries are laid into it in order. */
class Store {
  stored: StoredSpace | undefined;

  lay(entries: readonly CommitEntry[]): void {
    for (const entry of entries) {
      const { csn, at, lamport, effects, id, user } = entry;
      const rows = new Map(this.stored?.rows.map((row) => [`${row.table} ${row.key}`, row]));
      for (const { table: name, key, row } of effects) {
        if (row === null) rows.delete(`${name} ${key}`);
        else rows.set(`${name} ${key}`, { table: name, key, row });
      }
      const ledger = new Map(this.stored?.ledger.map((line) => [line.replica, line]));
      ledger.set(id.replica, { replica: id.replica, seq: id.seq, user });
      const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
      const entriesKept = [...this.stored?.entries ?? [], entry];
      this.stored = {
        head: { csn, at, lamport }, rows: sorted, ledger: [...ledger.values()], entries: entriesKept,
      };
    }
  }

  texts(): string[] {
    return (this.stored?.rows ?? []).filter(({ table: name }) => name === 'note')
      // reason: rows of the table of this test.
      .map(({ row }) => `${(row as unknown as Note).id} ${(row as unknown as Note).text}`);
  }
}

const wake = (store: Store, version: number): SpaceActor =>
  new SpaceActor(SPACE, { app: appOf(version), dev: true, limits: LIMITS }, store.stored);

function write(actor: SpaceActor, seq: number, row: Note): CommitEntry {
  const update: Update = {
    id: { replica: ANN.replica, seq }, lamport: seq * 100, context: { csn: 0, vector: {} },
    name: 'put', version: 1, args: row, at: 5,
  };
  const intake = actor.intake(update, ANN, 10);
  if (intake.kind !== 'executed') throw new Error(intake.kind);
  return intake.entry;
}

const never = (error: OxbowError): never => {
  throw error;
};
const lift = (actor: SpaceActor, failed: (error: OxbowError) => void = never): CommitEntry[] =>
  actor.lift(20, failed).map(({ entry }) => entry);

/** Five notes of version 1. */
function notes(): Store {
  const store = new Store();
  const actor = wake(store, 1);
  store.lay([1, 2, 3, 4, 5].map((n) => write(actor, n, { id: `n${n}`, text: 'first' })));
  return store;
}

const all = (text: string): string[] => [1, 2, 3, 4, 5].map((n) => `n${n} ${text}`);

describe('a space whose rows are of an older version', () => {
  it('is lifted by commits of bounded size, once', () => {
    const store = notes();
    const entries = lift(wake(store, 2));
    expect(entries.length).toBeGreaterThan(2);
    expect(entries.map(({ id, csn }) => [id.replica, id.seq, csn]))
      .toEqual(entries.map((_, i) => [LIFTER, i + 1, i + 6]));
    store.lay(entries);
    expect(store.texts()).toEqual(all('first+2'));
    expect(lift(wake(store, 2))).toEqual([]);
    store.lay(lift(wake(store, 3)));
    expect(store.texts()).toEqual(all('first+2+3'));
  });

  it('is lifted over several versions in one go', () => {
    const store = notes();
    store.lay(lift(wake(store, 3)));
    expect(store.texts()).toEqual(all('first+2+3'));
  });

  it.each([2, 3])('cut short anywhere, is lifted to the end by a leader of version %i', (next) => {
    const count = lift(wake(notes(), 2)).length;
    for (let chosen = 0; chosen <= count; chosen++) {
      const store = notes();
      store.lay(lift(wake(store, 2)).slice(0, chosen));
      store.lay(lift(wake(store, next)));
      expect(store.texts()).toEqual(all(next === 2 ? 'first+2' : 'first+2+3'));
    }
  });

  it('is not led by a server of an older version, from the first piece on', () => {
    const store = notes();
    store.lay(lift(wake(store, 2)).slice(0, 1));
    expect(() => wake(store, 1)).toThrow(expect.objectContaining({ code: 'app-older' }));
  });

  it('keeps a row that cannot be lifted, says so, and goes on', () => {
    const store = notes();
    store.lay([write(wake(store, 1), 6, { id: 'odd', text: 'first' })]);
    const failed: string[] = [];
    store.lay(lift(wake(store, 2), ({ code, message }) => failed.push(`${code} ${message}`)));
    expect(failed).toEqual(['bad-migration cannot']);
    expect(store.texts()).toEqual([...all('first+2'), 'odd first']);
    expect(lift(wake(store, 2))).toEqual([]);
  });
});

describe('a new space', () => {
  it('is of the version of its first commit, whatever becomes of that', () => {
    const store = new Store();
    const actor = wake(store, 2);
    expect(lift(actor)).toEqual([]);
    store.lay([write(actor, 1, { id: 'n1', text: 'second' })]);
    expect(lift(wake(store, 2))).toEqual([]);
    expect(store.texts()).toEqual(['n1 second']);
    store.lay(lift(wake(store, 3)));
    expect(store.texts()).toEqual(['n1 second+3']);
  });

  it('takes no update of whoever pretends to lift it', () => {
    const actor = wake(new Store(), 2);
    const thief = { ...ANN, replica: LIFTER };
    const update: Update = {
      id: { replica: LIFTER, seq: 1 }, lamport: 1, context: { csn: 0, vector: {} },
      name: 'put', version: 1, args: { id: 'n1', text: '' }, at: 5,
    };
    expect(actor.intake(update, thief, 10)).toMatchObject({ code: 'replica-not-yours' });
  });
});
