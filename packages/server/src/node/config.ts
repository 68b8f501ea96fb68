/** What a node is made with. */
import type { AppDefinition } from '@oxbow/sdk/model';
import type { NodeLimits } from './limits.js';

/** Pure functions that the language's core lacks: UTF-8 both ways. */
export interface Utf8 {
  encode(text: string): Uint8Array;
  decode(bytes: Uint8Array): string;
}

export interface NodeConfig {
  readonly app: AppDefinition;
  /** Identity of the state store: the name of the sequence that csn counts in. */
  readonly history: string;
  /** Where the state store stands: `StateStore.opened`. */
  readonly appliedSlot: number;
  /** Freeze rows and report nondeterminism of mutations. */
  readonly dev: boolean;
  readonly utf8: Utf8;
  readonly limits: NodeLimits;
}
