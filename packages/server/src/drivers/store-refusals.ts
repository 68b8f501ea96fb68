/** What a state store refuses to take for its own. */
import { OxbowError } from '@oxbow/sdk/protocol';

/** Errors: `store-foreign`. */
export function mustBelong(
  place: { readonly history: string; readonly isBound: boolean }, cluster: string,
): void {
  if (!place.isBound || place.history === cluster) return;
  throw new OxbowError(
    'store-foreign',
    `Cannot use the state store: it belongs to the cluster '${place.history}', the node to ` +
      `'${cluster}'. Give the node the data directory that is its own.`,
  );
}

/** A state is never set back. Errors: `snapshot-outdated`. */
export function mustBeNewer(slot: number, appliedSlot: number): void {
  if (slot >= appliedSlot) return;
  throw new OxbowError(
    'snapshot-outdated',
    `Cannot take in a state of slot ${slot}: the present one stands at ${appliedSlot}. Fetch a newer one.`,
  );
}
