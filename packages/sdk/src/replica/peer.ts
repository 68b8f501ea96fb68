/**
 * The one at the other end of a live link: which of our spaces we speak of with it, what it
 * refused, how far it is ahead. A refusal concerns one space and is tried again after a while: the
 * others go on.
 */
import {
  LinkExchanges, OxbowError, type Ack, type Holder, type Message, type Opened,
  type PageStaging,
  type ReplicaId, type SpaceFail, type SpaceId, type SpaceMessage, type Summary,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { FlowTotals } from '../protocol/link-flow.js';
import { remedyFor } from './refusal.js';
import type { Loss } from './session.js';

/** An open space, as far as a peer has to know it. */
export interface PeerSpace {
  readonly space: SpaceId;
  readonly replica: Holder;
  /** What the other side knows our updates by; undefined: by the id of the link. */
  readonly self?: ReplicaId | undefined;
  /** Pages of a transfer that was cut. */
  readonly staging: PageStaging;
  /** Own updates have no final place yet. */
  readonly isWaiting: boolean;
  /** When (machine time, ms) a commit came last, or the waiting began. */
  readonly movedMs: number;
}

/** Why a space is not spoken of: the other side will not, or sends what cannot be taken. */
export interface SpaceRefusal {
  /** Documented code. */
  readonly code: string;
  readonly message: string;
}

/** Frames that tell how far the transfer of a base is. */
const BASE: ReadonlySet<string> = new Set(['transfer', 'page', 'transferred']);

/** What is said with this peer about one space. */
interface Talk {
  readonly space: PeerSpace;
  refusal: SpaceRefusal | undefined;
  /** It takes nothing of ours, but goes on sending: that it has opened the space is no news. */
  isDeaf: boolean;
  retryAtMs: number | undefined;
  /** What the peer said last that it holds. */
  theirs: Summary | undefined;
  /** That it has spoken of. A summary of nothing names none. */
  history: string | undefined;
  /** The highest of our own updates that it knew then. */
  knownSeq: number;
  /** When the peer was last asked to begin again because nothing moved. */
  remindedMs: number;
}

export interface PeerOwner {
  flushSoon(): void;
  onHealth(): void;
  report(error: OxbowError): void;
  /** The peer takes the replica id of this space's updates for someone else's. */
  onSpaceReplicaRefused(space: SpaceId): void;
}

/** The link, as far as a peer uses it: one that we opened (session.ts), or a guest's (guest.ts). */
export interface PeerLink {
  readonly replica: ReplicaId;
  /** Of the protocol, while the link is live. */
  readonly version: number | undefined;
  send(message: Message): void;
  cut(reason: string, now: number, how?: Loss): void;
  rest(reason: string, now: number): void;
}

export interface PeerConfig {
  readonly session: PeerLink;
  readonly send: (frame: string) => void;
  readonly owner: PeerOwner;
  readonly now: number;
  /** The other side opens a space that is not open with it. Without it: it waits until it is. */
  readonly wanted?: (space: SpaceId) => void;
  /** The id of the replica behind the link in a space, where it is one that we serve. */
  readonly peerIn?: (space: PeerSpace) => ReplicaId;
}

/**
 * A space as one whom we serve may know it. What he says of the profile's updates tells nothing of
 * ours: they come from him.
 */
const servedView = (replica: Holder): Holder => ({
  decidesHistory: true,
  summary: () => replica.summary(),
  settledSeq: (of) => replica.settledSeq(of),
  newestOf: (of) => replica.newestOf?.(of),
  heldSeq: (of) => replica.heldSeq?.(of) ?? 0,
  entriesAfter: (csn, max) => replica.entriesAfter(csn, max),
  tentativeAfter: (cursor, max) => replica.tentativeAfter(cursor, max),
  snapshot: () => replica.snapshot(),
  receiveUpdates: (updates) => replica.receiveUpdates(updates),
  receiveCommits: (history, entries) => replica.receiveCommits(history, entries),
  havePages: () => replica.havePages(),
  receiveBase: (base) => replica.receiveBase(base),
  pageByHash: (hash) => replica.pageByHash(hash),
});

export class Peer {
  readonly session: PeerLink;
  /** Since when the link is live, machine time, ms. */
  readonly sinceMs: number;
  readonly #owner: PeerOwner;
  readonly #exchanges: LinkExchanges;
  readonly #talks = new Map<SpaceId, Talk>();
  #beatAtMs: number;
  #nowMs: number;
  readonly #peerIn: PeerConfig['peerIn'];

  constructor({ session, send, owner, now, wanted, peerIn }: PeerConfig) {
    this.#peerIn = peerIn;
    this.session = session;
    this.sinceMs = now;
    this.#owner = owner;
    this.#nowMs = now;
    this.#beatAtMs = now + limits.pingIntervalMs;
    this.#exchanges = new LinkExchanges({
      send,
      // Answered when the app opens that space, if it ever does.
      wanted: (space) => wanted?.(space),
      failed: (fail) => this.#onFail(fail),
      refused: (fail) => this.#onRefused(fail),
      left: (space) => this.#onLeft(space),
      pumpSoon: () => owner.flushSoon(),
    });
  }

  get replica(): ReplicaId {
    return this.session.replica;
  }

  /** What is under way on the link. */
  get flow(): FlowTotals {
    return this.#exchanges.flow;
  }

  /** When `tick` has something to do. */
  get deadlineMs(): number {
    let next = Math.min(this.#beatAtMs, this.#exchanges.wakeAtMs ?? Infinity);
    for (const { retryAtMs } of this.#talks.values()) next = Math.min(next, retryAtMs ?? Infinity);
    return next;
  }

  join(space: PeerSpace, now: number): void {
    if (this.#talks.has(space.space)) return;
    this.#nowMs = now;
    this.#talks.set(space.space, {
      space, refusal: undefined, isDeaf: false, retryAtMs: undefined, theirs: undefined,
      history: undefined, knownSeq: 0, remindedMs: now,
    });
    this.#open(space);
  }

  leave(space: SpaceId): void {
    if (this.#talks.delete(space)) this.#exchanges.leave(space);
  }

  /** The space has news. */
  changed(space: SpaceId): void {
    this.#exchanges.changed(space);
  }

  onMessage(message: SpaceMessage | Ack, chars: number, now: number): void {
    this.#nowMs = now;
    if (message.kind === 'opened') this.#onOpened(message);
    this.#exchanges.onMessage(message, chars, now);
    if (BASE.has(message.kind)) this.#owner.onHealth();
  }

  /** Sends what the link has room for. */
  pump(now: number): void {
    this.#exchanges.pump(now);
  }

  tick(now: number): void {
    this.#nowMs = now;
    if (this.#exchanges.tick(now) === 'stalled') {
      this.session.cut('nothing of what was sent is acknowledged', now, { isSilent: true });
      return;
    }
    for (const talk of this.#talks.values()) this.#maybeRetry(talk, now);
    if (now < this.#beatAtMs) return;
    this.#beatAtMs = now + limits.pingIntervalMs;
    this.#exchanges.beat(now);
    for (const talk of this.#talks.values()) this.#maybeRemind(talk, now);
  }

  refusalOf(space: SpaceId): SpaceRefusal | undefined {
    return this.#talks.get(space)?.refusal;
  }

  /** Something is expected of the peer: own updates wait for their final place. */
  get isWaiting(): boolean {
    for (const { space } of this.#talks.values()) if (space.isWaiting) return true;
    return false;
  }

  /** The history that the peer speaks of, once it has opened the space with us. */
  historyOf(space: SpaceId): string | undefined {
    const talk = this.#talks.get(space);
    return talk?.refusal === undefined || talk.isDeaf ? talk?.history : undefined;
  }

  /** Rows that have come of the space's base, while it is under way. */
  arriving(space: SpaceId): number | undefined {
    return this.#exchanges.arriving(space);
  }

  /** How many commits the peer has that we lack; undefined until it has told. */
  aheadBy(space: SpaceId): number | undefined {
    const talk = this.#talks.get(space);
    if (talk?.theirs === undefined) return undefined;
    const ours = talk.space.replica.summary();
    // In another history nothing of ours counts.
    const csn = ours.history === talk.theirs.history ? ours.csn : 0;
    return Math.max(0, talk.theirs.csn - csn);
  }

  /**
   * All that the peer held when it was asked is here, and the final place of every own update that
   * it knew.
   */
  hasAll(space: SpaceId): boolean {
    const talk = this.#talks.get(space);
    if (talk?.theirs === undefined) return false;
    const { theirs, knownSeq, space: { replica } } = talk;
    const ours = replica.summary();
    const isThere = ours.history === theirs.history && ours.csn >= theirs.csn;
    return isThere && replica.settledSeq(this.replica) >= knownSeq;
  }

  /** What the other side said last that it holds, and the newest number of ours that it knew. */
  toldOf(space: SpaceId): { readonly theirs: Summary; readonly knownSeq: number } | undefined {
    const talk = this.#talks.get(space);
    return talk?.theirs && { theirs: talk.theirs, knownSeq: talk.knownSeq };
  }

  #open(opened: PeerSpace): void {
    const { space, replica, staging, self = this.replica } = opened;
    if (this.#exchanges.has(space)) return this.#exchanges.restart(space);
    const peer = this.#peerIn?.(opened);
    const holder = peer === undefined ? replica : servedView(replica);
    this.#exchanges.open(space, { holder, wants: 'all', self, peer, staging });
  }

  #onOpened({ space, summary, settledSeq, newest }: Opened): void {
    const talk = this.#talks.get(space);
    if (talk === undefined) return;
    talk.theirs = summary;
    if (summary.history !== '') talk.history = summary.history;
    const self = talk.space.self ?? this.replica;
    talk.knownSeq = Math.max(settledSeq, summary.vector[self] ?? 0, newest?.seq ?? 0);
    if (!talk.isDeaf) {
      talk.refusal = undefined;
      talk.retryAtMs = undefined;
    }
    this.#owner.onHealth();
  }

  #onFail({ space, code, message, retryMs, sendingOnly }: SpaceFail): void {
    const talk = this.#talks.get(space);
    if (talk === undefined) return;
    talk.refusal = { code, message };
    talk.isDeaf = sendingOnly === true;
    talk.retryAtMs = this.#nowMs + (retryMs ?? limits.refusedRetryMs);
    this.#owner.onHealth();
    if (remedyFor(code) === 'new-replica') this.#owner.onSpaceReplicaRefused(space);
  }

  /** What it sends cannot be taken: perhaps it is something else the next time. */
  #onRefused({ space, code, message }: SpaceFail): void {
    const talk = this.#talks.get(space);
    if (talk === undefined) return;
    talk.refusal = { code, message };
    talk.retryAtMs = this.#nowMs + limits.refusedRetryMs;
    this.#owner.report(new OxbowError(code, `What came of space '${space}' is refused: ${message}`));
    this.#owner.onHealth();
  }

  #onLeft(space: SpaceId): void {
    const talk = this.#talks.get(space);
    if (talk === undefined) return;
    talk.refusal = { code: 'space-left', message: 'The other side has left the space; it is asked again.' };
    talk.retryAtMs = this.#nowMs + limits.reconnectMsMax;
    this.#owner.onHealth();
  }

  #maybeRetry(talk: Talk, now: number): void {
    if (talk.retryAtMs === undefined || now < talk.retryAtMs) return;
    talk.retryAtMs = undefined;
    talk.isDeaf = false;
    this.#open(talk.space);
  }

  /**
   * Last resort against a sleep that neither side knows the reason of: begin again from what is
   * held.
   */
  #maybeRemind(talk: Talk, now: number): void {
    const { space: { space, isWaiting, movedMs }, remindedMs, refusal } = talk;
    const isDone = !isWaiting && (this.aheadBy(space) ?? 0) === 0;
    if (isDone || refusal !== undefined) return;
    if (now - Math.max(movedMs, remindedMs) < limits.stallMs) return;
    talk.remindedMs = now;
    this.#exchanges.restart(space);
    this.#owner.onHealth();
  }
}
