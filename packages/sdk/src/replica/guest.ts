/**
 * A link that another replica opened to us: the answering half of what session.ts begins. It waits
 * for `hello`, says `welcome`, answers pings, and leaves when nothing was heard for long. Whether
 * the guest is let in at all is decided before: this knows neither tokens nor rights.
 */
import {
  encodeMessage, negotiateVersion, OxbowError,
  type Fail, type Hello, type Message, type ReplicaId,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { LinkId, ReplicaEffects } from './effects.js';
import type { PeerLink } from './peer.js';

export interface GuestOwner {
  /** Greeted: spaces may be spoken of. */
  onLive(guest: Guest): void;
  /** The link is gone. */
  onGone(guest: Guest): void;
  readonly user: string | null;
}

export interface GuestConfig {
  readonly link: LinkId;
  readonly app: string;
  readonly now: number;
  readonly out: Pick<ReplicaEffects, 'send' | 'cut' | 'report'>;
  readonly owner: GuestOwner;
}

export class Guest implements PeerLink {
  readonly link: LinkId;
  readonly #config: GuestConfig;
  #hello: Hello | undefined;
  #version: number | undefined;
  #heardMs: number;
  #isGone = false;

  constructor(config: GuestConfig) {
    this.link = config.link;
    this.#config = config;
    this.#heardMs = config.now;
  }

  get isLive(): boolean {
    return this.#version !== undefined && !this.#isGone;
  }

  get version(): number | undefined {
    return this.#isGone ? undefined : this.#version;
  }

  get replica(): ReplicaId {
    if (this.#hello === undefined) throw new OxbowError('invariant', 'a guest has greeted');
    return this.#hello.replica;
  }

  get deadlineMs(): number {
    if (this.#isGone) return Infinity;
    return this.#heardMs + (this.isLive ? limits.guestSilentMs : limits.helloTimeoutMs);
  }

  send(message: Message): void {
    if (!this.#isGone) this.#config.out.send(this.link, encodeMessage(message));
  }

  cut(reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#config.out.cut(this.link, reason);
    this.#config.owner.onGone(this);
  }

  rest(reason: string): void {
    this.cut(reason);
  }

  /** The other side, or what lies between, has ended it. */
  closed(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#config.owner.onGone(this);
  }

  tick(now: number): void {
    if (now >= this.deadlineMs) this.cut('nothing was heard for long');
  }

  /** True: it is for the spaces. */
  onMessage(message: Message, now: number): boolean {
    this.#heardMs = now;
    switch (message.kind) {
      case 'hello':
        this.#onHello(message);
        return false;
      case 'ping':
        this.send({ kind: 'pong' });
        return false;
      case 'pong':
        return false;
      case 'welcome':
        this.refuse(new OxbowError('unexpected-message', 'A welcome from the one who greets.'));
        return false;
      case 'fail':
        if (message.space !== undefined) return this.isLive;
        this.cut(message.code);
        return false;
      default:
        if (!this.isLive) this.refuse(new OxbowError('unexpected-message', `'${message.kind}' before the greeting.`));
        return this.isLive;
    }
  }

  /** Says why, and ends the link. */
  refuse({ code, message }: OxbowError): void {
    const fail: Fail = { kind: 'fail', code, message: message.slice(0, limits.textCharsMax) };
    this.send(fail);
    this.cut(code);
  }

  #onHello(hello: Hello): void {
    if (this.#hello !== undefined) return;
    const { app, owner } = this.#config;
    if (hello.app !== app) {
      return this.refuse(new OxbowError('app-unknown', `This is a replica of '${app}', not of '${hello.app}'.`));
    }
    try {
      this.#version = negotiateVersion(hello.versions);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      return this.refuse(error);
    }
    this.#hello = hello;
    const { replica } = hello;
    this.send({ kind: 'welcome', version: this.#version, replica, user: owner.user });
    owner.onLive(this);
  }
}
