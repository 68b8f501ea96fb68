/** Chance from the platform's cryptographic generator, in browsers and Node. */
import { v4 } from 'uuid';
import type { Entropy } from './clock.js';

export const systemEntropy: Entropy = {
  id: () => v4(),
  seed: () => globalThis.crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
};
