/** How a node that starts alone becomes a group of one. */
import type { Member } from '../paxos/configuration.js';
import type { JoinedRecord } from './member-disk.js';

export interface Founding {
  /** A fresh id: never used for any cluster before. */
  readonly cluster: string;
  readonly self: Member;
  /** Where the state stands that the cluster begins with; 0 for an empty one. */
  readonly slot: number;
}

/** The first record of the only member of a new cluster. */
export function foundAlone({ cluster, self, slot }: Founding): JoinedRecord {
  const configuration = { number: 0, fromSlot: slot + 1, voters: [self], learners: [] };
  return {
    kind: 'joined', cluster, self: self.id, base: { slot, configuration, epoch: undefined },
  };
}
