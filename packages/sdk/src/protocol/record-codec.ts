/**
 * Updates and commit entries as text: in messages, in storage and in the server's log, always the
 * same bytes. A commit fans out to many links, so the text of each object is made once and
 * remembered; that is sound because both are never changed after they were made.
 */
import {
  BadField, fieldsOf, integer, keyString, list, name, replicaId, text, vector,
  type Fields,
} from './check.js';
import { OxbowError } from './error.js';
import type { ReplicaId, UpdateId } from './ids.js';
import * as limits from './limits.js';
import type { PageRow } from './message.js';
import type {
  CommitEntry, Effect, LedgerLine, Mark, Needs, Outcome, Row, Update, UpdateBody,
} from './update.js';
import { decodeValue, encodeValue, isPlain, valueFields } from './value.js';

const texts = new WeakMap<object, string>();
/**
 * Where an entry that was made of its text has it: ten thousand a second would be a burden to a
 * WeakMap.
 */
export const OWN_TEXT: unique symbol = Symbol('own text');
/** The same entry without its body. */
export const OWN_BARE: unique symbol = Symbol('own bare entry');
const bareEntries = new WeakMap<CommitEntry, CommitEntry>();

/** Text of an update, at most `limits.updateCharsMax`. Errors: `bad-value`, `message-too-large`. */
export function encodeUpdate(update: Update): string {
  return remembered(update, limits.updateCharsMax, updateText);
}

/** Text of an entry, at most `limits.entryCharsMax`. Errors: `bad-value`, `message-too-large`. */
export function encodeEntry(entry: CommitEntry & { readonly [OWN_TEXT]?: string }): string {
  return entry[OWN_TEXT] ?? remembered(entry, limits.entryCharsMax, entryText);
}

/** The entry without its body; its text is made once, too. */
export function bareEntry(entry: CommitEntry & { readonly [OWN_BARE]?: CommitEntry }): CommitEntry {
  const own = entry[OWN_BARE];
  if (own !== undefined) return own;
  if (entry.body === undefined) return entry;
  let bare = bareEntries.get(entry);
  if (bare === undefined) {
    const { csn, at, id, lamport, user, outcome, effects, body } = entry;
    bare = { csn, at, id, lamport, user, outcome, effects, madeAt: body.at };
    bareEntries.set(entry, bare);
  }
  return bare;
}


/** Rows of a page as text: `[[key,row],[key,row,meta],…]`. */
export const encodeRows = (rows: readonly PageRow[]): string => ofLines(rowLines(rows));

/** The same, a line for each row: there is no line end within JSON. */
export const rowLines = (rows: readonly PageRow[]): string =>
  remembered(rows, Infinity, (all) => all.map(encodeRow).join('\n'));

/** From lines to the text. */
export const ofLines = (lines: string): string => `[${lines.replaceAll('\n', ',')}]`;

/** For who made the text row by row already. */
export function rememberRowLines(rows: readonly PageRow[], lines: string): void {
  texts.set(rows, lines);
}

export function encodeRow([key, row]: PageRow): string {
  const { json, meta } = encodeValue(row);
  return meta === undefined
    ? `[${JSON.stringify(key)},${json}]`
    : `[${JSON.stringify(key)},${json},${meta}]`;
}

/** Errors: `bad-message`. */
export const decodeUpdate = (string: string): Update =>
  parsed(string, 'update', limits.updateCharsMax, readUpdate);

/** Errors: `bad-message`. */
export const decodeEntry = (string: string): CommitEntry =>
  parsed(string, 'entry', limits.entryCharsMax, readEntry);

/** Errors: `bad-message`. */
export const decodeRows = (string: string): PageRow[] =>
  parsed(string, 'rows', limits.frameCharsMax, (value) => readRows(value, ''));

/** Parses and reads; whatever is wrong comes out as one `bad-message` that says where. */
export function parsed<T>(
  string: string, what: string, charsMax: number, read: (value: unknown) => T,
): T {
  if (string.length > charsMax) {
    throw new OxbowError(
      'message-too-large',
      `Cannot read ${what}: ${string.length} chars where at most ${charsMax} are taken. ` +
        'Send less at once.',
    );
  }
  try {
    return read(JSON.parse(string));
  } catch (error) {
    if (!(error instanceof BadField) && !(error instanceof SyntaxError)) throw error;
    throw new OxbowError(
      'bad-message',
      `Cannot read ${what}: ${error.message}. ` +
        'The other side is broken, or speaks another protocol.',
      { cause: error },
    );
  }
}

function remembered<T extends object>(
  thing: T, charsMax: number, make: (thing: T) => string,
): string {
  let string = texts.get(thing);
  if (string === undefined) {
    string = make(thing);
    if (string.length > charsMax) {
      throw new OxbowError(
        'message-too-large',
        `Cannot encode ${string.length} chars where at most ${charsMax} may travel. ` +
          'Write less at once.',
      );
    }
    texts.set(thing, string);
  }
  return string;
}

/**
 * The text alone, made and forgotten: for a disk, as to remember it takes as long as to make it.
 * All plain: one call of the platform's own encoder, several times faster than the pieces.
 */
export function updateText(update: Update): string {
  const { id, lamport } = update;
  if (isPlain(update.args)) return JSON.stringify({ id: idOf(id), lamport, ...bodyOf(update) });
  return `{"id":${idText(id)},"lamport":${lamport},${bodyFields(update)}}`;
}

/**
 * The bare text with the body let in: whoever settles an update needs both, and each is made once.
 */
const entryText = (entry: CommitEntry): string =>
  withBody(entry.body, remembered(bareEntry(entry), limits.entryCharsMax, bareText));

/** The text alone, as `updateText`. */
export const entryTextAlone = (entry: CommitEntry & { readonly [OWN_TEXT]?: string }): string =>
  entry[OWN_TEXT] ?? withBody(entry.body, bareText({ madeAt: entry.body?.at, ...entry }));

export const withBody = (body: UpdateBody | undefined, bare: string): string =>
  body === undefined ? bare : `${bare.slice(0, -1)},"body":${bodyText(body)}}`;

const bodyText = (body: UpdateBody): string =>
  isPlain(body.args) ? JSON.stringify(bodyOf(body)) : `{${bodyFields(body)}}`;

type BareFields = Omit<CommitEntry, 'body' | 'madeAt'> & { readonly madeAt?: number | undefined };

/** The fields in the order in which the text has them, whatever order they were made in. */
export function bareText(fields: BareFields): string {
  const { csn, at, id, lamport, user, outcome, effects, madeAt } = fields;
  if (isPlainOutcome(outcome) && effects.every(({ row }) => isPlain(row))) {
    return JSON.stringify({
      csn, at, id: idOf(id), lamport, user, outcome: outcomeOf(outcome),
      effects: effects.map(effectOf), madeAt,
    });
  }
  return `{"csn":${csn},"at":${at},"id":${idText(id)},"lamport":${lamport},` +
    `"user":${JSON.stringify(user)},"outcome":${outcomeText(outcome)},` +
    `"effects":[${effects.map(effectText).join(',')}]` +
    `${madeAt === undefined ? '' : `,"madeAt":${madeAt}`}}`;
}

const isPlainOutcome = (outcome: Outcome): boolean =>
  outcome.kind !== 'rejected' || isPlain(outcome.detail);

const idOf = ({ replica, seq }: UpdateId): UpdateId => ({ replica, seq });
const bodyOf = (body: UpdateBody): UpdateBody => {
  const { context, name, version, at, args, formerly, needs, app } = body;
  return { context, name, version, at, args, formerly: formerly && idOf(formerly), needs, app };
};
const effectOf = ({ table, key, row }: Effect): Effect => ({ table, key, row });

function outcomeOf(outcome: Outcome): Outcome {
  if (outcome.kind !== 'rejected') return outcome;
  return { kind: outcome.kind, code: outcome.code, detail: outcome.detail };
}

const idText = (id: UpdateId): string => `{"replica":"${id.replica}","seq":${id.seq}}`;

function bodyFields(body: UpdateBody): string {
  const { context, name, version, at, args, formerly, needs, app } = body;
  return `"context":${JSON.stringify(context)},"name":${JSON.stringify(name)},` +
    `"version":${version},"at":${at}${valueFields('args', args)}` +
    `${formerly === undefined ? '' : `,"formerly":${idText(formerly)}`}` +
    `${needs === undefined ? '' : `,"needs":${JSON.stringify(needs)}`}` +
    `${app === undefined ? '' : `,"app":${app}`}`;
}

function outcomeText(outcome: Outcome): string {
  if (outcome.kind !== 'rejected') return JSON.stringify(outcome);
  return `{"kind":"rejected","code":${JSON.stringify(outcome.code)}` +
    `${valueFields('detail', outcome.detail)}}`;
}

function effectText(effect: Effect): string {
  return `{"table":${JSON.stringify(effect.table)},"key":${JSON.stringify(effect.key)}` +
    `${valueFields('row', effect.row)}}`;
}

export function readUpdate(value: unknown): Update {
  const fields = fieldsOf(value, '');
  return {
    id: readId(fields.id, 'id'),
    lamport: integer(fields.lamport, 'lamport', 1, limits.lamportMax),
    ...readBody(fields, ''),
  };
}

export function readEntry(value: unknown): CommitEntry {
  const fields = fieldsOf(value, '');
  const entry: CommitEntry = {
    csn: integer(fields.csn, 'csn', 1),
    at: integer(fields.at, 'at', 0, limits.atMax),
    id: readId(fields.id, 'id'),
    lamport: integer(fields.lamport, 'lamport', 1, limits.lamportMax),
    user: readUser(fields.user, 'user'),
    outcome: readOutcome(fields.outcome),
    effects: list(fields.effects, 'effects', limits.effectsPerEntryMax, readEffect),
  };
  if (fields.body === undefined) {
    if (fields.madeAt === undefined) return entry;
    return { ...entry, madeAt: integer(fields.madeAt, 'madeAt', 0, limits.atMax) };
  }
  return { ...entry, body: readBody(fieldsOf(fields.body, 'body'), 'body.') };
}

function readId(value: unknown, path: string): UpdateId {
  const fields = fieldsOf(value, path);
  return {
    replica: replicaId(fields.replica, `${path}.replica`),
    seq: integer(fields.seq, `${path}.seq`, 1),
  };
}

function readBody(fields: Fields, at: string): UpdateBody {
  const context = fieldsOf(fields.context, `${at}context`);
  const body: UpdateBody = {
    context: {
      csn: integer(context.csn, `${at}context.csn`),
      vector: vector(context.vector, `${at}context.vector`),
    },
    name: name(fields.name, `${at}name`, limits.nameCharsMax),
    version: integer(fields.version, `${at}version`),
    args: decodeValue(fields.args, fields.argsMeta, `${at}args`),
    at: integer(fields.at, `${at}at`, 0, limits.atMax),
  };
  const { formerly, needs, app } = fields;
  if (formerly === undefined && needs === undefined && app === undefined) return body;
  return {
    ...body,
    ...(formerly !== undefined && { formerly: readId(formerly, `${at}formerly`) }),
    ...(needs !== undefined && { needs: readNeeds(needs, `${at}needs`) }),
    ...(app !== undefined && { app: integer(app, `${at}app`, 1) }),
  };
}

function readNeeds(value: unknown, path: string): Needs {
  const { policy, seqs: given, undoes } = fieldsOf(value, path);
  if (policy !== 'reject' && policy !== 'review') throw new BadField(path, 'has no policy');
  const found = fieldsOf(given, path);
  const seqs: Record<ReplicaId, number[]> = {};
  let room: number = limits.needsMax;
  for (const replica in found) {
    const of = list(found[replica], path, room, (seq) => integer(seq, '', 1));
    room -= Math.max(1, of.length);
    if (room < 0) throw new BadField(path, 'names too many updates');
    seqs[replicaId(replica, path)] = of;
  }
  const needs: Needs = { policy, seqs };
  return undoes === undefined ? needs : { ...needs, undoes: readId(undoes, path) };
}

function readOutcome(value: unknown): Outcome {
  const fields = fieldsOf(value, 'outcome');
  switch (fields.kind) {
    case 'applied':
      return { kind: 'applied' };
    case 'merged':
      return { kind: 'merged' };
    case 'alternative':
      return { kind: 'alternative', index: integer(fields.index, 'outcome.index') };
    case 'rejected': {
      const code = text(fields.code, 'outcome.code', limits.codeCharsMax);
      const detail = decodeValue(fields.detail, fields.detailMeta, 'outcome.detail');
      return detail === undefined ? { kind: 'rejected', code } : { kind: 'rejected', code, detail };
    }
    default:
      throw new BadField('outcome.kind', 'is not an outcome');
  }
}

function readEffect(value: unknown): Effect {
  const fields = fieldsOf(value, '');
  const table = name(fields.table, 'table', limits.tableCharsMax);
  const key = keyString(fields.key, 'key', limits.keyCharsMax);
  const row = fields.row === null ? null : readRow(fields.row, fields.rowMeta, 'row');
  return { table, key, row };
}

function readRow(json: unknown, meta: unknown, path: string): Row {
  fieldsOf(json, path);
  // A meta at the row's own place would make it something else than a record.
  return fieldsOf(decodeValue(json, meta, path), path);
}

export function readRows(value: unknown, path: string): PageRow[] {
  return list(value, path, limits.rowsPerPageMax, (item): PageRow => {
    if (!Array.isArray(item) || item.length < 2 || item.length > 3) {
      throw new BadField('', 'is not a row');
    }
    const key = keyString(item[0], '[0]', limits.keyCharsMax);
    return [key, readRow(item[1], item[2], '[1]')];
  });
}

export function readUser(value: unknown, path: string): string | null {
  return value === null ? null : text(value, path, limits.userCharsMax);
}

export function readLedgerLine(value: unknown): LedgerLine {
  const fields = fieldsOf(value, '');
  const line: LedgerLine = {
    replica: replicaId(fields.replica, 'replica'),
    seq: integer(fields.seq, 'seq', 1),
    user: readUser(fields.user, 'user'),
  };
  return fields.lamport === undefined ? line : { ...line, ...readMark(value) };
}

export function readMark(value: unknown): Mark {
  const fields = fieldsOf(value, '');
  return {
    seq: integer(fields.seq, 'seq', 1),
    lamport: integer(fields.lamport, 'lamport', 1, limits.lamportMax),
    madeAt: integer(fields.madeAt, 'madeAt', 0, limits.atMax),
  };
}

