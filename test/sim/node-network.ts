/**
 * The simulated network between nodes: for each pair and channel one link at a time, first in,
 * first out, that loses everything in flight when it is cut. What a cut looks like differs: a reset
 * is noticed at once, silence only after a while, and a path that is blocked in one direction
 * swallows what goes there while the other direction still arrives.
 */
import type { Random } from './random.js';
import type { Process, World } from './world.js';

export interface NodeNetworkFaults {
  readonly meanMs: number;
  /** Probability that a frame takes twenty times as long, and all behind it wait. */
  readonly slow: number;
  /** Probability that a frame vanishes though its link stands. */
  readonly loss: number;
  /** Probability that a frame arrives twice. */
  readonly duplication: number;
  /** Mean life of a link, ms; 0: links are not reset. */
  readonly cutEveryMs: number;
}

export const QUIET_NODE_NETWORK: NodeNetworkFaults = {
  meanMs: 0.5, slow: 0, loss: 0, duplication: 0, cutEveryMs: 0,
};

export interface NodeEnd<Frame> {
  linked(peer: string, channel: string): void;
  frame(peer: string, channel: string, frame: Frame): void;
  cut(peer: string, channel: string): void;
}

/** After so long without a sign of life the other end is given up. */
const QUIET_MS = 2_000;
const REDIAL_MS = 60;

export interface NodeNetworkOptions {
  readonly random: Random;
  readonly faults: NodeNetworkFaults;
  readonly channels: readonly string[];
  /** A link on which something was swallowed goes on when the path is free: no real one does. */
  readonly isForgiving: boolean;
}

interface Attached<Frame> {
  readonly process: Process;
  readonly end: NodeEnd<Frame>;
  wants: ReadonlySet<string>;
}

export class NodeNetwork<Frame> {
  faults: NodeNetworkFaults;
  readonly world: World;
  readonly random: Random;
  readonly #channels: readonly string[];
  readonly #isForgiving: boolean;
  readonly #attached = new Map<string, Attached<Frame>>();
  readonly #links = new Map<string, Link<Frame>>();
  /** `from>to`: nothing gets through. */
  readonly #blocked = new Set<string>();

  constructor(
    world: World,
    options: NodeNetworkOptions,
  ) {
    this.world = world;
    this.random = options.random;
    this.faults = options.faults;
    this.#channels = options.channels;
    this.#isForgiving = options.isForgiving;
  }

  /** A run of a node is there and can be dialled. */
  attach(process: Process, end: NodeEnd<Frame>): void {
    this.#attached.set(process.name, { process, end, wants: new Set() });
  }

  /** It is gone: its kernel says so, or nobody does (`isSilent`: the power is off). */
  detach(name: string, isSilent: boolean): void {
    this.#attached.delete(name);
    for (const link of this.#linksOf(name)) link.reset(isSilent ? QUIET_MS : 0);
  }

  want(name: string, peers: Iterable<string>): void {
    const attached = this.#attached.get(name);
    if (attached === undefined) return;
    attached.wants = new Set([...peers].filter((peer) => peer !== name));
    for (const peer of attached.wants) {
      for (const channel of this.#channels) this.#link(name, peer, channel).dial();
    }
    for (const link of this.#linksOf(name)) {
      if (!this.isWanted(link.a, link.b)) link.reset(0);
    }
  }

  /** False: there is no link. */
  send(from: string, to: string, channel: string, frame: Frame): boolean {
    return this.#links.get(keyOf(from, to, channel))?.send(from, frame) ?? false;
  }

  isUp(a: string, b: string, channel: string): boolean {
    return this.#links.get(keyOf(a, b, channel))?.isUp ?? false;
  }

  /** Nothing passes from here to there; `isLoud`: links that need the path are reset at once. */
  block(from: string, to: string, isLoud: boolean): void {
    this.#blocked.add(`${from}>${to}`);
    for (const link of this.#linksOf(from)) {
      if (link.has(to)) link.blocked(isLoud);
    }
  }

  healAll(): void {
    this.#blocked.clear();
    if (this.#isForgiving) return;
    for (const link of this.#links.values()) if (link.hasSwallowed) link.reset(0);
  }

  /** All can reach this one again, whatever keeps them from each other. */
  healAround(name: string): void {
    for (const path of this.#blocked) {
      if (path.split('>').includes(name)) this.#blocked.delete(path);
    }
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(`${from}>${to}`);
  }

  isWanted(a: string, b: string): boolean {
    return this.#attached.get(a)?.wants.has(b) === true ||
      this.#attached.get(b)?.wants.has(a) === true;
  }

  attached(name: string): Attached<Frame> | undefined {
    return this.#attached.get(name);
  }

  delayMs(): number {
    const base = 0.05 + this.random.exponential(this.faults.meanMs);
    return this.random.chance(this.faults.slow) ? base * 20 : base;
  }

  #link(a: string, b: string, channel: string): Link<Frame> {
    const key = keyOf(a, b, channel);
    const link = this.#links.get(key) ?? new Link(this, a < b ? [a, b] : [b, a], channel);
    this.#links.set(key, link);
    return link;
  }

  #linksOf(name: string): Link<Frame>[] {
    return [...this.#links.values()].filter((link) => link.has(name));
  }
}

const keyOf = (a: string, b: string, channel: string): string =>
  (a < b ? `${a} ${b} ${channel}` : `${b} ${a} ${channel}`);

/** One side of a link: what it is told comes in order. */
interface Side<Frame> {
  readonly name: string;
  /** Virtual time of the last thing that it will have been told. */
  lastAt: number;
  /** The run that was told `linked` and not yet `cut`. */
  told: Attached<Frame> | undefined;
  /** Sent to it over the present link. */
  frames: number;
  /** It knows of the link: only then may it send. */
  isLinked: boolean;
}

class Link<Frame> {
  readonly a: string;
  readonly b: string;
  /** Something was sent into a blocked path. */
  hasSwallowed = false;
  readonly #network: NodeNetwork<Frame>;
  readonly #channel: string;
  readonly #sides: readonly [Side<Frame>, Side<Frame>];
  #isUp = false;
  #isDialling = false;
  /** It is gone and one end has not noticed: what that sends goes nowhere. */
  #isUnnoticed = false;
  /** One more with each link and each cut: what is in flight belongs to one of them. */
  #epoch = 0;

  constructor(network: NodeNetwork<Frame>, [a, b]: readonly [string, string], channel: string) {
    this.#network = network;
    this.a = a;
    this.b = b;
    this.#channel = channel;
    this.#sides = [
      { name: a, lastAt: 0, told: undefined, frames: 0, isLinked: false },
      { name: b, lastAt: 0, told: undefined, frames: 0, isLinked: false },
    ];
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  has(name: string): boolean {
    return this.a === name || this.b === name;
  }

  dial(): void {
    if (this.#isUp || this.#isDialling) return;
    this.#isDialling = true;
    const { world, random } = this.#network;
    world.after(random.exponential(REDIAL_MS), () => {
      this.#isDialling = false;
      if (this.#isUp || !this.#network.isWanted(this.a, this.b)) return;
      if (this.#canStand()) this.#stand();
      else this.dial();
    });
  }

  send(from: string, frame: Frame): boolean {
    const [own, to] = from === this.a ? this.#sides : [this.#sides[1], this.#sides[0]];
    if (!own.isLinked) return false;
    if (!this.#isUp) return this.#isUnnoticed;
    const { random, faults } = this.#network;
    // The first frame is the greeting: without it there is no link.
    const isFirst = to.frames++ === 0;
    if (!isFirst && this.#network.isBlocked(from, to.name)) {
      this.hasSwallowed = true;
      return true;
    }
    if (!isFirst && random.chance(faults.loss)) return true;
    this.#deliver(to, frame);
    if (random.chance(faults.duplication)) this.#deliver(to, frame);
    return true;
  }

  /** A path that it needs is blocked. */
  blocked(isLoud: boolean): void {
    if (!this.#isUp) return;
    if (isLoud) return this.reset(0);
    const epoch = this.#epoch;
    this.#network.world.after(QUIET_MS, () => {
      if (this.#epoch !== epoch) return;
      if (this.#network.isBlocked(this.a, this.b) || this.#network.isBlocked(this.b, this.a)) {
        this.reset(0);
      }
    });
  }

  /**
   * Everything in flight is lost; its ends learn of it after `noticedMs`, or when there is a new
   * one.
   */
  reset(noticedMs: number): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#network.world.trace(`${this.a}-${this.b} ${this.#channel} is cut`);
    const epoch = ++this.#epoch;
    this.#isUnnoticed = true;
    if (noticedMs === 0) this.#notice();
    else {
      this.#network.world.after(noticedMs, () => {
        if (this.#epoch === epoch) this.#notice();
      });
    }
    this.dial();
  }

  #notice(): void {
    this.#isUnnoticed = false;
    for (const side of this.#sides) {
      const end = this.#network.attached(side.name);
      if (end === undefined || end !== side.told) continue;
      side.told = undefined;
      this.#at(side, end.process.bound(() => {
        side.isLinked = false;
        end.end.cut(this.#peerOf(side), this.#channel);
      }));
    }
  }

  #canStand(): boolean {
    const { a, b } = this;
    const ends = [a, b].map((name) => this.#network.attached(name)?.process);
    return ends.every((process) => process?.isAlive === true && !process.isPaused) &&
      !this.#network.isBlocked(a, b) && !this.#network.isBlocked(b, a);
  }

  #stand(): void {
    const { world, random, faults } = this.#network;
    if (this.#isUnnoticed) this.#notice();
    this.#isUp = true;
    this.hasSwallowed = false;
    world.trace(`${this.a}-${this.b} ${this.#channel} stands`);
    const epoch = ++this.#epoch;
    for (const side of this.#sides) {
      const end = this.#network.attached(side.name);
      if (end === undefined) continue;
      side.told = end;
      side.frames = 0;
      side.isLinked = false;
      this.#at(side, end.process.bound(() => {
        side.isLinked = true;
        end.end.linked(this.#peerOf(side), this.#channel);
      }));
    }
    if (faults.cutEveryMs === 0) return;
    world.after(random.exponential(faults.cutEveryMs), () => {
      if (this.#epoch === epoch && faults === this.#network.faults) this.reset(0);
    });
  }

  #deliver(to: Side<Frame>, frame: Frame): void {
    const end = this.#network.attached(to.name);
    if (end === undefined) return;
    const epoch = this.#epoch;
    const take = end.process.bound(() =>
      end.end.frame(this.#peerOf(to), this.#channel, frame));
    // What its kernel holds, a process that stands still reads later, be the link cut or not.
    this.#at(to, () => {
      if (this.#epoch === epoch) take();
    });
  }

  #at(side: Side<Frame>, run: () => void): void {
    const { world } = this.#network;
    const at = Math.max(side.lastAt + 0.000_1, world.now + this.#network.delayMs());
    side.lastAt = at;
    world.after(at - world.now, run);
  }

  #peerOf(side: Side<Frame>): string {
    return side.name === this.a ? this.b : this.a;
  }
}
