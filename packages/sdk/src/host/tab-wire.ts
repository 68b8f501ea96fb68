/**
 * Links between tabs over a channel on which each hears all others: envelopes with names on them.
 * Only plain data goes on it, and what another build of the app says and this one does not know is
 * passed over.
 */
import type { TabChannel } from '../drivers/tab-driver.js';
import type { LinkEvents } from '../drivers/transport.js';
import type { Profile } from '../replica/profile.js';
import type { TabWord } from '../replica/tab-word.js';

/** Raised when envelopes change so that older code would misread them: then tabs pass by. */
const WIRE_VERSION = 1;

type Message =
  /** Who leads? */
  | { readonly kind: 'seek' }
  | { readonly kind: 'lead'; readonly profile: Profile }
  | { readonly kind: 'rising' }
  | {
      readonly kind: 'connect'; readonly to: string; readonly link: number; readonly seat: number;
    }
  | { readonly kind: 'accept'; readonly to: string; readonly link: number }
  | {
      readonly kind: 'close'; readonly to: string; readonly link: number; readonly reason: string;
    }
  | { readonly kind: 'frame'; readonly to: string; readonly link: number; readonly text: string }
  | { readonly kind: 'word'; readonly to: string; readonly link: number; readonly word: TabWord };

type Envelope = Message & { readonly version: number; readonly from: string };

export interface WireEvents {
  /** Somebody asks who leads: answer with `lead` or `rising`, if it is us. */
  sought(): void;
  /** From the one who leads; `profile` undefined: it is about to. */
  heard(profile: Profile | undefined): void;
  /** Another tab wants a link: the way to it, or undefined if we do not lead. */
  connected(seat: number, far: FarEnd): NearEnd | undefined;
  /** On the link that we opened. */
  word(word: TabWord): void;
}

/** The other end of a link that another tab opened. */
export interface FarEnd {
  send(text: string): void;
  word(word: TabWord): void;
  close(reason: string): void;
}

/** Our end of it. */
export interface NearEnd {
  received(text: string): void;
  word(word: TabWord): void;
  closed(reason: string): void;
}

/** The link that we opened. */
interface Opened {
  readonly to: string;
  readonly link: number;
  readonly events: LinkEvents;
  isOpen: boolean;
}

export class TabWire {
  readonly #self: string;
  readonly #events: WireEvents;
  readonly #channel: TabChannel;
  readonly #soon: (task: () => void) => void;
  /** Of the one who leads. */
  #leader: string | undefined;
  #opened: Opened | undefined;
  #lastLink = 0;
  readonly #accepted = new Map<string, NearEnd>();

  constructor(config: {
    readonly self: string;
    readonly events: WireEvents;
    readonly soon: (task: () => void) => void;
    readonly channel: (received: (message: unknown) => void) => TabChannel;
  }) {
    this.#self = config.self;
    this.#events = config.events;
    this.#soon = config.soon;
    this.#channel = config.channel((message) => this.#received(message));
  }

  seek(): void {
    this.#post({ kind: 'seek' });
  }

  lead(profile: Profile): void {
    this.#leader = undefined;
    this.#post({ kind: 'lead', profile });
  }

  rising(): void {
    this.#post({ kind: 'rising' });
  }

  /** As a transport does: a link to the one who leads. */
  connect(seat: number, events: LinkEvents): () => void {
    const to = this.#leader;
    if (to === undefined) {
      let isAwaited = true;
      this.#soon(() => { if (isAwaited) events.closed('no tab leads at present'); });
      return () => { isAwaited = false; };
    }
    const link = ++this.#lastLink;
    const opened: Opened = { to, link, events, isOpen: false };
    this.#opened = opened;
    this.#post({ kind: 'connect', to, link, seat });
    return () => this.#abandon(opened);
  }

  /** On the link that we opened. */
  word(word: TabWord): void {
    if (this.#opened === undefined) return;
    const { to, link } = this.#opened;
    this.#post({ kind: 'word', to, link, word });
  }

  close(): void {
    if (this.#opened !== undefined) this.#abandon(this.#opened);
    this.#channel.close();
  }

  #abandon(opened: Opened): void {
    if (this.#opened !== opened) return;
    this.#opened = undefined;
    this.#post({ kind: 'close', to: opened.to, link: opened.link, reason: 'closed' });
  }

  #received(message: unknown): void {
    if (!isEnvelope(message) || message.from === this.#self) return;
    if ('to' in message && message.to !== this.#self) return;
    switch (message.kind) {
      case 'seek':
        return this.#events.sought();
      case 'rising':
        return this.#events.heard(undefined);
      case 'lead':
        return this.#onLead(message.from, message.profile);
      case 'connect':
        return this.#onConnect(message);
      case 'accept':
      case 'frame':
      case 'word':
      case 'close':
        return this.#onLink(message);
      default:
        return;
    }
  }

  #onLead(from: string, profile: Profile): void {
    const former = this.#opened;
    this.#leader = from;
    if (former !== undefined && former.to !== from) {
      this.#opened = undefined;
      former.events.closed('another tab leads');
    }
    this.#events.heard(profile);
  }

  #onConnect({ from, link, seat }: Extract<Envelope, { readonly kind: 'connect' }>): void {
    const key = `${from}/${link}`;
    const near = this.#events.connected(seat, {
      send: (text) => this.#post({ kind: 'frame', to: from, link, text }),
      word: (word) => this.#post({ kind: 'word', to: from, link, word }),
      close: (reason) => {
        if (this.#accepted.delete(key)) this.#post({ kind: 'close', to: from, link, reason });
      },
    });
    if (near === undefined) {
      return this.#post({ kind: 'close', to: from, link, reason: 'this tab does not lead' });
    }
    this.#accepted.set(key, near);
    this.#post({ kind: 'accept', to: from, link });
  }

  #onLink(message: Extract<Envelope, { readonly kind: 'accept' | 'frame' | 'word' | 'close' }>): void {
    const { from, link } = message;
    const opened = this.#opened;
    if (opened !== undefined && opened.to === from && opened.link === link) {
      this.#events.heard(undefined);
      return this.#onOpened(opened, message);
    }
    const near = this.#accepted.get(`${from}/${link}`);
    if (near === undefined) return;
    if (message.kind === 'frame') near.received(message.text);
    else if (message.kind === 'word') near.word(message.word);
    else if (message.kind === 'close') {
      this.#accepted.delete(`${from}/${link}`);
      near.closed(message.reason);
    }
  }

  #onOpened(
    opened: Opened,
    message: Extract<Envelope, { readonly kind: 'accept' | 'frame' | 'word' | 'close' }>,
  ): void {
    const { to, link, events } = opened;
    switch (message.kind) {
      case 'accept':
        if (opened.isOpen) return;
        opened.isOpen = true;
        return events.opened({
          send: (text) => {
            if (this.#opened === opened) this.#post({ kind: 'frame', to, link, text });
          },
          close: () => {
            if (this.#opened !== opened) return;
            this.#abandon(opened);
            this.#soon(() => events.closed('closed'));
          },
        });
      case 'frame':
        return events.received(message.text);
      case 'word':
        return this.#events.word(message.word);
      case 'close':
        this.#opened = undefined;
        return events.closed(message.reason);
    }
  }

  #post(message: Message): void {
    this.#channel.post({ ...message, version: WIRE_VERSION, from: this.#self });
  }
}

function isEnvelope(message: unknown): message is Envelope {
  if (typeof message !== 'object' || message === null) return false;
  return 'version' in message && message.version === WIRE_VERSION
    && 'from' in message && typeof message.from === 'string' && 'kind' in message;
}
