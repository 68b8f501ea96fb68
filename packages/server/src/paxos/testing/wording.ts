/** Messages as a transcript shows them. */
import type { Ballot } from '../ballot.js';
import type { Membership } from '../configuration.js';
import type { PaxosMessage } from '../message.js';
import type { Value } from '../value.js';
import { text } from './node.js';

export const ballotText = ({ round, member }: Ballot): string => `${round}/${member}`;

export function membersText({ voters, learners }: Membership): string {
  const names = voters.map(({ name }) => name).join(' ');
  return learners.length === 0 ? names : `${names} + ${learners.map(({ name }) => name).join(' ')}`;
}

type Shown = Value | { readonly kind: 'command'; readonly payload: Uint8Array };

export function valueText(value: Shown): string {
  switch (value.kind) {
    case 'command': return text(value.payload);
    case 'begin': return `begin ${ballotText(value.origin)}`;
    case 'no-op': return 'no-op';
    case 'stop': return `stop (next: ${membersText(value.next)})`;
  }
}

const slots = (firstSlot: number, values: readonly Value[]): string => values.length === 0
  ? 'nothing new'
  : values.map((value, i) => `${firstSlot + i}: ${valueText(value)}`).join(', ');

export function messageText(message: PaxosMessage): string {
  const { kind } = message;
  switch (kind) {
    case 'pre-prepare':
    case 'prepare':
      return `${kind} ${ballotText(message.ballot)} from slot ${message.fromSlot}` +
        (message.kind === 'prepare' && message.isHandover ? ', by hand-over' : '');
    case 'pre-promise':
      return `${kind} ${ballotText(message.ballot)} ${message.isGranted ? 'yes' : 'no'}`;
    case 'promise': {
      const accepted = message.accepted
        .map(({ slot, ballot, value }) => `${slot}: ${valueText(value)} (${ballotText(ballot)})`);
      const trimmed = message.trimmedUpTo > 0 ? `, trimmed ${message.trimmedUpTo}` : '';
      return `promise ${ballotText(message.ballot)} chosen ${message.chosenUpTo}${trimmed}` +
        (accepted.length > 0 ? `, accepted ${accepted.join(', ')}` : '');
    }
    case 'refused':
      return `refused ${ballotText(message.ballot)}, promised ${ballotText(message.promised)}`;
    case 'accept':
      return `accept ${ballotText(message.ballot)} ${slots(message.firstSlot, message.values)}` +
        `, chosen ${message.chosenUpTo}`;
    case 'accepted':
      return `accepted ${ballotText(message.ballot)} up to ${message.upTo}`;
    case 'heartbeat':
      return `heartbeat ${message.round} of ${ballotText(message.ballot)}, chosen ${message.chosenUpTo}`;
    case 'heard':
      return `heard ${message.round}, holds up to ${message.upTo}`;
    case 'learn': return `learn from slot ${message.fromSlot}`;
    case 'chosen':
      return `chosen ${slots(message.firstSlot, message.values)}, chosen ${message.chosenUpTo}`;
    case 'trimmed': return `trimmed up to ${message.upTo}`;
    case 'take-over': return `take over from ${ballotText(message.ballot)}`;
    case 'removed': return `removed by configuration ${message.configurationNumber}`;
  }
}
