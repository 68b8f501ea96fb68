import { describe, expect, it } from 'vitest';
import { LogTrio } from './testing/log-trio.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Three that run, and who leads. */
function running(): { trio: LogTrio; leader: number; followers: number[] } {
  const trio = new LogTrio();
  trio.startAll();
  const leader = trio.leader();
  expect(leader).toBeGreaterThanOrEqual(0);
  return { trio, leader, followers: [0, 1, 2].filter((node) => node !== leader) };
}

function propose(trio: LogTrio, node: number, ...texts: readonly string[]): void {
  texts.forEach((text, i) => {
    trio.logs[node]?.propose(bytes(text), i + 1);
    trio.settle();
  });
}

const textsOf = (trio: LogTrio): string[][] => trio.heard.map(({ texts }) => texts);

describe('PaxosLog, a group of three', () => {
  it('tells all members the same payloads in the same slots, and the proposer its tags', () => {
    const { trio, leader, followers } = running();
    propose(trio, leader, 'a', 'b', 'c');
    trio.pass(100);
    expect(textsOf(trio)).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c']]);
    const places = trio.heard.map((heard) => heard.places);
    expect(places[1]).toEqual(places[0]);
    expect(places[2]).toEqual(places[0]);
    expect(trio.heard[leader]?.tags).toEqual([1, 2, 3]);
    for (const node of followers) {
      expect(trio.heard[node]?.tags).toEqual([undefined, undefined, undefined]);
      expect(() => trio.logs[node]?.propose(bytes('x'), 1)).toThrow(/does not lead/);
    }
  });

  it('answers a barrier at the leader, and nowhere else', () => {
    const { trio, leader, followers } = running();
    propose(trio, leader, 'a');
    const answers: (number | undefined)[] = [];
    trio.logs[leader]?.barrier((slot) => answers.push(slot));
    for (const node of followers) trio.logs[node]?.barrier((slot) => answers.push(slot));
    trio.pass(100);
    const [place = Infinity] = trio.heard[leader]?.places ?? [];
    expect(answers).toHaveLength(3);
    expect(answers.filter((slot) => slot === undefined)).toHaveLength(2);
    expect(answers.some((slot) => slot !== undefined && slot >= place)).toBe(true);
  });

  it('goes on without its leader, and the leader comes back and learns what it missed', () => {
    const { trio, leader } = running();
    propose(trio, leader, 'a', 'b');
    trio.crash(leader);
    const next = trio.leader();
    expect(next).not.toBe(leader);
    propose(trio, next, 'c', 'd');
    trio.start(leader);
    trio.pass(2_000);
    expect(textsOf(trio)).toEqual(Array.from({ length: 3 }, () => ['a', 'b', 'c', 'd']));
  });

  it('loses nothing that anyone was told when all lose power at once', () => {
    const { trio, leader } = running();
    propose(trio, leader, 'a', 'b', 'c');
    trio.logs[leader]?.propose(bytes('nobody was told'), 9);
    for (const node of [0, 1, 2]) trio.crash(node);
    trio.startAll();
    const next = trio.leader();
    propose(trio, next, 'z');
    trio.pass(500);
    for (const texts of textsOf(trio)) {
      expect(texts.slice(0, 3)).toEqual(['a', 'b', 'c']);
      expect(texts.filter((text) => text !== 'nobody was told')).toEqual(['a', 'b', 'c', 'z']);
    }
  });

  it('hands over when its leader stops: the others need no election timeout', () => {
    const { trio, leader, followers } = running();
    propose(trio, leader, 'a');
    let isStopped = false;
    trio.logs[leader]?.stop(() => (isStopped = true));
    trio.pass(100);
    expect(isStopped).toBe(true);
    expect(trio.heard[leader]?.leads).toBe(false);
    expect(followers.filter((node) => trio.heard[node]?.leads === true)).toHaveLength(1);
  });

  it('keeps its promises and its values through checkpoints, restarts and changes of leaders', () => {
    const { trio } = running();
    const expected: string[] = [];
    for (let round = 0; round < 12; round++) {
      const leader = trio.leader();
      for (let i = 0; i < 15; i++) {
        const text = `${round}/${i}`;
        expected.push(text);
        propose(trio, leader, text);
      }
      trio.pass(200);
      for (const node of [0, 1, 2]) trio.apply(node);
      trio.settle();
      const victim = round % 3;
      trio.crash(victim);
      trio.start(victim);
      trio.pass(50);
      expect(trio.heard[victim]?.lost).toBeUndefined();
    }
    trio.pass(2_000);
    for (const disk of trio.disks) {
      expect(disk.files.has('log-0000000001')).toBe(false);
      expect(disk.files.size).toBeLessThanOrEqual(8);
    }
    for (const heard of trio.heard) {
      expect(heard.fatal).toBeUndefined();
      expect(expected.slice(expected.length - heard.texts.length)).toEqual(heard.texts);
    }
  });

  it('drops what it cannot read, says so, and goes on', () => {
    const { trio, leader, followers: [other = 0] } = running();
    trio.inject(other, leader, Uint8Array.of(9, 9, 9));
    trio.inject(other, leader, new Uint8Array(0));
    expect(trio.logged.filter((event) => event === 'bad-peer-message')).toHaveLength(2);
    propose(trio, leader, 'a');
    trio.pass(100);
    expect(textsOf(trio)).toEqual([['a'], ['a'], ['a']]);
  });
});
