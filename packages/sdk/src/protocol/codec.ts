/**
 * A message as the text of one frame, and back. What comes in is never trusted: `decodeMessage`
 * builds every message anew out of fields that it has checked, and whatever is wrong comes out as
 * one error with the path.
 */
import {
  BadField, fieldsOf, history, integer, keyString, linkUrl, list, name, replicaId, spaceId, text,
  vector, type Fields,
} from './check.js';
import { OxbowError } from './error.js';
import type { Summary } from './ids.js';
import * as limits from './limits.js';
import type {
  BarrierMessage, Fail, Hello, Message, Open, Opened, Page,
} from './message.js';
import {
  encodeEntry, encodeRows, encodeUpdate, parsed, readEntry, readMark, readRows, readUpdate,
  readUser,
} from './record-codec.js';

/** Errors: `bad-value`, `message-too-large`. */
export function encodeMessage(message: Message): string {
  const frame = frameText(message);
  if (frame.length > limits.frameCharsMax) {
    throw new OxbowError(
      'message-too-large',
      `Cannot send '${message.kind}': ${frame.length} chars where a frame takes ` +
        `${limits.frameCharsMax}. Write less at once.`,
    );
  }
  return frame;
}

/** Errors: `bad-message`, `message-too-large`. */
export function decodeMessage(frame: string): Message {
  return parsed(frame, 'frame', limits.frameCharsMax, readMessage);
}

function frameText(message: Message): string {
  switch (message.kind) {
    case 'updates':
      return `{"kind":"updates","space":${JSON.stringify(message.space)},` +
        `"updates":[${message.updates.map(encodeUpdate).join(',')}]}`;
    case 'commits':
      return `{"kind":"commits","space":${JSON.stringify(message.space)},` +
        `"history":${JSON.stringify(message.history)},` +
        `"entries":[${message.entries.map(encodeEntry).join(',')}]}`;
    case 'page':
      return pageText(message);
    default:
      return JSON.stringify(message);
  }
}

function pageText({ rows, ...head }: Page): string {
  const start = JSON.stringify(head);
  return rows === undefined ? start : `${start.slice(0, -1)},"rows":${encodeRows(rows)}}`;
}

function readMessage(value: unknown): Message {
  const fields = fieldsOf(value, 'frame');
  // reason: any value may stand here; the default branch refuses what is no kind.
  const kind = fields.kind as Message['kind'];
  switch (kind) {
    case 'updates':
      return {
        kind,
        space: spaceId(fields.space, 'space'),
        updates: list(fields.updates, 'updates', limits.updatesPerMessageMax, readUpdate),
      };
    case 'commits':
      return {
        kind,
        space: spaceId(fields.space, 'space'),
        history: history(fields.history, 'history'),
        entries: list(fields.entries, 'entries', limits.entriesPerMessageMax, readEntry),
      };
    case 'ack':
      return { kind, received: integer(fields.received, 'received') };
    case 'ping':
    case 'pong':
      return { kind };
    case 'page':
      return readPage(fields);
    case 'barrier':
    case 'barrier-at':
    case 'barrier-failed':
      return readBarrier(kind, fields);
    default:
      return readRareMessage(kind, fields);
  }
}

type Rare = Exclude<
  Message['kind'], 'updates' | 'commits' | 'ack' | 'ping' | 'pong' | 'page' | BarrierMessage['kind']
>;

function readRareMessage(kind: Rare, fields: Fields): Message {
  switch (kind) {
    case 'hello':
      return readHello(fields);
    case 'welcome':
      return {
        kind,
        version: integer(fields.version, 'version', 1),
        replica: replicaId(fields.replica, 'replica'),
        user: readUser(fields.user, 'user'),
      };
    case 'open':
      return readOpen(fields);
    case 'opened':
      return readOpened(fields);
    case 'transfer':
      return {
        kind,
        space: spaceId(fields.space, 'space'),
        history: history(fields.history, 'history'),
        csn: integer(fields.csn, 'csn'),
        at: integer(fields.at, 'at', 0, limits.atMax),
        lamport: integer(fields.lamport, 'lamport', 0, limits.lamportMax),
      };
    case 'have':
      return {
        kind,
        space: spaceId(fields.space, 'space'),
        csn: integer(fields.csn, 'csn'),
        hashes: list(fields.hashes, 'hashes', limits.pagesPerTransferMax, (item) => hash(item, '')),
      };
    case 'transferred':
      return {
        kind,
        space: spaceId(fields.space, 'space'),
        csn: integer(fields.csn, 'csn'),
        pages: integer(fields.pages, 'pages', 0, limits.pagesPerTransferMax),
      };
    case 'held':
      return {
        kind,
        space: spaceId(fields.space, 'space'),
        completion: integer(fields.completion, 'completion', 1),
      };
    case 'leave':
      return { kind, space: spaceId(fields.space, 'space') };
    case 'fail':
      return readFail(fields);
    default:
      return refuseKind(kind);
  }
}

/** The compiler holds that no kind was forgotten; a stranger may still name any. */
function refuseKind(kind: never): never {
  if (typeof kind !== 'string') throw new BadField('kind', 'is not a string');
  throw new BadField('kind', 'is not known');
}

function readHello(fields: Fields): Hello {
  const versions = list(fields.versions, 'versions', 2, (item) => integer(item, '', 1));
  const [oldest, newest] = versions;
  if (oldest === undefined || newest === undefined || oldest > newest) {
    throw new BadField('versions', 'is not a range');
  }
  const hello: Hello = {
    kind: 'hello',
    versions: [oldest, newest],
    app: name(fields.app, 'app', limits.nameCharsMax),
    appVersion: integer(fields.appVersion, 'appVersion'),
    replica: replicaId(fields.replica, 'replica'),
  };
  if (fields.token === undefined) return hello;
  return { ...hello, token: text(fields.token, 'token', limits.tokenCharsMax) };
}

function readOpen(fields: Fields): Open {
  const wants = fields.wants;
  if (wants !== 'all' && wants !== 'updates') {
    throw new BadField('wants', 'is neither all nor updates');
  }
  return {
    kind: 'open',
    space: spaceId(fields.space, 'space'),
    round: integer(fields.round, 'round', 1),
    wants,
    summary: readSummary(fields.summary),
    settledSeq: integer(fields.settledSeq, 'settledSeq'),
    ...(fields.newest === undefined ? {} : { newest: readMark(fields.newest) }),
  };
}

function readOpened(fields: Fields): Opened {
  return {
    kind: 'opened',
    space: spaceId(fields.space, 'space'),
    round: integer(fields.round, 'round', 1),
    summary: readSummary(fields.summary),
    settledSeq: integer(fields.settledSeq, 'settledSeq'),
    ...(fields.newest === undefined ? {} : { newest: readMark(fields.newest) }),
    completion: integer(fields.completion, 'completion'),
  };
}

function readPage(fields: Fields): Page {
  const page: Page = {
    kind: 'page',
    space: spaceId(fields.space, 'space'),
    csn: integer(fields.csn, 'csn'),
    index: integer(fields.index, 'index', 0, limits.pagesPerTransferMax - 1),
    // The empty name is the ledger's (see `LEDGER_TABLE`).
    table: fields.table === '' ? '' : name(fields.table, 'table', limits.tableCharsMax),
    hash: hash(fields.hash, 'hash'),
  };
  return fields.rows === undefined ? page : { ...page, rows: readRows(fields.rows, 'rows') };
}

function readBarrier(kind: BarrierMessage['kind'], fields: Fields): BarrierMessage {
  const space = spaceId(fields.space, 'space');
  const id = integer(fields.id, 'id', 1);
  switch (kind) {
    case 'barrier':
      return { kind, space, id };
    case 'barrier-at':
      return { kind, space, id, csn: integer(fields.csn, 'csn') };
    case 'barrier-failed':
      return { kind, space, id, code: text(fields.code, 'code', limits.codeCharsMax) };
  }
}

function readFail(fields: Fields): Fail {
  const fail: Fail = {
    kind: 'fail',
    code: text(fields.code, 'code', limits.codeCharsMax),
    message: text(fields.message, 'message', limits.textCharsMax),
    ...(fields.space === undefined ? {} : { space: spaceId(fields.space, 'space') }),
    ...(fields.sendingOnly === true ? { sendingOnly: true } : {}),
    ...(fields.redirect === undefined ? {} : { redirect: linkUrl(fields.redirect, 'redirect') }),
  };
  if (fields.retryMs === undefined) return fail;
  return { ...fail, retryMs: integer(fields.retryMs, 'retryMs') };
}

export function readSummary(value: unknown): Summary {
  const fields = fieldsOf(value, 'summary');
  const summary: Summary = {
    history: history(fields.history, 'summary.history'),
    csn: integer(fields.csn, 'summary.csn'),
    vector: vector(fields.vector, 'summary.vector'),
  };
  if (summary.history === '' && summary.csn > 0) {
    throw new BadField('summary.history', 'is empty although something is committed');
  }
  return summary;
}

function hash(value: unknown, path: string): string {
  const string = keyString(value, path, limits.hashCharsMax);
  if (string === '') throw new BadField(path, 'is empty');
  return string;
}

