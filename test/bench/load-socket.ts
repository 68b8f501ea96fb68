/**
 * The client's end of a WebSocket, as little of it as a load needs: text frames without
 * fragments, no compression. A full client costs this machine's two cores as much per message as
 * the server does, and what is measured is the server; etcd's and PostgreSQL's own tools are
 * compiled programs for the same reason. RFC 6455; the mask is zero, which leaves the bytes as
 * they are.
 */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';

const FIN_TEXT = 0x81;
const TEXT = 1;
const CLOSE = 8;
const MASKED = 0x80;
const MASK_BYTES = 4;

export interface LoadSocket {
  send(text: string): void;
  close(): void;
}

interface LoadSocketEvents {
  /** Of one text frame, each byte a character. */
  received(frame: string): void;
  failed(error: Error): void;
}

/** Resolves when the socket is open. */
export function loadSocket(url: string, events: LoadSocketEvents): Promise<LoadSocket> {
  const ask = request(url.replace(/^ws/, 'http'), {
    headers: {
      Connection: 'Upgrade', Upgrade: 'websocket',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Protocol': 'oxbow',
    },
  });
  return new Promise((resolve, reject) => {
    ask.on('error', reject);
    ask.on('response', ({ statusCode }) => reject(new Error(`no WebSocket: status ${statusCode}`)));
    ask.on('upgrade', (_answer, socket, head) => {
      socket.on('error', (error: Error) => events.failed(error));
      if (head.length > 0) socket.unshift(head);
      const frames = new Frames(events);
      socket.on('data', (bytes: Buffer) => frames.take(bytes));
      resolve({ send: (text) => send(socket, text), close: () => socket.destroy() });
    });
    ask.end();
  });
}

function send(socket: Duplex, text: string): void {
  const bytes = Buffer.byteLength(text);
  const isLong = bytes > 125;
  const head = 2 + (isLong ? 2 : 0) + MASK_BYTES;
  const frame = Buffer.alloc(head + bytes);
  frame[0] = FIN_TEXT;
  frame[1] = MASKED | (isLong ? 126 : bytes);
  if (isLong) frame.writeUInt16BE(bytes, 2);
  frame.write(text, head);
  socket.write(frame);
}

/** Cuts what arrives into frames. */
class Frames {
  readonly #events: LoadSocketEvents;
  #rest: Buffer | undefined;

  constructor(events: LoadSocketEvents) {
    this.#events = events;
  }

  take(more: Buffer): void {
    const bytes = this.#rest === undefined ? more : Buffer.concat([this.#rest, more]);
    let at = 0;
    for (;;) {
      const [from, to] = frameAt(bytes, at);
      if (to > bytes.length) break;
      this.#read(bytes[at] ?? 0, bytes, from, to);
      at = to;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
  }

  #closed(reason: string): void {
    this.#events.failed(new Error(`closed by the server: ${reason}`));
  }

  #read(first: number, bytes: Buffer, from: number, to: number): void {
    const kind = first & 0x0f;
    if (kind === TEXT) this.#events.received(bytes.toString('latin1', from, to));
    else if (kind === CLOSE) this.#closed(bytes.toString('latin1', from + 2, to));
  }
}

/** Where its payload begins and ends; beyond the bytes there are: not all of it is here. */
function frameAt(bytes: Buffer, at: number): readonly [from: number, to: number] {
  const known = bytes.length - at;
  if (known < 2) return [at, Infinity];
  const short = bytes[at + 1] ?? 0;
  if (short < 126) return [at + 2, at + 2 + short];
  const wide = short === 126 ? 2 : 8;
  if (known < 2 + wide) return [at, Infinity];
  const size = wide === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
  return [at + 2 + wide, at + 2 + wide + size];
}
