/**
 * A server within the page, as the peers' harness gives Replicache one: it speaks the protocol in
 * frames of text over the memory transport, so that no network is measured. Frames are written
 * before the clock starts, which is the server's work; reading them is ours. It takes nobody's
 * updates: own edits stay unconfirmed, however long.
 */
import { memoryTransport, type CommitEntry, type Transport } from '@oxbow/sdk';
import {
  cutPages, decodeMessage, encodeMessage, ledgerPages, limits,
  type BaseSnapshot, type Message, type ReplicaId, type SnapshotPage, type SpaceId,
} from '@oxbow/sdk/protocol';
import type { Event } from './document.js';

// reason: fixed identities of the benchmark.
const SERVER = '00000000-0000-4000-8000-000000000001' as ReplicaId;
const OTHER = '00000000-0000-4000-8000-000000000002' as ReplicaId;
const HISTORY = 'bench';
const AT = Date.UTC(2026, 0, 1);

export class Origin {
  readonly #space: SpaceId;
  readonly #whenHeld: (() => void)[] = [];
  #csn = 0;
  #base: readonly string[] = [];
  #send: ((frame: string) => void) | undefined;

  constructor(space: string) {
    // reason: the name of a space is one that the replica has checked.
    this.#space = space as SpaceId;
  }

  readonly transport: Transport = memoryTransport({
    clock: { soon: (task) => queueMicrotask(task) },
    accept: (link) => {
      this.#send = (frame) => link.send(frame);
      return {
        opened: () => undefined,
        received: (frame) => this.#onMessage(decodeMessage(frame)),
        closed: () => undefined,
      };
    },
  });

  /** The base that a newcomer gets: all these rows as of csn 1. */
  prepareBase(events: readonly Event[]): void {
    this.#csn = 1;
    this.#base = baseFrames(this.#space, events);
  }

  /** Resolves once somebody who connects has been told that there is nothing more. */
  whenHeld(): Promise<void> {
    return new Promise((resolve) => this.#whenHeld.push(resolve));
  }

  /** One commit of somebody else for each; the frames as a server cuts them. */
  prepareCommits(events: readonly Event[], after: number): readonly string[] {
    const entries = events.map((event, i): CommitEntry => commitOf(event, after + 1 + i));
    const frames: string[] = [];
    let run: CommitEntry[] = [];
    let chars = 0;
    for (const entry of entries) {
      run.push(entry);
      chars += JSON.stringify(entry).length;
      if (chars < limits.messageCharsTarget) continue;
      frames.push(this.#commits(run));
      run = [];
      chars = 0;
    }
    return run.length === 0 ? frames : [...frames, this.#commits(run)];
  }

  say(frames: readonly string[]): void {
    for (const frame of frames) this.#send?.(frame);
  }

  #commits(entries: readonly CommitEntry[]): string {
    return encodeMessage({ kind: 'commits', space: this.#space, history: HISTORY, entries });
  }

  #onMessage(message: Message): void {
    switch (message.kind) {
      case 'hello':
        return this.#answer({ kind: 'welcome', version: message.versions[1], replica: SERVER, user: null });
      case 'open': {
        const { round, summary } = message;
        this.#csn = Math.max(this.#csn, summary.csn);
        this.#opened(round, summary.csn === this.#csn ? 1 : 0);
        if (summary.csn < this.#csn) this.#answer({
          kind: 'transfer', space: this.#space, history: HISTORY, csn: this.#csn, at: AT, lamport: 1,
        });
        return;
      }
      case 'have':
        return this.say(this.#base);
      case 'held':
        for (const held of this.#whenHeld.splice(0)) held();
        return;
      case 'ping':
        return this.#answer({ kind: 'pong' });
      case 'fail':
        throw new Error(`${message.code}: ${message.message}`);
      default:
    }
  }

  #opened(round: number, completion: number): void {
    const summary = { history: HISTORY, csn: this.#csn, vector: {} };
    this.#answer({ kind: 'opened', space: this.#space, round, summary, settledSeq: 0, completion });
  }

  #answer(message: Message): void {
    this.#send?.(encodeMessage(message));
  }
}

function baseFrames(space: SpaceId, events: readonly Event[]): string[] {
  const rows = events.map((event) => [event.id, { ...event }] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const ledger: BaseSnapshot['ledger'] = [{ replica: OTHER, seq: 1, user: 'ben', lamport: 1, madeAt: AT }];
  const pages: SnapshotPage[] = [...ledgerPages(ledger), ...cutPages('event', rows)];
  const frames = pages.map(({ table, hash, rows: paged }, index) =>
    encodeMessage({ kind: 'page', space, csn: 1, index, table, hash, rows: paged }));
  return [...frames, encodeMessage({ kind: 'transferred', space, csn: 1, pages: pages.length })];
}

function commitOf(event: Event, csn: number): CommitEntry {
  return {
    csn, at: AT + csn, id: { replica: OTHER, seq: csn }, lamport: csn, user: 'ben',
    outcome: { kind: 'applied' }, effects: [{ table: 'event', key: event.id, row: { ...event } }],
    body: {
      context: { csn: csn - 1, vector: {} }, name: 'retitle', version: 1,
      args: { id: event.id, title: event.title }, at: AT + csn,
    },
  };
}
