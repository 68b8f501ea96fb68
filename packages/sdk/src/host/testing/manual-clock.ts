/** Time that passes when a test says so; turns that run until nothing is left to do. */
import type { Clock, Entropy } from '../../drivers/clock.js';
import { seededRandom } from '../../replica/backoff.js';

interface Alarm {
  readonly atMs: number;
  readonly task: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #soon: (() => void)[] = [];
  #alarms: Alarm[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const alarm = { atMs: this.#nowMs + delayMs, task };
    this.#alarms.push(alarm);
    return () => { this.#alarms = this.#alarms.filter((other) => other !== alarm); };
  }

  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** All turns that are due now. */
  settle(): void {
    for (let turns = 0; turns < 100_000; turns++) {
      const task = this.#soon.shift() ?? this.#dueTask();
      if (task === undefined) return;
      task();
    }
    throw new Error('The turns do not end.');
  }

  /** Lets time pass, alarm by alarm. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (this.settle(); ; this.settle()) {
      const next = Math.min(...this.#alarms.map(({ atMs }) => atMs));
      if (next > endMs) break;
      this.#nowMs = Math.max(this.#nowMs, next);
    }
    this.#nowMs = endMs;
  }

  /** The wall clock is set to another time. */
  jump(ms: number): void {
    this.#nowMs += ms;
    this.#alarms = this.#alarms.map(({ atMs, task }) => ({ atMs: atMs + ms, task }));
  }

  #dueTask(): (() => void) | undefined {
    const due = this.#alarms.find(({ atMs }) => atMs <= this.#nowMs);
    if (due !== undefined) this.#alarms = this.#alarms.filter((other) => other !== due);
    return due?.task;
  }
}

export function seededEntropy(seed: number): Entropy {
  const random = seededRandom(seed);
  const hex = (): string => Math.floor(random() * 2 ** 32).toString(16).padStart(8, '0');
  return { id: () => `${hex()}-${hex()}-${hex()}`, seed: () => Math.floor(random() * 2 ** 32) };
}
