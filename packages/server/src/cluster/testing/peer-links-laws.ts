/** What links between nodes promise, whatever they are made of. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PeerChannel, PeerLinks } from '../peer-link.js';

/** A network to which nodes can be added by name. */
export interface PeerBench {
  /** A run of a node; rejects when it cannot be had. */
  open(name: string): Promise<PeerLinks>;
  /** Where the node is or will be dialled. */
  address(name: string): string;
  close(): Promise<void>;
}

export interface PeerEnd {
  readonly links: PeerLinks;
  /** `linked b control`, `cut b bulk`. */
  readonly told: string[];
  readonly frames: { readonly name: string; readonly channel: PeerChannel; readonly bytes: Uint8Array }[];
  isUp(name: string): boolean;
}

/** Starts links and writes down what they tell. */
export function listen(links: PeerLinks): PeerEnd {
  const end: PeerEnd = {
    links, told: [], frames: [],
    isUp: (name) => links.states().filter((state) => state.name === name && state.isUp).length === 2,
  };
  links.start({
    linked: (name, channel) => end.told.push(`linked ${name} ${channel}`),
    cut: (name, channel) => end.told.push(`cut ${name} ${channel}`),
    frame: (name, channel, bytes) => end.frames.push({ name, channel, bytes }),
  });
  return end;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);
const WAIT = { timeout: 20_000, interval: 5 };

export function peerLinksLaws(name: string, makeBench: () => PeerBench): void {
  describe(`the laws of links between nodes: ${name}`, () => {
    let bench: PeerBench;
    let ends: PeerEnd[] = [];
    beforeEach(() => {
      bench = makeBench();
      ends = [];
    });
    afterEach(async () => {
      for (const { links } of ends) await stopped(links);
      await bench.close();
    });

    const open = async (node: string, ...peers: string[]): Promise<PeerEnd> => {
      const end = listen(await bench.open(node));
      ends.push(end);
      end.links.want(new Map(peers.map((peer) => [peer, bench.address(peer)])));
      return end;
    };
    const linked = async (a: PeerEnd, b: PeerEnd, names: readonly [string, string] = ['a', 'b']): Promise<void> => {
      await expect.poll(() => a.isUp(names[1]) && b.isUp(names[0]), WAIT).toBe(true);
    };

    test('two that want each other are linked once on each channel', async () => {
      const [a, b] = [await open('a', 'b'), await open('b', 'a')];
      await linked(a, b);
      await expect.poll(() => a.told.slice().sort(), WAIT).toEqual(['linked b bulk', 'linked b control']);
      await expect.poll(() => b.told.slice().sort(), WAIT).toEqual(['linked a bulk', 'linked a control']);
    });

    test('one that wants is enough, whichever has the smaller name', async () => {
      const [a, b] = [await open('a', 'b'), await open('b')];
      await linked(a, b);
      const [d, c] = [await open('d', 'c'), await open('c')];
      await linked(c, d, ['c', 'd']);
      expect(c.links.states().every(({ isWanted }) => !isWanted)).toBe(true);
    });

    test('frames come whole and in order, each channel by itself', async () => {
      const [a, b] = [await open('a', 'b'), await open('b', 'a')];
      await linked(a, b);
      const count = 500;
      for (let i = 0; i < count; i++) {
        expect(a.links.send('b', 'control', bytesOf(`control ${i}`))).toBe(true);
        expect(a.links.send('b', 'bulk', bytesOf(`bulk ${i}`))).toBe(true);
        expect(b.links.send('a', 'control', bytesOf(`back ${i}`))).toBe(true);
      }
      const heard = (end: PeerEnd, channel: PeerChannel): string[] =>
        end.frames.filter((frame) => frame.channel === channel).map(({ bytes }) => text(bytes));
      const list = (word: string): string[] => Array.from({ length: count }, (_, i) => `${word} ${i}`);
      await expect.poll(() => heard(b, 'control').length + heard(b, 'bulk').length, WAIT).toBe(2 * count);
      await expect.poll(() => heard(a, 'control').length, WAIT).toBe(count);
      expect(heard(b, 'control')).toEqual(list('control'));
      expect(heard(b, 'bulk')).toEqual(list('bulk'));
      expect(heard(a, 'control')).toEqual(list('back'));
    });

    test('an empty frame and the largest one come as they were; a larger one is refused', async () => {
      const [a, b] = [await open('a', 'b'), await open('b', 'a')];
      await linked(a, b);
      const large = new Uint8Array(16 * 1024 * 1024).map((_, i) => i * 31);
      a.links.send('b', 'bulk', new Uint8Array(0));
      expect(a.links.send('b', 'bulk', large.subarray(0, 1), large.subarray(1))).toBe(true);
      await expect.poll(() => b.frames.length, WAIT).toBe(2);
      expect(b.frames[0]?.bytes.length).toBe(0);
      expect(Buffer.compare(b.frames[1]?.bytes ?? new Uint8Array(0), large)).toBe(0);
      expect(() => a.links.send('b', 'bulk', new Uint8Array(1), large))
        .toThrow(expect.objectContaining({ code: 'message-too-large' }));
    });

    test('without a link nothing is taken', async () => {
      const a = await open('a', 'b');
      expect(a.links.send('b', 'control', bytesOf('x'))).toBe(false);
      expect(a.links.bufferedBytes('b', 'control')).toBe(0);
    });

    test('the end of one is told to the other, and its next run is linked again', async () => {
      const [a, b] = [await open('a', 'b'), await open('b', 'a')];
      await linked(a, b);
      await stopped(b.links);
      const told = b.told.length;
      await expect.poll(() => a.told.slice(2).sort(), WAIT).toEqual(['cut b bulk', 'cut b control']);
      expect(a.links.send('b', 'control', bytesOf('x'))).toBe(false);
      const again = await open('b', 'a');
      await linked(a, again);
      a.links.send('b', 'control', bytesOf('hello again'));
      await expect.poll(() => again.frames.map(({ bytes }) => text(bytes)), WAIT).toEqual(['hello again']);
      expect(b.told.length).toBe(told);
      for (const channel of ['control', 'bulk']) {
        const words = a.told.filter((line) => line.endsWith(channel)).map((line) => line.split(' ')[0]);
        expect(words).toEqual(['linked', 'cut', 'linked']);
      }
    });

    test('what is given in one turn may be bounded, never without bound', async () => {
      const [a, b] = [await open('a', 'b'), await open('b', 'a')];
      await linked(a, b);
      const frame = new Uint8Array(8 * 1024 * 1024);
      let taken = 0;
      while (taken < 100 && a.links.send('b', 'control', frame)) taken += 1;
      expect(taken).toBeLessThan(100);
      expect(a.links.bufferedBytes('b', 'control')).toBeLessThanOrEqual(64 * 1024 * 1024);
      await expect.poll(() => b.frames.length, WAIT).toBe(taken);
      await expect.poll(() => a.links.bufferedBytes('b', 'control'), WAIT).toBe(0);
      expect(a.links.send('b', 'control', frame)).toBe(true);
    });

    test('four nodes: each is linked with each', async () => {
      const names = ['a', 'b', 'c', 'd'];
      const group = await Promise.all(names.map((node) => open(node, ...names)));
      const isMesh = (): boolean => group.every((end, i) => names.every((peer, j) => i === j || end.isUp(peer)));
      await expect.poll(isMesh, WAIT).toBe(true);
    });
  });
}

export function stopped(links: PeerLinks): Promise<void> {
  return new Promise((resolve) => links.stop(resolve));
}
