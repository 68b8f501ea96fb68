/**
 * Everything that is said on a link, in either direction, by any pair: client and server, two
 * peers, two tabs. One direction of anti-entropy is: `open` (my summary: send what I lack, and go
 * on doing so), then a stream of `commits` and `updates`, or a full transfer when the sender's kept
 * log no longer reaches back. Two replicas that both send `open` synchronise both ways. Petersen et
 * al., SOSP'97 §3-4.
 */
import type { ReplicaId, SpaceId, Summary } from './ids.js';
import type { CommitEntry, KeyText, Mark, Row, Update } from './update.js';

/** First word of whoever opened the link. */
export interface Hello {
  readonly kind: 'hello';
  /** Protocol versions spoken, oldest to newest. */
  readonly versions: readonly [oldest: number, newest: number];
  readonly app: string;
  readonly appVersion: number;
  readonly replica: ReplicaId;
  readonly token?: string;
}
/** The answer: the version that both will speak, and who the speaker takes the other for. */
export interface Welcome {
  readonly kind: 'welcome';
  readonly version: number;
  readonly replica: ReplicaId;
  readonly user: string | null;
}
/**
 * "This is what I hold of the space: send me the rest, and what comes later." Repeating it starts
 * over from the new summary.
 */
export interface Open {
  readonly kind: 'open';
  readonly space: SpaceId;
  /** Counts the speaker's opens of this space on this link from 1; the answer repeats it. */
  readonly round: number;
  /** `updates`: the speaker assigns csn itself (a primary), it takes tentative updates only. */
  readonly wants: 'all' | 'updates';
  readonly summary: Summary;
  /**
   * The sequence up to which the listener's own updates are settled at the speaker; 0 if unknown.
   */
  readonly settledSeq: number;
  /** The newest of the listener's own updates that the speaker knows, settled or not. */
  readonly newest?: Mark;
}
/**
 * Answer to `open`: what the sender holds, and the receiver's own settled sequence there. It comes
 * again, unasked, when all that its summary names has been sent: a receiver that lacks something of
 * it knows that frames were lost and asks again; one that has it all says `held`.
 */
export interface Opened {
  readonly kind: 'opened';
  readonly space: SpaceId;
  readonly round: number;
  readonly summary: Summary;
  readonly settledSeq: number;
  /** As in `Open`. */
  readonly newest?: Mark;
  /** 0: the answer to `open`, more follows. Else counts the times that all was sent. */
  readonly completion: number;
}
/** Answer to an `opened` with a completion: nothing of it is missing. */
export interface Held {
  readonly kind: 'held';
  readonly space: SpaceId;
  readonly completion: number;
}
export interface Updates {
  readonly kind: 'updates';
  readonly space: SpaceId;
  /**
   * In an order that respects causality: every replica's in sequence, each after all of its
   * context.
   */
  readonly updates: readonly Update[];
}
export interface Commits {
  readonly kind: 'commits';
  readonly space: SpaceId;
  readonly history: string;
  /** In csn order, dense. */
  readonly entries: readonly CommitEntry[];
}
/**
 * Start of a full transfer of the base as of `csn`. The receiver answers with `have`. The ledger
 * travels first, as rows of pages of the table `LEDGER_TABLE`.
 */
export interface Transfer {
  readonly kind: 'transfer';
  readonly space: SpaceId;
  readonly history: string;
  readonly csn: number;
  /** Commit timestamp and Lamport counter as of `csn`. */
  readonly at: number;
  readonly lamport: number;
}
/**
 * Hashes of base pages that the receiver holds, from its old base and from an interrupted transfer.
 */
export interface Have {
  readonly kind: 'have';
  readonly space: SpaceId;
  readonly csn: number;
  readonly hashes: readonly string[];
}
/**
 * The reserved table of the ledger: key = replica, row = `{ seq, user, lamport, madeAt }`. Apps'
 * tables have names.
 */
export const LEDGER_TABLE = '';
export type PageRow = readonly [key: KeyText, row: Row];
/** One page; `rows` is left out when the receiver said that it has the hash. */
export interface Page {
  readonly kind: 'page';
  readonly space: SpaceId;
  readonly csn: number;
  /** Counts from 0 without gaps within a transfer. */
  readonly index: number;
  readonly table: string;
  readonly hash: string;
  readonly rows?: readonly PageRow[];
}
export interface Transferred {
  readonly kind: 'transferred';
  readonly space: SpaceId;
  readonly csn: number;
  readonly pages: number;
}
/**
 * Flow control: characters of frames received on this link so far, of the kinds that count
 * (`isCounted`).
 */
export interface Ack {
  readonly kind: 'ack';
  readonly received: number;
}
export interface Leave {
  readonly kind: 'leave';
  readonly space: SpaceId;
}
/** Something was refused. Without `space` the whole link is refused and closes. */
export interface Fail {
  readonly kind: 'fail';
  readonly code: string;
  readonly message: string;
  readonly space?: SpaceId;
  /** Only what the listener sends is refused: what it receives goes on. */
  readonly sendingOnly?: true;
  /** When trying again makes sense: after so many ms. Absent: not before something was changed. */
  readonly retryMs?: number;
  /** Of a whole link: the URL of who would serve it. Go there rather than wait. */
  readonly redirect?: string;
}
/**
 * "Up to where must I have come to have seen all that was acknowledged to anyone before I asked?"
 * The primary answers after it has made sure that it still decides, and after it has sent what the
 * answer names, as far as the window allows. Since version 2.
 */
export interface Barrier {
  readonly kind: 'barrier';
  readonly space: SpaceId;
  /** Chosen by the one who asks; the answer repeats it. */
  readonly id: number;
}
export interface BarrierAt {
  readonly kind: 'barrier-at';
  readonly space: SpaceId;
  readonly id: number;
  /** In the history that `opened` named on this link. */
  readonly csn: number;
}
/** Not here, not now: ask again, with a new `id`. */
export interface BarrierFailed {
  readonly kind: 'barrier-failed';
  readonly space: SpaceId;
  readonly id: number;
  readonly code: string;
}
export interface Ping {
  readonly kind: 'ping';
}
export interface Pong {
  readonly kind: 'pong';
}

/** Messages of one space: an `Exchange` speaks and hears them. */
export type SpaceMessage =
  | Open | Opened | Held | Updates | Commits | Transfer | Have | Page | Transferred | Leave
  | (Fail & { readonly space: SpaceId });

/** Linearizable reads: of a space, but no part of its exchange. */
export type BarrierMessage = Barrier | BarrierAt | BarrierFailed;

export type Message =
  | Hello | Welcome | Open | Opened | Held | Updates | Commits
  | Transfer | Have | Page | Transferred
  | Ack | Leave | Fail | Ping | Pong | BarrierMessage;

/** Kinds under flow control: the bulk ones. All others are small and always allowed. */
export const isCounted = (kind: Message['kind']): boolean =>
  kind === 'updates' || kind === 'commits' || kind === 'page';
