/**
 * A node's place in its cluster, as one machine: whom it is linked with, whether it belongs, and,
 * while it leads, who else shall. It sees announcements and configurations only; ballots and slots
 * are the log's.
 */
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration } from '../paxos/configuration.js';
import type { Announcement, ClusterMessage, Standing } from './cluster-message.js';
import type { Advice, Belonging, ClusterEffects, Order } from './effects.js';
import { Formation, type FormationConfig } from './formation.js';
import { LeaderMembership, type MembershipView } from './membership.js';

export class ClusterMachine {
  readonly #formation: Formation;
  readonly #membership: LeaderMembership;
  readonly #own: MembershipView['own'];

  constructor(config: FormationConfig, out: ClusterEffects) {
    this.#own = { peerAddress: config.peerAddress, clientUrl: config.clientUrl };
    this.#formation = new Formation(config, out);
    this.#membership = new LeaderMembership(() => this.#view(), out);
  }

  get id(): MemberId {
    return this.#formation.id;
  }

  get standing(): Standing {
    return this.#formation.standing;
  }

  get belonging(): Belonging | undefined {
    return this.#formation.belonging;
  }

  get configuration(): Configuration | undefined {
    return this.#membership.configuration;
  }

  get heard(): ReadonlyMap<string, Announcement | undefined> {
    return this.#formation.heard;
  }

  advice(): Advice | undefined {
    return this.#formation.advice();
  }

  start(): void {
    this.#formation.start();
  }

  linked(name: string): void {
    this.#formation.linked(name);
  }

  cut(name: string): void {
    this.#formation.cut(name);
  }

  message(name: string, message: ClusterMessage): void {
    this.#formation.message(name, message);
  }

  persisted(): void {
    this.#formation.persisted();
  }

  /** From the log: it governs from now on. */
  configured(configuration: Configuration): void {
    this.#membership.configured(configuration);
    this.#formation.configured(configuration);
  }

  leadership(isLeading: boolean): void {
    this.#membership.leadership(isLeading);
  }

  order(order: Order, tag: number): void {
    this.#membership.order(order, tag);
  }

  changeFailed(code: string, message: string): void {
    this.#membership.changeFailed(code, message);
  }

  /** A few times a second, with what the leader knows of its members. */
  tick(chosenSlot: number, appliedSlots: ReadonlyMap<MemberId, number>): void {
    this.#membership.tick(chosenSlot, appliedSlots);
  }

  #view(): MembershipView | undefined {
    const { belonging, id, heard } = this.#formation;
    if (belonging === undefined) return undefined;
    return { self: id, own: this.#own, cluster: belonging.cluster, heard };
  }
}
