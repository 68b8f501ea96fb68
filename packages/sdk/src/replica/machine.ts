/**
 * All spaces and all links of one replica as one synchronous machine. Every input is a method that
 * takes `now` (machine time, ms, never decreasing); what follows comes out through
 * `ReplicaEffects`. Work that many inputs of a turn share (writing, sending, calling listeners) is
 * done once, in `flush`.
 */
import type { AppDefinition, Guard, NewGuard, NondeterminismReport } from '../model/index.js';
import {
  decodeMessage, invariant, isSeatOf, OxbowError,
  type Ack, type BarrierMessage, type Message, type ReplicaId, type SpaceId,
  type SpaceMessage, type Welcome,
} from '../protocol/index.js';
import { seededRandom } from './backoff.js';
import type { LinkId, ReplicaEffects, Token } from './effects.js';
import { stallOf, type SpaceFacts, type Stall } from './health.js';
import { Identity } from './identity.js';
import { readSpace, type SpaceReading } from './layout-reading.js';
import { newListeners } from './listeners.js';
import { Peer, type PeerOwner, type SpaceRefusal } from './peer.js';
import type { Profile } from './profile.js';
import { Reads } from './reads.js';
import { Saving } from './saving.js';
import { SessionPool } from './session-pool.js';
import type { LinkHealth, Session, SessionOwner, Way } from './session.js';
import { SpaceSlot, type Place, type SlotOwner } from './space-slot.js';
import type { SpaceReplica } from './space.js';
import type { StoredRecords } from './store-keys.js';

export interface MachineConfig<A extends AppDefinition = AppDefinition> {
  readonly app: A;
  /** Freeze rows. */
  readonly dev: boolean;
  /** Reports nondeterminism of mutations. */
  readonly newGuard?: NewGuard | undefined;
  /** For the jitter of pauses. */
  readonly seed: number;
  /** A fresh replica identity (UUID text). */
  readonly newId: () => string;
  readonly transports: readonly Way[];
  /** What the store remembers of us; undefined at the first start. */
  readonly profile: Profile | undefined;
  /** Who the app says that the user is; counts until a server has verified one. */
  readonly user?: string | null | undefined;
  readonly out: ReplicaEffects;
  /** Where the profile has several tabs: what keeps them together. */
  readonly companion?: ((insides: MachineInsides<A>) => Companion) | undefined;
}

/** Rides along in a machine, and hears of what happens in it (tab-machine.ts). */
export interface Companion {
  readonly place: Place;
  readonly deadlineMs: number;
  readonly links: readonly LinkHealth[] | undefined;
  /** Why the disk fails at present, where another tab keeps it. */
  readonly saveStall: Stall | undefined;
  /** The profile is not offline on purpose. */
  readonly isOnline: boolean;
  /** Why the server will not speak of the space with the tab that has the network. */
  refusalOf(space: SpaceId): SpaceRefusal | undefined;
  onNews(space: SpaceId): void;
  onOpened(space: SpaceId): void;
  /** A commit of own updates under the present ids is out of the question. */
  onLost(space: SpaceId): void;
  /** True: the link is one of a guest, and it has been seen to. */
  frame(link: LinkId, text: string): boolean;
  linkClosed(link: LinkId, reason: string): boolean;
  /** At the end of a turn, after what is unsaved is on its way. */
  flush(): void;
  tick(): void;
}

/** What a companion works with. */
export interface MachineInsides<A extends AppDefinition> {
  readonly app: A;
  readonly dev: boolean;
  readonly out: ReplicaEffects;
  readonly owner: PeerOwner;
  readonly identity: Identity;
  readonly saving: Saving;
  readonly sessions: SessionPool;
  readonly slots: ReadonlyMap<SpaceId, SpaceSlot<A>>;
  readonly peers: ReadonlyMap<LinkId, Peer>;
  readonly now: number;
  nextNumber(): number;
  refusalOf(slot: SpaceSlot<A>): SpaceRefusal | undefined;
  turn(now: number, task: () => void): void;
  read(space: SpaceId, ready: () => void): () => void;
  attach(slot: SpaceSlot<A>): void;
}

/** To be looked at. */
export type MachineView<A extends AppDefinition> =
  Readonly<Pick<MachineInsides<A>, 'slots' | 'sessions' | 'peers' | 'saving'>>;

export class ReplicaMachine<A extends AppDefinition = AppDefinition>
implements SessionOwner, SlotOwner, PeerOwner {
  readonly #config: MachineConfig<A>;
  readonly #out: ReplicaEffects;
  readonly #identity: Identity;
  readonly #guard: Guard | undefined;
  readonly #saving: Saving;
  readonly #sessions: SessionPool;
  readonly #slots = new Map<SpaceId, SpaceSlot<A>>();
  /** One per live link. */
  readonly #peers = new Map<LinkId, Peer>();
  readonly #reads = new Reads(this.#peers, (peer, { space }) => {
    const slot = this.#slots.get(space);
    return slot !== undefined && peer.replica === this.#wayId(slot);
  });
  readonly #companion: Companion | undefined;
  readonly #healthListeners = newListeners();
  #isHealthNew = false;
  #lastNumber = 0;
  #nowMs = 0;
  #armedMs = Infinity;

  constructor(config: MachineConfig<A>) {
    const { app, out, seed, profile, newId, user, transports } = config;
    const random = seededRandom(seed);
    const nextNumber = (): number => ++this.#lastNumber;
    this.#config = config;
    this.#out = out;
    this.#identity = new Identity({ profile, newId, user });
    this.#guard = config.newGuard?.((report) => out.report(nondeterministic(report)));
    this.#saving = new Saving({
      out, random, nextNumber, identity: this.#identity, spaces: () => this.#slots.values(),
    });
    this.#sessions = new SessionPool({ transports, app, out, random, nextNumber, owner: this });
    this.#companion = config.companion?.(this.#insides(nextNumber));
    this.#sessions.ensure(this.#identity.replica, 0);
    out.flushSoon();
  }

  /** What new spaces write under. */
  get replica(): ReplicaId {
    return this.#identity.replica;
  }

  /** Verified by a server last, or named by the app. */
  get user(): string | null {
    return this.#identity.user;
  }

  /** Not offline on purpose. */
  get isOnline(): boolean {
    return this.#companion?.isOnline ?? this.#sessions.isOnline;
  }

  /** One per transport; more while spaces write under different ids. */
  get links(): readonly LinkHealth[] {
    return this.#companion?.links ?? this.#sessions.health();
  }

  /** Everything that was done is on disk. */
  get isSaved(): boolean {
    return this.#saving.isDone;
  }

  /** Why the disk fails at present. */
  get saveError(): OxbowError | undefined {
    return this.#saving.error;
  }

  get spaceCount(): number {
    return this.#slots.size;
  }

  /** Of the open ones. */
  get spaceIds(): readonly SpaceId[] {
    return [...this.#slots.keys()];
  }

  /** For the inspector, which reads and changes nothing. */
  get view(): MachineView<A> {
    return {
      slots: this.#slots, sessions: this.#sessions, peers: this.#peers, saving: this.#saving,
    };
  }

  space(space: SpaceId): SpaceReplica<A> | undefined {
    return this.#slots.get(space)?.replica;
  }

  facts(space: SpaceId, now: number): SpaceFacts | undefined {
    const slot = this.#slots.get(space);
    if (slot === undefined) return undefined;
    const { csn, unsettledCount: pending, oldestAt } = slot.replica;
    const replica = this.#wayId(slot);
    const { unsynced, unsaved } = slot.replica.stages.unshared;
    const links = this.#companion?.links ?? this.#sessions.health(replica);
    const peers = this.#peersOf(replica);
    const ahead = peers.map((peer) => peer.aheadBy(space)).filter((by) => by !== undefined);
    const behind = ahead.length === 0 ? undefined : Math.max(...ahead);
    const rows = peers.map((peer) => peer.arriving(space)).filter((count) => count !== undefined);
    const arriving = rows.length === 0 ? undefined : Math.max(...rows);
    const stalled = stallOf({
      links,
      lost: slot.replica.lost,
      isWaiting: slot.replica.awaitedCount > 0 || (behind ?? 0) > 0,
      isOnline: this.isOnline,
      saveStall: this.saveError ?? this.#companion?.saveStall,
      refusal: this.#refusalOf(slot) ?? this.#companion?.refusalOf(space),
      idleMs: now - Math.max(slot.movedMs, ...peers.map(({ sinceMs }) => sinceMs)),
    });
    const { damage } = slot;
    return {
      links, csn, behind, arriving, pending, unsynced, unsaved, oldestPendingAt: oldestAt, stalled,
      damage,
    };
  }

  /** Own updates, in all open spaces, that only this replica has; and not even its disk. */
  get unshared(): { readonly unsynced: number; readonly unsaved: number } {
    const all = { unsynced: 0, unsaved: 0 };
    for (const { replica: { stages: { unshared } } } of this.#slots.values()) {
      all.unsynced += unshared.unsynced;
      all.unsaved += unshared.unsaved;
    }
    return all;
  }

  /**
   * Calls `ready` once, at the end of a turn, when the committed view holds all that anyone was
   * told of before now. Returns the way to stop waiting. Errors: `too-many-reads`.
   */
  read(space: SpaceId, ready: () => void): () => void {
    const stop = this.#reads.add(this.#mustSlot(space), ready);
    this.#out.flushSoon();
    return stop;
  }

  /** Calls `fn` at the end of turns in which what `links` or `facts` tell may have changed. */
  onHealthChange(fn: () => void): () => void {
    return this.#healthListeners.add(fn);
  }

  // ---- inputs

  /** `stored`: what lies in `spaceRange(space)`. Errors: `store-newer`. */
  openSpace(space: SpaceId, stored: StoredRecords, now: number): SpaceReplica<A> {
    const open = this.#slots.get(space);
    if (open !== undefined) return open.replica;
    const { app, dev } = this.#config;
    const reading = readSpace(space, stored, { replica: this.#identity.replica });
    this.#turn(now, () => {
      const slot = new SpaceSlot({
        app, space, dev, reading, now, guard: this.#guard, owner: this,
        replica: this.#replicaFor(reading), user: this.#identity.user,
        place: this.#companion?.place,
      });
      this.#slots.set(space, slot);
      this.#attach(slot);
      if (slot.damage !== undefined) this.#out.report(slot.damage);
      this.#companion?.onOpened(space);
      this.#out.flushSoon();
    });
    return this.#mustSlot(space).replica;
  }

  goOnline(now: number): void {
    this.#turn(now, () => this.#sessions.goOnline(now));
    this.onHealth();
  }

  goOffline(): void {
    this.#sessions.goOffline();
    this.onHealth();
  }

  /**
   * The network may be back, or the page is looked at again. Does nothing while offline on purpose.
   */
  hurry(now: number): void {
    this.#turn(now, () => this.#sessions.hurry(now));
  }

  tokenFor(ask: Token, token: string | undefined, now: number): void {
    this.#turn(now, () => {
      for (const session of this.#sessions.all) session.tokenFor(ask, token, now);
    });
  }

  tokenFailed(ask: Token, error: OxbowError, now: number): void {
    this.#turn(now, () => {
      for (const session of this.#sessions.all) session.tokenFailed(ask, error, now);
    });
  }

  linkOpened(link: LinkId, now: number): void {
    this.#turn(now, () => this.#sessions.byLink(link)?.linkOpened(now));
  }

  linkClosed(link: LinkId, reason: string, now: number): void {
    this.#turn(now, () => {
      if (this.#companion?.linkClosed(link, reason) === true) return;
      this.#sessions.byLink(link)?.cut(reason, now);
    });
  }

  /** Never throws, whatever the text is. */
  frame(link: LinkId, text: string, now: number): void {
    this.#turn(now, () => {
      if (this.#companion?.frame(link, text) === true) return;
      const session = this.#sessions.byLink(link);
      const message = session && this.#decoded(session, text);
      if (session === undefined || message === undefined) return;
      if (!session.onMessage(message, now)) return;
      if (isBarrier(message)) return this.#onBarrier(session, link, message);
      // reason: a session keeps to itself what does not concern spaces.
      this.#toPeer(link, message as SpaceMessage | Ack, text.length);
    });
  }

  persisted(token: Token, now: number): void {
    const hadFailed = this.saveError !== undefined;
    this.#turn(now, () => this.#saving.persisted(token, now));
    if (hadFailed) this.onHealth();
  }

  persistFailed(token: Token, error: OxbowError, now: number): void {
    this.#turn(now, () => this.#saving.persistFailed(token, error, now));
    this.onHealth();
  }

  /** The store is another one, and empty: what memory holds goes there. */
  storeRenewed(now: number): void {
    this.#turn(now, () => {
      this.#identity.startOver();
      for (const slot of this.#slots.values()) slot.startOver();
      this.#saving.startOver();
      this.#out.flushSoon();
    });
    this.onHealth();
  }

  /**
   * The turn in which `flushSoon` was asked for has ended: write, send, call listeners, in this
   * order.
   */
  flush(now: number): void {
    this.#turn(now, () => {
      this.#reissue();
      // Who looks at the page waits for this; the disk can wait until the words for it are made.
      for (const slot of this.#slots.values()) {
        if (slot.noteProgress(now)) this.#isHealthNew = true;
        this.#noteUnsynced(slot);
        slot.notify();
      }
      this.#saving.flush(now);
      for (const peer of this.#peers.values()) peer.pump(now);
      this.#companion?.flush();
      this.#reads.flush(now);
      if (!this.#isHealthNew) return;
      this.#isHealthNew = false;
      this.#healthListeners.call((error) => this.#out.report(error));
    });
  }

  tick(now: number): void {
    this.#armedMs = Infinity;
    this.#turn(now, () => {
      this.#saving.tick(now);
      this.#sessions.tick(now);
      this.#companion?.tick();
      this.#reads.flush(now);
      for (const peer of [...this.#peers.values()]) if (now >= peer.deadlineMs) peer.tick(now);
    });
  }

  // ---- what sessions, peers and slots tell

  onLive(session: Session, link: LinkId, welcome: Welcome): void {
    const now = this.#nowMs;
    const send = (frame: string): void => this.#out.send(link, frame);
    const peer = new Peer({ session, now, send, owner: this });
    this.#peers.set(link, peer);
    const isOtherUser = this.#identity.verified(welcome.user);
    for (const slot of this.#slots.values()) {
      if (isOtherUser) slot.replica.setUser(welcome.user);
      if (this.#wayId(slot) === session.replica) peer.join(slot, now);
    }
    this.#out.flushSoon();
  }

  onDown(link: LinkId): void {
    this.#peers.delete(link);
    this.#reads.onDown(link);
  }

  isWaiting(link: LinkId): boolean {
    return this.#peers.get(link)?.isWaiting === true || this.#reads.isWaiting(link);
  }

  onReplicaRefused(session: Session): void {
    const { replica } = session;
    const slots = [...this.#slots.values()].filter((slot) => slot.replica.profile === replica);
    const hasUnsettled = slots.some(({ isWaiting }) => isWaiting);
    if (!this.#identity.mayReplace(hasUnsettled, this.#nowMs)) return;
    for (const slot of slots) slot.forceReissue();
    this.#sessions.ensure(this.#identity.after(replica), this.#nowMs);
    this.#dropUnusedSessions();
  }

  onSpaceReplicaRefused(space: SpaceId): void {
    const slot = this.#mustSlot(space);
    if (this.#identity.mayReplace(slot.isWaiting, this.#nowMs)) slot.replica.disown('cloned');
  }

  onNews(space: SpaceId): void {
    const slot = this.#slots.get(space);
    if (slot === undefined) return;
    for (const peer of this.#peersOf(this.#wayId(slot))) peer.changed(space);
    this.#companion?.onNews(space);
  }

  onHealth(): void {
    this.#isHealthNew = true;
    this.#out.flushSoon();
  }

  flushSoon(): void {
    this.#out.flushSoon();
  }

  report(error: OxbowError): void {
    this.#out.report(error);
  }

  // ---- inside

  #insides(nextNumber: () => number): MachineInsides<A> {
    const { app, dev, out } = this.#config;
    const now = (): number => this.#nowMs;
    return {
      app, dev, out, nextNumber, owner: this, identity: this.#identity, saving: this.#saving,
      sessions: this.#sessions, slots: this.#slots, peers: this.#peers,
      get now() {
        return now();
      },
      refusalOf: (slot) => this.#refusalOf(slot),
      turn: (at, task) => this.#turn(at, task),
      read: (space, ready) => this.read(space, ready),
      attach: (slot) => this.#attach(slot),
    };
  }

  #turn(now: number, task: () => void): void {
    this.#nowMs = now;
    task();
    this.#arm();
  }

  #noteUnsynced(slot: SpaceSlot<A>): void {
    const unshared = slot.takeUnshared();
    if (unshared === undefined) return;
    this.#isHealthNew = true;
    this.#out.unsynced(slot.space, unshared.hasUnsynced);
  }

  #peersOf(replica: ReplicaId): Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.replica === replica);
  }

  /** One who speaks with us is enough. */
  #refusalOf(slot: SpaceSlot<A>): SpaceRefusal | undefined {
    const refusals = this.#peersOf(this.#wayId(slot)).map((peer) => peer.refusalOf(slot.space));
    return refusals.includes(undefined) ? undefined : refusals[0];
  }

  #mustSlot(space: SpaceId): SpaceSlot<A> {
    const slot = this.#slots.get(space);
    invariant(slot, 'only an open space is spoken of');
    return slot;
  }

  #decoded(session: Session, text: string): Message | undefined {
    try {
      return decodeMessage(text);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      session.refuse(error, this.#nowMs);
      return undefined;
    }
  }

  #onBarrier(session: Session, link: LinkId, message: BarrierMessage): void {
    if (message.kind === 'barrier') {
      const { space, id } = message;
      return session.send({ kind: 'barrier-failed', space, id, code: 'not-primary' });
    }
    this.#reads.onAnswer(link, message, this.#nowMs);
    this.#out.flushSoon();
  }

  #toPeer(link: LinkId, message: SpaceMessage | Ack, chars: number): void {
    const peer = this.#peers.get(link);
    const isToSave = message.kind === 'commits' || message.kind === 'updates';
    if (isToSave && !this.#saving.mayTake(chars)) {
      peer?.session.rest('the disk has to catch up first', this.#nowMs);
    } else {
      peer?.onMessage(message, chars, this.#nowMs);
    }
  }

  /** The id to open a space under: its own as long as updates bear it, unless that is used up. */
  #replicaFor({ stored }: SpaceReading): ReplicaId {
    if (stored === undefined) return this.#identity.replica;
    const { head: { replica, lost }, updates } = stored;
    const hasOwn = updates.some(({ update }) => isSeatOf(replica, update.id.replica));
    if (hasOwn) return replica;
    const isUsedUp = lost !== undefined && lost !== 'base-lost';
    return isUsedUp ? this.#identity.after(replica) : this.#identity.replica;
  }

  /** Spaces whose updates cannot leave under their id go on under another. */
  #reissue(): void {
    const lost = [...this.#slots.values()]
      .filter((slot) => slot.needsReissue && this.#isOwnMatter(slot) && this.#mayReissue(slot));
    for (const slot of lost) {
      if (slot.resume()) continue;
      const old = slot.replica.profile;
      for (const peer of this.#peersOf(old)) peer.leave(slot.space);
      slot.reissue(this.#identity.after(old));
      this.#attach(slot);
    }
    if (lost.length > 0) this.#dropUnusedSessions();
  }

  /**
   * Not before each own update that may be settled is known to be or not to be: issued anew it
   * would happen twice. The other side knows what it has of us as soon as it drops our former link;
   * then we need all that it holds.
   */
  #mayReissue(slot: SpaceSlot<A>): boolean {
    const { profile: replica, lost } = slot.replica;
    if (slot.isReissueForced || (!slot.isWaiting && lost !== 'base-lost')) return true;
    const peers = this.#peersOf(replica);
    if (!slot.takeLinkDoubt()) return peers.some((peer) => peer.hasAll(slot.space));
    for (const { session } of peers) session.cut('the replica id is in doubt', this.#nowMs);
    return false;
  }

  /** Where another tab keeps the disk, it gives the profile its ids. */
  #isOwnMatter(slot: SpaceSlot<A>): boolean {
    if (slot.replica.isKeeper) return true;
    this.#companion?.onLost(slot.space);
    return false;
  }

  /** By which id the links are known that the space is spoken of on. */
  #wayId({ replica: { isKeeper, profile } }: SpaceSlot<A>): ReplicaId {
    return isKeeper ? profile : this.#identity.replica;
  }

  #attach(slot: SpaceSlot<A>): void {
    const replica = this.#wayId(slot);
    this.#sessions.ensure(replica, this.#nowMs);
    for (const peer of this.#peersOf(replica)) peer.join(slot, this.#nowMs);
  }

  #dropUnusedSessions(): void {
    const used = [...this.#slots.values()].map((slot) => slot.replica.profile);
    this.#sessions.keepOnly(new Set([this.#identity.replica, ...used]));
    this.onHealth();
  }

  /** Wakes up for the next deadline. One that has moved away is found out when the time comes. */
  #arm(): void {
    let next = Math.min(
      this.#saving.deadlineMs, this.#sessions.deadlineMs, this.#reads.deadlineMs,
      this.#companion?.deadlineMs ?? Infinity,
    );
    for (const peer of this.#peers.values()) next = Math.min(next, peer.deadlineMs);
    if (next >= this.#armedMs) return;
    this.#armedMs = next;
    this.#out.wakeAt(next);
  }
}

const isBarrier = (message: Message): message is BarrierMessage =>
  message.kind === 'barrier-at' || message.kind === 'barrier' || message.kind === 'barrier-failed';

function nondeterministic({ mutation, touched }: NondeterminismReport): OxbowError {
  const cure = 'Use tx.now, tx.id or tx.random.';
  const problem = `Mutation '${mutation}' touches ${touched}, which differs between replicas.`;
  return new OxbowError('mutation-not-deterministic', `${problem} ${cure}`);
}
