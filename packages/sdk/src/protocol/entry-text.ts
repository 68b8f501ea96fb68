/**
 * What a state needs of a commit entry, read off its text. A node that follows another takes tens
 * of thousands of entries a second only to keep them: their text, and the text of each row that
 * they changed. To parse them, check every field and write the same text again costs more than
 * deciding them did. The text of an entry is always ours, in one order of fields (record-codec.ts),
 * so what is wanted can be cut out of it. A text that is not as expected is read in the plain way.
 */
import type { AppliedEntry, AppliedRow } from './applied-entry.js';
import { isReplicaId } from './check.js';
import { ledgerLineOf } from './ledger-line.js';
import { MadeEntry } from './made-entry.js';
import { decodeEntry, encodeEntry, encodeRow, OWN_TEXT } from './record-codec.js';
import { TextScan, UNEXPECTED } from './text-scan.js';
import type { CommitEntry } from './update.js';

/** Errors: `bad-value` never for what was encoded before. */
export function appliedEntry(entry: CommitEntry): AppliedEntry {
  if (entry instanceof TextEntry || entry instanceof MadeEntry) return entry.applied;
  return scanned(encodeEntry(entry)) ?? applied(entry);
}

/**
 * An entry that is decoded when somebody looks into it, which a node that follows never does.
 * Errors: `bad-message`.
 */
export function entryOfText(text: string): CommitEntry {
  const found = scanned(text);
  return found === undefined ? decodeEntry(text) : new TextEntry(found);
}

class TextEntry implements CommitEntry {
  readonly applied: AppliedEntry;
  #whole: CommitEntry | undefined;

  constructor(applied: AppliedEntry) {
    this.applied = applied;
  }

  get [OWN_TEXT](): string {
    return this.applied.text;
  }

  get csn(): number {
    return this.applied.csn;
  }

  get at(): number {
    return this.applied.at;
  }

  get lamport(): number {
    return this.applied.lamport;
  }

  get id(): CommitEntry['id'] {
    return this.applied.ledgerLine;
  }

  get user(): string | null {
    return this.applied.ledgerLine.user;
  }

  get outcome(): CommitEntry['outcome'] {
    return this.#decoded().outcome;
  }

  get effects(): CommitEntry['effects'] {
    return this.#decoded().effects;
  }

  get body(): NonNullable<CommitEntry['body']> {
    // reason: a getter cannot leave a field out; who asks for one that is not there gets undefined,
    // as from a plain entry.
    return this.#decoded().body as NonNullable<CommitEntry['body']>;
  }

  get madeAt(): number {
    // reason: as above.
    return this.#decoded().madeAt as number;
  }

  #decoded(): CommitEntry {
    this.#whole ??= decodeEntry(this.applied.text);
    return this.#whole;
  }
}

function applied(entry: CommitEntry): AppliedEntry {
  const { csn, at, lamport, effects } = entry;
  const rows = effects.map(({ table, key, row }) =>
    ({ table, key, text: row === null ? null : encodeRow([key, row]) }));
  return { csn, at, lamport, ledgerLine: ledgerLineOf(entry), rows, text: encodeEntry(entry) };
}

/** Undefined: not as we write it. Also where something is wrong; the plain way finds out what. */
function scanned(text: string): AppliedEntry | undefined {
  try {
    return scan(new TextScan(text), text);
  } catch (error) {
    if (error === UNEXPECTED) return undefined;
    throw error;
  }
}

function scan(from: TextScan, text: string): AppliedEntry {
  const csn = from.after('{"csn":').integer();
  const at = from.after(',"at":').integer();
  const replica = from.after(',"id":{"replica":').string();
  const seq = from.after(',"seq":').integer();
  const lamport = from.after('},"lamport":').integer();
  const user = from.after(',"user":').stringOrNull();
  from.after(',"outcome":').skip();
  const rows = scanRows(from.after(',"effects":['));
  const madeAt = from.after(',"madeAt":').integer();
  // The body is kept as it is: nothing in it concerns the state.
  if (!from.isAt(',"body":{')) from.after('}').end();
  else if (!text.endsWith('}}')) throw UNEXPECTED;
  if (!isReplicaId(replica) || csn < 1 || seq < 1 || lamport < 1) throw UNEXPECTED;
  const ledgerLine = { replica, seq, user, lamport, madeAt };
  return { csn, at, lamport, ledgerLine, rows, text };
}

function scanRows(from: TextScan): AppliedRow[] {
  const rows: AppliedRow[] = [];
  while (!from.isAt(']')) {
    if (rows.length > 0) from.after(',');
    rows.push(scanRow(from));
  }
  from.after(']');
  return rows;
}

function scanRow(from: TextScan): AppliedRow {
  const table = from.after('{"table":').string();
  from.after(',"key":');
  const keyText = from.skip();
  const key = from.lastString();
  from.after(',"row":');
  if (from.isAt('null}')) {
    from.after('null}');
    return { table, key, text: null };
  }
  const json = from.skip();
  if (from.isAt('}')) {
    from.after('}');
    return { table, key, text: `[${keyText},${json}]` };
  }
  const meta = from.after(',"rowMeta":').skip();
  from.after('}');
  return { table, key, text: `[${keyText},${json},${meta}]` };
}
