/** What a restart must still know, so that a group goes on when others are gone for good. */
import { expect, test } from 'vitest';
import type { Ballot } from './ballot.js';
import type { Configuration } from './configuration.js';
import type { PaxosEffects } from './effects.js';
import { GroupMember } from './group.js';
import { paxosLimits } from './limits.js';
import type { PaxosRecord } from './record.js';
import { recover } from './recovery.js';
import { memberOf } from './testing/node.js';

const [a, b] = [memberOf('a'), memberOf('b')];
const ballot: Ballot = { round: 1, member: a.id };
const configuration: Configuration = { number: 0, fromSlot: 1, voters: [a, b], learners: [] };

/** Member b, made of these records. `asked`: what it wants of the world, in order. */
function restarted(records: readonly PaxosRecord[], appliedSlot: number) {
  const base = { slot: 0, configuration, epoch: undefined };
  const recovered = recover([{ kind: 'joined', cluster: 'test', self: b.id, base }, ...records]);
  if (recovered === undefined) throw new Error('it has joined');
  const asked: string[] = [];
  const nothing = (): void => undefined;
  const effects: PaxosEffects = {
    send: (_, { kind }) => asked.push(`send ${kind}`),
    persist: (record) => asked.push(
      record.kind === 'chosen' ? `persist chosen ${record.upTo}` : `persist ${record.kind}`,
    ),
    afterPersist: (_, message) => asked.push(
      message.kind === 'accepted' ? `then accepted ${message.upTo}` : `then ${message.kind}`,
    ),
    chosen: nothing, leadership: nothing, configured: nothing, readable: nothing, unreadable: nothing,
    fetchState: nothing, trimmed: nothing, removed: nothing, log: nothing,
  };
  const member = new GroupMember({
    self: b.id, recovered, appliedSlot, limits: paxosLimits, random: () => 0.5, effects, now: 0,
  });
  return { member, asked };
}

test('what the state holds is chosen, though the log had no time to note it', () => {
  const payload = new Uint8Array([1]);
  const { member } = restarted([
    { kind: 'promised', ballot },
    { kind: 'accepted', ballot, slot: 1, value: { kind: 'begin', origin: ballot } },
    { kind: 'accepted', ballot, slot: 2, value: { kind: 'command', origin: ballot, payload } },
    { kind: 'accepted', ballot, slot: 3, value: { kind: 'command', origin: ballot, payload } },
  ], 2);
  member.tick(0);
  expect(member.chosenSlot).toBe(2);
  // Without it the state could be given to nobody.
  expect(member.baseAt(2)).toEqual({ slot: 2, configuration, epoch: ballot });
});

test('a chosen stop-sign is noted on disk before the first vote in the next configuration', () => {
  const { member, asked } = restarted([], 0);
  const next = { voters: [b], learners: [] };
  member.receive(a.id, {
    kind: 'accept', ballot, firstSlot: 1, chosenUpTo: 0,
    values: [{ kind: 'begin', origin: ballot }, { kind: 'stop', origin: ballot, next }],
  }, 0);
  asked.length = 0;
  member.receive(a.id, {
    kind: 'accept', ballot, firstSlot: 3, chosenUpTo: 2, values: [{ kind: 'begin', origin: ballot }],
  }, 0);
  expect(member.configuration.number).toBe(1);
  expect(asked).toEqual(['persist accepted', 'persist chosen 2', 'then accepted 3']);
});
