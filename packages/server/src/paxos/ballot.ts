/**
 * Who may propose: a round and the member that opened it, ordered by round first. Two members never
 * open the same ballot, for a member's id is used by one incarnation of one disk only.
 * Lamport, "Paxos Made Simple", 2001, §2.2.
 */

declare const brand: unique symbol;

/**
 * One incarnation of a node's disk: `<name>.<random>`. Never used again after its disk was lost,
 * for what forgot its promises must not vote in the name of what gave them.
 */
export type MemberId = string & { readonly [brand]: 'MemberId' };

export interface Ballot {
  readonly round: number;
  readonly member: MemberId;
}

/** Negative: `a` is below `b`. Ids are ASCII: code units order them alike everywhere. */
export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.round !== b.round) return a.round - b.round;
  if (a.member === b.member) return 0;
  return a.member < b.member ? -1 : 1;
}

export const isSameBallot = (a: Ballot, b: Ballot): boolean =>
  a.round === b.round && a.member === b.member;
