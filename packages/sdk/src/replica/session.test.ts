import { describe, expect, it } from 'vitest';
import { limits, OxbowError, protocolVersions, type ReplicaId, type Welcome } from '../protocol/index.js';
import { seededRandom } from './backoff.js';
import { Session } from './session.js';
import { Recorder } from './testing/recorder.js';

// reason: a literal of the brand.
const REPLICA = 'replica-1' as ReplicaId;
const WELCOME: Welcome = { kind: 'welcome', version: 1, replica: REPLICA, user: 'ann' };

interface Options {
  readonly hasToken?: boolean;
  readonly addresses?: readonly string[];
}

function started(options: Options = {}) {
  const waiting = { is: false };
  const out = new Recorder();
  const told: string[] = [];
  let last = 0;
  const session = new Session({
    transport: 0, way: { name: 'wire', hasToken: options.hasToken ?? false, addresses: options.addresses ?? [] }, app: { name: 'calendar', version: 3 },
    replica: REPLICA, nextNumber: () => ++last, random: seededRandom(7), out,
    owner: {
      onLive: (_session, link, welcome) => told.push(`live ${link} ${welcome.user}`),
      onDown: (link) => told.push(`down ${link}`),
      onReplicaRefused: () => told.push('replica refused'),
      onHealth: () => undefined,
      isWaiting: () => waiting.is,
    },
  });
  session.hurry(0);
  return { session, out, told, waiting };
}

function live(options: Options = {}) {
  const all = started(options);
  if (options.hasToken === true) all.session.tokenFor(all.out.takeOne('askToken').ask, 't1', 0);
  const { link } = all.out.takeOne('connect');
  all.session.linkOpened(1);
  all.session.onMessage(WELCOME, 2);
  all.out.take();
  return { ...all, link };
}

describe('the life of a link', () => {
  it('greets first, with its token, and is live when welcomed', () => {
    const { session, out, told } = started({ hasToken: true });
    session.tokenFor(out.takeOne('askToken').ask, 't1', 0);
    const { link } = out.takeOne('connect');
    session.linkOpened(1);
    expect(out.takeOne('send').message).toEqual({
      kind: 'hello', versions: protocolVersions, app: 'calendar', appVersion: 3, replica: REPLICA, token: 't1',
    });
    session.onMessage(WELCOME, 2);
    expect(told).toEqual([`live ${link} ann`]);
    expect(session.health).toEqual({ transport: 'wire', state: 'live' });
  });

  it('gives up on a connection, a welcome or a token that does not come in time', () => {
    const connecting = started();
    connecting.session.tick(limits.connectTimeoutMs);
    expect(connecting.out.take().map(({ kind }) => kind)).toEqual(['connect', 'cut']);
    const greeting = started();
    greeting.session.linkOpened(0);
    greeting.session.tick(limits.helloTimeoutMs);
    expect(greeting.session.health).toMatchObject({ state: 'waiting', reason: 'no welcome in time' });
    const asking = started({ hasToken: true });
    asking.session.tick(limits.tokenTimeoutMs);
    expect(asking.session.health.state).toBe('waiting');
  });

  it('waits longer after each failure, within the bound, and never the same for all', () => {
    const { session } = started();
    const waits: number[] = [];
    let now = 0;
    for (let attempt = 0; attempt < 12; attempt++) {
      session.cut('refused', now);
      const until = session.deadlineMs ?? 0;
      waits.push(until - now);
      now = until;
      session.tick(now);
    }
    waits.forEach((waitMs, attempt) => {
      const spanMs = Math.min(limits.reconnectMsMax, limits.reconnectMsMin * limits.reconnectGrowth ** attempt);
      expect(waitMs).toBeGreaterThanOrEqual(spanMs / 2);
      expect(waitMs).toBeLessThanOrEqual(spanMs);
    });
    expect(new Set(waits.slice(8)).size).toBeGreaterThan(1);
  });

  it('starts a new count of failures after a link that lived for long', () => {
    const { session, told, link } = live();
    session.cut('gone', 2 + limits.healthyMs);
    expect((session.deadlineMs ?? 0) - 2 - limits.healthyMs).toBeLessThanOrEqual(limits.reconnectMsMin);
    expect(told).toContain(`down ${link}`);
  });

  it('asks after silence and cuts when nothing answers, whatever the socket says', () => {
    const { session, out } = live();
    session.tick(2 + limits.pingIntervalMs);
    expect(out.takeOne('send').message).toEqual({ kind: 'ping' });
    session.onMessage({ kind: 'pong' }, 20_000);
    session.tick(20_000 + limits.pingIntervalMs);
    out.take();
    session.tick(20_000 + limits.pingIntervalMs + limits.pongTimeoutMs);
    expect(out.takeOne('cut').reason).toBe('no answer to a ping');
  });

  it('answers a ping', () => {
    const { session, out } = live();
    session.onMessage({ kind: 'ping' }, 3);
    expect(out.takeOne('send').message).toEqual({ kind: 'pong' });
  });

  it('probes a link that looks alive when the network may have changed', () => {
    const { session, out } = live();
    session.hurry(100);
    expect(out.takeOne('send').message).toEqual({ kind: 'ping' });
    session.tick(100 + limits.probeMs);
    expect(out.takeOne('cut').reason).toBe('no answer to a ping');
  });

  it('tries at once when hurried while it waits', () => {
    const { session, out } = started();
    session.cut('refused', 0);
    out.take();
    session.hurry(1);
    expect(out.takeOne('connect').transport).toBe(0);
  });

  it('asks once for a new token when the old one has expired, then treats it as refused', () => {
    const { session, out } = live({ hasToken: true });
    session.onMessage({ kind: 'fail', code: 'token-expired', message: 'old' }, 3);
    const asked = out.take();
    expect(asked.map(({ kind }) => kind)).toEqual(['cut', 'askToken']);
    const [, ask] = asked;
    if (ask?.kind !== 'askToken') throw new Error('no question');
    session.tokenFor(ask.ask, 't2', 4);
    session.linkOpened(5);
    session.onMessage({ kind: 'fail', code: 'token-expired', message: 'old' }, 6);
    expect(session.health).toMatchObject({ state: 'refused', code: 'token-expired' });
  });

  it('treats a token function that fails as a failed attempt', () => {
    const { session, out } = started({ hasToken: true });
    const { ask } = out.takeOne('askToken');
    session.tokenFailed(ask, new OxbowError('token-unavailable', 'offline'), 0);
    expect(out.takeOne('report').error.code).toBe('token-unavailable');
    expect(session.health).toMatchObject({ state: 'waiting' });
  });

  it('reports a token function that goes on failing once, until it has given a token', () => {
    const { session, out } = started({ hasToken: true });
    const reports: string[] = [];
    const answer = (why: string | undefined, now: number): void => {
      session.hurry(now);
      const { ask } = out.takeOne('askToken');
      if (why === undefined) session.tokenFor(ask, 't', now);
      else session.tokenFailed(ask, new OxbowError('token-unavailable', why), now);
      for (const effect of out.take()) if (effect.kind === 'report') reports.push(effect.error.message);
    };
    for (const now of [1, 2, 3]) answer('offline', now);
    answer('no session', 4);
    answer(undefined, 5);
    const laterMs = 5 + limits.connectTimeoutMs;
    session.tick(laterMs);
    answer('no session', laterMs);
    expect(reports).toEqual(['offline', 'no session', 'no session']);
  });

  it('asks rarely after a refusal that it cannot cure, and at once when hurried', () => {
    const { session, out } = live();
    session.onMessage({ kind: 'fail', code: 'token-invalid', message: 'forged' }, 3);
    expect(session.health).toEqual({
      transport: 'wire', state: 'refused', code: 'token-invalid', reason: 'forged',
    });
    expect(session.deadlineMs).toBeGreaterThanOrEqual(3 + limits.refusedRetryMs);
    out.take();
    session.hurry(4);
    expect(out.takeOne('connect').transport).toBe(0);
  });

  it('asks a server that is older than its app again before long: it is about to be updated', () => {
    const { session } = live();
    const fail = { kind: 'fail', code: 'app-newer', message: 'Update me.', retryMs: 2_000 } as const;
    session.onMessage(fail, 3);
    expect(session.health).toMatchObject({ state: 'refused', code: 'app-newer' });
    expect(session.deadlineMs).toBeGreaterThanOrEqual(3 + limits.reconnectMsMax);
    expect(session.deadlineMs).toBeLessThanOrEqual(3 + 2 * limits.reconnectMsMax);
  });

  it('says that its replica id was refused', () => {
    const { session, told } = live();
    session.onMessage({ kind: 'fail', code: 'replica-not-yours', message: 'no' }, 3);
    expect(told.at(-1)).toBe('replica refused');
    expect(session.health).toMatchObject({ state: 'refused', code: 'replica-not-yours' });
  });

  it('waits as long as a busy server asks for', () => {
    const { session } = live();
    session.onMessage({ kind: 'fail', code: 'busy', message: 'later', retryMs: 9_000 }, 3);
    expect(session.health).toMatchObject({ state: 'waiting' });
    expect(session.deadlineMs).toBeGreaterThanOrEqual(9_003);
  });

  it('leaves a speaker who does not keep to the greeting', () => {
    const { session, out } = started();
    session.linkOpened(0);
    out.take();
    expect(session.onMessage({ kind: 'ack', received: 1 }, 1)).toBe(false);
    expect(out.take().map(({ kind }) => kind)).toEqual(['send', 'report', 'cut']);
    const version = started();
    version.session.linkOpened(0);
    version.session.onMessage({ ...WELCOME, version: 99 }, 1);
    expect(version.out.take().map(({ kind }) => kind)).toEqual(['connect', 'send', 'send', 'report', 'cut']);
  });

  it('stays offline when told so, whatever comes late', () => {
    const { session, out, told, link } = live();
    session.goOffline();
    session.tick(1e9);
    session.cut('late', 5);
    expect(out.take()).toEqual([{ kind: 'cut', link, reason: 'offline' }]);
    expect(told.at(-1)).toBe(`down ${link}`);
    expect(session.health.state).toBe('offline');
  });
});
