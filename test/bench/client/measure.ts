/**
 * Ours and the peers in one run in Chromium: round after round, within a round figure by figure
 * with the peers in turn, so that whatever else the machine does hits all alike. Medians count.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bundles } from './bundles.js';
import { fetchedPeers } from './fetched-peers.js';
import { MachineLoad } from './machine-load.js';
import { METRICS, PEERS, type MetricName, type PeerName } from './metrics.js';
import { scenarios } from './scenarios.js';
import { Sessions } from './sessions.js';

const scratch = fileURLToPath(new URL('../../../.tmp/bench', import.meta.url));

export interface ClientOptions {
  readonly peers: readonly PeerName[];
  readonly metrics: readonly MetricName[];
  readonly runs: number;
  /** How long to wait for a quiet machine before each scenario, s. */
  readonly quietS: number;
}

export interface ClientRun {
  readonly options: ClientOptions;
  readonly date: string;
  readonly chromium: string;
  readonly machine: string;
  /** All values of `<peer>.<metric>`, in order of the rounds. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  /** What went wrong, once each. */
  readonly failures: Readonly<Record<string, string>>;
  /** Mean cores that other programs used, by scenario and peer. */
  readonly foreignCores: readonly number[];
}

export const everything = { peers: PEERS, metrics: METRICS };

export async function measureClientPeers(options: ClientOptions): Promise<ClientRun> {
  const bundles = new Bundles(fetchedPeers(scratch));
  const sessions = await Sessions.start(scratch);
  const load = new MachineLoad();
  const run = new Run(options, sessions, load);
  try {
    for (const peer of options.peers) {
      sessions.serve(peer, await bundles.script(peer));
      if (!options.metrics.includes('gzip_kib')) continue;
      const gzipKib = await bundles.gzipKib(peer);
      if (gzipKib !== undefined) run.add(peer, { gzip_kib: gzipKib });
    }
    for (let round = 0; round < options.runs; round++) await run.round(round);
    return run.result();
  } finally {
    load.stop();
    await sessions.stop();
    run.save();
  }
}

class Run {
  readonly #options: ClientOptions;
  readonly #sessions: Sessions;
  readonly #load: MachineLoad;
  readonly #samples: Record<string, number[]> = {};
  readonly #failures: Record<string, string> = {};
  readonly #foreignCores: number[] = [];

  constructor(options: ClientOptions, sessions: Sessions, load: MachineLoad) {
    this.#options = options;
    this.#sessions = sessions;
    this.#load = load;
  }

  add(peer: PeerName, figures: Partial<Record<MetricName, number>>): void {
    for (const metric of METRICS) {
      const figure = figures[metric];
      if (figure === undefined || !this.#options.metrics.includes(metric)) continue;
      (this.#samples[`${peer}.${metric}`] ??= []).push(figure);
    }
  }

  async round(round: number): Promise<void> {
    const { peers, metrics, quietS } = this.#options;
    const wanted = scenarios.filter((scenario) => scenario.metrics.some((metric) => metrics.includes(metric)));
    for (const scenario of wanted) {
      // Nobody is always the first after a pause or the last of a round.
      for (let i = 0; i < peers.length; i++) {
        const peer = peers[(i + round) % peers.length];
        if (peer === undefined) continue;
        await this.#load.quiet(quietS * 1_000);
        const startedMs = Date.now();
        try {
          const figures = await scenario.run(this.#sessions, peer);
          this.add(peer, figures);
          this.#tell(round, peer, figures, startedMs);
        } catch (error) {
          const text = error instanceof Error ? error.message.split('\n')[0] ?? '' : String(error);
          for (const metric of scenario.metrics) this.#failures[`${peer}.${metric}`] = text;
          console.error(`round ${round + 1} ${peer}: ${text}`);
        }
      }
    }
  }

  result(): ClientRun {
    const [cpu] = cpus();
    const gib = Math.round(totalmem() / 2 ** 30);
    return {
      options: this.#options,
      date: new Date().toISOString().slice(0, 10),
      chromium: this.#sessions.version,
      machine: `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${gib} GiB, ` +
        `${process.platform} ${release()}, Node ${process.version}`,
      samples: this.#samples, failures: this.#failures, foreignCores: this.#foreignCores,
    };
  }

  /** For whoever wants more than medians. */
  save(): void {
    mkdirSync(scratch, { recursive: true });
    writeFileSync(join(scratch, 'client.json'), `${JSON.stringify(this.result(), null, 1)}\n`);
  }

  #tell(round: number, peer: PeerName, figures: object, startedMs: number): void {
    const foreign = this.#load.since(startedMs);
    if (foreign !== undefined) this.#foreignCores.push(foreign);
    const shown = Object.entries(figures).map(([name, value]) => `${name} ${shortNumber(Number(value))}`);
    console.error(`round ${round + 1} ${peer}: ${shown.join(', ') || 'not possible'}` +
      ` (others used ${foreign?.toFixed(2) ?? '?'} cores)`);
  }
}

const shortNumber = (value: number): string => String(Number(value.toPrecision(4)));
