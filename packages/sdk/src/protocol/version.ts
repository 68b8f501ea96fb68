/**
 * The protocol's version: negotiated when a link opens, so that old and new programs meet in the
 * newest that both speak, and say so clearly when there is none.
 *
 * History:
 *   1  the first: open/opened, commits, updates, transfer by pages, bundles.
 *   2  `barrier`, `barrier-at`, `barrier-failed`: nobody sends one on a link that speaks 1.
 *
 * Without a new version: `newest` in `open` and `opened`, `formerly`, `needs` and `app` in an
 * update, counter and time in a line of the ledger; who does not know them passes them over. And
 * `redirect` in a `fail`, which comes before any version is agreed on. Who does not know the field
 * passes it over and waits, as it always did (docs/decisions/).
 *
 * Floor: 1. A version leaves the range only when no supported client can speak it alone.
 */
import { OxbowError } from './error.js';

export const PROTOCOL_NEWEST = 2;
export const PROTOCOL_OLDEST = 1;

/** From this version on a link carries barriers. */
export const BARRIERS_SINCE = 2;

export type VersionRange = readonly [oldest: number, newest: number];
export const protocolVersions: VersionRange = [PROTOCOL_OLDEST, PROTOCOL_NEWEST];

/**
 * The version that both speak: the newest in common. Asked by the one who answers a `hello`.
 * Errors: `protocol-version`.
 */
export function negotiateVersion(theirs: VersionRange, ours = protocolVersions): number {
  const newest = Math.min(theirs[1], ours[1]);
  if (newest >= Math.max(theirs[0], ours[0])) return newest;
  const behind = theirs[1] < ours[0] ? 'the other side' : 'this side';
  throw new OxbowError(
    'protocol-version',
    `Cannot talk: the other side speaks protocol ${spoken(theirs)}, this side ${spoken(ours)}. ` +
      `Update ${behind}.`,
  );
}

const spoken = ([oldest, newest]: VersionRange): string =>
  oldest === newest ? String(oldest) : `${oldest} to ${newest}`;
