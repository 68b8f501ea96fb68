/**
 * Runs a member's machine: one input at a time, and what it asks is carried out in the order in
 * which it asks. While the machine is at work nothing else gets in: what it says to the server
 * waits until it is done, so that the server may answer at once.
 *
 * What must not leave before the disk has what was persisted waits for one barrier, together with
 * all else that the same input brought.
 */
import type { MemberId } from '../paxos/ballot.js';
import { encodeMessage } from '../paxos/codec/message-codec.js';
import type { PaxosEffects } from '../paxos/effects.js';
import type { PaxosMember } from '../paxos/member.js';
import type { PaxosMessage } from '../paxos/message.js';
import type { MemberDisk } from './member-disk.js';
import type { PeerPort } from './peer-port.js';
import type { WriteAheadLog } from './write-ahead-log.js';

/** What the machine says to the server rather than to disk and links. */
export type MemberOutlet = Pick<
  PaxosEffects,
  'chosen' | 'leadership' | 'configured' | 'readable' | 'unreadable' | 'fetchState' | 'removed' | 'log'
>;

export interface MemberRunOptions {
  readonly self: MemberId;
  readonly group: number;
  readonly wal: WriteAheadLog;
  readonly disk: MemberDisk;
  readonly peers: PeerPort | undefined;
  readonly monotonicMs: () => number;
  readonly outlet: MemberOutlet;
  /** The machine threw where nothing may be thrown: what it knows is not known any more. */
  readonly onBroken: (cause: unknown) => void;
}

/** What waits for the disk. */
interface Held {
  readonly to: MemberId;
  readonly message: PaxosMessage;
}

export class MemberRun {
  readonly #options: MemberRunOptions;
  readonly #member: PaxosMember;
  #isInside = false;
  #isTelling = false;
  #isOver = false;
  /** Of the present input. */
  #held: Held[] = [];
  /** Of former inputs: one batch for each barrier that is awaited. */
  readonly #batches: Held[][] = [];
  /** To the server, in order. */
  #said: (() => void)[] = [];
  #lastMessage: PaxosMessage | undefined;
  #lastFrame: Uint8Array = new Uint8Array(0);
  readonly #onFlushed = (): void => this.#flushed();

  constructor(options: MemberRunOptions, make: (effects: PaxosEffects) => PaxosMember) {
    this.#options = options;
    this.#member = make(this.#effects());
  }

  get member(): PaxosMember {
    return this.#member;
  }

  /** Something that happened; nothing may be thrown at it. */
  input(happen: (member: PaxosMember, now: number) => void): void {
    if (this.#isOver) return;
    try {
      this.#step(happen);
    } catch (error) {
      this.#options.onBroken(error);
    }
    this.#tell();
  }

  /** Something that somebody asks for: a refusal is thrown. */
  request(ask: (member: PaxosMember, now: number) => void): void {
    this.#step(ask);
    this.#tell();
  }

  /** Nothing comes out any more. */
  end(): void {
    this.#isOver = true;
    this.#said = [];
    this.#held = [];
  }

  #step(task: (member: PaxosMember, now: number) => void): void {
    this.#isInside = true;
    try {
      task(this.#member, this.#options.monotonicMs());
    } finally {
      this.#isInside = false;
    }
    if (this.#held.length === 0) return;
    // The disk first: it is at work while the server is told.
    this.#batches.push(this.#held);
    this.#held = [];
    this.#options.wal.flushed(this.#onFlushed);
  }

  #tell(): void {
    if (this.#isTelling || this.#isInside) return;
    this.#isTelling = true;
    try {
      for (let at = 0; at < this.#said.length; at++) this.#said[at]?.();
    } finally {
      this.#said = [];
      this.#isTelling = false;
    }
  }

  #flushed(): void {
    const batch = this.#batches.shift();
    if (batch === undefined || this.#isOver) return;
    const { self } = this.#options;
    for (const { to, message } of batch) {
      if (to !== self) this.#send(to, message);
    }
    this.input((member, now) => {
      for (const { to, message } of batch) {
        if (to === self) member.receive(self, message, now);
      }
    });
  }

  /** The same message to several members is encoded once. */
  #send(to: MemberId, message: PaxosMessage): void {
    const { peers, group } = this.#options;
    if (peers === undefined) return;
    if (message !== this.#lastMessage) {
      this.#lastFrame = encodeMessage(group, message);
      this.#lastMessage = message;
    }
    peers.send(to, this.#lastFrame);
  }

  #effects(): PaxosEffects {
    const { disk, outlet } = this.#options;
    const say = (words: () => void): void => void this.#said.push(words);
    return {
      send: (to, message) => this.#send(to, message),
      persist: (record) => disk.persist(record),
      afterPersist: (to, message) => this.#held.push({ to, message }),
      trimmed: (base) => disk.trimmed(base),
      chosen: (slot, chosen) => say(() => outlet.chosen(slot, chosen)),
      leadership: (leadership) => say(() => outlet.leadership(leadership)),
      configured: (configuration) => say(() => outlet.configured(configuration)),
      readable: (tag, slot) => say(() => outlet.readable(tag, slot)),
      unreadable: (tag) => say(() => outlet.unreadable(tag)),
      fetchState: (from) => say(() => outlet.fetchState(from)),
      removed: () => say(() => outlet.removed()),
      log: (level, event, fields) => outlet.log(level, event, fields),
    };
  }
}
