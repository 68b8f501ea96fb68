import { describe, test } from 'vitest';
import type { Storage } from './storage.js';
import { memory } from './storage-memory.js';
import { lawsFor } from './testing/storage-laws.js';
import type { StorageBench } from './testing/storage-laws.js';

function memoryBench(): StorageBench {
  const places = new Map<string, Storage>();
  return {
    kind: 'memory',
    storage: (place) => {
      const storage = places.get(place) ?? memory();
      places.set(place, storage);
      return storage;
    },
  };
}

describe('memory keeps the laws of storage:', () => {
  const bench = memoryBench();
  for (const law of lawsFor(bench)) test(law.name, () => law.run(bench));
});
