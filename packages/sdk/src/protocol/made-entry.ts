/**
 * A commit entry where it is made. A primary needs its text at once and several times: for the log,
 * for the author (who holds the body), for the state. Ten thousand a second would be a burden to
 * the WeakMap that remembers other objects' texts: so the entry keeps its own.
 */
import type { AppliedEntry, AppliedRow } from './applied-entry.js';
import { invariant, OxbowError } from './error.js';
import * as limits from './limits.js';
import { bareText, encodeRow, OWN_BARE, OWN_TEXT, withBody } from './record-codec.js';
import type { CommitEntry, Effect, KeyText, UpdateBody } from './update.js';

export interface Decided extends CommitEntry {
  readonly body: UpdateBody;
}

/** Its texts throw `bad-value` and `message-too-large`, as `encodeEntry` does. */
export class MadeEntry implements CommitEntry {
  readonly csn: number;
  readonly at: number;
  readonly id: CommitEntry['id'];
  readonly lamport: number;
  readonly user: string | null;
  readonly outcome: CommitEntry['outcome'];
  readonly effects: readonly Effect[];
  readonly body: UpdateBody;
  #text: string | undefined;
  /** Of the text without the body and what closes it. */
  #bareChars = 0;

  constructor({ csn, at, id, lamport, user, outcome, effects, body }: Decided) {
    this.csn = csn;
    this.at = at;
    this.id = id;
    this.lamport = lamport;
    this.user = user;
    this.outcome = outcome;
    this.effects = effects;
    this.body = body;
  }

  get [OWN_TEXT](): string {
    this.#text ??= this.#encoded();
    return this.#text;
  }

  get [OWN_BARE](): CommitEntry {
    return new BareEntry(this, `${this[OWN_TEXT].slice(0, this.#bareChars)}}`);
  }

  get applied(): AppliedEntry {
    const { csn, at, lamport, id: { replica, seq }, user, body, effects } = this;
    const ledgerLine = { replica, seq, user, lamport, madeAt: body.at };
    const rows = effects.map((effect) => new ChangedRow(effect));
    return { csn, at, lamport, ledgerLine, rows, text: this[OWN_TEXT] };
  }

  #encoded(): string {
    const bare = bareText({ ...this, madeAt: this.body.at });
    this.#bareChars = bare.length - 1;
    const text = flat(withBody(this.body, bare));
    if (text.length <= limits.entryCharsMax) return text;
    throw new OxbowError(
      'message-too-large',
      `Cannot encode ${text.length} chars where at most ${limits.entryCharsMax} may travel. ` +
        'Write less at once.',
    );
  }
}

class BareEntry implements CommitEntry {
  readonly csn: number;
  readonly at: number;
  readonly id: CommitEntry['id'];
  readonly lamport: number;
  readonly user: string | null;
  readonly outcome: CommitEntry['outcome'];
  readonly effects: readonly Effect[];
  readonly madeAt: number;
  readonly #text: string;

  constructor({ csn, at, id, lamport, user, outcome, effects, body }: MadeEntry, text: string) {
    this.csn = csn;
    this.at = at;
    this.id = id;
    this.lamport = lamport;
    this.user = user;
    this.outcome = outcome;
    this.effects = effects;
    this.madeAt = body.at;
    this.#text = text;
  }

  get [OWN_TEXT](): string {
    return this.#text;
  }
}

/** Many a row is changed again before a store writes it: its text is made when it is wanted. */
class ChangedRow implements AppliedRow {
  readonly #effect: Effect;

  constructor(effect: Effect) {
    this.#effect = effect;
  }

  get table(): string {
    return this.#effect.table;
  }

  get key(): KeyText {
    return this.#effect.key;
  }

  get text(): string | null {
    const { key, row } = this.#effect;
    return row === null ? null : encodeRow([key, row]);
  }
}

/**
 * A text that is put together stays a tree of its pieces until somebody looks into it; this one
 * waits for the disk, and dozens of pieces would outlive the collections that they should not.
 */
function flat(text: string): string {
  invariant(text.charCodeAt(0) === OPENING_BRACE, 'an entry is an object');
  return text;
}

const OPENING_BRACE = 0x7b;
