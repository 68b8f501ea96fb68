/**
 * How much of the machine others use while we measure. Every second the CPU time of each process
 * that does not descend from this one is compared with the second before.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const TICKS_PER_S = 100;
const EVERY_MS = 1_000;
/** Of a core: below it a machine counts as quiet. */
const QUIET_CORES = 0.25;
const QUIET_SAMPLES = 3;

interface Sample {
  readonly atMs: number;
  readonly cores: number;
}

export class MachineLoad {
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;
  #before = new Map<number, number>();
  #beforeMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#sample(), EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Mean cores used by others since then; undefined where /proc does not tell. */
  since(fromMs: number): number | undefined {
    const samples = this.#samples.filter(({ atMs }) => atMs >= fromMs);
    if (samples.length === 0) return undefined;
    return samples.reduce((sum, { cores }) => sum + cores, 0) / samples.length;
  }

  /** Resolves when others have been quiet for a while, or at last after `patienceMs`. */
  async quiet(patienceMs: number): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      const last = this.#samples.slice(-QUIET_SAMPLES);
      if (last.length === QUIET_SAMPLES && last.every(({ cores }) => cores < QUIET_CORES)) return;
      await sleep(EVERY_MS);
    }
  }

  #sample(): void {
    const times = foreignTimes();
    const now = Date.now();
    if (this.#beforeMs > 0) {
      let ticks = 0;
      // A process that began meanwhile counts from its first sample on.
      for (const [pid, time] of times) ticks += time - (this.#before.get(pid) ?? time);
      const cores = ticks / TICKS_PER_S / ((now - this.#beforeMs) / 1_000);
      this.#samples.push({ atMs: now, cores: Math.min(cores, cpus().length) });
    }
    this.#before = times;
    this.#beforeMs = now;
  }
}

/** CPU time in ticks by process, without our own and their children. */
function foreignTimes(): Map<number, number> {
  const parents = new Map<number, number>();
  const times = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (stat === undefined) continue;
    parents.set(Number(name), Number(stat[1]));
    times.set(Number(name), Number(stat[11]) + Number(stat[12]));
  }
  for (const pid of times.keys()) if (isOurs(pid, parents)) times.delete(pid);
  return times;
}

/** The fields after the name in parentheses; undefined for a process that is gone. */
function statOf(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function isOurs(pid: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
    if (at === process.pid) return true;
  }
  return false;
}
