/**
 * One seed, one run: browser profiles whose tabs open, close, crash, freeze and thaw, and a server,
 * on virtual time. At the end all is healed: every tab thaws, each profile has one at least, and
 * what was asked for must be settled and the same everywhere.
 */
import { MemoryTabs } from '../../../packages/sdk/src/drivers/testing/memory-tabs.js';
import {
  checkCounters, checkEqualRows, checkNoDoubleBooking, checkSaved, rowsAfter, Truth, Violation,
} from '../checkers.js';
import { Network, QUIET_NETWORK } from '../network.js';
import { committedRows, tentativeRows } from '../oracle.js';
import { Random } from '../random.js';
import { resultOf, Turmoil, type RunResult, type SeedRun } from '../seed-run.js';
import { SimServer } from '../server.js';
import { Process, World } from '../world.js';
import { ProfileDisk } from './profile-disk.js';
import { SimTab, type Profile } from './sim-tab.js';
import { drawTabsSwarm, type TabsSwarm } from './tabs-swarm.js';

const SETTLE_MS = 240_000;
const TABS_MAX = 3;
/** Not so long that updates leave unsaved (limits.unsavedLeaveMs): a crash would make ids twice. */
const FULL_MS_MAX = 3_000;

export function runTabsSeed(seed: number, keepLog = false): RunResult {
  const random = new Random(seed);
  const world = new World(random, keepLog);
  return resultOf(seed, world, new Run(world, random, drawTabsSwarm(random.fork('swarm'))));
}

class Run implements SeedRun {
  readonly #world: World;
  readonly #seeds: Random;
  readonly #random: Random;
  readonly #swarm: TabsSwarm;
  readonly #truths: ReadonlyMap<string, Truth>;
  readonly #network: Network;
  readonly #server: SimServer;
  readonly #profiles: Profile[];
  #tabs: SimTab[] = [];
  #opened = 0;
  #mutationsOfGone = 0;
  readonly #turmoil: Turmoil;

  constructor(world: World, random: Random, swarm: TabsSwarm) {
    this.#world = world;
    this.#seeds = random;
    this.#random = random.fork('run');
    this.#turmoil = new Turmoil(world, this.#random);
    this.#swarm = swarm;
    this.#truths = new Map(swarm.spaces.map((space) => [space, new Truth()]));
    this.#network = new Network(world, { random: random.fork('network'), faults: swarm.network });
    this.#server = new SimServer({
      world, process: new Process(world, 'server', 0), swarm, network: this.#network,
      truths: this.#truths, random: random.fork('server'), crashAWhile: () => this.#crashServer(),
    });
    this.#profiles = Array.from({ length: swarm.clients }, (_, index) => this.#profile(`p${index + 1}`));
  }

  get mutations(): number {
    return this.#tabs.reduce((sum, tab) => sum + tab.mutations, this.#mutationsOfGone);
  }

  get commits(): number {
    return [...this.#truths.values()].reduce((sum, truth) => sum + truth.entries.length, 0);
  }

  turmoil(): void {
    const swarm = this.#swarm;
    this.#server.start();
    for (const profile of this.#profiles) this.#live(profile);
    this.#turmoil.every(swarm.serverCrashEveryMs, () => this.#crashServer());
    this.#world.run(swarm.turmoilMs);
  }

  /** Faults end, everybody thaws. */
  settle(): void {
    this.#turmoil.end();
    this.#network.faults = QUIET_NETWORK;
    this.#network.cutWhere(() => true, 'healed');
    for (const { disk } of this.#profiles) disk.isSound = true;
    if (!this.#server.process.isAlive) this.#server.start();
    for (const tab of this.#tabs) if (tab.process.isPaused) tab.process.resume();
    this.#world.run(this.#world.now + 1_000);
    for (const profile of this.#profiles) {
      if (this.#open(profile).every(({ isClosing }) => isClosing)) this.#openTab(profile);
    }
    const deadline = this.#world.now + SETTLE_MS;
    while (this.#world.now < deadline && !this.#isSettled()) {
      for (const tab of this.#tabs) tab.goOnline();
      this.#world.run(this.#world.now + 500);
    }
    if (!this.#isSettled()) {
      throw new Violation('everything settles once the faults are over', `${this.#tabs.map(({ state }) => state).join(', ')}, ${this.#server.state}`);
    }
    this.#checkTheEnd();
  }

  #profile(name: string): Profile {
    return {
      name, tabs: new MemoryTabs(), saved: new Map(),
      disk: new ProfileDisk(name, this.#world, {
        random: this.#seeds.fork(`disk of ${name}`),
        faults: { ...this.#swarm.clientDisk, broken: this.#swarm.clientStore.broken },
      }),
    };
  }

  #live(profile: Profile): void {
    const swarm = this.#swarm;
    this.#openTab(profile);
    const some = (which: (tab: SimTab) => boolean = () => true): SimTab | undefined => {
      const tabs = this.#open(profile).filter(which);
      return tabs.length === 0 ? undefined : this.#random.pick(tabs);
    };
    this.#turmoil.every(swarm.mutateEveryMs, () => some()?.write());
    this.#turmoil.every(swarm.tabEveryMs, () => {
      if (this.#open(profile).length < TABS_MAX) this.#openTab(profile);
    });
    this.#turmoil.every(swarm.closeEveryMs, () => {
      const tab = some((open) => open.canWrite);
      tab?.close(() => this.#gone(tab));
    });
    this.#turmoil.every(swarm.clientCrashEveryMs, () => {
      const tab = some();
      if (tab === undefined) return;
      tab.crash();
      this.#gone(tab);
    });
    this.#turmoil.every(swarm.freezeEveryMs, () => {
      const keeper = some((open) => !open.process.isPaused && open.isKeeper);
      const tab = this.#random.chance(0.6) ? keeper : some((open) => !open.process.isPaused);
      if (tab === undefined) return;
      // In the midst of its work: what it has just written has not gone to disk.
      if (this.#random.chance(0.5)) tab.write();
      tab.process.pause();
      this.#world.after(this.#random.exponential(swarm.frozenMs), () => {
        if (tab.process.isAlive && tab.process.isPaused) tab.process.resume();
      });
    });
    this.#turmoil.every(swarm.clientStore.fullEveryMs, () => this.#fill(profile));
    this.#turmoil.every(swarm.offlineEveryMs, () => {
      some()?.goOffline();
      this.#world.after(this.#random.exponential(1_500), () => some()?.goOnline());
    });
  }

  #fill({ name, disk }: Profile): void {
    this.#world.trace(`the disk of ${name} is full`);
    disk.isFull = true;
    this.#world.after(Math.min(this.#random.exponential(1_500), FULL_MS_MAX), () => {
      disk.isFull = false;
    });
  }

  #open(profile: Profile): SimTab[] {
    return this.#tabs.filter((tab) => tab.process.isAlive && tab.name.startsWith(`${profile.name}+`));
  }

  #openTab(profile: Profile): void {
    const name = `${profile.name}+${++this.#opened}`;
    this.#tabs.push(new SimTab(name, {
      world: this.#world, network: this.#network, swarm: this.#swarm, truths: this.#truths,
      random: this.#seeds.fork(name), profile,
    }));
  }

  #gone(tab: SimTab): void {
    this.#mutationsOfGone += tab.mutations;
    this.#tabs = this.#tabs.filter((other) => other !== tab);
  }

  #isSettled(): boolean {
    return this.#tabs.every((tab) => tab.isClosing || tab.isSettled);
  }

  #checkTheEnd(): void {
    for (const [space, truth] of this.#truths) {
      const rows = rowsAfter(truth.entries);
      checkNoDoubleBooking(rows, `the order of ${space}`);
      checkCounters(truth, rows);
      for (const tab of this.#tabs) {
        if (tab.isClosing) continue;
        tab.look();
        const replica = tab.replica(space);
        checkEqualRows(committedRows(replica), rows, `all tabs converge (${tab.name}, committed)`);
        checkEqualRows(tentativeRows(replica), rows, `all tabs converge (${tab.name}, tentative)`);
      }
      for (const { name, saved } of this.#profiles) {
        checkSaved(truth, new Map([...saved].filter(([, where]) => where === space).map(([key]) => [key, name])));
      }
    }
  }

  #crashServer(): void {
    if (!this.#turmoil.isOn || !this.#server.process.isAlive) return;
    this.#server.crash();
    this.#world.after(this.#random.exponential(500), () => {
      if (!this.#server.process.isAlive) this.#server.start();
    });
  }
}
