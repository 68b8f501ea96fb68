/** One member on a bench: what it says is caught, and the test plays everybody else. */
import type { Ballot, MemberId } from '../ballot.js';
import type { Configuration } from '../configuration.js';
import { paxosLimits } from '../limits.js';
import type { PaxosLimits } from '../limits.js';
import type { PaxosMessage } from '../message.js';
import type { Value } from '../value.js';
import { memberId, memberOf, TestNode } from './node.js';
import type { Seen, TestWorld } from './node.js';

export const ballot = (round: number, member: string): Ballot => ({ round, member: memberId(member) });

export const command = (origin: Ballot, word: string): Value =>
  ({ kind: 'command', origin, payload: Buffer.from(word) });

export const begin = (origin: Ballot): Value => ({ kind: 'begin', origin });

export const noOp = (origin: Ballot): Value => ({ kind: 'no-op', origin });

export const stop = (origin: Ballot, ...names: string[]): Value =>
  ({ kind: 'stop', origin, next: { voters: names.map(memberOf), learners: [] } });

export const configurationOf = (...names: string[]): Configuration =>
  ({ number: 0, fromSlot: 1, voters: names.map(memberOf), learners: [] });

/** Without `Omit`, which would melt the union into one. */
export type Sent = { readonly to: MemberId; readonly message: PaxosMessage };

export class Bench {
  readonly node: TestNode;
  readonly seen: Seen[] = [];
  sent: Sent[] = [];
  readonly #world: TestWorld;

  constructor(self: string, voters: readonly string[], limits: Partial<PaxosLimits> = {}) {
    this.#world = {
      now: 1_000,
      limits: { ...paxosLimits, ...limits },
      random: () => 0.5,
      send: (_from, to, message) => this.sent.push({ to, message }),
      seen: (_node, what) => this.seen.push(what),
    };
    const base = { slot: 0, configuration: configurationOf(...voters), epoch: undefined };
    this.node = new TestNode(memberId(self), this.#world, base);
  }

  get now(): number {
    return this.#world.now;
  }

  get member(): NonNullable<TestNode['member']> {
    const { member } = this.node;
    if (member === undefined) throw new Error('It is down');
    return member;
  }

  get isLeading(): boolean {
    return this.member.leadership.kind === 'leading';
  }

  /** What was said of this kind since it was last asked. */
  said<Kind extends PaxosMessage['kind']>(kind: Kind): (PaxosMessage & { readonly kind: Kind })[] {
    const found = this.sent.map(({ message }) => message)
      .filter((message): message is PaxosMessage & { readonly kind: Kind } => message.kind === kind);
    this.sent = this.sent.filter(({ message }) => message.kind !== kind);
    return found;
  }

  hear(from: string, message: PaxosMessage): void {
    this.node.receive(memberId(from), message);
  }

  /** And the disk is quick. */
  tell(from: string, message: PaxosMessage): void {
    this.hear(from, message);
    this.sync();
  }

  sync(): void {
    while (this.node.hasPending) this.node.sync();
  }

  pass(ms: number): void {
    const { tickMs } = this.#world.limits;
    for (let passed = 0; passed < ms; passed += tickMs) {
      this.#world.now += tickMs;
      this.node.tick();
      this.sync();
    }
  }

  /** The process does not run for so long. */
  sleep(ms: number): void {
    this.#world.now += ms;
    this.node.tick();
  }

  restart(): void {
    this.node.crash();
    this.node.start();
  }

  heartbeat(by: Ballot, chosenUpTo = 0): void {
    this.tell(by.member, { kind: 'heartbeat', ballot: by, round: 1, chosenUpTo, lastSlot: chosenUpTo });
  }

  accept(by: Ballot, firstSlot: number, values: readonly Value[], chosenUpTo = 0): void {
    this.hear(by.member, { kind: 'accept', ballot: by, firstSlot, values, chosenUpTo });
  }

  prepare(by: Ballot, fromSlot = 1, isHandover = false): void {
    this.tell(by.member, { kind: 'prepare', ballot: by, fromSlot, isHandover });
  }

  promise(from: string, by: Ballot): void {
    this.tell(from, {
      kind: 'promise', ballot: by, part: 0, isLast: true, accepted: [], chosenUpTo: 0, trimmedUpTo: 0,
    });
  }

  /** `helpers` grant, promise and accept whatever is needed until it leads. */
  lead(...helpers: string[]): Ballot {
    this.pass(600);
    const [asked] = this.said('pre-prepare');
    if (asked === undefined) throw new Error('It does not stand');
    const by = asked.ballot;
    for (const helper of helpers) {
      this.tell(helper, { kind: 'pre-promise', ballot: by, isGranted: true, promised: undefined });
    }
    for (const helper of helpers) this.promise(helper, by);
    const [first = ''] = helpers;
    this.beHeard(first, by);
    for (const helper of helpers) this.hold(helper, by);
    return by;
  }

  /** `from` has everything on its disk that was ever sent to it. */
  hold(from: string, by: Ballot): void {
    this.tell(from, { kind: 'accepted', ballot: by, upTo: 1_000_000, chosenUpTo: 0 });
  }

  /** `from` answers the newest heartbeat. */
  beHeard(from: string, by: Ballot): void {
    const round = Math.max(...this.said('heartbeat').map((message) => message.round));
    this.tell(from, {
      kind: 'heard', ballot: by, round, upTo: this.member.chosenSlot, chosenUpTo: 0, appliedUpTo: 0,
    });
  }
}

/** The code of what is thrown. */
export function codeOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'nothing';
}
