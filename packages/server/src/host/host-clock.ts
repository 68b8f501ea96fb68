/** Time as an input of the host: real here, virtual in the simulation. */

export interface HostClock {
  /** Wall time, ms since 1970. */
  now(): number;
  /** Runs `task` once, at or after `now() + delayMs`. Returns the way to call it off. */
  after(delayMs: number, task: () => void): () => void;
  /**
   * Runs `task` when the present turn of the event loop is over: what has already arrived comes
   * first.
   */
  soon(task: () => void): void;
}

/** Timers take 32-bit delays; a longer one would fire at once. */
const TIMER_MS_MAX = 0x7fff_ffff;

export const systemClock: HostClock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
  // Not a microtask: each socket's data is a callback of its own, and a microtask would run between
  // two of them.
  soon: (task) => setImmediate(task),
};
