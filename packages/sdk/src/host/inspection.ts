/**
 * The one door through which an inspector looks into a replica. It hands out the living parts, as
 * copying a log or a base for nobody's eyes would cost what a page has not; so it stands behind a
 * symbol, outside the API, and its user only reads. The one thing that he may set is a space's
 * `ground.watch` (replica/rebase.ts): nothing is recorded until somebody watches.
 */
import type { ReplicaMachine } from '../replica/machine.js';
import type { ReplicaHealth } from './health.js';
import type { ReplicaHost } from './replica-host.js';

/** The same in every copy of this module: the inspector may come out of another bundle. */
export const INSPECTION: unique symbol = Symbol.for('@oxbow/sdk inspection');

export interface Inspection {
  readonly host: Pick<ReplicaHost, 'now' | 'beside' | 'facts' | 'hurry'> & {
    readonly machine: Pick<ReplicaMachine, 'view' | 'links'>;
    /** Of a tab (tab-host.ts). */
    askKeeper?(isPinging: boolean, seen: (view: unknown) => void): void;
  };
  readonly health: ReplicaHealth;
  /** ms since 1970. */
  wallNow(): number;
}
