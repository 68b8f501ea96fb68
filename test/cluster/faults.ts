/**
 * What can befall a cluster of processes, one kind of misfortune a round; `mend` undoes what lasts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hosts } from './hosts.js';
import type { Nodes } from './nodes.js';

export interface Fault {
  readonly name: string;
  run(nodes: Nodes, random: () => number): Promise<void>;
}

const OUTAGE_MS = 700;

const kill = (name: string, pick: Pick): Fault => ({
  name,
  async run(nodes, random) {
    const node = await pick(nodes, random);
    await nodes.signal(node, 'SIGKILL');
    await sleep(OUTAGE_MS * random());
    nodes.spawn(node);
  },
});

/** Frozen for long enough that others have taken over when it wakes. */
const freeze = (name: string, pick: Pick): Fault => ({
  name,
  async run(nodes, random) {
    const node = await pick(nodes, random);
    await nodes.signal(node, 'SIGSTOP');
    await sleep(1_000 + 2_000 * random());
    await nodes.signal(node, 'SIGCONT');
  },
});

const isolate = (name: string, how: 'cut' | 'freeze', pick: Pick): Fault => ({
  name,
  async run(nodes, random) {
    const wires = nodes.wires(await pick(nodes, random));
    for (const wire of wires) wire[how]();
    await sleep(1_000 + 2_000 * random());
    for (const wire of wires) wire.mend();
  },
});

type Pick = (nodes: Nodes, random: () => number) => Promise<number>;

const leader: Pick = (nodes) => nodes.mustLeader();
const follower: Pick = async (nodes, random) => {
  const leading = await nodes.mustLeader();
  const others = nodes.numbers.filter((node) => node !== leading);
  return others[Math.floor(random() * others.length)] ?? 0;
};

export const faults: readonly Fault[] = [
  kill('kill the leader', leader),
  kill('kill a follower', follower),
  freeze('freeze the leader', leader),
  freeze('freeze a follower', follower),
  isolate('cut the leader off', 'cut', leader),
  isolate('cut a follower off', 'cut', follower),
  isolate('let the leader\'s wires hang', 'freeze', leader),
  {
    name: 'kill all at once',
    async run(nodes, random) {
      await Promise.all(nodes.numbers.map((node) => nodes.signal(node, 'SIGKILL')));
      await sleep(OUTAGE_MS * random());
      for (const node of nodes.numbers) nodes.spawn(node);
    },
  },
  {
    name: 'stop the leader in good order',
    async run(nodes) {
      const node = await nodes.mustLeader();
      await nodes.signal(node, 'SIGTERM');
      nodes.spawn(node);
    },
  },
  {
    name: 'restart one after the other',
    async run(nodes) {
      for (const node of nodes.numbers) {
        await nodes.signal(node, 'SIGTERM');
        nodes.spawn(node);
        await nodes.ready();
      }
    },
  },
];

type Misfortune = (hosts: Hosts, struck: number, others: readonly number[]) => void;

const wire = (name: string, pick: Pick, strike: Misfortune) => (hosts: Hosts): Fault => ({
  name,
  async run(nodes, random) {
    const struck = await pick(nodes, random);
    strike(hosts, struck, nodes.numbers.filter((node) => node !== struck));
    await sleep(1_000 + 2_000 * random());
    hosts.mend();
  },
});

const WIRES = [
  wire('pull the leader\'s cable', leader, (hosts, struck) => hosts.unplug(struck)),
  wire('pull a follower\'s cable', follower, (hosts, struck) => hosts.unplug(struck)),
  wire('leader and one follower cannot reach each other', leader,
    (hosts, struck, [other = 0]) => hosts.part(struck, other)),
  wire('nobody reaches anybody', leader, (hosts, struck, others) => hosts.part(struck, ...others)),
  wire('nobody hears the leader', leader, (hosts, struck) => hosts.mute(struck)),
  wire('nobody hears a follower', follower, (hosts, struck) => hosts.mute(struck)),
  wire('the leader\'s cable is a narrow one', leader, (hosts, struck) => hosts.throttle(struck)),
];

/** What can befall the network between hosts. */
export const networkFaults = (hosts: Hosts): readonly Fault[] => WIRES.map((fault) => fault(hosts));
