/**
 * One client's link: greeting, rights, its spaces, and what waits because the log is full. It never
 * lets a message do more than its sender may; whatever is wrong ends this link with a documented
 * code and disturbs no other.
 */
import {
  BARRIERS_SINCE, LinkExchanges, OxbowError, decodeMessage, encodeMessage,
  limits as protocolLimits, negotiateVersion, unreachable,
} from '@oxbow/sdk/protocol';
import type {
  Barrier, CommitEntry, Fail, Hello, Message, ReplicaId, SpaceId, SpaceMessage, Updates,
} from '@oxbow/sdk/protocol';
import { SpaceFeed } from '../feed/space-feed.js';
import type { FeedOwner } from '../feed/space-feed.js';
import type { Author, SpaceActor } from '../space/actor.js';
import type { BarrierAsker } from './barriers.js';
import type { NodeConfig } from './config.js';
import type { Claims, Counter, LinkId, LogLevel, Refusal } from './effects.js';
import { isExpired, rightTo } from './rights.js';
import type { Guest } from './space-directory.js';
import { WaitingUpdates } from './waiting-updates.js';

/** What a link needs of the node. */
export interface LinkOwner {
  readonly config: NodeConfig;
  now(): number;
  /** Why nobody is let in now, if so: the node starts or stops. */
  closedFor(): Refused | undefined;
  /** Updates must wait: the log is full. */
  isFull(): boolean;
  send(link: LinkId, frame: string): void;
  verify(link: Link, hello: Hello): void;
  /** The link is known now. Answers why it cannot stay, if so. */
  onLive(link: Link): Refused | undefined;
  wantSpace(space: SpaceId, link: Link): void;
  leaveSpace(space: SpaceId, link: Link): void;
  /** Answered by `barrierReached` or `barrierFailed`. */
  barrier(link: Link, space: SpaceId, id: number): void;
  /** What everybody may know of a space; undefined: it is not in memory. */
  chosenCsn(space: SpaceId): number | undefined;
  onExecuted(actor: SpaceActor, entry: CommitEntry, chars: number): void;
  /** It has something to send: `pump` at the end of the turn. */
  pumpSoon(link: Link): void;
  /**
   * So many chars more (or less) wait at it: `drainWaiting` when there is room. False: too much
   * waits at the node.
   */
  waitingChanged(link: Link, byChars: number): boolean;
  closed(link: Link, code: string): void;
  count(counter: Counter): void;
  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface Refused {
  readonly code: string;
  readonly message: string;
  /** The node is busy: trying again makes sense. */
  readonly isPassing?: boolean;
  /** When, if not as usual. */
  readonly retryMs?: number;
  /** URL of the node that would serve. */
  readonly redirect?: string;
}

type Phase =
  | { readonly kind: 'greeting' }
  | { readonly kind: 'verifying'; readonly hello: Hello; readonly version: number }
  | {
      readonly kind: 'live';
      readonly hello: Hello;
      readonly version: number;
      readonly claims: Claims;
    }
  | { readonly kind: 'closed' };

export class Link implements Guest, FeedOwner, BarrierAsker {
  readonly id: LinkId;
  readonly #owner: LinkOwner;
  readonly #exchanges: LinkExchanges;
  readonly #openedMs: number;
  #phase: Phase = { kind: 'greeting' };
  #member: { readonly replica: ReplicaId; readonly user: string | null } | undefined;
  /** Open, or asked of the node. */
  readonly #spaces = new Set<SpaceId>();
  #heardMs: number;
  #beatMs: number;
  readonly #waiting = new WaitingUpdates();
  #barriersWaiting = 0;
  /** Spaces of which the client turned out to know more commits than the server. */
  #ahead: SpaceId[] = [];

  constructor(id: LinkId, owner: LinkOwner) {
    this.id = id;
    this.#owner = owner;
    this.#openedMs = owner.now();
    this.#heardMs = this.#openedMs;
    this.#beatMs = this.#openedMs;
    this.#exchanges = new LinkExchanges({
      send: (frame) => owner.send(id, frame),
      wanted: (space) => this.#onWanted(space),
      failed: ({ code, space }) => owner.log('info', 'client-refused', { link: id, code, space }),
      refused: ({ code, space }) => this.#onRefused(space, code),
      left: (space) => this.#leave(space),
      pumpSoon: () => owner.pumpSoon(this),
    });
  }

  get isClosed(): boolean {
    return this.#phase.kind === 'closed';
  }

  /** Known from the welcome on, for ever. */
  get replica(): ReplicaId | undefined {
    return this.#member?.replica;
  }

  get user(): string | null | undefined {
    return this.#member?.user;
  }

  get waitingChars(): number {
    return this.#waiting.chars;
  }

  get now(): number {
    return this.#owner.now();
  }

  /** Never throws. */
  onFrame(frame: string): void {
    this.#guarded(() => {
      if (this.isClosed) return;
      this.#heardMs = this.now;
      const message = this.#decoded(frame);
      if (message !== undefined) this.#onMessage(message, frame.length);
    });
  }

  onVerified(result: Claims | Refusal): void {
    this.#guarded(() => {
      if (this.#phase.kind !== 'verifying') return;
      if ('code' in result) return this.refuse(result);
      this.#welcome(this.#phase.hello, this.#phase.version, result);
    });
  }

  tick(): void {
    this.#guarded(() => {
      const { helloMs, silentMs } = this.#owner.config.limits;
      if (this.isClosed) return;
      if (this.#phase.kind !== 'live') {
        if (this.now - this.#openedMs < helloMs) return;
        return this.refuse({ code: 'hello-timeout', message: 'No hello in time, or no verdict on its token.' });
      }
      if (this.now - this.#heardMs >= silentMs) {
        return this.refuse({ code: 'link-silent', message: 'Nothing was heard for too long: ping more often.' });
      }
      if (this.#isExpired(this.#phase.claims)) return;
      this.#tickExchanges();
    });
  }

  pump(): void {
    if (this.#phase.kind === 'live') this.#guarded(() => this.#exchanges.pump(this.now));
  }

  /** Entries of a space were chosen. */
  spaceChanged(space: SpaceId): void {
    this.#guarded(() => this.#exchanges.changed(space));
  }

  spaceReady(actor: SpaceActor): void {
    const self = this.#phase;
    if (self.kind !== 'live') return;
    const holder = new SpaceFeed(actor, this.#owner.config.history, this);
    const offer = { holder, wants: 'updates', peer: self.hello.replica } as const;
    this.#guarded(() => this.#exchanges.open(actor.space, offer));
  }

  spaceRefused(space: SpaceId, code: string, message: string): void {
    this.#spaces.delete(space);
    this.#exchanges.refuse(space, code, message, this.#owner.config.limits.retryMs);
  }

  author(space: SpaceId): Author {
    const self = this.#phase;
    if (self.kind !== 'live') throw new OxbowError('invariant', 'Only a live link has an author');
    const { hello: { replica }, claims } = self;
    const mayWrite = rightTo(space, claims) === 'rw' && !isExpired(claims, this.now);
    return { replica, user: claims.user, mayWrite };
  }

  onExecuted(actor: SpaceActor, entry: CommitEntry, chars: number): void {
    this.#owner.onExecuted(actor, entry, chars);
  }

  onDuplicate(): void {
    this.#owner.count('updates_duplicate');
  }

  onAhead(space: SpaceId): void {
    this.#ahead.push(space);
  }

  /** Takes updates that waited, as long as there is room. */
  drainWaiting(): void {
    this.#guarded(() => {
      const taken = this.#waiting.drain(
        () => !this.isClosed && !this.#owner.isFull(),
        ({ message, chars }) => this.#toExchanges(message, chars),
      );
      this.#owner.waitingChanged(this, -taken);
    });
  }

  barrierReached(space: SpaceId, id: number): void {
    const csn = this.#owner.chosenCsn(space);
    if (csn === undefined) return this.barrierFailed(space, id, 'space-not-open');
    this.#barriersWaiting -= 1;
    if (this.isClosed) return;
    this.#owner.send(this.id, encodeMessage({ kind: 'barrier-at', space, id, csn }));
  }

  barrierFailed(space: SpaceId, id: number, code: string): void {
    this.#barriersWaiting -= 1;
    if (this.isClosed) return;
    this.#owner.send(this.id, encodeMessage({ kind: 'barrier-failed', space, id, code }));
  }

  /** Says why, and ends the link. */
  refuse(why: Refused): void {
    if (this.isClosed) return;
    const { code, message, isPassing, redirect } = why;
    const { retryMs = this.#owner.config.limits.retryMs } = why;
    const fail: Fail = {
      kind: 'fail', code, message: message.slice(0, protocolLimits.textCharsMax),
      ...(isPassing === true ? { retryMs } : {}),
      ...(redirect === undefined ? {} : { redirect }),
    };
    this.#owner.send(this.id, encodeMessage(fail));
    this.end(code);
  }

  /** Forgets everything; nothing is said. */
  end(code: string): void {
    if (this.isClosed) return;
    this.#phase = { kind: 'closed' };
    this.#owner.waitingChanged(this, -this.#waiting.clear());
    for (const space of this.#spaces) this.#owner.leaveSpace(space, this);
    this.#owner.closed(this, code);
  }

  #decoded(frame: string): Message | undefined {
    try {
      return decodeMessage(frame);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      this.refuse(error);
      return undefined;
    }
  }

  #onMessage(message: Message, chars: number): void {
    switch (message.kind) {
      case 'hello':
        return this.#onHello(message);
      case 'ping':
        return this.#owner.send(this.id, PONG);
      case 'pong':
        return;
      case 'welcome':
      case 'barrier-at':
      case 'barrier-failed':
        return this.#unexpected(message.kind);
      case 'barrier':
        return this.#onBarrier(message);
      case 'ack':
        if (this.#phase.kind !== 'live') return this.#unexpected('ack');
        return this.#exchanges.onMessage(message, chars, this.now);
      case 'fail':
        // Of the whole link: the other side closes it.
        if (message.space === undefined) return this.end('client-refused');
        return this.#onSpaceMessage({ ...message, space: message.space }, chars);
      default:
        return this.#onSpaceMessage(message, chars);
    }
  }

  /** A network may repeat frames: the same hello again says nothing new. */
  #onHello(hello: Hello): void {
    const self = this.#phase;
    switch (self.kind) {
      case 'greeting':
        return this.#greet(hello);
      case 'verifying':
      case 'live':
        return self.hello.replica === hello.replica ? undefined : this.#unexpected('second hello');
      case 'closed':
        return;
      default:
        return unreachable(self);
    }
  }

  #greet(hello: Hello): void {
    const { app } = this.#owner.config;
    const closedFor = this.#owner.closedFor();
    if (closedFor !== undefined) return this.refuse(closedFor);
    if (hello.app !== app.name) {
      return this.refuse({
        code: 'app-unknown', message: `This server serves the app '${app.name}', not '${hello.app}'.`,
      });
    }
    if (hello.appVersion > app.version) {
      return this.refuse({
        code: 'app-newer', isPassing: true,
        message: `This server runs version ${app.version} of the app, you run ${hello.appVersion}: it must be updated first.`,
      });
    }
    try {
      this.#phase = { kind: 'verifying', hello, version: negotiateVersion(hello.versions) };
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      return this.refuse(error);
    }
    this.#owner.verify(this, hello);
  }

  #welcome(hello: Hello, version: number, claims: Claims): void {
    if (Object.keys(claims.spaces).length > this.#owner.config.limits.claimPatternsMax) {
      return this.refuse({ code: 'token-invalid', message: 'The token names too many spaces. Use patterns.' });
    }
    if (this.#isExpired(claims)) return;
    this.#phase = { kind: 'live', hello, version, claims };
    const { replica } = hello;
    this.#member = { replica, user: claims.user };
    const refused = this.#owner.onLive(this);
    if (refused !== undefined) return this.refuse(refused);
    this.#owner.send(this.id, encodeMessage({ kind: 'welcome', version, replica, user: claims.user }));
  }

  #onSpaceMessage(message: SpaceMessage, chars: number): void {
    const self = this.#phase;
    if (self.kind !== 'live') return this.#unexpected(message.kind);
    if (this.#isExpired(self.claims)) return;
    if (message.kind === 'updates' && (!this.#waiting.isEmpty || this.#owner.isFull())) {
      return this.#wait(message, chars);
    }
    if (message.kind === 'leave' && !this.#exchanges.has(message.space)) {
      this.#leave(message.space);
    }
    this.#toExchanges(message, chars);
  }

  /** Whoever has the space open may read it: that was asked when it was opened. */
  #onBarrier({ space, id }: Barrier): void {
    const self = this.#phase;
    const isKnown = self.kind === 'live' && self.version >= BARRIERS_SINCE;
    if (!isKnown) return this.#unexpected('barrier');
    if (this.#isExpired(self.claims)) return;
    this.#barriersWaiting += 1;
    if (!this.#exchanges.has(space)) return this.barrierFailed(space, id, 'space-not-open');
    if (this.#barriersWaiting > protocolLimits.barriersPerLinkMax) {
      return this.barrierFailed(space, id, 'too-many-barriers');
    }
    this.#owner.barrier(this, space, id);
  }

  #toExchanges(message: SpaceMessage, chars: number): void {
    if (message.kind === 'updates') this.#owner.count('updates_received');
    this.#exchanges.onMessage(message, chars, this.now);
    for (const space of this.#ahead.splice(0)) {
      this.#leave(space);
      this.#owner.log('error', 'history-ahead', { link: this.id, replica: this.replica, space });
      this.#exchanges.refuse(space, 'history-ahead', AHEAD);
    }
  }

  #wait(message: Updates, chars: number): void {
    this.#waiting.push({ message, chars });
    const isRoom = this.#owner.waitingChanged(this, chars);
    if (this.#waiting.chars > this.#owner.config.limits.waitingCharsPerLinkMax) {
      return this.refuse({
        code: 'window-exceeded', message: 'More was sent than flow control allows.',
      });
    }
    if (!isRoom) this.refuse({ code: 'server-busy', isPassing: true, message: 'Too much waits.' });
  }

  #onRefused(space: SpaceId, code: string): void {
    this.#owner.count('updates_refused');
    this.#owner.log('info', 'update-refused', { link: this.id, replica: this.replica, space, code });
  }

  #onWanted(space: SpaceId): void {
    const self = this.#phase;
    if (self.kind !== 'live') return;
    if (rightTo(space, self.claims) === 'none') {
      this.#owner.log('info', 'space-forbidden', { link: this.id, user: self.claims.user, space });
      return this.#exchanges.refuse(space, 'forbidden', `You have no right to '${space}'.`);
    }
    this.#spaces.add(space);
    this.#owner.wantSpace(space, this);
  }

  #leave(space: SpaceId): void {
    this.#spaces.delete(space);
    this.#owner.leaveSpace(space, this);
  }

  #tickExchanges(): void {
    if (this.#exchanges.tick(this.now) === 'stalled') {
      return this.refuse({ code: 'link-stalled', message: 'What was sent is not acknowledged.' });
    }
    if (this.now - this.#beatMs < protocolLimits.pingIntervalMs) return;
    this.#beatMs = this.now;
    this.#exchanges.beat(this.now);
  }

  #isExpired(claims: Claims): boolean {
    if (!isExpired(claims, this.now)) return false;
    this.refuse({ code: 'token-expired', message: 'The token has expired. Come back with a new one.' });
    return true;
  }

  #unexpected(what: string): void {
    this.refuse({ code: 'unexpected-message', message: `'${what}' is not expected here.` });
  }

  /** A bug that one link's message brings out must not take the others down. */
  #guarded(task: () => void): void {
    try {
      task();
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      this.#owner.log('error', 'internal-error', { link: this.id, reason: message, stack });
      this.refuse({ code: 'internal-error', message: 'The server failed on this link. Its log says why.', isPassing: true });
    }
  }
}

const AHEAD =
  'You hold commits of this history that the server does not: it was set back to an older state. Its operator must give the state a new history.';
const PONG = encodeMessage({ kind: 'pong' });
