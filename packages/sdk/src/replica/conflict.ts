/**
 * What became of own updates that did not go as asked. The list is durable, because the person may be away when the
 * decision comes; a callback that fires once loses the refused version for good.
 */
import type { Effect, Outcome, UpdateId, Value } from '../protocol/index.js';

/** `unknown`: settled, but the entry was no longer kept anywhere when we came back; the rows tell what is so. */
export type FinalOutcome = Outcome | { readonly kind: 'unknown' };

/** A committed update of another replica that changed what ours depended on. */
export interface Obstacle {
  readonly id: UpdateId;
  readonly csn: number;
  readonly user: string | null;
  readonly name: string | undefined;
}

/** One own update whose final outcome was not `applied`. Plain data; values may be anything that travels. */
export interface ConflictRecord {
  readonly id: UpdateId;
  /** Its place in the final order; 0 if unknown. */
  readonly csn: number;
  /** When it was settled: commit timestamp, ms. */
  readonly at: number;
  /** What was asked, when (wall time, ms), and what it had done here at first. */
  readonly name: string;
  readonly version: number;
  readonly args: Value;
  readonly askedAt: number;
  readonly attempt: readonly Effect[];
  /** What was got. */
  readonly outcome: FinalOutcome;
  readonly effects: readonly Effect[];
  /** Which updates stood in the way, oldest first; at most `limits.obstaclesMax`. */
  readonly obstacles: readonly Obstacle[];
}
