/**
 * Links between the nodes of a cluster, over TCP with a cluster secret or over mTLS: one connection
 * per node and channel. Both sides may dial, so two connections may come about at once, or a new
 * one while a dead one still looks alive; if each side chose by itself they could choose
 * differently and cut both. So the node with the smaller name decides: it alone opens connections,
 * numbers them, and the other follows the newest number.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { OxbowError } from '@oxbow/sdk/protocol';
import {
  peerChannels, type PeerChannel, type PeerLinkEvents, type PeerLinks, type PeerLinkState,
} from '../cluster/peer-link.js';
import type { Logger } from './log.js';
import { describe, PeerConnection } from './peer-links-connection.js';
import { Dialer } from './peer-links-dialer.js';
import { nameTaken, type Dial, type Greeter, type PeerProof, type Problem, type Proven } from './peer-links-greeting.js';
import { peerLinkLimits, type PeerLinkLimits } from './peer-links-limits.js';
import { certifies, PeerCertificates, type PeerTlsFiles } from './peer-links-tls.js';

export type PeerTrust =
  /**
   * At least 32 bytes, the same on all nodes. What follows the greeting is not encrypted: for
   * trusted networks.
   */
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'tls'; readonly files: PeerTlsFiles };

export interface PeerLinksOptions {
  /** This node's name. */
  readonly node: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly trust: PeerTrust;
  readonly logger: Logger;
  readonly limits?: PeerLinkLimits;
}

export interface ListeningPeerLinks extends PeerLinks {
  readonly address: { readonly host: string; readonly port: number };
  /** Reads the certificates anew; nothing to do with a secret. */
  reloadCertificates(): void;
}

const SECRET_BYTES_MIN = 32;
const PASSING = new Set(['peer-unreachable', 'link-closed']);

/**
 * Binds the port; nobody is greeted before `start`. Errors: `config-invalid`, `port-in-use`,
 * `listen-failed`.
 */
export function listenPeerLinks(options: PeerLinksOptions): Promise<ListeningPeerLinks> {
  const links = new TcpPeerLinks(options);
  return links.listen().then(() => links);
}

/** What is known of one node on one channel. */
class Pair {
  readonly name: string;
  readonly channel: PeerChannel;
  address: string | undefined;
  open: PeerConnection | undefined;
  /** Of the open connection, where the other side decides. */
  count = 0;
  dialer: Dialer | undefined;
  problem: Problem | undefined;

  constructor(name: string, channel: PeerChannel) {
    this.name = name;
    this.channel = channel;
  }
}

class TcpPeerLinks implements ListeningPeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #limits: PeerLinkLimits;
  readonly #greeter: Omit<Greeter, 'proof'>;
  /** Of the secret; never the secret itself. */
  readonly #key: Buffer | undefined;
  readonly #certificates: PeerCertificates | undefined;
  readonly #server: Server;
  readonly #pairs = new Map<string, Pair>();
  /** All that are not over. */
  readonly #connections = new Set<PeerConnection>();
  readonly #sockets = new Set<Socket>();
  #events: PeerLinkEvents | undefined;
  #isOver = false;
  /** Of connections that this side opened: only grows. */
  #count = 0;
  #refusalLoggedAt = 0;

  constructor(options: PeerLinksOptions) {
    const { node: name, trust, limits = peerLinkLimits } = options;
    this.#options = options;
    this.#limits = limits;
    this.#greeter = {
      name, run: randomBytes(16).toString('hex'), makeNonce: () => randomBytes(32).toString('hex'),
    };
    if (trust.kind === 'secret') this.#key = mustKey(trust.secret);
    else this.#certificates = new PeerCertificates(trust.files, options.logger);
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server = this.#certificates?.listen(limits.greetingMs, accept) ?? createServer(accept);
    this.#server.maxConnections = limits.unprovenMax + 2 * 2 * limits.peersMax;
    // Also those that TLS is still busy with.
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  get address(): { readonly host: string; readonly port: number } {
    // reason: a TCP server that listens has an address with a port.
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        this.#certificates?.close();
        reject(listenError(error, host, port));
      });
      this.#server.listen(port, host, resolve);
    });
  }

  start(events: PeerLinkEvents): void {
    this.#events = events;
  }

  want(peers: ReadonlyMap<string, string>): void {
    if (this.#isOver) return;
    for (const pair of [...this.#pairs.values()]) {
      if (peers.get(pair.name) !== pair.address) this.#unwant(pair);
    }
    for (const [name, address] of peers) {
      if (name === this.#options.node) continue;
      for (const channel of peerChannels) {
        const pair = this.#pairOf(name, channel);
        if (pair.dialer === undefined) this.#keepDialling(pair, address);
      }
    }
  }

  send(name: string, channel: PeerChannel, ...parts: readonly Uint8Array[]): boolean {
    return this.#pairs.get(keyOf(name, channel))?.open?.send(parts) ?? false;
  }

  bufferedBytes(name: string, channel: PeerChannel): number {
    return this.#pairs.get(keyOf(name, channel))?.open?.bufferedBytes ?? 0;
  }

  states(): readonly PeerLinkState[] {
    return [...this.#pairs.values()].map((pair) => ({
      name: pair.name,
      channel: pair.channel,
      isUp: pair.open !== undefined,
      isWanted: pair.dialer !== undefined,
      address: pair.address,
      roundTripMs: pair.open?.roundTripMs,
      problem: pair.problem,
    }));
  }

  reloadCertificates(): void {
    this.#certificates?.reload();
  }

  stop(done: () => void): void {
    this.#isOver = true;
    this.#events = undefined;
    this.#certificates?.close();
    for (const pair of this.#pairs.values()) pair.dialer?.stop();
    for (const connection of this.#connections) connection.end();
    this.#connections.clear();
    this.#pairs.clear();
    this.#server.close(() => done());
    // What was sent is out by then or lost: links may lose everything at any moment.
    const patience = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, this.#limits.pingMs);
    this.#server.once('close', () => clearTimeout(patience));
  }

  #pairOf(name: string, channel: PeerChannel): Pair {
    const key = keyOf(name, channel);
    const pair = this.#pairs.get(key) ?? new Pair(name, channel);
    this.#pairs.set(key, pair);
    return pair;
  }

  #keepDialling(pair: Pair, address: string): void {
    pair.address = address;
    pair.dialer = new Dialer({
      limits: this.#limits,
      isPatient: !this.#decidesFor(pair.name),
      dial: () => this.#dial(pair, address),
      random: () => Math.random(),
    });
    if (pair.open !== undefined) pair.dialer.linked(false);
  }

  /** A link that stands goes on: the other side may still want it. */
  #unwant(pair: Pair): void {
    pair.dialer?.stop();
    pair.dialer = undefined;
    pair.address = undefined;
    this.#maybeForget(pair);
  }

  #dial(pair: Pair, address: string): () => void {
    const { host, port } = splitAddress(address);
    const socket = this.#certificates?.connect(host, port) ?? connect({ host, port });
    const connection = this.#connection(socket, { name: pair.name, channel: pair.channel });
    const timer = setTimeout(() => socket.destroy(new Error('connecting took too long')), this.#limits.dialMs);
    const event = this.#certificates === undefined ? 'connect' : 'secureConnect';
    socket.once('close', () => clearTimeout(timer));
    socket.once(event, () => {
      clearTimeout(timer);
      connection.start();
    });
    return () => this.#end(connection);
  }

  #accept(socket: Socket): void {
    const unproven = [...this.#connections].filter(({ peer }) => peer === undefined).length;
    if (this.#events === undefined || unproven >= this.#limits.unprovenMax) socket.destroy();
    else this.#connection(socket, undefined).start();
  }

  #connection(socket: Socket, dial: Dial | undefined): PeerConnection {
    const connection = new PeerConnection({
      socket,
      dial,
      greeter: { ...this.#greeter, proof: this.#proofOf(socket) },
      limits: this.#limits,
      events: {
        proven: (from, peer) => this.#proven(from, peer),
        open: (from, count) => this.#opened(from, count),
        frame: (from, bytes) => this.#frame(from, bytes),
        ended: (from, problem) => this.#ended(from, problem),
      },
    });
    this.#connections.add(connection);
    return connection;
  }

  #proofOf(socket: Socket): PeerProof {
    if (this.#key !== undefined) return { kind: 'secret', key: this.#key };
    return { kind: 'certificate', certifies: (name) => socket instanceof TLSSocket && certifies(socket, name) };
  }

  #decidesFor(name: string): boolean {
    return this.#options.node < name;
  }

  #proven(connection: PeerConnection, peer: Proven): void {
    const isKnown = this.#pairs.has(keyOf(peer.name, peer.channel));
    if (!isKnown && this.#pairs.size >= 2 * this.#limits.peersMax) {
      connection.refuse({ code: 'too-many-links', message: 'This node has as many links as it may.' });
      this.#connections.delete(connection);
      return;
    }
    const pair = this.#pairOf(peer.name, peer.channel);
    const { open } = pair;
    if (open?.peer !== undefined && open.peer.run !== peer.run && open.isLively) {
      this.#refuseNamesake(connection, pair);
      return;
    }
    if (!this.#decidesFor(peer.name)) return;
    // Both dialled at once: the other side takes the first and drops this one by itself.
    if (open !== undefined && open.ageMs < this.#limits.pingMs) return;
    this.#count += 1;
    connection.sendOpen(this.#count);
    this.#take(pair, connection);
  }

  /**
   * Two processes under one name: the first one stays, or they would drive each other out for ever.
   */
  #refuseNamesake(connection: PeerConnection, pair: Pair): void {
    const problem = nameTaken(pair.name);
    pair.problem = problem;
    connection.refuse(problem);
    this.#connections.delete(connection);
    this.#logRefusal(problem);
  }

  #opened(connection: PeerConnection, count: number): void {
    const { peer } = connection;
    if (peer === undefined || this.#decidesFor(peer.name)) return;
    const pair = this.#pairOf(peer.name, peer.channel);
    const isSameRun = pair.open?.peer?.run === peer.run;
    if (isSameRun && count <= pair.count) {
      this.#end(connection);
      return;
    }
    pair.count = count;
    this.#take(pair, connection);
  }

  #take(pair: Pair, connection: PeerConnection): void {
    const former = pair.open;
    pair.open = connection;
    pair.problem = undefined;
    if (former !== undefined) {
      this.#end(former);
      this.#events?.cut(pair.name, pair.channel);
    }
    connection.markOpen();
    pair.dialer?.linked(connection.dial !== undefined);
    this.#endRivals(pair, connection);
    this.#options.logger.log('info', 'peer-linked', { peer: pair.name, channel: pair.channel });
    this.#events?.linked(pair.name, pair.channel);
  }

  #endRivals({ name, channel }: Pair, taken: PeerConnection): void {
    for (const rival of this.#connections) {
      const isSame = rival.peer?.name === name && rival.peer.channel === channel;
      if (isSame && rival !== taken) this.#end(rival);
    }
  }

  #frame(connection: PeerConnection, bytes: Uint8Array): void {
    const { peer } = connection;
    if (peer === undefined) return;
    const pair = this.#pairs.get(keyOf(peer.name, peer.channel));
    if (pair?.open === connection) this.#events?.frame(peer.name, peer.channel, bytes);
  }

  #ended(connection: PeerConnection, problem: Problem): void {
    this.#connections.delete(connection);
    const { dial, peer } = connection;
    const known = peer ?? dial;
    const pair = known && this.#pairs.get(keyOf(known.name, known.channel));
    if (pair === undefined) {
      this.#logRefusal(problem);
      return;
    }
    if (pair.open === connection) this.#cut(pair, connection, problem);
    else this.#failDial(connection, problem);
  }

  #cut(pair: Pair, connection: PeerConnection, problem: Problem): void {
    const { name, channel } = pair;
    pair.open = undefined;
    pair.problem = problem;
    pair.dialer?.cut(connection.ageMs);
    this.#maybeForget(pair);
    this.#options.logger.log('warn', 'peer-cut', { peer: name, channel, ...problem });
    this.#events?.cut(name, channel);
  }

  #failDial({ dial }: PeerConnection, problem?: Problem): void {
    const pair = dial === undefined ? undefined : this.#pairs.get(keyOf(dial.name, dial.channel));
    if (pair === undefined || pair.open !== undefined) return;
    if (problem !== undefined) {
      const isNews = pair.problem?.code !== problem.code;
      pair.problem = problem;
      // A node that is not there yet is no news; one that is not who it should be needs somebody.
      const level = PASSING.has(problem.code) ? 'info' : 'warn';
      if (isNews) this.#options.logger.log(level, 'peer-dial-failed', { peer: pair.name, ...problem });
    }
    pair.dialer?.failed();
  }

  #end(connection: PeerConnection): void {
    this.#connections.delete(connection);
    connection.end();
  }

  #maybeForget(pair: Pair): void {
    const { name, channel, dialer, open } = pair;
    if (dialer === undefined && open === undefined) this.#pairs.delete(keyOf(name, channel));
  }

  /** At most one line a second: whoever can reach the port could fill the disk otherwise. */
  #logRefusal(problem: Problem): void {
    const now = Date.now();
    if (now - this.#refusalLoggedAt < 1_000) return;
    this.#refusalLoggedAt = now;
    this.#options.logger.log('warn', 'peer-refused', { ...problem });
  }
}

const keyOf = (name: string, channel: PeerChannel): string => `${name} ${channel}`;

/** `host:port`, `[::1]:port`; checked where configuration is read. */
function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(colon + 1)) };
}

/** A key of its own purpose: the secret may open other doors too. */
function mustKey(secret: string): Buffer {
  if (Buffer.byteLength(secret) < SECRET_BYTES_MIN) {
    const message = `Cannot use the cluster's secret: it needs at least ${SECRET_BYTES_MIN} bytes. ` +
      'Make one with `openssl rand -hex 32` and give all nodes the same file.';
    throw new OxbowError('config-invalid', message);
  }
  return createHmac('sha256', secret).update('oxbow peer links').digest();
}

function listenError(cause: Error, host: string, port: number): OxbowError {
  if ('code' in cause && cause.code === 'EADDRINUSE') {
    const message = `Cannot listen for nodes on ${host}:${port}: another program does. Stop it or choose another port.`;
    return new OxbowError('port-in-use', message, { cause });
  }
  const { message } = describe(cause);
  return new OxbowError('listen-failed', `Cannot listen for nodes on ${host}:${port}: ${message}`, { cause });
}
