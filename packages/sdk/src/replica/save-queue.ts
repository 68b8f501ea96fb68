/**
 * Group commit of a replica. Whatever changes within a turn joins one write; one write is under way at a time, and what
 * changes meanwhile shares the next. A failed write is tried again, unchanged and before anything later: the log on
 * disk never has a hole. Until then what it holds is not saved, whatever memory says.
 */
import { limits, type OxbowError } from '../protocol/index.js';
import { Backoff } from './backoff.js';
import type { PersistOp, ReplicaEffects, Token } from './effects.js';

/** What belongs together: on disk all of it or nothing. */
interface Change {
  readonly ops: readonly PersistOp[];
  readonly saved: (() => void) | undefined;
}

export class SaveQueue {
  readonly #out: ReplicaEffects;
  readonly #nextNumber: () => number;
  readonly #backoff: Backoff;
  /** The write under way, or the one to be repeated. */
  #batch: readonly Change[] = [];
  #token: Token | undefined;
  #retryAtMs: number | undefined;
  #waiting: Change[] = [];
  #waitingOps = 0;
  #error: OxbowError | undefined;

  constructor(out: ReplicaEffects, nextNumber: () => number, random: () => number) {
    this.#out = out;
    this.#nextNumber = nextNumber;
    const bounds = { baseMs: limits.persistRetryMsMin, maxMs: limits.persistRetryMsMax };
    this.#backoff = new Backoff(bounds, random);
  }

  /** Why writing fails at present; undefined while it works. */
  get error(): OxbowError | undefined {
    return this.#error;
  }

  /** Everything that was added is on disk. */
  get isIdle(): boolean {
    return this.#batch.length === 0 && this.#waiting.length === 0;
  }

  /** More waits than should be taken in from others before the disk has caught up. */
  get isBehind(): boolean {
    return this.#waitingOps >= limits.persistBacklogOpsMax;
  }

  get deadlineMs(): number | undefined {
    return this.#retryAtMs;
  }

  /** `saved` runs in the turn in which the write has completed, after those of earlier changes. */
  add(ops: readonly PersistOp[], saved?: () => void): void {
    if (this.#waiting.length === 0) this.#out.flushSoon();
    this.#waiting.push({ ops, saved });
    this.#waitingOps += ops.length;
  }

  /** Starts the next write unless one is under way or waits to be repeated. */
  flush(): void {
    if (this.#batch.length > 0 || this.#waiting.length === 0) return;
    let size = 0;
    let count = 0;
    while (count < this.#waiting.length && size < limits.persistOpsTarget) {
      size += this.#waiting[count]?.ops.length ?? 0;
      count++;
    }
    this.#batch = this.#waiting.splice(0, count);
    this.#waitingOps -= size;
    this.#write();
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
    if (this.#error?.code !== error.code) this.#out.report(error);
    this.#error = error;
    this.#token = undefined;
    this.#retryAtMs = now + this.#backoff.nextMs();
  }

  tick(now: number): void {
    if (this.#retryAtMs !== undefined && now >= this.#retryAtMs) this.#write();
  }

  #write(): void {
    this.#retryAtMs = undefined;
    this.#token = this.#nextNumber();
    this.#out.persist(this.#batch.flatMap((change) => change.ops), this.#token);
  }
}
