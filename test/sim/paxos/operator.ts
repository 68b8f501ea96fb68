/**
 * Whoever runs the cluster: adds nodes, promotes, removes and replaces them, often before the last
 * change is through, and puts a node that lost its disk back under its new identity.
 */
import type { MemberId } from '../../../packages/server/src/paxos/ballot.js';
import type { Configuration, Membership } from '../../../packages/server/src/paxos/configuration.js';
import type { Random } from '../random.js';
import type { PaxosNode } from './paxos-node.js';

const VOTERS_MAX = 5;

export class Operator {
  readonly #random: Random;
  readonly #nodes: () => readonly PaxosNode[];
  readonly #founding: Configuration;
  readonly #wereMembers = new Set<MemberId>();

  constructor(options: {
    random: Random; nodes: () => readonly PaxosNode[]; founding: Configuration;
  }) {
    this.#random = options.random;
    this.#nodes = options.nodes;
    this.#founding = options.founding;
  }

  /** Puts right what is wrong; else does as it likes, if it may. */
  step(mayChange: boolean): void {
    const leader = this.#nodes().find(({ isLeading, process }) => isLeading && !process.isPaused);
    if (leader?.machine === undefined) return;
    const { configuration } = leader.machine;
    for (const { id } of [...configuration.voters, ...configuration.learners]) this.#wereMembers.add(id);
    const next = this.#repaired(configuration) ?? (mayChange ? this.#drawn(configuration) : undefined);
    if (next !== undefined) leader.change(next);
  }

  /** Whether some voter is a disk that is no more. */
  isRepairNeeded(configuration: Configuration): boolean {
    return this.#repaired(configuration) !== undefined;
  }

  #repaired({ voters, learners }: Configuration): Membership | undefined {
    for (const old of voters) {
      const node = this.#node(old.name);
      if (node === undefined || node.member.id === old.id || node.isRemoved) continue;
      const { member } = node;
      if (!learners.some(({ id }) => id === member.id)) {
        node.join(this.#founding);
        return { voters, learners: [...learners.filter(({ name }) => name !== old.name), member] };
      }
      return {
        voters: voters.map((voter) => (voter.id === old.id ? member : voter)),
        learners: learners.filter(({ id }) => id !== member.id),
      };
    }
    return undefined;
  }

  #drawn({ voters, learners }: Configuration): Membership | undefined {
    const learner = learners.length === 0 ? undefined : this.#random.pick(learners);
    const voter = this.#random.pick(voters);
    switch (this.#random.int(0, 5)) {
      case 0:
      case 1: return this.#withLearner({ voters, learners });
      case 2:
        if (learner === undefined || voters.length >= VOTERS_MAX) return undefined;
        return { voters: [...voters, learner], learners: without(learners, learner.id) };
      case 3:
        if (learner === undefined) return undefined;
        return {
          voters: [...without(voters, voter.id), learner], learners: without(learners, learner.id),
        };
      default:
        if (learner !== undefined && this.#random.chance(0.3)) {
          return { voters, learners: without(learners, learner.id) };
        }
        return voters.length < 2 ? undefined : { voters: without(voters, voter.id), learners };
    }
  }

  #withLearner({ voters, learners }: Membership): Membership | undefined {
    const names = new Set([...voters, ...learners].map(({ name }) => name));
    const free = this.#nodes().filter((node) =>
      !names.has(node.name) && (node.isRemoved || !this.#wereMembers.has(node.member.id)));
    if (free.length === 0) return undefined;
    const node = this.#random.pick(free);
    // What was in the group before comes as somebody else: its id was voted out.
    if (node.isRemoved) {
      if (node.process.isAlive) node.crash(true);
      node.wipe();
    }
    if (!node.process.isAlive) node.start();
    node.join(this.#founding);
    return { voters, learners: [...learners, node.member] };
  }

  #node(name: string): PaxosNode | undefined {
    return this.#nodes().find((node) => node.name === name);
  }
}

const without = <M extends { readonly id: MemberId }>(members: readonly M[], id: MemberId): M[] =>
  members.filter((member) => member.id !== id);
