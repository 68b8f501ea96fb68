/** What one execution of a mutation yields. */
import type { Effect, Outcome, Update } from '../protocol/index.js';
import type { Guard } from './guard.js';
import type { ParsedArgs } from './parse-args.js';
import type { ReadSet } from './reader.js';

export interface Execution {
  readonly outcome: Outcome;
  /** One per key written, in the order of first writes; empty when rejected. */
  readonly effects: readonly Effect[];
  readonly reads: ReadSet;
  /** The mutation is unknown here (older code): kept and forwarded, not executed. */
  readonly opaque: boolean;
}

/** What an execution needs besides the state. */
export interface Invocation {
  readonly update: Pick<Update, 'id' | 'name' | 'version' | 'args' | 'at'>;
  readonly user: string | null;
  readonly side: 'client' | 'server';
  /** Freeze rows and report nondeterminism. */
  readonly dev: boolean;
  /**
   * The result of `parseArgs`, computed once per update. Without it every execution parses anew.
   */
  readonly parsed?: ParsedArgs;
  /** What stands against it already (needs.ts): it does not run. */
  readonly refusal?: Outcome | undefined;
  /** Watches in development for what is not deterministic. */
  readonly guard?: Guard;
}
