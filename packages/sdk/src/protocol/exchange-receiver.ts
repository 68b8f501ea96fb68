/**
 * The receiving half of anti-entropy for one space on one link: drops what is known, hands on what
 * follows without a gap, and asks again (`open` with the present summary) when something is
 * missing. After asking it ignores gaps until the answer has come: one gap makes many late frames,
 * and must not make many questions.
 */
import { BadField } from './check.js';
import type { HolderSink, HolderSource, Reception } from './holder.js';
import type { ReplicaId, SpaceId, Summary } from './ids.js';
import * as limits from './limits.js';
import type {
  Commits, Open, Opened, Page, SpaceMessage, Transfer, Transferred, Updates,
} from './message.js';
import type { PageStaging } from './page-staging.js';
import { TransferReceiver, heldPages, type PageReception } from './transfer-receiver.js';
import type { CommitEntry, Update } from './update.js';

export type Wants = 'all' | 'updates' | 'nothing';

export interface ReceiverConfig {
  readonly space: SpaceId;
  readonly holder: Pick<HolderSource, 'summary' | 'settledSeq' | 'newestOf' | 'heldSeq'> & HolderSink;
  readonly wants: Wants;
  readonly peer: ReplicaId | undefined;
  readonly staging: PageStaging;
  readonly out: (message: SpaceMessage) => number;
}

interface FreshUpdates {
  readonly fresh: readonly Update[];
  readonly isGap: boolean;
  /** Of the one after the fresh ones: what follows it is not looked at. */
  readonly refusal?: Reception;
}

type State =
  /** Asks for nothing: not started, refused something, or wants nothing. What comes is dropped. */
  | 'closed'
  /** Asked; the answer is awaited. */
  | 'asked'
  | 'open';

/**
 * So often at once without getting anywhere; then at the pace of beats: two that differ must not
 * spin.
 */
const ASKS_IN_VAIN_MAX = 3;

/**
 * So often whoever makes the commits asks for what an update builds on. Each that it has told
 * anyone of it has itself, and others' updates come before those that have seen them: what is still
 * missing then is a defect, or made up.
 */
const LACKS_MAX = 6;

export class ExchangeReceiver {
  readonly #config: ReceiverConfig;
  #state: State = 'closed';
  #round = 0;
  /** The history that the peer knows us in. */
  #history = '';
  #transfer: TransferReceiver | undefined;
  #hasRefused = false;
  /** Beats, and questions, since something came that moved us on. */
  #beats = 0;
  #asks = 0;
  /** Rounds in which an update came without what it builds on, since one came that had it. */
  #lacks = 0;
  #lackedIn = 0;
  /** Something is missing, but asking has not helped: not again before the next beat. */
  #isOverdue = false;

  constructor(config: ReceiverConfig) {
    this.#config = config;
  }

  /** Rows that have come of a base under way; undefined while none is. */
  get arriving(): number | undefined {
    return this.#transfer?.rows;
  }

  /** Says what we hold and asks for the rest. */
  ask(): void {
    const { space, holder, wants, peer, out } = this.#config;
    if (wants === 'nothing') return;
    const summary = holder.summary();
    this.#state = 'asked';
    this.#hasRefused = false;
    this.#round += 1;
    this.#history = summary.history;
    this.#transfer = undefined;
    this.#beats = 0;
    this.#asks += 1;
    this.#isOverdue = false;
    const settledSeq = peer === undefined ? 0 : holder.settledSeq(peer);
    const newest = peer === undefined ? undefined : holder.newestOf?.(peer);
    const open: Open = { kind: 'open', space, round: this.#round, wants, summary, settledSeq };
    out(newest === undefined ? open : { ...open, newest });
  }

  /** The peer starts over: so do we, if we had closed because of what it sent. */
  maybeAskAgain(): void {
    if (this.#hasRefused) this.ask();
  }

  stop(): void {
    this.#state = 'closed';
    this.#isOverdue = false;
    this.#beats = 0;
    this.#transfer = undefined;
  }

  /**
   * The holder changed, perhaps through another link: in another history all must be asked anew.
   */
  changed(): void {
    if (this.#state === 'closed') return;
    if (this.#config.holder.summary().history !== this.#history) this.ask();
  }

  /** At the pace of pings: a question or the end of a transfer may have been lost. */
  beat(): void {
    const isWaiting = this.#state === 'asked' || this.#transfer !== undefined;
    if (isWaiting) this.#beats += 1;
    if (this.#beats > 1 || this.#isOverdue) this.ask();
  }

  onOpened(opened: Opened): void {
    if (this.#state === 'closed' || opened.round !== this.#round) return;
    this.#state = 'open';
    this.#beats = 0;
    const { space, holder, out } = this.#config;
    const { summary, completion } = opened;
    holder.learned?.(opened);
    if (completion === 0) return;
    if (this.lacks(summary)) this.#gap();
    else out({ kind: 'held', space, completion });
  }

  /** True when all of them are held now. */
  onUpdates(message: Updates): boolean {
    if (this.#state === 'closed') return false;
    const { fresh, isGap, refusal } = this.#freshUpdates(message.updates);
    const { holder } = this.#config;
    if (fresh.length > 0 && !this.#accepted(holder.receiveUpdates(fresh))) return false;
    if (refusal !== undefined) return this.#accepted(refusal);
    if (isGap) this.#lacking();
    return !isGap;
  }

  onCommits(message: Commits): void {
    if (!this.#takesCommits()) return;
    const { history, csn } = this.#config.holder.summary();
    if (history !== '' && history !== message.history) return this.#gap();
    const { fresh, isGap } = freshEntries(message.entries, csn);
    if (fresh.length > 0) {
      this.#history = message.history;
      const reception = this.#config.holder.receiveCommits(message.history, fresh);
      if (!this.#accepted(reception)) return;
    }
    if (isGap) this.#gap();
  }

  onTransfer(head: Transfer): void {
    if (!this.#takesCommits()) return;
    const { history, csn } = this.#config.holder.summary();
    // Offered from an older summary; the peer waits for an answer, so it gets the present one.
    if (history === head.history && head.csn <= csn) return this.#gap();
    const present = this.#transfer;
    if (present?.head.csn === head.csn && !present.isUntouched) return;
    this.#beats = 0;
    const { space, holder, staging, out } = this.#config;
    this.#transfer = new TransferReceiver(head, staging);
    out({ kind: 'have', space, csn: head.csn, hashes: heldPages(staging, holder) });
  }

  onPage(page: Page, chars: number): void {
    if (!this.#takesCommits()) return;
    if (this.#isPast(page.csn)) return;
    if (this.#transfer === undefined) return this.#gap();
    this.#beats = 0;
    switch (this.#readPage(this.#transfer, page, chars)) {
      case 'ok':
        return this.#progress();
      case 'gap':
        return this.#gap();
      case 'malformed':
        return this.#refuse('bad-message', 'Cannot read the ledger in a page. Update the sender.');
      case 'damaged':
        return this.#refuse('page-damaged', 'A page is not what its hash says. Send it again.');
      case 'too-large':
        return this.#refuse('transfer-too-large', 'Cannot hold so large a base. Split the space.');
    }
  }

  onTransferred(end: Transferred): void {
    if (!this.#takesCommits()) return;
    if (this.#isPast(end.csn)) return;
    const base = this.#transfer?.complete(end);
    if (base === undefined) return this.#gap();
    this.#transfer = undefined;
    this.#history = base.history;
    if (!this.#accepted(this.#config.holder.receiveBase(base))) return;
    this.#config.staging.clear();
  }

  /** A late frame of a transfer that is done, or that another link has overtaken. */
  #isPast(csn: number): boolean {
    const summary = this.#config.holder.summary();
    const history = this.#transfer?.head.history ?? summary.history;
    return summary.history === history && csn <= summary.csn;
  }

  #readPage(
    transfer: TransferReceiver, page: Page, chars: number,
  ): PageReception | 'malformed' {
    try {
      return transfer.onPage(page, chars, this.#config.holder);
    } catch (error) {
      if (error instanceof BadField) return 'malformed';
      throw error;
    }
  }

  /** A primary takes commits from nobody. */
  #takesCommits(): boolean {
    if (this.#state === 'closed') return false;
    if (this.#config.wants === 'all') return true;
    this.#refuse('not-primary', 'Cannot take commits: they are made here. Send updates only.');
    return false;
  }

  #accepted(reception: Reception): boolean {
    if (reception.kind === 'refused') this.#refuse(reception.code, reception.message);
    if (reception.kind === 'gap') this.#lacking();
    if (reception.kind === 'ok') this.#progress();
    return reception.kind === 'ok';
  }

  #gap(): void {
    if (this.#state !== 'open') return;
    if (this.#asks < ASKS_IN_VAIN_MAX) this.ask();
    else this.#isOverdue = true;
  }

  #lacking(): void {
    if (this.#config.wants === 'updates' && this.#lackedIn !== this.#round) {
      this.#lackedIn = this.#round;
      this.#lacks += 1;
      if (this.#lacks > LACKS_MAX) {
        return this.#refuse(
          'context-missing', 'An update builds on what nobody brings here.', limits.reconnectMsMax,
        );
      }
    }
    this.#gap();
  }

  #progress(): void {
    this.#beats = 0;
    this.#asks = 0;
    this.#lacks = 0;
  }

  #refuse(code: string, message: string, retryMs?: number): void {
    this.stop();
    this.#hasRefused = true;
    const { space, out } = this.#config;
    const cut = message.slice(0, limits.textCharsMax);
    const fail = { kind: 'fail', space, code, message: cut, sendingOnly: true } as const;
    out(retryMs === undefined ? fail : { ...fail, retryMs });
  }

  /**
   * Updates not held yet, up to the first that lacks something before it: an earlier one of its
   * replica, or something of its context (the prefix property, SOSP'97 §3.1).
   */
  #freshUpdates(updates: readonly Update[]): FreshUpdates {
    const { holder } = this.#config;
    const summary = holder.summary();
    // Most messages bring one update: nothing is raised before it.
    const raised = updates.length > 1 ? new Map<ReplicaId, number>() : undefined;
    const known = (replica: ReplicaId): number =>
      raised?.get(replica) ?? this.#knownSeq(summary, replica);
    const fresh: Update[] = [];
    for (const update of updates) {
      const { replica, seq } = update.id;
      const held = known(replica);
      if (seq <= held) {
        const again = holder.receiveAgain?.(update);
        if (again?.kind === 'refused') return { fresh, isGap: false, refusal: again };
        continue;
      }
      if (seq > held + 1 || lacksContext(update, summary.csn, known)) {
        return { fresh, isGap: true };
      }
      raised?.set(replica, seq);
      fresh.push(update);
    }
    return { fresh, isGap: false };
  }

  #knownSeq(summary: Summary, replica: ReplicaId): number {
    const { holder } = this.#config;
    const known = Math.max(summary.vector[replica] ?? 0, holder.settledSeq(replica));
    return Math.max(known, holder.heldSeq?.(replica) ?? 0);
  }

  /** Whether something of a summary is not held here. */
  lacks(theirs: Summary): boolean {
    const ours = this.#config.holder.summary();
    if (this.#config.wants === 'all' && theirs.csn > ours.csn) return true;
    return replicasOf(theirs.vector).some(
      (replica) => (theirs.vector[replica] ?? 0) > this.#knownSeq(ours, replica),
    );
  }
}

function lacksContext(
  { context, id }: Update, csn: number, known: (replica: ReplicaId) => number,
): boolean {
  if (context.csn > csn) return true;
  for (const key in context.vector) {
    // reason: for-in forgets the branded key type.
    const replica = key as ReplicaId;
    if (replica !== id.replica && (context.vector[replica] ?? 0) > known(replica)) return true;
  }
  return false;
}

function freshEntries(
  entries: readonly CommitEntry[], csn: number,
): { fresh: CommitEntry[]; isGap: boolean } {
  const fresh: CommitEntry[] = [];
  let next = csn + 1;
  for (const entry of entries) {
    if (entry.csn < next) continue;
    if (entry.csn > next) return { fresh, isGap: true };
    fresh.push(entry);
    next += 1;
  }
  return { fresh, isGap: false };
}

function replicasOf(vector: Summary['vector']): ReplicaId[] {
  // reason: Object.keys forgets the branded key type.
  return Object.keys(vector) as ReplicaId[];
}
