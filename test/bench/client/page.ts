/**
 * The workload, inside the page. Each function is one figure's definition; bench.ts says in which
 * profile and browser session it runs. The clock of an isolated page ticks every 5 µs.
 */
import { dayOf, eventOf, eventsOf, EVENTS_PER_DAY, variedEventOf, type Event } from './document.js';
import type { Peer } from './peer.js';

/** How long a page may wait for something that must come. */
const PATIENCE_MS = 60_000;
const LIVE_ROUNDS = 300;
const LIVE_DAY = 100;
const PENDING = 1_000;
const REMOTE = 1_000;
/** The first remote change hits this event: half of them hit edited ones. */
const REMOTE_FROM = 500;

export type Figures = Record<string, number>;

export interface Workload {
  applied(count: number): Promise<Figures>;
  durable(count: number): Promise<Figures>;
  pipelined(count: number): Promise<Figures>;
  bulk(count: number, options?: { readonly varied?: boolean }): Promise<Figures>;
  openAll(count: number): Promise<Figures>;
  openDay(): Promise<Figures>;
  heap(): Promise<Figures>;
  live(): Promise<Figures>;
  rebase(): Promise<Figures>;
  /** Everything in one page: load, edits, changes of others. */
  rebaseFresh(count: number): Promise<Figures>;
  close(): Promise<void>;
}

declare global {
  var workload: Workload | undefined;
}

const NAME = 'bench';
const now = (): number => performance.now();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function install(peer: Peer): void {
  globalThis.workload = {
    async applied(count) {
      const elapsedMs = await writeEach(peer, count, (event) => peer.put(event));
      return { applied_per_s: (count / elapsedMs) * 1000 };
    },
    async durable(count) {
      const { putDurable } = peer;
      if (putDurable === undefined) return {};
      const elapsedMs = await writeEach(peer, count, (event) => putDurable.call(peer, event));
      return { durable_per_s: (count / elapsedMs) * 1000 };
    },
    async pipelined(count) {
      if (peer.putPipelined === undefined) return {};
      await peer.open(NAME);
      const events = eventsOf(count);
      const started = now();
      await peer.putPipelined(events);
      const elapsedMs = now() - started;
      await mustHold(peer, count);
      await peer.close();
      return { durable_pipelined_per_s: (count / elapsedMs) * 1000 };
    },
    async bulk(count, { varied = false } = {}) {
      await peer.open(NAME);
      const events = varied ? Array.from({ length: count }, (_, i) => variedEventOf(i)) : eventsOf(count);
      const elapsedMs = await load(peer, events);
      await mustHold(peer, count);
      // Whoever builds an index with the first query has built it before the next figure.
      await peer.day(dayOf(1));
      await peer.settle?.();
      await peer.close();
      return { bulk_ms: elapsedMs };
    },
    async openAll(count) {
      const started = now();
      await peer.open(NAME);
      const events = await peer.all();
      const elapsedMs = now() - started;
      if (events.length !== count) throw new Error(`${events.length} events instead of ${count}`);
      return { all_ms: elapsedMs };
    },
    async openDay() {
      const started = now();
      await peer.open(NAME);
      const events = await peer.day(dayOf(3));
      const elapsedMs = now() - started;
      if (events.length !== EVENTS_PER_DAY) throw new Error(`a day has ${events.length} events`);
      return { day_ms: elapsedMs };
    },
    heap,
    live: () => live(peer),
    rebase: () => rebase(peer),
    async rebaseFresh(count) {
      await peer.open(NAME);
      await load(peer, eventsOf(count));
      await mustHold(peer, count);
      const figures = await rebase(peer);
      await peer.close();
      return figures;
    },
    async close() {
      await peer.settle?.();
      await peer.close();
    },
  };
}

/** One after the other, each awaited. Opening and checking are not timed. */
async function writeEach(
  peer: Peer, count: number, write: (event: Event) => Promise<void>,
): Promise<number> {
  await peer.open(NAME);
  const events = eventsOf(count);
  const started = now();
  for (const event of events) await write(event);
  const elapsedMs = now() - started;
  await peer.durable?.();
  await mustHold(peer, count);
  await peer.close();
  return elapsedMs;
}

async function load(peer: Peer, events: readonly Event[]): Promise<number> {
  await peer.prepareBulk?.(events);
  const started = now();
  await peer.bulk(events);
  await peer.durable?.();
  return now() - started;
}

async function mustHold(peer: Peer, count: number): Promise<void> {
  const { length } = await peer.all();
  if (length !== count) throw new Error(`${length} events instead of ${count}`);
}

async function heap(): Promise<Figures> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await pause(50);
  }
  const { bytes } = await within(performance.measureUserAgentSpecificMemory(), 'the heap is measured');
  return { heap_mib: bytes / 2 ** 20 };
}

/** From the call that changes an event to the callback of a query that it is in. */
async function live(peer: Peer): Promise<Figures> {
  if (peer.subscribe === undefined) return {};
  let waits: ((events: readonly Event[]) => void) | undefined;
  const stop = peer.subscribe(dayOf(LIVE_DAY), (events) => waits?.(events));
  await pause(300);
  const tookMs: number[] = [];
  for (let round = 0; round < LIVE_ROUNDS; round++) {
    const { id } = eventOf(LIVE_DAY * EVENTS_PER_DAY + (round % EVENTS_PER_DAY));
    const title = `moved ${round}`;
    const started = now();
    const seen = new Promise<number>((resolve) => {
      waits = (events) => {
        if (events.some((event) => event.id === id && event.title === title)) resolve(now() - started);
      };
    });
    await peer.retitle(id, title);
    tookMs.push(await within(seen, 'the live query calls back'));
  }
  stop();
  return { live_p50_ms: tookMs.sort((a, b) => a - b)[Math.floor(LIVE_ROUNDS / 2)] ?? Number.NaN };
}

/** 1,000 edits that nobody has confirmed, then 1,000 changes of others, half of them to these. */
async function rebase(peer: Peer): Promise<Figures> {
  if (peer.receive === undefined || peer.subscribe === undefined) return {};
  const changed = eventsOf(REMOTE, REMOTE_FROM)
    .map((event) => ({ ...event, title: `server says ${event.id}` }));
  await peer.prepareRemote?.(changed);
  for (let i = 0; i < PENDING; i++) await peer.retitle(eventOf(i).id, `mine ${i}`);
  const probe = changed[REMOTE * 0.8];
  if (probe === undefined) throw new Error('there is a change to look for');
  const day = dayOf(Math.floor((REMOTE_FROM + REMOTE * 0.8) / EVENTS_PER_DAY));
  let isSeen = (): void => undefined;
  const seen = new Promise<void>((resolve) => {
    isSeen = resolve;
  });
  const stop = peer.subscribe(day, (events) => {
    if (events.some(({ id, title }) => id === probe.id && title === probe.title)) isSeen();
  });
  await pause(300);
  const started = now();
  await peer.receive(changed);
  const elapsedMs = now() - started;
  await within(seen, 'the live query sees a change of others');
  stop();
  return { rebase_ms: elapsedMs };
}

function within<T>(promise: Promise<T>, what: string): Promise<T> {
  return Promise.race([promise, pause(PATIENCE_MS).then((): never => {
    throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
  })]);
}
