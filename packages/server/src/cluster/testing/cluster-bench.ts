/**
 * Nodes of a cluster in one process, driven by the lines of a transcript. The log is the plainest
 * one that can be: a change takes effect at once, for all that run, as soon as a quorum of the
 * voters runs under one leader.
 */
import { quorumSize, type Configuration, type Membership } from '../../paxos/configuration.js';
import type { MemberId } from '../../paxos/ballot.js';
import { decodeClusterMessage, encodeClusterMessage, type ClusterMessage } from '../cluster-message.js';
import type { Belonging, ClusterEffects, Disk, Order } from '../effects.js';
import { ClusterMachine } from '../machine.js';
import { parseNodeList } from '../node-list.js';
import { makeMemberId } from '../node-name.js';

interface Node {
  readonly name: string;
  list: string;
  host: string;
  disk: Disk;
  machine: ClusterMachine | undefined;
  /** Of this run: what an earlier one had in flight is lost. */
  run: number;
}

export class ClusterBench {
  readonly lines: string[] = [];
  readonly #nodes = new Map<string, Node>();
  readonly #links = new Set<string>();
  readonly #cut = new Set<string>();
  readonly #tasks: (() => void)[] = [];
  #disks = 0;
  #clusters = 0;
  #leader: string | undefined;
  readonly #configurations = new Map<string, Configuration>();
  #stopAt: string | undefined;
  #caughtUp = new Set<string>();
  #orders = 0;

  /** One line of a transcript without its `> `. */
  command(text: string): void {
    const [word = '', ...rest] = text.split(' ');
    const [name = ''] = rest;
    const commands: Record<string, () => void> = {
      node: () => this.#add(name, rest.slice(2).join(' ')),
      start: () => this.#start(this.#node(name)),
      kill: () => this.#kill(this.#node(name)),
      wipe: () => this.#wipe(this.#node(name)),
      forget: () => this.#forget(this.#node(name)),
      list: () => (this.#node(name).list = listOf(rest.slice(1))),
      move: () => this.#move(this.#node(name), rest[1] ?? ''),
      cut: () => this.#setCut(rest, true),
      heal: () => this.#setCut(rest, false),
      leads: () => this.#lead(name),
      fill: () => this.#caughtUp.add(name),
      advice: () => this.#advice(name),
      order: () => this.#order(rest),
      // The next run stops right after this line was said.
      until: () => (this.#stopAt = rest.join(' ')),
    };
    const run = commands[word];
    if (run === undefined) throw new Error(`no command: ${text}`);
    run();
    if (word !== 'until') this.#run();
  }

  /** Its data are moved to another host. */
  #move(node: Node, host: string): void {
    node.host = host;
  }

  #add(name: string, names: string): void {
    const node: Node = { name, host: `host-${name}`, list: listOf(names.split(' ')), disk: this.#freshDisk(name), machine: undefined, run: 0 };
    this.#nodes.set(name, node);
    this.#start(node);
  }

  #freshDisk(name: string): Disk {
    return { kind: 'fresh', slot: 0, id: makeMemberId(name, `disk${String(++this.#disks).padStart(4, '0')}`) };
  }

  #start(node: Node): void {
    const { name } = node;
    const run = ++node.run;
    node.machine = new ClusterMachine({
      node: name, peerAddress: `${node.host}:1`, clientUrl: `ws://${node.host}/sync`, version: '1',
      list: parseNodeList(node.list), newCluster: `K${this.#clusters + 1}`, disk: node.disk,
    }, this.#effects(node, run));
    node.machine.start();
    for (const other of this.#nodes.values()) this.#link(node, other);
  }

  #effects(node: Node, run: number): ClusterEffects {
    const { name } = node;
    const isRunning = (): boolean => node.run === run && node.machine !== undefined;
    return {
      want: () => undefined,
      send: (to, message) => this.#send(node, to, message),
      persist: (belonging) => this.#later(() => {
        if (!isRunning()) return;
        node.disk = { kind: 'member', belonging };
        this.#say(`${name}  writes that it belongs to ${belonging.cluster}`);
        node.machine?.persisted();
      }),
      join: (belonging) => this.#join(node, belonging),
      memberLinked: (id, _peer, isUp) => this.#say(`${name}  ${isUp ? 'speaks with' : 'loses'} ${short(id)}`),
      change: (next) => this.#change(node, next),
      transfer: (to) => this.#say(`${name}  asks ${short(to)} to take over`),
      answer: (_tag, { code, message }) => this.#say(`${name}  answers ${code}: ${short(message)}`),
      log: (level, event, fields) => {
        if (event === 'cluster-founded') this.#clusters += 1;
        if (event !== 'cluster-joined') this.#say(`${name}  ${level} ${event}${summary(fields)}`);
      },
    };
  }

  #send(from: Node, to: string, message: ClusterMessage): void {
    const link = linkOf(from.name, to);
    const text = encodeClusterMessage(message);
    this.#later(() => {
      if (!this.#links.has(link)) return;
      const heard = decodeClusterMessage(text);
      if (heard === undefined) throw new Error(`not understood: ${text}`);
      this.#say(`${from.name} > ${to}  ${describe(heard)}`);
      this.#nodes.get(to)?.machine?.message(from.name, heard);
    });
  }

  #join(node: Node, { cluster, self, first }: Belonging): void {
    this.#say(`${node.name}  starts its log in ${cluster} as ${short(self.id)}`);
    if (first !== undefined && !this.#configurations.has(cluster)) this.#configurations.set(cluster, first);
    this.#later(() => {
      const now = this.#configurations.get(cluster);
      if (now !== undefined) node.machine?.configured(now);
    });
  }

  #link(a: Node, b: Node): void {
    const link = linkOf(a.name, b.name);
    const isPossible = a !== b && a.machine !== undefined && b.machine !== undefined && !this.#cut.has(link);
    if (!isPossible || this.#links.has(link)) return;
    this.#links.add(link);
    this.#later(() => {
      a.machine?.linked(b.name);
      b.machine?.linked(a.name);
    });
  }

  #unlink(a: Node, b: Node): void {
    if (!this.#links.delete(linkOf(a.name, b.name))) return;
    a.machine?.cut(b.name);
    b.machine?.cut(a.name);
  }

  #kill(node: Node): void {
    node.machine = undefined;
    for (const other of this.#nodes.values()) this.#unlink(node, other);
    if (this.#leader === node.name) this.#leader = undefined;
  }

  #wipe(node: Node): void {
    this.#kill(node);
    node.disk = this.#freshDisk(node.name);
  }

  /** The log's check has failed: what is there is set aside. */
  #forget(node: Node): void {
    this.#kill(node);
    if (node.disk.kind !== 'member') throw new Error('there is nothing to forget');
    const { cluster } = node.disk.belonging;
    const { id } = this.#freshDisk(node.name) as Disk & { kind: 'fresh' };
    node.disk = { kind: 'forgetful', id, cluster };
  }

  #setCut([a = '', b = '']: string[], isCut: boolean): void {
    const [one, other] = [this.#node(a), this.#node(b)];
    if (isCut) {
      this.#cut.add(linkOf(a, b));
      this.#unlink(one, other);
    } else {
      this.#cut.delete(linkOf(a, b));
      this.#link(one, other);
    }
  }

  #lead(name: string): void {
    this.#leader = name;
    for (const node of this.#nodes.values()) node.machine?.leadership(node.name === name);
  }

  #advice(name: string): void {
    const advice = this.#node(name).machine?.advice();
    this.#say(advice === undefined ? `${name}  has nothing to say` : `${name}  ${advice.code}: ${advice.message}`);
  }

  #order([at = '', kind = '', name = '']: string[]): void {
    // reason: transcripts name orders as they are.
    this.#node(at).machine?.order({ kind, name } as Order, ++this.#orders);
  }

  #change(leader: Node, next: Membership): void {
    this.#say(`the group is to be ${describeMembers(next)}`);
    this.#later(() => {
      const cluster = leader.machine?.belonging?.cluster ?? '';
      const now = this.#configurations.get(cluster);
      if (now === undefined) return;
      const running = now.voters.filter(({ name }) => this.#nodes.get(name)?.machine !== undefined);
      if (running.length < quorumSize(now)) return;
      const then = { ...next, number: now.number + 1, fromSlot: now.fromSlot + 10 };
      this.#configurations.set(cluster, then);
      for (const { machine } of this.#nodes.values()) {
        const isOfIt = machine?.standing === 'member' && machine.belonging?.cluster === cluster;
        if (isOfIt) machine.configured(then);
      }
    });
  }

  #run(): void {
    for (;;) {
      const task = this.#tasks.shift() ?? this.#tick();
      if (task === undefined) return;
      task();
      if (this.#stopAt !== undefined && this.lines.at(-1)?.includes(this.#stopAt) === true) {
        this.#stopAt = undefined;
        return;
      }
    }
  }

  /** Lets the leader look around; undefined: it sees nothing to do. */
  #tick(): (() => void) | undefined {
    const leader = this.#leader === undefined ? undefined : this.#nodes.get(this.#leader)?.machine;
    const applied = new Map<MemberId, number>();
    for (const { id, name } of leader?.configuration?.learners ?? []) {
      if (this.#caughtUp.has(name)) applied.set(id, 10_000);
    }
    leader?.tick(10_000, applied);
    return this.#tasks.shift();
  }

  #later(task: () => void): void {
    this.#tasks.push(task);
  }

  #node(name: string): Node {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  #say(line: string): void {
    this.lines.push(`  ${line}`);
  }
}

const short = (text: string): string => text.replace(/\.disk0*/g, '.');
const listOf = (names: readonly string[]): string => names.map((name) => `${name}=host-${name}:1`).join(',');
const linkOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

function describe(message: ClusterMessage): string {
  if (message.kind === 'position') return 'position';
  if (message.kind === 'form') return `form ${message.cluster} ${short(message.you)}`;
  const { id, standing, cluster, list } = message;
  return `announce ${short(id)} ${standing}${cluster === undefined ? '' : ` ${cluster}`}, list ${list.join(' ')}`;
}

function describeMembers({ voters, learners }: Membership): string {
  const names = (members: readonly { readonly id: MemberId }[]): string =>
    members.map(({ id }) => short(id)).join(' ');
  return `${names(voters)}${learners.length === 0 ? '' : `, learning: ${names(learners)}`}`;
}

function summary(fields: Readonly<Record<string, unknown>>): string {
  const { message, cluster, voters } = fields;
  if (typeof message === 'string') return `: ${short(message)}`;
  return Array.isArray(voters) ? ` ${String(cluster)}: ${short(voters.join(' '))}` : '';
}

/** Plays the commands of a transcript and answers with the whole of it as it goes today. */
export function play(transcript: string): string {
  const bench = new ClusterBench();
  for (const line of transcript.split('\n')) {
    if (line.startsWith('  ')) continue;
    bench.lines.push(line);
    if (line.startsWith('> ')) bench.command(line.slice(2));
  }
  return bench.lines.join('\n');
}
