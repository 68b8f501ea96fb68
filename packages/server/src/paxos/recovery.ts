/**
 * From the records on disk back to what a member was. Records come in the order in which they were
 * written, but a trimmed log begins anywhere: what stands before its `joined` or `trimmed` record
 * is taken as well, and the highest base decides what is still needed.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { AcceptedLog } from './accepted-log.js';
import { compareBallots } from './ballot.js';
import type { Ballot, MemberId } from './ballot.js';
import type { Base, PaxosRecord } from './record.js';
import type { Value } from './value.js';

export interface Recovered {
  readonly cluster: string;
  readonly self: MemberId;
  readonly base: Base;
  /** The highest that was promised or accepted. */
  readonly promised: Ballot | undefined;
  /** The member that is made of it goes on with it. */
  readonly log: AcceptedLog;
  /** base.slot ≤ chosenUpTo */
  readonly chosenUpTo: number;
}

/** Undefined: no member ever wrote here. Errors: `log-damaged`. */
export function recover(records: Iterable<PaxosRecord>): Recovered | undefined {
  const found = read(records);
  const { joined, base, promised, accepted } = found;
  if (joined === undefined || base === undefined) {
    if (accepted.size === 0 && promised === undefined) return undefined;
    throw new OxbowError(
      'log-damaged',
      'The log does not say which cluster it belongs to: restore the data directory from a backup.',
    );
  }
  const log = new AcceptedLog(base.slot);
  for (const slot of [...accepted.keys()].sort((a, b) => a - b)) {
    const entry = accepted.get(slot);
    if (slot > base.slot && entry !== undefined) log.put(slot, { ...entry, tag: undefined });
  }
  const chosenUpTo = Math.max(found.chosenUpTo, base.slot);
  for (let slot = base.slot + 1; slot <= chosenUpTo; slot++) {
    if (log.at(slot) === undefined) throw holeAt(slot, base.slot, chosenUpTo);
  }
  return { cluster: joined.cluster, self: joined.self, base, promised, log, chosenUpTo };
}

const holeAt = (slot: number, base: number, chosenUpTo: number): OxbowError => new OxbowError(
  'log-damaged',
  `Slot ${slot} is missing in the log, which should hold ${base + 1} to ${chosenUpTo}: ` +
    'restore the data directory from a backup, or let the cluster refill this node.',
);

interface Found {
  joined: (PaxosRecord & { readonly kind: 'joined' }) | undefined;
  base: Base | undefined;
  promised: Ballot | undefined;
  chosenUpTo: number;
  readonly accepted: Map<number, { readonly ballot: Ballot; readonly value: Value }>;
}

function read(records: Iterable<PaxosRecord>): Found {
  const found: Found = {
    joined: undefined, base: undefined, promised: undefined, chosenUpTo: 0, accepted: new Map(),
  };
  for (const record of records) take(found, record);
  return found;
}

function take(found: Found, record: PaxosRecord): void {
  switch (record.kind) {
    case 'joined':
      found.joined = record;
      found.base = later(found.base, record.base);
      return;
    case 'promised':
      found.promised = higher(found.promised, record.ballot);
      return;
    case 'accepted':
      found.promised = higher(found.promised, record.ballot);
      found.accepted.set(record.slot, { ballot: record.ballot, value: record.value });
      return;
    case 'chosen':
      found.chosenUpTo = Math.max(found.chosenUpTo, record.upTo);
      return;
    case 'trimmed':
      found.base = later(found.base, record.base);
  }
}

const later = (a: Base | undefined, b: Base): Base =>
  a === undefined || b.slot > a.slot ? b : a;

const higher = (a: Ballot | undefined, b: Ballot): Ballot =>
  a === undefined || compareBallots(b, a) > 0 ? b : a;
