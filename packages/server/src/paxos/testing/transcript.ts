/**
 * Plays a transcript: a text file in which each line that begins with `>` says what happens, and
 * the lines below it what the members then say to each other and to their servers. A stranger reads
 * them as the protocol's examples; the test holds the code to them.
 *
 * Links are first in, first out. Disks are instant unless told otherwise. `quiet` hides heartbeats.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { MemberId } from '../ballot.js';
import type { Member } from '../configuration.js';
import { paxosLimits } from '../limits.js';
import type { PaxosLimits } from '../limits.js';
import type { PaxosMessage } from '../message.js';
import { memberId, memberOf, TestNode } from './node.js';
import type { Seen, TestWorld } from './node.js';
import { ballotText, membersText, messageText, valueText } from './wording.js';

type Command = (stage: Stage, name: string, words: readonly string[]) => void;

/** `> NAME VERB …` or `> VERB …`. */
const commands: Readonly<Record<string, Command>> = {
  /** `> group a b c` or `> group a b c + d` */
  group: (stage, _name, words) => stage.found(words),
  /** A node with an empty disk, which knows the first configuration and is in none. */
  joins: (stage, name) => stage.join(name),
  /** Its patience is over; the others have not noticed any time pass but for their leases. */
  stands: (stage, name) => stage.stand(name),
  /** It stood and won, as in plain-commit. */
  leads: (stage, name) => {
    stage.stand(name);
    stage.take();
  },
  /** `> 100 ms` of everybody's time, tick by tick. */
  ms: (stage, count) => stage.pass(Number(count)),
  proposes: (stage, name, words) => {
    words.forEach((word, i) => stage.orRefused(() =>
      stage.node(name).member?.propose(Buffer.from(word), i, stage.world.now)));
    stage.flow();
  },
  reads: (stage, name, [tag]) => {
    stage.orRefused(() => stage.node(name).member?.read(Number(tag), stage.world.now));
    stage.flow();
  },
  /** `> a changes to a b c + d` */
  changes: (stage, name, [, ...words]) => {
    stage.orRefused(() => stage.node(name).member?.change(stage.membership(words), stage.world.now));
    stage.flow();
  },
  /** `> a hands over to b` */
  hands: (stage, name, [, , to = '']) => {
    stage.orRefused(() => stage.node(name).member?.transfer(memberId(to), stage.world.now));
    stage.flow();
  },
  crashes: (stage, name) => stage.stop(name),
  restarts: (stage, name) => stage.start(name),
  /** Its state is on disk; the log is kept as far as the limits say. */
  saves: (stage, name) => stage.node(name).save(),
  /** `> keep 2`: how many applied slots are kept for those that lag. */
  keep: (stage, _name, [slots]) => stage.limit({ keptSlotsMax: Number(slots) }),
  lease: (stage, _name, [word]) => stage.limit({ leaseReads: word !== 'off' }),
  /** The state that it asked for arrives. */
  fetches: (stage, name) => stage.fetch(name),
  /** `> cut a` from all, or `> cut a b`. */
  cut: (stage, _name, words) => stage.cut(words),
  mend: (stage) => stage.mend(),
  /** The next so many messages of that link are lost: `> lose a>b 1`. */
  lose: (stage, _name, [link = '', count = '1']) => stage.losing.set(link, Number(count)),
  /** From now on messages wait. */
  hold: (stage) => { stage.isHeld = true; },
  /**
   * `> deliver a>b` everything that waits there, or `> deliver` everything, and what follows from
   * it.
   */
  deliver: (stage, _name, [link]) => stage.deliver(link),
  release: (stage) => {
    stage.isHeld = false;
    stage.flow();
  },
  /** Its disk takes its time: `> a disk waits`, `> a disk syncs`. */
  disk: (stage, name, [word]) => {
    if (word === 'waits') stage.slow.add(memberId(name));
    else stage.slow.delete(memberId(name));
    stage.flow();
  },
  show: (stage) => { stage.isQuiet = false; },
  quiet: (stage) => { stage.isQuiet = true; },
  state: (stage, name) => stage.print(stage.node(name).commands.join(' ') || 'nothing'),
  log: (stage, name) => stage.print(stage.logText(name)),
};

class Stage {
  readonly world: TestWorld;
  readonly losing = new Map<string, number>();
  readonly slow = new Set<MemberId>();
  isHeld = false;
  isQuiet = true;
  #limits: PaxosLimits = paxosLimits;
  readonly #nodes = new Map<string, TestNode>();
  readonly #cut = new Set<string>();
  readonly #asking = new Set<string>();
  #flights: { readonly link: string; readonly to: MemberId; readonly from: MemberId; readonly message: PaxosMessage }[] = [];
  #said: string[] = [];
  #first: readonly Member[] = [];

  constructor() {
    const limits = (): PaxosLimits => this.#limits;
    this.world = {
      now: 0,
      get limits() { return limits(); },
      random: () => 0.5,
      send: (from, to, message) => this.#send(from, to, message),
      seen: (node, what) => this.#seen(node, what),
    };
  }

  found(words: readonly string[]): void {
    this.#first = words.map(memberOf);
    for (const word of words) this.join(word);
  }

  join(name: string): void {
    const configuration = { number: 0, fromSlot: 1, voters: this.#first, learners: [] };
    const base = { slot: 0, configuration, epoch: undefined };
    this.#nodes.set(name, new TestNode(memberId(name), this.world, base));
  }

  /** A process that ends cuts its links, which the others see. */
  stop(name: string): void {
    this.node(name).crash();
    for (const node of this.#nodes.values()) {
      node.member?.linked(memberId(name), false, this.world.now);
    }
  }

  start(name: string): void {
    this.node(name).start();
    for (const node of this.#nodes.values()) {
      if (node.id !== name) node.member?.linked(memberId(name), true, this.world.now);
    }
  }

  limit(limits: Partial<PaxosLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
  }

  node(name: string): TestNode {
    const found = this.#nodes.get(name);
    if (found === undefined) throw new Error(`Nobody is called '${name}'`);
    return found;
  }

  membership(words: readonly string[]): { voters: Member[]; learners: Member[] } {
    const plus = words.indexOf('+');
    const end = plus < 0 ? words.length : plus;
    return { voters: words.slice(0, end).map(memberOf), learners: words.slice(end + 1).map(memberOf) };
  }

  pass(ms: number): void {
    const until = this.world.now + ms;
    while (this.world.now < until) {
      this.world.now += this.#limits.tickMs;
      for (const node of this.#nodes.values()) node.tick();
      this.flow();
    }
  }

  /** Only its own clock ticks, until it says something. */
  stand(name: string): void {
    this.#asking.delete(name);
    for (let i = 0; i < 400 && !this.#asking.has(name); i++) {
      this.world.now += this.#limits.tickMs;
      this.node(name).tick();
      this.#syncAll();
    }
    this.flow();
  }

  /** Misuse answers with a code. */
  orRefused(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OxbowError) || error.code === 'invariant') throw error;
      this.print(`refused: ${error.code}`);
    }
  }

  cut(words: readonly string[]): void {
    const [one = '', ...others] = words;
    for (const name of others.length > 0 ? others : this.#nodes.keys()) {
      this.#cut.add(`${one}>${name}`).add(`${name}>${one}`);
    }
  }

  mend(): void {
    this.#cut.clear();
    this.losing.clear();
  }

  fetch(name: string): void {
    const node = this.node(name);
    const source = this.node(node.fetching ?? '');
    const state = source.savedState;
    node.install(state, source.member?.baseAt(state.slot));
    this.print(`${name} holds the state of ${source.id} at slot ${state.slot}`);
    this.flow();
  }

  deliver(link: string | undefined): void {
    this.#syncAll();
    if (link === undefined) {
      const held = this.#flights.splice(0);
      for (const { from, to, message } of held) this.#nodes.get(to)?.receive(from, message);
    } else {
      const held = this.#flights.filter((flight) => flight.link === link);
      this.#flights = this.#flights.filter((flight) => flight.link !== link);
      for (const { from, to, message } of held) this.#nodes.get(to)?.receive(from, message);
    }
    this.#syncAll();
  }

  /** Until nothing is left to say. */
  flow(): void {
    for (let turn = 0; turn < 10_000; turn++) {
      this.#syncAll();
      const flight = this.isHeld ? undefined : this.#flights.shift();
      if (flight === undefined) return;
      this.#nodes.get(flight.to)?.receive(flight.from, flight.message);
    }
    throw new Error('They do not come to an end');
  }

  logText(name: string): string {
    const { member } = this.node(name);
    return `configuration ${member?.configuration.number}: ` +
      `${member === undefined ? '' : membersText(member.configuration)}; chosen up to ${member?.chosenSlot}`;
  }

  print(line: string): void {
    this.#said.push(line);
  }

  take(): string[] {
    return this.#said.splice(0);
  }

  #syncAll(): void {
    let isBusy = true;
    while (isBusy) {
      isBusy = false;
      for (const node of this.#nodes.values()) {
        if (!node.isUp || !node.hasPending || this.slow.has(node.id)) continue;
        isBusy = true;
        node.sync();
      }
    }
  }

  #send(from: MemberId, to: MemberId, message: PaxosMessage): void {
    const link = `${from}>${to}`;
    const left = this.losing.get(link) ?? 0;
    if (message.kind === 'pre-prepare') this.#asking.add(from);
    const isBeat = message.kind === 'heartbeat' || message.kind === 'heard';
    const isLost = this.#cut.has(link) || (left > 0 && !(isBeat && this.isQuiet)) ||
      this.#nodes.get(to)?.isUp !== true;
    if (left > 0 && isLost) this.losing.set(link, left - 1);
    if (!isBeat || !this.isQuiet) {
      this.print(`${from} > ${to}  ${messageText(message)}${isLost ? '  (lost)' : ''}`);
    }
    if (!isLost) this.#flights.push({ link, from, to, message });
  }

  #seen(node: TestNode, what: Seen): void {
    const { id } = node;
    switch (what.kind) {
      case 'chosen':
        return this.print(`${id} is told ${what.slot}: ` + (what.chosen.kind === 'command'
          ? valueText({ kind: 'command', payload: what.chosen.payload }) : 'nothing'));
      case 'leadership':
        if (what.leadership.kind === 'leading') {
          return this.print(`${id} leads with ${ballotText(what.leadership.ballot)}`);
        }
        return this.print(`${id} follows ${what.leadership.leader ?? 'nobody'}`);
      case 'configured':
        if (what.configuration.number === 0) return;
        return this.print(`${id} is in configuration ${what.configuration.number} ` +
          `from slot ${what.configuration.fromSlot}: ${membersText(what.configuration)}`);
      case 'readable': return this.print(`${id} answers read ${what.tag} from slot ${what.slot}`);
      case 'unreadable': return this.print(`${id} cannot answer read ${what.tag}`);
      case 'fetch': return this.print(`${id} asks for the state of ${what.from}`);
      case 'trimmed': return this.print(`${id} forgets the slots up to ${what.base.slot}`);
      case 'removed': return this.print(`${id} knows that it was removed`);
      case 'persist':
        if (this.slow.has(id)) this.print(`${id} writes ${what.record.kind}`);
    }
  }
}

/** The transcript as it really goes: commands and remarks kept, the rest written anew. */
export function play(transcript: string): string {
  const stage = new Stage();
  const lines: string[] = [];
  for (const line of transcript.split('\n')) {
    if (line.startsWith('  ')) continue;
    lines.push(line);
    if (!line.startsWith('> ')) continue;
    perform(stage, line.slice(2).trim().split(/\s+/));
    for (const said of stage.take()) lines.push(`  ${said}`);
  }
  return lines.join('\n');
}

function perform(stage: Stage, words: readonly string[]): void {
  const [first = '', second = ''] = words;
  const plain = commands[first];
  if (plain !== undefined) return plain(stage, '', words.slice(1));
  const named = commands[second];
  if (named === undefined) throw new Error(`No such command: ${words.join(' ')}`);
  named(stage, first, words.slice(2));
}
