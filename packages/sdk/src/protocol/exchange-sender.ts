/**
 * The sending half of anti-entropy for one space on one link: what the peer lacks, in the order in
 * which it may learn it. Petersen et al., SOSP'97 §3, as a stream that goes on: (1) a full transfer
 * if the kept log does not reach back to what the peer holds, (2) commit entries after the peer's
 * csn, (3) tentative updates that the peer's vector does not cover. Each step sends one message,
 * and `pump` is asked for as many as the link has room for: nothing is ever queued here.
 */
import { invariant } from './error.js';
import type { HolderSource } from './holder.js';
import type { ReplicaId, SpaceId, Summary, VersionVector } from './ids.js';
import * as limits from './limits.js';
import type { Have, Held, Open, Opened, SpaceMessage } from './message.js';
import { bareEntry, encodeEntry, encodeUpdate } from './record-codec.js';
import { TransferSender } from './transfer-sender.js';
import type { CommitEntry, Update } from './update.js';

export interface SenderConfig {
  readonly space: SpaceId;
  readonly holder: HolderSource;
  /** Our own replica id and that of the replica behind the link, where there is one. */
  readonly self: ReplicaId | undefined;
  readonly peer: ReplicaId | undefined;
  /** We take commits from nobody: where histories differ, ours is right. */
  readonly isAuthority: boolean;
  /** Sends; returns the chars of the frame. */
  readonly out: (message: SpaceMessage) => number;
}

/**
 * Whether the peer is to be told that all was sent: as soon as it is, at the next beat, again as it
 * has not answered, or no more.
 */
type Owed = 'now' | 'later' | 'answer' | 'nothing';

/** Asked of the holder at once. */
const ITEMS_AT_ONCE = 256;

export class ExchangeSender {
  readonly #config: SenderConfig;
  /** The peer's latest `open`; undefined while it wants nothing. */
  #open: Open | undefined;
  /**
   * The history that the peer stands in, and how far: what it has once all that was sent arrives.
   */
  #history = '';
  #csn = 0;
  /** Beyond the ledger at `#csn`. */
  readonly #peerSeqs = new Map<ReplicaId, number>();
  #transfer: TransferSender | undefined;
  /** Where we are in the holder's tentative updates, and those taken from it but not yet sent. */
  #cursor = 0;
  #taken: readonly Update[] = [];
  #takenFrom = 0;
  #owed: Owed = 'nothing';
  #completion = 0;
  /** Nothing to send until something changes. */
  #isIdle = true;

  constructor(config: SenderConfig) {
    this.#config = config;
  }

  /** Starts, or starts over, from what the peer says it holds. A duplicate is ignored. */
  onOpen(open: Open): void {
    if (open.round === this.#open?.round) return;
    this.#open = open;
    this.#history = open.summary.history;
    this.#csn = open.summary.csn;
    this.#transfer = undefined;
    this.#rewindUpdates(open);
    // A primary learns that all has come from the updates themselves; silence is no news to it.
    this.#owed = open.wants === 'all' ? 'now' : 'nothing';
    this.#isIdle = false;
    this.#sayOpened(this.#config.holder.summary(), 0);
  }

  onHeld(held: Held): void {
    if (this.#owed === 'answer' && held.completion === this.#completion) this.#owed = 'nothing';
  }

  onHave(have: Have): void {
    this.#transfer?.onHave(have);
  }

  /**
   * The peer sent us these: it holds them. A peer that will not commit them is told that they
   * arrived.
   */
  peerSent(updates: readonly Update[]): void {
    for (const { id } of updates) this.#raise(id.replica, id.seq);
    if (this.#open?.wants !== 'all' || this.#config.isAuthority) return;
    this.#owed = 'now';
    this.#isIdle = false;
  }

  /** The holder may have something new. */
  changed(): void {
    this.#isIdle = false;
  }

  /** The peer was told that it has everything, and nothing has been sent since. */
  get hasSaidAll(): boolean {
    return this.#isIdle && (this.#owed === 'answer' || this.#owed === 'nothing');
  }

  stop(): void {
    this.#open = undefined;
    this.#transfer = undefined;
    this.#taken = [];
    this.#peerSeqs.clear();
  }

  /** Sends until the budget is used up (the last message may overshoot it) or nothing is left. */
  pump(budgetChars: number): number {
    let chars = 0;
    while (chars < budgetChars && this.#open !== undefined && !this.#isIdle) {
      chars += this.#step(this.#open);
    }
    return chars;
  }

  /** At the pace of pings: says again what may have been lost. */
  beat(): void {
    this.#transfer?.beat();
    if (this.#open === undefined || !this.#isIdle || this.#transfer !== undefined) return;
    if (this.#owed === 'later' || this.#owed === 'answer') this.#sayComplete();
  }

  /** Sends one message and returns its chars; or turns idle. */
  #step(open: Open): number {
    const summary = this.#config.holder.summary();
    const sent = this.#transfer !== undefined
      ? this.#stepTransfer(this.#transfer)
      : this.#stepStream(open, summary);
    if (sent === 0) this.#isIdle = true;
    return sent;
  }

  #stepTransfer(transfer: TransferSender): number {
    const sent = transfer.step();
    if (transfer.isDone) {
      // In another history the peer may have to drop what it held: it sorts out what it still
      // knows.
      if (isForeign(transfer.snapshot.history, this.#history)) this.#peerSeqs.clear();
      this.#history = transfer.snapshot.history;
      this.#csn = transfer.snapshot.csn;
      this.#transfer = undefined;
    }
    return sent;
  }

  #stepStream(open: Open, summary: Summary): number {
    if (open.wants === 'all') {
      const isBehind = isForeign(summary.history, this.#history) || summary.csn > this.#csn;
      if (isBehind) return this.#stepCommits(summary);
    } else if (isForeign(summary.history, this.#history)) {
      // The primary began anew. Our updates wait until we stand in its history, then go out under
      // fresh ids.
      return 0;
    }
    const updates = this.#nextUpdates();
    if (updates.length > 0) {
      this.#owe();
      return this.#config.out({ kind: 'updates', space: this.#config.space, updates });
    }
    return this.#owed === 'now' ? this.#sayComplete() : 0;
  }

  #stepCommits(summary: Summary): number {
    if (summary.history === '') return 0;
    if (isForeign(summary.history, this.#history)) {
      // Of two histories only a primary knows which is right; peers wait until one has met it, or
      // are served by one who does that for them.
      const { isAuthority, holder } = this.#config;
      return isAuthority || holder.decidesHistory === true ? this.#beginTransfer() : 0;
    }
    if (this.#csn === 0 && summary.csn > limits.transferBehindEntries) {
      const sent = this.#beginTransfer();
      if (sent > 0) return sent;
    }
    const kept = this.#config.holder.entriesAfter(this.#csn, ITEMS_AT_ONCE);
    return kept === 'trimmed' ? this.#beginTransfer() : this.#sendCommits(summary.history, kept);
  }

  /** 0 when the holder cannot give a snapshot now; it says `changed` when it can. */
  #beginTransfer(): number {
    const snapshot = this.#config.holder.snapshot();
    if (snapshot === undefined) return 0;
    this.#owe();
    this.#transfer = new TransferSender(this.#config.space, snapshot, this.#config.out);
    return this.#transfer.offer();
  }

  #sendCommits(history: string, kept: readonly CommitEntry[]): number {
    const entries: CommitEntry[] = [];
    let chars = 0;
    for (const full of kept) {
      const isHeld = (this.#peerSeqs.get(full.id.replica) ?? 0) >= full.id.seq;
      const entry = isHeld ? bareEntry(full) : full;
      chars += encodeEntry(entry).length + 1;
      if (entries.length > 0 && chars > limits.messageCharsTarget) break;
      entries.push(entry);
    }
    const last = entries.at(-1);
    if (last === undefined) return 0;
    invariant(entries[0]?.csn === this.#csn + 1, 'a holder gives entries without a gap');
    this.#history = history;
    this.#csn = last.csn;
    this.#forgetSettled(entries);
    this.#owe();
    return this.#config.out({ kind: 'commits', space: this.#config.space, history, entries });
  }

  /** The peer's ledger covers them from now on: the map stays small as the tentative log does. */
  #forgetSettled(entries: readonly CommitEntry[]): void {
    if (this.#peerSeqs.size <= SETTLED_KEPT) return;
    for (const { id } of entries) {
      const seq = this.#peerSeqs.get(id.replica);
      if (seq !== undefined && seq <= id.seq) this.#peerSeqs.delete(id.replica);
    }
  }

  /** The next message's worth of updates that the peer lacks; empty at the end. */
  #nextUpdates(): Update[] {
    const updates: Update[] = [];
    let chars = 0;
    while (updates.length < limits.updatesPerMessageMax) {
      const update = this.#peekUpdate();
      if (update === undefined) break;
      if (this.#needsUpdate(update)) {
        chars += encodeUpdate(update).length + 1;
        if (updates.length > 0 && chars > limits.messageCharsTarget) break;
        updates.push(update);
        this.#raise(update.id.replica, update.id.seq);
      }
      this.#takenFrom += 1;
    }
    return updates;
  }

  #peekUpdate(): Update | undefined {
    if (this.#takenFrom >= this.#taken.length) {
      const run = this.#config.holder.tentativeAfter(this.#cursor, ITEMS_AT_ONCE);
      this.#taken = run.updates;
      this.#takenFrom = 0;
      this.#cursor = run.cursor;
    }
    return this.#taken[this.#takenFrom];
  }

  /** Some that were taken earlier have been committed since; their commits went ahead. */
  #needsUpdate({ id }: Update): boolean {
    return (this.#peerSeqs.get(id.replica) ?? 0) < id.seq &&
      this.#config.holder.settledSeq(id.replica) < id.seq;
  }

  #rewindUpdates(open: Open): void {
    this.#cursor = 0;
    this.#taken = [];
    this.#takenFrom = 0;
    this.#peerSeqs.clear();
    for (const [replica, seq] of vectorEntries(open.summary.vector)) this.#raise(replica, seq);
    if (this.#config.self === undefined) return;
    const { history } = this.#config.holder.summary();
    if (!isForeign(history, this.#history)) this.#raise(this.#config.self, open.settledSeq);
  }

  #raise(replica: ReplicaId, seq: number): void {
    if (seq > (this.#peerSeqs.get(replica) ?? 0)) this.#peerSeqs.set(replica, seq);
  }

  #owe(): void {
    if (this.#owed !== 'now') this.#owed = 'later';
  }

  /** Names what the peer has if nothing was lost; it compares, and asks again for what it lacks. */
  #sayComplete(): number {
    this.#owed = 'answer';
    this.#completion += 1;
    const vector: Record<ReplicaId, number> = {};
    for (const [replica, seq] of this.#peerSeqs) {
      if (seq > this.#config.holder.settledSeq(replica)) vector[replica] = seq;
    }
    const { history, csn } = this.#open?.wants === 'all'
      ? { history: this.#history, csn: this.#csn }
      : this.#config.holder.summary();
    return this.#sayOpened({ history, csn, vector }, this.#completion);
  }

  #sayOpened(summary: Summary, completion: number): number {
    const { space, holder, peer, out } = this.#config;
    const settledSeq = peer === undefined ? 0 : holder.settledSeq(peer);
    const newest = peer === undefined ? undefined : holder.newestOf?.(peer);
    const round = this.#open?.round ?? 0;
    const opened: Opened = { kind: 'opened', space, round, summary, settledSeq, completion };
    return out(newest === undefined ? opened : { ...opened, newest });
  }
}

/** So few may stay although they are settled: a map that empties again and again is made anew. */
const SETTLED_KEPT = 4;

const isForeign = (ours: string, theirs: string): boolean =>
  ours !== '' && theirs !== '' && ours !== theirs;

function vectorEntries(vector: VersionVector): [ReplicaId, number][] {
  // reason: Object.entries forgets the branded key type.
  return Object.entries(vector) as [ReplicaId, number][];
}
