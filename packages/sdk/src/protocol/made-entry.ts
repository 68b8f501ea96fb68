/**
 * A commit entry where it is made. A primary needs its text at once and several times: for the log,
 * for the author (who holds the body), for the state, row by row. Ten thousand a second would be a
 * burden to the WeakMap that remembers other objects' texts, and reading the rows out of the text
 * again costs what writing it did: so the entry keeps its own texts, all made in one go.
 */
import type { AppliedEntry, AppliedRow } from './applied-entry.js';
import { invariant, OxbowError } from './error.js';
import * as limits from './limits.js';
import { bareText, encodeRow, OWN_BARE, OWN_TEXT, withBody } from './record-codec.js';
import type { CommitEntry, Effect, UpdateBody } from './update.js';

export interface Decided extends CommitEntry {
  readonly body: UpdateBody;
}

interface Texts {
  readonly whole: string;
  readonly bare: string;
  readonly rows: readonly AppliedRow[];
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
  #texts: Texts | undefined;

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
    this.#texts ??= textsOf(this);
    return this.#texts.whole;
  }

  get [OWN_BARE](): CommitEntry {
    this.#texts ??= textsOf(this);
    return new BareEntry(this, this.#texts.bare);
  }

  get applied(): AppliedEntry {
    this.#texts ??= textsOf(this);
    const { csn, at, lamport, id: { replica, seq }, user, body } = this;
    const ledgerLine = { replica, seq, user, lamport, madeAt: body.at };
    return { csn, at, lamport, ledgerLine, rows: this.#texts.rows, text: this.#texts.whole };
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

function textsOf(entry: MadeEntry): Texts {
  const { effects, body } = entry;
  const bare = bareText({ ...entry, madeAt: body.at });
  const whole = flat(withBody(body, bare));
  if (whole.length > limits.entryCharsMax) {
    throw new OxbowError(
      'message-too-large',
      `Cannot encode ${whole.length} chars where at most ${limits.entryCharsMax} may travel. ` +
        'Write less at once.',
    );
  }
  const rows = effects.map(({ table, key, row }): AppliedRow =>
    ({ table, key, text: row === null ? null : encodeRow([key, row]) }));
  return { whole, bare, rows };
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
