/**
 * One seed of the cluster world: clients and a group of nodes under the faults that the seed draws;
 * then the faults end, and within a bound of virtual time everything that was asked for is settled
 * and all replicas, of nodes and of clients, are equal.
 */
import { quorumSize, type Configuration } from '../../../packages/server/src/paxos/configuration.js';
import type { NodeList } from '../../../packages/server/src/cluster/node-list.js';
import { drawCut } from '../cut-shapes.js';
import { SimClient } from '../client.js';
import {
  checkCounters, checkEqualRows, checkLifts, checkNeeds, checkNoDoubleBooking, checkSaved, rowsAfter,
  Truth, Violation,
} from '../checkers.js';
import { Network, QUIET_NETWORK } from '../network.js';
import { NodeNetwork, QUIET_NODE_NETWORK } from '../node-network.js';
import { committedRows, tentativeRows } from '../oracle.js';
import { OrderHistory } from '../order-history.js';
import { Random } from '../random.js';
import { resultOf, Turmoil, type RunResult, type SeedRun } from '../seed-run.js';
import { World } from '../world.js';
import { ClusterChecks } from './cluster-checks.js';
import { drawClusterSwarm, type ClusterSwarm } from './cluster-swarm.js';
import { SimNode } from './sim-node.js';

/** After healing, everything must be settled within this virtual time. */
const SETTLE_MS = 120_000;
const LOOK_EVERY_MS = 250;
const GOSSIP = 0.2;
const GOSSIP_MS = 0.05;
const MOVE = 0.4;
/** While the nodes get a newer version of the app. */
const HANDOVERS = 6;
/** For so long a leader is out of reach when a disk was lost. */
const ABSENCE_MS = 2_000;

export function runClusterSeed(seed: number, keepLog = false): RunResult {
  const random = new Random(seed).fork('cluster');
  const world = new World(random, keepLog);
  const swarm = drawClusterSwarm(random.fork('swarm'));
  world.trace(`swarm ${JSON.stringify(swarm)}`);
  return resultOf(seed, world, new ClusterRun(world, random, swarm));
}

class ClusterRun implements SeedRun {
  readonly #world: World;
  readonly #random: Random;
  readonly #gossip: Random;
  readonly #swarm: ClusterSwarm;
  readonly #checks: ClusterChecks;
  readonly #network: Network;
  readonly #peers: NodeNetwork<Uint8Array>;
  readonly #nodes: readonly SimNode[];
  readonly #clients: readonly SimClient[];
  readonly #turmoil: Turmoil;

  constructor(world: World, random: Random, swarm: ClusterSwarm) {
    this.#world = world;
    this.#random = random.fork('run');
    this.#turmoil = new Turmoil(world, this.#random);
    this.#gossip = random.fork('gossip');
    this.#swarm = swarm;
    this.#checks = new ClusterChecks(world, {
      truths: new Map(swarm.spaces.map((space) => [space, new Truth()])),
      orders: new Map(swarm.spaces.map((space) => [space, new OrderHistory()])),
    });
    this.#network = new Network(world, { random: random.fork('network'), faults: swarm.network });
    this.#peers = new NodeNetwork<Uint8Array>(world, {
      random: random.fork('peers'), faults: swarm.peers, channels: ['control', 'bulk'], isForgiving: false,
    });
    this.#nodes = this.#makeNodes(random.fork('nodes'));
    const addresses = this.#nodes.slice(0, swarm.nodes).map(({ name }) => `ws://${name}`);
    this.#clients = Array.from({ length: swarm.clients }, (_, index) => new SimClient(`client${index + 1}`, {
      world, network: this.#network, swarm, addresses,
      truths: this.#checks.truths, orders: this.#checks.orders,
      random: random.fork(`client${index + 1}`),
      told: (space) => this.#readNews(space, index),
    }));
  }

  /** Someone else hears from its author that an update is committed, and looks for it at once. */
  #readNews(space: string, author: number): void {
    if (!this.#turmoil.isOn || !this.#gossip.chance(GOSSIP)) return;
    const others = this.#clients.filter((_, index) => index !== author);
    if (others.length === 0) return;
    const reader = this.#gossip.pick(others);
    this.#world.after(GOSSIP_MS, () => {
      if (reader.process.isAlive) reader.readIn(space);
    });
  }

  get mutations(): number {
    return this.#clients.reduce((sum, client) => sum + client.mutations, 0);
  }

  get commits(): number {
    return [...this.#checks.truths.values()].reduce((sum, truth) => sum + truth.entries.length, 0);
  }

  #makeNodes(random: Random): SimNode[] {
    const { nodes, spares } = this.#swarm;
    const names = Array.from({ length: nodes + spares }, (_, index) => `n${index + 1}`);
    const entry = (name: string): [string, { peerAddress: string }] => [name, { peerAddress: `${name}:1` }];
    const founders: NodeList = new Map(names.slice(0, nodes).map(entry));
    // A spare knows all the others; those learn of it when it knocks.
    const all: NodeList = new Map(names.map(entry));
    return names.map((name, index) => new SimNode(name, {
      world: this.#world, random, swarm: this.#swarm, clients: this.#network, peers: this.#peers,
      checks: this.#checks, list: index < nodes ? founders : all,
    }));
  }

  turmoil(): void {
    const { faults, turmoilMs, nodes } = this.#swarm;
    for (const node of this.#nodes.slice(0, nodes)) node.start();
    for (const node of this.#nodes.slice(nodes)) {
      this.#world.after(this.#random.int(0, turmoilMs), () => node.start());
    }
    for (const client of this.#clients) this.#drive(client);
    this.#upgrade();
    this.#turmoil.every(faults.crashEveryMs, () => this.#crashSome());
    this.#turmoil.every(faults.pauseEveryMs, () => this.#pause(this.#random.pick(this.#nodes)));
    this.#turmoil.every(faults.stallEveryMs, () => this.#stall(this.#random.pick(this.#nodes)));
    this.#turmoil.every(faults.cutEveryMs, () => this.#cut());
    this.#turmoil.every(faults.failEveryMs, () => this.#random.pick(this.#nodes).directory.fail());
    this.#turmoil.every(faults.loseEveryMs, () => this.#loseSome());
    this.#turmoil.every(faults.orderEveryMs, () => this.#order());
    this.#turmoil.every(faults.stopEveryMs, () => this.#stop(this.#random.pick(this.#nodes)));
    this.#turmoil.every(faults.wallJumpEveryMs, () =>
      this.#random.pick(this.#nodes).process.jumpWall(this.#random.int(-5_000, 5_000)));
    this.#world.run(turmoilMs);
  }

  /** One after the other gets the newer version of the app, in any order. */
  #upgrade(): void {
    const { app: { upgradeAtMs }, turmoilMs } = this.#swarm;
    if (upgradeAtMs >= turmoilMs) return;
    for (let i = 0; i < HANDOVERS; i++) {
      this.#world.after(this.#random.int(Math.ceil(upgradeAtMs), turmoilMs), () => this.#handOver());
    }
    for (const one of [...this.#nodes, ...this.#clients]) {
      this.#world.after(this.#random.int(Math.ceil(upgradeAtMs), turmoilMs), () => {
        if (!this.#turmoil.isOn || !one.process.isAlive || one.process.isPaused) return;
        if (one instanceof SimClient) one.crash();
        else one.crash(false);
        this.#later(200, () => {
          if (!one.process.isAlive) one.start();
        });
      });
    }
  }

  /** To any node, be it of the newer version or not yet. */
  #handOver(): void {
    const leader = this.#nodes.find(({ isLeading }) => isLeading);
    const { name } = this.#random.pick(this.#nodes.slice(0, this.#swarm.nodes));
    leader?.order({ kind: 'transfer', name });
  }

  #drive(client: SimClient): void {
    const swarm = this.#swarm;
    client.start();
    this.#turmoil.every(swarm.mutateEveryMs, () => {
      if (client.process.isAlive) client.write();
    });
    this.#turmoil.every(swarm.readEveryMs, () => {
      if (client.process.isAlive) client.read();
    });
    this.#turmoil.every(swarm.clientCrashEveryMs, () => {
      if (!client.process.isAlive) return;
      client.crash();
      this.#later(500, () => {
        if (!client.process.isAlive) client.start();
      });
    });
    this.#turmoil.every(swarm.partitionEveryMs, () => {
      this.#network.partition(client.name, true);
      this.#later(1_500, () => this.#network.partition(client.name, false));
    });
  }

  /** Faults end; what is down comes up; then nothing may remain open. */
  settle(): void {
    this.#turmoil.end();
    this.#network.faults = QUIET_NETWORK;
    this.#peers.faults = QUIET_NODE_NETWORK;
    this.#peers.healAll();
    for (const node of this.#nodes) {
      node.process.resume();
      node.store.faults = this.#swarm.serverDisk;
      const isOld = node.version === 1 && this.#world.now >= this.#swarm.app.upgradeAtMs;
      if (isOld && node.process.isAlive) node.crash(false);
      if (!node.process.isAlive) node.start();
    }
    this.#network.rejoin();
    this.#network.cutWhere(() => true, 'healed');
    for (const client of this.#clients) {
      this.#network.partition(client.name, false);
      if (!client.process.isAlive) client.start();
      client.goOnline();
      client.hurry();
    }
    const deadline = this.#world.now + SETTLE_MS;
    const isNewer = this.#swarm.app.upgradeAtMs <= this.#swarm.turmoilMs;
    const truths = [...this.#checks.truths.values()];
    this.#until(deadline, 'settled', () =>
      this.#clients.every(({ isSettled }) => isSettled)
      && (!isNewer || truths.every((truth) => truth.isOf(2))));
    this.#until(deadline, 'equal', () => this.#areEqual());
    this.#readAtLast(deadline);
    this.#until(deadline, 'equal', () => this.#areEqual());
    this.#checkTheEnd();
  }

  #readAtLast(deadline: number): void {
    const [reader] = this.#clients;
    if (reader === undefined) return;
    const before = reader.reads;
    reader.read();
    this.#until(deadline, 'read', () => reader.reads > before);
  }

  #until(deadline: number, what: string, isSo: () => boolean): void {
    while (!isSo()) {
      if (this.#world.now >= deadline) {
        const states = [...this.#clients, ...this.#nodes].map(({ state }) => state).join('; ');
        throw new Violation('everything settles once the faults are over', `not ${what}: ${states}`);
      }
      this.#world.run(this.#world.now + LOOK_EVERY_MS);
    }
  }

  /** Who belongs to the group holds the same state on disk. */
  #areEqual(): boolean {
    const members = this.#members();
    const leader = members.find(({ isLeading }) => isLeading);
    const slot = leader?.appliedSlot;
    return slot !== undefined && this.#areAllRefilled() &&
      members.every(({ appliedSlot }) => appliedSlot === slot);
  }

  /**
   * Where nobody changed the group on purpose, all its nodes decide again, under whatever identity.
   */
  #areAllRefilled(): boolean {
    const { nodes, faults } = this.#swarm;
    if (faults.orderEveryMs > 0) return true;
    const ids = new Set<string | undefined>(this.#newestConfiguration()?.voters.map(({ id }) => id));
    return this.#nodes.slice(0, nodes).every(({ id }) => ids.has(id));
  }

  #members(): SimNode[] {
    const { voters = [], learners = [] } = this.#newestConfiguration() ?? {};
    const ids = new Set<string | undefined>([...voters, ...learners].map(({ id }) => id));
    return this.#nodes.filter(({ id, process }) => process.isAlive && ids.has(id));
  }

  #newestConfiguration(): Configuration | undefined {
    return this.#nodes.flatMap(({ configuration }) => configuration ?? [])
      .sort((a, b) => b.number - a.number)[0];
  }

  #checkTheEnd(): void {
    const digests = new Map(this.#members().map(({ name, store }) => [name, store.disk.records.digest()]));
    if (new Set(digests.values()).size > 1) {
      throw new Violation('all replicas are equal in the end', JSON.stringify([...digests]));
    }
    for (const client of this.#clients) client.look();
    for (const [space, truth] of this.#checks.truths) {
      const rows = rowsAfter(truth.entries);
      checkNoDoubleBooking(rows, `the order of ${space}`);
      checkCounters(truth, rows);
      checkNeeds(truth);
      const isNewer = this.#swarm.app.upgradeAtMs <= this.#swarm.turmoilMs;
      checkLifts(rows, isNewer);
      for (const client of this.#clients) {
        const replica = client.replica(space);
        const shown = client.shown(rows);
        checkEqualRows(committedRows(replica), shown, `all replicas converge (${client.name}, committed)`);
        checkEqualRows(tentativeRows(replica), shown, `all replicas converge (${client.name}, tentative)`);
        checkSaved(truth, client.savedIn(space));
      }
      this.#checks.orders.get(space)?.check(truth);
    }
  }

  // Faults

  #crashSome(): void {
    const { crashMany, powerLoss } = this.#swarm.faults;
    const isPowerLost = this.#random.chance(powerLoss);
    const count = this.#random.chance(crashMany) ? this.#random.int(2, this.#nodes.length + 1) : 1;
    const from = this.#random.int(0, this.#nodes.length);
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[(from + i) % this.#nodes.length];
      if (node !== undefined) this.#crash(node, isPowerLost);
    }
  }

  #crash(node: SimNode, isPowerLost: boolean): void {
    if (!this.#turmoil.isOn || !node.process.isAlive) return;
    node.crash(isPowerLost);
    this.#restartLater(node);
  }

  #restartLater(node: SimNode): void {
    this.#later(this.#swarm.faults.downMs, () => {
      if (!node.process.isAlive) node.start();
    });
  }

  #pause(node: SimNode): void {
    this.#pauseFor(node, this.#random.pick([50, 400, 2_000]));
  }

  #pauseFor(node: SimNode, meanMs: number): void {
    if (!node.process.isAlive || node.process.isPaused) return;
    node.process.pause();
    this.#world.after(this.#random.exponential(meanMs), () => node.process.resume());
    // Some clients change networks meanwhile and dial anew: they go on with whoever leads now,
    // while the others still wait here.
    const moved = new Set(this.#clients.filter(() => this.#random.chance(MOVE))
      .map(({ name }) => name));
    this.#network.cutWhere((client) => moved.has(client), 'moved');
  }

  /** A disk that hangs, often until the power is switched off. */
  #stall(node: SimNode): void {
    const ms = this.#random.exponential(300);
    node.directory.stall(ms);
    if (this.#random.chance(0.5)) this.#world.after(ms * this.#random.unit(), () => this.#crash(node, true));
  }

  #cut(): void {
    const names = this.#nodes.map(({ name }) => name);
    const leader = this.#nodes.find(({ isLeading }) => isLeading)?.name;
    const isLoud = this.#random.chance(0.5);
    const paths = drawCut(this.#random, names, leader);
    this.#world.trace(`cut ${paths.map(([from, to]) => `${from}>${to}`).join(' ')}`);
    for (const [from, to] of paths) this.#peers.block(from, to, isLoud);
    // Some clients are on the leader's side of it, others are not.
    if (leader !== undefined && this.#random.chance(0.5)) {
      for (const { name } of this.#clients) {
        if (this.#random.chance(0.5)) this.#network.part(name, leader);
      }
    }
    this.#later(900, () => {
      this.#peers.healAll();
      this.#network.rejoin();
    });
  }

  #stop(node: SimNode): void {
    if (!node.process.isAlive || node.process.isPaused) return;
    node.stop(5_000, () => this.#world.after(this.#random.exponential(this.#swarm.faults.downMs), () => {
      if (!node.process.isAlive) node.start();
    }));
  }

  /** Often when it hurts most: who was out of reach then is back, and the leader is not. */
  #loseSome(): void {
    const victim = this.#random.pick(this.#nodes);
    const leader = this.#nodes.find(({ isLeading }) => isLeading);
    if (leader === undefined || leader === victim || this.#random.chance(0.4)) {
      this.#maybeLose(victim);
      return;
    }
    const others = this.#nodes.filter((node) => node !== victim && node !== leader);
    const behind = new Set(others.slice(0, Math.floor(this.#swarm.nodes / 2)));
    for (const one of behind) this.#cutOff(one);
    this.#later(ABSENCE_MS / 2, () => {
      this.#peers.healAll();
      this.#pauseFor(leader, ABSENCE_MS);
      this.#maybeLose(victim);
    });
  }

  #cutOff(node: SimNode): void {
    for (const other of this.#nodes) {
      if (other === node) continue;
      this.#peers.block(node.name, other.name, false);
      this.#peers.block(other.name, node.name, false);
    }
  }

  /**
   * Only as many disks are lost as the group is built to survive, counting by every configuration
   * in use.
   */
  #maybeLose(victim: SimNode): void {
    // Whoever has not joined yet knows nothing that could make good the loss.
    const intact = new Set(this.#nodes
      .filter((node) => node !== victim && node.hasJoined && !node.isRotten)
      .map(({ id }) => id));
    const inUse = this.#nodes.flatMap(({ lastConfiguration }) => lastConfiguration ?? []);
    const isBearable = inUse.length > 0 && inUse.every(({ voters, ...rest }) =>
      voters.filter(({ id }) => intact.has(id)).length >= quorumSize({ ...rest, voters }));
    if (!isBearable || this.#swarm.faults.orderEveryMs > 0) return;
    const isWiped = this.#random.chance(0.3);
    victim.crash(isWiped || this.#random.chance(0.5));
    if (isWiped) victim.wipe();
    else victim.rot();
    this.#restartLater(victim);
  }

  #order(): void {
    const leader = this.#nodes.find(({ isLeading }) => isLeading);
    const node = this.#random.chance(0.8) ? leader : this.#random.pick(this.#nodes);
    const { name } = this.#random.pick(this.#nodes);
    const { voters = [] } = leader?.configuration ?? {};
    const kind = this.#random.pick(['add', 'add', 'transfer', 'remove'] as const);
    if (kind === 'remove' && voters.length < 3) return;
    node?.order({ kind, name });
  }

  #later(meanMs: number, task: () => void): void {
    this.#world.after(this.#random.exponential(meanMs), () => {
      if (this.#turmoil.isOn) task();
    });
  }
}
