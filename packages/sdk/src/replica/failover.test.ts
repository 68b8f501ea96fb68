/** A service of several nodes, one of which leads: what a session does when the leader goes. */
import { describe, expect, it } from 'vitest';
import { limits, type Fail, type ReplicaId, type Welcome } from '../protocol/index.js';
import { seededRandom } from './backoff.js';
import { Session } from './session.js';
import { Recorder } from './testing/recorder.js';

// reason: a literal of the brand.
const REPLICA = 'replica-1' as ReplicaId;
const WELCOME: Welcome = { kind: 'welcome', version: 2, replica: REPLICA, user: 'ann' };
const [A, B, C] = ['wss://a/sync', 'wss://b/sync', 'wss://c/sync'];
const NOT_LEADER: Fail = { kind: 'fail', code: 'not-leader', message: 'Elsewhere.', retryMs: 100 };

class Bench {
  readonly out = new Recorder();
  readonly session: Session;
  now = 0;
  isWaiting = false;
  healthChanges = 0;
  /** Addresses that were dialled since the last look. */
  #dialled: (string | undefined)[] = [];

  constructor(options: { addresses?: readonly string[]; hasToken?: boolean } = {}) {
    let last = 0;
    const { addresses = [A, B, C], hasToken = false } = options;
    // No draw changes the order: chance is 0 while the addresses are shuffled.
    const random = seededRandom(3);
    let draws = 0;
    this.session = new Session({
      transport: 0, way: { name: 'wire', hasToken, addresses }, app: { name: 'calendar', version: 3 },
      replica: REPLICA, nextNumber: () => ++last, out: this.out,
      random: () => (draws++ < addresses.length ? 0 : random()),
      owner: {
        onLive: () => undefined, onDown: () => undefined, onReplicaRefused: () => undefined,
        onHealth: () => { this.healthChanges++; },
        isWaiting: () => this.isWaiting,
      },
    });
    this.session.hurry(0);
  }

  get dialled(): (string | undefined)[] {
    this.#collect();
    return this.#dialled.splice(0);
  }

  /** The link opens and is welcomed. */
  welcome(): this {
    this.session.linkOpened(this.now);
    this.session.onMessage(WELCOME, this.now);
    this.#collect();
    return this;
  }

  refuse(fail: Fail): this {
    this.session.linkOpened(this.now);
    this.session.onMessage(fail, this.now);
    return this;
  }

  cut(): this {
    this.session.cut('code 1006', this.now);
    return this;
  }

  /** Sleeps until the next deadline. Answers how long that took, ms. */
  wake(): number {
    const atMs = this.session.deadlineMs ?? this.now;
    const waitedMs = atMs - this.now;
    this.now = atMs;
    this.session.tick(atMs);
    return waitedMs;
  }

  /** Time passes, deadline by deadline. */
  pass(ms: number): this {
    const end = this.now + ms;
    for (;;) {
      const atMs = this.session.deadlineMs;
      if (atMs === undefined || atMs > end) break;
      this.now = atMs;
      this.session.tick(atMs);
    }
    this.now = end;
    return this;
  }

  sent(): string[] {
    return this.#collect().flatMap((one) => (one.kind === 'send' ? [one.message.kind] : []));
  }

  #collect() {
    const asked = this.out.take();
    for (const one of asked) if (one.kind === 'connect') this.#dialled.push(one.address);
    return asked;
  }
}

/** Has been live at A for a while. */
function settled(options: { hasToken?: boolean } = {}): Bench {
  const bench = new Bench(options);
  if (options.hasToken === true) giveToken(bench, 't1');
  bench.welcome();
  bench.now = limits.healthyMs;
  expect(bench.dialled).toEqual([A]);
  return bench;
}

function giveToken(bench: Bench, token: string): void {
  bench.session.tokenFor(bench.out.takeOne('askToken').ask, token, bench.now);
}

describe('a session with a service of several nodes', () => {
  it('goes where it is sent, at once', () => {
    const bench = new Bench();
    bench.refuse({ ...NOT_LEADER, redirect: C ?? '' });
    expect(bench.dialled).toEqual([A, C]);
    expect(bench.welcome().session.health).toEqual({ transport: 'wire', state: 'live', address: C });
  });

  it('tries the next at once when a link is cut, and the leader is found without a pause', () => {
    const bench = settled();
    bench.cut();
    expect(bench.dialled).toEqual([B]);
    bench.refuse({ ...NOT_LEADER, redirect: C ?? '' });
    expect(bench.dialled).toEqual([C]);
    expect(bench.welcome().session.isLive).toBe(true);
    expect(bench.now).toBe(limits.healthyMs);
  });

  it('pauses briefly when nobody leads yet, then a little longer each time', () => {
    const bench = settled();
    bench.cut();
    const pauses: number[] = [];
    for (let round = 0; round < 5; round++) {
      while (bench.session.health.state !== 'waiting' && bench.session.link !== undefined) {
        bench.refuse(NOT_LEADER);
      }
      pauses.push(bench.wake());
    }
    expect(pauses[0]).toBeGreaterThanOrEqual(50);
    // A quarter is left to chance above what the node asks for.
    pauses.forEach((pauseMs, round) => expect(pauseMs)
      .toBeLessThanOrEqual(Math.max(125, limits.reconnectMsMin * limits.reconnectGrowth ** round)));
    expect(pauses[4]).toBeGreaterThan(pauses[0] ?? 0);
    // Once each in a round, also the one that was lost: it may be back.
    expect(bench.dialled.slice(0, 6)).toEqual([B, C, A, B, C, A]);
  });

  it('begins with short pauses at each failover, also when one follows soon after the other', () => {
    const bench = settled();
    for (let failover = 0; failover < 8; failover++) {
      bench.cut();
      while (bench.session.link !== undefined) bench.refuse(NOT_LEADER);
      expect(bench.wake()).toBeLessThanOrEqual(125);
      bench.welcome();
      bench.now += limits.resumeMs;
    }
  });

  it('shows nothing but that it resumes, as long as a failover takes', () => {
    const bench = settled();
    bench.cut();
    for (let i = 0; i < 20 && bench.now < limits.healthyMs + limits.resumeMs; i++) {
      expect(bench.session.health.state).toBe('resuming');
      if (bench.session.link === undefined) bench.wake();
      else bench.refuse(NOT_LEADER);
    }
    bench.pass(limits.resumeMs);
    const changes = bench.healthChanges;
    expect(bench.session.health.state).not.toBe('resuming');
    expect(changes).toBeGreaterThan(0);
  });

  it('tells its owner when the time to be quiet about a loss is over', () => {
    const bench = settled();
    bench.cut();
    bench.session.linkOpened(bench.now);
    const before = bench.healthChanges;
    // Nothing else happens: the link hangs in its greeting.
    bench.pass(limits.resumeMs - 1);
    expect(bench.healthChanges).toBe(before);
    bench.pass(1);
    expect(bench.healthChanges).toBeGreaterThan(before);
    expect(bench.session.health.state).toBe('connecting');
  });

  it('says so at once when a link is lost that never lived', () => {
    const bench = new Bench();
    bench.welcome().cut();
    expect(bench.session.health.state).toBe('connecting');
  });

  it('brings the same token wherever it is sent in one round, and asks for a new one in the next', () => {
    const bench = settled({ hasToken: true });
    bench.cut();
    giveToken(bench, 't2');
    bench.session.linkOpened(bench.now);
    expect(bench.out.take()).toMatchObject([
      { kind: 'connect', address: B }, { kind: 'send', message: { token: 't2' } },
    ]);
    bench.session.onMessage({ ...NOT_LEADER, redirect: C ?? '' }, bench.now);
    bench.session.linkOpened(bench.now);
    expect(bench.out.take()).toMatchObject([
      { kind: 'cut' }, { kind: 'connect', address: C }, { kind: 'send', message: { token: 't2' } },
    ]);
    bench.cut();
    bench.cut();
    bench.out.take();
    bench.wake();
    expect(bench.out.take()).toMatchObject([{ kind: 'askToken' }]);
  });

  it('finds out soon that a node hangs while something waits for it, and leaves it', () => {
    const bench = settled();
    bench.session.onMessage({ kind: 'pong' }, bench.now);
    bench.isWaiting = true;
    expect(bench.wake()).toBe(limits.suspectMs);
    expect(bench.sent()).toEqual(['ping']);
    expect(bench.wake()).toBe(limits.suspectAnswerMs);
    expect(bench.dialled).toEqual([B]);
    // Sent back to it, it does not go: it gave no answer.
    bench.refuse({ ...NOT_LEADER, redirect: A ?? '' });
    expect(bench.dialled).toEqual([C]);
  });

  it('asks no more often than ever while nothing waits, or where there is nowhere else to go', () => {
    const idle = settled();
    idle.session.onMessage({ kind: 'pong' }, idle.now);
    expect(idle.wake()).toBe(limits.pingIntervalMs);
    const alone = new Bench({ addresses: [A ?? ''] });
    alone.welcome();
    alone.isWaiting = true;
    expect(alone.wake()).toBe(limits.pingIntervalMs);
  });

  it('gives a node more time to answer after each suspicion that did not help', () => {
    const bench = settled();
    bench.isWaiting = true;
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      bench.session.onMessage({ kind: 'pong' }, bench.now);
      bench.wake();
      times.push(bench.wake());
      while (bench.session.link === undefined) bench.wake();
      bench.welcome();
    }
    expect(times).toEqual([1_500, 1_500, 3_000, 6_000, 12_000]);
  });

  it('begins with the least patience again at a link that has proven itself', () => {
    const bench = new Bench().welcome();
    bench.isWaiting = true;
    // Two links that hang soon; the third is heard for long.
    for (let i = 0; i < 2; i++) {
      bench.wake();
      bench.wake();
      bench.welcome();
    }
    bench.now += limits.healthyMs;
    bench.session.onMessage({ kind: 'pong' }, bench.now);
    expect([bench.wake(), bench.wake()]).toEqual([limits.suspectMs, limits.suspectAnswerMs]);
  });

  it('gives a node that is far away four round trips', () => {
    const bench = new Bench();
    bench.session.linkOpened(bench.now);
    bench.now = 900;
    bench.session.onMessage(WELCOME, bench.now);
    bench.isWaiting = true;
    expect([bench.wake(), bench.wake()]).toEqual([limits.suspectMs, 4 * 900]);
  });

  it('suspects nobody for the time that it stood still itself, but once', () => {
    const bench = settled();
    bench.isWaiting = true;
    bench.session.onMessage({ kind: 'pong' }, bench.now);
    bench.wake();
    const late = (ms: number): void => {
      bench.now = (bench.session.deadlineMs ?? 0) + ms;
      bench.session.tick(bench.now);
    };
    late(5_000);
    expect(bench.session.isLive).toBe(true);
    // The answer had come and waited behind the tick.
    bench.session.onMessage({ kind: 'pong' }, bench.now);
    expect(bench.wake()).toBe(limits.suspectMs);
    late(5_000);
    late(5_000);
    expect(bench.dialled).toEqual([B]);
  });

  it('is elsewhere within three seconds of the last word of a node that hangs', () => {
    const bench = settled();
    bench.isWaiting = true;
    bench.session.onMessage({ kind: 'pong' }, bench.now);
    const from = bench.now;
    while (bench.dialled.length === 0) bench.wake();
    expect(bench.now - from).toBe(2_500);
  });

  it('waits where another node would say the same', () => {
    const bench = settled();
    bench.session.onMessage(
      { kind: 'fail', code: 'superseded', message: 'Newer.', retryMs: 2_000 }, bench.now);
    expect(bench.dialled).toEqual([]);
    expect(bench.session.link).toBeUndefined();
    bench.pass(2_500);
    expect(bench.dialled).toHaveLength(1);
  });

  it('goes on to the next from a node that is busy, starting or stopping, whatever pause that one asks for', () => {
    const bench = new Bench();
    bench.refuse({ kind: 'fail', code: 'server-stopping', message: 'Later.', retryMs: 2_000 });
    bench.refuse({ kind: 'fail', code: 'server-starting', message: 'Later.', retryMs: 2_000 });
    bench.refuse({ ...NOT_LEADER, retryMs: 100 });
    expect(bench.dialled).toEqual([A, B, C]);
    expect(bench.wake()).toBeLessThanOrEqual(125);
  });

  it('does not hop when it is itself that cannot go on', () => {
    const bench = settled();
    bench.session.rest('the disk has to catch up first', bench.now);
    expect(bench.dialled).toEqual([]);
    expect(bench.session.health.state).toBe('resuming');
  });

  it('is sent on from a live link, too: its leader hands over', () => {
    const bench = settled();
    bench.session.onMessage({ ...NOT_LEADER, redirect: B ?? '' }, bench.now);
    expect(bench.dialled).toEqual([B]);
    expect(bench.session.health.state).toBe('resuming');
    expect(bench.welcome().session.health).toMatchObject({ state: 'live', address: B });
  });
});
