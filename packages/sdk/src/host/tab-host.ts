/**
 * The host of one tab of a browser profile. Which tab keeps disk and network changes while the app
 * runs; the machine, its spaces and what the app holds of them stay. What is decided is decided by
 * machines (replica/election.ts, replica/tab-machine.ts); here locks, channel and store are brought
 * together with them.
 */
import { takeOver } from '../drivers/fenced-store.js';
import { failed, succeeded } from '../drivers/store-queue.js';
import type { TabDriver } from '../drivers/tab-driver.js';
import type { Done, Storage, Store, StoreCondition } from '../drivers/storage.js';
import type { Transport } from '../drivers/transport.js';
import type { AppDefinition } from '../model/index.js';
import { OxbowError, type SpaceId } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { LinkId, PersistOp, Token } from '../replica/effects.js';
import { Election } from '../replica/election.js';
import { readSpace, type SpaceReading } from '../replica/layout-reading.js';
import type { MachineConfig } from '../replica/machine.js';
import type { Profile } from '../replica/profile.js';
import type { SpaceReplica } from '../replica/space.js';
import type { StoredRecords } from '../replica/store-keys.js';
import { TabMachine } from '../replica/tab-machine.js';
import type { StorageStatus, TabWord } from '../replica/tab-word.js';
import {
  caught, closeUnsaved, readStoredProfile, ReplicaHost, tooManySpaces,
  type HostConfig, type Result,
} from './replica-host.js';
import { replicaClosed } from './closing.js';
import { loadKeeperView } from './on-demand.js';
import { readStoredSpace } from './stored-space.js';
import { TabWire, type FarEnd } from './tab-wire.js';

const noLocks = (): OxbowError => new OxbowError(
  'store-unavailable', 'This page may hold no Web Locks: leave out tabs().',
);
const NOTHING: StoredRecords = { meta: [], updates: [], entries: [], pages: [] };

type SharedStorage = Storage & Required<Pick<Storage, 'share' | 'sharedName'>>;

export class TabHost<A extends AppDefinition = AppDefinition> extends ReplicaHost<A> {
  readonly #driver: TabDriver;
  readonly #storage: SharedStorage;
  readonly #election: Election;
  readonly #wire: TabWire;
  /** Ends of links that other tabs opened. */
  readonly #ends = new Map<LinkId, FarEnd>();
  /** Spaces that the app, or another tab, waits for. */
  readonly #waiting = new Map<SpaceId, Done<SpaceReplica<A>>[]>();
  readonly #letGo: (() => void)[] = [];
  #leaveLead: (() => void) | undefined;
  /** Who looks waits for the keeper's answer. */
  #seen: ((view: unknown) => void) | undefined;
  #tabs: TabMachine<A> | undefined;
  #started: Done<void> | undefined;
  /** Counts the times that we began or ceased to lead: what was begun before is void. */
  #turn = 0;
  #isLeading = false;
  /** The code of why the store could not be taken over, as reported. */
  #riseFailure: string | undefined;
  #closing: ((error: OxbowError | undefined) => void) | undefined;
  /** Calls back for the close under way, as the one that keeps the disk. */
  #ending: ((error: OxbowError | undefined) => void) | undefined;

  constructor(config: HostConfig<A>, driver: TabDriver, storage: SharedStorage) {
    const wires: { wire?: TabWire } = {};
    const seats: { election?: Election } = {};
    super({
      ...config,
      transports: [...config.transports, toKeeper((events) =>
        wires.wire?.connect(seats.election?.seat ?? 0, events) ?? (() => undefined))],
    });
    this.#driver = driver;
    this.#storage = storage;
    this.#election = seats.election = this.#newElection();
    this.#wire = wires.wire = this.#newWire();
  }

  override get storage(): ReplicaHost<A>['storage'] {
    const told = this.#tabs?.status?.storage;
    if (told === undefined || this.#isLeading) return super.storage;
    const { kind, failing, loss, evicted } = told;
    // Asked here, and granted: the keeper has not heard of it.
    const isKept = super.storage.condition.persisted === true;
    return {
      kind, condition: { ...conditionOf(told), ...(isKept && { persisted: true }) }, evicted,
      failing: failing === undefined ? undefined : { code: failing },
      loss: loss === undefined ? undefined : { code: loss },
    };
  }

  override start(done: Done<void>): void {
    this.phase = 'starting';
    this.#started = done;
    this.#election.start();
  }

  override open(space: string, done: Done<SpaceReplica<A>>): void {
    if (!this.mayOpen(space, done)) return;
    const open = this.machine.space(space);
    if (open !== undefined && this.#tabs?.isReady(space) === true) {
      return this.config.clock.soon(() => done(succeeded(open)));
    }
    const waiting = this.#waiting.get(space);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    if (this.machine.spaceCount + this.#waiting.size >= limits.spacesOpenMax) {
      return this.later(done, tooManySpaces());
    }
    this.#waiting.set(space, [done]);
    this.#bring(space);
  }

  override goOffline(): void {
    this.#tabs?.setOnline(false, this.now);
  }

  override goOnline(): void {
    this.#tabs?.setOnline(true, this.now);
  }

  /**
   * For the inspector: how the tab that has disk and network sees them. Calls back whenever that
   * one has answered; not at all where it is this one.
   */
  askKeeper(isPinging: boolean, seen: (view: unknown) => void): void {
    this.#seen = seen;
    this.#wire.word({ kind: 'look', isPinging });
  }

  /**
   * The store, read beside the one that keeps it: that one may stand still. Undefined where it
   * cannot be opened.
   */
  override beside(use: (store: Store | undefined, end: () => void) => void): void {
    if (this.store !== undefined) return use(this.store, () => undefined);
    this.#storage.share((opened) => {
      if (!opened.ok) {
        this.config.onReport?.(opened.error);
        return use(undefined, () => undefined);
      }
      use(opened.value, () => opened.value.close(() => undefined));
    });
  }

  override close(done: Done<void>): void {
    if (this.phase !== 'running') return super.close(done);
    if (this.#closing !== undefined) return this.later(done, replicaClosed());
    const end = (error: OxbowError | undefined): void => {
      cancel();
      this.#closing = undefined;
      this.phase = 'closed';
      this.#leave();
      done(error === undefined ? succeeded(undefined) : failed(error));
    };
    const cancel = this.config.clock.after(limits.closeTimeoutMs, () =>
      end(closeUnsaved(undefined)));
    this.#closing = end;
    this.#pursueClose();
  }

  // ---- how it differs from a host that is alone

  protected override companion(): MachineConfig<A>['companion'] {
    return (insides) => {
      this.#tabs = new TabMachine<A>({
        insides, seat: this.#election.seat, isKeeper: this.store !== undefined,
        toKeeper: this.config.transports.length - 1,
        out: {
          word: (link, word) => this.#word(link, word),
          want: (space) => this.open(space, (opened) => {
            if (!opened.ok) this.config.onReport?.(opened.error);
          }),
          ready: (space) => this.#ready(space),
          online: (isOnline) => this.#tabs?.setOnline(isOnline, this.now),
          storage: () => {
            const { kind, condition, failing, loss, evicted } = this.storage;
            return { kind, ...condition, failing: failing?.code, loss: loss?.code, evicted };
          },
        },
      });
      return this.#tabs;
    };
  }

  protected override send(link: LinkId, frame: string): void {
    const end = this.#ends.get(link);
    if (end === undefined) super.send(link, frame);
    else end.send(frame);
  }

  protected override cut(link: LinkId, reason: string): void {
    const end = this.#ends.get(link);
    if (end === undefined) return super.cut(link, reason);
    this.#ends.delete(link);
    end.close(reason);
  }

  /** Where another tab keeps the disk, nothing is owed to it from here. */
  protected override persist(ops: readonly PersistOp[], token: Token): void {
    if (this.store !== undefined) return super.persist(ops, token);
    this.config.clock.soon(() => {
      if (this.phase !== 'closed') this.machine.persisted(token, this.now);
    });
  }

  protected override isStillOurs(store: Store, written: Result<void>): boolean {
    if (this.store !== store) return false;
    const isOvertaken = !written.ok && written.error.code === 'store-overtaken';
    if (isOvertaken) this.#election.leadLost();
    return !isOvertaken;
  }

  // ---- who leads

  #newElection(): Election {
    const name = (what: string): string => `oxbow:${this.#storage.sharedName}:${what}`;
    return new Election({
      holdSeat: (seat) => {
        const letGo = this.#driver.lock(name(`seat:${seat}`), 'at-once', {
          held: () => {
            this.#letGo.push(letGo);
            this.#election.seatHeld();
          },
          taken: () => this.#election.seatTaken(),
          lost: () => { if (!this.#election.hasSeat) this.#startedWith(failed(noLocks())); },
        });
      },
      queueForLead: () => this.#askForLead(name('lead'), 'queue'),
      stealLead: () => this.#askForLead(name('lead'), 'steal'),
      leaveLead: () => {
        this.#leaveLead?.();
        this.#leaveLead = undefined;
      },
      rise: () => this.#rise(),
      fall: () => this.#fall(),
      seek: () => this.#wire.seek(),
      failed: (error) => this.#startedWith(failed(error)),
      tickIn: (ms) => this.config.clock.after(ms, () => {
        if (this.phase !== 'closed') this.#election.tick();
      }),
    });
  }

  #askForLead(name: string, how: 'queue' | 'steal'): void {
    this.#leaveLead?.();
    this.#leaveLead = this.#driver.lock(name, how, {
      held: () => this.#election.leadHeld(),
      taken: () => undefined,
      lost: () => this.#election.leadLost(),
    });
  }

  #rise(): void {
    const turn = ++this.#turn;
    this.#wire.rising();
    takeOver(this.#storage, (opened) => {
      const isVoid = turn !== this.#turn || this.phase === 'closed';
      if (isVoid) return opened.ok ? opened.value.close(() => undefined) : undefined;
      if (opened.ok) return this.#useTaken(opened.value, turn);
      const { error } = opened;
      if (error.code !== 'store-unavailable' || this.config.fallbackToMemory === false) {
        return this.#cannotRise(error);
      }
      this.goOnInMemory(error, (store) => this.#useTaken(store, turn));
    });
  }

  #useTaken(store: Store, turn: number): void {
    readStoredProfile(store, (profile) => {
      if (turn !== this.#turn || this.phase === 'closed') return store.close(() => undefined);
      if (!profile.ok) {
        store.close(() => undefined);
        return this.#cannotRise(profile.error);
      }
      if (this.phase === 'running') return this.#readOpen(store, turn, profile.value);
      this.watch(store);
      this.run(profile.value);
      this.#risen();
    });
  }

  /** What the disk has of the spaces that are open here, one after the other. */
  #readOpen(store: Store, turn: number, profile: Profile | undefined): void {
    const readings = new Map<SpaceId, SpaceReading>();
    const next = (): void => {
      const space = this.#tabs?.spaces.find((open) => !readings.has(open));
      if (space === undefined) return this.#takeOver(store, profile, readings);
      readStoredSpace(store, space, (read) => {
        if (turn !== this.#turn || this.phase === 'closed') return store.close(() => undefined);
        const reading = read.ok
          ? caught(() => readSpace(space, read.value, { replica: this.machine.replica }))
          : read;
        if (!reading.ok) {
          store.close(() => undefined);
          return this.#cannotRise(reading.error);
        }
        readings.set(space, reading.value);
        next();
      });
    };
    next();
  }

  #takeOver(
    store: Store, profile: Profile | undefined, readings: ReadonlyMap<SpaceId, SpaceReading>,
  ): void {
    this.watch(store);
    this.#tabs?.becomeKeeper(profile, readings, this.now);
    this.#risen();
  }

  #risen(): void {
    this.#isLeading = true;
    this.#riseFailure = undefined;
    this.#election.risen();
    this.#startedWith(succeeded(undefined));
    this.#announce();
    for (const space of this.#waiting.keys()) this.#bring(space);
    this.#pursueClose();
  }

  /** Perhaps another tab can. Until one does, this one goes on with what it has, and tries on. */
  #cannotRise(error: OxbowError): void {
    this.#turn++;
    if (this.phase === 'starting') {
      this.#leave();
      return this.#startedWith(failed(error));
    }
    if (error.code !== this.#riseFailure) this.config.onReport?.(error);
    this.#riseFailure = error.code;
    this.#election.notRisen();
  }

  #fall(): void {
    this.#turn++;
    const { store } = this;
    this.store = undefined;
    this.#isLeading = false;
    store?.close(() => undefined);
    if (this.phase === 'closing') {
      this.abandonClose();
      this.#closing = this.#ending;
    }
    if (this.phase !== 'running') return;
    this.#tabs?.becomeFollower(this.now);
    for (const space of this.#waiting.keys()) this.#bring(space);
  }

  #startedWith(result: Result<void>): void {
    const done = this.#started;
    this.#started = undefined;
    if (!result.ok) this.phase = 'closed';
    done?.(result);
  }

  // ---- links

  #newWire(): TabWire {
    const { clock, entropy } = this.config;
    return new TabWire({
      self: entropy.id(),
      soon: (task) => clock.soon(task),
      channel: (received) =>
        this.#driver.channel(`oxbow:${this.#storage.sharedName}`, (message) => {
          if (this.phase !== 'closed') received(message);
        }),
      events: {
        sought: () => this.#announce(),
        heard: (profile) => this.#heard(profile),
        connected: (seat, far) => this.#connected(seat, far),
        word: (word) => this.#wordFromKeeper(word),
      },
    });
  }

  #announce(): void {
    const { phase } = this.#election;
    if (phase === 'leading' && this.#tabs !== undefined) this.#wire.lead(this.#tabs.profile);
    else if (phase === 'rising') this.#wire.rising();
  }

  #heard(profile: Profile | undefined): void {
    this.#election.heard();
    if (profile === undefined || !this.#election.hasSeat || this.#isLeading) return;
    if (this.phase === 'starting' && this.#election.phase === 'tab') {
      this.run(profile);
      this.machine.goOnline(this.now);
      this.#startedWith(succeeded(undefined));
    } else if (this.phase === 'running' && this.#election.phase === 'tab') {
      this.machine.hurry(this.now);
    }
  }

  #connected(seat: number, far: FarEnd): ReturnType<
    ConstructorParameters<typeof TabWire>[0]['events']['connected']
  > {
    const tabs = this.#tabs;
    if (!this.#isLeading || tabs === undefined || this.phase !== 'running') return undefined;
    const link = tabs.accept(seat, this.now);
    this.#ends.set(link, far);
    return {
      received: (text) => this.machine.frame(link, text, this.now),
      word: (word) => {
        if (word.kind === 'look') this.#look(far, word.isPinging);
        else tabs.word(link, word, this.now);
      },
      closed: (reason) => {
        this.#ends.delete(link);
        this.machine.linkClosed(link, reason, this.now);
      },
    };
  }

  #word(link: LinkId, word: TabWord): void {
    const end = this.#ends.get(link);
    if (end === undefined) this.#wire.word(word);
    else end.word(word);
  }

  /** Another tab has its inspector open. */
  #look(far: FarEnd, isPinging: boolean): void {
    if (isPinging) this.hurry();
    const looked = { host: this, wallNow: () => this.config.clock.now() };
    loadKeeperView().then(
      ({ keeperView }) => far.word({ kind: 'seen', view: keeperView(looked) }),
      (error: OxbowError) => this.config.onReport?.(error),
    );
  }

  #wordFromKeeper(word: TabWord): void {
    if (word.kind === 'seen') return this.#seen?.(word.view);
    this.#tabs?.wordFromKeeper(word, this.now);
    this.#pursueClose();
  }

  // ---- spaces

  /** From disk, or from the tab that has it; as long as neither can be asked, it waits. */
  #bring(space: SpaceId): void {
    if (!this.#isLeading) {
      if (this.machine.space(space) === undefined) {
        this.machine.openSpace(space, NOTHING, this.now);
      }
      return;
    }
    if (this.machine.space(space) !== undefined) return this.#ready(space);
    const turn = this.#turn;
    readStoredSpace(this.mustStore(), space, (read) => {
      if (turn !== this.#turn || this.phase === 'closed') return;
      if (!read.ok) return this.#answer(space, read);
      this.#answer(space, caught(() => this.machine.openSpace(space, read.value, this.now)));
    });
  }

  #ready(space: SpaceId): void {
    const replica = this.machine.space(space);
    // Not in the turn that it became so: the app may write at once.
    this.config.clock.soon(() => {
      if (replica !== undefined) this.#answer(space, succeeded(replica));
    });
  }

  #answer(space: SpaceId, result: Result<SpaceReplica<A>>): void {
    const waiting = this.#waiting.get(space) ?? [];
    this.#waiting.delete(space);
    for (const done of waiting) done(result);
  }

  // ---- the end

  /** What is unsaved goes to disk, here or at the tab that keeps it; then we are gone. */
  #pursueClose(): void {
    const end = this.#closing;
    if (end === undefined || this.#election.phase === 'rising') return;
    if (!this.#isLeading) {
      if (this.#tabs?.isKept !== false) end(undefined);
      return;
    }
    this.#closing = undefined;
    this.#ending = end;
    this.#tabs?.leave();
    super.close((closed) => {
      end(closed.ok ? undefined : closed.error);
    });
  }

  #leave(): void {
    this.#election.leave();
    this.#wire.close();
    for (const letGo of this.#letGo) letGo();
  }
}

const conditionOf = ({ persisted, usageBytes, quotaBytes }: StorageStatus): StoreCondition => ({
  ...(persisted !== undefined && { persisted }),
  ...(usageBytes !== undefined && { usageBytes }),
  ...(quotaBytes !== undefined && { quotaBytes }),
});

/** The way to the tab that keeps disk and network. */
function toKeeper(connect: Transport['connect']): Transport {
  return { name: 'tabs', connect: (events) => connect(events) };
}
