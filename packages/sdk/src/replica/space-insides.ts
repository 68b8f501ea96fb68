/** What the parts of a space share that live in files of their own, for programs that need them. */
import type { AppDefinition } from '../model/index.js';
import type { SpaceOwner } from './changes.js';
import type { Settler } from './settlement.js';
import type { SpaceState } from './state.js';

/** What a space is made of, for the parts that not every program needs. */
export interface SpaceInsides<A extends AppDefinition> {
  readonly state: SpaceState<A>;
  readonly settler: Settler<A>;
  readonly owner: SpaceOwner;
  /** `pending()` or the receipts are others now. */
  changed(): void;
  /** Own updates stay here until they are issued anew. */
  withhold(): void;
}
