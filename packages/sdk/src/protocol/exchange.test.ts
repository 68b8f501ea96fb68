import { describe, expect, it } from 'vitest';
import { limits, PageStaging, type SpaceMessage } from './index.js';
import { ExchangePair, side, SPACE } from './testing/exchange-pair.js';
import { NaiveHolder } from './testing/naive-holder.js';

function server(commits: number, chars = 10): NaiveHolder {
  const holder = new NaiveHolder('s', 'h1');
  for (let i = 0; i < commits; i++) holder.write('x'.repeat(chars));
  holder.commit(commits);
  return holder;
}

const connect = (from: NaiveHolder, to: NaiveHolder): ExchangePair => {
  const pair = new ExchangePair(side('s', from, 'updates'), side('c', to));
  pair.start();
  pair.run();
  return pair;
};

const count = (pair: ExchangePair, word: string): number =>
  pair.trace.filter((line) => line.includes(`  ${word}`)).length;

describe('an exchange', () => {
  it('gives the base to one who holds nothing and is far behind, though the log reaches', () => {
    const from = server(limits.transferBehindEntries + 1);
    const to = new NaiveHolder('c');
    const pair = connect(from, to);
    expect(count(pair, 'transfer ')).toBe(1);
    expect(count(pair, 'commits')).toBe(0);
    expect(to.state()).toBe(from.state());
  });

  it('sends entries instead while no snapshot can be had', () => {
    const from = server(limits.transferBehindEntries + 1);
    from.canSnapshot = false;
    const to = new NaiveHolder('c');
    const pair = connect(from, to);
    expect(count(pair, 'commits')).toBeGreaterThan(5);
    expect(to.state()).toBe(from.state());
  });

  it('waits for the snapshot where nothing else will do, and sends no update before', () => {
    const from = server(5);
    from.trim(5);
    from.canSnapshot = false;
    from.write(1);
    const to = new NaiveHolder('c');
    const pair = connect(from, to);
    expect(to.log).toEqual([]);
    from.canSnapshot = true;
    pair.news();
    expect(to.log).toEqual(['base 5', 's/6']);
  });

  it('gives the base to one that falls behind the kept log in the middle of the stream', () => {
    const from = server(3);
    const to = new NaiveHolder('c');
    const pair = connect(from, to);
    for (let i = 0; i < 5; i++) from.write(i);
    from.commit(5);
    from.trim(6);
    pair.news();
    expect(to.log.at(-1)).toBe('base 8');
    expect(to.state()).toBe(from.state());
  });

  it('fetches a page again that the receiver promised and then could not read', () => {
    const from = server(20, 60);
    from.trim(20);
    const to = new NaiveHolder('c');
    to.promised = from.havePages();
    const pair = connect(from, to);
    expect(count(pair, 'transfer ')).toBe(2);
    expect(to.state()).toBe(from.state());
  });

  it('is not deceived by a page that comes twice where another is lost', () => {
    const from = server(20, 60);
    from.trim(20);
    const to = new NaiveHolder('c');
    const pair = new ExchangePair(side('s', from, 'updates'), side('c', to));
    pair.start();
    let pages = 0;
    for (pair.pump(1); pair.wire.length > 0; pair.pump(1)) {
      const frame = pair.wire.shift();
      const isPage = frame?.text.startsWith('{"kind":"page"') === true;
      if (isPage) pages += 1;
      if (isPage && pages === 3) continue;
      pair.deliver(frame);
      if (isPage && pages === 4) pair.deliver(frame);
    }
    expect(to.state()).toBe(from.state());
    expect(count(pair, 'transfer ')).toBe(2);
  });

  it('refuses a page that is not what its hash says, stages none of it, and takes it when it is', () => {
    const from = server(20, 60);
    from.trim(20);
    const to = new NaiveHolder('c');
    const client = side('c', to);
    const pair = new ExchangePair(side('s', from, 'updates'), client);
    pair.start();
    const hashes = new Set<string>();
    for (pair.pump(1); pair.wire.length > 0; pair.pump(1)) {
      const frame = pair.wire.shift();
      if (frame === undefined) break;
      const { kind, index, hash } = JSON.parse(frame.text);
      if (kind === 'page') hashes.add(hash);
      const isDamaged = kind === 'page' && index === 2;
      pair.deliver(isDamaged ? { ...frame, text: frame.text.replace('xxxx', 'xxxy') } : frame);
    }
    expect(pair.fails).toMatchObject([{ code: 'page-damaged', sendingOnly: true }]);
    expect(to.log).toEqual([]);
    pair.right.start();
    pair.run();
    expect(to.state()).toBe(from.state());
  });

  it('refuses a base that is larger than what may be staged', () => {
    const from = server(20, 60);
    from.trim(20);
    const to = new NaiveHolder('c');
    const small = { ...side('c', to), staging: new PageStaging(1000) };
    const pair = new ExchangePair(side('s', from, 'updates'), small);
    pair.start();
    pair.run();
    expect(pair.fails).toMatchObject([{ code: 'transfer-too-large' }]);
    expect(to.log).toEqual([]);
  });

  it('does not send again what the primary has settled and we have not heard of', () => {
    const from = server(0);
    const to = new NaiveHolder('c');
    const first = connect(from, to);
    for (let i = 0; i < 3; i++) to.write(i);
    first.news();
    from.commit(3);
    const again = connect(from, to);
    expect(count(again, 'updates')).toBe(0);
    expect(to.csn).toBe(3);
  });

  it('leaves out the body of every update that the receiver holds, from whomever it came', () => {
    const from = server(0);
    const near = new NaiveHolder('near');
    const far = new NaiveHolder('far');
    const direct = connect(from, near);
    near.write(1);
    direct.news();
    const second = connect(from, far);
    expect(far.known(near.self)).toBe(1);
    from.commit(1);
    second.news();
    expect(far.log).toEqual(['near/1', 'csn 1']);
  });

  it('says nothing and hears nothing after it was stopped', () => {
    const from = server(2);
    const to = new NaiveHolder('c');
    const pair = connect(from, to);
    pair.right.stop();
    pair.run();
    const said = pair.messages;
    from.write(1);
    from.commit(1);
    const late: SpaceMessage =
      { kind: 'commits', space: SPACE, history: 'h1', entries: from.entries.slice(-1) };
    pair.right.onMessage(late, 10);
    pair.news();
    pair.beat();
    pair.right.start();
    expect(pair.messages).toBe(said);
    expect(to.csn).toBe(2);
  });

  it('does not spin with a side that never gets further', () => {
    const from = server(3);
    const to = new NaiveHolder('c');
    to.receiveCommits = () => ({ kind: 'gap' });
    const pair = connect(from, to);
    expect(pair.messages).toBeLessThan(40);
    const said = pair.messages;
    for (let i = 0; i < 10; i++) pair.beat();
    expect(pair.messages - said).toBeLessThan(150);
  });
});
