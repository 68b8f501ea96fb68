/** A member with a disk that syncs when told, and a state that counts what took effect. */
import type { Ballot, MemberId } from '../ballot.js';
import type { Configuration, Member } from '../configuration.js';
import type { Chosen, Leadership, PaxosEffects } from '../effects.js';
import { GroupMember } from '../group.js';
import type { PaxosLimits } from '../limits.js';
import type { PaxosMessage } from '../message.js';
import type { Base, PaxosRecord } from '../record.js';
import { recover } from '../recovery.js';

/** The applied state: where it stands, and the commands in it. */
export interface TestState {
  readonly slot: number;
  readonly commands: readonly string[];
}

export interface TestWorld {
  now: number;
  readonly limits: PaxosLimits;
  random(): number;
  send(from: MemberId, to: MemberId, message: PaxosMessage): void;
  /** Told to whoever watches: the node's effects as they come. */
  seen(node: TestNode, what: Seen): void;
}

export type Seen =
  | { readonly kind: 'chosen'; readonly slot: number; readonly chosen: Chosen }
  | { readonly kind: 'leadership'; readonly leadership: Leadership }
  | { readonly kind: 'configured'; readonly configuration: Configuration }
  | { readonly kind: 'readable'; readonly tag: number; readonly slot: number }
  | { readonly kind: 'unreadable'; readonly tag: number }
  | { readonly kind: 'fetch'; readonly from: MemberId }
  | { readonly kind: 'trimmed'; readonly base: Base }
  | { readonly kind: 'persist'; readonly record: PaxosRecord }
  | { readonly kind: 'removed' };

type Pending =
  | { readonly kind: 'record'; readonly record: PaxosRecord }
  | { readonly kind: 'send'; readonly to: MemberId; readonly message: PaxosMessage };

export const memberId = (name: string): MemberId =>
  // reason: a test names its members itself.
  name as MemberId;

export const memberOf = (name: string): Member => ({
  id: memberId(name), name, peerAddress: `${name}:1`, clientUrl: `http://${name}`,
});

export const text = (payload: Uint8Array): string => Buffer.from(payload).toString();

export class TestNode {
  readonly id: MemberId;
  readonly #world: TestWorld;
  #durable: PaxosRecord[];
  #pending: Pending[] = [];
  #state: { slot: number; commands: string[] } = { slot: 0, commands: [] };
  #savedState: TestState = { slot: 0, commands: [] };
  #member: GroupMember | undefined;
  fetching: MemberId | undefined;
  isRemoved = false;

  constructor(id: MemberId, world: TestWorld, base: Base) {
    this.id = id;
    this.#world = world;
    this.#durable = [{ kind: 'joined', cluster: 'test', self: id, base }];
    this.start();
  }

  get member(): GroupMember | undefined {
    return this.#member;
  }

  get isUp(): boolean {
    return this.#member !== undefined;
  }

  get commands(): readonly string[] {
    return this.#state.commands;
  }

  get state(): TestState {
    return this.#state;
  }

  get savedState(): TestState {
    return this.#savedState;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** The ballots of what was accepted, for whoever wants to look. */
  get promised(): Ballot | undefined {
    return recover(this.#durable)?.promised;
  }

  start(): void {
    const recovered = recover(this.#durable);
    if (recovered === undefined) throw new Error('A node has at least joined');
    this.#state = { slot: this.#savedState.slot, commands: [...this.#savedState.commands] };
    this.#member = new GroupMember({
      self: this.id, recovered, appliedSlot: this.#savedState.slot, limits: this.#world.limits,
      random: () => this.#world.random(), effects: this.#effects(), now: this.#world.now,
    });
  }

  /** Loses what was not synced, or all but the first so many of it. */
  crash(kept = 0): void {
    for (const pending of this.#pending.slice(0, kept)) {
      if (pending.kind === 'record') this.#durable.push(pending.record);
    }
    this.#pending = [];
    this.#member = undefined;
    this.fetching = undefined;
  }

  /** The disk has everything now. */
  sync(): void {
    const done = this.#pending;
    this.#pending = [];
    for (const pending of done) {
      if (pending.kind === 'record') this.#durable.push(pending.record);
      else if (pending.to === this.id) this.receive(this.id, pending.message);
      else this.#world.send(this.id, pending.to, pending.message);
    }
  }

  /** The state is on disk as it stands; the log first. */
  save(): void {
    if (this.#member === undefined) return;
    while (this.hasPending) this.sync();
    this.#savedState = { slot: this.#state.slot, commands: [...this.#state.commands] };
    this.#member?.applied(this.#state.slot, this.#world.now);
  }

  install(state: TestState | undefined, base: Base | undefined): void {
    this.fetching = undefined;
    if (state !== undefined && base !== undefined) {
      this.#state = { slot: state.slot, commands: [...state.commands] };
      this.#savedState = { slot: state.slot, commands: [...state.commands] };
      // The place in the log comes with the state.
      this.#durable.push({ kind: 'trimmed', base });
    }
    this.#member?.installed(base, this.#world.now);
  }

  /** Drops what the log no longer needs, as the write-ahead log would: from the front. */
  compact(): void {
    const base = recover(this.#durable)?.base;
    if (base === undefined) return;
    this.#durable = this.#durable.filter((record) =>
      record.kind !== 'accepted' || record.slot > base.slot);
  }

  tick(): void {
    this.#member?.tick(this.#world.now);
  }

  receive(from: MemberId, message: PaxosMessage): void {
    this.#member?.receive(from, message, this.#world.now);
  }

  #effects(): PaxosEffects {
    const world = this.#world;
    const seen = (what: Seen): void => world.seen(this, what);
    return {
      send: (to, message) => world.send(this.id, to, message),
      persist: (record) => {
        this.#pending.push({ kind: 'record', record });
        seen({ kind: 'persist', record });
      },
      afterPersist: (to, message) => this.#pending.push({ kind: 'send', to, message }),
      chosen: (slot, chosen) => {
        if (slot !== this.#state.slot + 1) {
          throw new Error(`${this.id} was told slot ${slot} after ${this.#state.slot}`);
        }
        this.#state.slot = slot;
        if (chosen.kind === 'command') this.#state.commands.push(text(chosen.payload));
        seen({ kind: 'chosen', slot, chosen });
      },
      leadership: (leadership) => seen({ kind: 'leadership', leadership }),
      configured: (configuration) => seen({ kind: 'configured', configuration }),
      readable: (tag, slot) => seen({ kind: 'readable', tag, slot }),
      unreadable: (tag) => seen({ kind: 'unreadable', tag }),
      fetchState: (from) => {
        this.fetching = from;
        seen({ kind: 'fetch', from });
      },
      trimmed: (base) => seen({ kind: 'trimmed', base }),
      removed: () => {
        this.isRemoved = true;
        seen({ kind: 'removed' });
      },
      log: () => undefined,
    };
  }
}
