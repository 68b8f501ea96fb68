import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeBatch } from '@oxbow/sdk/protocol';
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration } from '../paxos/configuration.js';
import { checkLimits } from './limits.js';
import { StateCheck, type CheckMessage } from './state-check.js';
import { decodeCheckMessage, encodeCheckMessage, isCheckFrame } from './state-check-message.js';
import { decodeCommand, encodeCommand, isCommand } from './state-command.js';

const id = (name: string): MemberId => name as MemberId;
const member = (name: string) => ({ id: id(name), name, peerAddress: 'p', clientUrl: 'c' });
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(id) as [MemberId, MemberId, MemberId, MemberId];
const GOOD = 'a'.repeat(64);
const BAD = 'b'.repeat(64);
const WORSE = 'c'.repeat(64);
const SLOT = 7;

class Group {
  readonly said: string[] = [];
  readonly members = new Map<MemberId, StateCheck>();
  readonly leader: MemberId;
  now = 0;

  constructor(voters: readonly MemberId[], learners: readonly MemberId[] = [], leader = A) {
    this.leader = leader;
    const configuration: Configuration = {
      number: 0, fromSlot: 1, voters: voters.map(member), learners: learners.map(member),
    };
    for (const self of [...voters, ...learners]) {
      const check = new StateCheck({ self, limits: checkLimits }, {
        propose: () => this.said.push(`${self} proposes`),
        takeDigest: (slot) => this.said.push(`${self} takes ${slot}`),
        send: (to, message) => this.#deliver(self, to, message),
        diverged: (from) => this.said.push(`${self} replaces from ${from}`),
        log: (level, event, fields) => {
          if (level === 'error') this.said.push(`${self} ${event}${'member' in fields ? ` ${String(fields['member'])}` : ''}`);
        },
      });
      check.configured(configuration);
      check.led(leader, 0);
      this.members.set(self, check);
    }
  }

  at(self: MemberId): StateCheck {
    const check = this.members.get(self);
    if (check === undefined) throw new Error(`no member ${self}`);
    return check;
  }

  chosen(): void {
    for (const check of this.members.values()) check.chosen(SLOT, this.now);
    this.said.length = 0;
  }

  #deliver(from: MemberId, to: MemberId, message: CheckMessage): void {
    const frame = encodeCheckMessage(message);
    expect(isCheckFrame(frame)).toBe(true);
    this.members.get(to)?.received(from, decodeCheckMessage(frame), this.now);
  }
}

describe('a state check', () => {
  test('the leader alone proposes, soon after it leads and then now and then', () => {
    const group = new Group([A, B, C]);
    const proposals: number[] = [];
    for (let now = 0; now <= 3 * checkLimits.everyMs; now += 1_000) {
      for (const check of group.members.values()) check.tick(now);
      if (group.said.length > 0) {
        expect(group.said.splice(0)).toEqual(['a proposes']);
        proposals.push(now);
      }
    }
    const { firstMs, everyMs } = checkLimits;
    expect(proposals).toEqual([firstMs, firstMs + everyMs, firstMs + 2 * everyMs]);
  });

  test('equal digests: nothing happens', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    for (const self of [A, B, C]) group.at(self).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual([]);
    expect(group.at(A).isDisputed).toBe(false);
  });

  test('one of three differs: it is told, says so loudly, and replaces its state', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    group.at(C).digested(SLOT, BAD, 0);
    group.at(A).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual([]);
    group.at(B).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual(['a state-diverged c', 'c state-diverged c', 'c replaces from a']);
  });

  test('one whose answer comes after the verdict is told, too', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    for (const self of [A, B]) group.at(self).digested(SLOT, GOOD, 0);
    group.at(C).digested(SLOT, BAD, 0);
    expect(group.said).toEqual(['a state-diverged c', 'c state-diverged c', 'c replaces from a']);
  });

  test('the leader may be the one that differs', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    group.at(A).digested(SLOT, BAD, 0);
    for (const self of [B, C]) group.at(self).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual(['a state-diverged a', 'a replaces from b']);
  });

  test('a state that cannot be read counts as different; a learner is judged and does not vote', () => {
    const group = new Group([A, B, C], [D]);
    group.chosen();
    group.at(D).digested(SLOT, BAD, 0);
    group.at(C).digested(SLOT, undefined, 0);
    group.at(A).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual([]);
    group.at(B).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual([
      'a state-diverged d', 'd state-diverged d', 'd replaces from a',
      'a state-diverged c', 'c state-diverged c', 'c replaces from a',
    ]);
  });

  test('no quorum agrees: an alarm, and nobody is touched', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    group.at(A).digested(SLOT, GOOD, 0);
    group.at(B).digested(SLOT, BAD, 0);
    expect(group.said).toEqual([]);
    group.at(C).digested(SLOT, WORSE, 0);
    expect(group.said).toEqual(['a state-disputed']);
    expect(group.at(A).isDisputed).toBe(true);
  });

  test('a voter that is down is not waited for: two that differ are a dispute in the end', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    group.at(A).digested(SLOT, GOOD, 0);
    group.at(B).digested(SLOT, BAD, 0);
    group.at(A).tick(checkLimits.answerMs);
    expect(group.said).toEqual(['a state-disputed']);
    const alone = new Group([A, B, C]);
    alone.chosen();
    alone.at(A).digested(SLOT, GOOD, 0);
    alone.at(A).tick(checkLimits.answerMs);
    expect(alone.said).toEqual([]);
  });

  test('what has replaced its state since is innocent, and strangers and other slots do not count', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    group.at(C).digested(SLOT, BAD, 0);
    group.at(C).replaced();
    for (const self of [A, B]) group.at(self).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual(['a state-diverged c']);
    const other = new Group([A, B, C]);
    other.chosen();
    other.at(A).digested(SLOT, GOOD, 0);
    other.at(A).received(id('x'), { kind: 'state-digest', slot: SLOT, hex: BAD }, 0);
    other.at(A).received(B, { kind: 'state-digest', slot: SLOT + 1, hex: BAD }, 0);
    other.at(B).received(C, { kind: 'state-verdict', slot: SLOT, hex: BAD }, 0);
    other.at(A).tick(checkLimits.answerMs);
    expect(other.said).toEqual([]);
  });

  test('a new leader forgets the comparison of the old one', () => {
    const group = new Group([A, B, C]);
    group.chosen();
    group.at(A).led(B, 1);
    for (const self of [B, C]) group.at(self).digested(SLOT, BAD, 0);
    group.at(A).digested(SLOT, GOOD, 0);
    expect(group.said).toEqual([]);
  });
});

test('a command is told from entries by its first byte, and entries stay readable', () => {
  expect(isCommand(encodeCommand())).toBe(true);
  expect(decodeCommand(encodeCommand())).toEqual({ kind: 'check-state' });
  expect(decodeCommand(Buffer.from('{"kind":"of-tomorrow"}'))).toBeUndefined();
  expect(isCommand(Buffer.from(encodeBatch([])))).toBe(false);
});

test('any bytes are a word of the check or bad-message', () => {
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map((text) => Buffer.from(text))), (bytes) => {
    try {
      decodeCheckMessage(bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-message' });
    }
  }), { numRuns: 5_000 });
});
