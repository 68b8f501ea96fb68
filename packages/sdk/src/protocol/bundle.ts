/**
 * A space, or what has happened in it since a known point, as a file: the same messages that a link
 * would carry, one per line, between a header with the base that the reader must hold and a last
 * line that proves the file whole. Reading one twice is harmless, as hearing messages twice is.
 * Petersen et al., SOSP'97 §3.3 ("transportable media").
 */
import { fieldsOf, integer, spaceId, text as textField, BadField } from './check.js';
import { decodeMessage, encodeMessage, readSummary } from './codec.js';
import { OxbowError } from './error.js';
import { ExchangeReceiver } from './exchange-receiver.js';
import { ExchangeSender } from './exchange-sender.js';
import type { HolderSink, HolderSource } from './holder.js';
import type { SpaceId, Summary } from './ids.js';
import * as limits from './limits.js';
import type { Message, SpaceMessage } from './message.js';
import { checksum } from './page.js';
import { PageStaging } from './page-staging.js';
import type { Update } from './update.js';

const BUNDLE_VERSION = 1;
const NOTHING: Summary = { history: '', csn: 0, vector: {} };

export interface BundleHeader {
  readonly space: SpaceId;
  /** What a reader must hold at least. */
  readonly base: Summary;
  /** What a reader holds afterwards at least. */
  readonly summary: Summary;
}

export type BundleReader = Pick<HolderSource, 'summary' | 'settledSeq'> & HolderSink;

/**
 * All that a holder of `base` lacks, as text; without `base` for readers who hold nothing. A low
 * base serves many readers. Errors: `bundle-too-large`, `bundle-unavailable` when a needed snapshot
 * cannot be taken now.
 */
export function writeBundle(space: SpaceId, holder: HolderSource, base = NOTHING): string {
  const summary = holder.summary();
  const { messages, isWhole } = streamFrom(space, holder, base);
  const effective = isWhole ? { ...base, history: summary.history, csn: 0 } : base;
  const header = {
    oxbow: 'bundle', version: BUNDLE_VERSION, space, base: effective, summary,
  };
  const body = [JSON.stringify(header), ...messages, ''].join('\n');
  const last = JSON.stringify({ lines: messages.length + 1, checksum: checksum(body) });
  return `${body}${last}\n`;
}

/**
 * The header, after the whole file has been proved sound. Errors: `bad-bundle`,
 * `message-too-large`.
 */
export function readBundleHeader(text: string): BundleHeader {
  return headerOf(linesOf(text)[0] ?? '');
}

/**
 * Takes in what the reader lacks. Everything is checked before anything is handed on. `takes`: as a
 * link's `wants`. Errors: `bad-bundle` (damaged, or none), `bundle-gap` (the reader lacks the base,
 * or stands in another history), and what the holder refuses with.
 */
export function readBundle(
  text: string, reader: BundleReader, takes: 'all' | 'updates' = 'all',
): BundleHeader {
  const [first = '', ...rest] = linesOf(text);
  const header = headerOf(first);
  const messages = rest.map((line) => messageOf(line, header.space));
  mustHoldBase(header, reader, takes);
  hear(header, messages, { reader, takes });
  return header;
}

/** The updates in a file, whoever has them. Errors: `bad-bundle`. */
export function updatesIn(text: string): readonly Update[] {
  const [first = '', ...rest] = linesOf(text);
  const { space } = headerOf(first);
  return rest.flatMap((line) => {
    const message = messageOf(line, space);
    return message.kind === 'updates' ? message.updates : [];
  });
}

/** What a link would have sent, down to the last word. */
function streamFrom(
  space: SpaceId, holder: HolderSource, base: Summary,
): { messages: string[]; isWhole: boolean } {
  const messages: string[] = [];
  let chars = 0;
  let wholeAt: number | undefined;
  const out = (message: SpaceMessage): number => {
    if (message.kind === 'opened') return 1;
    const line = encodeMessage(message);
    chars += line.length;
    if (chars > limits.bundleCharsMax || messages.length > limits.bundleLinesMax) {
      throw new OxbowError(
        'bundle-too-large', 'Cannot write so large a bundle. Give a newer base.',
      );
    }
    messages.push(line);
    if (message.kind === 'transfer') wholeAt = message.csn;
    return line.length;
  };
  const sender = new ExchangeSender({
    space, holder, self: undefined, peer: undefined, isAuthority: true, out,
  });
  sender.onOpen({ kind: 'open', space, round: 1, wants: 'all', summary: base, settledSeq: 0 });
  sender.pump(1);
  if (wholeAt !== undefined) {
    sender.onHave({ kind: 'have', space, csn: wholeAt, hashes: [] });
    sender.changed();
  }
  sender.pump(Infinity);
  if (!sender.hasSaidAll) {
    throw new OxbowError(
      'bundle-unavailable', 'Cannot take a snapshot now. Try again in a moment.',
    );
  }
  return { messages, isWhole: wholeAt !== undefined };
}

/** All lines but the last, which proves them. */
function linesOf(text: string): string[] {
  if (text.length > limits.bundleCharsMax * 2) throw badBundle('it is too large');
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const body = text.slice(0, end);
  const lines = body.split('\n', limits.bundleLinesMax);
  lines.pop();
  const last = jsonOf(text.slice(end), 'last line', (value) => {
    const fields = fieldsOf(value, '');
    return {
      lines: integer(fields.lines, 'lines'),
      checksum: textField(fields.checksum, 'checksum', limits.hashCharsMax),
    };
  });
  if (last.lines !== lines.length) throw badBundle('lines are missing');
  if (last.checksum !== checksum(body)) throw badBundle('its contents were changed');
  return lines;
}

function headerOf(line: string): BundleHeader {
  return jsonOf(line, 'header', (value) => {
    const fields = fieldsOf(value, '');
    if (fields.oxbow !== 'bundle') throw new BadField('oxbow', 'does not say bundle');
    if (fields.version !== BUNDLE_VERSION) throw new BadField('version', 'is not known');
    return {
      space: spaceId(fields.space, 'space'),
      base: readSummary(fields.base),
      summary: readSummary(fields.summary),
    };
  });
}

const BUNDLED: readonly Message['kind'][] =
  ['updates', 'commits', 'transfer', 'page', 'transferred'];

function messageOf(line: string, space: SpaceId): SpaceMessage {
  let message: Message;
  try {
    message = decodeMessage(line);
  } catch (error) {
    throw badBundle('a line is no message', error);
  }
  if (!BUNDLED.includes(message.kind) || !('space' in message) || message.space !== space) {
    throw badBundle('a line does not belong');
  }
  // reason: the kinds in BUNDLED are kinds of a space; the compiler does not follow `includes`.
  return message as SpaceMessage;
}

function mustHoldBase(header: BundleHeader, reader: BundleReader, takes: string): void {
  const { base, summary } = header;
  const held = reader.summary();
  if (held.history !== '' && summary.history !== '' && held.history !== summary.history) {
    throw bundleGap('it counts in another history');
  }
  if (takes === 'all' && held.csn < base.csn) throw bundleGap(`it begins after csn ${base.csn}`);
  const updatesOnly = receiverOf(header, { reader, takes: 'updates' }, () => 0);
  if (updatesOnly.lacks(base)) throw bundleGap('it builds on updates not held here');
}

interface Hearing {
  readonly reader: BundleReader;
  readonly takes: 'all' | 'updates';
}

function hear(header: BundleHeader, messages: readonly SpaceMessage[], hearing: Hearing): void {
  const { space, summary } = header;
  const receiver = receiverOf(header, hearing, (message) => {
    if (message.kind === 'fail') {
      throw new OxbowError(message.code, `Cannot take the bundle: ${message.message}`);
    }
    if (message.kind === 'open' && message.round > 1) throw bundleGap('something in it is missing');
    return 0;
  });
  receiver.ask();
  receiver.onOpened({ kind: 'opened', space, round: 1, summary, settledSeq: 0, completion: 0 });
  const held = hearing.reader.summary();
  for (const message of messages) {
    if (message.kind === 'updates') receiver.onUpdates(message);
    else if (hearing.takes === 'all') hearCommitted(receiver, message, held);
  }
}

/** A base that is not newer than the reader's is passed over, and so are its pages. */
function hearCommitted(receiver: ExchangeReceiver, message: SpaceMessage, held: Summary): void {
  switch (message.kind) {
    case 'commits':
      return receiver.onCommits(message);
    case 'transfer':
      if (held.history === '' || message.csn > held.csn) receiver.onTransfer(message);
      return;
    case 'page':
      return receiver.onPage(message, 0);
    case 'transferred':
      return receiver.onTransferred(message);
  }
}

function receiverOf(
  { space }: BundleHeader, { reader, takes }: Hearing, out: (message: SpaceMessage) => number,
): ExchangeReceiver {
  return new ExchangeReceiver({
    space, holder: reader, wants: takes, peer: undefined, staging: new PageStaging(), out,
  });
}

function jsonOf<T>(line: string, what: string, read: (value: unknown) => T): T {
  try {
    return read(JSON.parse(line));
  } catch (error) {
    throw badBundle(`its ${what} is unreadable`, error);
  }
}

const badBundle = (why: string, cause?: unknown): OxbowError =>
  new OxbowError('bad-bundle', `Cannot read the bundle: ${why}. Export it again.`, { cause });

const bundleGap = (why: string): OxbowError =>
  new OxbowError('bundle-gap', `Cannot take the bundle: ${why}. Export one from an older base.`);
