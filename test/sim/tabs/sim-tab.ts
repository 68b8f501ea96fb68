/**
 * One simulated tab: a real TabHost on the disk, locks and channel of its profile. It writes at
 * random, is frozen and thawed, closed or crashed; what it is told and what it shows goes through
 * the checkers.
 */
import type { MemoryTab, MemoryTabs } from '../../../packages/sdk/src/drivers/testing/memory-tabs.js';
import { TabHost } from '../../../packages/sdk/src/host/tab-host.js';
import type { Receipt } from '../../../packages/sdk/src/replica/receipt.js';
import type { SpaceReplica } from '../../../packages/sdk/src/replica/space.js';
import { isSeatOf, updateKey, type ReplicaId } from '@oxbow/sdk/protocol';
import { app } from '../app.js';
import {
  checkEqualRows, checkLearned, checkNoDoubleBooking, checkReceipt, rowsAfter, SessionChecker,
  Violation, type Truth,
} from '../checkers.js';
import type { Network } from '../network.js';
import { checkViews, committedRows } from '../oracle.js';
import type { Random } from '../random.js';
import type { Swarm } from '../swarm.js';
import { drawMutation } from '../workload.js';
import { Process, type World } from '../world.js';
import type { ProfileDisk } from './profile-disk.js';

/** What the tabs of a profile have in common. */
export interface Profile {
  readonly name: string;
  readonly disk: ProfileDisk;
  readonly tabs: MemoryTabs;
  /** Updates that any of its tabs was told are saved: space by key. */
  readonly saved: Map<string, string>;
}

export interface TabParts {
  readonly world: World;
  readonly network: Network;
  readonly swarm: Swarm;
  readonly truths: ReadonlyMap<string, Truth>;
  readonly random: Random;
  readonly profile: Profile;
}

interface OpenSpace {
  readonly name: string;
  readonly replica: SpaceReplica<typeof app>;
  readonly session: SessionChecker;
  readonly truth: Truth;
  readonly profileId: ReplicaId;
  checkedCsn: number;
}

export class SimTab {
  readonly name: string;
  readonly process: Process;
  mutations = 0;
  readonly #parts: TabParts;
  readonly #driver: MemoryTab;
  readonly #host: TabHost<typeof app>;
  readonly #spaces = new Map<string, OpenSpace>();
  readonly #receipts = new Set<Receipt>();
  readonly #written = new Set<Receipt>();
  #isClosing = false;
  #lastAt = 0;

  constructor(name: string, parts: TabParts) {
    const { world, network, random, profile, swarm } = parts;
    this.name = name;
    this.#parts = parts;
    this.process = new Process(world, name, 0);
    this.process.start();
    this.#driver = profile.tabs.tab((task) => this.#deliver(task));
    const ids = random.fork('ids');
    const storage = profile.disk.storageFor(this.process);
    this.#host = new TabHost({
      app, storage,
      transports: [network.transport(this.process, ['ws://server'])],
      clock: this.process.clock,
      entropy: { id: () => ids.uuid(), seed: () => ids.uint32() },
      dev: true,
      fallbackToMemory: false,
      onReport: (error) => {
        if (error.code === 'invariant' || error.cause instanceof Violation) throw error;
        world.trace(`${name} reports ${error.code}`);
      },
    }, this.#driver, storage);
    this.#host.start(this.process.bound((started) => {
      if (!started.ok) throw started.error;
      for (const space of swarm.spaces) this.#open(space);
    }));
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  get isKeeper(): boolean {
    return [...this.#spaces.values()].some(({ replica }) => replica.isKeeper);
  }

  get canWrite(): boolean {
    const { isAlive, isPaused } = this.process;
    return isAlive && !isPaused && !this.#isClosing && this.#spaces.size > 0;
  }

  write(): void {
    if (!this.canWrite) return;
    const { random, swarm } = this.#parts;
    const space = random.pick([...this.#spaces.values()]);
    for (let i = random.int(1, swarm.burst + 1); i > 0; i--) {
      const { name, args } = drawMutation(random, space.replica, swarm);
      const receipt = space.replica.mutate(name, args, this.process.clock.now());
      this.mutations++;
      space.session.wrote(receipt);
      this.#written.add(receipt);
      this.#follow(space.name, receipt);
    }
    this.look();
  }

  look(): void {
    if (this.process.isPaused) return;
    for (const open of this.#spaces.values()) this.#checkSpace(open);
  }

  crash(): void {
    this.process.crash();
    this.#driver.die();
    this.#parts.network.cutWhere((client) => client === this.name, 'tab crashed');
  }

  /** What it wrote has to be saved when it has closed. */
  close(closed: () => void): void {
    if (this.#isClosing || this.#spaces.size < this.#parts.swarm.spaces.length) return;
    this.#isClosing = true;
    this.#parts.world.trace(`${this.name} closes`);
    this.#host.close(this.process.bound((result) => {
      if (result.ok) this.#mustBeSaved();
      this.crash();
      closed();
    }));
  }

  goOffline(): void {
    if (this.canWrite) this.#host.goOffline();
  }

  goOnline(): void {
    if (this.canWrite) this.#host.goOnline();
  }

  get isSettled(): boolean {
    const { swarm } = this.#parts;
    if (this.process.isPaused || this.#spaces.size < swarm.spaces.length) return false;
    const areSpaces = [...this.#spaces.values()].every(({ replica, truth }) =>
      replica.pending().length === 0 && replica.head.csn === truth.entries.length);
    return areSpaces && [...this.#receipts].every(({ stage }) => stage === 'committed');
  }

  replica(space: string): SpaceReplica<typeof app> {
    const open = this.#spaces.get(space);
    if (open === undefined) throw new Error(`${this.name} has not opened ${space}`);
    return open.replica;
  }

  get state(): string {
    const spaces = [...this.#spaces].map(([name, { replica, truth }]) =>
      `${name}: csn ${replica.head.csn} of ${truth.entries.length}, ${replica.pending().length} pending, lost ${replica.lost}`);
    const open = [...this.#receipts].filter(({ stage }) => stage !== 'committed').map(({ id, stage }) => `${updateKey(id)} ${stage}`);
    return `${this.name} ${this.#spaces.size === 0 ? 'not open' : this.replica(this.#parts.swarm.spaces[0] ?? '').isKeeper ? 'keeps' : 'follows'} [${spaces.join('; ')}] ${open.slice(0, 3).join(' ')}`;
  }

  /** What comes over locks and channel: in order, a little later. */
  #deliver(task: () => void): void {
    const { world, random } = this.#parts;
    this.#lastAt = Math.max(this.#lastAt + 0.001, world.now + random.exponential(0.5));
    world.after(this.#lastAt - world.now, this.process.bound(task));
  }

  #open(space: string): void {
    this.#host.open(space, this.process.bound((result) => {
      if (!result.ok) {
        if (this.#isClosing) return;
        throw result.error;
      }
      const truth = this.#truthOf(space);
      const replica = result.value;
      const open: OpenSpace = {
        name: space, replica, truth, session: new SessionChecker(this.name, truth), checkedCsn: 0,
        profileId: replica.profile,
      };
      this.#spaces.set(space, open);
      for (const { own, receipt } of replica.pending()) if (own && receipt !== undefined) this.#follow(space, receipt);
      this.#checkNothingSavedIsGone(open);
      replica.subscribe(this.process.bound(() => this.#checkSpace(open)));
      this.#checkSpace(open);
    }));
  }

  /**
   * Whatever any tab was told is saved is pending at the one that keeps the disk, or settled; a tab
   * hears of others' a moment later, but knows all of its own seat.
   */
  #checkNothingSavedIsGone({ name, replica, truth }: OpenSpace): void {
    const held = new Set(replica.pending().map(({ id }) => updateKey(id)));
    for (const [key, space] of this.#parts.profile.saved) {
      if (space !== name || held.has(key) || truth.csnByUpdate.has(key)) continue;
      if (!replica.isKeeper && !key.startsWith(`${replica.replica}/`)) continue;
      throw new Violation('no saved update is lost', `${key} is gone from ${this.name} when it opens`);
    }
  }

  #mustBeSaved(): void {
    for (const receipt of this.#written) {
      if (receipt.stage !== 'local') continue;
      throw new Violation('a tab that has closed has saved what it wrote', `${updateKey(receipt.id)} at ${this.name}`);
    }
  }

  #follow(space: string, receipt: Receipt): void {
    this.#receipts.add(receipt);
    const note = (): void => {
      if (receipt.stage === 'local') return;
      if (receipt.stage === 'saved') this.#mustBeOnDisk(space, receipt);
      this.#parts.profile.saved.set(updateKey(receipt.id), space);
      if (receipt.stage === 'committed') checkReceipt(this.#truthOf(space), receipt);
    };
    note();
    receipt.onChange(this.process.bound(note));
  }

  /** Whichever tab keeps it; or it is settled, and went from there. */
  #mustBeOnDisk(space: string, { id }: Receipt): void {
    const isThere = this.#parts.profile.disk.holds(space, id);
    if (isThere || this.#truthOf(space).csnByUpdate.has(updateKey(id))) return;
    throw new Violation('what is called saved is on disk', `${updateKey(id)} at ${this.name}`);
  }

  #truthOf(space: string): Truth {
    const truth = this.#parts.truths.get(space);
    if (truth === undefined) throw new Error(`no truth for ${space}`);
    return truth;
  }

  #checkSpace(open: OpenSpace): void {
    const { replica, truth, session, profileId } = open;
    const { csn } = replica.head;
    if (replica.lost !== undefined || replica.profile !== profileId || !isSeatOf(profileId, replica.replica)) {
      throw new Violation('no tab is taken for another', `${this.name} in ${open.name}: ${replica.lost ?? 'another id'}`);
    }
    this.#checkCommits(open);
    session.read(csn, new Set(replica.pending().map(({ id }) => updateKey(id))));
    if (!this.#parts.random.chance(0.1)) return;
    const rows = committedRows(replica);
    checkEqualRows(rows, rowsAfter(truth.entries.slice(0, csn)), `the committed view of ${this.name} is the server's order`);
    checkNoDoubleBooking(rows, `the committed view of ${this.name}`);
    checkViews(replica, { name: this.name, user: this.#parts.profile.name }, truth);
  }

  #checkCommits(open: OpenSpace): void {
    const { replica, truth } = open;
    if (replica.head.csn === open.checkedCsn) return;
    const entries = replica.entriesAfter(open.checkedCsn, 100_000);
    if (entries !== 'trimmed') for (const entry of entries) checkLearned(truth, this.name, entry);
    open.checkedCsn = replica.head.csn;
  }
}
