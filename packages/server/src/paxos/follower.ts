/**
 * What a member does at a leader's word: accepts, learns how far all is chosen, and answers. Its
 * `accepted` waits for the disk; its `heard` does not, so that a slow disk is never taken for a
 * dead member.
 */
import type { MemberId } from './ballot.js';
import type { CatchUp } from './catch-up.js';
import type { Ground } from './ground.js';
import type { PaxosMessage } from './message.js';

export class Follower {
  readonly #ground: Ground;
  readonly #catchUp: CatchUp;

  constructor(ground: Ground, catchUp: CatchUp) {
    this.#ground = ground;
    this.#catchUp = catchUp;
  }

  /** Phase 2a, of a ballot that is not refused. */
  accept(from: MemberId, message: PaxosMessage & { readonly kind: 'accept' }, now: number): void {
    const { acceptor, learner, limits } = this.#ground;
    const { ballot, firstSlot, values, chosenUpTo } = message;
    if (learner.unappliedBytes <= limits.unappliedBytesMax) {
      const last = learner.chosenSlot + limits.aheadSlotsMax;
      let slot = firstSlot;
      for (const value of values) {
        if (slot > learner.chosenSlot && slot <= last) acceptor.accept(ballot, slot, value);
        slot += 1;
      }
    }
    if (!learner.hear(ballot, chosenUpTo)) this.#catchUp.want(from, now);
    this.answer(from);
  }

  heartbeat(
    from: MemberId,
    { ballot, round, chosenUpTo }: PaxosMessage & { readonly kind: 'heartbeat' },
    { now, appliedUpTo }: { readonly now: number; readonly appliedUpTo: number },
  ): void {
    const { acceptor, learner, effects } = this.#ground;
    if (!learner.hear(ballot, chosenUpTo)) this.#catchUp.want(from, now);
    effects.send(from, {
      kind: 'heard', ballot, round, upTo: acceptor.heldUpTo(ballot, learner.chosenSlot),
      chosenUpTo: learner.chosenSlot, appliedUpTo,
    });
  }

  /** Phase 2b: how far all is on this disk, to the leader whose ballot was promised last. */
  answer(leader: MemberId): void {
    const { acceptor, learner: { chosenSlot }, effects } = this.#ground;
    const ballot = acceptor.promised;
    if (ballot === undefined || ballot.member !== leader) return;
    effects.afterPersist(leader, {
      kind: 'accepted', ballot, upTo: acceptor.heldUpTo(ballot, chosenSlot), chosenUpTo: chosenSlot,
    });
  }
}
