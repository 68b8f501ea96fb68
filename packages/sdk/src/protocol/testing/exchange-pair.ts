/** Two exchanges with a wire between them that a test reads along, cuts, or disturbs. */
import {
  decodeMessage, encodeMessage, Exchange, PageStaging,
  type Fail, type SpaceId, type SpaceMessage, type Wants,
} from '../index.js';
import type { NaiveHolder } from './naive-holder.js';

// reason: tests name their space.
export const SPACE = 'room' as SpaceId;

export interface Side {
  readonly name: string;
  readonly holder: NaiveHolder;
  readonly wants: Wants;
  readonly staging: PageStaging;
}

export const side = (name: string, holder: NaiveHolder, wants: Wants = 'all'): Side =>
  ({ name, holder, wants, staging: new PageStaging() });

interface Frame {
  readonly to: Exchange;
  readonly text: string;
}

export class ExchangePair {
  readonly left: Exchange;
  readonly right: Exchange;
  /** In flight, in order of sending. */
  readonly wire: Frame[] = [];
  readonly trace: string[] = [];
  readonly fails: Fail[] = [];
  messages = 0;

  readonly #print: (line: string) => void;
  readonly #toLose = new Map<string, number>();

  constructor(left: Side, right: Side, print: (line: string) => void = () => undefined) {
    this.#print = print;
    this.left = this.#exchange(left, right, () => this.right);
    this.right = this.#exchange(right, left, () => this.left);
  }

  #exchange(own: Side, other: Side, to: () => Exchange): Exchange {
    return new Exchange({
      space: SPACE, holder: own.holder, wants: own.wants, staging: own.staging,
      self: own.holder.self, peer: other.holder.self,
      out: (message) => {
        const text = encodeMessage(message);
        const toLose = this.#toLose.get(own.name) ?? 0;
        const line = `${own.name} > ${other.name}  ${said(message)}${toLose > 0 ? '  (lost)' : ''}`;
        this.trace.push(line);
        this.#print(line);
        this.messages += 1;
        if (toLose > 0) this.#toLose.set(own.name, toLose - 1);
        else this.wire.push({ to: to(), text });
        return text.length;
      },
      failed: (fail) => this.fails.push(fail),
    });
  }

  /** The next frames of a side never arrive. */
  lose(name: string, count: number): void {
    this.#toLose.set(name, count);
  }

  start(): void {
    this.left.start();
    this.right.start();
  }

  pump(budgetChars = Infinity): void {
    this.left.pump(budgetChars);
    this.right.pump(budgetChars);
  }

  deliver(frame: Frame | undefined): void {
    if (frame === undefined) return;
    const message = decodeMessage(frame.text);
    // reason: only exchanges put frames on this wire.
    frame.to.onMessage(message as SpaceMessage, frame.text.length);
  }

  /** Until nothing is left to say. */
  run(): void {
    for (this.pump(); this.wire.length > 0; this.pump()) {
      if (this.messages > 10_000) {
        throw new Error(`The exchange does not end:\n${this.trace.slice(-14).join('\n')}`);
      }
      this.deliver(this.wire.shift());
    }
  }

  news(): void {
    this.left.changed();
    this.right.changed();
    this.run();
  }

  beat(): void {
    this.left.beat();
    this.right.beat();
    this.run();
  }
}

const ids = (items: readonly { id: { replica: string; seq: number }; body?: unknown }[]): string =>
  items.map(({ id }) => `${id.replica}/${id.seq}`).join(' ');

const heads = (vector: Readonly<Record<string, number>>): string =>
  Object.entries(vector).sort().map(([of, seq]) => ` ${of}/${seq}`).join('');

/** A message as a line that a stranger can read. */
export function said(message: SpaceMessage): string {
  switch (message.kind) {
    case 'open': {
      const { wants, summary: { history, csn, vector }, settledSeq } = message;
      const settled = settledSeq > 0 ? ` settled ${settledSeq}` : '';
      return `open ${wants} history ${history || '-'} csn ${csn}${heads(vector)}${settled}`;
    }
    case 'opened': {
      const { summary: { history, csn, vector }, settledSeq, completion } = message;
      const settled = settledSeq > 0 ? ` settled ${settledSeq}` : '';
      const word = completion > 0 ? 'complete' : 'opened';
      return `${word} history ${history || '-'} csn ${csn}${heads(vector)}${settled}`;
    }
    case 'held':
      return 'held';
    case 'updates':
      return `updates ${ids(message.updates)}`;
    case 'commits':
      return `commits ${message.entries.map((entry) =>
        `${entry.csn}=${ids([entry])}${entry.body === undefined ? '' : '+body'}`).join(' ')}`;
    case 'transfer':
      return `transfer history ${message.history} csn ${message.csn}`;
    case 'have':
      return `have ${message.hashes.length} pages`;
    case 'page': {
      const what = message.rows === undefined ? 'skipped' : `${message.rows.length} rows`;
      return `page ${message.index} ${message.table || '(ledger)'} ${what}`;
    }
    case 'transferred':
      return `transferred ${message.pages} pages`;
    case 'leave':
      return 'leave';
    case 'fail':
      return `fail ${message.code}`;
  }
}
