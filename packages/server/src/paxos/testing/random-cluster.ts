/**
 * A small cluster under everything that a network and power failures do: loss, duplicates,
 * reordering, cuts in one direction, crashes that lose what was not synced, members that come and
 * go, states that are fetched; while it runs and after it has healed, it is held to what a
 * replicated log promises. One seed replays a run.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { Ballot, MemberId } from '../ballot.js';
import type { Configuration, Member } from '../configuration.js';
import { paxosLimits } from '../limits.js';
import type { PaxosLimits } from '../limits.js';
import type { PaxosMessage } from '../message.js';
import { memberId, memberOf, text, TestNode } from './node.js';
import type { Seen, TestWorld } from './node.js';

/**
 * Small bounds, so that windows fill, parts split, leaders change and logs are trimmed all the
 * time.
 */
const tightLimits: PaxosLimits = {
  ...paxosLimits,
  tickMs: 5, heartbeatMs: 10, leaseMs: 40, electionMs: 120, electionCutMs: 42, quorumLostMs: 100,
  resendMs: 40,
  windowSlotsMax: 16, windowBytesMax: 4_096, payloadBytesMax: 1_024,
  inFlightBytesMax: 2_048, inFlightMessagesMax: 6, messageBytesMax: 2_048, partBytesMax: 200,
  aheadSlotsMax: 64, unappliedBytesMax: 16_384, keptBytesMax: 2_048, heldBytesMax: 4_096, keptSlotsMax: 20, readsMax: 50,
};

const TICK_MS = 5;

interface Flight {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly message: PaxosMessage;
  readonly due: number;
}

interface Weather {
  readonly loss: number;
  readonly duplicates: number;
  readonly delayMs: number;
  readonly crash: number;
  readonly cut: number;
  readonly change: number;
  readonly pause: number;
  readonly leaseReads: boolean;
  readonly isOrdered: boolean;
}

export interface RandomClusterOptions {
  readonly seed: number;
  readonly steps: number;
  /** What every message passes; for tests that plant a defect. */
  readonly tamper?: (from: MemberId, message: PaxosMessage) => PaxosMessage | undefined;
}

export interface Outcome {
  readonly chosen: number;
  readonly commands: number;
  readonly leaderships: number;
  readonly configurations: number;
  readonly reads: number;
  readonly states: number;
  readonly voids: number;
  readonly trace: string;
}

interface ReadUnderWay {
  readonly node: MemberId;
  /** The highest slot that anybody had been told as chosen when it began. */
  readonly floor: number;
}

/** Mulberry32: enough for a test, and short. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export class RandomCluster {
  readonly #random: () => number;
  readonly #weather: Weather;
  readonly #options: RandomClusterOptions;
  readonly #world: TestWorld;
  readonly #nodes = new Map<MemberId, TestNode>();
  readonly #cut = new Set<string>();
  readonly #pausedUntil = new Map<MemberId, number>();
  #flights: Flight[] = [];
  #names = 0;
  #hash = 0;
  #isHealed = false;
  /** What each slot means, as first told by anyone. */
  readonly #meaning = new Map<number, string>();
  #acknowledged = 0;
  readonly #proposedBy = new Map<string, number>();
  readonly #reads = new Map<number, ReadUnderWay>();
  #tags = 0;
  readonly #counts = { leaderships: 0, configurations: 0, reads: 0, states: 0, voids: 0 };
  #newest: Configuration;
  #lastCommandOf = new Map<string, number>();

  constructor(options: RandomClusterOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    this.#weather = this.#draw();
    this.#world = {
      now: 0,
      limits: { ...tightLimits, leaseReads: this.#weather.leaseReads },
      random: this.#random,
      send: (from, to, message) => this.#send(from, to, message),
      seen: (node, what) => this.#seen(node, what),
    };
    const size = this.#pick([1, 3, 3, 5]);
    const voters = Array.from({ length: size }, () => this.#name());
    this.#newest = { number: 0, fromSlot: 1, voters, learners: [] };
    for (const { id } of voters) this.#add(id);
  }

  run(): Outcome {
    for (let step = 0; step < this.#options.steps; step++) this.#step();
    this.#heal();
    const commands = [...this.#nodes.values()].find(({ id }) =>
      this.#newest.voters.some((voter) => voter.id === id))?.commands.length ?? 0;
    return {
      chosen: this.#meaning.size, commands, ...this.#counts, trace: (this.#hash >>> 0).toString(16),
    };
  }

  #draw(): Weather {
    const chance = (of: number, most: number): number => this.#random() < of ? this.#random() * most : 0;
    return {
      loss: chance(0.6, 0.2), duplicates: chance(0.5, 0.2),
      delayMs: this.#pick([0, 2, 5, 15, 60]),
      crash: chance(0.8, 0.04), cut: chance(0.8, 0.04), change: chance(0.6, 0.04),
      pause: chance(0.6, 0.02), leaseReads: this.#random() < 0.5, isOrdered: this.#random() < 0.6,
    };
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('Nothing to pick from');
    return item;
  }

  #name(): Member {
    this.#names += 1;
    return memberOf(`m${String(this.#names).padStart(2, '0')}`);
  }

  #add(id: MemberId): void {
    const first = { ...this.#newest };
    const base = { slot: 0, configuration: this.#nodes.size === 0 ? first : this.#first(), epoch: undefined };
    this.#nodes.set(id, new TestNode(id, this.#world, base));
  }

  #first(): Configuration {
    this.#firstConfiguration ??= this.#newest;
    return this.#firstConfiguration;
  }

  #firstConfiguration: Configuration | undefined;

  #step(): void {
    const { now } = this.#world;
    this.#world.now += this.#random() * TICK_MS;
    this.#firstConfiguration ??= this.#newest;
    this.#deliver();
    for (const node of this.#nodes.values()) {
      if (!node.isUp || this.#isPaused(node)) continue;
      node.tick();
      if (node.hasPending && this.#random() < this.#speedOf(node, now)) node.sync();
      if (this.#random() < 0.1) node.save();
      if (this.#random() < 0.01) node.compact();
      this.#maybeInstall(node);
    }
    this.#use();
    this.#disturb();
  }

  /** Each disk has good and bad times of its own. */
  #speedOf(node: TestNode, now: number): number {
    const turn = Math.floor(now / 100) + node.id.charCodeAt(2);
    return [1, 0.5, 0.9, 0.05][(turn * 7 + this.#options.seed) % 4] ?? 1;
  }

  #isPaused({ id }: TestNode): boolean {
    return (this.#pausedUntil.get(id) ?? 0) > this.#world.now;
  }

  #deliver(): void {
    const { now } = this.#world;
    const due: Flight[] = [];
    const later: Flight[] = [];
    for (const flight of this.#flights) {
      const isHeld = (this.#pausedUntil.get(flight.to) ?? 0) > now;
      (flight.due <= now && !isHeld ? due : later).push(flight);
    }
    this.#flights = later;
    for (const { from, to, message } of due) {
      if (this.#cut.has(`${from}>${to}`)) continue;
      this.#nodes.get(to)?.receive(from, message);
    }
  }

  #send(from: MemberId, to: MemberId, message: PaxosMessage): void {
    const said = this.#options.tamper === undefined ? message : this.#options.tamper(from, message);
    if (said === undefined) return;
    this.#mix(`${from}>${to}${said.kind}`);
    if (this.#cut.has(`${from}>${to}`)) return;
    const times = this.#random() < this.#weather.duplicates ? 2 : 1;
    for (let i = 0; i < times; i++) {
      if (!this.#isHealed && this.#random() < this.#weather.loss) continue;
      const delay = this.#isHealed ? 1 : this.#random() * this.#weather.delayMs;
      let due = this.#world.now + delay;
      if (this.#weather.isOrdered) {
        for (const flight of this.#flights) {
          if (flight.from === from && flight.to === to) due = Math.max(due, flight.due);
        }
      }
      this.#flights.push({ from, to, message: said, due });
    }
    if (this.#weather.isOrdered) this.#flights.sort((a, b) => a.due - b.due);
  }

  #mix(word: string): void {
    for (let i = 0; i < word.length; i++) this.#hash = Math.imul(this.#hash ^ word.charCodeAt(i), 0x01000193);
  }

  #maybeInstall(node: TestNode): void {
    const { fetching } = node;
    if (fetching === undefined || this.#random() > 0.05) return;
    const source = this.#nodes.get(fetching);
    const state = source?.savedState;
    const base = state === undefined ? undefined : source?.member?.baseAt(state.slot);
    const isNewer = base !== undefined && base.slot >= (node.member?.chosenSlot ?? 0);
    if (isNewer) this.#counts.states += 1;
    node.install(isNewer ? state : undefined, isNewer ? base : undefined);
  }

  /** Clients. */
  #use(): void {
    for (const node of this.#nodes.values()) {
      const { member } = node;
      if (member?.leadership.kind !== 'leading' || this.#isPaused(node)) continue;
      if (this.#random() < 0.5) this.#propose(node, member.leadership.ballot);
      if (this.#random() < 0.3) this.#read(node);
    }
  }

  #propose(node: TestNode, { round, member }: Ballot): void {
    const origin = `${round}/${member}`;
    const count = (this.#proposedBy.get(origin) ?? 0) + 1;
    const payload = Buffer.from(`${origin}#${count}${'.'.repeat(Math.floor(this.#random() * 80))}`);
    this.#orRefused(() => {
      node.member?.propose(payload, count, this.#world.now);
      this.#proposedBy.set(origin, count);
    });
  }

  #read(node: TestNode): void {
    this.#tags += 1;
    const tag = this.#tags;
    this.#reads.set(tag, { node: node.id, floor: this.#acknowledged });
    this.#orRefused(() => node.member?.read(tag, this.#world.now));
  }

  /** Misuse is no fault of the machine; anything else it throws is. */
  #orRefused(act: () => void): void {
    try {
      act();
    } catch (error) {
      const known = ['log-full', 'not-leader', 'config-invalid', 'change-under-way'];
      if (!(error instanceof OxbowError) || !known.includes(error.code)) throw error;
    }
  }

  #disturb(): void {
    const { crash, cut, change, pause } = this.#weather;
    const nodes = [...this.#nodes.values()];
    if (this.#random() < crash) this.#crash(this.#victim(nodes));
    if (this.#random() < 0.08) this.#restartOne(nodes);
    if (this.#random() < cut) this.#cutOne(this.#victim(nodes), nodes);
    if (this.#random() < 0.03) this.#mendAll();
    if (this.#random() < change) this.#change();
    if (this.#random() < 0.01) this.#transfer();
    if (this.#random() >= pause) return;
    this.#pausedUntil.set(this.#victim(nodes).id, this.#world.now + this.#random() * 300);
  }

  /** Leaders are where it hurts. */
  #victim(nodes: readonly TestNode[]): TestNode {
    return (this.#random() < 0.5 ? this.#leader() : undefined) ?? this.#pick(nodes);
  }

  #crash(node: TestNode): void {
    node.crash(Math.floor(this.#random() * 4));
    for (const [tag, read] of this.#reads) if (read.node === node.id) this.#reads.delete(tag);
    this.#tellLinks(node.id, false);
  }

  #restartOne(nodes: readonly TestNode[]): void {
    const node = nodes.find(({ isUp }) => !isUp);
    if (node === undefined) return;
    node.start();
    this.#tellLinks(node.id, true);
  }

  /** From one other, from some, or from all; in one direction or in both; noticed or not. */
  #cutOne(one: TestNode, nodes: readonly TestNode[]): void {
    const share = this.#pick([0.2, 0.5, 1]);
    const [isBoth, isNoticed, isDeaf] = [0, 0, 0].map(() => this.#random() < 0.5);
    for (const other of nodes) {
      if (other === one || this.#random() >= share) continue;
      if (isBoth || isDeaf) this.#cut.add(`${other.id}>${one.id}`);
      if (isBoth || !isDeaf) this.#cut.add(`${one.id}>${other.id}`);
      if (!isNoticed) continue;
      one.member?.linked(other.id, false, this.#world.now);
      other.member?.linked(one.id, false, this.#world.now);
    }
  }

  #mendAll(): void {
    if (this.#cut.size === 0) return;
    this.#cut.clear();
    for (const { id } of this.#nodes.values()) this.#tellLinks(id, true);
  }

  #tellLinks(id: MemberId, isUp: boolean): void {
    for (const node of this.#nodes.values()) {
      if (node.id !== id) node.member?.linked(id, isUp && this.#nodes.get(id)?.isUp === true, this.#world.now);
    }
  }

  #leader(): TestNode | undefined {
    return [...this.#nodes.values()].find(({ member }) => member?.leadership.kind === 'leading');
  }

  #transfer(): void {
    const leader = this.#leader();
    if (leader?.member === undefined) return;
    const { id } = this.#pick(leader.member.configuration.voters);
    this.#orRefused(() => leader.member?.transfer(id, this.#world.now));
  }

  /** Adds a learner, makes one a voter, drops one, or replaces everything that may be replaced. */
  #change(): void {
    const leader = this.#leader();
    if (leader?.member === undefined) return;
    const { voters, learners } = leader.member.configuration;
    const next = this.#pick([
      () => learners.length < 3 && this.#nodes.size < 12
        ? { voters, learners: [...learners, this.#fresh()] } : undefined,
      () => ({ voters: [...voters, ...learners].slice(0, 7), learners: [] }),
      () => ({ voters: voters.filter((voter) => voter !== this.#pick(voters)), learners }),
      () => learners.length > 0 ? { voters: learners, learners: [] } : undefined,
      () => learners.length > 0 ? { voters: [...learners, ...voters.slice(1)].slice(0, 7), learners: [] } : undefined,
    ])();
    if (next === undefined || next.voters.length === 0) return;
    this.#orRefused(() => leader.member?.change(next, this.#world.now));
  }

  #fresh(): Member {
    const member = this.#name();
    this.#add(member.id);
    return member;
  }

  #seen(node: TestNode, what: Seen): void {
    switch (what.kind) {
      case 'chosen': return this.#onChosen(node, what);
      case 'leadership':
        if (what.leadership.kind === 'leading') this.#counts.leaderships += 1;
        return;
      case 'configured':
        if (what.configuration.number <= this.#newest.number) return;
        this.#newest = what.configuration;
        this.#counts.configurations += 1;
        return;
      case 'readable': return this.#onReadable(what.tag, what.slot);
      case 'unreadable':
        this.#reads.delete(what.tag);
        return;
      case 'removed':
        if (this.#newest.voters.some(({ id }) => id === node.id)) throw new Error(`${node.id} votes and was sent away`);
        return;
      default:
    }
  }

  #onChosen(node: TestNode, { slot, chosen }: Seen & { kind: 'chosen' }): void {
    const meaning = chosen.kind === 'command' ? text(chosen.payload) : 'nothing';
    const known = this.#meaning.get(slot);
    if (known === undefined) {
      this.#meaning.set(slot, meaning);
      this.#checkOrder(meaning);
    } else if (known !== meaning) {
      throw new Error(`Slot ${slot} is ${known}, and ${meaning} at ${node.id}`);
    }
    this.#mix(`${node.id}=${slot}`);
    const { member } = node;
    if (member?.leadership.kind === 'leading') this.#acknowledged = Math.max(this.#acknowledged, slot);
  }

  /** The nth command of a leadership that takes effect is the nth that it proposed. */
  #checkOrder(meaning: string): void {
    const [origin = '', rest = ''] = meaning.split('#');
    if (meaning === 'nothing') return;
    const count = Number.parseInt(rest, 10);
    const before = this.#lastCommandOf.get(origin) ?? 0;
    if (count !== before + 1) throw new Error(`${meaning} takes effect after ${origin}#${before}`);
    this.#lastCommandOf.set(origin, count);
  }

  #onReadable(tag: number, slot: number): void {
    const read = this.#reads.get(tag);
    if (read === undefined) return;
    this.#reads.delete(tag);
    this.#counts.reads += 1;
    if (slot < read.floor) {
      throw new Error(`A read at ${read.node} sees slot ${slot} when ${read.floor} was acknowledged`);
    }
  }

  /** All is well again: what is promised must come true within a bound. */
  #heal(): void {
    this.#isHealed = true;
    this.#cut.clear();
    this.#pausedUntil.clear();
    for (const node of this.#nodes.values()) if (!node.isUp) node.start();
    for (const { id } of this.#nodes.values()) this.#tellLinks(id, true);
    const before = this.#meaning.size;
    for (let step = 0; step < 2_000; step++) {
      this.#world.now += TICK_MS / 2;
      this.#deliver();
      for (const node of this.#nodes.values()) {
        node.tick();
        node.sync();
        if (step % 10 === 0) node.save();
        this.#maybeInstall(node);
      }
      this.#use();
      if (step > 400 && this.#meaning.size > before && this.#isEqual()) return;
    }
    throw new Error(`It does not come to rest: ${this.#describe()}`);
  }

  #isEqual(): boolean {
    const members = [...this.#newest.voters, ...this.#newest.learners]
      .map(({ id }) => this.#nodes.get(id)).filter((node) => node !== undefined);
    const slowest = Math.min(...members.map(({ state }) => state.slot));
    if (slowest < this.#acknowledged - 10) return false;
    const shortest = Math.min(...members.map(({ commands }) => commands.length));
    const prefixes = new Set(members.map(({ commands }) => commands.slice(0, shortest).join()));
    if (prefixes.size > 1) throw new Error('The states differ');
    return true;
  }

  #describe(): string {
    const { voters, learners, number } = this.#newest;
    const nodes = [...this.#nodes.values()].map((node) => {
      const { member } = node;
      const kind = member?.leadership.kind ?? 'down';
      const of = member?.configuration.number ?? -1;
      return `${node.id} ${kind} c${of} slot ${node.state.slot}${node.isRemoved ? ' removed' : ''}` +
        `${node.fetching === undefined ? '' : ` fetches from ${node.fetching}`}`;
    });
    return `configuration ${number}: ${voters.map(({ id }) => id).join()} + ` +
      `${learners.map(({ id }) => id).join()}; ${nodes.join('; ')}`;
  }
}

export { memberId };
