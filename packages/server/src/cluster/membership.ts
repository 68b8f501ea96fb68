/**
 * The leader's care for its group: who is to be added, filled, promoted, replaced. One change at a
 * time, learners first: a learner counts for no quorum, so a wrong address or a typo in a name can
 * be taken back (etcd's learners, and its outages before them). A node whose disk was lost comes
 * back under a new id; when it has caught up, one change puts it in the place of what it was.
 */
import type { MemberId } from '../paxos/ballot.js';
import { quorumSize, type Configuration, type Member, type Membership } from '../paxos/configuration.js';
import { paxosLimits } from '../paxos/limits.js';
import type { Announcement } from './cluster-message.js';
import type { ClusterEffects, Order, OrderResult } from './effects.js';
import { nameOfMember } from './node-name.js';

export interface MembershipView {
  readonly self: MemberId;
  /** Where this node is reached now. */
  readonly own: Pick<Member, 'peerAddress' | 'clientUrl'>;
  readonly cluster: string;
  /** Linked nodes and what they said. */
  readonly heard: ReadonlyMap<string, Announcement | undefined>;
}

/** A learner this close behind is promoted: as much as may be under way at any moment. */
const CAUGHT_UP_SLOTS = paxosLimits.windowSlotsMax;

/**
 * After a change of its own that came to nothing the leader looks around this many ticks longer.
 */
const PAUSE_TICKS = 10;

interface Pending {
  /** Of the configuration that the change ends. */
  readonly number: number;
  readonly tag: number | undefined;
  readonly message: string;
}

export class LeaderMembership {
  readonly #view: () => MembershipView | undefined;
  readonly #out: ClusterEffects;
  #configuration: Configuration | undefined;
  #isLeading = false;
  #pending: Pending | undefined;
  #pauseTicks = 0;

  /** `view`: undefined while the node belongs to no cluster. */
  constructor(view: () => MembershipView | undefined, out: ClusterEffects) {
    this.#view = view;
    this.#out = out;
  }

  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  leadership(isLeading: boolean): void {
    this.#isLeading = isLeading;
    if (!isLeading) this.#settle({ code: 'not-leader', message: notLeader(UNKNOWN) });
  }

  configured(configuration: Configuration): void {
    this.#configuration = configuration;
    const pending = this.#pending;
    if (pending !== undefined && configuration.number > pending.number) {
      this.#settle({ code: 'done', message: pending.message });
    }
  }

  changeFailed(code: string, message: string): void {
    this.#settle({ code, message });
  }

  order(order: Order, tag: number): void {
    const [view, now] = [this.#view(), this.#configuration];
    if (!this.#isLeading || view === undefined || now === undefined) {
      this.#out.answer(tag, { code: 'not-leader', message: notLeader('Ask the leader.') });
      return;
    }
    if (order.kind === 'transfer') {
      this.#out.answer(tag, this.#transfer(order.name, now, view));
      return;
    }
    if (this.#pending !== undefined) {
      this.#out.answer(tag, changeUnderWay);
      return;
    }
    const plan = (order.kind === 'add' ? planToAdd : planToRemove)(order.name, now, view);
    if ('code' in plan) this.#out.answer(tag, plan);
    else this.#propose(plan, tag);
  }

  /** `appliedSlots`: what members are known to have applied; `chosenSlot`: of the leader. */
  tick(chosenSlot: number, appliedSlots: ReadonlyMap<MemberId, number>): void {
    if (this.#pauseTicks > 0) {
      this.#pauseTicks -= 1;
      return;
    }
    const [view, now] = [this.#view(), this.#configuration];
    if (!this.#isLeading || this.#pending !== undefined) return;
    if (view === undefined || now === undefined) return;
    // In a young group nobody lags far; but it must have taken in that it belongs here.
    const least = Math.max(chosenSlot - CAUGHT_UP_SLOTS, now.fromSlot - 1);
    const isCaughtUp = ({ id }: Member): boolean => (appliedSlots.get(id) ?? -Infinity) >= least;
    const plan = planToReaddress(now, view) ?? this.#planToFill(now, view, isCaughtUp);
    if (plan !== undefined) this.#propose(plan, undefined);
  }

  #planToFill(
    now: Configuration, view: MembershipView, isCaughtUp: (member: Member) => boolean,
  ): Plan | undefined {
    const ripe = now.learners.find((learner) => isCaughtUp(learner) && isReachable(learner, view));
    return ripe === undefined ? planToRefill(now, view) : planToPromote(ripe, now);
  }

  #propose({ next, message }: Plan, tag: number | undefined): void {
    if (this.#configuration === undefined) return;
    this.#pending = { number: this.#configuration.number, tag, message };
    const [voters, learners] = [idsOf(next.voters), idsOf(next.learners)];
    this.#out.log('info', 'cluster-change', { message, voters, learners });
    this.#out.change(next);
  }

  #settle(result: OrderResult): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending?.tag !== undefined) this.#out.answer(pending.tag, result);
    else if (pending !== undefined && result.code !== 'done') {
      this.#pauseTicks = PAUSE_TICKS;
      this.#out.log('warn', 'cluster-change-failed', { ...result, change: pending.message });
    }
  }

  #transfer(name: string, { voters }: Configuration, view: MembershipView): OrderResult {
    const voter = voters.find((member) => member.name === name);
    if (voter === undefined) return { code: 'node-unknown', message: `No voter is called '${name}'.` };
    if (voter.id === view.self) return { code: 'done', message: `'${name}' leads already.` };
    if (!isReachable(voter, view)) return unreachableNode(name);
    this.#out.transfer(voter.id);
    return { code: 'done', message: `'${name}' was asked to take over.` };
  }
}

interface Plan {
  readonly next: Membership;
  readonly message: string;
}

export function planToAdd(
  name: string, now: Configuration, view: MembershipView,
): Plan | OrderResult {
  if (now.voters.some((member) => member.name === name)) {
    return { code: 'done', message: `'${name}' is a voter already.` };
  }
  if (now.learners.some((member) => member.name === name)) {
    const message = `'${name}' is a learner already; it becomes a voter when it has caught up.`;
    return { code: 'done', message };
  }
  const said = view.heard.get(name);
  if (said === undefined) return unreachableNode(name);
  if (!isFree(said, view)) return taken(name, said, view);
  if (now.voters.length >= paxosLimits.votersMax) {
    return { code: 'config-invalid', message: `A group has at most ${paxosLimits.votersMax} voters.` };
  }
  return {
    next: { voters: now.voters, learners: [...now.learners, memberOf(said)] },
    message: `'${name}' is a learner now; it becomes a voter when it has caught up.`,
  };
}

/** Never by force: what is left must be able to go on, now. */
export function planToRemove(
  name: string, now: Configuration, view: MembershipView,
): Plan | OrderResult {
  const isOther = (member: Member): boolean => member.name !== name;
  const next = { voters: now.voters.filter(isOther), learners: now.learners.filter(isOther) };
  const isVoter = next.voters.length < now.voters.length;
  if (!isVoter && next.learners.length === now.learners.length) {
    return { code: 'node-unknown', message: `No member is called '${name}'.` };
  }
  if (next.voters.length === 0) {
    const message = `'${name}' is the last voter: add another node before removing this one.`;
    return { code: 'quorum-at-risk', message };
  }
  const reachable = next.voters.filter((member) => isReachable(member, view)).length;
  const needed = quorumSize(next);
  if (isVoter && reachable < needed) {
    const message = `Without '${name}' ${needed} of ${next.voters.length} voters must be there, and ${reachable} are. ` +
      'Bring the others back first, or add a node before removing this one.';
    return { code: 'quorum-at-risk', message };
  }
  const message = `'${name}' is removed. Its data directory cannot be used again: empty it before ` +
    'adding the node anew.';
  return { next, message };
}

/** A known name under an id that nobody knows: its disk was lost, or no longer trusted. */
export function planToRefill(now: Configuration, view: MembershipView): Plan | undefined {
  const known = [...now.voters, ...now.learners];
  for (const [name, said] of view.heard) {
    if (said === undefined || !isFree(said, view)) continue;
    const isKnownName = known.some((member) => member.name === name);
    if (!isKnownName || known.some(({ id }) => id === said.id)) continue;
    const others = now.learners.filter((learner) => learner.name !== name);
    return {
      next: { voters: now.voters, learners: [...others, memberOf(said)] },
      message: `'${name}' came back with an empty disk: it is filled under the id ${said.id}.`,
    };
  }
  return undefined;
}

/** A member that is reached elsewhere than the configuration says, and has proven to be the one. */
export function planToReaddress(now: Configuration, view: MembershipView): Plan | undefined {
  const present = (member: Member): Member => {
    const said = member.id === view.self ? view.own : view.heard.get(member.name);
    if (said === undefined || !isReachable(member, view)) return member;
    return { ...member, peerAddress: said.peerAddress, clientUrl: said.clientUrl };
  };
  const next = { voters: now.voters.map(present), learners: now.learners.map(present) };
  const isSame = (a: Member, b: Member | undefined): boolean =>
    a.peerAddress === b?.peerAddress && a.clientUrl === b.clientUrl;
  const moved = [...now.voters, ...now.learners]
    .filter((member, i) => !isSame(member, [...next.voters, ...next.learners][i]));
  if (moved.length === 0) return undefined;
  return { next, message: `Reached elsewhere now: ${moved.map(({ name }) => name).join(', ')}.` };
}

export function planToPromote(learner: Member, now: Configuration): Plan | undefined {
  const isReplacing = now.voters.some(({ name }) => name === learner.name);
  if (!isReplacing && now.voters.length >= paxosLimits.votersMax) return undefined;
  return {
    next: {
      voters: [...now.voters.filter(({ name }) => name !== learner.name), learner],
      learners: now.learners.filter(({ id }) => id !== learner.id),
    },
    message: `'${learner.name}' has caught up and is a voter now.`,
  };
}

function isReachable({ id, name }: Member, { self, heard, cluster }: MembershipView): boolean {
  if (id === self) return true;
  const said = heard.get(name);
  return said?.id === id && said.standing === 'member' && said.cluster === cluster;
}

/** It belongs to no cluster, and to none but ours before. */
function isFree(said: Announcement, view: MembershipView): boolean {
  return (said.standing === 'fresh' || said.standing === 'forgetful') && !isOfOther(said, view);
}

const isOfOther = ({ cluster }: Announcement, view: MembershipView): boolean =>
  cluster !== undefined && cluster !== view.cluster;

function memberOf({ id, peerAddress, clientUrl }: Announcement): Member {
  return { id, name: nameOfMember(id), peerAddress, clientUrl };
}

const idsOf = (members: readonly Member[]): readonly MemberId[] => members.map(({ id }) => id);
const UNKNOWN = 'It is not known whether the change took effect.';
const notLeader = (more: string): string => `This node does not lead. ${more}`;

const changeUnderWay: OrderResult = {
  code: 'change-under-way',
  message: 'A change of the group is under way. Try again in a moment.',
};

function unreachableNode(name: string): OrderResult {
  const message = `The leader has no link with '${name}'. Start it with the cluster's list and secret, ` +
    'and look at `oxbow cluster doctor`.';
  return { code: 'node-unreachable', message };
}

function taken(name: string, said: Announcement, view: MembershipView): OrderResult {
  const message = isOfOther(said, view)
    ? `'${name}' belongs to another cluster. Give it an empty data directory.`
    : `'${name}' was removed from this cluster and its id is never used again. Give it an empty data directory.`;
  return { code: isOfOther(said, view) ? 'cluster-mismatch' : 'member-removed', message };
}
