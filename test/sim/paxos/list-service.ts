/**
 * How a leading node serves lists: it places each wish on top of all that it has proposed, proposes
 * it, and answers when it is chosen; it answers reads when the machine says from which slot on they
 * are right. Exactly-once is the ledger's doing, as in the server.
 */
import type { Leadership } from '../../../packages/server/src/paxos/effects.js';
import type { PaxosMember } from '../../../packages/server/src/paxos/member.js';
import { encodeCommand, ListsState, type ListCommand } from './lists-state.js';
import type { PaxosChecks } from './paxos-checks.js';
import { attempt } from './paxos-node.js';

export type Request =
  | { readonly kind: 'read'; readonly key: string }
  | { readonly kind: 'append'; readonly wish: Omit<ListCommand, 'index'> };

export type Answer =
  | { readonly kind: 'done'; readonly output: string }
  /** Not here, or not now. What was asked may or may not take effect. */
  | { readonly kind: 'elsewhere'; readonly leader: string | undefined };

type Reply = (answer: Answer) => void;

export interface ListServiceParts {
  readonly node: string;
  readonly machine: PaxosMember;
  readonly checks: PaxosChecks;
  readonly input: (run: (machine: PaxosMember, now: number) => void) => void;
  readonly state: () => ListsState;
  readonly appliedSlot: () => number;
}

interface Append {
  readonly client: string;
  readonly seq: number;
  readonly replies: Reply[];
}

interface Read {
  readonly key: string;
  readonly reply: Reply;
  /** From which slot on it may be answered. */
  slot: number | undefined;
}

export class ListService {
  readonly #parts: ListServiceParts;
  /** The state with all that was proposed; undefined: this node does not lead. */
  #ahead: ListsState | undefined;
  #beginSlot = 0;
  #lastTag = 0;
  #appends = new Map<number, Append>();
  #reads = new Map<number, Read>();
  #isAsking = false;

  constructor(parts: ListServiceParts) {
    this.#parts = parts;
  }

  request(request: Request, reply: Reply): void {
    this.#parts.input((_, now) => {
      if (this.#ahead === undefined) return this.#elsewhere(reply);
      if (request.kind === 'append') this.#append(request.wish, reply, now);
      else this.#read(request.key, reply, now);
    });
  }

  leadership(leadership: Leadership): void {
    if (leadership.kind === 'leading') {
      this.#ahead = new ListsState(this.#parts.state());
      this.#beginSlot = this.#parts.appliedSlot();
    } else {
      this.end();
    }
  }

  /** The state has moved on; `tag`: by a proposal of this leadership. */
  applied(tag: number | undefined): void {
    const append = tag === undefined ? undefined : this.#appends.get(tag);
    if (tag !== undefined) this.#appends.delete(tag);
    for (const reply of append?.replies ?? []) reply({ kind: 'done', output: 'ok' });
    this.#answerReads();
  }

  readable(tag: number, slot: number): void {
    const read = this.#reads.get(tag);
    if (read === undefined) return;
    read.slot = slot;
    // In the very turn in which it was asked: no quorum has been asked for it.
    if (this.#isAsking) this.#parts.checks.readByLease(this.#parts.node, this.#beginSlot);
    this.#answerReads();
  }

  unreadable(tag: number): void {
    const read = this.#reads.get(tag);
    this.#reads.delete(tag);
    if (read !== undefined) this.#elsewhere(read.reply);
  }

  /** Leads no more: what is open may or may not take effect. */
  end(): void {
    this.#ahead = undefined;
    const open = [...this.#appends.values()].flatMap(({ replies }) => replies);
    this.#appends = new Map();
    for (const reply of open) this.#elsewhere(reply);
  }

  #append(wish: Omit<ListCommand, 'index'>, reply: Reply, now: number): void {
    const { machine, state } = this.#parts;
    const { client, seq } = wish;
    if (state().lastSeq(client) >= seq) return reply({ kind: 'done', output: 'ok' });
    const ahead = this.#ahead;
    if (ahead === undefined) return this.#elsewhere(reply);
    if (ahead.lastSeq(client) >= seq) {
      const open = [...this.#appends.values()].find((one) => one.client === client && one.seq === seq);
      if (open === undefined) this.#elsewhere(reply);
      else open.replies.push(reply);
      return;
    }
    const tag = ++this.#lastTag;
    const command = ahead.placed(wish);
    // Noted first: a group of one may answer within the call.
    this.#appends.set(tag, { client, seq, replies: [reply] });
    const refused = attempt(() => machine.propose(encodeCommand(command), tag, now));
    if (refused === undefined) return ahead.apply(command);
    this.#appends.delete(tag);
    this.#elsewhere(reply);
  }

  #read(key: string, reply: Reply, now: number): void {
    const tag = ++this.#lastTag;
    this.#reads.set(tag, { key, reply, slot: undefined });
    this.#isAsking = true;
    const refused = attempt(() => this.#parts.machine.read(tag, now));
    this.#isAsking = false;
    if (refused !== undefined) this.unreadable(tag);
  }

  #answerReads(): void {
    for (const [tag, { key, reply, slot }] of this.#reads) {
      if (slot === undefined || slot > this.#parts.appliedSlot()) continue;
      this.#reads.delete(tag);
      reply({ kind: 'done', output: this.#parts.state().read(key) });
    }
  }

  #elsewhere(reply: Reply): void {
    const { leadership } = this.#parts.machine;
    const leader = leadership.kind === 'following' ? leadership.leader : undefined;
    reply({ kind: 'elsewhere', leader: leader?.split('.')[0] });
  }
}
