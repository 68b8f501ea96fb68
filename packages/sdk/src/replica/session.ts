/**
 * The life of the link over one transport, under one replica id: token, connection, `hello` and
 * `welcome`, heartbeat, and what to do when it ends: where to (addresses.ts) and when to try again.
 * It knows nothing of spaces. A link counts as healthy by what was heard on it, never by the mood
 * of its socket: a socket can stay "open" for minutes after its network is gone.
 */
import {
  encodeMessage, OxbowError, protocolVersions,
  type Fail, type Message, type ReplicaId, type Welcome,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import { Addresses } from './addresses.js';
import { Backoff } from './backoff.js';
import type { LinkId, ReplicaEffects, Token } from './effects.js';
import { isOfOneNode, remedyFor } from './refusal.js';

type State =
  | { readonly kind: 'offline' }
  | { readonly kind: 'waiting'; readonly untilMs: number; readonly reason: string }
  | { readonly kind: 'asking'; readonly ask: Token; readonly deadlineMs: number }
  | {
      readonly kind: 'connecting';
      readonly link: LinkId;
      readonly deadlineMs: number;
      readonly token: string | undefined;
    }
  | { readonly kind: 'greeting'; readonly link: LinkId; readonly deadlineMs: number }
  | {
      readonly kind: 'live';
      readonly link: LinkId;
      readonly sinceMs: number;
      readonly version: number;
    }
  /** The other side will not have us as we are. Asked again rarely, in case it changed its mind. */
  | { readonly kind: 'refused'; readonly untilMs: number; readonly code: string; readonly message: string };

/** What `health` says of a transport. Times are machine time, ms. */
export interface LinkHealth {
  readonly transport: string;
  /**
   * `resuming`: it was live a moment ago and is being replaced, as when a server hands over to
   * another. `waiting`: it is tried again after a pause. `refused`: it is tried again rarely.
   */
  readonly state: 'offline' | 'waiting' | 'connecting' | 'resuming' | 'live' | 'refused';
  /** Which of the transport's addresses, if it has any. */
  readonly address?: string;
  /** Why it is not live, as far as known. */
  readonly reason?: string;
  /** Documented code of a refusal. */
  readonly code?: string;
}

/** Whoever speaks of spaces over the link. */
export interface SessionOwner {
  onLive(session: Session, link: LinkId, welcome: Welcome): void;
  /** The link is gone; nothing can be sent on it any more. */
  onDown(link: LinkId): void;
  /** The other side takes our replica id for someone else's. The session is in `refused`. */
  onReplicaRefused(session: Session): void;
  /** Something waits for an answer on the link. */
  isWaiting(link: LinkId): boolean;
  /** `health` is another one now. */
  onHealth(): void;
}

/** A transport, as far as the machines have to know it. */
export interface Way {
  readonly name: string;
  /** It has a token source. */
  readonly hasToken: boolean;
  /** Of one service; absent where there is nothing to choose. */
  readonly addresses?: readonly string[];
}

export interface SessionConfig {
  readonly transport: number;
  readonly way: Way;
  readonly app: { readonly name: string; readonly version: number };
  readonly replica: ReplicaId;
  /** Numbers for links and questions, shared by all sessions. */
  readonly nextNumber: () => number;
  readonly random: () => number;
  readonly out: ReplicaEffects;
  readonly owner: SessionOwner;
}

export class Session {
  readonly #config: SessionConfig;
  readonly #backoff: Backoff;
  readonly #addresses: Addresses;
  #state: State = { kind: 'offline' };
  #heardMs = 0;
  /** Since when a greeting or a ping waits for its own answer. */
  #askedMs: number | undefined;
  #roundTripMs: number | undefined;
  /** Set while a ping waits for its answer: any frame is one. */
  #answerByMs: number | undefined;
  /** It was given more time, as we stood still. */
  #isAnswerGraced = false;
  /** A fresh token was asked for since the last healthy link: asking once more will not help. */
  #renewed = false;
  /** The token of the present round of attempts: whoever is sent on brings the same one. */
  #roundToken: { readonly token: string | undefined } | undefined;
  /** Why there is no token, as reported; undefined since there was one. */
  #tokenFailure: string | undefined;
  /** The least that anyone in the present round asked us to wait. */
  #roundPauseMs = Infinity;
  /** When a link that had lived for a while was lost last. */
  #lostMs: number | undefined;
  /** Links ended for a suspicion since one lived for long. */
  #suspicions = 0;
  #nowMs = 0;

  constructor(config: SessionConfig) {
    this.#config = config;
    const bounds = {
      baseMs: limits.reconnectMsMin,
      maxMs: limits.reconnectMsMax,
      growth: limits.reconnectGrowth,
    };
    this.#backoff = new Backoff(bounds, config.random);
    this.#addresses = new Addresses(config.way.addresses ?? [], config.random);
  }

  get replica(): ReplicaId {
    return this.#config.replica;
  }

  get transport(): number {
    return this.#config.transport;
  }

  /** The link that frames are expected on, whatever its state. */
  get link(): LinkId | undefined {
    const state = this.#state;
    const hasLink = state.kind === 'connecting' || state.kind === 'greeting' || state.kind === 'live';
    return hasLink ? state.link : undefined;
  }

  get isLive(): boolean {
    return this.#state.kind === 'live';
  }

  /** The protocol's version on the live link. */
  get version(): number | undefined {
    return this.#state.kind === 'live' ? this.#state.version : undefined;
  }

  /** From the newest greeting or ping to its answer, ms; undefined before the first. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get health(): LinkHealth {
    const state = this.#state;
    const transport = this.#config.way.name;
    switch (state.kind) {
      case 'offline': return { transport, state: 'offline' };
      case 'live': return { transport, state: 'live', ...this.#address };
      case 'waiting':
        if (this.#isResuming) return { transport, state: 'resuming' };
        return { transport, state: 'waiting', reason: state.reason };
      case 'refused':
        return { transport, state: 'refused', reason: state.message, code: state.code };
      case 'asking':
      case 'connecting':
      case 'greeting':
        return { transport, state: this.#isResuming ? 'resuming' : 'connecting', ...this.#address };
    }
  }

  /** When `tick` has something to do; undefined: never. */
  get deadlineMs(): number | undefined {
    const state = this.#state;
    switch (state.kind) {
      case 'offline': return undefined;
      case 'refused': return state.untilMs;
      case 'waiting': return this.#orResumed(state.untilMs);
      case 'asking':
      case 'connecting':
      case 'greeting': return this.#orResumed(state.deadlineMs);
      case 'live': return this.#answerByMs ?? this.#heardMs + this.#patienceMs(state.link);
    }
  }

  /**
   * Connects now, unless an attempt is under way: at the start, at `goOnline`, at a hint that the
   * network changed. A link that looks alive must prove it soon: after a sleep it is often dead
   * without knowing.
   */
  hurry(now: number): void {
    this.#nowMs = now;
    const { kind } = this.#state;
    if (kind === 'live') {
      if (this.#answerByMs === undefined) this.#ping(now + limits.probeMs, now);
      return;
    }
    if (kind !== 'offline' && kind !== 'waiting' && kind !== 'refused') return;
    this.#backoff.succeeded();
    this.#renewed = false;
    this.#addresses.begin();
    this.#beginRound(now);
  }

  goOffline(): void {
    this.#lostMs = undefined;
    this.#drop('offline');
    this.#become({ kind: 'offline' });
  }

  /**
   * The link has ended, or ends because of something seen on it; a new attempt follows, elsewhere
   * or after a pause.
   */
  cut(reason: string, now: number, how: Loss = {}): void {
    if (this.link !== undefined) this.#lost(reason, now, how);
  }

  /** Ends the link for a reason of our own; a new attempt follows after a pause. */
  rest(reason: string, now: number): void {
    if (this.link !== undefined) this.#pause(reason, now);
  }

  /**
   * Tells the other side what is wrong with what it said, and leaves; a new attempt follows after a
   * pause.
   */
  refuse(error: OxbowError, now: number): void {
    this.send({ kind: 'fail', code: error.code, message: error.message });
    this.#config.out.report(error);
    this.cut(error.code, now);
  }

  send(message: Message): void {
    const { link } = this;
    if (link !== undefined) this.#config.out.send(link, encodeMessage(message));
  }

  tokenFor(ask: Token, token: string | undefined, now: number): void {
    if (this.#state.kind !== 'asking' || this.#state.ask !== ask) return;
    this.#roundToken = { token };
    this.#tokenFailure = undefined;
    this.#connect(token, now);
  }

  tokenFailed(ask: Token, error: OxbowError, now: number): void {
    if (this.#state.kind !== 'asking' || this.#state.ask !== ask) return;
    // Offline a whole day it fails at every attempt: that is one report.
    if (error.message !== this.#tokenFailure) this.#config.out.report(error);
    this.#tokenFailure = error.message;
    // No address gives what is missing.
    this.#pause(error.message, now);
  }

  linkOpened(now: number): void {
    if (this.#state.kind !== 'connecting') return;
    const { link, token } = this.#state;
    const { app, replica } = this.#config;
    const deadlineMs = now + Math.min(limits.helloTimeoutMs, this.#addresses.attemptMs);
    this.#become({ kind: 'greeting', link, deadlineMs });
    this.#askedMs = now;
    this.send({
      kind: 'hello', versions: protocolVersions, app: app.name, appVersion: app.version, replica,
      ...(token === undefined ? {} : { token }),
    });
  }

  /**
   * Something was heard. Answers what concerns the link alone; true: the message is for the spaces.
   */
  onMessage(message: Message, now: number): boolean {
    this.#heardMs = now;
    this.#answerByMs = undefined;
    switch (message.kind) {
      case 'ping':
        this.send({ kind: 'pong' });
        return false;
      case 'pong':
        this.#answered(now);
        return false;
      case 'welcome':
        this.#onWelcome(message, now);
        return false;
      case 'hello':
        this.refuse(unexpected('The one who is connected to does not greet first.'), now);
        return false;
      case 'fail':
        if (message.space !== undefined) return this.isLive;
        this.#onFail(message, now);
        return false;
      default: return this.#isForSpaces(message, now);
    }
  }

  tick(now: number): void {
    this.#nowMs = now;
    if (this.#lostMs !== undefined && !this.#isResuming) {
      // From now on `health` says what is the matter.
      this.#lostMs = undefined;
      this.#config.owner.onHealth();
    }
    const { deadlineMs } = this;
    if (deadlineMs === undefined || now < deadlineMs) return;
    switch (this.#state.kind) {
      case 'waiting':
        this.#addresses.rested(now);
        return this.#beginRound(now);
      case 'refused': return this.#beginRound(now);
      case 'asking': return this.#pause('the token function did not answer in time', now);
      case 'connecting': return this.#lost('no connection in time', now, { isSilent: true });
      case 'greeting': return this.#lost('no welcome in time', now, { isSilent: true });
      case 'live': return this.#heartbeat(this.#state.link, now);
      case 'offline': return;
    }
  }

  #heartbeat(link: LinkId, now: number): void {
    if (this.#answerByMs !== undefined) {
      if (now - this.#answerByMs >= limits.lateTickMs && !this.#isAnswerGraced) {
        this.#isAnswerGraced = true;
        this.#answerByMs = now + limits.lateGraceMs;
        return;
      }
      this.#suspicions++;
      return this.#lost('no answer to a ping', now, { isSilent: true });
    }
    this.#maybeTrustAgain();
    const isSuspect = this.#patienceMs(link) < limits.pingIntervalMs;
    const leastMs = Math.max(limits.suspectAnswerMs, 4 * (this.#roundTripMs ?? 0));
    const answerMs = leastMs * 2 ** Math.min(this.#suspicions, 10);
    const latestMs = limits.pongTimeoutMs;
    this.#ping(now + (isSuspect ? Math.min(answerMs, latestMs) : latestMs), now);
  }

  /**
   * Silence that is taken without a question. A server that hangs keeps its sockets open; where
   * others could do its work, it is found out soon, but only while there is something to lose by
   * waiting.
   */
  #patienceMs(link: LinkId): number {
    const isUrgent = this.#addresses.isSeveral && this.#config.owner.isWaiting(link);
    return isUrgent ? limits.suspectMs : limits.pingIntervalMs;
  }

  #ping(answerByMs: number, now: number): void {
    this.#answerByMs = answerByMs;
    this.#isAnswerGraced = false;
    this.#askedMs = now;
    this.send({ kind: 'ping' });
  }

  #beginRound(now: number): void {
    this.#roundToken = undefined;
    this.#roundPauseMs = Infinity;
    this.#attempt(now);
  }

  #attempt(now: number): void {
    const { way, nextNumber, out, transport } = this.#config;
    if (!way.hasToken) return this.#connect(undefined, now);
    if (this.#roundToken !== undefined) return this.#connect(this.#roundToken.token, now);
    const ask = nextNumber();
    this.#become({ kind: 'asking', ask, deadlineMs: now + limits.tokenTimeoutMs });
    out.askToken(transport, ask);
  }

  #connect(token: string | undefined, now: number): void {
    const link = this.#config.nextNumber();
    const deadlineMs = now + this.#addresses.attemptMs;
    this.#become({ kind: 'connecting', link, token, deadlineMs });
    this.#config.out.connect(this.#config.transport, link, this.#addresses.current);
  }

  #onWelcome(welcome: Welcome, now: number): void {
    if (this.#state.kind !== 'greeting') {
      // A repeated welcome (a duplicating network) says nothing new.
      if (this.#state.kind !== 'live') this.refuse(unexpected('A welcome without a hello.'), now);
      return;
    }
    const [oldest, newest] = protocolVersions;
    if (welcome.version < oldest || welcome.version > newest) {
      const problem = `Version ${welcome.version} of the protocol is not spoken here. Update one side.`;
      this.refuse(new OxbowError('protocol-version', problem), now);
      return;
    }
    const { link } = this.#state;
    this.#addresses.succeeded();
    this.#answered(now);
    this.#lostMs = undefined;
    this.#become({ kind: 'live', link, sinceMs: now, version: welcome.version });
    this.#config.owner.onLive(this, link, welcome);
  }

  #answered(now: number): void {
    if (this.#askedMs !== undefined) this.#roundTripMs = now - this.#askedMs;
    this.#askedMs = undefined;
  }

  #isForSpaces(message: Message, now: number): boolean {
    if (this.isLive) return true;
    this.refuse(unexpected(`'${message.kind}' before the welcome.`), now);
    return false;
  }

  #onFail(fail: Fail, now: number): void {
    const { code, message } = fail;
    const remedy = remedyFor(code);
    const isSentOn = fail.redirect !== undefined && this.#addresses.redirected(fail.redirect, now);
    if (isSentOn) {
      this.#noteLoss(now);
      this.#drop(code);
      this.#attempt(now);
    } else if (remedy === 'new-token' && this.#config.way.hasToken && !this.#wasRenewed(now)) {
      this.#drop(code);
      this.#renewed = true;
      this.#beginRound(now);
    } else if (remedy === 'wait') {
      const pauseMs = fail.retryMs ?? 0;
      if (isOfOneNode(code)) this.#lost(`${code}: ${message}`, now, { pauseMs });
      else this.#pause(`${code}: ${message}`, now, pauseMs);
    } else {
      this.#drop(code);
      const untilMs = now + this.#jittered(refusedPauseMs(fail));
      this.#become({ kind: 'refused', untilMs, code, message });
      if (remedy === 'new-replica') this.#config.owner.onReplicaRefused(this);
    }
  }

  #wasRenewed(now: number): boolean {
    return this.#renewed && !this.#wasHealthy(now);
  }

  /** The link lived long enough for its end to be a new trouble rather than the old one. */
  #wasHealthy(now: number): boolean {
    return this.#state.kind === 'live' && now - this.#state.sinceMs >= limits.healthyMs;
  }

  #noteLoss(now: number): void {
    this.#nowMs = now;
    const state = this.#state;
    if (state.kind !== 'live') return;
    this.#roundToken = undefined;
    this.#roundPauseMs = Infinity;
    if (now - state.sinceMs >= limits.resumeMs) {
      // Often enough to be a burden it cannot be: the pauses begin anew.
      this.#lostMs = now;
      this.#backoff.succeeded();
    }
    this.#maybeTrustAgain();
    if (this.#wasHealthy(now)) this.#renewed = false;
  }

  /** Not by how long the link was open: a silent one is what is suspected. */
  #maybeTrustAgain(): void {
    const state = this.#state;
    if (state.kind !== 'live' || this.#heardMs - state.sinceMs < limits.healthyMs) return;
    this.#suspicions = 0;
  }

  /** The next address at once, or a pause when all have been tried. */
  #lost(reason: string, now: number, how: Loss = {}): void {
    const { pauseMs = 0, isSilent = false } = how;
    const wasLive = this.isLive;
    this.#noteLoss(now);
    this.#drop(reason);
    this.#roundPauseMs = Math.min(this.#roundPauseMs, pauseMs);
    if (this.#addresses.failed(now, { isSilent, wasLive })) this.#attempt(now);
    else this.#wait(reason, now, this.#roundPauseMs);
  }

  /** It would go no better elsewhere. */
  #pause(reason: string, now: number, pauseMs = 0): void {
    this.#noteLoss(now);
    this.#drop(reason);
    this.#wait(reason, now, pauseMs);
  }

  #wait(reason: string, now: number, pauseMs: number): void {
    const waitMs = Math.max(this.#backoff.nextMs(), this.#jittered(pauseMs));
    this.#become({ kind: 'waiting', untilMs: now + waitMs, reason });
  }

  #become(state: State): void {
    this.#state = state;
    this.#config.owner.onHealth();
  }

  get #address(): { readonly address?: string } {
    const { current } = this.#addresses;
    return current === undefined ? {} : { address: current };
  }

  get #isResuming(): boolean {
    return this.#lostMs !== undefined && this.#nowMs < this.#lostMs + limits.resumeMs;
  }

  /** Whatever comes first: that, or the end of what is hidden from the user. */
  #orResumed(atMs: number): number {
    return this.#lostMs === undefined ? atMs : Math.min(atMs, this.#lostMs + limits.resumeMs);
  }

  #jittered(pauseMs: number): number {
    return Math.round(pauseMs * (1 + this.#config.random() / 4));
  }

  /** Forgets the link, if there is one, and has the host close it. */
  #drop(reason: string): void {
    const { isLive, link } = this;
    if (link === undefined) return;
    this.#state = { kind: 'offline' };
    this.#config.out.cut(link, reason);
    if (isLive) this.#config.owner.onDown(link);
  }
}

export interface Loss {
  /** How long the other side asks us to wait. */
  readonly pauseMs?: number;
  /** It said nothing at all. */
  readonly isSilent?: boolean;
}

const unexpected = (problem: string): OxbowError =>
  new OxbowError('unexpected-message', `${problem} The link is cut and tried again; update the other side.`);

/** What passes names a time: a server that is older than its clients is updated soon. */
const refusedPauseMs = ({ retryMs }: Fail): number =>
  retryMs === undefined ? limits.refusedRetryMs : Math.max(retryMs, limits.reconnectMsMax);
