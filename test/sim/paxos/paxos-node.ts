/**
 * One node of the Paxos world: the real machine on a simulated disk, clock and network, with the
 * thinnest glue that can be right between them. What the real glue does is the cluster world's
 * affair.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { MemberId } from '../../../packages/server/src/paxos/ballot.js';
import type { Configuration, Member, Membership } from '../../../packages/server/src/paxos/configuration.js';
import type { Chosen, Leadership, PaxosEffects } from '../../../packages/server/src/paxos/effects.js';
import { GroupMember } from '../../../packages/server/src/paxos/group.js';
import type { PaxosMessage } from '../../../packages/server/src/paxos/message.js';
import type { Base } from '../../../packages/server/src/paxos/record.js';
import { recover } from '../../../packages/server/src/paxos/recovery.js';
import type { NodeNetwork } from '../node-network.js';
import type { Random } from '../random.js';
import { Process, type World } from '../world.js';
import { ListStore, type StoredLists } from './list-store.js';
import { ListService, type Answer, type Request } from './list-service.js';
import { decodeCommand, ListsState } from './lists-state.js';
import type { PaxosChecks } from './paxos-checks.js';
import type { PaxosSwarm } from './paxos-swarm.js';
import { RecordDisk } from './record-disk.js';

export type NodeFrame =
  | { readonly kind: 'hello'; readonly member: MemberId }
  | { readonly kind: 'paxos'; readonly from: MemberId; readonly to: MemberId; readonly message: PaxosMessage }
  | { readonly kind: 'state-wanted' }
  | { readonly kind: 'state'; readonly snapshot: StoredLists | undefined };

export interface PaxosNodeParts {
  readonly world: World;
  readonly network: NodeNetwork<NodeFrame>;
  readonly swarm: PaxosSwarm;
  readonly random: Random;
  readonly checks: PaxosChecks;
  readonly crashAWhile: (node: PaxosNode) => void;
}

const FETCH_MS = 500;

export class PaxosNode {
  readonly name: string;
  readonly process: Process;
  readonly disk: RecordDisk;
  readonly store: ListStore;
  readonly #parts: PaxosNodeParts;
  readonly #random: Random;
  #incarnation = 1;
  /** Which configuration it starts from; undefined: it waits to be told. */
  #founding: Configuration | undefined;
  #machine: GroupMember | undefined;
  #service: ListService | undefined;
  #state = new ListsState();
  #appliedSlot = 0;
  /** The members behind the nodes that it has a link with. */
  readonly #members = new Map<string, MemberId>();
  readonly #inputs: ((machine: GroupMember, now: number) => void)[] = [];
  #isInside = false;
  #fetch: { readonly from: string } | undefined;
  isRemoved = false;

  constructor(name: string, parts: PaxosNodeParts) {
    this.name = name;
    this.#parts = parts;
    this.#random = parts.random.fork(name);
    const { world, swarm } = parts;
    const ppm = swarm.driftPpm / 2;
    const drift = this.#random.fork('drift').int(-ppm, ppm + 1) / 1_000_000;
    this.process = new Process(world, name, 0, 1 + drift);
    const crashes = this.#random.fork('crashes');
    this.disk = new RecordDisk(world, this.process, {
      random: this.#random.fork('disk'), faults: swarm.disk,
      onFlush: () => {
        if (!crashes.chance(swarm.faults.crashInFlush)) return;
        world.after(crashes.exponential(swarm.disk.meanMs), () => parts.crashAWhile(this));
      },
      onPromise: ({ member }) => {
        if (member === this.member.id || !crashes.chance(swarm.faults.crashAtPromise)) return;
        world.after(crashes.exponential(2 + 2 * swarm.network.meanMs), () => {
          parts.crashAWhile(this);
          // Who led before may reach it by now; whom it promised may not reach that one.
          parts.network.healAround(this.name);
        });
      },
    });
    this.store = new ListStore(world, this.process, {
      random: this.#random.fork('store'), faults: swarm.disk,
    });
  }

  /** One incarnation of its disk. */
  get member(): Member {
    const { name } = this;
    return {
      // reason: the only place of the simulation that makes member ids.
      id: `${name}.${this.#incarnation}` as MemberId,
      name, peerAddress: `${name}:1`, clientUrl: `ws://${name}`,
    };
  }

  get machine(): GroupMember | undefined {
    return this.#machine;
  }

  get appliedSlot(): number {
    return this.#appliedSlot;
  }

  get state(): ListsState {
    return this.#state;
  }

  get isLeading(): boolean {
    return this.process.isAlive && this.#machine?.leadership.kind === 'leading';
  }

  /** The first start of an empty disk. */
  join(configuration: Configuration): void {
    this.#founding = configuration;
    if (this.process.isAlive) this.#found();
  }

  start(): void {
    if (this.isRemoved) return;
    const { network, swarm } = this.#parts;
    this.process.start();
    network.attach(this.process, {
      linked: (peer) => network.send(this.name, peer, 'control', { kind: 'hello', member: this.member.id }),
      frame: (peer, _channel, frame) => this.#frame(peer, frame),
      cut: (peer, channel) => this.#cut(peer, channel),
    });
    network.want(this.name, allNames(swarm));
    this.disk.recovered((records) => {
      if (this.#machine !== undefined) return;
      if (records.length === 0) {
        if (this.#founding !== undefined) this.#found();
        return;
      }
      const { base, slot, state } = this.store.stored;
      this.#state = new ListsState(state);
      this.#appliedSlot = slot;
      // The place that came with the state stands in for what the log may not have got to write.
      const recovered = recover(base === undefined ? records : [...records, { kind: 'trimmed', base }]);
      if (recovered === undefined) throw new Error('what was written is recovered');
      this.#run(new GroupMember({
        self: recovered.self, recovered, appliedSlot: slot, limits: swarm.limits,
        random: () => this.#random.unit(), effects: this.#effects(), now: this.process.monotonic(),
      }));
    });
  }

  crash(isPowerLost: boolean): void {
    this.process.crash();
    this.disk.crash(isPowerLost);
    this.store.crash();
    this.#parts.network.detach(this.name, isPowerLost);
    this.#machine = undefined;
    this.#service = undefined;
    this.#inputs.length = 0;
    this.#isInside = false;
    this.#members.clear();
    this.#fetch = undefined;
  }

  /**
   * While it is down: the disk is replaced by an empty one, and nothing of the old one is used
   * again.
   */
  wipe(): void {
    this.#parts.world.trace(`${this.name} has a new disk`);
    this.disk.wipe();
    this.store.wipe();
    this.#incarnation++;
    this.#founding = undefined;
    this.isRemoved = false;
    this.#state = new ListsState();
    this.#appliedSlot = 0;
  }

  request(request: Request, answer: (answer: Answer) => void): void {
    if (this.#service === undefined) answer({ kind: 'elsewhere', leader: undefined });
    else this.#service.request(request, answer);
  }

  /** Errors of the machine are for the operator to shrug at. */
  change(next: Membership): void {
    this.input((machine, now) => attempt(() => machine.change(next, now)));
  }

  transfer(to: MemberId): void {
    this.input((machine, now) => attempt(() => machine.transfer(to, now)));
  }

  /** One synchronous step of the machine; what it brings about meanwhile waits its turn. */
  input(run: (machine: GroupMember, now: number) => void): void {
    this.#inputs.push(run);
    if (this.#isInside) return;
    this.#isInside = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      if (this.#machine === undefined) break;
      next(this.#machine, this.process.monotonic());
    }
    this.#isInside = false;
  }

  #found(): void {
    const configuration = this.#founding;
    if (configuration === undefined || this.#machine !== undefined) return;
    const base: Base = { slot: 0, configuration, epoch: undefined };
    this.disk.append({ kind: 'joined', cluster: 'simulated', self: this.member.id, base });
    this.disk.flushed(this.process.bound(() => {
      const recovered = recover([{ kind: 'joined', cluster: 'simulated', self: this.member.id, base }]);
      if (recovered === undefined || this.#machine !== undefined) return;
      this.#run(new GroupMember({
        self: this.member.id, recovered, appliedSlot: 0, limits: this.#parts.swarm.limits,
        random: () => this.#random.unit(), effects: this.#effects(), now: this.process.monotonic(),
      }));
    }));
  }

  #run(machine: GroupMember): void {
    this.#machine = machine;
    this.#service = new ListService({
      node: this.name, machine, checks: this.#parts.checks,
      input: (run) => this.input(run),
      state: () => this.#state,
      appliedSlot: () => this.#appliedSlot,
    });
    for (const id of this.#members.values()) this.input((_, now) => machine.linked(id, true, now));
    const tick = (): void => {
      this.input((_, now) => machine.tick(now));
      this.process.clock.after(this.#parts.swarm.limits.tickMs, tick);
    };
    tick();
  }

  #frame(peer: string, frame: NodeFrame): void {
    switch (frame.kind) {
      case 'hello':
        this.#members.set(peer, frame.member);
        return this.input((machine, now) => machine.linked(frame.member, true, now));
      case 'paxos':
        if (frame.to !== this.member.id || this.#members.get(peer) !== frame.from) return;
        return this.input((machine, now) => machine.receive(frame.from, frame.message, now));
      case 'state-wanted': return this.#giveState(peer);
      case 'state': return this.#takeState(peer, frame.snapshot);
    }
  }

  #cut(peer: string, channel: string): void {
    const member = this.#members.get(peer);
    if (channel !== 'control') {
      if (this.#fetch?.from === peer) this.#fetched(undefined);
      return;
    }
    if (member === undefined) return;
    this.#members.delete(peer);
    this.input((machine, now) => machine.linked(member, false, now));
  }

  #send(to: MemberId, message: PaxosMessage): void {
    const { network, world } = this.#parts;
    const from = this.member.id;
    world.trace(`${from} > ${to} ${message.kind}`);
    if (to === from) {
      this.input((machine, now) => machine.receive(from, message, now));
      return;
    }
    network.send(this.name, nameOf(to), 'control', { kind: 'paxos', from, to, message });
  }

  #effects(): PaxosEffects {
    const { checks, world } = this.#parts;
    return {
      send: (to, message) => this.#send(to, message),
      persist: (record) => this.disk.append(record),
      afterPersist: (to, message) => this.disk.flushed(
        this.process.bound(() => this.#send(to, message)),
      ),
      chosen: (slot, chosen) => this.#chosen(slot, chosen),
      leadership: (leadership) => this.#leadership(leadership),
      configured: ({ number, voters, learners }) => world.trace(
        `${this.name} configuration ${number}: ${[...voters, ...learners].map(({ id }) => id).join(' ')}`,
      ),
      readable: (tag, slot) => this.#service?.readable(tag, slot),
      unreadable: (tag) => this.#service?.unreadable(tag),
      fetchState: (from) => this.#fetchState(nameOf(from)),
      // What says that they are gone is on disk before they go.
      trimmed: (base) => this.disk.flushed(this.process.bound(() => this.disk.trim(base.slot))),
      removed: () => {
        world.trace(`${this.name} is removed`);
        this.isRemoved = true;
      },
      log: (level, event, fields) => {
        world.trace(`${this.name} ${level} ${event} ${JSON.stringify(fields)}`);
        if (level === 'error') checks.complained(this.name, event);
      },
    };
  }

  #chosen(slot: number, chosen: Chosen): void {
    const { checks } = this.#parts;
    checks.chosen(this.name, slot, chosen);
    if (slot !== this.#appliedSlot + 1) throw new Error(`${this.name} is told slot ${slot} after ${this.#appliedSlot}`);
    const command = chosen.kind === 'command' ? decodeCommand(chosen.payload) : undefined;
    if (command !== undefined) this.#state.apply(command);
    this.#appliedSlot = slot;
    checks.stands(this.name, slot, this.#state.digest);
    // The log first: a state ahead of its log could not be told from one whose log was lost.
    this.disk.flushed(this.process.bound(() => this.store.apply(slot, command, (stored) =>
      this.input((machine, now) => machine.applied(stored, now)))));
    this.#service?.applied(chosen.kind === 'command' ? chosen.tag : undefined);
  }

  #leadership(leadership: Leadership): void {
    if (leadership.kind === 'leading') {
      this.#parts.checks.leads(this.name, leadership.ballot, this.#appliedSlot);
    }
    this.#service?.leadership(leadership);
  }

  // The state of another

  #fetchState(from: string): void {
    const fetch = { from };
    this.#fetch = fetch;
    const { network } = this.#parts;
    if (!network.send(this.name, from, 'bulk', { kind: 'state-wanted' })) {
      this.process.clock.soon(() => this.#fetched(undefined));
      return;
    }
    this.process.clock.after(FETCH_MS, () => {
      if (this.#fetch === fetch) this.#fetched(undefined);
    });
  }

  #giveState(to: string): void {
    const { slot, state } = this.store.stored;
    const base = this.#machine?.baseAt(slot);
    const snapshot = base === undefined ? undefined : { slot, state: new ListsState(state), base };
    if (base !== undefined) this.input((machine, now) => machine.hold(slot, now));
    this.#parts.network.send(this.name, to, 'bulk', { kind: 'state', snapshot });
  }

  #takeState(from: string, snapshot: StoredLists | undefined): void {
    if (this.#fetch?.from !== from) return;
    const machine = this.#machine;
    if (snapshot === undefined || machine === undefined || snapshot.slot <= machine.chosenSlot) {
      return this.#fetched(undefined);
    }
    this.#fetch = undefined;
    this.#parts.world.trace(`${this.name} takes the state at ${snapshot.slot} from ${from}`);
    this.store.install(snapshot, () => {
      this.#state = new ListsState(snapshot.state);
      this.#appliedSlot = snapshot.slot;
      this.#parts.checks.stands(this.name, snapshot.slot, this.#state.digest);
      this.input((_, now) => machine.installed(snapshot.base, now));
      this.#service?.applied(undefined);
    });
  }

  #fetched(base: undefined): void {
    this.#fetch = undefined;
    this.input((machine, now) => machine.installed(base, now));
  }
}

/** Nodes of the group and those that may join it later. */
export function allNames({ nodes, faults }: PaxosSwarm): string[] {
  const count = faults.changeEveryMs === 0 ? nodes : nodes + 2;
  return Array.from({ length: count }, (_, index) => `n${index + 1}`);
}

export const nameOf = (id: MemberId): string => id.split('.')[0] ?? id;

export function attempt(act: () => void): OxbowError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof OxbowError && error.code !== 'invariant') return error;
    throw error;
  }
}
