/**
 * Linearizable reads: each waits until the other side has said up to which commit it must see, and
 * then until our base has come so far. Reads of one turn share one question; a later one asks anew,
 * as the answer under way may be older than what it has to see. When the link goes, so does the
 * question, not the read: it is asked again on the next link, whoever leads there. An answer
 * outlives its link: commits are never taken back.
 */
import {
  BARRIERS_SINCE, OxbowError,
  type BarrierAt, type BarrierFailed, type SpaceId, type Summary,
} from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import type { LinkId } from './effects.js';
import type { Peer } from './peer.js';

/** An open space, as far as its reads go. */
export interface ReadSpace {
  readonly space: SpaceId;
  readonly replica: { summary(): Summary };
}

interface Read {
  readonly space: ReadSpace;
  /** The committed view is as new as it has to be. */
  readonly ready: () => void;
}

interface Question {
  readonly link: LinkId;
  readonly reads: readonly Read[];
}

/** Read when the base stands there. */
interface Goal {
  readonly history: string;
  readonly csn: number;
  readonly reads: readonly Read[];
}

export class Reads {
  readonly #peers: ReadonlyMap<LinkId, Peer>;
  readonly #isAbout: (peer: Peer, space: ReadSpace) => boolean;
  #new: Read[] = [];
  readonly #questions = new Map<number, Question>();
  #goals: Goal[] = [];
  readonly #ended = new WeakSet<Read>();
  #count = 0;
  #lastId = 0;
  #retryAtMs: number | undefined;

  /** `isAbout`: the peer is one whom that space is spoken of with. */
  constructor(
    peers: ReadonlyMap<LinkId, Peer>, isAbout: (peer: Peer, space: ReadSpace) => boolean,
  ) {
    this.#peers = peers;
    this.#isAbout = isAbout;
  }

  /** When `flush` has something to do, whatever else happens. */
  get deadlineMs(): number {
    return this.#retryAtMs ?? Infinity;
  }

  /** Some wait for an answer on that link. */
  isWaiting(link: LinkId): boolean {
    for (const question of this.#questions.values()) if (question.link === link) return true;
    return false;
  }

  /** Returns the way to stop waiting. Errors: `too-many-reads`. */
  add(space: ReadSpace, ready: () => void): () => void {
    if (this.#count >= limits.readsWaitingMax) throw tooManyReads();
    const read: Read = { space, ready };
    this.#count++;
    this.#new.push(read);
    return () => this.#end(read);
  }

  /** At the end of a turn: asks for what is new, answers what has come far enough. */
  flush(now: number): void {
    if (this.#count === 0) return;
    this.#settle();
    if (this.#retryAtMs !== undefined && now < this.#retryAtMs) return;
    this.#retryAtMs = undefined;
    for (const [space, reads] of this.#newBySpace()) this.#ask(space, reads);
  }

  onAnswer(link: LinkId, answer: BarrierAt | BarrierFailed, now: number): void {
    const question = this.#questions.get(answer.id);
    if (question?.link !== link) return;
    this.#questions.delete(answer.id);
    const { reads } = question;
    const history = this.#peers.get(link)?.historyOf(answer.space);
    if (answer.kind === 'barrier-at' && history !== undefined) {
      this.#goals.push({ history, csn: answer.csn, reads });
    } else {
      this.#new.push(...reads);
      this.#retryAtMs = now + limits.barrierRetryMs;
    }
  }

  onDown(link: LinkId): void {
    for (const [id, question] of this.#questions) {
      if (question.link !== link) continue;
      this.#questions.delete(id);
      this.#new.push(...question.reads);
    }
  }

  #end(read: Read): void {
    if (this.#ended.has(read)) return;
    this.#ended.add(read);
    this.#count--;
  }

  /** Those that nobody waits for any more are dropped. */
  #newBySpace(): Map<ReadSpace, Read[]> {
    const bySpace = new Map<ReadSpace, Read[]>();
    for (const read of this.#new) {
      if (this.#ended.has(read)) continue;
      const reads = bySpace.get(read.space);
      if (reads === undefined) bySpace.set(read.space, [read]);
      else reads.push(read);
    }
    this.#new = [];
    return bySpace;
  }

  #ask(space: ReadSpace, reads: readonly Read[]): void {
    for (const [link, peer] of this.#peers) {
      if (!this.#canAsk(link, peer, space)) continue;
      const id = ++this.#lastId;
      this.#questions.set(id, { link, reads });
      peer.session.send({ kind: 'barrier', space: space.space, id });
      return;
    }
    this.#new.push(...reads);
  }

  #canAsk(link: LinkId, peer: Peer, of: ReadSpace): boolean {
    if (!this.#isAbout(peer, of) || peer.historyOf(of.space) === undefined) return false;
    if ((peer.session.version ?? 0) < BARRIERS_SINCE) return false;
    let open = 0;
    for (const question of this.#questions.values()) if (question.link === link) open++;
    return open < limits.barriersPerLinkMax;
  }

  #settle(): void {
    const goals = this.#goals;
    if (goals.length === 0) return;
    this.#goals = [];
    for (const goal of goals) {
      const waiting = goal.reads.filter((read) => !this.#ended.has(read) && !hasCome(read, goal));
      if (waiting.length > 0) this.#goals.push({ ...goal, reads: waiting });
      for (const read of goal.reads) {
        if (this.#ended.has(read) || waiting.includes(read)) continue;
        this.#end(read);
        read.ready();
      }
    }
  }
}

function hasCome({ space: { replica } }: Read, { history, csn }: Goal): boolean {
  const ours = replica.summary();
  // Where nothing was ever committed, no history was ever heard of.
  const isThere = ours.history === history || (csn === 0 && ours.history === '');
  return isThere && ours.csn >= csn;
}

const tooManyReads = (): OxbowError => new OxbowError(
  'too-many-reads',
  `${limits.readsWaitingMax} linearizable reads wait for the server. Wait for some of them first.`,
);
