/** The machine's own clock, in browsers and Node. */
import type { Clock } from './clock.js';

/** Timers take 32-bit delays; a longer one would fire at once. */
const TIMER_MS_MAX = 0x7fff_ffff;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), TIMER_MS_MAX));
    return () => clearTimeout(timer);
  },
  soon: (task) => queueMicrotask(task),
};
