/**
 * Whether a message can be true at all. The codec has made sure of its shape; its numbers may still
 * be anything, and a machine that computes with them must not stumble.
 */
import type { Ballot, MemberId } from './ballot.js';
import { flawOf } from './membership.js';
import type { PaxosLimits } from './limits.js';
import type { PaxosMessage } from './message.js';
import type { Value } from './value.js';

/** Rounds and slots grow one by one: no honest one comes near. */
const COUNT_MAX = 2 ** 50;

export interface SoundnessOptions {
  readonly from: MemberId;
  readonly self: MemberId;
  readonly limits: PaxosLimits;
}

export function isSound(message: PaxosMessage, options: SoundnessOptions): boolean {
  const { from, self } = options;
  switch (message.kind) {
    case 'pre-prepare':
    case 'prepare':
      return isBallotOf(message.ballot, from) && isCount(message.fromSlot);
    case 'take-over':
      return isBallotOf(message.ballot, from);
    case 'accept':
      return isBallotOf(message.ballot, from) && isCount(message.chosenUpTo) &&
        areSoundValues(message.firstSlot, message.values, options);
    case 'heartbeat':
      return isBallotOf(message.ballot, from) && isCount(message.round) &&
        isCount(message.chosenUpTo) && isCount(message.lastSlot);
    case 'pre-promise':
      return isBallotOf(message.ballot, self) &&
        (message.promised === undefined || isBallot(message.promised));
    case 'promise':
      return isBallotOf(message.ballot, self) && isSoundPromise(message, options);
    case 'refused':
      return isBallotOf(message.ballot, self) && isBallot(message.promised);
    case 'accepted':
      return isBallotOf(message.ballot, self) && isCount(message.upTo) &&
        isCount(message.chosenUpTo);
    case 'heard':
      return isBallotOf(message.ballot, self) && isCount(message.round) && isCount(message.upTo) &&
        isCount(message.chosenUpTo) && isCount(message.appliedUpTo);
    case 'learn':
      return isCount(message.fromSlot);
    case 'chosen':
      return isCount(message.chosenUpTo) &&
        areSoundValues(message.firstSlot, message.values, options);
    case 'trimmed':
      return isCount(message.upTo);
    case 'removed':
      return isCount(message.configurationNumber);
    default:
      return false;
  }
}

const isCount = (value: number): boolean =>
  Number.isSafeInteger(value) && value >= 0 && value < COUNT_MAX;

const isBallot = ({ round, member }: Ballot): boolean => isCount(round) && member.length > 0;

const isBallotOf = (ballot: Ballot, member: MemberId): boolean =>
  isBallot(ballot) && ballot.member === member;

function areSoundValues(
  firstSlot: number,
  values: readonly Value[],
  { limits }: SoundnessOptions,
): boolean {
  return isCount(firstSlot) && firstSlot > 0 &&
    values.every((value) => isSoundValue(value, limits));
}

function isSoundPromise(
  { part, accepted, chosenUpTo, trimmedUpTo }: PaxosMessage & { kind: 'promise' },
  { limits }: SoundnessOptions,
): boolean {
  if (!isCount(part) || !isCount(chosenUpTo) || !isCount(trimmedUpTo)) return false;
  // Twice what an acceptor takes: after a restart it may know less as chosen than it did.
  const slotMax = chosenUpTo + 2 * limits.aheadSlotsMax;
  let last = chosenUpTo;
  for (const { slot, ballot, value } of accepted) {
    if (!isCount(slot) || slot <= last || slot > slotMax) return false;
    if (!isBallot(ballot) || !isSoundValue(value, limits)) return false;
    last = slot;
  }
  return true;
}

function isSoundValue(value: Value, limits: PaxosLimits): boolean {
  if (!isBallot(value.origin)) return false;
  if (value.kind === 'command') return value.payload.length <= limits.payloadBytesMax;
  return value.kind !== 'stop' || flawOf(value.next, limits) === undefined;
}
