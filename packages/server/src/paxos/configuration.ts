/**
 * Who decides. A configuration governs the slots from `fromSlot` up to and including the stop-sign
 * that ends it; the next one starts right after. Voters make quorums; learners are filled and never
 * counted. Lamport, Malkhi, Zhou, "Reconfiguring a State Machine", 2010 (stop-signs).
 */
import type { MemberId } from './ballot.js';

export interface Member {
  readonly id: MemberId;
  /** What operators call the node; unique in a configuration among voters, and among learners. */
  readonly name: string;
  /** `host:port` where other nodes reach it. */
  readonly peerAddress: string;
  /** URL where clients reach it, for redirects. */
  readonly clientUrl: string;
}

export interface Membership {
  readonly voters: readonly Member[];
  readonly learners: readonly Member[];
}

export interface Configuration extends Membership {
  /** 0 for the first; one more with each stop-sign. */
  readonly number: number;
  readonly fromSlot: number;
}

export const quorumSize = ({ voters }: Membership): number => Math.floor(voters.length / 2) + 1;

export const isVoter = ({ voters }: Membership, id: MemberId): boolean =>
  voters.some((member) => member.id === id);

export function findMember(membership: Membership, id: MemberId): Member | undefined {
  return membership.voters.find((member) => member.id === id) ??
    membership.learners.find((member) => member.id === id);
}
