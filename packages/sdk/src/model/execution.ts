/** What one execution of a mutation yields. */
import type { Effect, Outcome, Update } from '../protocol/index.js';
import type { ReadSet } from './reader.js';

export interface Execution {
  readonly outcome: Outcome;
  /** One per key written, in key order of first write; empty when rejected. */
  readonly effects: readonly Effect[];
  readonly reads: ReadSet;
  /** The mutation is unknown here (older code): kept and forwarded, not executed. */
  readonly opaque: boolean;
}

/** What an execution needs besides the state. `parsed` is the result of `parseArgs`, computed once per update. */
export interface Invocation {
  readonly update: Pick<Update, 'id' | 'name' | 'version' | 'args' | 'at'>;
  readonly user: string | null;
  readonly side: 'client' | 'server';
  /** Freeze rows and report nondeterminism. */
  readonly dev: boolean;
}
