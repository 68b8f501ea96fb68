/**
 * All spaces and all links of one replica as one synchronous machine. Every input is a method that takes `now` (machine
 * time, ms, never decreasing); what follows comes out through `ReplicaEffects`. Work that many inputs of a turn
 * share (writing, sending, calling listeners) is done once, in `flush`.
 */
import { Guard, type AppDefinition } from '../model/index.js';
import {
  decodeMessage, limits, OxbowError, type Ack, type Message, type ReplicaId, type SpaceId, type SpaceMessage,
  type Welcome,
} from '../protocol/index.js';
import { seededRandom } from './backoff.js';
import type { LinkId, ReplicaEffects, Token } from './effects.js';
import { stallOf, type SpaceFacts } from './health.js';
import { Identity } from './identity.js';
import { readSpace, type SpaceReading } from './layout-reading.js';
import { newListeners } from './listeners.js';
import { Peer, type PeerOwner } from './peer.js';
import type { Profile } from './profile.js';
import { SaveQueue, type Change } from './save-queue.js';
import { Session, type LinkHealth, type SessionOwner } from './session.js';
import { SpaceSlot, type SlotOwner } from './space-slot.js';
import type { SpaceReplica } from './space.js';
import type { StoredRecords } from './store-keys.js';

export interface MachineConfig<A extends AppDefinition = AppDefinition> {
  readonly app: A;
  /** Freeze rows, report nondeterminism of mutations. */
  readonly dev: boolean;
  /** For the jitter of pauses. */
  readonly seed: number;
  /** A fresh replica identity (UUID text). */
  readonly newId: () => string;
  readonly transports: readonly { readonly name: string; readonly hasToken: boolean }[];
  /** What the store remembers of us; undefined at the first start. */
  readonly profile: Profile | undefined;
  /** Who the app says that the user is; counts until a server has verified one. */
  readonly user?: string | null | undefined;
  readonly out: ReplicaEffects;
}

export class ReplicaMachine<A extends AppDefinition = AppDefinition>
implements SessionOwner, SlotOwner, PeerOwner {
  readonly #config: MachineConfig<A>;
  readonly #out: ReplicaEffects;
  readonly #random: () => number;
  readonly #identity: Identity;
  readonly #guard: Guard | undefined;
  readonly #saves: SaveQueue;
  readonly #slots = new Map<SpaceId, SpaceSlot<A>>();
  /** One per transport and replica id in use. */
  #sessions: Session[] = [];
  readonly #peers = new Map<LinkId, Peer>();
  readonly #healthListeners = newListeners();
  #isOnline = false;
  #isHealthNew = false;
  #lastNumber = 0;
  #nowMs = 0;
  #armedMs: number | undefined;
  /** Chars received and not yet in a write; and in the write under way. */
  #unsavedChars = { waiting: 0, inFlight: 0 };
  #changedMs = 0;
  #checkpointMs = 0;

  constructor(config: MachineConfig<A>) {
    const { out, seed, dev } = config;
    this.#config = config;
    this.#out = out;
    this.#random = seededRandom(seed);
    this.#identity = new Identity({ profile: config.profile, newId: config.newId, user: config.user });
    this.#guard = dev ? new Guard(({ mutation, touched }) => out.report(new OxbowError(
      'nondeterministic',
      `Mutation '${mutation}' touches ${touched}, which differs between replicas. Use tx.now, tx.id or tx.random.`,
    ))) : undefined;
    this.#saves = new SaveQueue({
      out, random: this.#random,
      nextNumber: () => this.#nextNumber(),
      gather: (opsTarget) => this.#gather(opsTarget),
    });
    this.#ensureSessions(this.#identity.replica);
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

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** One per transport; more while spaces write under different ids. */
  get links(): readonly LinkHealth[] {
    return this.#sessions.map(({ health }) => health);
  }

  /** Everything that was done is on disk. */
  get isSaved(): boolean {
    return this.#saves.isIdle && !this.#hasChanges;
  }

  /** Why the disk fails at present. */
  get saveError(): OxbowError | undefined {
    return this.#saves.error;
  }

  get spaceCount(): number {
    return this.#slots.size;
  }

  space(space: SpaceId): SpaceReplica<A> | undefined {
    return this.#slots.get(space)?.replica;
  }

  facts(space: SpaceId, now: number): SpaceFacts | undefined {
    const slot = this.#slots.get(space);
    if (slot === undefined) return undefined;
    const { head: { csn }, unsettled, replica } = slot.replica;
    const links = this.#sessions.filter((session) => session.replica === replica).map(({ health }) => health);
    const peers = this.#peersOf(replica);
    const ahead = peers.map((peer) => peer.aheadBy(space)).filter((by) => by !== undefined);
    const behind = ahead.length === 0 ? undefined : Math.max(...ahead);
    const isSpokenOf = peers.some((peer) => peer.refusalOf(space) === undefined);
    const stalled = stallOf({
      isWaiting: slot.isWaiting || (behind ?? 0) > 0,
      isOnline: this.#isOnline, links, saveError: this.saveError,
      refusal: isSpokenOf ? undefined : peers.map((peer) => peer.refusalOf(space)).find(Boolean),
      idleMs: now - Math.max(slot.movedMs, ...peers.map(({ sinceMs }) => sinceMs)),
    });
    return {
      links, csn, behind, pending: unsettled.count, oldestPendingAt: unsettled.oldestAt, stalled,
    };
  }

  /** Calls `fn` at the end of turns in which something that `links` or `facts` tell may have changed. */
  onHealthChange(fn: () => void): () => void {
    return this.#healthListeners.add(fn);
  }

  // ---- inputs

  /** `stored`: what lies in `spaceRange(space)`. Errors: `store-newer`. */
  openSpace(space: SpaceId, stored: StoredRecords, now: number): SpaceReplica<A> {
    const open = this.#slots.get(space);
    if (open !== undefined) return open.replica;
    this.#nowMs = now;
    const { app, dev } = this.#config;
    const reading = readSpace(space, stored, { replica: this.#identity.replica });
    const slot = new SpaceSlot({
      app, space, dev, reading, now, guard: this.#guard, owner: this,
      replica: this.#replicaFor(reading), user: this.#identity.user,
    });
    this.#reportDamage(space, reading);
    this.#slots.set(space, slot);
    this.#attach(slot);
    this.#out.flushSoon();
    return slot.replica;
  }

  goOnline(now: number): void {
    this.#isOnline = true;
    this.hurry(now);
    this.onHealth();
  }

  goOffline(): void {
    this.#isOnline = false;
    for (const session of this.#sessions) session.goOffline();
    this.onHealth();
  }

  /** The network may be back, or the page is looked at again. Does nothing while offline on purpose. */
  hurry(now: number): void {
    this.#nowMs = now;
    if (this.#isOnline) for (const session of this.#sessions) session.hurry(now);
    this.#arm();
  }

  tokenFor(ask: Token, token: string | undefined, now: number): void {
    this.#nowMs = now;
    for (const session of this.#sessions) session.tokenFor(ask, token, now);
    this.#arm();
  }

  tokenFailed(ask: Token, error: OxbowError, now: number): void {
    this.#nowMs = now;
    for (const session of this.#sessions) session.tokenFailed(ask, error, now);
    this.#arm();
  }

  linkOpened(link: LinkId, now: number): void {
    this.#nowMs = now;
    this.#sessionOf(link)?.linkOpened(now);
    this.#arm();
  }

  linkClosed(link: LinkId, reason: string, now: number): void {
    this.#nowMs = now;
    this.#sessionOf(link)?.cut(reason, now);
    this.#arm();
  }

  /** Never throws, whatever the text is. */
  frame(link: LinkId, text: string, now: number): void {
    this.#nowMs = now;
    const session = this.#sessionOf(link);
    if (session === undefined) return;
    const message = this.#decoded(session, text);
    if (message !== undefined && session.onMessage(message, now)) {
      // reason: a session keeps to itself what does not concern spaces.
      this.#toPeer(link, message as SpaceMessage | Ack, text.length);
    }
    this.#arm();
  }

  persisted(token: Token, now: number): void {
    this.#nowMs = now;
    const failed = this.saveError;
    this.#saves.persisted(token);
    if (this.#saves.isIdle) this.#unsavedChars.inFlight = 0;
    if (failed !== this.saveError) this.onHealth();
    this.#arm();
  }

  persistFailed(token: Token, error: OxbowError, now: number): void {
    this.#nowMs = now;
    this.#saves.persistFailed(token, error, now);
    this.onHealth();
    this.#arm();
  }

  /** The turn in which `flushSoon` was asked for has ended: write, send, call listeners, in this order. */
  flush(now: number): void {
    this.#nowMs = now;
    this.#reissue();
    this.#saves.flush();
    for (const peer of this.#peers.values()) peer.pump(now);
    for (const slot of this.#slots.values()) {
      if (slot.noteProgress(now)) this.#isHealthNew = true;
      slot.notify();
    }
    if (this.#isHealthNew) {
      this.#isHealthNew = false;
      this.#healthListeners.call((error) => this.#out.report(error));
    }
    this.#arm();
  }

  tick(now: number): void {
    this.#nowMs = now;
    this.#armedMs = undefined;
    this.#saves.tick(now);
    for (const session of [...this.#sessions]) session.tick(now);
    for (const peer of [...this.#peers.values()]) if (now >= peer.deadlineMs) peer.tick(now);
    if (now >= this.#checkpointDeadlineMs) this.#saves.flush();
    this.#arm();
  }

  // ---- what sessions, peers and slots tell

  onLive(session: Session, link: LinkId, welcome: Welcome): void {
    const now = this.#nowMs;
    const peer = new Peer({
      session, now, owner: this, send: (frame) => this.#out.send(link, frame),
    });
    this.#peers.set(link, peer);
    if (this.#identity.verified(welcome.user)) {
      for (const slot of this.#slots.values()) slot.replica.setUser(welcome.user);
    }
    for (const slot of this.#slots.values()) {
      if (slot.replica.replica === session.replica) peer.join(slot, now);
    }
    this.#out.flushSoon();
  }

  onDown(link: LinkId): void {
    this.#peers.delete(link);
  }

  onReplicaRefused(session: Session): void {
    const slots = [...this.#slots.values()].filter((slot) => slot.replica.replica === session.replica);
    if (!this.#identity.mayReplace(slots.some(({ isWaiting }) => isWaiting), this.#nowMs)) return;
    this.#identity.after(session.replica);
    for (const slot of slots) slot.askReissue();
    this.#ensureSessions(this.#identity.replica);
    this.#dropIdleSessions();
  }

  onSpaceReplicaRefused(space: SpaceId): void {
    const slot = this.#slots.get(space);
    if (slot !== undefined && this.#identity.mayReplace(slot.isWaiting, this.#nowMs)) slot.askReissue();
  }

  onNews(space: SpaceId): void {
    const slot = this.#slots.get(space);
    if (slot === undefined) return;
    for (const peer of this.#peersOf(slot.replica.replica)) peer.changed(space);
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

  get #hasChanges(): boolean {
    if (this.#identity.hasChanges) return true;
    for (const slot of this.#slots.values()) if (slot.hasChanges) return true;
    return false;
  }

  #nextNumber(): number {
    return ++this.#lastNumber;
  }

  #sessionOf(link: LinkId): Session | undefined {
    return this.#sessions.find((session) => session.link === link);
  }

  #peersOf(replica: ReplicaId): Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.replica === replica);
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

  #toPeer(link: LinkId, message: SpaceMessage | Ack, chars: number): void {
    const peer = this.#peers.get(link);
    if (peer === undefined) return;
    if (message.kind === 'commits' || message.kind === 'updates') {
      this.#unsavedChars.waiting += chars;
      if (this.#unsavedChars.waiting + this.#unsavedChars.inFlight > limits.unsavedCharsMax) {
        peer.session.cut('the disk has to catch up first', this.#nowMs);
        return;
      }
    }
    peer.onMessage(message, chars, this.#nowMs);
  }

  /** Who we are comes first: no space is ever on disk under an id that the profile does not know. */
  #gather(opsTarget: number): Change[] {
    const changes: Change[] = this.#identity.hasChanges ? [this.#identity.takeChange()] : [];
    let ops = 0;
    for (const slot of this.#slots.values()) {
      if (!slot.hasChanges || ops >= opsTarget) continue;
      const change = slot.takeChanges();
      ops += change.ops.length;
      changes.push(change);
    }
    this.#unsavedChars = { waiting: 0, inFlight: this.#unsavedChars.waiting };
    const isQuiet = changes.length === 0;
    if (!isQuiet) this.#changedMs = this.#nowMs;
    return this.#isCheckpointDue ? [...changes, ...this.#checkpoint(isQuiet)] : changes;
  }

  get #isCheckpointDue(): boolean {
    return this.#nowMs - this.#changedMs >= limits.checkpointIdleMs
      || this.#nowMs - this.#checkpointMs >= limits.checkpointLatestMs;
  }

  /** Some pages of one space; the rest when this is written, if it stays quiet. */
  #checkpoint(isQuiet: boolean): Change[] {
    for (const slot of this.#slots.values()) {
      if (!slot.needsCheckpoint) continue;
      const change = slot.checkpoint();
      if (change.ops.length === 0) continue;
      this.#checkpointMs = this.#nowMs;
      return [change];
    }
    if (isQuiet) this.#changedMs = this.#nowMs;
    return [];
  }

  /** The id to open a space under: its own, unless that is used up or nothing holds it there. */
  #replicaFor({ stored, damage }: SpaceReading): ReplicaId {
    if (stored === undefined) return this.#identity.replica;
    const { head: { replica }, updates } = stored;
    if (damage?.identity === true) return this.#identity.after(replica);
    const hasOwn = updates.some(({ update }) => update.id.replica === replica);
    return hasOwn ? replica : this.#identity.replica;
  }

  #reportDamage(space: SpaceId, { damage }: SpaceReading): void {
    if (damage === undefined) return;
    const cure = damage.base
      ? 'The committed data is fetched again from the other side.'
      : 'What is left was kept.';
    this.#out.report(new OxbowError(
      'store-damaged', `The store has ${damage.keys.length} unreadable records of space '${space}'. ${cure}`,
    ));
  }

  /** Spaces whose updates cannot leave under their id go on under another. */
  #reissue(): void {
    const lost = [...this.#slots.values()].filter(({ needsReissue }) => needsReissue);
    for (const slot of lost) {
      const old = slot.replica.replica;
      for (const peer of this.#peersOf(old)) peer.leave(slot.space);
      slot.reissue(this.#identity.after(old));
      this.#attach(slot);
    }
    if (lost.length > 0) this.#dropIdleSessions();
  }

  #attach(slot: SpaceSlot<A>): void {
    const { replica } = slot.replica;
    this.#ensureSessions(replica);
    for (const peer of this.#peersOf(replica)) peer.join(slot, this.#nowMs);
  }

  #ensureSessions(replica: ReplicaId): void {
    const { transports, app } = this.#config;
    transports.forEach(({ name, hasToken }, transport) => {
      const exists = this.#sessions.some((one) => one.replica === replica && one.transport === transport);
      if (exists) return;
      const session = new Session({
        transport, name, hasToken, app, replica, owner: this, out: this.#out, random: this.#random,
        nextNumber: () => this.#nextNumber(),
      });
      this.#sessions.push(session);
      if (this.#isOnline) session.hurry(this.#nowMs);
    });
  }

  /** Of ids that nothing is written under any more. */
  #dropIdleSessions(): void {
    const used = new Set([this.#identity.replica]);
    for (const { replica: { replica } } of this.#slots.values()) used.add(replica);
    for (const session of this.#sessions) if (!used.has(session.replica)) session.goOffline();
    this.#sessions = this.#sessions.filter(({ replica }) => used.has(replica));
    this.onHealth();
  }

  /** Wakes up for the next deadline. One that has moved away is found out when the time comes. */
  #arm(): void {
    let next = Math.min(this.#saves.deadlineMs ?? Infinity, this.#checkpointDeadlineMs);
    for (const session of this.#sessions) next = Math.min(next, session.deadlineMs ?? Infinity);
    for (const peer of this.#peers.values()) next = Math.min(next, peer.deadlineMs);
    if (next >= (this.#armedMs ?? Infinity)) return;
    this.#armedMs = next;
    this.#out.wakeAt(next);
  }

  get #checkpointDeadlineMs(): number {
    if (!this.#saves.isIdle) return Infinity;
    for (const slot of this.#slots.values()) {
      if (slot.needsCheckpoint) return this.#changedMs + limits.checkpointIdleMs;
    }
    return Infinity;
  }
}
