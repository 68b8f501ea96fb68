import { expect, test } from 'vitest';
import { MemoryNetwork } from './testing/memory-peer-links.js';
import { listen, peerLinksLaws } from './testing/peer-links-laws.js';

peerLinksLaws('in memory', () => {
  const network = new MemoryNetwork((task) => setImmediate(task));
  return {
    open: (name) => Promise.resolve(network.links(name)),
    address: (name) => `${name}:1`,
    close: () => Promise.resolve(),
  };
});

test('what is in flight at a cut is lost, and a healed link begins anew', () => {
  const tasks: (() => void)[] = [];
  const network = new MemoryNetwork((task) => tasks.push(task));
  const run = (): void => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
  };
  const [a, b] = [listen(network.links('a')), listen(network.links('b'))];
  a.links.want(new Map([['b', 'b:1']]));
  run();
  a.links.send('b', 'control', new Uint8Array([1]));
  network.cut('a', 'b');
  network.heal('a', 'b');
  a.links.send('b', 'control', new Uint8Array([2]));
  run();
  expect(b.frames.map(({ bytes }) => [...bytes])).toEqual([[2]]);
  expect(b.told.filter((line) => line.endsWith('control')))
    .toEqual(['linked a control', 'cut a control', 'linked a control']);
});
