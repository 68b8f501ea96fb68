/**
 * The load: WebSocket connections to the node that leads, each with a replica and a space of its
 * own and one update (or one linearizable read) in flight, sent again as soon as its answer has
 * come. It speaks the protocol in prepared text, so that it costs less than what it measures.
 */
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { decodeMessage, encodeMessage, type Message, type ReplicaId, type SpaceId } from '@oxbow/sdk/protocol';
import { loadSocket, type LoadSocket } from './load-socket.js';

export interface LoadOrder {
  /** Any node: who does not lead sends us on. */
  readonly url: string;
  readonly what: 'commits' | 'reads';
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadReport {
  /** Answers in that time. */
  readonly count: number;
  readonly elapsedMs: number;
  readonly latenciesMs: readonly number[];
}

const VALUE = 'x1y2z3w4'.repeat(25);
const ACK_EVERY = 128 * 1024;

class Connection {
  readonly #url: string;
  #socket: LoadSocket | undefined;
  readonly #what: LoadOrder['what'];
  readonly #report: (latencyMs: number) => void;
  readonly #lost: (error: Error) => void;
  #parts: readonly [string, string, string] = ['', '', ''];
  #barrier = '';
  #seq = 0;
  #sentAt = 0;
  #received = 0;
  #acked = 0;

  constructor(
    order: LoadOrder, report: (latencyMs: number) => void, lost: (error: Error) => void,
  ) {
    this.#what = order.what;
    this.#lost = lost;
    this.#report = report;
    this.#url = order.url;
  }

  /** Resolves once the space is open and updates may be sent. */
  open(): Promise<void> {
    // reason: fresh identities are text until the protocol brands them.
    const replica = randomUUID() as ReplicaId;
    const space = `bench-${replica}` as SpaceId;
    this.#prepare(replica, space);
    return new Promise((resolve, reject) => {
      const received = (frame: string): void => {
        if (frame.startsWith('{"kind":"commits"')) return this.#committed(frame);
        if (frame.startsWith('{"kind":"barrier-at"')) return this.#answered();
        if (frame.startsWith('{"kind":"welcome"')) {
          const summary = { history: '', csn: 0, vector: {} };
          this.#say({ kind: 'open', space, round: 1, wants: 'all', summary, settledSeq: 0 });
        } else if (frame.startsWith('{"kind":"opened"')) resolve();
        else if (frame.startsWith('{"kind":"ping"')) this.#say({ kind: 'pong' });
        else if (frame.startsWith('{"kind":"fail"')) reject(new Error(frame));
      };
      const failed = (error: Error): void => {
        reject(error);
        this.#lost(error);
      };
      loadSocket(this.#url, { received, failed }).then((socket) => {
        this.#socket = socket;
        socket.send(hello(replica));
      }, reject);
    });
  }

  next(): void {
    const seq = ++this.#seq;
    const [before, between, after] = this.#parts;
    this.#sentAt = performance.now();
    const text = this.#what === 'commits' ?
      before + seq + between + seq + after : `${this.#barrier}${seq}}`;
    this.#socket?.send(text);
  }

  close(): void {
    this.#socket?.close();
  }

  #say(message: Message): void {
    this.#socket?.send(encodeMessage(message));
  }

  #answered(): void {
    this.#report(performance.now() - this.#sentAt);
  }

  #committed(frame: string): void {
    this.#received += frame.length;
    if (this.#received - this.#acked > ACK_EVERY) {
      this.#acked = this.#received;
      this.#say({ kind: 'ack', received: this.#received });
    }
    this.#answered();
  }

  /** An update as text, cut open where its sequence and Lamport number stand. */
  #prepare(replica: ReplicaId, space: SpaceId): void {
    this.#barrier = `{"kind":"barrier","space":"${space}","id":`;
    const text = encodeMessage({
      kind: 'updates',
      space,
      updates: [{
        id: { replica, seq: 111_222_333 }, lamport: 444_555_666, context: { csn: 0, vector: {} },
        name: 'put', version: 1, args: { id: 'k', v: VALUE }, at: 1_767_225_600_000,
      }],
    });
    const [before = '', rest = ''] = text.split('111222333');
    const [between = '', after = ''] = rest.split('444555666');
    if (after === '') throw new Error('The update message has another shape than the load expects');
    this.#parts = [before, between, after];
  }
}

/** The node that leads, found as any client would: by asking, and going where one is sent. */
async function findLeader(order: LoadOrder): Promise<LoadOrder> {
  let { url } = order;
  for (let hops = 0; hops < 10; hops++) {
    const next = await whereTo(url);
    if (next === undefined) return { ...order, url };
    url = next;
  }
  throw new Error('the nodes send each other\'s clients in a circle');
}

/** Undefined: it leads. */
function whereTo(url: string): Promise<string | undefined> {
  const socket = new WebSocket(url, 'oxbow', { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    // reason: fresh identities are text until the protocol brands them.
    socket.on('open', () => socket.send(hello(randomUUID() as ReplicaId)));
    socket.on('message', (data: Buffer) => {
      const message = decodeMessage(data.toString());
      socket.close();
      if (message.kind === 'welcome') resolve(undefined);
      else if (message.kind === 'fail' && message.redirect !== undefined) resolve(message.redirect);
      else reject(new Error(data.toString()));
    });
  });
}

const hello = (replica: ReplicaId): string =>
  encodeMessage({
    kind: 'hello', versions: [1, 2], app: 'bench', appVersion: 1, replica, token: 'dev:bench',
  });

async function run(given: LoadOrder): Promise<LoadReport> {
  const order = await findLeader(given);
  const latenciesMs: number[] = [];
  let measuring = false;
  let running = true;
  let lost: Error | undefined;
  const connections: Connection[] = [];
  for (let i = 0; i < order.connections; i++) {
    const connection: Connection = new Connection(order, (latencyMs) => {
      if (measuring) latenciesMs.push(latencyMs);
      if (running) connection.next();
    }, (error) => {
      if (running) lost = error;
    });
    await connection.open();
    connections.push(connection);
  }
  for (const connection of connections) connection.next();
  await new Promise((resolve) => setTimeout(resolve, order.warmUpMs));
  measuring = true;
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, order.measureMs));
  measuring = false;
  const elapsedMs = performance.now() - started;
  running = false;
  for (const connection of connections) connection.close();
  if (lost !== undefined) throw lost;
  return { count: latenciesMs.length, elapsedMs, latenciesMs };
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (report) => process.send?.({ report }, () => process.disconnect()),
    (error: unknown) => process.send?.({ error: String(error) }, () => process.disconnect()),
  );
});
