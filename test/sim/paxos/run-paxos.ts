/**
 * One seed of the Paxos world: a group under the faults that the seed draws; then the faults end
 * for a quorum at least, and everything that was asked must be answered and all replicas equal
 * within a bound of virtual time.
 */
import { quorumSize, type Configuration } from '../../../packages/server/src/paxos/configuration.js';
import { drawCut } from '../cut-shapes.js';
import { Violation } from '../checkers.js';
import { NodeNetwork, QUIET_NODE_NETWORK } from '../node-network.js';
import { Random } from '../random.js';
import { resultOf, Turmoil, type RunResult, type SeedRun } from '../seed-run.js';
import { World } from '../world.js';
import { ListClient } from './list-client.js';
import { Operator } from './operator.js';
import { PaxosChecks } from './paxos-checks.js';
import { allNames, PaxosNode, type NodeFrame } from './paxos-node.js';
import { drawPaxosSwarm, type PaxosSwarm } from './paxos-swarm.js';

/** After healing, everything must be settled within this virtual time. */
const SETTLE_MS = 30_000;
const LOOK_EVERY_MS = 100;

export function runPaxosSeed(seed: number, keepLog = false): RunResult {
  const random = new Random(seed).fork('paxos');
  const world = new World(random, keepLog);
  const swarm = drawPaxosSwarm(random.fork('swarm'));
  world.trace(`swarm ${JSON.stringify(swarm)}`);
  return resultOf(seed, world, new PaxosRun(world, random, swarm));
}

class PaxosRun implements SeedRun {
  readonly #checks: PaxosChecks;
  readonly #world: World;
  readonly #random: Random;
  readonly #swarm: PaxosSwarm;
  readonly #network: NodeNetwork<NodeFrame>;
  readonly #nodes: readonly PaxosNode[];
  readonly #clients: readonly ListClient[];
  readonly #operator: Operator;
  readonly #turmoil: Turmoil;

  constructor(world: World, random: Random, swarm: PaxosSwarm) {
    this.#world = world;
    this.#random = random.fork('run');
    this.#turmoil = new Turmoil(world, this.#random);
    this.#swarm = swarm;
    this.#checks = new PaxosChecks(world);
    this.#network = new NodeNetwork<NodeFrame>(world, {
      random: random.fork('network'), faults: swarm.network, channels: ['control', 'bulk'], isForgiving: true,
    });
    this.#nodes = allNames(swarm).map((name) => new PaxosNode(name, {
      world, network: this.#network, swarm, checks: this.#checks, random: random.fork('nodes'),
      crashAWhile: (node) => this.#crashFor(node, true),
    }));
    const founders = this.#nodes.slice(0, swarm.nodes);
    const founding: Configuration = {
      number: 0, fromSlot: 1, voters: founders.map(({ member }) => member), learners: [],
    };
    for (const node of founders) node.join(founding);
    this.#operator = new Operator({
      random: random.fork('operator'), nodes: () => this.#nodes, founding,
    });
    this.#clients = Array.from({ length: swarm.clients }, (_, index) => new ListClient(`c${index + 1}`, {
      world, swarm, checks: this.#checks, random: random.fork(`client${index + 1}`),
      nodes: () => this.#nodes,
    }));
  }

  get mutations(): number {
    return this.#clients.reduce((sum, { answered }) => sum + answered, 0);
  }

  get commits(): number {
    return this.#checks.commands;
  }

  turmoil(): void {
    const { faults, turmoilMs, nodes } = this.#swarm;
    for (const node of this.#nodes.slice(0, nodes)) node.start();
    for (const client of this.#clients) client.start();
    this.#turmoil.every(faults.crashEveryMs, () => this.#crashSome());
    this.#turmoil.every(faults.pauseEveryMs, () => this.#pause(this.#random.pick(this.#nodes)));
    this.#turmoil.every(faults.stallEveryMs, () => this.#stall(this.#random.pick(this.#nodes)));
    this.#turmoil.every(faults.falterEveryMs, () => this.#falter());
    this.#turmoil.every(faults.usurpEveryMs, () => this.#usurp());
    this.#turmoil.every(faults.cutEveryMs, () => this.#cut());
    this.#turmoil.every(faults.wipeEveryMs, () => this.#maybeWipe());
    this.#turmoil.every(faults.wipeEveryMs === 0 ? 0 : 300, () => this.#operator.step(false));
    this.#turmoil.every(faults.changeEveryMs, () => {
      this.#operator.step(true);
      if (this.#random.chance(0.3)) this.#operator.step(true);
    });
    this.#turmoil.every(faults.transferEveryMs, () => this.#transfer());
    this.#world.run(turmoilMs);
  }

  settle(): void {
    this.#turmoil.end();
    this.#network.faults = QUIET_NODE_NETWORK;
    this.#network.healAll();
    for (const client of this.#clients) client.settle();
    const down = this.#staysDown();
    for (const node of this.#nodes) this.#heal(node, down.has(node));
    const deadline = this.#world.now + SETTLE_MS;
    this.#until(deadline, () => this.#clients.every(({ isSettled }) => isSettled), 'answered');
    this.#until(deadline, () => this.#areEqual(), 'equal');
    const [reader] = this.#clients;
    for (let key = 0; key < this.#swarm.keys; key++) {
      reader?.readOnce(`k${key}`);
      this.#until(deadline, () => reader?.isSettled === true, 'read');
    }
    this.#checkStates();
    this.#checks.checkHistory();
  }

  #heal(node: PaxosNode, staysDown: boolean): void {
    node.process.resume();
    if (staysDown) {
      if (node.process.isAlive) node.crash(false);
    } else if (!node.process.isAlive) {
      node.start();
    }
  }

  /**
   * A minority may never come back. Where members change, which ones are a minority is not ours to
   * say.
   */
  #staysDown(): ReadonlySet<PaxosNode> {
    const { nodes, faults } = this.#swarm;
    if (faults.changeEveryMs > 0 || faults.wipeEveryMs > 0 || !this.#random.chance(0.4)) return new Set();
    const from = this.#random.int(0, nodes);
    const count = Math.floor((nodes - 1) / 2);
    return new Set(Array.from({ length: count }, (_, index) => this.#nodes[(from + index) % nodes])
      .flatMap((node) => node ?? []));
  }

  #until(deadline: number, isSo: () => boolean, what: string): void {
    while (!isSo()) {
      if (this.#world.now >= deadline) {
        throw new Violation('everything settles once the faults are over', `not ${what}: ${this.#states()}`);
      }
      this.#operator.step(false);
      this.#world.run(this.#world.now + LOOK_EVERY_MS);
    }
  }

  /** All that belong to the group and are up have applied the same, on disk too. */
  #areEqual(): boolean {
    const configuration = this.#newestConfiguration();
    if (configuration === undefined || this.#operator.isRepairNeeded(configuration)) return false;
    const members = this.#members(configuration);
    const slots = new Set(members.flatMap(({ machine, appliedSlot, store }) =>
      [machine?.chosenSlot, appliedSlot, store.stored.slot]));
    return members.length > 0 && slots.size === 1 && this.#nodes.some(({ isLeading }) => isLeading);
  }

  #members({ voters, learners }: Configuration): PaxosNode[] {
    const ids = new Set([...voters, ...learners].map(({ id }) => id));
    return this.#nodes.filter(({ member, process }) => process.isAlive && ids.has(member.id));
  }

  #newestConfiguration(): Configuration | undefined {
    return this.#nodes.flatMap(({ machine }) => machine?.configuration ?? [])
      .sort((a, b) => b.number - a.number)[0];
  }

  #checkStates(): void {
    const configuration = this.#newestConfiguration();
    const members = configuration === undefined ? [] : this.#members(configuration);
    const texts = members.flatMap(({ state, store }) => [state.text(), store.stored.state.text()]);
    if (new Set(texts).size > 1) throw new Violation('all replicas are equal in the end', texts.join('\n'));
  }

  #states(): string {
    const clients = this.#clients.filter(({ isSettled }) => !isSettled).map(({ name }) => name);
    const nodes = this.#nodes.map((node) =>
      `${node.member.id} ${node.process.isAlive ? node.machine?.leadership.kind : 'down'}` +
      ` configuration ${node.machine?.configuration.number} chosen ${node.machine?.chosenSlot}` +
      ` applied ${node.appliedSlot}`);
    const { number, voters, learners } = this.#newestConfiguration() ?? { voters: [], learners: [] };
    const ids = (members: typeof voters): string => members.map(({ id }) => id).join(' ');
    const group = `configuration ${number}: voters ${ids(voters)}, learners ${ids(learners)}`;
    return [...nodes, group, `open: ${clients.join(' ')}`].join('; ');
  }

  // Faults

  #crashSome(): void {
    const { crashMany } = this.#swarm.faults;
    const isPowerLost = this.#random.chance(this.#swarm.faults.powerLoss);
    const count = this.#random.chance(crashMany) ? this.#random.int(2, this.#nodes.length + 1) : 1;
    const from = this.#random.int(0, this.#nodes.length);
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[(from + i) % this.#nodes.length];
      if (node !== undefined) this.#crashFor(node, isPowerLost);
    }
  }

  #crashFor(node: PaxosNode, isPowerLost: boolean): void {
    if (!this.#turmoil.isOn || !node.process.isAlive) return;
    node.crash(isPowerLost);
    this.#world.after(this.#random.exponential(this.#swarm.faults.downMs), () => {
      if (this.#turmoil.isOn && !node.process.isAlive) node.start();
    });
  }

  #pause(node: PaxosNode): void {
    if (!node.process.isAlive || node.process.isPaused) return;
    node.process.pause();
    this.#world.after(this.#random.exponential(this.#random.pick([50, 400, 2_000])), () => node.process.resume());
  }

  #cut(): void {
    const names = this.#nodes.map(({ name }) => name);
    if (names.length < 2) return;
    const leader = this.#nodes.find(({ isLeading }) => isLeading)?.name;
    const isLoud = this.#random.chance(0.5);
    const paths = drawCut(this.#random, names, leader);
    this.#world.trace(`cut ${paths.map(([from, to]) => `${from}>${to}`).join(' ')}`);
    for (const [from, to] of paths) this.#network.block(from, to, isLoud);
    this.#world.after(this.#random.exponential(this.#swarm.faults.cutMs), () => this.#network.healAll());
  }

  /** A disk that hangs, often until the power is switched off. */
  #stall(node: PaxosNode): void {
    const ms = this.#random.exponential(300);
    node.disk.stall(ms);
    if (!this.#random.chance(0.5)) return;
    this.#world.after(ms * this.#random.unit(), () => this.#crashFor(node, true));
  }

  /** What the leader says is lost on all ways at once; then it goes, before it can say it again. */
  #falter(): void {
    const leader = this.#nodes.find(({ isLeading }) => isLeading);
    if (leader === undefined) return;
    for (const { name } of this.#nodes) {
      if (name !== leader.name) this.#network.block(leader.name, name, false);
    }
    this.#world.after(this.#random.exponential(10), () => {
      this.#network.healAll();
      this.#world.after(this.#random.exponential(20), () => {
        if (this.#random.chance(0.5)) this.#crashFor(leader, this.#random.chance(0.5));
        else if (this.#turmoil.isOn) this.#pause(leader);
      });
    });
  }

  /** Whoever comes instead gets its promises while the leader still believes to lead. */
  #usurp(): void {
    const leader = this.#nodes.find(({ isLeading }) => isLeading);
    if (leader === undefined) return;
    for (const { name } of this.#nodes) {
      if (name === leader.name) continue;
      this.#network.block(leader.name, name, true);
      this.#network.block(name, leader.name, true);
    }
    this.#world.after(this.#random.int(400, 900), () => this.#network.healAll());
  }

  #transfer(): void {
    const leader = this.#nodes.find(({ isLeading }) => isLeading);
    const voters = leader?.machine?.configuration.voters ?? [];
    if (voters.length > 0) leader?.transfer(this.#random.pick(voters).id);
  }

  /**
   * Only as many disks are lost as the group is built to survive, counting by every configuration
   * in use.
   */
  #maybeWipe(): void {
    const victim = this.#random.pick(this.#nodes);
    const intact = new Set(this.#nodes.filter((node) => node !== victim).map(({ member }) => member.id));
    const inUse = this.#nodes.flatMap(({ machine }) => machine?.configuration ?? []);
    const isBearable = inUse.length > 0 && inUse.every((configuration) =>
      configuration.voters.filter(({ id }) => intact.has(id)).length >= quorumSize(configuration));
    if (!isBearable || this.#swarm.faults.changeEveryMs > 0) return;
    if (victim.process.isAlive) victim.crash(true);
    victim.wipe();
    this.#world.after(this.#random.exponential(300), () => {
      if (this.#turmoil.isOn && !victim.process.isAlive) victim.start();
    });
  }
}
