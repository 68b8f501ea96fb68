/**
 * A client that speaks the protocol frame by frame, for tests of the server: it has no replica
 * behind it and does exactly what the test says, also what a proper client never would.
 */
import { WebSocket } from 'ws';
import {
  decodeMessage, encodeMessage, PROTOCOL_NEWEST,
  type CommitEntry, type Message, type ReplicaId, type SpaceId, type Summary, type Update,
} from '@oxbow/sdk/protocol';

type MessageOf<K extends Message['kind']> = Extract<Message, { readonly kind: K }>;

export interface RawClientOptions {
  readonly url: string;
  readonly replica: string;
  readonly token?: string;
  readonly app?: string;
}

interface Waiting {
  readonly wants: (message: Message) => boolean;
  readonly done: (message: Message) => void;
  readonly fail: (error: Error) => void;
}

export class RawClient {
  readonly replica: ReplicaId;
  readonly socket: WebSocket;
  readonly received: Message[] = [];
  /** Close code and reason, once it has ended. */
  ended: readonly [code: number, reason: string] | undefined;
  readonly #waiting = new Set<Waiting>();
  readonly #options: RawClientOptions;
  #seq = 0;
  #lamport = 0;
  #chars = 0;
  readonly #rounds = new Map<string, number>();

  constructor(options: RawClientOptions) {
    this.#options = options;
    this.replica = options.replica as ReplicaId;
    this.socket = new WebSocket(options.url, 'oxbow', { perMessageDeflate: false });
    this.socket.on('message', (data: Buffer) => this.#receive(data.toString()));
    this.socket.on('error', () => undefined);
    this.socket.on('close', (code, reason) => {
      this.ended = [code, reason.toString()];
      const why = `link ended: ${code} ${reason.toString()}; last: ${JSON.stringify(this.received.at(-1))}`;
      for (const { fail } of this.#waiting) fail(new Error(why));
    });
  }

  /** Connects, says hello, waits for the welcome. */
  static async connect(options: RawClientOptions): Promise<RawClient> {
    const client = new RawClient(options);
    await client.opened();
    client.hello();
    await client.next('welcome');
    return client;
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve());
      this.socket.once('error', reject);
    });
  }

  hello(): void {
    const { token, app = 'test' } = this.#options;
    this.send({
      kind: 'hello', versions: [1, PROTOCOL_NEWEST], app, appVersion: 1, replica: this.replica,
      ...(token === undefined ? {} : { token }),
    });
  }

  /** Opens a space and takes up the sequence where the server says that it stands. */
  async open(space: string, from: Partial<Summary> = {}): Promise<MessageOf<'opened'>> {
    const answer = this.next('opened', (message) => message.space === space);
    this.#rounds.set(space, (this.#rounds.get(space) ?? 0) + 1);
    this.send({
      kind: 'open', space: space as SpaceId, round: this.#rounds.get(space) ?? 1, wants: 'all',
      summary: { history: '', csn: 0, vector: {}, ...from }, settledSeq: 0,
    });
    const opened = await answer;
    this.#seq = Math.max(this.#seq, opened.settledSeq);
    return opened;
  }

  send(message: Message): void {
    this.sendText(encodeMessage(message));
  }

  sendText(frame: string): void {
    this.socket.send(frame);
  }

  update(name: string, args: unknown, seq = ++this.#seq): Update {
    return {
      id: { replica: this.replica, seq }, lamport: ++this.#lamport, context: { csn: 0, vector: {} },
      name, version: 1, args, at: 1_700_000_000_000,
    };
  }

  /** Sends one update and waits for its commit. */
  async commit(space: string, name: string, args: unknown): Promise<CommitEntry> {
    const update = this.update(name, args);
    const entry = this.entry(update);
    this.send({ kind: 'updates', space: space as SpaceId, updates: [update] });
    return entry;
  }

  /** The commit entry of that update, when it comes. */
  async entry({ id }: Pick<Update, 'id'>): Promise<CommitEntry> {
    const isOurs = (entry: CommitEntry): boolean =>
      entry.id.replica === id.replica && entry.id.seq === id.seq;
    const message = await this.next('commits', ({ entries }) => entries.some(isOurs));
    const entry = message.entries.find(isOurs);
    if (entry === undefined) throw new Error('unreachable');
    return entry;
  }

  /** The next message of that kind from now on. */
  next<K extends Message['kind']>(
    kind: K,
    which: (message: MessageOf<K>) => boolean = () => true,
  ): Promise<MessageOf<K>> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        wants: (message) => message.kind === kind && which(message as MessageOf<K>),
        done: (message) => resolve(message as MessageOf<K>),
        fail: reject,
      };
      if (this.ended !== undefined) reject(new Error(`link has ended: ${this.ended.join(' ')}`));
      else this.#waiting.add(waiting);
    });
  }

  /** Resolves with close code and reason. */
  end(): Promise<readonly [code: number, reason: string]> {
    return new Promise((resolve) => {
      if (this.ended !== undefined) resolve(this.ended);
      else this.socket.once('close', (code, reason) => resolve([code, reason.toString()]));
    });
  }

  close(): void {
    this.socket.terminate();
  }

  #receive(frame: string): void {
    const message = decodeMessage(frame);
    this.received.push(message);
    if (message.kind === 'ping') this.send({ kind: 'pong' });
    if (message.kind === 'commits' || message.kind === 'updates' || message.kind === 'page') {
      this.#chars += frame.length;
      this.send({ kind: 'ack', received: this.#chars });
    }
    for (const waiting of this.#waiting) {
      if (!waiting.wants(message)) continue;
      this.#waiting.delete(waiting);
      waiting.done(message);
    }
  }
}
