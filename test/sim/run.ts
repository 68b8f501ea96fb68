/**
 * One seed, one run: clients and server on virtual time under the faults that the seed draws; then
 * everything is healed and all that was asked for must be settled, and all replicas equal, within a
 * bound of virtual time.
 */
import { SimClient } from './client.js';
import {
  checkCounters, checkEqualRows, checkLifts, checkNeeds, checkNoDoubleBooking, checkRolledBack,
  checkUndos, rowsAfter, Truth, Violation,
} from './checkers.js';
import { Network, QUIET_NETWORK } from './network.js';
import { committedRows, tentativeRows } from './oracle.js';
import { Random } from './random.js';
import { resultOf, Turmoil, type RunResult, type SeedRun } from './seed-run.js';
import { SimServer } from './server.js';
import {
  drawSwarm, forgetsNothing, remembersReissues, type Restore, type Swarm,
} from './swarm.js';
import { Process, World } from './world.js';

/** After healing, everything must be settled within this virtual time. */
const SETTLE_MS = 240_000;

export function runSeed(seed: number, keepLog = false): RunResult {
  const random = new Random(seed);
  const world = new World(random, keepLog);
  const swarm = drawSwarm(random.fork('swarm'));
  return resultOf(seed, world, new Run(world, random, swarm));
}

class Run implements SeedRun {
  readonly #world: World;
  readonly #seeds: Random;
  readonly #random: Random;
  readonly #swarm: Swarm;
  readonly #truths: Map<string, Truth>;
  readonly #network: Network;
  readonly #server: SimServer;
  readonly #clients: SimClient[];
  readonly #turmoil: Turmoil;

  constructor(world: World, random: Random, swarm: Swarm) {
    this.#world = world;
    this.#seeds = random;
    this.#random = random.fork('run');
    this.#turmoil = new Turmoil(world, this.#random);
    this.#swarm = swarm;
    const isOnce = remembersReissues(swarm);
    this.#truths = new Map(swarm.spaces.map((space) => [space, new Truth({ isOnce })]));
    const process = new Process(world, 'server', 0);
    this.#network = new Network(world, { random: random.fork('network'), faults: swarm.network });
    this.#server = new SimServer({
      world, process, swarm, network: this.#network, truths: this.#truths, random: random.fork('server'),
      crashAWhile: () => this.#crashFor(this.#server),
    });
    this.#clients = Array.from({ length: swarm.clients }, (_, index) => this.#client(`client${index + 1}`));
  }

  get mutations(): number {
    return this.#clients.reduce((sum, client) => sum + client.mutations, 0);
  }

  get commits(): number {
    return [...this.#truths.values()].reduce((sum, truth) => sum + truth.entries.length, 0);
  }

  turmoil(): void {
    const swarm = this.#swarm;
    this.#server.start();
    for (const client of this.#clients) this.#run(client);
    if (swarm.isCopied) this.#world.after(this.#random.int(0, swarm.turmoilMs), () => this.#copy());
    this.#turmoil.every(swarm.serverCrashEveryMs, () => this.#crashFor(this.#server));
    if (swarm.app.upgradeAtMs < swarm.turmoilMs) this.#upgrade();
    const { restore } = swarm;
    if (restore !== undefined) this.#world.after(restore.backupAtMs, () => this.#backUp(restore));
    this.#world.run(swarm.turmoilMs);
  }

  #backUp({ restoreAfterMs, deaf }: Restore): void {
    const cut = this.#clients.filter(() => this.#random.chance(deaf));
    for (const { name } of cut) this.#network.stopEars(name, true);
    // What reaches the server until then is in the backup, and those do not hear of it.
    const afterMs = cut.length === 0 ? 0 : this.#random.exponential(400);
    this.#world.after(afterMs, () => this.#server.backUp());
    this.#world.after(afterMs + restoreAfterMs, () => {
      this.#restore();
      for (const { name } of cut) this.#later(() => this.#network.stopEars(name, false));
    });
  }

  /** The server's data is lost; it is given a backup, and clients meet another history. */
  #restore(): void {
    this.#server.restore(({ from, csns, use }) => {
      if (!this.#turmoil.isOn) return;
      for (const [space, truth] of this.#truths) {
        this.#truths.set(space, truth.restoredTo(csns.get(space) ?? 0, from));
      }
      use();
    });
  }

  #client(name: string, copyOf?: SimClient): SimClient {
    return new SimClient(name, {
      world: this.#world, network: this.#network, swarm: this.#swarm, truths: this.#truths,
      random: this.#seeds.fork(name), addresses: ['ws://server'], ...(copyOf && { copyOf }),
    });
  }

  /** Starts it, and what happens to it. */
  #run(client: SimClient): void {
    const swarm = this.#swarm;
    client.start();
    this.#turmoil.every(swarm.mutateEveryMs, () => {
      if (client.process.isAlive) client.write();
    });
    this.#turmoil.every(swarm.clientCrashEveryMs, () => this.#crashFor(client));
    this.#turmoil.every(swarm.clientStore.deletedEveryMs, () => client.deleteStore());
    this.#turmoil.every(swarm.clientStore.fullEveryMs, () => {
      client.setFull(true);
      this.#world.after(this.#random.exponential(8_000), () => client.setFull(false));
    });
    this.#turmoil.every(swarm.partitionEveryMs, () => {
      this.#network.partition(client.name, true);
      this.#later(() => this.#network.partition(client.name, false));
    });
    this.#turmoil.every(swarm.offlineEveryMs, () => {
      client.goOffline();
      this.#later(() => client.goOnline());
    });
  }

  /**
   * The server and its clients get the newer version of the app, each in its own time; whoever is
   * restarted again may be set back.
   */
  #upgrade(): void {
    const { turmoilMs, app: { upgradeAtMs, serverAtMs, restarts } } = this.#swarm;
    const restart = (one: SimClient | SimServer, fromMs: number): void => {
      this.#world.after(this.#random.int(fromMs, turmoilMs), () => this.#crashFor(one));
    };
    restart(this.#server, serverAtMs);
    for (const client of this.#clients) {
      for (let i = 0; i < restarts; i++) restart(client, upgradeAtMs);
    }
  }

  /** A profile is copied as it lies on disk; both go on. */
  #copy(): void {
    const original = this.#random.pick(this.#clients);
    const copy = this.#client(`${original.name}+copy`, original);
    this.#clients.push(copy);
    this.#run(copy);
  }

  /** Faults end; what is down comes up; then nothing may remain open. */
  settle(): void {
    this.#turmoil.end();
    this.#network.faults = QUIET_NETWORK;
    this.#network.cutWhere(() => true, 'healed');
    const isNewer = this.#world.now >= this.#swarm.app.upgradeAtMs;
    if (isNewer && this.#server.version === 1) this.#server.crash();
    if (!this.#server.process.isAlive) this.#server.start();
    for (const client of this.#clients) {
      this.#network.partition(client.name, false);
      this.#network.stopEars(client.name, false);
      client.mend();
      if (!client.process.isAlive) client.start();
      client.goOnline();
      client.hurry();
    }
    const deadline = this.#world.now + SETTLE_MS;
    while (this.#world.now < deadline && !this.#isSettled()) this.#world.run(this.#world.now + 250);
    if (!this.#isSettled()) {
      const states = this.#clients.map((client) => client.state).join(', ');
      throw new Violation('everything settles once the faults are over', `${states}, ${this.#server.state}`);
    }
    this.#checkTheEnd();
  }

  #isSettled(): boolean {
    const isLifted = this.#server.version === 1 || [...this.#truths.values()].every((truth) => truth.isOf(2));
    return isLifted && this.#clients.every((client) => client.isSettled);
  }

  #checkTheEnd(): void {
    for (const client of this.#clients) client.look();
    for (const [space, truth] of this.#truths) {
      const rows = rowsAfter(truth.entries);
      checkNoDoubleBooking(rows, `the order of ${space}`);
      checkCounters(truth, rows);
      checkNeeds(truth);
      if (forgetsNothing(this.#swarm) && this.#swarm.restore === undefined) checkUndos(truth);
      checkLifts(rows, this.#server.version === 2);
      for (const client of this.#clients) {
        const replica = client.replica(space);
        const shown = client.shown(rows);
        checkEqualRows(committedRows(replica), shown, `all replicas converge (${client.name}, committed)`);
        checkEqualRows(tentativeRows(replica), shown, `all replicas converge (${client.name}, tentative)`);
        checkRolledBack(truth, client.savedIn(space), client.toldOfRestores(space));
      }
    }
  }

  #crashFor(victim: SimClient | SimServer): void {
    if (!this.#turmoil.isOn || !victim.process.isAlive) return;
    victim.crash();
    this.#world.after(this.#random.exponential(500), () => {
      if (!victim.process.isAlive) victim.start();
    });
  }

  #later(task: () => void): void {
    this.#world.after(this.#random.exponential(1_500), task);
  }
}
