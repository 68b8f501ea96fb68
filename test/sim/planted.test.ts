import { describe, expect, test } from 'vitest';
import { BUGS } from './bugs.js';
import { hunt, SEEDS_TO_CATCH } from './planted.js';

describe('each planted bug is caught', () => {
  test.each(BUGS)('$name: $what', async (bug) => {
    const found = await hunt(bug);
    expect(found, `not caught by seeds 1..${SEEDS_TO_CATCH}`).toBeDefined();
  });
});
