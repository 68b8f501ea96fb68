/**
 * A node with its log and store in memory and clients that speak frames by hand: all in one turn,
 * no time passes by itself.
 */
import {
  OxbowError, decodeMessage, encodeMessage, protocolVersions,
} from '@oxbow/sdk/protocol';
import type {
  CommitEntry, Commits, Message, ReplicaId, SpaceId, Summary, Update,
} from '@oxbow/sdk/protocol';
import { foundAlone } from '../../log/founding.js';
import { PaxosLog } from '../../log/paxos-log.js';
import { SegmentLog } from '../../log/segment-log.js';
import { MemorySegments } from '../../log/testing/memory-segments.js';
import type { MemberId } from '../../paxos/ballot.js';
import type { Claims, LinkId, NodeEffects, Refusal } from '../effects.js';
import { nodeLimits } from '../limits.js';
import type { NodeLimits } from '../limits.js';
import { NodeMachine } from '../machine.js';
import { testApp } from './test-app.js';
import { TestStore } from './test-store.js';

export const HISTORY = 'history-1';
// reason: names in tests are what they are.
export const replicaOf = (name: string): ReplicaId => name as ReplicaId;
// reason: as above.
export const spaceOf = (name: string): SpaceId => name as SpaceId;

export class TestServer {
  readonly disk: MemorySegments;
  readonly store: TestStore;
  readonly limits: NodeLimits;
  /** token → what it says. */
  readonly tokens = new Map<string, Claims | Refusal>();
  readonly heard = new Map<LinkId, Message[]>();
  readonly frames = new Map<LinkId, string[]>();
  readonly closed = new Map<LinkId, string>();
  readonly logged: { level: string; event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  readonly counts = new Map<string, number>();
  now = 1_000_000;
  machine: NodeMachine;
  log: PaxosLog;
  wakeAtMs: number | undefined;
  isDrained = false;
  fatal: Error | undefined;
  loads: SpaceId[] = [];
  /**
   * Questions to the log that wait for their answer; answered by `settle` unless `holdsBarriers`.
   */
  barriers: number[] = [];
  holdsBarriers = false;
  #nextLink = 1;
  #isTurnAsked = false;
  #verifying: (() => void)[] = [];

  readonly #segmentBytes: number;

  constructor(options: {
    limits?: Partial<NodeLimits>; disk?: MemorySegments; store?: TestStore; segmentBytes?: number;
  } = {}) {
    this.limits = { ...nodeLimits, ...options.limits };
    this.#segmentBytes = options.segmentBytes ?? 4 * 1024 * 1024;
    this.disk = options.disk ?? new MemorySegments();
    this.store = options.store ?? new TestStore();
    this.log = this.#newLog();
    this.machine = new NodeMachine(
      {
        app: testApp, history: HISTORY, appliedSlot: this.store.appliedSlot, dev: false,
        utf8: {
          encode: (text) => new TextEncoder().encode(text),
          decode: (bytes) => new TextDecoder().decode(bytes),
        },
        limits: this.limits,
      },
      this.#effects(),
    );
  }

  /** Recovers, and leads. */
  start(): this {
    this.log.start({ slot: this.store.appliedSlot, cluster: undefined, base: undefined }, {
      onJoined: () => undefined,
      onChosen: (slot, payload, tag) => this.machine.chosen(slot, payload, tag, this.now),
      onLeadership: (leadership) => this.machine.leadership(leadership, this.now),
      onConfigured: () => undefined,
      onStateNeeded: () => undefined,
      onStateReplaced: (slot) => this.machine.stateReplaced(slot, this.now),
      onLost: (error) => (this.fatal = error),
      onFatal: (error) => (this.fatal = error),
    });
    this.settle();
    return this;
  }

  /** A group of one, in which nothing ever waits for time to pass. */
  #newLog(): PaxosLog {
    return new PaxosLog({
      wal: new SegmentLog(this.disk, {
        segmentBytes: this.#segmentBytes,
        payloadBytesMax: this.#segmentBytes - 1_024,
        inFlightBytesMax: 2 * nodeLimits.bytesInFlightMax,
      }),
      clock: { monotonicMs: () => this.now, after: () => () => undefined },
      random: () => 0.5,
      // reason: names in tests are what they are.
      form: (slot, done) => done(foundAlone({ cluster: HISTORY, slot, self: {
        id: 'a.1' as MemberId, name: 'a', peerAddress: '', clientUrl: '',
      } })),
    });
  }

  /** A later run on the same disk and store. */
  restarted(): TestServer {
    const next = new TestServer({
      limits: this.limits, disk: this.disk, store: this.store, segmentBytes: this.#segmentBytes,
    });
    next.now = this.now;
    for (const [token, claims] of this.tokens) next.tokens.set(token, claims);
    return next.start();
  }

  endTurn(): boolean {
    for (const answer of this.#verifying.splice(0)) answer();
    const wasAsked = this.#isTurnAsked;
    this.#isTurnAsked = false;
    if (wasAsked) this.machine.endTurn(this.now);
    return wasAsked;
  }

  settle(): void {
    for (let i = 0; ; i++) {
      const moved = [
        this.endTurn(), this.disk.run(), this.store.run(), this.#answerBarriers(),
      ];
      if (!moved.includes(true)) return;
      if (i > 10_000) throw new Error('the node never comes to rest');
    }
  }

  protected propose(payload: Uint8Array, tag: number): void {
    this.log.propose(payload, tag);
  }

  #answerBarriers(): boolean {
    if (this.holdsBarriers || this.barriers.length === 0) return false;
    for (const tag of this.barriers.splice(0)) {
      this.log.barrier((slot) => this.machine.barrierDone(tag, slot, this.now));
    }
    return true;
  }

  /** Time passes, tick by tick. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.wakeAtMs !== undefined && this.wakeAtMs <= end) {
      this.now = Math.max(this.now, this.wakeAtMs);
      this.machine.tick(this.now);
      this.settle();
    }
    this.now = end;
  }

  /** A link that has said nothing yet. */
  connect(): LinkId {
    const link = this.#nextLink++;
    this.heard.set(link, []);
    this.frames.set(link, []);
    this.machine.linkOpened(link, this.now);
    return link;
  }

  /** A client that has been welcomed. */
  client(replica: string, user = 'ann', claims: Partial<Claims> = {}): TestClient {
    const token = `token-${user}-${this.tokens.size}`;
    this.tokens.set(token, { user, spaces: { '*': 'rw' }, ...claims });
    const client = new TestClient(this, this.connect(), replicaOf(replica));
    client.hello(token);
    this.settle();
    return client;
  }

  #effects(): NodeEffects {
    return {
      send: (link, frame) => {
        if (this.closed.has(link)) throw new Error('sent on a closed link');
        this.frames.get(link)?.push(frame);
        this.heard.get(link)?.push(decodeMessage(frame));
      },
      closeLink: (link, code) => this.closed.set(link, code),
      verify: (link, token) => this.#verifying.push(() => {
        const missing: Refusal = { code: 'token-missing', message: 'no token' };
        const result = token === undefined ? missing : this.tokens.get(token);
        this.machine.verified(link, result ?? { code: 'token-invalid', message: 'bad' }, this.now);
      }),
      loadSpace: (space) => {
        this.loads.push(space);
        this.log.flushed(() => this.store.load(space, (stored) =>
          this.machine.spaceLoaded(space, stored, this.now)));
      },
      propose: (payload, tag) => this.propose(payload, tag),
      apply: (slot, batches) =>
        this.log.flushed(() =>
          this.store.apply(slot, batches, () => this.machine.applied(slot, this.now))),
      barrier: (tag) => this.barriers.push(tag),
      trim: (slot) => this.log.trim(slot),
      wakeAt: (atMs) => (this.wakeAtMs = atMs),
      endTurnSoon: () => {
        if (this.#isTurnAsked) throw new Error('a turn was asked for twice');
        this.#isTurnAsked = true;
      },
      drained: () => (this.isDrained = true),
      log: (level, event, fields) => this.logged.push({ level, event, fields }),
      count: (counter, by) => this.counts.set(counter, (this.counts.get(counter) ?? 0) + by),
      observe: () => undefined,
    };
  }
}

/** Speaks by hand: says what it is told to and remembers what it hears. */
export class TestClient {
  readonly server: TestServer;
  readonly link: LinkId;
  readonly replica: ReplicaId;
  #seq = 0;
  #round = 0;

  constructor(server: TestServer, link: LinkId, replica: ReplicaId) {
    this.server = server;
    this.link = link;
    this.replica = replica;
  }

  get heard(): readonly Message[] {
    return this.server.heard.get(this.link) ?? [];
  }

  get closedWith(): string | undefined {
    return this.server.closed.get(this.link);
  }

  say(message: Message): void {
    this.sayText(encodeMessage(message));
  }

  sayText(frame: string): void {
    this.server.machine.frame(this.link, frame, this.server.now);
  }

  hello(token?: string): void {
    this.say({
      kind: 'hello', versions: protocolVersions, app: 'test', appVersion: 1, replica: this.replica,
      ...(token === undefined ? {} : { token }),
    });
  }

  /** Opens a space from what is held of it, and answers the server's own question. */
  open(space: string, summary: Partial<Summary> = {}): this {
    const full = { history: '', csn: 0, vector: {}, ...summary };
    this.#round += 1;
    const open = { kind: 'open', space: spaceOf(space), round: this.#round } as const;
    this.say({ ...open, wants: 'all', summary: full, settledSeq: 0 });
    this.server.settle();
    for (const message of this.all('open')) {
      if (message.space !== space) continue;
      const { round } = message;
      const opened = { kind: 'opened', space: spaceOf(space), round, settledSeq: 0 } as const;
      this.say({ ...opened, summary: full, completion: 0 });
    }
    this.server.settle();
    return this;
  }

  update(name: string, args: unknown, more: Partial<Update> = {}): Update {
    this.#seq += 1;
    return {
      id: { replica: this.replica, seq: this.#seq }, lamport: this.#seq,
      context: { csn: 0, vector: {} }, name, version: 1, args, at: 5, ...more,
    };
  }

  bring(space: string, ...updates: readonly Update[]): void {
    this.say({ kind: 'updates', space: spaceOf(space), updates });
  }

  all<K extends Message['kind']>(kind: K): Extract<Message, { readonly kind: K }>[] {
    // reason: filtered by kind just here.
    return this.heard.filter((message) => message.kind === kind) as Extract<Message, { readonly kind: K }>[];
  }

  /** Entries of a space that arrived, in the order of their arrival. */
  entries(space: string): CommitEntry[] {
    return this.all('commits').filter((commits: Commits) => commits.space === space)
      .flatMap(({ entries }) => entries);
  }

  get fails(): string[] {
    return this.all('fail').map(({ code }) => code);
  }
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof OxbowError ? error.code : undefined;
