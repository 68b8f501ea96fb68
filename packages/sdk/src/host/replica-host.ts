/**
 * The only loop of a replica: carries out what the machine asks for and brings back what came of
 * it. It decides nothing and touches no global: storage, links, time and chance are given, so the
 * simulation runs this very file.
 */
import type { AppDefinition, NewGuard } from '../model/index.js';
import type { Clock, Entropy } from '../drivers/clock.js';
import { memory } from '../drivers/storage-memory.js';
import { failed, succeeded } from '../drivers/store-queue.js';
import type { Done, Storage, Store, StoreCondition } from '../drivers/storage.js';
import type { Link, Transport } from '../drivers/transport.js';
import { invariant, isSpaceId, OxbowError, type SpaceId } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { LinkId, PersistOp, ReplicaEffects, Token } from '../replica/effects.js';
import type { SpaceFacts } from '../replica/health.js';
import { ReplicaMachine, type MachineConfig } from '../replica/machine.js';
import { PROFILE_KEY, readProfile, type Profile } from '../replica/profile.js';
import type { SpaceReplica } from '../replica/space.js';
import type { StoredRecords } from '../replica/store-keys.js';
import { SteadyClock } from './steady-clock.js';
import { replicaClosed } from './closing.js';
import { readSpacesWithUpdates, readStoredSpace } from './stored-space.js';

export interface HostConfig<A extends AppDefinition = AppDefinition> {
  readonly app: A;
  readonly storage: Storage;
  readonly transports: readonly Transport[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly dev: boolean;
  /** Reports mutations that are not deterministic. */
  readonly newGuard?: NewGuard | undefined;
  /** Who the app says that the user is; counts until a server has verified one. */
  readonly user?: string | null | undefined;
  /**
   * Go on in memory when the store cannot be opened (`store-unavailable`) or is lost. Default:
   * true.
   */
  readonly fallbackToMemory?: boolean | undefined;
  /** Start without connecting. Default: false. */
  readonly offline?: boolean | undefined;
  readonly onReport?: ((error: OxbowError) => void) | undefined;
}

/** The store was found empty though there had been one, or was deleted while it was open. */
export interface Evicted {
  /** Spaces that had updates which nobody else has, and whose loss memory could not make good. */
  readonly unsynced: readonly string[];
}

interface LinkSlot {
  link: Link | undefined;
  readonly abandon: () => void;
}

type Phase = 'new' | 'starting' | 'running' | 'closing' | 'closed';

export class ReplicaHost<A extends AppDefinition = AppDefinition> {
  protected readonly config: HostConfig<A>;
  readonly #steady: SteadyClock;
  readonly #links = new Map<LinkId, LinkSlot>();
  readonly #opening = new Map<string, Done<SpaceReplica<A>>[]>();
  readonly #effects: ReplicaEffects;
  protected phase: Phase = 'new';
  protected store: Store | undefined;
  #machine: ReplicaMachine<A> | undefined;
  #condition: StoreCondition = {};
  #loss: OxbowError | undefined;
  /**
   * The store that memory took the place of. It is held to the end: whoever opened it meanwhile
   * would give out the same ids.
   */
  #left: Store | undefined;
  #evicted: Evicted | undefined;
  #renewals = 0;
  /** Spaces that are to be read from whatever takes the lost store's place. */
  readonly #afterLoss: (() => void)[] = [];
  /** The browser was asked to keep the store. */
  #hasAskedToKeep = false;
  #flushAsked = false;
  #cancelTimer: (() => void) | undefined;
  #whenSaved: (() => void) | undefined;
  #cancelGiveUp: (() => void) | undefined;
  readonly #flush = (): void => {
    this.#flushAsked = false;
    if (this.phase === 'closed') return;
    this.machine.flush(this.#steady.now());
    this.#checkSaved();
  };

  constructor(config: HostConfig<A>) {
    this.config = config;
    this.#steady = new SteadyClock(config.clock);
    this.#effects = this.#carriesOut();
  }

  /**
   * All spaces and links. After `start`; what local calls on it and its spaces ask for is done by
   * itself.
   */
  get machine(): ReplicaMachine<A> {
    invariant(this.#machine, 'the machine is used after the start');
    return this.#machine;
  }

  /** The store in use, how safe it is, and why it is not the one that was asked for, if so. */
  get storage(): {
    readonly kind: string;
    readonly condition: StoreCondition;
    readonly loss: { readonly code: string } | undefined;
    /** Why writing fails at present. */
    readonly failing: { readonly code: string } | undefined;
    readonly evicted: Evicted | undefined;
  } {
    const kind = this.store?.kind ?? 'none';
    const failing = this.#machine?.saveError;
    return { kind, condition: this.#condition, loss: this.#loss, failing, evicted: this.#evicted };
  }

  /** Asks the browser never to evict the store by itself. Answers whether it will not. */
  keepStorage(done: Done<boolean>): void {
    this.beside((store, end) => this.#askToKeep(store, (kept) => {
      end();
      done(kept);
    }));
  }

  /**
   * The store, to be asked something, until `end` is called; undefined where it cannot be opened.
   */
  beside(use: (store: Store | undefined, end: () => void) => void): void {
    use(this.store, () => undefined);
  }

  #askToKeep(store: Store | undefined, done: Done<boolean>): void {
    this.#hasAskedToKeep = true;
    if (store?.keep === undefined) {
      return this.config.clock.soon(() => done(succeeded(this.#condition.persisted ?? false)));
    }
    store.keep((kept) => {
      this.#noteCondition(kept);
      done(kept.ok ? succeeded(kept.value.persisted ?? false) : kept);
    });
  }

  get isClosed(): boolean {
    return this.phase === 'closing' || this.phase === 'closed';
  }

  /**
   * Opens the store, finds or makes the identity, goes online.
   * Errors: `store-in-use`, `store-newer`, `store-unavailable`, `store-damaged`.
   */
  start(done: Done<void>): void {
    invariant(this.phase === 'new', 'a host starts once');
    this.phase = 'starting';
    this.config.storage.open((opened) => {
      if (opened.ok) return this.useStore(opened.value, done);
      if (opened.error.code !== 'store-unavailable' || this.config.fallbackToMemory === false) {
        this.phase = 'closed';
        return done(opened);
      }
      this.goOnInMemory(opened.error, (store) => this.useStore(store, done));
    });
  }

  /**
   * The same space always gives the same object. Errors: `bad-space`, `replica-closed`, and those
   * of reading the store.
   */
  open(space: string, done: Done<SpaceReplica<A>>): void {
    if (!this.mayOpen(space, done)) return;
    const open = this.machine.space(space);
    if (open !== undefined) return this.config.clock.soon(() => done(succeeded(open)));
    const waiting = this.#opening.get(space);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    if (this.machine.spaceCount + this.#opening.size >= limits.spacesOpenMax) {
      return this.later(done, tooManySpaces());
    }
    this.#opening.set(space, [done]);
    this.#readSpace(space);
  }

  protected mayOpen<T>(space: string, done: Done<T>): space is SpaceId {
    const isOpen = this.phase === 'running';
    if (!isSpaceId(space)) this.later(done, badSpace(space));
    else if (!isOpen) this.later(done, replicaClosed());
    return isOpen && isSpaceId(space);
  }

  /**
   * Spaces that may have updates without a final place: the open ones, and those that the store
   * has some of. A store that cannot be read names none: what memory has is what there is.
   */
  spacesWithUpdates(done: (spaces: readonly SpaceId[]) => void): void {
    this.beside((store, end) => this.#spacesOf(store, (spaces) => {
      end();
      done(spaces);
    }));
  }

  #spacesOf(
    store: Store | undefined, done: (spaces: readonly SpaceId[]) => void,
  ): void {
    const open = this.machine.spaceIds;
    if (store === undefined) return this.config.clock.soon(() => done(open));
    readSpacesWithUpdates(store, (read) => {
      if (!read.ok) this.config.onReport?.(read.error);
      done([...new Set([...open, ...read.ok ? read.value : []])]);
    });
  }

  goOffline(): void {
    if (this.phase === 'running') this.machine.goOffline();
  }

  goOnline(): void {
    if (this.phase === 'running') this.machine.goOnline(this.#steady.now());
  }

  /** Health of an open space, now. */
  facts(space: SpaceId): SpaceFacts | undefined {
    return this.machine.facts(space, this.#steady.now());
  }

  /**
   * A hint: the network may be back, the page is looked at again. Does nothing while offline on
   * purpose.
   */
  hurry(): void {
    if (this.phase === 'running') this.machine.hurry(this.#steady.now());
  }

  /**
   * Ends links, saves what is unsaved, closes the store. Errors: `close-unsaved`: what was lost
   * with it.
   */
  close(done: Done<void>): void {
    if (this.phase !== 'running') {
      if (this.isClosed) this.config.clock.soon(() => done(succeeded(undefined)));
      else this.later(done, replicaClosed());
      return;
    }
    this.phase = 'closing';
    this.machine.goOffline();
    this.machine.flush(this.#steady.now());
    const giveUp = (): void => this.finishClose(done, closeUnsaved(this.machine.saveError));
    this.#cancelGiveUp = this.config.clock.after(limits.closeTimeoutMs, giveUp);
    this.#whenSaved = () => this.finishClose(done, undefined);
    this.#checkSaved();
  }

  /** What is unsaved has to be saved elsewhere than by this close, which never calls back. */
  protected abandonClose(): void {
    this.#cancelGiveUp?.();
    this.#whenSaved = undefined;
    this.phase = 'running';
  }

  protected finishClose(done: Done<void>, error: OxbowError | undefined): void {
    this.abandonClose();
    this.phase = 'closed';
    this.#cancelTimer?.();
    const close = (): void =>
      this.mustStore().close((closed) => done(error === undefined ? closed : failed(error)));
    if (this.#left === undefined) close();
    else this.#left.close(close);
  }

  #readSpace(space: SpaceId): void {
    readStoredSpace(this.mustStore(), space, (read) => {
      const isLost = !read.ok && read.error.code === 'store-lost';
      // Another store will take its place: the space is read from that.
      if (isLost && this.#loss === undefined && this.phase === 'running') {
        return void this.#afterLoss.push(() => this.#readSpace(space));
      }
      const answers = this.#opening.get(space) ?? [];
      this.#opening.delete(space);
      const result = this.phase === 'running' ? this.#openRead(space, read) : failed(replicaClosed());
      for (const answer of answers) answer(result);
    });
  }

  #openRead(space: SpaceId, read: Result<StoredRecords>): Result<SpaceReplica<A>> {
    if (!read.ok) return read;
    return caught(() => this.machine.openSpace(space, read.value, this.#steady.now()));
  }

  protected useStore(store: Store, done: Done<void>): void {
    this.watch(store);
    readStoredProfile(store, (profile) => {
      if (profile.ok) {
        this.run(profile.value);
        return done(succeeded(undefined));
      }
      this.phase = 'closed';
      store.close(() => done(profile));
    });
  }

  /** It is the one in use from now on. */
  protected watch(store: Store): void {
    this.store = store;
    store.onLost = (error) => { if (this.store === store) this.#storeLost(error); };
    if (store.vanished !== undefined) this.#noteEvicted(store.vanished);
    store.condition?.((condition) => this.#noteCondition(condition));
  }

  protected run(profile: Profile | undefined): void {
    const { app, dev, newGuard, entropy, transports, user, offline } = this.config;
    this.phase = 'running';
    this.#machine = new ReplicaMachine({
      app, dev, newGuard, user, profile, out: this.#effects,
      seed: entropy.seed(),
      newId: () => entropy.id(),
      transports: transports.map(({ name, token, addresses = [] }) =>
        ({ name, addresses, hasToken: token !== undefined })),
      companion: this.companion(),
    });
    if (offline !== true) this.#machine.goOnline(this.#steady.now());
  }

  /** Where the profile has several tabs (tab-host.ts). */
  protected companion(): MachineConfig<A>['companion'] {
    return undefined;
  }

  /** Machine time, ms. */
  get now(): number {
    return this.#steady.now();
  }

  /** Deleted under us: what memory holds is written anew, where that is possible. */
  #storeLost(error: OxbowError): void {
    const store = this.store;
    const mayRenew = error.code === 'store-lost' && this.#renewals < limits.storeRenewalsMax;
    if (this.phase !== 'running' && this.phase !== 'closing') return;
    if (!mayRenew || store?.renew === undefined) return this.#leaveStore(error);
    this.#renewals++;
    this.config.onReport?.(error);
    store.renew((renewed) => {
      if (this.store !== store) return;
      if (!renewed.ok) return this.#leaveStore(renewed.error);
      const isHeld = (space: string): boolean =>
        isSpaceId(space) && this.machine.space(space) !== undefined;
      const gone = store.vanished?.filter((space) => !isHeld(space));
      if (gone !== undefined) this.#noteEvicted(gone);
      this.#goOnAnew();
    });
  }

  #leaveStore(error: OxbowError): void {
    this.#loss = error;
    if (this.config.fallbackToMemory === false || this.phase !== 'running') {
      return this.#readAgain();
    }
    this.goOnInMemory(error, (store) => {
      this.#left = this.store;
      this.store = store;
      this.#goOnAnew();
    });
  }

  /** The store in use is empty: what memory holds goes there. */
  #goOnAnew(): void {
    this.machine.storeRenewed(this.#steady.now());
    this.#readAgain();
  }

  #readAgain(): void {
    for (const read of this.#afterLoss.splice(0)) read();
  }

  #noteEvicted(unsynced: readonly string[]): void {
    this.#evicted = { unsynced };
    this.config.onReport?.(evicted(unsynced));
  }

  #noteCondition(condition: Result<StoreCondition>): void {
    if (!condition.ok) return;
    this.#condition = condition.value;
    this.#machine?.onHealth();
  }

  /** Not at the start, where there is nothing to lose and no gesture of the user's to go by. */
  #maybeAskToKeep(): void {
    if (this.#hasAskedToKeep || this.store?.asksToBeKept !== true) return;
    if (this.machine.unshared.unsynced > 0) this.keepStorage(() => undefined);
  }

  protected goOnInMemory(loss: OxbowError, use: (store: Store) => void): void {
    this.#loss = loss;
    this.config.onReport?.(loss);
    memory().open((opened) => {
      invariant(opened.ok, 'a new store in memory opens');
      use(opened.value);
    });
  }

  #carriesOut(): ReplicaEffects {
    return {
      askToken: (transport, ask) => this.#askToken(transport, ask),
      connect: (transport, link, address) => this.#connect(transport, link, address),
      send: (link, frame) => this.send(link, frame),
      cut: (link, reason) => this.cut(link, reason),
      persist: (ops, token) => this.persist(ops, token),
      wakeAt: (atMs) => this.#wakeAt(atMs),
      flushSoon: () => this.#flushSoon(),
      unsynced: (space, hasUnsynced) => this.store?.noteUnsynced?.(space, hasUnsynced),
      report: (error) => this.config.onReport?.(error),
    };
  }

  #askToken(transport: number, ask: Token): void {
    this.config.transports[transport]?.token?.((token, error) => {
      if (this.phase !== 'running') return;
      const now = this.#steady.now();
      if (error === undefined) this.machine.tokenFor(ask, token, now);
      else this.machine.tokenFailed(ask, error, now);
    });
  }

  #connect(transport: number, id: LinkId, address: string | undefined): void {
    const slot: LinkSlot = {
      link: undefined,
      abandon: this.#mustTransport(transport).connect({
        opened: (link) => {
          if (this.#links.get(id) !== slot) return link.close();
          slot.link = link;
          this.machine.linkOpened(id, this.#steady.now());
        },
        received: (frame) => {
          if (this.#links.get(id) === slot) this.machine.frame(id, frame, this.#steady.now());
        },
        closed: (reason) => {
          if (this.#links.delete(id)) this.machine.linkClosed(id, reason, this.#steady.now());
        },
      }, address),
    };
    this.#links.set(id, slot);
  }

  protected send(link: LinkId, frame: string): void {
    this.#links.get(link)?.link?.send(frame);
  }

  protected cut(id: LinkId, _reason: string): void {
    const slot = this.#links.get(id);
    this.#links.delete(id);
    if (slot?.link === undefined) slot?.abandon();
    else slot.link.close();
  }

  protected persist(ops: readonly PersistOp[], token: Token): void {
    const store = this.mustStore();
    store.write(ops, (written) => {
      if (this.phase === 'closed' || !this.isStillOurs(store, written)) return;
      const now = this.#steady.now();
      if (written.ok) {
        this.machine.persisted(token, now);
        this.#maybeAskToKeep();
      } else {
        this.machine.persistFailed(token, written.error, now);
        this.mustStore().condition?.((condition) => this.#noteCondition(condition));
      }
      this.#checkSaved();
    });
  }

  /** Whether what came of a write is to be heard. */
  protected isStillOurs(_store: Store, _written: Result<void>): boolean {
    return true;
  }

  #flushSoon(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    this.config.clock.soon(this.#flush);
  }

  #wakeAt(atMs: number): void {
    this.#cancelTimer?.();
    if (this.phase === 'closed') return;
    const delayMs = Math.max(0, atMs - this.#steady.now());
    this.#cancelTimer = this.config.clock.after(delayMs, () => {
      if (this.phase === 'closed') return;
      this.machine.tick(this.#steady.now());
    });
  }

  /** While closing: what was unsaved is on disk. */
  #checkSaved(): void {
    if (this.#whenSaved !== undefined && this.machine.isSaved) this.#whenSaved();
  }

  protected mustStore(): Store {
    invariant(this.store, 'a running host has a store');
    return this.store;
  }

  #mustTransport(index: number): Transport {
    const transport = this.config.transports[index];
    invariant(transport, 'the machine names transports that exist');
    return transport;
  }

  protected later<T>(done: Done<T>, error: OxbowError): void {
    this.config.clock.soon(() => done(failed(error)));
  }
}

/** Errors: `store-damaged`, and those of reading. */
export function readStoredProfile(store: Store, done: Done<Profile | undefined>): void {
  store.read('meta', { from: PROFILE_KEY, to: `${PROFILE_KEY}\u0000` }, (read) =>
    done(read.ok ? caught(() => readProfile(read.value[0]?.[1])) : read));
}

export type Result<T> = Parameters<Done<T>>[0];

/** What a layout or a profile says of a store that it cannot read; a bug goes on as it is. */
export function caught<T>(task: () => T): Result<T> {
  try {
    return succeeded(task());
  } catch (error) {
    if (error instanceof OxbowError && error.code !== 'invariant') return failed(error);
    throw error;
  }
}

const badSpace = (space: string): OxbowError =>
  new OxbowError('bad-space', `'${space}' cannot name a space: use 1 to 128 printable ASCII characters without blanks.`);

export const tooManySpaces = (): OxbowError =>
  new OxbowError('too-many-spaces', `More than ${limits.spacesOpenMax} spaces are open. Close the replica and open fewer.`);

function evicted(unsynced: readonly string[]): OxbowError {
  const loss = unsynced.length === 0
    ? 'All of it had been synced, and comes back.'
    : `Updates that were not synced are gone with it, in: ${unsynced.join(', ')}.`;
  return new OxbowError('store-evicted', `The store of this replica was deleted. ${loss}`);
}

export const closeUnsaved = (cause: OxbowError | undefined): OxbowError =>
  new OxbowError(
    'close-unsaved',
    `The disk did not take the last changes (${cause?.message ?? 'no answer'}): they are lost unless they were sent.`,
    { cause },
  );
