/**
 * The life of the link over one transport, under one replica id: token, connection, `hello` and `welcome`, heartbeat, and what to do when it
 * ends. It knows nothing of spaces. A link counts as healthy by what was heard on it, never by the mood of its socket:
 * a socket can stay "open" for minutes after its network is gone.
 */
import {
  encodeMessage, limits, OxbowError, protocolVersions,
  type Fail, type Message, type ReplicaId, type Welcome,
} from '../protocol/index.js';
import { Backoff } from './backoff.js';
import type { LinkId, ReplicaEffects, Token } from './effects.js';
import { remedyFor } from './refusal.js';

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
  | { readonly kind: 'live'; readonly link: LinkId; readonly sinceMs: number }
  /** The other side will not have us as we are. Asked again rarely, in case it changed its mind. */
  | { readonly kind: 'refused'; readonly untilMs: number; readonly code: string; readonly message: string };

/** What `health` says of a transport. Times are machine time, ms. */
export interface LinkHealth {
  readonly transport: string;
  readonly state: 'offline' | 'waiting' | 'connecting' | 'live' | 'refused';
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
  /** `health` is another one now. */
  onHealth(): void;
}

export interface SessionConfig {
  readonly transport: number;
  readonly name: string;
  /** The transport has a token source. */
  readonly hasToken: boolean;
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
  #state: State = { kind: 'offline' };
  #heardMs = 0;
  /** Set while a ping waits for its answer: any frame is one. */
  #answerByMs: number | undefined;
  /** A fresh token was asked for since the last healthy link: asking once more will not help. */
  #renewed = false;

  constructor(config: SessionConfig) {
    this.#config = config;
    const bounds = { baseMs: limits.reconnectMsMin, maxMs: limits.reconnectMsMax };
    this.#backoff = new Backoff(bounds, config.random);
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

  get health(): LinkHealth {
    const state = this.#state;
    const transport = this.#config.name;
    switch (state.kind) {
      case 'offline': return { transport, state: 'offline' };
      case 'live': return { transport, state: 'live' };
      case 'waiting': return { transport, state: 'waiting', reason: state.reason };
      case 'refused':
        return { transport, state: 'refused', reason: state.message, code: state.code };
      case 'asking':
      case 'connecting':
      case 'greeting': return { transport, state: 'connecting' };
    }
  }

  /** When `tick` has something to do; undefined: never. */
  get deadlineMs(): number | undefined {
    const state = this.#state;
    switch (state.kind) {
      case 'offline': return undefined;
      case 'waiting':
      case 'refused': return state.untilMs;
      case 'asking':
      case 'connecting':
      case 'greeting': return state.deadlineMs;
      case 'live': return this.#answerByMs ?? this.#heardMs + limits.pingIntervalMs;
    }
  }

  /**
   * Connects now, unless an attempt is under way: at the start, at `goOnline`, at a hint that the network changed. A
   * link that looks alive must prove it soon: after a sleep it is often dead without knowing.
   */
  hurry(now: number): void {
    const { kind } = this.#state;
    if (kind === 'live') {
      if (this.#answerByMs === undefined) this.#ping(now + limits.probeMs);
      return;
    }
    if (kind !== 'offline' && kind !== 'waiting' && kind !== 'refused') return;
    this.#backoff.succeeded();
    this.#renewed = false;
    this.#attempt(now);
  }

  goOffline(): void {
    this.#drop('offline');
    this.#become({ kind: 'offline' });
  }

  /** The link has ended, or ends because of something seen on it; a new attempt follows after a pause. */
  cut(reason: string, now: number): void {
    if (this.link === undefined) return;
    this.#lost(reason, now);
  }

  /** Tells the other side what is wrong with what it said, and leaves; a new attempt follows after a pause. */
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
    if (this.#state.kind === 'asking' && this.#state.ask === ask) this.#connect(token, now);
  }

  tokenFailed(ask: Token, error: OxbowError, now: number): void {
    if (this.#state.kind !== 'asking' || this.#state.ask !== ask) return;
    this.#config.out.report(error);
    this.#lost(error.message, now);
  }

  linkOpened(now: number): void {
    if (this.#state.kind !== 'connecting') return;
    const { link, token } = this.#state;
    const { app, replica } = this.#config;
    this.#become({ kind: 'greeting', link, deadlineMs: now + limits.helloTimeoutMs });
    this.send({
      kind: 'hello', versions: protocolVersions, app: app.name, appVersion: app.version, replica,
      ...(token === undefined ? {} : { token }),
    });
  }

  /** Something was heard. Answers what concerns the link alone; true: the message is for the spaces. */
  onMessage(message: Message, now: number): boolean {
    this.#heardMs = now;
    this.#answerByMs = undefined;
    switch (message.kind) {
      case 'ping':
        this.send({ kind: 'pong' });
        return false;
      case 'pong': return false;
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
    const { deadlineMs } = this;
    if (deadlineMs === undefined || now < deadlineMs) return;
    switch (this.#state.kind) {
      case 'waiting':
      case 'refused': return this.#attempt(now);
      case 'asking': return this.#lost('the token function did not answer in time', now);
      case 'connecting': return this.#lost('no connection in time', now);
      case 'greeting': return this.#lost('no welcome in time', now);
      case 'live': return this.#heartbeat(now);
      case 'offline': return;
    }
  }

  #heartbeat(now: number): void {
    if (this.#answerByMs !== undefined) this.#lost('no answer to a ping', now);
    else this.#ping(now + limits.pongTimeoutMs);
  }

  #ping(answerByMs: number): void {
    this.#answerByMs = answerByMs;
    this.send({ kind: 'ping' });
  }

  #attempt(now: number): void {
    const { hasToken, nextNumber, out, transport } = this.#config;
    if (!hasToken) return this.#connect(undefined, now);
    const ask = nextNumber();
    this.#become({ kind: 'asking', ask, deadlineMs: now + limits.tokenTimeoutMs });
    out.askToken(transport, ask);
  }

  #connect(token: string | undefined, now: number): void {
    const link = this.#config.nextNumber();
    this.#become({ kind: 'connecting', link, token, deadlineMs: now + limits.connectTimeoutMs });
    this.#config.out.connect(this.#config.transport, link);
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
    this.#become({ kind: 'live', link, sinceMs: now });
    this.#config.owner.onLive(this, link, welcome);
  }

  #isForSpaces(message: Message, now: number): boolean {
    if (this.isLive) return true;
    this.refuse(unexpected(`'${message.kind}' before the welcome.`), now);
    return false;
  }

  #onFail(fail: Fail, now: number): void {
    const { code, message } = fail;
    const remedy = remedyFor(code);
    if (remedy === 'new-token' && this.#config.hasToken && !this.#wasRenewed(now)) {
      this.#drop(code);
      this.#renewed = true;
      this.#attempt(now);
    } else if (remedy === 'wait') {
      this.#lost(`${code}: ${message}`, now, fail.retryMs);
    } else {
      this.#drop(code);
      const pauseMs = Math.max(fail.retryMs ?? 0, limits.refusedRetryMs);
      this.#become({ kind: 'refused', untilMs: now + this.#jittered(pauseMs), code, message });
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

  #lost(reason: string, now: number, pauseMs = 0): void {
    if (this.#wasHealthy(now)) {
      this.#backoff.succeeded();
      this.#renewed = false;
    }
    this.#drop(reason);
    const waitMs = Math.max(this.#backoff.nextMs(), this.#jittered(pauseMs));
    this.#become({ kind: 'waiting', untilMs: now + waitMs, reason });
  }

  #become(state: State): void {
    this.#state = state;
    this.#config.owner.onHealth();
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

const unexpected = (problem: string): OxbowError =>
  new OxbowError('unexpected-message', `${problem} The link is cut and tried again; update the other side.`);
