/**
 * `undo`: the inverse of an own update, made of the rows that it replaced, where they are at hand:
 * in the log while it is tentative, in what was kept when it was settled (undo.ts) after that.
 */
import { inverseOf } from '../model/index.js';
import type { AppDefinition } from '../model/index.js';
import { OxbowError } from '../protocol/index.js';
import type { UpdateId, Value } from '../protocol/index.js';
import type { Undone } from './built-on.js';
import type { ReplicaChanges } from './changes.js';
import type { LogEntry } from './log.js';
import type { FinalOutcome, Receipt } from './receipt.js';
import type { SpaceState } from './state.js';

/** What it asks of its space. */
export interface TakingBack<A extends AppDefinition> {
  readonly state: SpaceState<A>;
  readonly changes: ReplicaChanges;
  write(name: string, args: Value, undoes: Undone): Receipt;
  receiptOf(entry: LogEntry): Receipt;
  outcomeOf(id: UpdateId): FinalOutcome | undefined;
}

/** Asked again it gives the same receipt. Errors: as `SpaceReplica.undo`. */
export function takeBack<A extends AppDefinition>(space: TakingBack<A>, id: UpdateId): Receipt {
  const { ground: { log }, undos } = space.state;
  const by = space.state.undoOf(id);
  const done = by === undefined ? undos.doneFor(id) : space.receiptOf(by);
  if (done !== undefined) return done;
  const entry = log.get(id);
  const receipt = entry?.own === true ? pending(space, entry) : settled(space, id);
  undos.done(id, receipt);
  return receipt;
}

function settled<A extends AppDefinition>(space: TakingBack<A>, id: UpdateId): Receipt {
  const { undos } = space.state;
  const record = undos.get(id);
  if (record === undefined) throw impossible(space.outcomeOf(id));
  const receipt = space.write(record.name, space.state.runner.lift(record), { id });
  undos.remove(id);
  space.changes.undoRemoved(id);
  return receipt;
}

function pending<A extends AppDefinition>(space: TakingBack<A>, entry: LogEntry): Receipt {
  const { runner: { app }, ground: { overlay } } = space.state;
  const { parsed, execution: { effects, outcome }, rank, update: { id } } = entry;
  if (outcome.kind === 'rejected') throw impossible(outcome);
  const before = effects.map(({ table, key }) => overlay.rowBelow(table, key, rank));
  const inverse = inverseOf(app, { parsed, effects, before });
  if (inverse === undefined) throw impossible(outcome);
  return space.write(inverse.name, inverse.args, { id, entry });
}

function impossible(outcome: FinalOutcome | undefined): OxbowError {
  if (outcome?.kind === 'rejected') {
    const problem = `It was refused (${outcome.code}): there is nothing to take back.`;
    return new OxbowError('undo-rejected', problem);
  }
  return new OxbowError(
    'undo-unknown',
    'Cannot take it back: its mutation declares no inverse, or it was taken back or settled long ago.',
  );
}
