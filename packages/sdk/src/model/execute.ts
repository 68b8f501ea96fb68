/**
 * Bayou's execution of a write (Terry et al., SOSP'95 §4.3): the dependency check, else each
 * alternative through the same check, else the merge procedure. Runs alike at every replica, every
 * time, on whatever the state has become; a mutation that fails is a rejection with no effects and
 * never blocks those behind it.
 */
import { OxbowError } from '../protocol/index.js';
import type { Outcome, Value } from '../protocol/index.js';
import { copyValue } from './copy.js';
import type { AppDefinition, MutationDefinition, ServerRules, Verdict } from './definition.js';
import type { Execution, Invocation } from './execution.js';
import { freezeValue } from './freeze.js';
import * as modelLimits from './limits.js';
import { parseArgs } from './parse-args.js';
import type { Reader } from './reader.js';
import { Rejection } from './rejection.js';
import { NO_EFFECTS, NO_READS, Transaction } from './transaction.js';
import type { TxCore } from './tx.js';

/** One execution under way. */
interface Run {
  readonly transaction: Transaction;
  readonly tx: TxCore;
  readonly definition: MutationDefinition;
  /** Only on the server. */
  readonly rules: ServerRules | undefined;
}

const APPLIED: Outcome = Object.freeze({ kind: 'applied' });
const MERGED: Outcome = Object.freeze({ kind: 'merged' });
const CHECK_FAILED = new Rejection('check-failed', undefined);
const FORBIDDEN = new Rejection('forbidden', undefined);
const OPAQUE: Execution = Object.freeze({
  outcome: APPLIED, effects: NO_EFFECTS, reads: NO_READS, opaque: true,
});

/** Never throws for what a mutation or its arguments do. */
export function execute(app: AppDefinition, reader: Reader, invocation: Invocation): Execution {
  const { update, refusal: unmet } = invocation;
  if (unmet !== undefined) return unread(unmet);
  const parsed = invocation.parsed ?? parseArgs(app, update.name, update.version, update.args);
  switch (parsed.kind) {
    case 'ready':
      return executeParsed(app, reader, invocation, parsed);
    case 'unknown':
      // A client waits for those who know it; the server is the one who must.
      if (invocation.side === 'client') return OPAQUE;
      return unread(rejected('mutation-unknown', { name: update.name, version: update.version }));
    case 'invalid': {
      const { code, message, issues } = parsed;
      return unread(rejected(code, { message, issues }));
    }
  }
}

function executeParsed(
  app: AppDefinition,
  reader: Reader,
  invocation: Invocation,
  { definition, args }: { readonly definition: MutationDefinition; readonly args: Value },
): Execution {
  const { update, user, side, dev, guard } = invocation;
  const transaction = new Transaction(reader, { id: update.id, at: update.at, user }, dev);
  const rules = side === 'server' ? definition.server : undefined;
  const run = { transaction, tx: new app.Tx(transaction), definition, rules };
  // The same objects in every execution: a mutation that changed them would not do the same thing
  // twice.
  if (dev) freezeValue(args);
  let outcome = dev && guard !== undefined
    ? guard.watch(update.name, () => outcomeOf(run, args))
    : outcomeOf(run, args);
  transaction.end();
  // However the mutation took the error: beyond a bound nothing it does counts.
  if (transaction.exceeded !== undefined) outcome = failed(transaction.exceeded);
  const effects = outcome.kind === 'rejected' ? NO_EFFECTS : transaction.effects();
  return { outcome, effects, reads: transaction.reads(), opaque: false };
}

function outcomeOf(run: Run, args: Value): Outcome {
  try {
    return decide(run, args);
  } catch (error) {
    return failed(error);
  }
}

function decide(run: Run, args: Value): Outcome {
  const forbidden = refusalToAuthorize(run, args);
  if (forbidden !== undefined) return rejectedBy(forbidden);
  const misfit = misfitOf(run, args);
  if (misfit === undefined) return apply(run, args, APPLIED);
  const { alternatives, merge } = run.definition;
  if (alternatives !== undefined) {
    const outcome = tryEach(run, alternativesTo(args, alternatives));
    if (outcome !== undefined) return outcome;
  }
  if (merge === undefined) return rejectedBy(misfit);
  run.transaction.enter('writing');
  return settle(run, args, MERGED, merge(run.tx, args));
}

/** An alternative that its author may not have is passed over like one that does not fit. */
function tryEach(run: Run, alternatives: readonly Value[]): Outcome | undefined {
  for (let index = 0; index < alternatives.length; index++) {
    const args = alternatives[index];
    if (refusalToAuthorize(run, args) !== undefined || misfitOf(run, args) !== undefined) continue;
    return apply(run, args, { kind: 'alternative', index });
  }
  return undefined;
}

function alternativesTo(
  args: Value, alternatives: (args: Value) => readonly Value[],
): readonly Value[] {
  const offered: unknown = alternatives(args);
  if (!Array.isArray(offered)) throw misbehaved('alternatives must return a list of arguments');
  if (offered.length > modelLimits.alternativesMax) {
    throw new OxbowError(
      'limit-exceeded',
      `Too many alternatives: found ${offered.length}, at most ${modelLimits.alternativesMax}.`,
    );
  }
  return offered;
}

function apply(run: Run, args: Value, outcome: Outcome): Outcome {
  run.transaction.enter('writing');
  return settle(run, args, outcome, run.definition.apply(run.tx, args));
}

/**
 * What `apply` or `merge` returned decides; on the server `after` has the last word, on the written
 * state.
 */
function settle(run: Run, args: Value, outcome: Outcome, result: unknown): Outcome {
  if (result instanceof Rejection) return rejectedBy(result);
  mustBeDone(result);
  if (run.rules?.after === undefined) return outcome;
  const last: unknown = run.rules.after(run.tx, args);
  if (last instanceof Rejection) return rejectedBy(last);
  mustBeDone(last);
  return outcome;
}

function refusalToAuthorize({ transaction, tx, rules }: Run, args: Value): Rejection | undefined {
  if (rules?.authorize === undefined) return undefined;
  transaction.enter('reading');
  return refusal('server.authorize', rules.authorize(tx, args), FORBIDDEN);
}

/** Why these arguments do not fit the state; undefined when they do. */
function misfitOf({ transaction, tx, definition, rules }: Run, args: Value): Rejection | undefined {
  if (definition.check !== undefined) {
    transaction.enter('reading');
    const misfit = refusal('check', definition.check(tx, args), CHECK_FAILED);
    if (misfit !== undefined) return misfit;
  }
  if (rules?.check === undefined) return undefined;
  transaction.enter('reading');
  return refusal('server.check', rules.check(tx, args), CHECK_FAILED);
}

/** A rejection is a `false` that says why. A promise is no verdict, and would pass for a yes. */
function refusal(what: string, verdict: Verdict, no: Rejection): Rejection | undefined {
  if (verdict === true) return undefined;
  if (verdict === false) return no;
  if (verdict instanceof Rejection) return verdict;
  throw misbehaved(`${what} must return true, false or reject(…)`);
}

function mustBeDone(result: unknown): void {
  if (typeof result === 'object' && result !== null && 'then' in result) {
    throw misbehaved('a mutation is synchronous, this one returned a promise');
  }
}

const misbehaved = (what: string): OxbowError => new OxbowError('bad-mutation', `${what}.`);

const unread = (outcome: Outcome): Execution => ({
  outcome, effects: NO_EFFECTS, reads: NO_READS, opaque: false,
});

const rejectedBy = ({ code, detail }: Rejection): Outcome => rejected(code, copyValue(detail));

const rejected = (code: string, detail: Value): Outcome =>
  detail === undefined ? { kind: 'rejected', code } : { kind: 'rejected', code, detail };

function failed(error: unknown): Outcome {
  const message = error instanceof Error ? error.message : String(error);
  const detail = { message: message.slice(0, modelLimits.messageCharsMax) };
  if (error instanceof OxbowError) {
    if (error.code === 'limit-exceeded') return rejected('limit-exceeded', detail);
    return rejected('mutation-failed', { ...detail, code: error.code });
  }
  return rejected('mutation-failed', detail);
}
