/**
 * Links over WebSocket, in browsers and (with `ws` given by node.ts) in Node. The driver decides
 * nothing: where to connect, how long an attempt may take, when to try again and what is sent when
 * is the machine's business (replica/session.ts), whose byte window also bounds what waits in the
 * socket's buffer.
 */
import { OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { LinkEvents, Transport } from './transport.js';

/** The part of a WebSocket that is used; the browser's and that of `ws` both have it. */
interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: { readonly message?: unknown }) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** Makes a WebSocket, the browser's or that of `ws`; or throws (a bad URL). */
export type OpenSocket = (url: string, protocol: string) => object;

/** Name of the WebSocket subprotocol: the server refuses any other. */
export const SUBPROTOCOL = 'oxbow';

/** In a page it may be a path. What else is wrong with it the socket says. */
const ADDRESS = /^((ws|http)s?:\/)?\//i;

const CLOSE_NORMAL = 1000;
const CLOSE_UNSUPPORTED = 1003;

export interface ServerOptions {
  /**
   * What proves the user: text, or a function that is asked before each connection and again when
   * the server says that the token has expired. A function that throws or rejects counts as a
   * failed attempt: it is asked again later.
   */
  readonly token?: string | (() => string | Promise<string>);
  /** Shown in `health.links`. Default: the first URL without its query. */
  readonly name?: string;
}

/** `urls`: of one service, one or several. Errors: `bad-server-url`. */
export function socketTransport(
  urls: string | readonly string[], options: ServerOptions, open: OpenSocket,
): Transport {
  const addresses = mustBeSome(typeof urls === 'string' ? [urls] : urls);
  const [first] = addresses;
  const transport: Transport = {
    name: options.name ?? withoutQuery(first),
    addresses,
    // reason: each kind of socket declares its handlers with event classes of its own; what is used
    // agrees.
    connect: (events, address = first) =>
      connect(() => open(asSocketUrl(address), SUBPROTOCOL) as Socket, events),
  };
  const { token } = options;
  if (token === undefined) return transport;
  return { ...transport, token: (done) => askToken(token, done) };
}

function mustBeSome(urls: readonly string[]): readonly [string, ...string[]] {
  // Tried again and again, what is no address would look like a server that is down.
  const bad = urls.find((url) => !ADDRESS.test(url));
  const [first, ...others] = urls;
  const isFew = urls.length <= limits.addressesMax;
  if (first !== undefined && isFew && bad === undefined) return [first, ...others];
  const problem = bad === undefined
    ? `A server has 1 to ${limits.addressesMax} addresses, not ${urls.length}.`
    : `'${withoutQuery(bad)}' is no address of a server.`;
  throw new OxbowError('bad-server-url', `${problem} Give the URLs of its nodes, with ws: or wss:.`);
}

/** A query may hold secrets. */
const withoutQuery = (url: string): string => url.replace(/[?#].*$/, '');

/** Older browsers take only ws and wss. */
const asSocketUrl = (url: string): string => url.replace(/^http/, 'ws');

function connect(open: () => Socket, events: LinkEvents): () => void {
  let listener: LinkEvents | undefined = events;
  const closed = (reason: string): void => {
    const told = listener;
    listener = undefined;
    told?.closed(reason);
  };
  let socket: Socket;
  try {
    socket = open();
  } catch (error) {
    queueMicrotask(() => closed(describe(error)));
    return () => { listener = undefined; };
  }
  const link = {
    send: (frame: string) => quietly(() => { if (listener !== undefined) socket.send(frame); }),
    close: () => quietly(() => socket.close(CLOSE_NORMAL)),
  };
  socket.onopen = () => listener?.opened(link);
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') listener?.received(data);
    else quietly(() => socket.close(CLOSE_UNSUPPORTED, 'binary frames are not spoken here'));
  };
  let failure = '';
  socket.onclose = ({ code, reason }) =>
    closed(`code ${code}${reason === '' ? failure : `: ${reason}`}`);
  // `close` follows. Browsers keep to themselves what it was; `ws` tells.
  socket.onerror = ({ message }) => {
    if (typeof message === 'string') failure = `: ${message}`;
  };
  return () => {
    listener = undefined;
    quietly(() => socket.close(CLOSE_NORMAL));
  };
}

/**
 * A socket that is still connecting or already closed throws at `send` and `close`: its end is told
 * by `onclose`.
 */
function quietly(task: () => void): void {
  try {
    task();
  } catch {
    return;
  }
}

type TokenDone = Parameters<NonNullable<Transport['token']>>[0];

function askToken(token: NonNullable<ServerOptions['token']>, done: TokenDone): void {
  const source = typeof token === 'string' ? () => token : token;
  // Inside an async function a throw of the source is a rejection too.
  const asked = (async () => source())();
  asked.then(
    (text) => done(text),
    (cause: unknown) => done(undefined, new OxbowError(
      'token-unavailable',
      `The token function failed: ${describe(cause)}. It is asked again at the next attempt.`,
      { cause },
    )),
  );
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
