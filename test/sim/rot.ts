/** Which bytes of a log's files are part of it: rot there must be noticed. */
import { HEADER_BYTES, type ChainPlace } from '../../packages/server/src/log/record.js';
import { scanSegment } from '../../packages/server/src/log/scan.js';

/** Of a header's bytes these are not covered by anything: they only fill it up. */
const FILLING_BYTES = 4;

/** `files`: oldest first. Whether the byte belongs to a record or a mark of the log. */
export function isOfLog(
  files: readonly (readonly [name: string, bytes: Uint8Array])[], name: string, at: number,
): boolean {
  let last: ChainPlace | undefined;
  for (const [each, bytes] of files) {
    const scan = scanSegment(bytes, last);
    const isHit = scan.links.some(({ offset, payload }) => {
      const from = offset + HEADER_BYTES;
      const isInHead = at >= offset && at < from - FILLING_BYTES;
      return isInHead || (at >= from && at < from + payload.length);
    });
    if (each === name) return isHit;
    if (scan.links.length === 0) return false;
    last = scan.last;
  }
  return false;
}
