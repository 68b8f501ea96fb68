/**
 * A person with the real SDK: appends and reads, one thing at a time, and keeps what was asked and
 * told. An append that is still open at the end is unknown; a read that failed never happened.
 */
import { memory, openReplica, server, type Replica, type Space } from '@oxbow/sdk/node';
import type { History } from '../checkers/history.js';
import type { ListInput, ListOutput } from '../checkers/model.js';
import { app } from './list-app.js';

export type ListHistory = History<ListInput, ListOutput>;

const KEYS = ['x', 'y', 'z'];
const READ_TIMEOUT_MS = 10_000;

export class Writer {
  readonly name: string;
  readonly #history: ListHistory;
  readonly #replica: Replica<typeof app>;
  readonly #space: Space<typeof app>;
  #count = 0;
  /** Values whose commit was told. */
  readonly committed: string[] = [];

  private constructor(
    name: string, history: ListHistory, replica: Replica<typeof app>, space: Space<typeof app>,
  ) {
    this.name = name;
    this.#history = history;
    this.#replica = replica;
    this.#space = space;
  }

  static async open(
    name: string, urls: readonly string[], history: ListHistory,
  ): Promise<Writer> {
    const replica = await openReplica({
      app, storage: memory(), sync: [server(urls, { token: `dev:${name}` })],
    });
    return new Writer(name, history, replica, await replica.open('faults'));
  }

  /** Resolves when its commit is known. */
  async append(): Promise<void> {
    const value = `${this.name}${++this.#count}`;
    const key = KEYS[this.#count % KEYS.length] ?? 'x';
    const operation = this.#history.asked(this.name, { kind: 'append', key, value });
    const outcome = await this.#space.mutate.append({ id: key, value }).until('committed');
    if (outcome.kind !== 'applied') throw new Error(`${value} ended as ${outcome.kind}`);
    operation.answered('ok');
    this.committed.push(value);
  }

  /** A linearizable read; one that could not be answered is no part of the history. */
  async read(): Promise<void> {
    const key = KEYS[this.#count % KEYS.length] ?? 'x';
    const operation = this.#history.asked(this.name, { kind: 'read', key });
    try {
      const list = await this.#space.read((tx) => tx.list.get(key), { timeoutMs: READ_TIMEOUT_MS });
      operation.answered((list?.values ?? []).join());
    } catch {
      // No leader in time: a read that was not answered changes nothing.
      operation.refused();
    }
  }

  /** What it holds as committed, all lists. */
  lists(): Record<string, readonly string[]> {
    const rows = this.#space.query((tx) => tx.list.all(), { view: 'committed' });
    return Object.fromEntries(rows.map(({ id, values }) => [id, values]));
  }

  async close(): Promise<void> {
    await this.#replica.close();
  }
}
