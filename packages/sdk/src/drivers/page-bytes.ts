/**
 * Pages as bytes under a checksum. As a string a page is read, copied and looked at char by char,
 * which takes longer than all the rest of a start; bytes come as one block, are looked at four at a
 * time, and the platform makes the text of them.
 */

/** Words before the text: its length in bytes, and two independent mixes of all words but these. */
const HEAD = 3;

export function toBytes(text: string): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const words = new Int32Array(HEAD + Math.ceil(encoded.length / 4));
  const bytes = new Uint8Array(words.buffer);
  bytes.set(encoded, HEAD * 4);
  words[0] = encoded.length;
  words.set(sumsOf(words), 1);
  return bytes;
}

/** Empty if they are not as they were written. */
export function fromBytes(bytes: Uint8Array): string {
  if (bytes.length % 4 > 0) return '';
  const { buffer, byteOffset } = bytes.byteOffset % 4 > 0 ? bytes.slice() : bytes;
  const words = new Int32Array(buffer, byteOffset, bytes.length / 4);
  const [length = 0, ...sums] = words.subarray(0, HEAD);
  if (String(sumsOf(words)) !== String(sums)) return '';
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(HEAD * 4, HEAD * 4 + length));
}

/** As `checksum` (protocol/page.ts) mixes chars. */
function sumsOf(words: Int32Array): readonly number[] {
  let a = words[0] ?? 0;
  let b = words.length;
  for (let i = HEAD; i < words.length; i++) {
    // reason: within its length.
    const word = words[i] as number;
    a = Math.imul(((a << 15) | (a >>> 17)) ^ word, 0x01000193);
    b = Math.imul((b << 13) | (b >>> 19), 0x2c1b3c6d) ^ word;
  }
  return [a, b];
}
