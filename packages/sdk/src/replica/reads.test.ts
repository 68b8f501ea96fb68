import { describe, expect, it } from 'vitest';
import {
  encodeMessage, limits, PROTOCOL_NEWEST, type CommitEntry, type Message, type ReplicaId, type SpaceId,
} from '../protocol/index.js';
import { ReplicaMachine } from './machine.js';
import { shelfApp as app } from './testing/shelf-app.js';
import { Recorder } from './testing/recorder.js';

// reason: tests name their spaces and replicas.
const ROOM = 'room' as SpaceId;
// reason: as above.
const BOB = 'bob' as ReplicaId;
const EMPTY = { meta: [], updates: [], entries: [], pages: [] };

const entryAt = (csn: number): CommitEntry => ({
  csn, at: csn, id: { replica: BOB, seq: csn }, lamport: csn, user: 'bob', outcome: { kind: 'applied' },
  effects: [{ table: 'item', key: `s:i${csn}`, row: { id: `i${csn}`, shelf: 'a', rank: csn } }],
  body: { context: { csn: csn - 1, vector: {} }, name: 'put', version: 1, args: {}, at: csn },
});

/** A replica with one open space, and the server by hand. */
class Bench {
  readonly out = new Recorder();
  readonly machine: ReplicaMachine<typeof app>;
  now = 0;
  #link = 0;
  #round = 0;

  constructor() {
    let ids = 0;
    this.machine = new ReplicaMachine({
      app, dev: false, seed: 1, newId: () => `fresh-${++ids}`, out: this.out,
      transports: [{ name: 'wire', hasToken: false }], profile: undefined,
    });
    this.machine.openSpace(ROOM, EMPTY, 0);
    this.settle();
  }

  connect(version = PROTOCOL_NEWEST): this {
    this.machine.goOnline(this.now);
    this.#link = this.out.takeOne('connect').link;
    this.machine.linkOpened(this.#link, this.now);
    this.say({ kind: 'welcome', version, replica: this.machine.replica, user: 'ann' });
    return this;
  }

  opened(csn = 0): this {
    this.#round++;
    const summary = { history: 'one', csn, vector: {} };
    this.say({ kind: 'opened', space: ROOM, round: 1, settledSeq: 0, completion: 0, summary });
    return this;
  }

  cut(): void {
    this.machine.linkClosed(this.#link, 'code 1006', this.now);
    this.settle();
  }

  commit(...csns: number[]): void {
    this.say({ kind: 'commits', space: ROOM, history: 'one', entries: csns.map(entryAt) });
  }

  say(message: Message): void {
    this.machine.frame(this.#link, encodeMessage(message), this.now);
    this.#flush();
  }

  /** Starts a read. Answers what it has seen so far: the csn of the base when it was ready. */
  read(): { seen: number[]; stop: () => void } {
    const seen: number[] = [];
    const stop = this.machine.read(ROOM, () => {
      seen.push(this.machine.space(ROOM)?.summary().csn ?? -1);
    });
    return { seen, stop };
  }

  /** Numbers of the barriers that were asked for since the last look. */
  barriers(): number[] {
    this.#flush();
    return this.settle().flatMap((one) =>
      (one.kind === 'send' && one.message.kind === 'barrier' ? [one.message.id] : []));
  }

  settle() {
    this.#flush();
    const asked = this.out.take();
    for (const one of asked) if (one.kind === 'persist') this.machine.persisted(one.token, this.now);
    return asked;
  }

  #flush(): void {
    if (!this.out.flushAsked) return;
    this.out.flushAsked = false;
    this.machine.flush(this.now);
  }
}

describe('linearizable reads', () => {
  it('wait for the answer, and for the commits that it names', () => {
    const bench = new Bench().connect().opened();
    const { seen } = bench.read();
    const [id = 0] = bench.barriers();
    bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 2 });
    expect(seen).toEqual([]);
    bench.commit(1);
    expect(seen).toEqual([]);
    bench.commit(2);
    expect(seen).toEqual([2]);
    bench.commit(3);
    expect(seen).toEqual([2]);
  });

  it('are answered at once by an answer that names nothing new', () => {
    const bench = new Bench().connect().opened();
    bench.commit(1);
    const { seen } = bench.read();
    const [id = 0] = bench.barriers();
    bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 1 });
    expect(seen).toEqual([1]);
  });

  it('of a space that was never written are ready at csn 0', () => {
    const bench = new Bench().connect().opened();
    const { seen } = bench.read();
    const [id = 0] = bench.barriers();
    bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 0 });
    expect(seen).toEqual([0]);
  });

  it('share a question within a turn, and never one that is under way', () => {
    const bench = new Bench().connect().opened();
    const [first, second] = [bench.read(), bench.read()];
    const asked = bench.barriers();
    expect(asked).toHaveLength(1);
    const late = bench.read();
    const askedLate = bench.barriers();
    expect(askedLate).toHaveLength(1);
    bench.say({ kind: 'barrier-at', space: ROOM, id: asked[0] ?? 0, csn: 0 });
    expect([first.seen, second.seen, late.seen]).toEqual([[0], [0], []]);
    bench.say({ kind: 'barrier-at', space: ROOM, id: askedLate[0] ?? 0, csn: 0 });
    expect(late.seen).toEqual([0]);
  });

  it('are asked once the space is open on the link, not before', () => {
    const bench = new Bench();
    const { seen } = bench.read();
    expect(bench.barriers()).toEqual([]);
    bench.connect();
    expect(bench.barriers()).toEqual([]);
    bench.opened();
    const [id = 0] = bench.barriers();
    bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 0 });
    expect(seen).toEqual([0]);
  });

  it('outlive their link: they are asked again on the next', () => {
    const bench = new Bench().connect().opened();
    const { seen } = bench.read();
    const [id = 0] = bench.barriers();
    bench.cut();
    bench.connect().opened();
    const [again = 0] = bench.barriers();
    expect(again).toBeGreaterThan(id);
    // The old answer comes by the wrong link, to nobody.
    bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 0 });
    expect(seen).toEqual([]);
    bench.say({ kind: 'barrier-at', space: ROOM, id: again, csn: 0 });
    expect(seen).toEqual([0]);
  });

  it('keep an answer over the end of its link: commits are never taken back', () => {
    const bench = new Bench().connect().opened();
    const { seen } = bench.read();
    const [id = 0] = bench.barriers();
    bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 1 });
    bench.cut();
    bench.connect().opened(1);
    expect(bench.barriers()).toEqual([]);
    bench.commit(1);
    expect(seen).toEqual([1]);
  });

  it('are asked again after a pause when the server could not tell', () => {
    const bench = new Bench().connect().opened();
    const { seen } = bench.read();
    const [id = 0] = bench.barriers();
    bench.say({ kind: 'barrier-failed', space: ROOM, id, code: 'not-leader' });
    expect(bench.barriers()).toEqual([]);
    bench.now += limits.barrierRetryMs;
    bench.machine.tick(bench.now);
    const [again = 0] = bench.barriers();
    bench.say({ kind: 'barrier-at', space: ROOM, id: again, csn: 0 });
    expect(seen).toEqual([0]);
  });

  it('that nobody waits for any more are not asked, and not answered', () => {
    const bench = new Bench().connect().opened();
    bench.read().stop();
    expect(bench.barriers()).toEqual([]);
    const { seen, stop } = bench.read();
    const [id = 0] = bench.barriers();
    stop();
    bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 0 });
    expect(seen).toEqual([]);
  });

  it('are never sent to a server that does not know them', () => {
    const bench = new Bench().connect(1).opened();
    bench.read();
    expect(bench.barriers()).toEqual([]);
  });

  it('keep the questions on a link within their bound, and ask the rest as answers come', () => {
    const bench = new Bench().connect().opened();
    const reads = Array.from({ length: limits.barriersPerLinkMax + 5 }, () => {
      const read = bench.read();
      bench.machine.flush(bench.now);
      return read;
    });
    const asked = bench.barriers();
    expect(asked).toHaveLength(limits.barriersPerLinkMax);
    bench.say({ kind: 'barrier-at', space: ROOM, id: asked[0] ?? 0, csn: 0 });
    // The five that had to wait share one.
    const rest = bench.barriers();
    expect(rest).toHaveLength(1);
    for (const id of [...asked.slice(1), ...rest]) {
      bench.say({ kind: 'barrier-at', space: ROOM, id, csn: 0 });
    }
    expect(reads.every(({ seen }) => seen.length === 1)).toBe(true);
  });

  it('are bounded in number', () => {
    const bench = new Bench();
    for (let i = 0; i < limits.readsWaitingMax; i++) bench.read();
    expect(() => bench.read()).toThrow(expect.objectContaining({ code: 'too-many-reads' }));
  });

  it('asked of a replica are refused: it decides nothing', () => {
    const bench = new Bench().connect().opened();
    bench.settle();
    bench.say({ kind: 'barrier', space: ROOM, id: 7 });
    expect(bench.settle()).toContainEqual({
      kind: 'send', link: expect.anything(),
      message: { kind: 'barrier-failed', space: ROOM, id: 7, code: 'not-primary' },
    });
  });
});
