/**
 * The plain truth about a replica's two views: take its committed rows, run every pending update in
 * order on a copy. No overlay, no read sets, no cleverness: what the replica shows must be the
 * same.
 */
import { execute, Tables, type ReadTx } from '@oxbow/sdk/model';
import { updateKey, type Outcome } from '@oxbow/sdk/protocol';
import type { SpaceReplica } from '../../packages/sdk/src/replica/space.js';
import { app } from './app.js';
import { canonical, checkEqualRows, Violation, type RowsByTable } from './checkers.js';

type SimTx = ReadTx<typeof app>;

export function committedRows(space: SpaceReplica<typeof app>): RowsByTable {
  return space.query((tx: SimTx) => rowsOf(tx.booking.all(), tx.counter.all()), { view: 'committed' });
}

export function tentativeRows(space: SpaceReplica<typeof app>): RowsByTable {
  return space.query((tx: SimTx) => rowsOf(tx.booking.all(), tx.counter.all()), { view: 'tentative' });
}

function rowsOf(
  bookings: readonly { readonly id: string }[], counters: readonly { readonly id: string }[],
): RowsByTable {
  return {
    booking: bookings.map((row) => [row.id, row] as const),
    counter: counters.map((row) => [row.id, row] as const),
  };
}

/** Compares the tentative view, its outcomes and its index with a replay of everything. */
export function checkViews(space: SpaceReplica<typeof app>, client: string, user: string | null): void {
  const tables = new Tables(app);
  for (const [table, rows] of Object.entries(committedRows(space))) {
    // reason: rows of the replica's own query.
    tables.apply(rows.map(([key, row]) => ({ table, key, row: row as Record<string, unknown> })));
  }
  for (const pending of space.pending()) {
    const execution = execute(app, tables, {
      update: { ...pending, version: 1 },
      user: pending.own ? user : null,
      side: 'client',
      dev: false,
    });
    tables.apply(execution.effects);
    mustAgree(`${client} ${updateKey(pending.id)}`, pending.outcome, execution.outcome);
  }
  const replayed = {
    booking: [...tables.rows('booking')].map(([key, row]) => [key, row] as const),
    counter: [...tables.rows('counter')].map(([key, row]) => [key, row] as const),
  };
  checkEqualRows(tentativeRows(space), replayed, `the tentative view of ${client} is a replay of its log`);
}

function mustAgree(where: string, shown: Outcome, replayed: Outcome): void {
  if (canonical(shown) === canonical(replayed)) return;
  throw new Violation('tentative outcomes are those of a replay', `${where}: ${canonical(shown)} / ${canonical(replayed)}`);
}
