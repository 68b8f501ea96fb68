/**
 * Takes the state of another node, for one whose log is gone everywhere, or whose own state is
 * damaged. Chunks are written beside the present state; only when all of them are there and the
 * digest is right does it take its place. A cut is survived: the fetch goes on behind what is
 * written, if the other side still holds the picture, else anew.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { crc32 } from '../log/crc32.js';
import type { TransferLimits } from './limits.js';
import type { RefusalCode, StateMessage } from './state-message.js';

export interface FetchEffects {
  /** At once, in order; lost at a cut. */
  send(to: string, message: StateMessage): void;
  /** `StateStore.importState`. Answer: `importing` with the tag. */
  openImport(tag: number, head: { readonly slot: number; readonly base: string }): void;
  /** One at a time. Answer: `written`. */
  writeImport(tag: number, bytes: Uint8Array): void;
  /** Answer: `finished`. */
  finishImport(tag: number, digest: string): void;
  /** No answer is awaited. */
  abortImport(tag: number): void;
  /**
   * The end of a fetch: the state stands where `base` says; undefined: not from there, or not now.
   */
  fetched(from: string, base: string | undefined, why: FetchEnd): void;
  log(level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>): void;
}

/** `replaced`, or why not. */
export type FetchEnd =
  | 'replaced' | 'cancelled' | 'no-link' | 'too-often' | 'damaged-chunk' | 'store'
  | Exclude<RefusalCode, 'busy'>;

interface Queued {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly next: Uint8Array | undefined;
}

interface Import {
  readonly tag: number;
  readonly picture: string;
  readonly slot: number;
  readonly base: string;
  isOpen: boolean;
  /** Given to the store. */
  cursor: Uint8Array | undefined;
  isWhole: boolean;
  writing: Queued | undefined;
  bytes: number;
}

interface Fetch {
  readonly from: string;
  readonly atLeast: number;
  number: number;
  retries: number;
  /** - `asking`: no head yet; - `waiting`: for the link, or for the other side to have time. */
  phase: 'asking' | 'taking' | 'waiting' | 'finishing';
  isLinked: boolean;
  /** When a wait is over, or silence is a cut. */
  dueAt: number;
  saidAt: number;
  queue: Queued[];
  /** Of this attempt. */
  arrived: number;
  written: number;
  digest: string | undefined;
}

export interface FetchConfig {
  readonly cluster: string;
  readonly limits: TransferLimits;
}

/** All is written and only the digest is missing: no key lies behind this one. */
const BEHIND_ALL = Uint8Array.of(255);

export class StateFetch {
  readonly #config: FetchConfig;
  readonly #effects: FetchEffects;
  #fetch: Fetch | undefined;
  #import: Import | undefined;
  #lastNumber = 0;
  #now = 0;

  constructor(config: FetchConfig, effects: FetchEffects) {
    this.#config = config;
    this.#effects = effects;
  }

  /** For who watches. */
  get progress(): { readonly from: string; readonly bytes: number } | undefined {
    if (this.#fetch === undefined) return undefined;
    return { from: this.#fetch.from, bytes: this.#import?.bytes ?? 0 };
  }

  /**
   * A state of slot `atLeast` or later is wanted from `from`. Answer: `fetched`. Asked twice for
   * the same it goes on; for another, the former is cancelled.
   */
  start(from: string, atLeast: number, now: number): void {
    this.#now = now;
    const former = this.#fetch;
    if (former?.from === from && former.atLeast === atLeast) return;
    if (former?.phase === 'finishing') return;
    if (former !== undefined) this.#end('cancelled');
    this.#fetch = {
      from, atLeast, number: 0, retries: 0, phase: 'asking', isLinked: true,
      dueAt: 0, saidAt: now, queue: [], arrived: 0, written: 0, digest: undefined,
    };
    this.#ask(this.#fetch);
  }

  cancel(now: number): void {
    this.#now = now;
    if (this.#fetch !== undefined && this.#fetch.phase !== 'finishing') this.#end('cancelled');
  }

  received(from: string, message: StateMessage, now: number): void {
    this.#now = now;
    const fetch = this.#fetch;
    if (fetch === undefined || fetch.from !== from || fetch.number !== message.fetch) return;
    if (fetch.phase === 'waiting' || fetch.phase === 'finishing') return;
    fetch.dueAt = now + this.#config.limits.silentMs;
    switch (message.kind) {
      case 'head': return this.#onHead(fetch, message);
      case 'chunk': return this.#onChunk(fetch, message);
      case 'digest':
        fetch.digest = message.hex;
        return this.#step(fetch);
      case 'refused': return this.#onRefused(fetch, message.code);
      case 'alive':
      case 'fetch':
      case 'written':
      case 'end': return;
    }
  }

  linked(name: string, now: number): void {
    this.#now = now;
    const fetch = this.#fetch;
    if (fetch?.from !== name) return;
    fetch.isLinked = true;
    if (fetch.phase === 'waiting') this.#ask(fetch);
  }

  cut(name: string, now: number): void {
    this.#now = now;
    const fetch = this.#fetch;
    if (fetch?.from !== name) return;
    fetch.isLinked = false;
    if (fetch.phase !== 'finishing') this.#wait(fetch, this.#config.limits.resumeMs);
  }

  /** Answer to `openImport`. */
  importing(tag: number, error: Error | undefined, now: number): void {
    this.#now = now;
    const [fetch, taking] = [this.#fetch, this.#import];
    if (fetch === undefined || taking?.tag !== tag) {
      if (error === undefined) this.#effects.abortImport(tag);
      return;
    }
    if (error !== undefined) return this.#endByStore(error);
    taking.isOpen = true;
    this.#step(fetch);
  }

  /** Answer to `writeImport`. */
  written(tag: number, error: Error | undefined, now: number): void {
    this.#now = now;
    const [fetch, taking] = [this.#fetch, this.#import];
    if (fetch === undefined || taking?.tag !== tag || taking.writing === undefined) return;
    const { number, bytes, next } = taking.writing;
    taking.writing = undefined;
    if (error !== undefined) {
      if (!(error instanceof OxbowError && error.code === 'bad-snapshot')) return this.#endByStore(error);
      // The store took nothing of it: the same records are asked for again.
      return this.#again(fetch, 'damaged-chunk');
    }
    taking.bytes += bytes.length;
    taking.cursor = next;
    taking.isWhole = next === undefined;
    // Of an attempt that was cut meanwhile nobody waits for a word.
    if (fetch.phase !== 'taking') return;
    fetch.written = number;
    this.#say(fetch, { kind: 'written', fetch: fetch.number, upTo: number });
    this.#step(fetch);
  }

  /** Answer to `finishImport`. */
  finished(tag: number, error: Error | undefined, now: number): void {
    this.#now = now;
    const taking = this.#import;
    if (taking?.tag !== tag || this.#fetch === undefined) return;
    if (error !== undefined) return this.#endByStore(error);
    this.#import = undefined;
    this.#effects.log('info', 'state-replaced', { from: this.#fetch.from, slot: taking.slot, bytes: taking.bytes });
    this.#end('replaced', taking.base);
  }

  tick(now: number): void {
    this.#now = now;
    const fetch = this.#fetch;
    if (fetch === undefined || fetch.phase === 'finishing') return;
    if (now < fetch.dueAt) {
      const isQuiet = now - fetch.saidAt >= this.#config.limits.aliveMs;
      // A slow disk is no silence.
      if (fetch.phase === 'taking' && isQuiet) {
        this.#say(fetch, { kind: 'written', fetch: fetch.number, upTo: fetch.written });
      }
      return;
    }
    if (fetch.phase !== 'waiting') this.#again(fetch, 'too-often');
    else if (fetch.isLinked) this.#ask(fetch);
    else this.#end('no-link');
  }

  #ask(fetch: Fetch): void {
    const taking = this.#import;
    // The write under way decides where to go on.
    if (taking?.writing !== undefined) return this.#wait(fetch, this.#config.limits.retryMs);
    const cursor = taking?.isWhole === true ? BEHIND_ALL : taking?.cursor;
    const resume = taking === undefined || cursor === undefined
      ? undefined : { picture: taking.picture, cursor };
    fetch.number = ++this.#lastNumber;
    fetch.phase = 'asking';
    fetch.dueAt = this.#now + this.#config.limits.silentMs;
    fetch.queue = [];
    fetch.arrived = 0;
    fetch.written = 0;
    fetch.digest = undefined;
    this.#say(fetch, {
      kind: 'fetch', fetch: fetch.number, cluster: this.#config.cluster,
      atLeast: fetch.atLeast, resume,
    });
  }

  #onHead(fetch: Fetch, head: StateMessage & { kind: 'head' }): void {
    if (fetch.phase !== 'asking') return;
    if (head.slot < fetch.atLeast) return this.#end('outdated');
    fetch.phase = 'taking';
    const taking = this.#import;
    if (head.isResumed && taking !== undefined && taking.picture === head.picture) return;
    if (head.isResumed) return this.#again(fetch, 'too-often');
    this.#abort();
    this.#import = {
      tag: fetch.number, picture: head.picture, slot: head.slot, base: head.base,
      isOpen: false, cursor: undefined, isWhole: false, writing: undefined, bytes: 0,
    };
    this.#effects.openImport(fetch.number, { slot: head.slot, base: head.base });
  }

  #onChunk(fetch: Fetch, chunk: StateMessage & { kind: 'chunk' }): void {
    if (fetch.phase !== 'taking') return;
    const { number, bytes, checksum, next } = chunk;
    const isTooMuch = fetch.queue.length >= this.#config.limits.chunksInFlightMax;
    if (number !== fetch.arrived + 1 || isTooMuch) return this.#again(fetch, 'too-often');
    if (crc32(bytes) !== checksum) {
      this.#effects.log('warn', 'state-chunk-damaged', { from: fetch.from, number });
      return this.#again(fetch, 'damaged-chunk');
    }
    fetch.arrived = number;
    fetch.queue.push({ number, bytes, next });
    this.#step(fetch);
  }

  #onRefused(fetch: Fetch, code: RefusalCode): void {
    this.#effects.log('warn', 'state-refused', { from: fetch.from, code });
    if (code !== 'busy') return this.#end(code);
    fetch.retries += 1;
    if (fetch.retries > this.#config.limits.retriesMax) return this.#end('too-often');
    this.#wait(fetch, this.#config.limits.retryMs);
  }

  /** Whatever can be done next with what has arrived. */
  #step(fetch: Fetch): void {
    const taking = this.#import;
    if (taking === undefined || !taking.isOpen || taking.writing !== undefined) return;
    if (fetch.phase !== 'taking') return;
    const next = fetch.queue.shift();
    if (next !== undefined) {
      taking.writing = next;
      this.#effects.writeImport(taking.tag, next.bytes);
    } else if (taking.isWhole && fetch.digest !== undefined) {
      fetch.phase = 'finishing';
      this.#effects.finishImport(taking.tag, fetch.digest);
    }
  }

  /** Behind what is written, under a new number, as often as is sensible. */
  #again(fetch: Fetch, why: FetchEnd): void {
    fetch.retries += 1;
    if (fetch.retries > this.#config.limits.retriesMax) return this.#end(why);
    // A write under way ends first: the cursor is behind it.
    this.#wait(fetch, this.#config.limits.retryMs);
  }

  #wait(fetch: Fetch, waitMs: number): void {
    fetch.phase = 'waiting';
    fetch.queue = [];
    fetch.dueAt = this.#now + waitMs;
  }

  #endByStore(error: Error): void {
    this.#effects.log('error', 'state-not-taken', { error });
    this.#end('store');
  }

  #end(why: FetchEnd, base?: string): void {
    const fetch = this.#fetch;
    if (fetch === undefined) return;
    this.#abort();
    this.#fetch = undefined;
    if (fetch.isLinked) this.#effects.send(fetch.from, { kind: 'end', fetch: fetch.number });
    this.#effects.fetched(fetch.from, base, why);
  }

  #abort(): void {
    if (this.#import !== undefined) this.#effects.abortImport(this.#import.tag);
    this.#import = undefined;
  }

  #say(fetch: Fetch, message: StateMessage): void {
    fetch.saidAt = this.#now;
    if (fetch.isLinked) this.#effects.send(fetch.from, message);
  }
}
