/**
 * The sending half of a full transfer: offer, wait for the hashes that the receiver has, then
 * ledger and base in pages. A page that the receiver has travels as its hash only. Petersen et al.,
 * SOSP'97 §3.4.
 */
import { invariant } from './error.js';
import type { BaseSnapshot, SnapshotPage } from './holder.js';
import type { SpaceId } from './ids.js';
import * as limits from './limits.js';
import type { Have, SpaceMessage } from './message.js';
import { ledgerPages } from './page.js';

export class TransferSender {
  readonly snapshot: BaseSnapshot;
  readonly #space: SpaceId;
  readonly #out: (message: SpaceMessage) => number;
  readonly #pages: Iterator<SnapshotPage>;
  #have: ReadonlySet<string> | undefined;
  #index = 0;
  #beats = 0;
  #isDone = false;

  constructor(
    space: SpaceId, snapshot: BaseSnapshot, out: (message: SpaceMessage) => number,
  ) {
    this.snapshot = snapshot;
    this.#space = space;
    this.#out = out;
    this.#pages = allPages(snapshot);
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  offer(): number {
    const { history, csn, at, lamport } = this.snapshot;
    return this.#out({ kind: 'transfer', space: this.#space, history, csn, at, lamport });
  }

  onHave(have: Have): void {
    if (have.csn === this.snapshot.csn) this.#have ??= new Set(have.hashes);
  }

  /**
   * The next page, or the end; its size returned. 0 while the receiver has not answered the offer.
   */
  step(): number {
    if (this.#have === undefined) return 0;
    const { csn } = this.snapshot;
    const next = this.#pages.next();
    if (next.done === true) {
      this.#isDone = true;
      return this.#out({ kind: 'transferred', space: this.#space, csn, pages: this.#index });
    }
    const { table, hash, rows } = next.value;
    const index = this.#index;
    this.#index += 1;
    invariant(index < limits.pagesPerTransferMax, 'a base has at most so many pages');
    const head = { kind: 'page', space: this.#space, csn, index, table, hash } as const;
    return this.#out(this.#have.has(hash) ? head : { ...head, rows });
  }

  /** At the pace of pings: an offer that got no answer may have been lost. */
  beat(): void {
    if (this.#have !== undefined) return;
    this.#beats += 1;
    if (this.#beats > 1) this.offer();
  }
}

function* allPages(snapshot: BaseSnapshot): Generator<SnapshotPage, void, undefined> {
  yield* ledgerPages(snapshot.ledger);
  const pages = snapshot.pages();
  for (let next = pages.next(); next.done !== true; next = pages.next()) yield next.value;
}
