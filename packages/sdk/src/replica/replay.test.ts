/**
 * The rebase against an oracle that replays everything: random histories of several replicas, a
 * primary that decides otherwise than they hoped, and everything compared after every step. A
 * failure prints the seed and the steps.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bareEntry } from '../protocol/index.js';
import type { CommitEntry, ReplicaId } from '../protocol/index.js';
import { ComparedSpace } from './testing/compared-space.js';
import { Primary } from './testing/primary.js';
import { oldShelfApp, shelfApp } from './testing/shelf-app.js';

const HISTORIES = 2_000;

/** One step: what is done, and three numbers that say how. */
type Step = readonly [kind: number, a: number, b: number, c: number];

class World {
  readonly primary = new Primary(shelfApp);
  readonly spaces: readonly ComparedSpace[];
  #now = 0;
  #replicas = 0;

  constructor(count: number, isFirstOld: boolean) {
    this.spaces = Array.from({ length: count }, (_, i) =>
      new ComparedSpace(isFirstOld && i === 0 ? oldShelfApp : shelfApp, this.#fresh(`r${i}`)));
  }

  run([kind, a, b, c]: Step): void {
    const space = this.spaces[a % this.spaces.length];
    if (space === undefined) return;
    this.#do(space, kind % 100, [a, b, c]);
    space.compare();
  }

  #do(space: ComparedSpace, kind: number, [a, b, c]: readonly [number, number, number]): void {
    const fresh = (): ReplicaId => this.#fresh(space.space.replica);
    if (kind < 40) this.#mutate(space, b, c);
    else if (kind < 50) space.write();
    else if (kind < 60) this.#send(space, c);
    else if (kind < 70) for (let i = 0; i <= c % 4; i++) this.primary.commit(b + i);
    else if (kind < 84) space.receiveCommits(this.primary.history, this.#entries(space, b, c), fresh);
    else if (kind < 91) this.#exchange(space, b, c, fresh);
    else if (kind < 93) space.receiveBase(this.primary.base(), fresh);
    else if (kind < 95) space.restart();
    else if (kind < 96) space.reissue(fresh());
    else if (kind < 97) this.primary.rollBack(b % (this.primary.csn + 1), `history ${a} ${b} ${c}`);
    else this.#converge(space, fresh);
  }

  #mutate(space: ComparedSpace, b: number, c: number): void {
    this.#now += 1;
    const id = String(b % 5);
    const shelf = SHELVES[c % 3] ?? 'a';
    const rank = Math.floor(c / 3) % 5;
    const calls: readonly (readonly [string, unknown])[] = [
      ['put', { id, shelf, rank }], ['remove', { id }], ['bump', { id: shelf }],
      ['place', { id, shelf, rank, orElse: ['b', 'c'].slice(0, b % 3), insist: c % 2 === 0 }],
      ['place', { id, shelf, rank, orElse: ['a'], insist: false }],
      ['move', { id, shelf }], ['sweep', { shelf }], ['demote', { below: rank }],
      ['fuss', { id: shelf }], ['draw', { shelf }],
    ];
    const [name, args] = calls[Math.floor(b / 5) % calls.length] ?? ['remove', { id }];
    if (space.app.definitions.has(name)) space.mutate(name, args, this.#now);
  }

  /** To the primary, by the space's cursor from the start: what it knows it ignores. */
  #send(space: ComparedSpace, c: number): void {
    this.primary.receive(space.sendable().slice(0, 1 + (c % 20)));
  }

  /** What another replica holds: its tentative updates, or the entries that it keeps. */
  #exchange(space: ComparedSpace, b: number, c: number, fresh: () => ReplicaId): void {
    const other = this.spaces[b % this.spaces.length];
    if (other === undefined || other === space) return;
    if (c % 3 > 0) return space.receiveUpdates(other.sendable().slice(c % 2, 2 + (c % 9)), fresh);
    const entries = other.space.entriesAfter(space.space.head.csn, 1 + (c % 10));
    if (entries !== 'trimmed') space.receiveCommits(other.space.head.history, entries, fresh);
  }

  /** Some after what the space has, without the bodies that it holds if `b` says so. */
  #entries(space: ComparedSpace, b: number, c: number): readonly CommitEntry[] {
    const { csn } = space.space.head;
    const vector = space.space.summary().vector;
    return this.primary.entries.slice(csn, csn + 1 + (c % 6)).map((entry) => {
      if (b % 2 === 0 || (vector[entry.id.replica] ?? 0) < entry.id.seq) return entry;
      return bareEntry(entry);
    });
  }

  #converge(space: ComparedSpace, fresh: () => ReplicaId): void {
    space.write();
    this.primary.receive(space.sendable());
    while (this.primary.commit(0));
    if (space.space.head.history !== this.primary.history) {
      space.receiveBase(this.primary.base(), fresh);
    }
    space.receiveCommits(this.primary.history, this.#entries(space, 0, 1e6 * 6 - 1), fresh);
  }

  #fresh(former: string): ReplicaId {
    this.#replicas += 1;
    // reason: tests name their replicas.
    return `${former.split('-')[0] ?? ''}-${this.#replicas}` as ReplicaId;
  }
}

const SHELVES = ['a', 'b', 'c'];

const step: fc.Arbitrary<Step> = fc.tuple(fc.nat(99), fc.nat(999), fc.nat(999), fc.nat(999));

test('both views, outcomes and live queries equal a replay of everything, after every step', () => {
  let steps = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }), fc.boolean(),
      fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
      (count, isFirstOld, history) => {
        const world = new World(count, isFirstOld);
        for (const one of history) world.run(one);
        steps += history.length;
      },
    ),
    { numRuns: HISTORIES, endOnFailure: false },
  );
  expect(steps).toBeGreaterThan(HISTORIES * 10);
}, 600_000);
