/** An own update comes into the world: checked, executed on top of all that is known, logged. */
import { copyValue } from '../model/index.js';
import type { AppDefinition, Execution, ParsedArgs } from '../model/index.js';
import { copiedUnits } from '../model/copy.js';
import { encodeUpdate, OxbowError } from '../protocol/index.js';
import type { Update, Value } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import { builtOn, needsOf, type Undone } from './built-on.js';
import { LogEntry } from './log.js';
import { runOnTop, type RowChange } from './rebase.js';
import type { Runner } from './runner.js';
import type { SpaceState } from './state.js';

export interface Writing {
  /** Wall time, ms. */
  readonly now: number;
  readonly undoes: Undone | undefined;
  readonly onWrite: (change: RowChange) => void;
}

/** Throws before anything is changed. Errors: as `SpaceReplica.mutate`. */
export function writeUpdate<A extends AppDefinition>(
  state: SpaceState<A>, { name, args }: { readonly name: string; readonly args: Value },
  { now, undoes, onWrite }: Writing,
): LogEntry {
  const { runner, ground } = state;
  if (runner.isRunning) throw misuse('mutate-in-query', 'Cannot mutate while a query or a mutation runs.');
  const version = runner.app.definitions.get(name)?.version ?? 1;
  const copy = copyValue(args, runner.dev);
  const parsed = mustParse(runner, { name, version, args: copy });
  if (ground.log.countOf(state.replica) >= limits.ownPendingMax) {
    throw misuse('too-many-pending', `More than ${limits.ownPendingMax} updates wait. Sync first.`);
  }
  const first: Update = {
    id: { replica: state.replica, seq: state.nextSeq }, lamport: state.lamport + 1,
    context: state.context, name, version, args: copy, at: now,
  };
  const update = runner.app.version > 1 ? { ...first, app: runner.app.version } : first;
  if (copiedUnits() > SURELY_FITS) mustFit(update);
  const entry = new LogEntry(update, true, state.user);
  entry.parsed = parsed;
  const { ifNeededIsRefused: policy = 'keep' } = parsed.definition;
  const isFree = policy === 'keep' && undoes === undefined;
  const ready = isFree ? undefined : (run: Execution): void => {
    const met = policy === 'keep' ? [] : builtOn(ground, run, Infinity);
    const needs = needsOf(met, policy === 'keep' ? 'reject' : policy, undoes);
    if (needs !== undefined) entry.update = { ...update, needs };
  };
  runOnTop(ground, entry, { ready, onWrite });
  state.nextSeq += 1;
  state.lamport += 1;
  return entry;
}

type Ready = Extract<ParsedArgs, { readonly kind: 'ready' }>;

function mustParse(runner: Runner, asked: Pick<Update, 'name' | 'version' | 'args'>): Ready {
  const parsed = runner.parse(asked);
  const { name } = asked;
  if (parsed.kind === 'unknown') throw misuse('mutation-unknown', `There is no mutation '${name}'.`);
  if (parsed.kind === 'ready') return parsed;
  throw misuse(parsed.code, `Cannot ${name} with these arguments: ${parsed.message}.`);
}

/**
 * Arguments that weigh no more (model/copy.ts) are never too long as text, whatever stands in them.
 */
const SURELY_FITS = limits.updateCharsMax / 256;

const misuse = (code: string, message: string): OxbowError => new OxbowError(code, message);

/** One too large for a frame would never leave, and block those behind it. */
function mustFit(update: Update): void {
  try {
    // With room for what is added where it has to be issued anew, and for what it needs.
    const { length } = encodeUpdate(update);
    if (length <= limits.updateCharsMax - limits.envelopeChars) return;
    throw new OxbowError('message-too-large', `${length} chars are too many.`);
  } catch (cause) {
    if (!(cause instanceof OxbowError) || cause.code !== 'message-too-large') throw cause;
    const message = `Cannot ${update.name}: its arguments are too large. Split them over several updates.`;
    throw new OxbowError('args-too-large', message, { cause });
  }
}
