/**
 * Keys as bytes whose order is the order of the code units. UTF-8 orders by code point: it puts
 * U+FFFD before '😀', where JavaScript's `<` puts it after. Encoding each code unit on its own (the
 * way of CESU-8) keeps the order, and any string goes, even with half a surrogate pair.
 */

export function keyBytes(prefix: number, key: string): Buffer {
  const bytes = Buffer.allocUnsafe(1 + key.length * 3);
  bytes[0] = prefix;
  let size = 1;
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    if (unit < 0x80) {
      bytes[size++] = unit;
    } else if (unit < 0x800) {
      bytes[size++] = 0xc0 | (unit >> 6);
      bytes[size++] = 0x80 | (unit & 0x3f);
    } else {
      bytes[size++] = 0xe0 | (unit >> 12);
      bytes[size++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[size++] = 0x80 | (unit & 0x3f);
    }
  }
  return bytes.subarray(0, size);
}

/** The way back; `bytes` came from `keyBytes`. */
export function keyOfBytes(bytes: Uint8Array): string {
  let key = '';
  for (let at = 1; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    if (lead < 0x80) {
      key += String.fromCharCode(lead);
      at += 1;
    } else if (lead < 0xe0) {
      key += String.fromCharCode(((lead & 0x1f) << 6) | (second & 0x3f));
      at += 2;
    } else {
      const third = bytes[at + 2] ?? 0;
      key += String.fromCharCode(((lead & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f));
      at += 3;
    }
  }
  return key;
}
