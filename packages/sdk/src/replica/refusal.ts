/**
 * What helps when the other side refuses. Codes are stable (docs/errors.md); one that is not known
 * here (a newer server) is waited out, since a replica that gives up for ever is worse than one
 * that asks too often.
 */

export type Remedy =
  /** Ask the token source again. */
  | 'new-token'
  /**
   * Our replica id is another's, too: write under a fresh one, if that does not hand one user's
   * work to another.
   */
  | 'new-replica'
  /**
   * Nothing that a replica can do: the person, the app or the server has to change. Asked again
   * rarely.
   */
  | 'change'
  | 'wait';

const REMEDIES: ReadonlyMap<string, Remedy> = new Map<string, Remedy>([
  ['token-expired', 'new-token'],
  ['replica-not-yours', 'new-replica'],
  ['replica-cloned', 'new-replica'],
  ['token-invalid', 'change'],
  ['token-missing', 'change'],
  ['protocol-version', 'change'],
  ['app-unknown', 'change'],
  ['app-newer', 'change'],
]);

export function remedyFor(code: string): Remedy {
  return REMEDIES.get(code) ?? 'wait';
}

/**
 * What another node of the same service would say, too. Codes that are not known here may be one
 * node's trouble.
 */
const OF_ALL_NODES: ReadonlySet<string> = new Set(['superseded', 'app-newer', 'client-refused']);

/** Another address may help. */
export const isOfOneNode = (code: string): boolean => !OF_ALL_NODES.has(code);
