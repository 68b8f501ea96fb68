/**
 * Updates and reads of one space as a history of a list: an update appends its place in the order,
 * and a linearizable read tells how long the list was. Whether that can be is the checker's to say.
 */
import { updateKey, type UpdateId } from '@oxbow/sdk/protocol';
import { History, type OpenOperation, type Operation } from '../checkers/history.js';
import { checkLinearizable } from '../checkers/linearizability.js';
import { lists, type ListInput, type ListOutput } from '../checkers/model.js';
import { Violation, type Truth } from './checkers.js';

interface Written {
  readonly receipt: { readonly id: UpdateId };
}

type Asked = { readonly kind: 'read' } | { readonly kind: 'write'; readonly written: Written };

export class OrderHistory {
  readonly #history = new History<Asked, string>();
  readonly #open = new Map<object, OpenOperation<string>>();
  readonly #forgotten = new Set<object>();

  wrote(client: string, receipt: { readonly id: UpdateId }): void {
    this.#open.set(receipt, this.#history.asked(client, { kind: 'write', written: { receipt } }));
  }

  /** The author is told that it is committed. */
  settled(receipt: object): void {
    this.#open.get(receipt)?.answered('ok');
    this.#open.delete(receipt);
  }

  /**
   * The author is told that nobody knows what became of it: its store had forgotten which numbers
   * it had given out, and an entry under this id may be of another update.
   */
  forgotten(receipt: object): void {
    this.#forgotten.add(receipt);
  }

  /** Answered with the csn of the committed view. */
  read(client: string): OpenOperation<string> {
    return this.#history.asked(client, { kind: 'read' });
  }

  check(truth: Truth): void {
    const verdict = checkLinearizable(lists, this.#operations(truth));
    if (verdict.kind === 'linearizable') return;
    if (verdict.kind === 'gave-up') {
      throw new Error(`the history of a space is too hard to check: ${JSON.stringify(this.#operations(truth).map((o) => [o.input.kind, o.input.kind === 'append' ? o.input.value : o.output?.split(',').length, o.askedAt, o.answeredAt, o.output === undefined]))}`);
    }
    const shown = verdict.stuck.map((one) => JSON.stringify(one).slice(0, 300)).join('; ');
    throw new Violation('reads and updates are linearizable',
      `after ${verdict.longest.length} operations none of these fits: ${shown}`);
  }

  #operations(truth: Truth): Operation<ListInput, ListOutput>[] {
    const unwritten = new Set(truth.entries.map(({ csn }) => csn));
    const operations: Operation<ListInput, ListOutput>[] = [];
    for (const operation of this.#history.operations()) {
      const { input, output } = operation;
      if (input.kind === 'read') {
        if (output === undefined) continue;
        const seen = prefix(Number(output));
        operations.push({ ...operation, input: { kind: 'read', key: '' }, output: seen });
        continue;
      }
      if (this.#forgotten.has(input.written.receipt)) continue;
      const csn = truth.csnByUpdate.get(updateKey(input.written.receipt.id));
      // It never took effect, or came into the order under another id, which was followed no more.
      if (csn === undefined || !unwritten.delete(csn)) continue;
      operations.push({ ...operation, input: { kind: 'append', key: '', value: `${csn}` }, output });
    }
    for (const csn of unwritten) {
      operations.push({
        client: 'whoever', input: { kind: 'append', key: '', value: `${csn}` }, output: undefined,
        askedAt: -1, answeredAt: Infinity,
      });
    }
    // In the end somebody could read it all: that tells the search the place of every update.
    operations.push({
      client: 'whoever', input: { kind: 'read', key: '' }, output: prefix(truth.entries.length),
      askedAt: Number.MAX_SAFE_INTEGER - 1, answeredAt: Number.MAX_SAFE_INTEGER,
    });
    return operations;
  }
}

const prefix = (csn: number): string =>
  Array.from({ length: csn }, (_, index) => `${index + 1}`).join(',');
