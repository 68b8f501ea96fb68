/**
 * Links to clients over WebSocket (`ws`). The driver decides nothing about what is said; it holds
 * what only the socket knows: the size of a frame, text or binary, how much waits for a reader that
 * does not read, how many sockets there are. Compression is off: it costs more processor time per
 * frame than the bytes are worth, and zlib's memory per connection is where `ws` servers have run
 * out of it.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { socketLimits } from '../node/limits.js';
import type { Accept, ServerLinkEvents } from './server-link.js';
import { textFrame } from './text-frame.js';

/** The WebSocket subprotocol; a client that does not name it speaks something else. */
export const SUBPROTOCOL = 'oxbow';
export const SYNC_PATH = '/sync';

/**
 * WebSocket close codes: RFC 6455 §7.4; from 4000 on they are ours, with our code as the reason.
 */
const CLOSE_UNSUPPORTED = 1003;
const CLOSE_OURS = 4000;

export interface ClientLinksOptions {
  readonly accept: Accept;
  /** A larger frame ends the link with close code 1009. */
  readonly frameBytesMax: number;
  /** More than this waiting for the reader ends the link: `slow-reader`. */
  readonly bufferedBytesMax: number;
  readonly linksMax: number;
  /**
   * Web origins that may connect; undefined: any (the token is what proves a user, not a cookie).
   */
  readonly origins?: readonly string[];
}

export interface ClientLinks {
  /** For `upgrade` of an HTTP server, path already checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends every link; those that do not say goodbye in time are cut. */
  closeAll(code: string): void;
}

export function clientLinks(options: ClientLinksOptions): ClientLinks {
  // Not given as a literal: the types of `ws` do not know `closeTimeout` yet.
  const settings = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload: options.frameBytesMax,
    // Our own set, with what we know of each link.
    clientTracking: false,
    closeTimeout: socketLimits.goodbyeMs,
    handleProtocols: (protocols: Set<string>) => protocols.has(SUBPROTOCOL) && SUBPROTOCOL,
  };
  const server = new WebSocketServer(settings);
  const links = new Set<SocketLink>();
  return {
    upgrade(request, socket, head) {
      const refusal = refuse(request, options, links.size);
      if (refusal !== undefined) {
        endHandshake(socket, refusal);
        return;
      }
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const forget = (): void => void links.delete(link);
        const link = new SocketLink({ webSocket, stream: socket, options, forget });
        links.add(link);
        link.start(options.accept);
      });
    },
    closeAll(code) {
      for (const link of links) link.close(code);
    },
  };
}

interface SocketLinkParts {
  readonly webSocket: WebSocket;
  readonly stream: Duplex;
  readonly options: ClientLinksOptions;
  readonly forget: () => void;
}

class SocketLink {
  readonly #socket: WebSocket;
  /** Under it. */
  readonly #stream: Duplex;
  readonly #options: ClientLinksOptions;
  readonly #forget: () => void;
  #events: ServerLinkEvents | undefined;
  /** Why it ends, if we know better than the socket. */
  #reason: string | undefined;

  constructor({ webSocket, stream, options, forget }: SocketLinkParts) {
    this.#socket = webSocket;
    this.#stream = stream;
    this.#options = options;
    this.#forget = forget;
  }

  start(accept: Accept): void {
    const socket = this.#socket;
    this.#events = accept(this);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (this.#reason !== undefined) return;
      // Buffer's own decoder: valid UTF-8 was checked by `ws` (close code 1007 otherwise).
      if (!isBinary) this.#events?.received(data.toString());
      else this.#end('bad-frame', CLOSE_UNSUPPORTED);
    });
    // `close` follows every error; without a handler the process would end.
    socket.on('error', (error) => (this.#reason ??= codeOf(error)));
    socket.on('close', () => {
      this.#forget();
      const events = this.#events;
      this.#events = undefined;
      events?.closed(this.#reason ?? 'link-closed');
    });
  }

  send(frame: string): void {
    if (this.#reason !== undefined || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#stream.write(textFrame(frame));
    if (this.#stream.writableLength <= this.#options.bufferedBytesMax) return;
    // It does not read, so it would not read a farewell either.
    this.#reason = 'slow-reader';
    this.#socket.terminate();
  }

  close(code: string): void {
    if (this.#reason === undefined) this.#end(code, CLOSE_OURS);
  }

  #end(code: string, closeCode: number): void {
    this.#reason = code;
    this.#socket.close(closeCode, code);
  }
}

/** The socket's own errors, in our words. */
function codeOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return 'message-too-large';
  return typeof code === 'string' && code.startsWith('WS_ERR') ? 'bad-frame' : 'link-closed';
}

interface HandshakeRefusal {
  readonly status: string;
  readonly text: string;
}

function refuse(
  request: IncomingMessage,
  options: ClientLinksOptions,
  links: number,
): HandshakeRefusal | undefined {
  const { origin } = request.headers;
  if (options.origins !== undefined && origin !== undefined && !options.origins.includes(origin)) {
    return { status: '403 Forbidden', text: 'origin-refused: this origin is not in the list' };
  }
  const spoken = (request.headers['sec-websocket-protocol'] ?? '').split(',');
  if (!spoken.some((protocol) => protocol.trim() === SUBPROTOCOL)) {
    return { status: '400 Bad Request', text: `bad-request: subprotocol '${SUBPROTOCOL}' expected` };
  }
  if (links < options.linksMax) return undefined;
  return { status: '503 Service Unavailable', text: 'too-many-links: try again later' };
}

/** Answers a handshake that does not become a link. */
export function endHandshake(socket: Duplex, refusal: HandshakeRefusal): void {
  const body = `${refusal.text}\n`;
  socket.on('error', () => socket.destroy());
  // HTTP's sockets may stay half open: whoever does not hang up would keep one for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${refusal.status}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
