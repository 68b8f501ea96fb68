import { describe, expect, it } from 'vitest';
import { GroupMember } from './group.js';
import { paxosLimits } from './limits.js';
import type { AcceptedValue, PaxosMessage } from './message.js';
import type { PaxosRecord } from './record.js';
import { recover } from './recovery.js';
import { ballot, begin, Bench, codeOf, command, configurationOf, noOp, stop } from './testing/bench.js';
import { memberId, memberOf } from './testing/node.js';
import { seeded } from './testing/random-cluster.js';
import type { Value } from './value.js';

const one = ballot(1, 'b');

describe('a member starts from its disk', () => {
  const configuration = configurationOf('a', 'b');
  const at = (slot: number): PaxosRecord =>
    ({ kind: 'accepted', ballot: one, slot, value: slot === 1 ? begin(one) : command(one, `${slot}`) });
  const joined: PaxosRecord = {
    kind: 'joined', cluster: 'one', self: memberId('a'), base: { slot: 0, configuration, epoch: undefined },
  };
  const start = (records: readonly PaxosRecord[], appliedSlot: number, told: string[] = []): GroupMember => {
    const recovered = recover(records);
    if (recovered === undefined) throw new Error('Nobody was here');
    const say = (what: string) => (): void => void told.push(what);
    return new GroupMember({
      self: memberId('a'), recovered, appliedSlot, limits: paxosLimits, random: () => 0, now: 0,
      effects: {
        send: say('send'), persist: say('persist'), afterPersist: say('afterPersist'),
        chosen: (slot) => told.push(`chosen ${slot}`), leadership: say('leadership'),
        configured: ({ number }) => told.push(`configured ${number}`), readable: say('readable'),
        unreadable: say('unreadable'), fetchState: say('fetchState'), trimmed: say('trimmed'),
        removed: say('removed'), log: () => undefined,
      },
    });
  };

  it('says nothing before its first input, then tells what the state lacks of what is chosen', () => {
    const told: string[] = [];
    const records = [joined, at(1), at(2), at(3), at(4), { kind: 'chosen', upTo: 3 } as const];
    const member = start(records, 1, told);
    expect(told).toEqual([]);
    member.tick(0);
    expect(told).toEqual(['configured 0', 'chosen 2', 'chosen 3']);
    expect(member.chosenSlot).toBe(3);
    expect(member.baseAt(2)).toMatchObject({ slot: 2, epoch: one });
    expect(member.baseAt(4)).toBeUndefined();
  });

  it('knows as chosen what its state holds, though the log did not note it yet', () => {
    const told: string[] = [];
    const member = start([joined, at(1), at(2)], 2, told);
    member.tick(0);
    expect(member.chosenSlot).toBe(2);
    expect(told).toEqual(['configured 0', 'persist']);
  });

  it('does not start when log and state do not meet', () => {
    expect(codeOf(() => start([joined, at(1)], 2))).toBe('log-behind-state');
    const trimmed: PaxosRecord = { kind: 'trimmed', base: { slot: 5, configuration, epoch: one } };
    expect(codeOf(() => start([joined, trimmed], 4))).toBe('state-behind-log');
  });
});

describe('those that are in no configuration', () => {
  it('are not told so before the new configuration has chosen anything: they may hold its only other copies', () => {
    const bench = new Bench('a', ['a', 'b', 'c']);
    bench.accept(one, 1, [begin(one), stop(one, 'a', 'b')], 2);
    bench.sync();
    expect(bench.member.configuration.number).toBe(1);
    bench.tell('c', { kind: 'pre-prepare', ballot: ballot(7, 'c'), fromSlot: 1 });
    bench.tell('c', { kind: 'learn', fromSlot: 3 });
    expect(bench.said('removed')).toEqual([]);
    bench.accept(one, 3, [begin(one)], 3);
    bench.tell('c', { kind: 'pre-prepare', ballot: ballot(7, 'c'), fromSlot: 1 });
    bench.tell('c', { kind: 'learn', fromSlot: 3 });
    expect(bench.said('removed')).toHaveLength(2);
  });

  it('get no promise, and their ballots are not adopted', () => {
    const bench = new Bench('a', ['a', 'b', 'c']);
    bench.accept(one, 1, [begin(one), stop(one, 'a', 'b'), begin(one)], 3);
    bench.sync();
    bench.pass(3_000);
    bench.sent = [];
    bench.prepare(ballot(7, 'c'), 1);
    bench.heartbeat(ballot(8, 'c'), 1);
    expect(bench.said('promise')).toEqual([]);
    expect(bench.node.promised).toEqual(one);
  });

  it('are believed to know more when they do: one that lags asks them', () => {
    const bench = new Bench('a', ['a', 'b', 'c']);
    bench.tell('d', { kind: 'prepare', ballot: ballot(7, 'd'), fromSlot: 9, isHandover: false });
    expect(bench.said('promise')).toEqual([]);
    expect(bench.said('learn')).toEqual([{ kind: 'learn', fromSlot: 1 }]);
  });

  it('a member that waits to be taken in is not sent away', () => {
    const bench = new Bench('d', ['a', 'b', 'c']);
    bench.tell('a', { kind: 'removed', configurationNumber: 4 });
    expect(bench.node.isRemoved).toBe(false);
    bench.heartbeat(ballot(1, 'a'), 5);
    expect(bench.said('learn')).toHaveLength(1);
  });

  it('one that lags behind does not send away a newer member', () => {
    const bench = new Bench('a', ['a', 'b', 'c']);
    bench.accept(one, 1, [begin(one), stop(one, 'a', 'b')], 2);
    bench.tell('c', { kind: 'removed', configurationNumber: 0 });
    expect(bench.node.isRemoved).toBe(false);
  });
});

describe('a member that waits for a state', () => {
  const lost = (): Bench => {
    const bench = new Bench('a', ['a', 'b', 'c']);
    bench.heartbeat(one, 9);
    bench.tell('b', { kind: 'trimmed', upTo: 8 });
    bench.tell('c', { kind: 'trimmed', upTo: 7 });
    return bench;
  };

  it('asks everybody for the log first', () => {
    const bench = lost();
    expect(bench.sent.filter(({ message }) => message.kind === 'learn').map(({ to }) => to)).toEqual(['b', 'c']);
    expect(bench.node.fetching).toBe('c');
  });

  it('is told nothing meanwhile: the state may stand anywhere', () => {
    const bench = lost();
    bench.tell('b', { kind: 'chosen', firstSlot: 1, values: [begin(one)], chosenUpTo: 9 });
    expect(bench.member.chosenSlot).toBe(0);
    bench.pass(5_000);
    expect(bench.said('pre-prepare')).toEqual([]);
  });

  it('goes on from where the state stands, and twice in a row is as good as once (etcd #18055)', () => {
    const bench = lost();
    const at = (slot: number) => ({ slot, configuration: configurationOf('a', 'b', 'c'), epoch: one });
    bench.member.installed(at(8), bench.now);
    bench.member.installed(at(12), bench.now);
    expect(bench.member.chosenSlot).toBe(12);
    expect(codeOf(() => bench.member.installed(at(11), bench.now))).toBe('invariant');
  });

  it('asks again, after a pause, when the state could not be fetched', () => {
    const bench = lost();
    bench.sent = [];
    bench.member.installed(undefined, bench.now);
    bench.heartbeat(one, 9);
    expect(bench.said('learn')).toEqual([]);
    bench.pass(paxosLimits.resendMs);
    bench.heartbeat(one, 9);
    expect(bench.said('learn')).toHaveLength(1);
  });
});

it('answers to `learn` are bounded in bytes, and say when the slots are gone', () => {
  const bench = new Bench('a', ['a', 'b', 'c'], { partBytesMax: 250, keptSlotsMax: 4 });
  bench.accept(one, 1, [begin(one), ...['u', 'v', 'w', 'x', 'y'].map((word) => command(one, word))], 6);
  bench.sync();
  bench.tell('c', { kind: 'learn', fromSlot: 2 });
  expect(bench.said('chosen')).toMatchObject([{ firstSlot: 2, chosenUpTo: 6, values: { length: 3 } }]);
  bench.pass(paxosLimits.holdMs);
  bench.node.save();
  bench.tell('c', { kind: 'learn', fromSlot: 2 });
  expect(bench.said('trimmed')).toEqual([{ kind: 'trimmed', upTo: 3 }]);
  bench.tell('c', { kind: 'learn', fromSlot: 5 });
  expect(bench.said('chosen')).toMatchObject([{ firstSlot: 5, values: { length: 2 } }]);
});

describe('slots that others are on their way to ask for', () => {
  const limits = { keptSlotsMax: 4 };
  /** Slots 2 to 6 are chosen and applied; the log keeps three. */
  const grown = (bench: Bench): void => {
    bench.accept(one, 1, [begin(one), ...['u', 'v', 'w', 'x', 'y'].map((word) => command(one, word))], 6);
    bench.sync();
    bench.node.save();
  };
  const has = (bench: Bench, slot: number): boolean => {
    bench.tell('c', { kind: 'learn', fromSlot: slot });
    return bench.said('chosen').length > 0;
  };

  it('are kept while a state travels that stands before them, and no longer', () => {
    const bench = new Bench('a', ['a', 'b', 'c'], limits);
    bench.member.hold(1, bench.now);
    grown(bench);
    expect(has(bench, 1)).toBe(false);
    expect(has(bench, 2)).toBe(true);
    bench.pass(paxosLimits.holdMs);
    bench.node.save();
    expect(has(bench, 2)).toBe(false);
  });

  it('are kept from one question to the next', () => {
    const bench = new Bench('a', ['a', 'b', 'c'], limits);
    bench.accept(one, 1, [begin(one), command(one, 'u')], 2);
    bench.sync();
    expect(has(bench, 2)).toBe(true);
    bench.accept(one, 3, ['v', 'w', 'x', 'y'].map((word) => command(one, word)), 6);
    bench.sync();
    bench.node.save();
    expect(has(bench, 3)).toBe(true);
  });

  it('are given up when they are too many: the log must end somewhere', () => {
    const bench = new Bench('a', ['a', 'b', 'c'], { ...limits, keptBytesMax: 300, heldBytesMax: 300 });
    bench.member.hold(1, bench.now);
    grown(bench);
    expect(has(bench, 2)).toBe(false);
  });
});

it('a member alone gives slots up once they are applied: nobody else could ask for them', () => {
  const bench = new Bench('a', ['a'], { keptAloneBytesMax: 200, keptBytesMax: 100_000 });
  bench.pass(paxosLimits.tickMs);
  bench.sync();
  expect(bench.isLeading).toBe(true);
  for (let tag = 1; tag <= 20; tag++) bench.member.propose(Buffer.from('words'), tag, bench.now);
  bench.sync();
  const kept = (): number => bench.member.chosenSlot - firstKept(bench);
  expect(kept()).toBeGreaterThan(20);
  bench.node.save();
  expect(kept()).toBeLessThan(4);
});

/** The first slot from which a state's place can still be told. */
function firstKept({ member }: Bench): number {
  let slot = member.chosenSlot;
  while (slot > 0 && member.baseAt(slot - 1) !== undefined) slot -= 1;
  return slot;
}

describe('whatever is said to a member', () => {
  it('never throws, in any order, be it nonsense or a lie', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const talk = new Nonsense(seed);
      const bench = new Bench('a', ['a', 'b', 'c'], { windowSlotsMax: 8, aheadSlotsMax: 40, partBytesMax: 300 });
      if (seed % 3 === 0) bench.lead('b');
      for (let i = 0; i < 400; i++) {
        bench.hear(talk.name(), talk.message());
        if (talk.chance(0.2)) bench.pass(10);
        if (talk.chance(0.02)) bench.pass(600);
        if (bench.isLeading && talk.chance(0.3)) codeOf(() => bench.member.propose(Buffer.from('x'), i, bench.now));
      }
    }
  });
});

/** Messages whose shape is right, and nothing else. */
class Nonsense {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  chance(of: number): boolean {
    return this.#random() < of;
  }

  name(): string {
    return this.#pick(['a', 'b', 'c', 'd']);
  }

  message(): PaxosMessage {
    const at = this.#ballot();
    return this.#pick<() => PaxosMessage>([
      () => ({ kind: 'pre-prepare', ballot: at, fromSlot: this.#count() }),
      () => ({ kind: 'pre-promise', ballot: at, isGranted: this.chance(0.5), promised: this.#ballot() }),
      () => ({ kind: 'prepare', ballot: at, fromSlot: this.#count(), isHandover: this.chance(0.3) }),
      () => ({
        kind: 'promise', ballot: at, part: this.#pick([0, this.#count()]), isLast: this.chance(0.7),
        accepted: this.#values().map((value): AcceptedValue => ({ slot: this.#count(), ballot: this.#ballot(), value })),
        chosenUpTo: this.#count(), trimmedUpTo: this.#count(),
      }),
      () => ({ kind: 'refused', ballot: at, promised: this.#ballot() }),
      () => ({
        kind: 'accept', ballot: at, firstSlot: this.#count(), values: this.#values(), chosenUpTo: this.#count(),
      }),
      () => ({ kind: 'accepted', ballot: at, upTo: this.#count(), chosenUpTo: this.#count() }),
      () => ({
        kind: 'heartbeat', ballot: at, round: this.#count(), chosenUpTo: this.#count(), lastSlot: this.#count(),
      }),
      () => ({
        kind: 'heard', ballot: at, round: this.#count(), upTo: this.#count(), chosenUpTo: this.#count(),
        appliedUpTo: this.#count(),
      }),
      () => ({ kind: 'learn', fromSlot: this.#count() }),
      () => ({ kind: 'chosen', firstSlot: this.#count(), values: this.#values(), chosenUpTo: this.#count() }),
      () => ({ kind: 'trimmed', upTo: this.#count() }),
      () => ({ kind: 'take-over', ballot: at }),
    ])();
  }

  #ballot(): ReturnType<typeof ballot> {
    return ballot(this.#pick([0, 1, 1, 2, 3, 5, this.#count()]), this.name());
  }

  #count(): number {
    const small = Math.floor(this.#random() * 12);
    return this.#pick([small, small, small, small, small, -1, 0.5, NaN, Infinity, 2 ** 53, 2 ** 49]);
  }

  #values(): Value[] {
    return Array.from({ length: Math.floor(this.#random() * 4) }, () => this.#value());
  }

  #value(): Value {
    const origin = this.#ballot();
    return this.#pick<() => Value>([
      () => command(origin, 'x'), () => begin(origin), () => noOp(origin), () => stop(origin, 'a', 'b'),
      () => stop(origin), () => stop(origin, 'd'), () => stop(origin, 'a', 'a'),
      () => ({ kind: 'stop', origin, next: { voters: [memberOf('a')], learners: [memberOf('a')] } }),
    ])();
  }

  #pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#random() * items.length)];
    if (item === undefined) throw new Error('Nothing to pick from');
    return item;
  }
}
