import { describe, expect, it } from 'vitest';
import { encodeMessage, limits, type SpaceId } from './index.js';
import { LinkPair } from './testing/link-pair.js';
import { NaiveHolder } from './testing/naive-holder.js';

// reason: the test names its spaces.
const space = (name: string): SpaceId => name as SpaceId;

const full = (updates: number, chars: number): NaiveHolder => {
  const holder = new NaiveHolder('s', 'h1');
  for (let i = 0; i < updates; i++) holder.write('x'.repeat(chars));
  holder.commit(updates);
  return holder;
};

const serve = (pair: LinkPair, name: string, holder: NaiveHolder): void =>
  pair.a.link.open(space(name), { holder, wants: 'updates' });
const follow = (pair: LinkPair, name: string, holder: NaiveHolder): void =>
  pair.b.link.open(space(name), { holder, wants: 'all' });

describe('the exchanges of a link', () => {
  it('ask their owner about a space that the peer opens, and answer once it is open', () => {
    const pair = new LinkPair();
    const mine = new NaiveHolder('c');
    follow(pair, 'one', mine);
    pair.run();
    expect(pair.a.wanted).toEqual(['one']);
    const theirs = full(3, 10);
    serve(pair, 'one', theirs);
    pair.run();
    expect(mine.state()).toBe(theirs.state());
  });

  it('take turns: a small space is not starved by a big one', () => {
    const pair = new LinkPair();
    const small = new NaiveHolder('c');
    follow(pair, 'big', new NaiveHolder('c'));
    follow(pair, 'small', small);
    serve(pair, 'big', full(300, 10_000));
    serve(pair, 'small', full(3, 10));
    while (pair.deliver('a') || pair.deliver('b')) { /* the greeting of both spaces */ }
    pair.run();
    const commits = pair.arrived.filter(({ kind }) => kind === 'commits').map((one) => one.space);
    expect(commits.filter((one) => one === 'big').length).toBeGreaterThan(20);
    expect(commits.indexOf('small')).toBeLessThan(5);
  });

  it('keep what is under way within the window, until the other side reads', () => {
    const pair = new LinkPair();
    const reader = new NaiveHolder('c');
    follow(pair, 'big', reader);
    const big = full(300, 10_000);
    serve(pair, 'big', big);
    while (pair.deliver('a') || pair.deliver('b')) { /* the greeting of the space */ }
    for (let i = 0; i < 10; i++) pair.a.link.pump(0);
    const waiting = pair.b.inbox.reduce((sum, frame) => sum + frame.length, 0);
    expect(waiting).toBeGreaterThan(limits.windowChars / 2);
    expect(waiting).toBeLessThan(limits.windowChars + 2 * limits.turnChars);
    pair.run();
    expect(reader.state()).toBe(big.state());
  });

  it('let downloads through while uploads wait for the window', () => {
    const pair = new LinkPair();
    const server = full(0, 0);
    const client = new NaiveHolder('c');
    follow(pair, 'one', client);
    serve(pair, 'one', server);
    pair.run();
    for (let i = 0; i < 200; i++) client.write('x'.repeat(10_000));
    pair.b.link.changed(space('one'));
    pair.b.link.pump(0);
    const stuck = pair.a.inbox.splice(0);
    expect(stuck.length).toBeGreaterThan(10);
    server.write(1);
    server.commit();
    pair.a.link.changed(space('one'));
    pair.run();
    expect(client.csn).toBe(1);
    expect(server.known(client.self)).toBe(0);
    pair.a.inbox.push(...stuck);
    pair.run();
    expect(server.known(client.self)).toBe(200);
  });

  it('call a link stalled when nothing is acknowledged for too long', () => {
    const pair = new LinkPair();
    follow(pair, 'one', new NaiveHolder('c'));
    serve(pair, 'one', full(3, 10));
    pair.run();
    expect(pair.a.link.tick(limits.stallMs - 1)).toBe('ok');
    expect(pair.a.link.tick(limits.stallMs)).toBe('stalled');
    pair.b.link.tick(limits.ackDelayMs);
    pair.nowMs = limits.ackDelayMs;
    pair.run();
    expect(pair.a.link.tick(limits.stallMs)).toBe('ok');
    expect(pair.a.link.wakeAtMs).toBeUndefined();
  });

  it('drop everything of a space after it was left, by either side', () => {
    const pair = new LinkPair();
    const client = new NaiveHolder('c');
    const server = full(3, 10);
    follow(pair, 'one', client);
    serve(pair, 'one', server);
    pair.run();
    pair.b.link.leave(space('one'));
    server.write(1);
    server.commit();
    pair.a.link.changed(space('one'));
    pair.run();
    expect(pair.a.left).toEqual(['one']);
    expect([pair.a.link.has(space('one')), pair.b.link.has(space('one'))]).toEqual([false, false]);
    expect(client.csn).toBe(3);
    follow(pair, 'one', client);
    pair.run();
    serve(pair, 'one', server);
    pair.run();
    expect(client.csn).toBe(4);
  });

  it('tell the owner why a space was refused, and ask again when told to', () => {
    const pair = new LinkPair();
    const client = new NaiveHolder('c');
    follow(pair, 'one', client);
    pair.run();
    pair.a.link.refuse(space('one'), 'forbidden', 'No right to one.', 500);
    pair.run();
    expect(pair.b.failed).toEqual([
      { kind: 'fail', space: 'one', code: 'forbidden', message: 'No right to one.', retryMs: 500 },
    ]);
    pair.b.link.restart(space('one'));
    pair.run();
    expect(pair.a.wanted).toEqual(['one', 'one']);
    serve(pair, 'one', full(2, 1));
    pair.run();
    expect(client.csn).toBe(2);
  });

  it('refuse more spaces than a link may have', () => {
    const pair = new LinkPair();
    for (let i = 0; i <= limits.spacesPerLinkMax; i++) follow(pair, `s${i}`, new NaiveHolder('c'));
    pair.run();
    expect(pair.a.wanted.length).toBe(limits.spacesPerLinkMax);
    expect(pair.b.failed).toMatchObject([{ code: 'too-many-spaces' }]);
  });

  it('answer commits to a primary with a refusal, and go on sending', () => {
    const pair = new LinkPair();
    const client = new NaiveHolder('c');
    const server = full(2, 1);
    follow(pair, 'one', client);
    serve(pair, 'one', server);
    pair.run();
    pair.a.inbox.push(encodeMessage({
      kind: 'commits', space: space('one'), history: 'h1', entries: full(1, 1).entries,
    }));
    pair.run();
    expect(pair.b.failed).toMatchObject([{ code: 'not-primary', sendingOnly: true }]);
    server.write(1);
    server.commit();
    pair.a.link.changed(space('one'));
    pair.run();
    expect(client.csn).toBe(3);
  });
});
