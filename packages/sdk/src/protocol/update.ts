/**
 * The two things that replicas exchange: updates (an invocation, tentative) and commit entries (its
 * final place, outcome and effects). Petersen et al., SOSP'97 §3; the effects travel with the
 * commit so that committed state never depends on the receiver's code.
 */
import type { ReplicaId, UpdateId, VersionVector } from './ids.js';

/** What can travel (rich-value.ts names the types). Plain JSON values take the fast path. */
export type Value = unknown;
export type Row = Readonly<Record<string, Value>>;

/** A key as text: `<` on code units sorts it in the documented key order (model/key.ts). */
export type KeyText = string;

/** What the author had seen: everything up to `csn`, and of tentative updates those in `vector`. */
export interface Context {
  readonly csn: number;
  /** Other replicas' tentative updates that the author held. Own earlier ones are implied. */
  readonly vector: VersionVector;
}

/**
 * Updates that had no final place when this one was made, and that it stands on: it is refused if
 * one of them is. Who decides goes by this alone, never by what its own code says of the mutation.
 */
export interface Needs {
  /** `review`: its author is asked. Both are refused; the code tells them apart. */
  readonly policy: 'reject' | 'review';
  /** Sequences, ascending. Each was held by the author, and is lower in the order of stamps. */
  readonly seqs: Readonly<Record<ReplicaId, readonly number[]>>;
  /** The update that it takes back, whatever has become of that. */
  readonly undoes?: UpdateId | undefined;
}

export interface Update {
  readonly id: UpdateId;
  readonly lamport: number;
  readonly context: Context;
  readonly name: string;
  /** The mutation's version at the author. */
  readonly version: number;
  /** As the author gave them; each replica parses them with its own schema. */
  readonly args: Value;
  /** Wall time at the author, ms since 1970. Advisory: no order depends on it. It is `tx.now`. */
  readonly at: number;
  /**
   * Its first id, where its author has issued it anew: whoever holds it under that one, a former
   * self or a copy of the author, sees by it that it was taken over.
   */
  readonly formerly?: UpdateId | undefined;
  readonly needs?: Needs | undefined;
  /** The version of its author's app, where that is not 1. */
  readonly app?: number | undefined;
}

export type Outcome =
  | { readonly kind: 'applied' }
  /** `index` counts from 0 in the list that `alternatives` returned. */
  | { readonly kind: 'alternative'; readonly index: number }
  | { readonly kind: 'merged' }
  | { readonly kind: 'rejected'; readonly code: string; readonly detail?: Value };

/** A row as it is after the commit; `row: null` says that it is gone. */
export interface Effect {
  readonly table: string;
  readonly key: KeyText;
  readonly row: Row | null;
}

export interface CommitEntry {
  readonly csn: number;
  /** Commit timestamp, ms since 1970, never decreasing within a space. */
  readonly at: number;
  readonly id: UpdateId;
  readonly lamport: number;
  /** The verified author, as the primary knew it. */
  readonly user: string | null;
  readonly outcome: Outcome;
  readonly effects: readonly Effect[];
  /** The update's body; left out towards a receiver that holds it. */
  readonly body?: UpdateBody;
  /**
   * The body's `at`, where the body is left out: it tells the update from another that bears its
   * id.
   */
  readonly madeAt?: number;
}

export type UpdateBody = Pick<
  Update, 'context' | 'name' | 'version' | 'args' | 'at' | 'formerly' | 'needs' | 'app'
>;

/**
 * replica → last settled sequence, and whose replica it is. Part of the committed state.
 * ledger-line.ts says what counter and time are for.
 */
export interface LedgerLine extends Partial<Mark> {
  readonly replica: ReplicaId;
  readonly seq: number;
  readonly user: string | null;
}

/** Which update bears a number: its counter, and the wall time of its making. */
export interface Mark {
  readonly seq: number;
  readonly lamport: number;
  readonly madeAt: number;
}
