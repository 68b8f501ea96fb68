/** Ballots, configurations and values as fields: what records and messages share. */
import { unreachable } from '@oxbow/sdk/protocol';
import { isSameBallot } from '../ballot.js';
import type { Ballot, MemberId } from '../ballot.js';
import type { Configuration, Member, Membership } from '../configuration.js';
import type { Base } from '../record.js';
import type { Value } from '../value.js';
import type { FieldReader } from './field-reader.js';
import type { Fields } from './fields.js';

/** How a ballot is written. Most are the one before: of the message, or of the value before. */
const ballotTags = { none: 0, same: 1, full: 2 } as const;
const VALUE_KINDS = ['command', 'begin', 'no-op', 'stop'] as const;

export class PartWriter {
  readonly fields: Fields;
  #lastBallot: Ballot | undefined;

  constructor(fields: Fields) {
    this.fields = fields;
  }

  /** Before each record or message: it must be readable without the one before. */
  restart(): void {
    this.#lastBallot = undefined;
  }

  ballot(ballot: Ballot | undefined): void {
    const { fields } = this;
    if (ballot === undefined) return fields.u8(ballotTags.none);
    if (this.#lastBallot !== undefined && isSameBallot(ballot, this.#lastBallot)) {
      return fields.u8(ballotTags.same);
    }
    this.#lastBallot = ballot;
    fields.u8(ballotTags.full);
    fields.number(ballot.round);
    fields.text(ballot.member);
  }

  flag(value: boolean): void {
    this.fields.u8(value ? 1 : 0);
  }

  membership({ voters, learners }: Membership): void {
    this.#members(voters);
    this.#members(learners);
  }

  configuration(configuration: Configuration): void {
    this.fields.number(configuration.number);
    this.fields.number(configuration.fromSlot);
    this.membership(configuration);
  }

  base({ slot, configuration, epoch }: Base): void {
    this.fields.number(slot);
    this.configuration(configuration);
    this.ballot(epoch);
  }

  value(value: Value): void {
    this.fields.u8(VALUE_KINDS.indexOf(value.kind));
    this.ballot(value.origin);
    switch (value.kind) {
      case 'command':
        return this.fields.bytes(value.payload);
      case 'stop':
        return this.membership(value.next);
      case 'begin':
      case 'no-op':
        return;
      default:
        unreachable(value);
    }
  }

  #members(members: readonly Member[]): void {
    this.fields.u32(members.length);
    for (const { id, name, peerAddress, clientUrl } of members) {
      this.fields.text(id);
      this.fields.text(name);
      this.fields.text(peerAddress);
      this.fields.text(clientUrl);
    }
  }
}

export class PartReader {
  readonly fields: FieldReader;
  #lastBallot: Ballot | undefined;

  constructor(fields: FieldReader) {
    this.fields = fields;
  }

  maybeBallot(): Ballot | undefined {
    switch (this.fields.u8()) {
      case ballotTags.none:
        return undefined;
      case ballotTags.same:
        return this.#lastBallot ?? this.fields.fail('there is no ballot before');
      case ballotTags.full:
        this.#lastBallot = { round: this.fields.number(), member: this.memberId() };
        return this.#lastBallot;
      default:
        return this.fields.fail('no such ballot');
    }
  }

  ballot(): Ballot {
    return this.maybeBallot() ?? this.fields.fail('a ballot is missing');
  }

  memberId(): MemberId {
    // reason: an id is any text; that it is known is checked where it matters.
    return this.fields.text() as MemberId;
  }

  membership(): Membership {
    return { voters: this.#members(), learners: this.#members() };
  }

  configuration(): Configuration {
    const number = this.fields.number();
    const fromSlot = this.fields.number();
    return { number, fromSlot, ...this.membership() };
  }

  base(): Base {
    const slot = this.fields.number();
    const configuration = this.configuration();
    return { slot, configuration, epoch: this.maybeBallot() };
  }

  /** A command's payload is a part of the bytes that are read. */
  value(): Value {
    const kind = VALUE_KINDS[this.fields.u8()] ?? this.fields.fail('no such kind of value');
    const origin = this.ballot();
    switch (kind) {
      case 'command':
        return { kind, origin, payload: this.fields.bytes() };
      case 'stop':
        return { kind, origin, next: this.membership() };
      case 'begin':
      case 'no-op':
        return { kind, origin };
      }
  }

  list<T>(one: () => T): T[] {
    const things: T[] = [];
    for (let left = this.fields.count(); left > 0; left--) things.push(one());
    return things;
  }

  #members(): Member[] {
    return this.list(() => ({
      id: this.memberId(),
      name: this.fields.text(),
      peerAddress: this.fields.text(),
      clientUrl: this.fields.text(),
    }));
  }
}
