/**
 * Gives this node's state to others that are too far behind for the log. A picture is frozen once
 * and serves all who ask while it is new enough; it is held for a while after the last reader went,
 * so that a fetch that was cut can go on. What is sent and not written by the other side is
 * bounded: a slow disk there costs nothing here.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { crc32 } from '../log/crc32.js';
import type { TransferLimits } from './limits.js';
import type { RefusalCode, StateMessage } from './state-message.js';
import type { StateChunk, StateHead } from './state-transfer.js';

export interface OfferEffects {
  /** At once, in order; lost at a cut. */
  send(to: string, message: StateMessage): void;
  /** `StateStore.exportState`. Answer: `opened` with the tag. */
  openPicture(tag: number): void;
  /** Answer: `chunkRead` with the tag of the read. */
  readPicture(picture: number, read: PictureRead): void;
  /** Answer: `digested`. */
  digestPicture(picture: number): void;
  closePicture(picture: number): void;
  /** The own state cannot be read: it must be replaced. */
  damaged(error: OxbowError): void;
  log(level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface PictureRead {
  readonly tag: number;
  readonly cursor: Uint8Array | undefined;
  readonly bytesMax: number;
}

export interface OfferedHead extends StateHead {
  /** The log's `Base` of the slot, as text. */
  readonly base: string;
}

interface Picture {
  readonly tag: number;
  /** Undefined: it is being opened. */
  head: OfferedHead | undefined;
  digest: string | undefined;
  /** When it is let go, unless somebody reads it. */
  holdUntil: number;
}

interface Reader {
  readonly to: string;
  readonly fetch: number;
  readonly atLeast: number;
  readonly picture: Picture;
  cursor: Uint8Array | undefined;
  // written ≤ sent
  sent: number;
  written: number;
  readTag: number | undefined;
  isAtEnd: boolean;
  isDigestSent: boolean;
  heardAt: number;
  saidAt: number;
}

export interface OfferConfig {
  readonly cluster: string;
  /** Differs at every start: pictures of an earlier run are not mistaken for this one's. */
  readonly incarnation: string;
  readonly limits: TransferLimits;
}

export class StateOffer {
  readonly #config: OfferConfig;
  readonly #effects: OfferEffects;
  readonly #readers = new Map<string, Reader>();
  #pictures: Picture[] = [];
  #lastTag = 0;
  #now = 0;

  constructor(config: OfferConfig, effects: OfferEffects) {
    this.#config = config;
    this.#effects = effects;
  }

  /** Somebody reads, or a picture is held. */
  get isBusy(): boolean {
    return this.#pictures.length > 0;
  }

  received(from: string, message: StateMessage, now: number): void {
    this.#now = now;
    if (message.kind === 'fetch') return this.#onFetch(from, message);
    const reader = this.#readers.get(from);
    if (reader === undefined || reader.fetch !== message.fetch) return;
    reader.heardAt = now;
    if (message.kind === 'written') this.#onWritten(reader, message.upTo);
    else if (message.kind === 'end') this.#drop(reader);
  }

  cut(from: string, now: number): void {
    this.#now = now;
    const reader = this.#readers.get(from);
    if (reader !== undefined) this.#drop(reader);
  }

  /** Answer to `openPicture`; `head` undefined: the store can't, for the reason `error`. */
  opened(tag: number, head: OfferedHead | undefined, error: Error | undefined, now: number): void {
    this.#now = now;
    const picture = this.#pictures.find((other) => other.tag === tag);
    if (picture === undefined) {
      if (head !== undefined) this.#effects.closePicture(tag);
      return;
    }
    if (head === undefined) return this.#fail(picture, error);
    picture.head = head;
    picture.holdUntil = now + this.#config.limits.holdMs;
    this.#effects.digestPicture(tag);
    for (const reader of this.#readersOf(picture)) this.#begin(reader, head);
  }

  /** Answer to `readPicture`. */
  chunkRead(
    tag: number, chunk: StateChunk | undefined, error: Error | undefined, now: number,
  ): void {
    this.#now = now;
    const reader = [...this.#readers.values()].find((other) => other.readTag === tag);
    if (reader === undefined) return;
    reader.readTag = undefined;
    if (chunk === undefined) return this.#fail(reader.picture, error);
    reader.sent += 1;
    reader.cursor = chunk.next;
    reader.isAtEnd = chunk.next === undefined;
    this.#say(reader, {
      kind: 'chunk', fetch: reader.fetch, number: reader.sent,
      bytes: chunk.bytes, checksum: crc32(chunk.bytes), next: chunk.next,
    });
    this.#pump(reader);
  }

  digested(picture: number, hex: string | undefined, error: Error | undefined, now: number): void {
    this.#now = now;
    const found = this.#pictures.find(({ tag }) => tag === picture);
    if (found === undefined) return;
    if (hex === undefined) return this.#fail(found, error);
    found.digest = hex;
    for (const reader of this.#readersOf(found)) this.#pump(reader);
  }

  tick(now: number): void {
    this.#now = now;
    const { aliveMs, silentMs } = this.#config.limits;
    for (const reader of [...this.#readers.values()]) {
      if (now - reader.heardAt >= silentMs) {
        this.#effects.log('warn', 'state-reader-silent', { to: reader.to });
        this.#drop(reader);
      } else if (now - reader.saidAt >= aliveMs) {
        this.#say(reader, { kind: 'alive', fetch: reader.fetch });
      }
    }
    for (const picture of [...this.#pictures]) {
      const isIdle = this.#readersOf(picture).length === 0;
      if (isIdle && picture.head !== undefined && now >= picture.holdUntil) this.#close(picture);
    }
  }

  /** The state is replaced, or the node stops. */
  stop(): void {
    for (const picture of [...this.#pictures]) this.#close(picture);
    this.#readers.clear();
  }

  #onFetch(from: string, message: StateMessage & { kind: 'fetch' }): void {
    const former = this.#readers.get(from);
    if (former !== undefined) this.#drop(former);
    const { fetch, cluster, atLeast, resume } = message;
    const refuse = (code: RefusalCode): void =>
      this.#effects.send(from, { kind: 'refused', fetch, code });
    if (cluster !== this.#config.cluster) return refuse('other-cluster');
    if (this.#readers.size >= this.#config.limits.fetchersMax) return refuse('busy');
    const resumed = this.#pictures.find((picture) =>
      picture.head !== undefined && resume?.picture === this.#nameOf(picture));
    const picture = resumed ?? this.#pictureFor(atLeast);
    if (picture === undefined) return refuse('busy');
    const reader: Reader = {
      to: from, fetch, atLeast, picture,
      cursor: resumed === undefined ? undefined : resume?.cursor,
      sent: 0, written: 0, readTag: undefined, isAtEnd: false, isDigestSent: false,
      heardAt: this.#now, saidAt: this.#now,
    };
    this.#readers.set(from, reader);
    if (picture.head !== undefined) this.#begin(reader, picture.head);
  }

  /** One that is new enough, or a new one; undefined: two are held already. */
  #pictureFor(atLeast: number): Picture | undefined {
    const newest = this.#pictures.at(-1);
    const slot = newest?.head?.slot ?? Infinity;
    if (newest !== undefined && slot >= atLeast) return newest;
    const unread = this.#pictures.find((picture) => this.#readersOf(picture).length === 0);
    if (unread !== undefined) this.#close(unread);
    // Each one keeps the store from using pages again.
    if (this.#pictures.length >= PICTURES_MAX) return undefined;
    const picture: Picture = {
      tag: ++this.#lastTag, head: undefined, digest: undefined, holdUntil: Infinity,
    };
    this.#pictures.push(picture);
    this.#effects.openPicture(picture.tag);
    return picture;
  }

  #begin(reader: Reader, head: OfferedHead): void {
    if (head.slot < reader.atLeast) return this.#refuse(reader, 'outdated');
    this.#say(reader, {
      kind: 'head', fetch: reader.fetch, picture: this.#nameOf(reader.picture),
      slot: head.slot, base: head.base, bytes: head.bytes, isResumed: reader.cursor !== undefined,
    });
    this.#pump(reader);
  }

  #onWritten(reader: Reader, upTo: number): void {
    if (upTo > reader.sent || upTo < reader.written) return;
    reader.written = upTo;
    this.#pump(reader);
  }

  /** Reads on as far as the other side has room; the digest comes last. */
  #pump(reader: Reader): void {
    const { chunkBytes, chunksInFlightMax } = this.#config.limits;
    const { picture, fetch } = reader;
    if (reader.isAtEnd) {
      if (reader.isDigestSent || picture.digest === undefined) return;
      reader.isDigestSent = true;
      return this.#say(reader, { kind: 'digest', fetch, hex: picture.digest });
    }
    if (reader.readTag !== undefined || reader.sent - reader.written >= chunksInFlightMax) return;
    const tag = ++this.#lastTag;
    reader.readTag = tag;
    this.#effects.readPicture(picture.tag, { tag, cursor: reader.cursor, bytesMax: chunkBytes });
  }

  #say(reader: Reader, message: StateMessage): void {
    reader.saidAt = this.#now;
    this.#effects.send(reader.to, message);
  }

  #refuse(reader: Reader, code: RefusalCode): void {
    this.#say(reader, { kind: 'refused', fetch: reader.fetch, code });
    this.#drop(reader);
  }

  #drop(reader: Reader): void {
    this.#readers.delete(reader.to);
    reader.picture.holdUntil = this.#now + this.#config.limits.holdMs;
  }

  #fail(picture: Picture, error: Error | undefined): void {
    const isDamage = error instanceof OxbowError && error.code === 'store-damaged';
    const damage = isDamage ? error : undefined;
    this.#effects.log('error', 'state-offer-failed', { error });
    for (const reader of this.#readersOf(picture)) {
      this.#refuse(reader, damage === undefined ? 'failed' : 'damaged');
    }
    this.#close(picture);
    if (damage !== undefined) this.#effects.damaged(damage);
  }

  #close(picture: Picture): void {
    this.#pictures = this.#pictures.filter((other) => other !== picture);
    if (picture.head !== undefined) this.#effects.closePicture(picture.tag);
  }

  #readersOf(picture: Picture): Reader[] {
    return [...this.#readers.values()].filter((reader) => reader.picture === picture);
  }

  #nameOf({ tag }: Picture): string {
    return `${this.#config.incarnation}/${tag}`;
  }
}

const PICTURES_MAX = 2;
