/**
 * A server for tests of the host: greets, gives updates their place in memory, and can be told to
 * misbehave.
 */
import type { AppDefinition } from '../../model/index.js';
import type { Link, LinkEvents } from '../../drivers/transport.js';
import {
  decodeMessage, encodeMessage, LinkExchanges, type Fail, type Hello, type Holder, type Mark, type Message, type ReceivedBase,
  type Reception, type ReplicaId,
  type SpaceId, type SpaceMessage, type Update,
} from '../../protocol/index.js';
import { Primary, userOf } from '../../replica/testing/primary.js';

class ServerSpace implements Holder {
  readonly primary: Primary;
  readonly #held: Update[] = [];
  isCommitting = true;
  /** False: commits are made and kept to itself. */
  isTelling = true;
  /** Entries up to here are no longer kept. */
  keptFrom = 0;
  /** Nobody may write; who writes is told so. */
  isReadOnly = false;

  constructor(app: AppDefinition, history: string, user: () => string | undefined) {
    this.primary = new Primary(app, history, { user });
  }

  commit(): void {
    this.primary.receive(this.#held.splice(0));
    while (this.primary.commit(0));
  }

  summary() {
    const vector: Record<ReplicaId, number> = {};
    for (const { id } of this.#held) vector[id.replica] = id.seq;
    return { history: this.primary.history, csn: this.primary.csn, vector };
  }

  settledSeq(replica: string): number {
    // reason: a name from outside; an unknown one has settled nothing.
    return this.primary.settledSeq(replica as ReplicaId);
  }

  /** What is held back is not committed under a number for long: the settled ones do. */
  newestOf(replica: ReplicaId): Mark | undefined {
    return this.primary.newestOf(replica);
  }

  entriesAfter(csn: number, entriesMax: number) {
    if (!this.isTelling) return [];
    if (csn < this.keptFrom) return 'trimmed' as const;
    return this.primary.entries.slice(csn, csn + entriesMax);
  }

  tentativeAfter(cursor: number) {
    return { updates: this.#held.slice(cursor), cursor: this.#held.length };
  }

  snapshot() {
    const { pages, ...head } = this.primary.base();
    return { ...head, pages: () => pages[Symbol.iterator]() };
  }

  receiveUpdates(updates: readonly Update[]): Reception {
    if (this.isReadOnly) return { kind: 'refused', code: 'forbidden', message: 'You may only read.' };
    this.#held.push(...updates);
    if (this.isCommitting) this.commit();
    return { kind: 'ok' };
  }

  receiveCommits() {
    return { kind: 'refused', code: 'not-primary', message: 'No.' } as const;
  }

  havePages() {
    return [];
  }

  pageByHash() {
    return undefined;
  }

  receiveBase(_base: ReceivedBase) {
    return { kind: 'refused', code: 'not-primary', message: 'No.' } as const;
  }
}

interface Client {
  readonly link: Link;
  readonly exchanges: LinkExchanges;
  replica: ReplicaId | undefined;
}

type Refusal = Omit<Fail, 'kind' | 'space'>;

export class TestServer {
  readonly #app: AppDefinition;
  readonly #spaces = new Map<SpaceId, ServerSpace>();
  readonly #clients = new Set<Client>();
  readonly heard: Message[] = [];
  history = 'one';
  /** Everybody's; undefined: one per replica. */
  user: string | undefined;
  /** Nobody listens. */
  isDown = false;
  /** What a hello is answered with instead of a welcome. */
  refuseHello: ((hello: Hello) => Refusal | undefined) | undefined;
  /** Says nothing to whoever asks how new a read must be. */
  isSilentAboutReads = false;
  /** What an open is answered with. */
  refuseOpen: ((space: SpaceId) => { code: string; message: string } | undefined) | undefined;

  constructor(app: AppDefinition) {
    this.#app = app;
  }

  space(name: string): ServerSpace {
    // reason: tests name their spaces.
    const id = name as SpaceId;
    const space = this.#spaces.get(id) ?? new ServerSpace(this.#app, this.history, () => this.user);
    this.#spaces.set(id, space);
    return space;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  readonly accept = (link: Link): LinkEvents | undefined => {
    if (this.isDown) return undefined;
    const client: Client = {
      link, replica: undefined, exchanges: this.#exchanges(link, () => client.replica),
    };
    this.#clients.add(client);
    return {
      opened: () => undefined,
      received: (frame) => this.#hear(client, frame),
      closed: () => this.#clients.delete(client),
    };
  };

  /** Commits what was held back, and tells everyone. */
  commit(name: string): void {
    this.space(name).commit();
    this.#tellAll();
  }

  /** Takes over from another node of the same service: all that is committed there is so here. */
  adopt(other: TestServer): void {
    this.history = other.history;
    for (const [id, space] of other.#spaces) this.#spaces.set(id, space);
  }

  stop(): void {
    this.isDown = true;
    for (const { link } of this.#clients) link.close();
  }

  say(frame: string): void {
    for (const { link } of this.#clients) link.send(frame);
  }

  #hear(client: Client, frame: string): void {
    const message = decodeMessage(frame);
    this.heard.push(message);
    switch (message.kind) {
      case 'hello':
        this.#supersede(message.replica);
        client.replica = message.replica;
        return this.#greet(client.link, message);
      case 'ping': return client.link.send(encodeMessage({ kind: 'pong' }));
      case 'pong':
      case 'welcome': return;
      case 'barrier': {
        const { space, id } = message;
        if (this.isSilentAboutReads) return;
        const { csn } = this.space(space).primary;
        return client.link.send(encodeMessage({ kind: 'barrier-at', space, id, csn }));
      }
      default: {
        // reason: what is left is of a space, or an ack.
        client.exchanges.onMessage(message as SpaceMessage, frame.length, 0);
        this.#tellAll();
      }
    }
  }

  /**
   * One link per replica, as the real one has it: what the former still carries arrives no more.
   */
  #supersede(replica: ReplicaId): void {
    for (const former of this.#clients) {
      if (former.replica !== replica) continue;
      const message = 'The replica has a newer link.';
      former.link.send(encodeMessage({ kind: 'fail', code: 'superseded', message, retryMs: 2_000 }));
      former.link.close();
      this.#clients.delete(former);
    }
  }

  #greet(link: Link, hello: Hello): void {
    const refusal = this.refuseHello?.(hello);
    if (refusal !== undefined) return link.send(encodeMessage({ kind: 'fail', ...refusal }));
    const user = this.user ?? userOf(hello.replica);
    link.send(encodeMessage({ kind: 'welcome', version: hello.versions[1], replica: hello.replica, user }));
  }

  #exchanges(link: Link, peer: () => ReplicaId | undefined): LinkExchanges {
    const exchanges: LinkExchanges = new LinkExchanges({
      send: (frame) => link.send(frame),
      wanted: (space) => {
        const refusal = this.refuseOpen?.(space);
        if (refusal !== undefined) exchanges.refuse(space, refusal.code, refusal.message);
        else exchanges.open(space, { holder: this.space(space), wants: 'updates', peer: peer() });
      },
      failed: () => undefined,
      left: () => undefined,
      pumpSoon: () => undefined,
    });
    return exchanges;
  }

  #tellAll(): void {
    for (const { exchanges } of this.#clients) {
      for (const space of exchanges.spaces) exchanges.changed(space);
      exchanges.pump(0);
    }
  }
}
