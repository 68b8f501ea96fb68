/**
 * A node whose log is told by hand what a group has agreed on: elections, strangers' slots, slots
 * that change nothing.
 */
import { encodeBatch } from '@oxbow/sdk/protocol';
import type { CommitEntry, SpaceId } from '@oxbow/sdk/protocol';
import type { Member } from '../../paxos/configuration.js';
import { replicaOf, TestServer } from './test-server.js';

interface Proposal {
  readonly payload: Uint8Array;
  readonly tag: number;
}

export class GroupMember extends TestServer {
  /** Proposed and neither chosen nor given up. */
  readonly proposed: Proposal[] = [];
  readonly refused: string[] = [];
  slot = 0;

  /** The log refuses proposals with this code. */
  refusing: string | undefined;

  protected override propose(payload: Uint8Array, tag: number): void {
    if (this.refusing !== undefined) {
      this.refused.push(this.refusing);
      return;
    }
    this.proposed.push({ payload, tag });
  }

  /** What the log has refused is told to the machine. */
  tellRefused(): void {
    for (const code of this.refused.splice(0)) this.machine.proposalRefused(code, this.now);
    this.settle();
  }

  lead(): this {
    this.machine.leadership({ kind: 'leading' }, this.now);
    this.settle();
    return this;
  }

  follow(clientUrl?: string): this {
    const leader = clientUrl === undefined ? undefined : memberAt(clientUrl);
    this.machine.leadership({ kind: 'following', leader }, this.now);
    this.settle();
    return this;
  }

  /** The oldest proposal is chosen. `tag` undefined: it was made in a leadership that is over. */
  choose(how: 'ours' | 'of a former leadership' | 'void' = 'ours'): void {
    const proposal = this.proposed.shift();
    if (proposal === undefined) throw new Error('nothing is proposed');
    const payload = how === 'void' ? undefined : proposal.payload;
    this.tell(payload, how === 'of a former leadership' ? undefined : proposal.tag);
  }

  /** The next slot, whatever it is. */
  tell(payload: Uint8Array | undefined, tag?: number): void {
    this.slot += 1;
    this.machine.chosen(this.slot, payload, tag, this.now);
    this.settle();
  }

  /** A slot of another leader. */
  tellEntries(space: SpaceId, ...entries: readonly CommitEntry[]): void {
    this.tell(new TextEncoder().encode(encodeBatch([{ space, entries }])));
  }
}

const memberAt = (clientUrl: string): Member =>
  ({
  // reason: tests name their members.
  id: 'b.1' as Member['id'], name: 'b', peerAddress: 'b:1', clientUrl,
});

/** `counter` c is `total` after it. */
export const entryOf = (csn: number, total: number, author = 'other'): CommitEntry => ({
  csn, at: csn, id: { replica: replicaOf(author), seq: csn }, lamport: csn, user: 'bob',
  outcome: { kind: 'applied' },
  effects: [{ table: 'counter', key: 'c', row: { id: 'c', total } }],
  body: { context: { csn: csn - 1, vector: {} }, name: 'add', version: 1, args: { id: 'c', by: 1 }, at: csn },
});
