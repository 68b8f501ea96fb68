import { describe, expect, test } from 'vitest';
import { BUGS } from './bugs.js';
import { CLUSTER_BUGS } from './cluster/cluster-bugs.js';
import { PAXOS_BUGS } from './paxos/paxos-bugs.js';
import { TABS_BUGS } from './tabs/tabs-bugs.js';
import { hunt, seedsToCatch } from './planted.js';

describe('each planted bug is caught', () => {
  test.each([...BUGS, ...PAXOS_BUGS, ...CLUSTER_BUGS, ...TABS_BUGS])('$name: $what', async (bug) => {
    const found = await hunt(bug);
    expect(found, `not caught by seeds 1..${seedsToCatch(bug)}`).toBeDefined();
  });
});
