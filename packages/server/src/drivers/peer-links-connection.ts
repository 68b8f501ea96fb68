/**
 * One TCP or TLS connection to a node: greeting, then frames both ways, until it is cut. Frames of
 * one callback leave in one write: a leader that answers ten messages of one read would otherwise
 * pay for ten system calls and ten packets (TCP_NODELAY is on). Each side pings; silence cuts the
 * link, for a machine that lost its power sends no goodbye and TCP would wait for a quarter of an
 * hour.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { OxbowError } from '@oxbow/sdk/protocol';
import { frameHeader, frameKind, FrameReader } from './peer-links-frame.js';
import { Greeting, type Dial, type Greeter, type Problem, type Proven } from './peer-links-greeting.js';
import type { PeerLinkLimits } from './peer-links-limits.js';

export interface ConnectionEvents {
  /** Both know who the other is. */
  proven(connection: PeerConnection, peer: Proven): void;
  /** The other side, which decides, takes this connection as its `count`-th with us. */
  open(connection: PeerConnection, count: number): void;
  frame(connection: PeerConnection, bytes: Uint8Array): void;
  /** Once. Not told after `end`. */
  ended(connection: PeerConnection, problem: Problem): void;
}

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly greeter: Greeter;
  readonly dial: Dial | undefined;
  readonly limits: PeerLinkLimits;
  readonly events: ConnectionEvents;
}

/** Below this, copying frames into one buffer is cheaper than a vector of them. */
const COPIED_BYTES_MAX = 64 * 1024;

export class PeerConnection {
  readonly dial: Dial | undefined;
  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  readonly #greeting: Greeting;
  #peer: Proven | undefined;
  #isOver = false;
  #provenAt = 0;
  /** Frames of this turn: header, parts, header, … */
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Nothing was received since the last ping. */
  #isQuiet = true;
  #quietPeriods = 0;
  #roundTripMs: number | undefined;
  readonly #greetingTimer: NodeJS.Timeout;
  #pingTimer: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    const { socket, greeter, dial, limits } = options;
    this.dial = dial;
    this.#options = options;
    const take = (kind: number, payload: Buffer): void => this.#received(kind, payload);
    this.#reader = new FrameReader(limits.helloBytesMax, take);
    this.#greeting = new Greeting(greeter, dial, {
      send: (kind, payload) => this.#push(kind, payload),
      proven: (peer) => this.#proven(peer),
      failed: (problem) => this.#fail(problem),
    });
    this.#greetingTimer = setTimeout(() => this.#fail(GREETING_TIMEOUT), limits.greetingMs);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#arrived(chunk));
    // `close` follows every error; without a handler the process would end.
    socket.on('error', (error) => this.#fail(describe(error)));
    socket.on('close', () => this.#fail({ code: 'link-closed', message: 'The other side ended the link.' }));
  }

  /** The socket is connected (and TLS agreed on). */
  start(): void {
    this.#greeting.start();
  }

  get peer(): Proven | undefined {
    return this.#peer;
  }

  /** Since both knew who the other is. */
  get ageMs(): number {
    return performance.now() - this.#provenAt;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Something was heard in the present ping period or the one before. */
  get isLively(): boolean {
    return this.#quietPeriods <= 1;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#options.socket.writableLength;
  }

  /** It is in use: until then the time for greetings runs on. */
  markOpen(): void {
    clearTimeout(this.#greetingTimer);
  }

  sendOpen(count: number): void {
    this.#push(frameKind.open, Buffer.from(JSON.stringify({ count })));
  }

  send(parts: readonly Uint8Array[]): boolean {
    const { frameBytesMax, bufferedBytesMax } = this.#options.limits;
    let size = 0;
    for (const { length } of parts) size += length;
    if (size > frameBytesMax) {
      const message = `Cannot send ${size} bytes to a node: a frame takes ${frameBytesMax}.`;
      throw new OxbowError('message-too-large', message);
    }
    if (this.#isOver || this.#peer === undefined) return false;
    if (this.bufferedBytes + size > bufferedBytesMax[this.#peer.channel]) return false;
    this.#push(frameKind.data, ...parts);
    return true;
  }

  /** Tells the other side why, then ends. */
  refuse(problem: Problem): void {
    if (this.#isOver) return;
    this.#push(frameKind.verdict, Buffer.from(JSON.stringify(problem)));
    this.end();
  }

  /** Ends without a word to `events`. What was sent may still leave. */
  end(): void {
    if (this.#isOver) return;
    this.#flush();
    this.#isOver = true;
    clearTimeout(this.#greetingTimer);
    clearInterval(this.#pingTimer);
    const { socket } = this.#options;
    if (socket.connecting) {
      socket.destroy();
      return;
    }
    // A farewell that is not taken is none.
    const patience = setTimeout(() => socket.destroy(), this.#options.limits.pingMs);
    socket.once('close', () => clearTimeout(patience));
    socket.destroySoon();
  }

  #arrived(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#isQuiet = false;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof OxbowError) || error.code !== 'bad-frame') throw error;
      this.#fail({ code: error.code, message: error.message });
    }
  }

  #received(kind: number, payload: Buffer): void {
    // One chunk may hold frames after the one that ended the link.
    if (this.#isOver) return;
    if (this.#peer === undefined) {
      this.#greeting.frame(kind, payload);
      return;
    }
    switch (kind) {
      case frameKind.data: return this.#options.events.frame(this, payload);
      case frameKind.ping: return this.#push(frameKind.pong, payload.subarray(0, 8));
      case frameKind.pong: return this.#onPong(payload);
      case frameKind.open: return this.#onOpen(payload);
      // A refusal after the greeting; its wording was understood there.
      case frameKind.verdict: return this.#greeting.frame(kind, payload);
      default: this.#fail({ code: 'bad-frame', message: `A frame of kind ${kind} came.` });
    }
  }

  #onPong(payload: Buffer): void {
    if (payload.length === 8) this.#roundTripMs = performance.now() - payload.readDoubleBE(0);
  }

  #onOpen(payload: Buffer): void {
    const count = Number(/^\{"count":(\d{1,15})\}$/.exec(payload.toString('latin1'))?.[1]);
    if (Number.isSafeInteger(count)) this.#options.events.open(this, count);
    else this.#fail({ code: 'bad-frame', message: 'An opening without a number came.' });
  }

  #proven(peer: Proven): void {
    this.#peer = peer;
    this.#provenAt = performance.now();
    this.#reader.payloadBytesMax = this.#options.limits.frameBytesMax;
    this.#pingTimer = setInterval(() => this.#ping(), this.#options.limits.pingMs);
    this.#options.events.proven(this, peer);
  }

  /**
   * Periods are counted, not time: a process that slept for an hour finds one period gone, and
   * reads what waits in the socket before the next.
   */
  #ping(): void {
    this.#quietPeriods = this.#isQuiet ? this.#quietPeriods + 1 : 0;
    this.#isQuiet = true;
    if (this.#quietPeriods >= this.#options.limits.quietPeriodsMax) {
      this.#fail({ code: 'link-silent', message: 'The other side was silent for too long.' });
      return;
    }
    const payload = Buffer.allocUnsafe(8);
    payload.writeDoubleBE(performance.now(), 0);
    this.#push(frameKind.ping, payload);
  }

  #push(kind: number, ...parts: readonly Uint8Array[]): void {
    if (this.#isOver) return;
    if (this.#queue.length === 0) process.nextTick(() => this.#flush());
    let size = 0;
    for (const { length } of parts) size += length;
    this.#queue.push(frameHeader(kind, size), ...parts);
    this.#queuedBytes += size;
  }

  #flush(): void {
    const queue = this.#queue;
    if (this.#isOver || queue.length === 0) return;
    const { socket } = this.#options;
    const isSmall = this.#queuedBytes <= COPIED_BYTES_MAX;
    [this.#queue, this.#queuedBytes] = [[], 0];
    if (isSmall) {
      socket.write(Buffer.concat(queue));
      return;
    }
    socket.cork();
    for (const bytes of queue) socket.write(bytes);
    socket.uncork();
  }

  #fail(problem: Problem): void {
    if (this.#isOver) return;
    this.end();
    this.#options.events.ended(this, problem);
  }
}

const GREETING_TIMEOUT: Problem = {
  code: 'peer-unreachable',
  message: 'The other side did not finish its greeting in time. Check that a node listens there.',
};

/** The system's words with a code of ours. */
export function describe(error: Error): Problem {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ECONNRESET' || code === 'EPIPE') return { code: 'link-closed', message: error.message };
  const isCertificate = /CERT|ERR_SSL|ERR_TLS|SELF_SIGNED|UNABLE_TO/.test(code);
  return {
    code: isCertificate ? 'peer-unproven' : 'peer-unreachable',
    message: `${error.message}. ${isCertificate ? 'Check the certificates of both nodes' : 'Check address, network and that the node runs'}.`,
  };
}
