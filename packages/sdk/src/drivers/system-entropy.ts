/** Chance from the platform's cryptographic generator, in browsers and Node. */
import type { Entropy } from './clock.js';

export const systemEntropy: Entropy = {
  // Not `crypto.randomUUID`: a page without TLS has none.
  id: () => uuid(crypto.getRandomValues(new Uint8Array(16))),
  seed: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
};

const PARTS = /^(.{8})(.{4})(.{3})(.{3})(.{12}).*/;

/** Version 4, variant 10 (RFC 9562, section 5.4). */
function uuid(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = '89ab'.charAt((bytes[15] ?? 0) & 3);
  return hex.replace(PARTS, `$1-$2-4$3-${variant}$4-$5`);
}
