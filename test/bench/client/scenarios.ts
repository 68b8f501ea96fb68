/**
 * Which figure comes out of which browser sessions. Every scenario has a profile of its own; a new
 * session on it is a browser that was ended and started again.
 */
import type { Page } from 'playwright-core';
import type { MetricName, PeerName } from './metrics.js';
import type { Figures, Workload } from './page.js';
import { storedBytes, type Sessions } from './sessions.js';

const APPLIED = 10_000;
const DURABLE = 2_000;
const PIPELINED = 5_000;
const SMALL = 10_000;
const LARGE = 50_000;

type Measured = Partial<Record<MetricName, number>>;

export interface Scenario {
  readonly metrics: readonly MetricName[];
  run(sessions: Sessions, peer: PeerName): Promise<Measured>;
}

/** One session in a fresh profile. */
const single = (metric: MetricName, task: (page: Page) => Promise<Figures>): Scenario => ({
  metrics: [metric],
  run: (sessions, peer) => sessions.inProfile((profile) => sessions.inBrowser(profile, peer, task)),
});

export const scenarios: readonly Scenario[] = [
  single('applied_per_s', (page) => call(page, 'applied', APPLIED)),
  single('durable_per_s', (page) => call(page, 'durable', DURABLE)),
  single('durable_pipelined_per_s', (page) => call(page, 'pipelined', PIPELINED)),
  {
    metrics: ['bulk_10k_ms', 'open_10k_all_ms', 'heap_mib', 'live_p50_ms', 'rebase_1000_restarted_ms'],
    run: (sessions, peer) => sessions.inProfile(async (profile) => {
      const inBrowser = (task: (page: Page) => Promise<Measured>): Promise<Measured> =>
        sessions.inBrowser(profile, peer, task);
      const loaded = await inBrowser(async (page) =>
        only('bulk_10k_ms', await call(page, 'bulk', SMALL)));
      const opened = await inBrowser(async (page) => ({
        ...only('open_10k_all_ms', await call(page, 'openAll', SMALL)),
        ...(await call(page, 'heap')),
        ...(await call(page, 'live')),
        ...(await call(page, 'close')),
      }));
      const rebased = await inBrowser(async (page) => {
        await call(page, 'openAll', SMALL);
        return only('rebase_1000_restarted_ms', await call(page, 'rebase'));
      });
      return { ...loaded, ...opened, ...rebased };
    }),
  },
  {
    metrics: ['rebase_1000_ms'],
    run: (sessions, peer) => sessions.inProfile(async (profile) => only(
      'rebase_1000_ms',
      await sessions.inBrowser(profile, peer, (page) => call(page, 'rebaseFresh', SMALL)),
    )),
  },
  {
    metrics: ['open_50k_day_ms', 'open_50k_all_ms'],
    run: (sessions, peer) => sessions.inProfile(async (profile) => {
      await sessions.inBrowser(profile, peer, (page) => call(page, 'bulk', LARGE));
      const day = await sessions.inBrowser(profile, peer, (page) => call(page, 'openDay'));
      const all = await sessions.inBrowser(profile, peer, (page) => call(page, 'openAll', LARGE));
      return { ...only('open_50k_day_ms', day), ...only('open_50k_all_ms', all) };
    }),
  },
  {
    metrics: ['disk_bytes_per_row'],
    run: (sessions, peer) => sessions.inProfile(async (profile) => {
      await sessions.inBrowser(profile, peer, (page) => call(page, 'bulk', SMALL, { varied: true }));
      // A second start and end give the store behind IndexedDB its chance to tidy up.
      await sessions.inBrowser(profile, peer, async (page) => {
        await call(page, 'openAll', SMALL);
        await call(page, 'close');
      });
      return { disk_bytes_per_row: storedBytes(profile) / SMALL };
    }),
  },
];

/** The one figure of an answer under its full name; none where the peer cannot do it. */
function only(metric: MetricName, figures: Figures): Measured {
  const [figure] = Object.values(figures);
  return figure === undefined ? {} : { [metric]: figure };
}

async function call<N extends keyof Workload>(
  page: Page, name: N, ...args: Parameters<Workload[N]>
): Promise<Figures> {
  const answer = await page.evaluate(
    // reason: the page calls what the types of this function have matched.
    async ([task, given]) => await (globalThis.workload as unknown as Record<string, (...all: unknown[]) => Promise<Record<string, number> | undefined>>)[task as string]?.(...given as unknown[]),
    [name, args] as const,
  );
  return answer ?? {};
}
