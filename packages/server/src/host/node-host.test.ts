import { expect, test } from 'vitest';
import { encodeMessage, type Message, type OxbowError, type ReplicaId, type SpaceId } from '@oxbow/sdk/protocol';
import { silentLogger } from '../drivers/log.js';
import type { ServerLinkEvents } from '../drivers/server-link.js';
import { MemoryDisk, MemoryStore } from '../drivers/testing/memory-store.js';
import { app } from '../drivers/testing/test-app.js';
import type { SegmentDirectory, SegmentFile } from '../log/append-file.js';
import { foundAlone } from '../log/founding.js';
import { PaxosLog } from '../log/paxos-log.js';
import { SegmentLog } from '../log/segment-log.js';
import type { MemberId } from '../paxos/ballot.js';
import type { StateStore } from '../space/state-store.js';
import { NodeHost } from './node-host.js';
import { Wake } from './wake.js';

test('after a failed sync nothing is acknowledged, links end, the owner is told once', () => {
  const node = new TestNode();
  node.start();
  const ann = node.connect();
  ann.hello();
  node.run();
  ann.say(open);
  node.run();
  ann.say(updates(1));
  node.run();
  expect(ann.kinds()).toContain('commits');
  const before = ann.heard.length;

  node.disk.isBroken = true;
  ann.say(updates(2));
  node.run();
  expect(ann.heard.slice(before).filter((frame) => frame.includes('"commits"'))).toEqual([]);
  expect(ann.ended).toBe('server-failed');
  expect(node.failures.map(({ code }) => code)).toEqual(['log-failed']);
  expect(node.host.state).toBe('failed');

  const late = node.connect();
  late.say(updates(3));
  node.run();
  expect(late.ended).toBe('server-stopping');
});

test('a store that fails stops the node, too', () => {
  const node = new TestNode();
  node.start();
  node.failApply = new Error('MDB_MAP_FULL');
  const ann = node.connect();
  ann.hello();
  node.run();
  ann.say(open);
  node.run();
  ann.say(updates(1));
  node.run();
  expect(node.failures).toHaveLength(1);
  expect(ann.ended).toBe('server-failed');
});

test('frames that arrive in one turn share one sync of the log', () => {
  const node = new TestNode();
  node.start();
  const clients = Array.from({ length: 5 }, () => node.connect());
  for (const client of clients) client.hello();
  node.run();
  for (const client of clients) client.say(open);
  node.run();
  const { syncs } = node.disk;
  for (const client of clients) client.say(updates(1));
  node.run();
  expect(node.disk.syncs).toBe(syncs + 1);
  for (const client of clients) expect(client.kinds()).toContain('commits');
});

test('a stop waits for what is in flight, then closes log and store', () => {
  const node = new TestNode();
  node.start();
  const ann = node.connect();
  ann.hello();
  node.run();
  ann.say(open);
  node.run();
  ann.say(updates(1));
  let isStopped = false;
  node.host.stop(() => (isStopped = true));
  expect(isStopped).toBe(false);
  node.run();
  expect(isStopped).toBe(true);
  expect(ann.kinds()).toContain('commits');
  expect(ann.heard.at(-1)).toContain('server-stopping');
  expect(node.host.state).toBe('stopped');
});

test('a stop under which the disk fails ends all the same, and acknowledges nothing', () => {
  const node = new TestNode();
  node.start();
  const ann = node.connect();
  ann.hello();
  node.run();
  ann.say(open);
  node.run();
  ann.say(updates(1));
  node.disk.isBroken = true;
  let isStopped = false;
  node.host.stop(() => (isStopped = true));
  node.run();
  expect([isStopped, node.host.state]).toEqual([true, 'failed']);
  expect(ann.kinds()).not.toContain('commits');
});

test('a link before the start is told to come back', () => {
  const node = new TestNode();
  node.host.start();
  expect(node.connect().ended).toBe('server-starting');
});

test('the alarm clock keeps an early timer, moves a late one, and rings once', () => {
  const world = new TestWorld();
  let rung: number[] = [];
  const wake = new Wake(world, () => rung.push(world.nowMs));
  wake.at(100);
  wake.at(300);
  wake.at(200);
  world.run();
  expect(rung).toEqual([200]);
  rung = [];
  wake.at(500);
  wake.at(400);
  world.run();
  expect(rung).toEqual([400]);
  wake.at(900);
  wake.at(undefined);
  world.run();
  expect(rung).toEqual([400]);
});

const SPACE = 'team' as SpaceId;
const SELF = { id: 'a.1' as MemberId, name: 'a', peerAddress: '', clientUrl: '' };
const open: Message = {
  kind: 'open', space: SPACE, round: 1, wants: 'all',
  summary: { history: '', csn: 0, vector: {} }, settledSeq: 0,
};

interface Task {
  readonly atMs: number;
  readonly task: () => void;
}

/** Virtual time: tasks in order, nothing in the turn of its call. */
class TestWorld {
  nowMs = 0;
  #tasks: Task[] = [];

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { atMs: this.nowMs + delayMs, task };
    this.#tasks.push(entry);
    return () => (this.#tasks = this.#tasks.filter((other) => other !== entry));
  }

  readonly soon = (task: () => void): void => void this.after(0, task);

  /** Everything that is due within a second. */
  run(): void {
    const endMs = this.nowMs + 1_000;
    for (;;) {
      const next = this.#tasks.reduce<Task | undefined>(
        (first, entry) => (first === undefined || entry.atMs < first.atMs ? entry : first), undefined);
      if (next === undefined || next.atMs > endMs) break;
      this.#tasks = this.#tasks.filter((entry) => entry !== next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.task();
    }
  }
}

/** Segments in memory that can be told to fail, and that count syncs. */
class BreakableDisk implements SegmentDirectory {
  isBroken = false;
  syncs = 0;
  readonly #soon: (task: () => void) => void;

  constructor(soon: (task: () => void) => void) {
    this.#soon = soon;
  }

  list(done: (names: readonly string[]) => void): void {
    this.#soon(() => done([]));
  }

  read(_name: string, done: (bytes: Uint8Array) => void): void {
    this.#soon(() => done(new Uint8Array(0)));
  }

  open(name: string, _sizeBytes: number, done: (file: SegmentFile) => void): void {
    const file: SegmentFile = {
      name,
      write: () => undefined,
      sync: (synced) => {
        this.syncs += 1;
        this.#soon(() => synced(this.isBroken ? new Error('EIO') : undefined));
      },
      close: () => undefined,
    };
    this.#soon(() => done(file));
  }

  rename(_name: string, _newName: string, done: () => void): void {
    this.#soon(done);
  }

  remove(_name: string, done: () => void): void {
    this.#soon(done);
  }
}

class TestNode {
  readonly world = new TestWorld();
  readonly disk = new BreakableDisk(this.world.soon);
  readonly failures: OxbowError[] = [];
  failApply: Error | undefined;
  readonly host: NodeHost;
  #clients = 0;

  constructor() {
    const memory = new MemoryStore(new MemoryDisk({ history: 'h' }), this.world.soon);
    const store: StateStore = {
      opened: (done) => memory.opened(done),
      load: (space, done) => memory.load(space, done),
      apply: (slot, batches, done) => memory.apply(slot, batches, () => done(this.failApply)),
      close: (done) => memory.close(done),
      bind: (cluster, done) => memory.bind(cluster, done),
      exportState: (done) => memory.exportState(done),
      exportAt: (slot, done) => memory.exportAt(slot, done),
      importState: (head, done) => memory.importState(head, done),
      setAside: (done) => memory.setAside(done),
    };
    this.host = new NodeHost({
      app, store, dev: true, logger: silentLogger,
      clock: this.world,
      log: new PaxosLog({
        wal: new SegmentLog(this.disk),
        clock: { monotonicMs: () => this.world.nowMs, after: (ms, task) => this.world.after(ms, task) },
        random: () => 0.5,
        form: (slot, done) => done(foundAlone({ cluster: 'h', slot, self: SELF })),
      }),
      verifier: {
        warnings: [],
        verify: (_token, _replica, done) =>
          this.world.soon(() => done({ user: 'ann', spaces: { '*': 'rw' } })),
      },
    }, { ready: () => undefined, failed: (error) => this.failures.push(error) });
  }

  start(): void {
    this.host.start();
    this.run();
    expect(this.host.state).toBe('ready');
  }

  connect(): TestClient {
    return new TestClient(this, `replica-${++this.#clients}`);
  }

  run(): void {
    this.world.run();
  }
}

class TestClient {
  readonly heard: string[] = [];
  ended: string | undefined;
  readonly #events: ServerLinkEvents;
  readonly #replica: string;

  constructor(node: TestNode, replica: string) {
    this.#replica = replica;
    this.#events = node.host.accept({
      send: (frame) => this.heard.push(frame),
      close: (code) => (this.ended = code),
    });
  }

  hello(): void {
    this.say({
      kind: 'hello', versions: [1, 1], app: 'test', appVersion: 1, replica: this.#replica as ReplicaId, token: 'x',
    });
  }

  say(message: Message | ((replica: string) => Message)): void {
    const said = typeof message === 'function' ? message(this.#replica) : message;
    this.#events.received(encodeMessage(said));
  }

  kinds(): string[] {
    return this.heard.map((frame) => /"kind":"(\w+)"/.exec(frame)?.[1] ?? '');
  }
}

function updates(seq: number): (replica: string) => Message {
  return (replica) => ({
    kind: 'updates', space: SPACE, updates: [{
      id: { replica: replica as ReplicaId, seq }, lamport: seq, context: { csn: 0, vector: {} },
      name: 'put', version: 1, args: { id: 'a', text: 'b' }, at: 1_700_000_000_000,
    }],
  });
}
