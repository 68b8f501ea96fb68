/**
 * One simulated client: a real ReplicaHost on a simulated disk, clock and network. It writes at
 * random, crashes and comes back, and each thing that it is told or shows goes through the
 * checkers.
 */
import { ReplicaHost } from '../../packages/sdk/src/host/replica-host.js';
import type { Receipt } from '../../packages/sdk/src/replica/receipt.js';
import type { SpaceReplica } from '../../packages/sdk/src/replica/space.js';
import { Guard } from '@oxbow/sdk/guard';
import { limits, OxbowError, updateKey, type SpaceId, type UpdateId } from '@oxbow/sdk/protocol';
import { apps, type app, type Version } from './app.js';
import {
  checkEqualRows, checkLearned, checkNoDoubleBooking, checkReceipt, liftedRows, rowsAfter, SessionChecker, Violation,
  type RowsByTable, type ToldOfRestores, type Truth,
} from './checkers.js';
import { SimClientDisk } from './client-store.js';
import type { Network } from './network.js';
import { checkViews, committedRows } from './oracle.js';
import type { Random } from './random.js';
import { forgetsNothing, type Swarm } from './swarm.js';
import type { OrderHistory } from './order-history.js';
import { drawMutation } from './workload.js';
import { Process, type World } from './world.js';

/**
 * A copy's clock tells no time that the original's tells: only counter and time tell their updates
 * apart.
 */
const COPY_SKEW_MS = 7 * 86_400_000;

export interface ClientParts {
  readonly world: World;
  readonly network: Network;
  readonly swarm: Swarm;
  readonly truths: ReadonlyMap<string, Truth>;
  readonly random: Random;
  /** Of the servers that it knows. */
  readonly addresses: readonly string[];
  /** Own updates of a space are told to be committed. */
  readonly told?: (space: string) => void;
  /** By space: updates and reads as their clients saw them. */
  readonly orders?: ReadonlyMap<string, OrderHistory>;
  /** Whose profile this one began as a copy of. */
  readonly copyOf?: SimClient;
}

/** It was taken back before, was refused, is forgotten, or was written by the newer app. */
const CANNOT_UNDO = new Set(['undo-rejected', 'undo-unknown', 'mutation-unknown']);

interface OpenSpace {
  readonly name: string;
  readonly replica: SpaceReplica<typeof app>;
  /** Both of the history that the replica has. */
  session: SessionChecker;
  truth: Truth;
  /** Commit entries up to here were compared with the truth. */
  checkedCsn: number;
}

export class SimClient {
  readonly name: string;
  readonly process: Process;
  /** Updates that were saved here, by key: each must be committed in the end. */
  readonly saved = new Map<string, string>();
  mutations = 0;
  reads = 0;
  #version: Version = 1;
  /** Updates of ours, the newest last. */
  readonly #made: { readonly space: string; readonly id: UpdateId }[] = [];
  /** Updates that somebody has taken back. */
  readonly #takenBack = new Set<string>();
  /** Conflicts that somebody has put aside. */
  readonly #acknowledged = new Set<string>();
  /** Updates that were reported as forgotten by a restored server, and known here no longer. */
  #forgotten = 0;
  /** Of the store, in this run of the process. */
  #deletions = 0;
  readonly #parts: ClientParts;
  readonly #disk: SimClientDisk;
  #host: ReplicaHost<typeof app> | undefined;
  #spaces = new Map<string, OpenSpace>();

  constructor(name: string, parts: ClientParts) {
    this.name = name;
    this.#parts = parts;
    const skew = parts.swarm.skewMs === 0 ? 0 : parts.random.int(-parts.swarm.skewMs, parts.swarm.skewMs);
    const { copyOf } = parts;
    this.process = new Process(parts.world, name, copyOf === undefined ? skew : skew + COPY_SKEW_MS);
    const { clientDisk, clientStore } = parts.swarm;
    const faults = { ...clientDisk, broken: clientStore.broken };
    const disk = { random: parts.random.fork('disk'), faults };
    this.#disk = copyOf === undefined
      ? new SimClientDisk(parts.world, this.process, disk)
      : copyOf.#disk.copyFor(this.process, disk.random);
  }

  start(): void {
    const { world, network, swarm, random } = this.#parts;
    this.process.start();
    this.#version = this.#drawVersion();
    this.#spaces = new Map();
    const ids = random.fork(`ids-${world.now}`);
    const host = new ReplicaHost({
      app: apps[this.#version],
      storage: this.#disk,
      transports: [network.transport(this.process, this.#parts.addresses)],
      clock: this.process.clock,
      entropy: { id: () => ids.uuid(), seed: () => ids.uint32() },
      dev: true,
      newGuard: (onReport) => new Guard(onReport),
      fallbackToMemory: false,
      onReport: (error) => {
        // What a checker finds within a listener must not end there.
        if (error.code === 'invariant' || error.cause instanceof Violation) throw error;
        world.trace(`${this.name} reports ${error.code}`);
        // The one place where a number is told, and to people: it stands in the sentence.
        if (error.code === 'updates-rolled-back') this.#forgotten += Number(/: (\d+)\./u.exec(error.message)?.[1]);
      },
    });
    this.#host = host;
    host.start(this.process.bound((result) => {
      if (!result.ok) throw result.error;
      for (const space of swarm.spaces) this.#open(host, space);
    }));
  }

  /** Of the app; a client may be set back. */
  #drawVersion(): Version {
    const { world, swarm: { app: { upgradeAtMs, newer } }, random } = this.#parts;
    return world.now >= upgradeAtMs && random.chance(newer) ? 2 : 1;
  }

  crash(): void {
    this.process.crash();
    this.#disk.crash();
    this.#deletions = 0;
    // What was to be written anew was not.
    if (!this.#disk.isWhole) this.saved.clear();
    const { evicted } = this.#parts.swarm.clientStore;
    if (evicted > 0 && this.#parts.random.chance(evicted)) this.#evict();
    if (this.#parts.random.chance(this.#parts.swarm.clientPowerLoss)) this.#losePower();
    this.#host = undefined;
    this.#spaces = new Map();
    this.#parts.network.cutWhere((client) => client === this.name, 'client crashed');
  }

  /**
   * What only this disk held may be gone now; what still is there is noted again at the restart.
   */
  #losePower(): void {
    this.#parts.world.trace(`${this.name} loses power`);
    this.#disk.losePower();
    this.saved.clear();
  }

  /** Everything on the disk is gone; what was synced comes again. */
  #evict(): void {
    this.#parts.world.trace(`${this.name} is evicted`);
    this.#disk.delete();
    this.saved.clear();
  }

  setFull(isFull: boolean): void {
    this.#parts.world.trace(`${this.name} has ${isFull ? 'no room left' : 'room'}`);
    this.#disk.isFull = isFull;
  }

  /** Its store is deleted while it runs: memory has all of it. */
  deleteStore(): void {
    if (this.#spaces.size === 0 || this.#deletions >= limits.storeRenewalsMax) return;
    this.#deletions++;
    this.#parts.world.trace(`${this.name} has its store deleted`);
    this.#disk.delete();
  }

  /** From now on its disk works. */
  mend(): void {
    this.#disk.isSound = true;
  }

  goOffline(): void {
    this.#host?.goOffline();
  }

  goOnline(): void {
    this.#host?.goOnline();
  }

  /** The network may be back, or the server newer. */
  hurry(): void {
    this.#host?.hurry();
  }

  /** One burst of random mutations in one of the open spaces. */
  write(): void {
    const { random, swarm } = this.#parts;
    const open = [...this.#spaces.values()];
    if (open.length === 0) return;
    const space = random.pick(open);
    for (let i = random.int(1, swarm.burst + 1); i > 0; i--) {
      const { name, args } = drawMutation(random, space.replica, swarm);
      const receipt = space.replica.mutate(name, args, this.process.clock.now());
      this.mutations++;
      space.session.wrote(receipt);
      this.#parts.orders?.get(space.name)?.wrote(this.name, receipt);
      this.#follow(receipt);
      this.#made.push({ space: space.name, id: receipt.id });
    }
    if (swarm.app.pins > 0) this.#lookBack(space);
    this.look();
  }

  /** Somebody looks at what was done: takes something back, or puts a conflict aside. */
  #lookBack(open: OpenSpace): void {
    const { random, swarm } = this.#parts;
    const { name, replica, session } = open;
    const made = this.#made.filter(({ space }) => space === name).slice(-20);
    if (made.length > 0 && random.chance(swarm.app.pins / 2)) {
      this.#takeBack(open, random.pick(made).id);
    }
    const conflicts = replica.conflicts();
    if (conflicts.length === 0 || !random.chance(0.2)) return;
    const { id, outcome, version } = random.pick(conflicts);
    // What a newer version of the app asked for waits for that.
    const isOlder = version > this.#version;
    if (isOlder && outcome.kind === 'rolled-back') return;
    this.#acknowledged.add(updateKey(id));
    if (outcome.kind !== 'rolled-back' || random.chance(0.5)) return replica.dismiss(id);
    const receipt = replica.retry(id, undefined, this.process.clock.now());
    session.wrote(receipt);
    this.#follow(receipt);
    this.#made.push({ space: name, id: receipt.id });
  }

  /** What people can see of updates that a restored server has forgotten. */
  toldOfRestores(space: string): ToldOfRestores {
    const listed = this.replica(space).conflicts().filter(({ outcome }) => outcome.kind === 'rolled-back');
    const keys = new Set([...listed.map(({ id }) => updateKey(id)), ...this.#acknowledged]);
    return { keys, counted: this.#forgotten };
  }

  #takeBack(open: OpenSpace, id: UpdateId): void {
    const { name, replica, session } = open;
    const { nextSeq } = replica.insides.state;
    try {
      const receipt = replica.undo(id, this.process.clock.now());
      this.#takenBack.add(updateKey(id));
      // It was taken back before.
      if (replica.insides.state.nextSeq === nextSeq) return;
      if (replica.undo(id, this.process.clock.now()) !== receipt) {
        throw new Violation('what is taken back is taken back once', `${updateKey(id)} at ${this.name}`);
      }
      session.wrote(receipt);
      this.#follow(receipt);
      this.#made.push({ space: name, id: receipt.id });
    } catch (error) {
      if (!(error instanceof OxbowError) || !CANNOT_UNDO.has(error.code)) throw error;
      // Unless a newer version of the app did it.
      if (error.code !== 'mutation-unknown') this.#mustBeUndoable(open, id);
    }
  }

  /** What was done, and says how it is undone, can be taken back, whatever crashed meanwhile. */
  #mustBeUndoable({ replica, truth }: OpenSpace, id: UpdateId): void {
    const { swarm } = this.#parts;
    // Who is given a base does not learn what became of its own updates.
    const mayBeGivenBase = swarm.keptEntries < 1_000 || swarm.restore !== undefined;
    if (!forgetsNothing(swarm) || mayBeGivenBase) return;
    const key = updateKey(id);
    const entry = truth.entries[(truth.csnByUpdate.get(key) ?? Infinity) - 1];
    if (entry === undefined || entry.csn > replica.head.csn || this.#takenBack.has(key)) return;
    const { body, outcome } = entry;
    if (outcome.kind === 'rejected' || (body?.name !== 'add' && body?.name !== 'book')) return;
    throw new Violation('what was done can be taken back', `${key} at ${this.name}`);
  }

  /** What was refused or changed is in the inbox, whatever crashed, until somebody has seen it. */
  #checkInbox({ name, replica, truth }: OpenSpace): void {
    if (!forgetsNothing(this.#parts.swarm)) return;
    const inbox = new Set(replica.conflicts().map(({ id }) => updateKey(id)));
    for (const key of this.savedIn(name).keys()) {
      const entry = truth.entries[(truth.csnByUpdate.get(key) ?? Infinity) - 1];
      if (entry === undefined || entry.csn > replica.head.csn) continue;
      if (entry.outcome.kind === 'applied' || this.#acknowledged.has(key) || inbox.has(key)) continue;
      throw new Violation('a conflict stays until it is acknowledged', `${key} is not in the inbox of ${this.name}`);
    }
  }

  /** A read of any space that must see all that anyone was told before it was asked for. */
  read(): void {
    const open = [...this.#spaces.values()];
    if (open.length > 0) this.readIn(this.#parts.random.pick(open).name);
  }

  readIn(name: string): void {
    const replica = this.#spaces.get(name)?.replica;
    const host = this.#host;
    if (replica === undefined || host === undefined) return;
    const asked = this.#parts.orders?.get(name)?.read(this.name);
    if (asked === undefined) return;
    // reason: a space that is open has a name that is one.
    host.machine.read(name as SpaceId, this.process.bound(() => {
      this.reads++;
      asked.answered(`${replica.head.csn}`);
    }));
  }

  /** What a user would see now, compared with what must be so. */
  look(): void {
    for (const open of this.#spaces.values()) this.#checkSpace(open);
  }

  /** Everything that was asked for is settled and everything that is settled is here. */
  get isSettled(): boolean {
    const { swarm } = this.#parts;
    if (this.#spaces.size < swarm.spaces.length) return false;
    return [...this.#spaces.values()].every(({ name, replica }) => {
      const truth = this.#truthOf(name);
      const { csn, history } = replica.head;
      return replica.pending().length === 0 && csn === truth.entries.length && truth.of(history) === truth;
    });
  }

  replica(space: string): SpaceReplica<typeof app> {
    const open = this.#spaces.get(space);
    if (open === undefined) throw new Error(`${this.name} has not opened ${space}`);
    return open.replica;
  }

  /** The server's rows as the app of this client has them. */
  shown(rows: RowsByTable): RowsByTable {
    return this.#version === 2 ? liftedRows(rows) : rows;
  }

  savedIn(space: string): ReadonlyMap<string, string> {
    return new Map([...this.saved].filter(([, where]) => where === `${this.name} ${space}`));
  }

  get state(): string {
    const spaces = [...this.#spaces].map(([name, { replica, truth }]) =>
      `${name}: csn ${replica.head.csn} of ${truth.entries.length}, ${replica.pending().length} pending`);
    return `${this.name} ${this.process.isAlive ? '' : 'down '}[${spaces.join('; ')}]`;
  }

  #open(host: ReplicaHost<typeof app>, space: string): void {
    host.open(space, this.process.bound((result) => {
      if (!result.ok) throw result.error;
      const replica = result.value;
      const truth = this.#truthOf(space).of(replica.head.history);
      const open: OpenSpace = {
        name: space, replica, truth, session: new SessionChecker(this.name, truth), checkedCsn: 0,
      };
      this.#spaces.set(space, open);
      for (const pending of replica.pending()) {
        if (pending.own && pending.receipt !== undefined) this.#follow(pending.receipt);
      }
      this.#checkNothingSavedIsGone(space, open);
      replica.subscribe(this.process.bound(() => this.#checkSpace(open)));
      this.#checkSpace(open);
    }));
  }

  /** After a restart: what was saved before is pending or settled. */
  #checkNothingSavedIsGone(space: string, { replica }: OpenSpace): void {
    const truth = this.#truthOf(space);
    const held = new Set(replica.pending().map((pending) => updateKey(pending.id)));
    for (const [key, where] of this.saved) {
      if (where !== `${this.name} ${space}` || held.has(key)) continue;
      // Of what a restored server has forgotten `checkRolledBack` speaks.
      if (truth.everHeld(key)) continue;
      throw new Violation('no saved update is lost', `${key} is gone from ${this.name} after its restart`);
    }
  }

  /** Notes when an update is saved; a new id takes the old one's place. */
  #follow(receipt: Receipt): void {
    let noted: string | undefined;
    let isSaved = false;
    const space = this.#spaceOf(receipt);
    const note = (): void => {
      if (noted !== undefined && noted !== updateKey(receipt.id)) this.saved.delete(noted);
      const { stage } = receipt;
      // As the disk is full, it may have left without being saved: then both may forget it.
      isSaved = stage === 'saved' || stage === 'committed' || (isSaved && stage === 'shared');
      if (!isSaved) return;
      noted = updateKey(receipt.id);
      this.saved.set(noted, `${this.name} ${space}`);
      if (receipt.stage !== 'committed') return;
      checkReceipt(this.#truthOf(space), receipt);
      if (receipt.outcome.kind === 'unknown') {
        this.#parts.orders?.get(space)?.forgotten(receipt);
        return;
      }
      this.#parts.orders?.get(space)?.settled(receipt);
      this.#parts.told?.(space);
    };
    note();
    receipt.onChange(this.process.bound(note));
  }

  #truthOf(space: string): Truth {
    const truth = this.#parts.truths.get(space);
    if (truth === undefined) throw new Error(`no truth for ${space}`);
    return truth;
  }

  #spaceOf(receipt: Receipt): string {
    for (const [name, { replica }] of this.#spaces) {
      if (replica.receipt(receipt.id) === receipt) return name;
    }
    throw new Error('a receipt belongs to an open space');
  }

  /** Another history begins: what is read in it is compared with nothing that was read before. */
  #noteHistory(open: OpenSpace): void {
    const truth = this.#truthOf(open.name).of(open.replica.head.history);
    if (truth === open.truth) return;
    open.truth = truth;
    open.session = new SessionChecker(this.name, truth);
    open.checkedCsn = 0;
  }

  #checkSpace(open: OpenSpace): void {
    this.#noteHistory(open);
    const { replica, truth, session } = open;
    const { csn } = replica.head;
    this.#checkCommits(open);
    const held = new Set(replica.pending().map((pending) => updateKey(pending.id)));
    session.read(csn, held);
    if (!this.#parts.random.chance(0.1)) return;
    const rows = committedRows(replica);
    const decided = rowsAfter(truth.entries.slice(0, csn));
    this.#checkInbox(open);
    checkEqualRows(rows, this.shown(decided), `the committed view of ${this.name} is the server's order`);
    checkNoDoubleBooking(rows, `the committed view of ${this.name}`);
    checkViews(replica, { name: this.name, user: this.name }, truth);
  }

  #checkCommits(open: OpenSpace): void {
    const { replica, truth } = open;
    if (replica.head.csn === open.checkedCsn) return;
    const entries = replica.entriesAfter(open.checkedCsn, 100_000);
    if (entries !== 'trimmed') for (const entry of entries) checkLearned(truth, this.name, entry);
    open.checkedCsn = replica.head.csn;
  }
}
