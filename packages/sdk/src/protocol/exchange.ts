/**
 * Anti-entropy for one space on one link, both directions, the same machine on either end and for
 * any pair: client and server, two peers, two tabs. A sending half and a receiving half that do not
 * wait for each other: a blocked upload never holds up a download, nor the reverse. Petersen et
 * al., SOSP'97 §3.
 */
import { ExchangeReceiver, type Wants } from './exchange-receiver.js';
import { ExchangeSender } from './exchange-sender.js';
import type { Holder } from './holder.js';
import type { ReplicaId, SpaceId } from './ids.js';
import type { Fail, SpaceMessage } from './message.js';
import { PageStaging } from './page-staging.js';

export interface ExchangeConfig {
  readonly space: SpaceId;
  readonly holder: Holder;
  /**
   * `all`: commits and tentative updates (a replica). `updates`: tentative updates only, commits
   * are made here (a primary). `nothing`: only sends. Who does not want commits is the authority on
   * the space's history.
   */
  readonly wants: Wants;
  /**
   * Our own replica id, and that of the replica behind the link; undefined for who is none (a
   * server).
   */
  readonly self?: ReplicaId | undefined;
  readonly peer?: ReplicaId | undefined;
  /**
   * Shared by the exchanges of one space over time, so that a cut transfer goes on where it was.
   */
  readonly staging?: PageStaging | undefined;
  /** Sends now; returns the chars of the frame. */
  out(message: SpaceMessage): number;
  /** There may be something to pump: enlist the exchange, do not pump within the call. */
  ready?(): void;
  /**
   * The peer refused what we send or, without `sendingOnly`, the space. Nothing more is sent until
   * it asks again, which it does when we do (`start`).
   */
  failed?(fail: Fail): void;
  /** We refused what the peer sends, and told it. It sends no more until we ask again (`start`). */
  refused?(fail: Fail): void;
}

export class Exchange {
  readonly space: SpaceId;
  readonly #config: ExchangeConfig;
  readonly #sender: ExchangeSender;
  readonly #receiver: ExchangeReceiver;
  #isStopped = false;

  constructor(config: ExchangeConfig) {
    const { space, holder, wants, self, peer } = config;
    const out = (message: SpaceMessage): number => config.out(message);
    this.space = space;
    this.#config = config;
    this.#sender = new ExchangeSender({
      space, holder, self, peer, out, isAuthority: wants !== 'all',
    });
    this.#receiver = new ExchangeReceiver({
      space, holder, wants, peer, staging: config.staging ?? new PageStaging(),
      out: (message) => {
        const chars = out(message);
        if (message.kind === 'fail') config.refused?.(message);
        return chars;
      },
    });
  }

  /** Rows that have come of a base under way; undefined while none is. */
  get arriving(): number | undefined {
    return this.#receiver.arriving;
  }

  /** Asks the peer for what we lack; again after a refusal. */
  start(): void {
    if (!this.#isStopped) this.#receiver.ask();
  }

  /** `chars`: size of its frame. */
  onMessage(message: SpaceMessage, chars: number): void {
    if (this.#isStopped) return;
    switch (message.kind) {
      case 'open':
        // Before anything is sent: a holder that sees a clone by it withholds its own updates.
        if (message.newest !== undefined) this.#config.holder.learned?.(message);
        this.#sender.onOpen(message);
        this.#receiver.maybeAskAgain();
        return this.#config.ready?.();
      case 'have':
        this.#sender.onHave(message);
        this.#sender.changed();
        return this.#config.ready?.();
      case 'held':
        return this.#sender.onHeld(message);
      case 'updates':
        if (this.#receiver.onUpdates(message)) this.#sender.peerSent(message.updates);
        return this.#config.ready?.();
      case 'leave':
        return this.#end();
      case 'fail':
        this.#sender.stop();
        if (message.sendingOnly !== true) this.#receiver.stop();
        return this.#config.failed?.(message);
      default:
        return this.#receive(message, chars);
    }
  }

  /**
   * Sends about so many chars at most; returns how many. 0: nothing to send until something
   * changes.
   */
  pump(budgetChars: number): number {
    return this.#isStopped ? 0 : this.#sender.pump(budgetChars);
  }

  /** The holder has news: own updates that may go out, updates and commits from elsewhere. */
  changed(): void {
    if (this.#isStopped) return;
    this.#receiver.changed();
    this.#sender.changed();
    this.#config.ready?.();
  }

  /** To be called about every `limits.pingIntervalMs`: repeats what may have been lost. */
  beat(): void {
    if (this.#isStopped) return;
    this.#receiver.beat();
    this.#sender.beat();
  }

  /** Leaves the space on this link. What still comes of it is dropped. */
  stop(): void {
    if (this.#isStopped) return;
    this.#config.out({ kind: 'leave', space: this.space });
    this.#end();
  }

  #receive(message: ReceiverMessage, chars: number): void {
    switch (message.kind) {
      case 'opened':
        return this.#receiver.onOpened(message);
      case 'commits':
        return this.#receiver.onCommits(message);
      case 'transfer':
        return this.#receiver.onTransfer(message);
      case 'page':
        return this.#receiver.onPage(message, chars);
      case 'transferred':
        return this.#receiver.onTransferred(message);
    }
  }

  #end(): void {
    this.#isStopped = true;
    this.#sender.stop();
    this.#receiver.stop();
  }
}

type ReceiverMessage = Extract<
  SpaceMessage, { readonly kind: 'opened' | 'commits' | 'transfer' | 'page' | 'transferred' }
>;
