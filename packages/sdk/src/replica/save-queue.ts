/**
 * Group commit of a replica. Whatever changes within a turn joins one write; one write is under way
 * at a time, and what changes meanwhile shares the next. A failed write is tried again, unchanged
 * and before anything later: the log on disk never has a hole. Until then what it holds is not
 * saved, whatever memory says.
 */
import { type OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';
import { Backoff } from './backoff.js';
import type { PersistOp, ReplicaEffects, Token } from './effects.js';

/** What belongs together: on disk all of it or nothing. */
export interface Change {
  readonly ops: readonly PersistOp[];
  /** Called in the turn in which the write has completed, after those of earlier changes. */
  readonly saved: (() => void) | undefined;
}

export interface SaveQueueConfig {
  readonly out: Pick<ReplicaEffects, 'persist' | 'report'>;
  readonly nextNumber: () => number;
  readonly random: () => number;
  /**
   * What has changed since the last call, about so many operations at most; empty when nothing has.
   */
  readonly gather: (opsTarget: number) => readonly Change[];
}

export class SaveQueue {
  readonly #config: SaveQueueConfig;
  readonly #backoff: Backoff;
  /** The write under way, or the one to be repeated. */
  #batch: readonly Change[] = [];
  #token: Token | undefined;
  #retryAtMs: number | undefined;
  #error: OxbowError | undefined;

  constructor(config: SaveQueueConfig) {
    this.#config = config;
    const bounds = { baseMs: limits.persistRetryMsMin, maxMs: limits.persistRetryMsMax };
    this.#backoff = new Backoff(bounds, config.random);
  }

  /** Why writing fails at present; undefined while it works. */
  get error(): OxbowError | undefined {
    return this.#error;
  }

  /** No write is under way, and none waits to be repeated. */
  get isIdle(): boolean {
    return this.#batch.length === 0;
  }

  get deadlineMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** Starts the next write unless one is under way or waits to be repeated. */
  flush(): void {
    if (!this.isIdle) return;
    this.#batch = this.#config.gather(limits.persistOpsTarget);
    if (!this.isIdle) this.#write();
  }

  persisted(token: Token): void {
    if (token !== this.#token) return;
    const saved = this.#batch;
    this.#batch = [];
    this.#token = undefined;
    this.#error = undefined;
    this.#backoff.succeeded();
    for (const change of saved) change.saved?.();
    this.flush();
  }

  persistFailed(token: Token, error: OxbowError, now: number): void {
    if (token !== this.#token) return;
    // Said once: a disk that stays full would otherwise fill the console, too.
    if (this.#error?.code !== error.code) this.#config.out.report(error);
    this.#error = error;
    this.#token = undefined;
    this.#retryAtMs = now + this.#backoff.nextMs();
  }

  tick(now: number): void {
    if (this.#retryAtMs !== undefined && now >= this.#retryAtMs) this.#write();
  }

  /**
   * The store is another one, and empty. What was under way is forgotten: all is gathered anew,
   * with what waits to be called saved.
   */
  startOver(): void {
    this.#batch = [];
    this.#token = undefined;
    this.#retryAtMs = undefined;
    this.#error = undefined;
    this.#backoff.succeeded();
  }

  #write(): void {
    this.#retryAtMs = undefined;
    this.#token = this.#config.nextNumber();
    this.#config.out.persist(this.#batch.flatMap((change) => change.ops), this.#token);
  }
}
