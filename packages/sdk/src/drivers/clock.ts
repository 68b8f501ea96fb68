/** Time and chance are inputs: the host gets them here, the simulation gives virtual ones. */

export interface Clock {
  /** Wall time, ms since 1970. */
  now(): number;
  /** Runs `task` once, at or after `now() + delayMs`. Returns the way to call it off. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs `task` at the end of the present turn (a microtask in the real world). */
  soon(task: () => void): void;
}

export interface Entropy {
  /** A fresh identity: UUID text. */
  id(): string;
  /** A 32-bit seed for the machines' generators. */
  seed(): number;
}
