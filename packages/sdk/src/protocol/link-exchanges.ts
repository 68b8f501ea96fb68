/**
 * All exchanges of one link after its greeting: hands each message to its space, lets spaces take
 * turns within the link's window, acknowledges. The same on the client, the server and between
 * peers; who may open what is decided by its owner. Hello, welcome, ping and pong are the owner's.
 */
import { encodeMessage } from './codec.js';
import { Exchange, type ExchangeConfig } from './exchange.js';
import type { SpaceId } from './ids.js';
import * as limits from './limits.js';
import { LinkFlow, type FlowTotals } from './link-flow.js';
import {
  isCounted, type Ack, type Fail, type Message, type Open, type SpaceMessage,
} from './message.js';

export interface LinkExchangesConfig {
  send(frame: string): void;
  /**
   * The peer opens a space that is not open here: answer with `open`, now or later, or with
   * `refuse`.
   */
  wanted(space: SpaceId): void;
  /** The peer refused something of a space; see `Fail`. */
  failed(fail: SpaceFail): void;
  /** We refused what the peer sends of a space; asked again by `restart`. */
  refused?(fail: SpaceFail): void;
  /** The peer left a space; its exchange is gone. */
  left(space: SpaceId): void;
  /** There is something to send: call `pump` before the turn ends. */
  pumpSoon(): void;
}

export type SpaceFail = Fail & { readonly space: SpaceId };
export type SpaceOffer = Pick<ExchangeConfig, 'holder' | 'wants' | 'self' | 'peer' | 'staging'>;

export class LinkExchanges {
  readonly #config: LinkExchangesConfig;
  readonly #flow = new LinkFlow();
  readonly #exchanges = new Map<SpaceId, Exchange>();
  /** What the peer asked for and the owner has not answered yet. */
  readonly #asked = new Map<SpaceId, Open>();
  /** In the order of their turns. */
  #ready = new Set<Exchange>();
  #nowMs = 0;

  constructor(config: LinkExchangesConfig) {
    this.#config = config;
  }

  get flow(): FlowTotals {
    return this.#flow.totals;
  }

  get spaces(): IterableIterator<SpaceId> {
    return this.#exchanges.keys();
  }

  has(space: SpaceId): boolean {
    return this.#exchanges.has(space);
  }

  /** Rows that have come of the space's base, while it is under way on this link. */
  arriving(space: SpaceId): number | undefined {
    return this.#exchanges.get(space)?.arriving;
  }

  /** Takes part in a space on this link. What the peer asked for before is answered. */
  open(space: SpaceId, offer: SpaceOffer): void {
    if (this.#exchanges.has(space)) return;
    const exchange: Exchange = new Exchange({
      ...offer,
      space,
      out: (message) => this.#send(message),
      ready: () => this.#enlist(exchange),
      failed: (fail) => this.#config.failed({ ...fail, space }),
      refused: (fail) => this.#config.refused?.({ ...fail, space }),
    });
    this.#exchanges.set(space, exchange);
    exchange.start();
    const asked = this.#asked.get(space);
    this.#asked.delete(space);
    if (asked !== undefined) exchange.onMessage(asked, 0);
  }

  /** Asks again, after a refusal. */
  restart(space: SpaceId): void {
    this.#exchanges.get(space)?.start();
  }

  /** Ends a space on this link and says so. */
  leave(space: SpaceId): void {
    const exchange = this.#exchanges.get(space);
    if (exchange === undefined) return;
    exchange.stop();
    this.#forget(exchange);
  }

  /** Ends a space on this link, or does not begin it, and says why. */
  refuse(space: SpaceId, code: string, message: string, retryMs?: number): void {
    const exchange = this.#exchanges.get(space);
    if (exchange !== undefined) this.#forget(exchange);
    this.#asked.delete(space);
    const fail: SpaceFail = { kind: 'fail', space, code, message };
    this.#send(retryMs === undefined ? fail : { ...fail, retryMs });
  }

  /** The holder of a space has news. */
  changed(space: SpaceId): void {
    this.#exchanges.get(space)?.changed();
  }

  /** One decoded frame of a space, or an ack. `chars`: the size of the frame. */
  onMessage(message: SpaceMessage | Ack, chars: number, nowMs: number): void {
    this.#nowMs = nowMs;
    if (message.kind === 'ack') {
      this.#flow.onAck(message, nowMs);
      if (this.#ready.size > 0) this.#config.pumpSoon();
      return;
    }
    const ack = isCounted(message.kind) ? this.#flow.onReceived(chars, nowMs) : undefined;
    if (ack !== undefined) this.#send(ack);
    const exchange = this.#exchanges.get(message.space);
    if (exchange !== undefined) this.#toExchange(exchange, message, chars);
    else this.#toNobody(message);
  }

  /** Sends what the window has room for, spaces taking turns. */
  pump(nowMs: number): void {
    this.#nowMs = nowMs;
    // Rounds, each with a set of its own: the tables of one that is filled and emptied for every
    // message hang together, and all of them outlive what they were for.
    while (this.#ready.size > 0 && this.#flow.roomChars > 0) {
      const round = this.#ready;
      this.#ready = new Set();
      for (const exchange of round) {
        const roomChars = Math.min(this.#flow.roomChars, limits.turnChars);
        const isOpen = this.#exchanges.get(exchange.space) === exchange;
        if (isOpen && (roomChars === 0 || exchange.pump(roomChars) > 0)) this.#ready.add(exchange);
      }
    }
  }

  /** At `wakeAtMs` or later. `stalled`: cut the link, the other side no longer reads. */
  tick(nowMs: number): 'ok' | 'stalled' {
    this.#nowMs = nowMs;
    const ack = this.#flow.dueAck(nowMs);
    if (ack !== undefined) this.#send(ack);
    return this.#flow.stalledSince(nowMs) === undefined ? 'ok' : 'stalled';
  }

  /** When `tick` is due; undefined: no need. */
  get wakeAtMs(): number | undefined {
    return this.#flow.wakeAtMs;
  }

  /** About every `limits.pingIntervalMs`: repeats what may have been lost. */
  beat(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const exchange of this.#exchanges.values()) exchange.beat();
  }

  #toExchange(exchange: Exchange, message: SpaceMessage, chars: number): void {
    exchange.onMessage(message, chars);
    if (message.kind !== 'leave') return;
    this.#forget(exchange);
    this.#config.left(message.space);
  }

  #toNobody(message: SpaceMessage): void {
    switch (message.kind) {
      case 'open':
        return this.#ask(message);
      case 'leave':
        this.#asked.delete(message.space);
        return;
      case 'fail':
        return this.#config.failed(message);
      default:
        // Late frames of a space that was left.
        return;
    }
  }

  #ask(open: Open): void {
    const { space } = open;
    const isKnown = this.#asked.has(space);
    if (!isKnown && this.#asked.size + this.#exchanges.size >= limits.spacesPerLinkMax) {
      const max = limits.spacesPerLinkMax;
      const message = `Cannot open '${space}': this link has ${max} spaces. Leave one.`;
      return this.refuse(space, 'too-many-spaces', message);
    }
    this.#asked.set(space, open);
    if (!isKnown) this.#config.wanted(space);
  }

  #enlist(exchange: Exchange): void {
    if (this.#exchanges.get(exchange.space) !== exchange) return;
    this.#ready.add(exchange);
    this.#config.pumpSoon();
  }

  #forget(exchange: Exchange): void {
    this.#exchanges.delete(exchange.space);
    this.#ready.delete(exchange);
  }

  #send(message: Message): number {
    const frame = encodeMessage(message);
    if (isCounted(message.kind)) this.#flow.onSent(frame.length, this.#nowMs);
    this.#config.send(frame);
    return frame.length;
  }
}
