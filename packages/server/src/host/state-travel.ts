/**
 * Ties the machines that offer and fetch a state to the store and to the bulk links of one node.
 * Every answer is an input of its own; nothing here decides.
 */
import type { OxbowError } from '@oxbow/sdk/protocol';
import type { Logger } from '../drivers/log.js';
import { transferLimits, type TransferLimits } from '../space/limits.js';
import { StateFetch, type FetchEnd } from '../space/state-fetch.js';
import {
  decodeStateMessage, encodeStateMessage, isBadMessage, type StateMessage,
} from '../space/state-message.js';
import { StateOffer } from '../space/state-offer.js';
import type { StateStore } from '../space/state-store.js';
import type { StateExport, StateImport } from '../space/state-transfer.js';

export interface StateTravelParts {
  readonly store: StateStore;
  readonly cluster: string;
  /** Differs at every start of the node. */
  readonly incarnation: string;
  /** Time that only grows, ms. */
  readonly now: () => number;
  readonly logger: Logger;
  readonly limits?: TransferLimits;
  /**
   * The log's `Base` of a slot at which the state stands on disk, as text; undefined: it cannot
   * tell.
   */
  baseAt(slot: number): string | undefined;
  /** Told again and again while a state that stands at `slot` travels: the log after it is kept. */
  hold(slot: number): void;
  /** On the bulk channel to a node. */
  send(to: string, frame: Uint8Array): void;
}

export interface StateTravelEvents {
  /**
   * The end of a fetch: the state stands where `base` says; undefined: it is as it was. `cancelled`
   * is told of a fetch that another took the place of, and needs no answer.
   */
  fetched(from: string, base: string | undefined, why: FetchEnd): void;
  /** The own state cannot be read: fetch another. */
  damaged(error: OxbowError): void;
}

export class StateTravel {
  readonly #parts: StateTravelParts;
  readonly #events: StateTravelEvents;
  readonly #offer: StateOffer;
  readonly #fetch: StateFetch;
  readonly #pictures = new Map<number, StateExport>();
  readonly #imports = new Map<number, StateImport>();
  #isStopped = false;

  constructor(parts: StateTravelParts, events: StateTravelEvents) {
    this.#parts = parts;
    this.#events = events;
    const { cluster, incarnation, limits = transferLimits } = parts;
    this.#offer = new StateOffer({ cluster, incarnation, limits }, this.#offerEffects());
    this.#fetch = new StateFetch({ cluster, limits }, this.#fetchEffects());
  }

  get progress(): StateFetch['progress'] {
    return this.#fetch.progress;
  }

  /** A state of slot `atLeast` or later, from this node. Answer: `fetched`. */
  fetch(from: string, atLeast: number): void {
    this.#fetch.start(from, atLeast, this.#parts.now());
  }

  cancel(): void {
    this.#fetch.cancel(this.#parts.now());
  }

  /** Came on the bulk channel. */
  frame(from: string, bytes: Uint8Array): void {
    const message = this.#decode(from, bytes);
    if (message === undefined) return;
    switch (message.kind) {
      case 'fetch':
      case 'written':
      case 'end': return this.#offer.received(from, message, this.#parts.now());
      case 'head':
      case 'chunk':
      case 'digest':
      case 'alive':
      case 'refused': return this.#fetch.received(from, message, this.#parts.now());
    }
  }

  linked(name: string): void {
    this.#fetch.linked(name, this.#parts.now());
  }

  cut(name: string): void {
    this.#offer.cut(name, this.#parts.now());
    this.#fetch.cut(name, this.#parts.now());
  }

  /** At least once a second. */
  tick(): void {
    this.#offer.tick(this.#parts.now());
    for (const picture of this.#pictures.values()) this.#hold(picture);
    this.#fetch.tick(this.#parts.now());
  }

  /** Before the store is closed. */
  stop(): void {
    this.#fetch.cancel(this.#parts.now());
    this.#offer.stop();
    this.#isStopped = true;
  }

  #decode(from: string, bytes: Uint8Array): StateMessage | undefined {
    try {
      return decodeStateMessage(bytes);
    } catch (error) {
      if (!isBadMessage(error)) throw error;
      this.#parts.logger.log('warn', 'state-frame-unreadable', { from, error });
      return undefined;
    }
  }

  #offerEffects(): ConstructorParameters<typeof StateOffer>[1] {
    const { store, logger, now } = this.#parts;
    return {
      send: (to, message) => this.#send(to, message),
      openPicture: (tag) =>
        store.exportState((picture, error) => this.#opened(tag, picture, error)),
      readPicture: (picture, { tag, cursor, bytesMax }) =>
        this.#pictures.get(picture)?.read(cursor, bytesMax, (chunk, error) => {
          if (!this.#isStopped) this.#offer.chunkRead(tag, chunk, error, now());
        }),
      digestPicture: (picture) =>
        this.#pictures.get(picture)?.digest((hex, error) => {
          if (!this.#isStopped) this.#offer.digested(picture, hex, error, now());
        }),
      closePicture: (picture) => {
        this.#pictures.get(picture)?.close();
        this.#pictures.delete(picture);
      },
      damaged: (error) => this.#events.damaged(error),
      log: (level, event, fields) => logger.log(level, event, fields),
    };
  }

  #opened(tag: number, picture: StateExport | undefined, error: Error | undefined): void {
    if (this.#isStopped) {
      picture?.close();
      return;
    }
    const base = picture === undefined ? undefined : this.#parts.baseAt(picture.head.slot);
    if (picture === undefined || base === undefined) {
      picture?.close();
      this.#offer.opened(tag, undefined, error, this.#parts.now());
      return;
    }
    this.#pictures.set(tag, picture);
    this.#hold(picture);
    this.#offer.opened(tag, { ...picture.head, base }, undefined, this.#parts.now());
  }

  /** Whoever takes it will ask for what was chosen since. */
  #hold({ head: { slot } }: StateExport): void {
    this.#parts.hold(slot);
  }

  #fetchEffects(): ConstructorParameters<typeof StateFetch>[1] {
    const { store, logger, now, cluster } = this.#parts;
    return {
      send: (to, message) => this.#send(to, message),
      openImport: (tag, { slot, base }) =>
        store.importState({ slot, base, cluster }, (taking, error) => {
          if (taking !== undefined) this.#imports.set(tag, taking);
          if (this.#isStopped) this.#abort(tag);
          else this.#fetch.importing(tag, error, now());
        }),
      writeImport: (tag, bytes) =>
        this.#imports.get(tag)?.write(bytes, (error) => this.#fetch.written(tag, error, now())),
      finishImport: (tag, digest) =>
        this.#imports.get(tag)?.finish(digest, (error) => {
          this.#imports.delete(tag);
          this.#fetch.finished(tag, error, now());
        }),
      abortImport: (tag) => this.#abort(tag),
      fetched: (from, base, why) => this.#events.fetched(from, base, why),
      log: (level, event, fields) => logger.log(level, event, fields),
    };
  }

  #abort(tag: number): void {
    const taking = this.#imports.get(tag);
    this.#imports.delete(tag);
    taking?.abort(() => undefined);
  }

  #send(to: string, message: StateMessage): void {
    this.#parts.send(to, encodeStateMessage(message));
  }
}
