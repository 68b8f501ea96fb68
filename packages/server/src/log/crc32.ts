/**
 * CRC-32 (IEEE 802.3, as in zlib), eight bytes per step: the plain byte loop would cost as much as
 * writing the log. Kounavis and Berry, "A Systematic Approach to Building High Performance
 * Software-Based CRC Generators", 2005.
 */

const POLYNOMIAL = 0xedb88320;

/**
 * Eight tables of 256 in a row: table k maps a byte that is k bytes ahead of the end of the step.
 */
const tables = buildTables();

function buildTables(): Int32Array {
  const built = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    built[byte] = crc;
  }
  for (let at = 256; at < built.length; at++) {
    const shorter = built[at - 256] ?? 0;
    built[at] = (shorter >>> 8) ^ (built[shorter & 255] ?? 0);
  }
  return built;
}

/**
 * Checksum of `bytes[from, to)`; `before` continues an earlier checksum. Answers an unsigned
 * 32-bit number.
 */
export function crc32(bytes: Uint8Array, from = 0, to = bytes.length, before = 0): number {
  const t = tables;
  let crc = ~before;
  let at = from;
  for (const last = to - 8; at <= last; at += 8) {
    const low = crc ^ wordAt(bytes, at);
    // `?? 0` is for the compiler: every index is masked or below `to`. It costs nothing (measured).
    crc =
      (t[1792 + (low & 255)] ?? 0) ^
      (t[1536 + ((low >>> 8) & 255)] ?? 0) ^
      (t[1280 + ((low >>> 16) & 255)] ?? 0) ^
      (t[1024 + (low >>> 24)] ?? 0) ^
      (t[768 + (bytes[at + 4] ?? 0)] ?? 0) ^
      (t[512 + (bytes[at + 5] ?? 0)] ?? 0) ^
      (t[256 + (bytes[at + 6] ?? 0)] ?? 0) ^
      (t[bytes[at + 7] ?? 0] ?? 0);
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[at] ?? 0)) & 255] ?? 0);
  return ~crc >>> 0;
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) |
  ((bytes[at + 1] ?? 0) << 8) |
  ((bytes[at + 2] ?? 0) << 16) |
  ((bytes[at + 3] ?? 0) << 24);
