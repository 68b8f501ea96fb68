/**
 * The plain truth about a replica's two views: take its committed rows, run every pending update in
 * order on a copy. No overlay, no read sets, no cleverness: what the replica shows must be the
 * same.
 */
import { execute, refusalByNeeds, Tables, type ReadTx, type Standing } from '@oxbow/sdk/model';
import { updateKey, type Outcome, type UpdateId } from '@oxbow/sdk/protocol';
import type { SpaceReplica } from '../../packages/sdk/src/replica/space.js';
import type { app } from './app.js';
import { canonical, checkEqualRows, Violation, type RowsByTable, type Truth } from './checkers.js';

type SimTx = ReadTx<typeof app>;

export function committedRows(space: SpaceReplica<typeof app>): RowsByTable {
  return space.query((tx: SimTx) => rowsOf(tx), { view: 'committed' });
}

export function tentativeRows(space: SpaceReplica<typeof app>): RowsByTable {
  return space.query((tx: SimTx) => rowsOf(tx), { view: 'tentative' });
}

function rowsOf(tx: SimTx): RowsByTable {
  return {
    booking: tx.booking.all().map((row) => [row.id, row] as const),
    counter: tx.counter.all().map((row) => [row.id, row] as const),
    pin: tx.pin.all().map((row) => [row.id, row] as const),
  };
}

/** Compares the tentative view, its outcomes and its index with a replay of everything. */
export function checkViews(
  space: SpaceReplica<typeof app>, client: { readonly name: string; readonly user: string | null },
  truth: Truth,
): void {
  const { app: ofClient } = space.insides.state.runner;
  const tables = new Tables(ofClient);
  for (const [table, rows] of Object.entries(committedRows(space))) {
    // reason: rows of the replica's own query.
    tables.apply(rows.map(([key, row]) => ({ table, key, row: row as Record<string, unknown> })));
  }
  const updates = new Map(space.tentative.map((update) => [updateKey(update.id), update]));
  const refused = new Set<string>();
  for (const { id, own, outcome } of space.pending()) {
    const update = updates.get(updateKey(id));
    if (update === undefined) throw new Error('what is pending is in the log');
    const standingOf = (of: UpdateId): Standing => {
      const settled = truth.entries[(truth.csnByUpdate.get(updateKey(of)) ?? 0) - 1];
      const isSettled = settled !== undefined && settled.csn <= space.head.csn;
      if (isSettled ? settled.outcome.kind === 'rejected' : refused.has(updateKey(of))) return 'refused';
      return 'stands';
    };
    const refusal = outcome.kind === 'rejected' && outcome.code === 'dependency-unknown'
      // Nobody remembers for ever what became of what it needs.
      ? outcome : refusalByNeeds(update.needs, standingOf);
    const execution = execute(ofClient, tables, {
      update, user: own ? client.user : null, side: 'client', dev: false, refusal,
    });
    tables.apply(execution.effects);
    if (execution.outcome.kind === 'rejected') refused.add(updateKey(id));
    mustAgree(`${client.name} ${updateKey(id)}`, outcome, execution.outcome);
  }
  const replayed = {
    booking: [...tables.rows('booking')].map(([key, row]) => [key, row] as const),
    counter: [...tables.rows('counter')].map(([key, row]) => [key, row] as const),
    pin: [...tables.rows('pin')].map(([key, row]) => [key, row] as const),
  };
  checkEqualRows(tentativeRows(space), replayed, `the tentative view of ${client.name} is a replay of its log`);
}

function mustAgree(where: string, shown: Outcome, replayed: Outcome): void {
  if (canonical(shown) === canonical(replayed)) return;
  throw new Violation('tentative outcomes are those of a replay', `${where}: ${canonical(shown)} / ${canonical(replayed)}`);
}
