/**
 * Replicache: mutators and an index; its server is a puller and a pusher within the page, so that
 * no network is measured. The pusher fails: nothing of ours is ever confirmed.
 */
import { Replicache, type PatchOperation, type ReadTransaction, type WriteTransaction } from 'replicache';
import type { Day, Event } from '../document.js';
import type { Peer } from '../peer.js';

const PREFIX = 'event/';
/** It writes to its store when it is idle and does not tell when it has. */
const IDLE_MS = 4_000;

const mutators = {
  put: (tx: WriteTransaction, event: Event): Promise<void> => tx.set(PREFIX + event.id, event),
  retitle: async (
    tx: WriteTransaction, { id, title }: { readonly id: string; readonly title: string },
  ): Promise<void> => {
    const event = await tx.get<Event>(PREFIX + id);
    if (event !== undefined) await tx.set(PREFIX + id, { ...event, title });
  },
};

class ReplicachePeer implements Peer {
  #replica: Replicache<typeof mutators> | undefined;
  /** What the server has for the next pull. */
  #news: PatchOperation[] | undefined;

  async open(name: string): Promise<void> {
    this.#replica = new Replicache({
      name, mutators, logLevel: 'error', pullInterval: null, pushDelay: 60_000,
      indexes: { byStart: { prefix: PREFIX, jsonPointer: '/start' } },
      puller: async ({ cookie }) => ({ response: this.#answer(cookie), httpRequestInfo: FINE }),
      pusher: () => Promise.reject(new Error('offline')),
    });
    await this.#replica.query((tx) => tx.has('ready'));
  }

  async put(event: Event): Promise<void> {
    await this.#open.mutate.put(event);
  }

  async retitle(id: string, title: string): Promise<void> {
    await this.#open.mutate.retitle({ id, title });
  }

  /** The first sync: one pull that brings all. */
  bulk(events: readonly Event[]): Promise<void> {
    return this.receive(events);
  }

  settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  }

  all(): Promise<Event[]> {
    return this.#open.query((tx) => tx.scan<Event>({ prefix: PREFIX }).values().toArray());
  }

  day(day: Day): Promise<Event[]> {
    return this.#open.query((tx) => eventsOfDay(tx, day));
  }

  subscribe(day: Day, changed: (events: readonly Event[]) => void): () => void {
    return this.#open.subscribe((tx) => eventsOfDay(tx, day), changed);
  }

  async receive(changed: readonly Event[]): Promise<void> {
    this.#news = changed.map((event) => ({ op: 'put', key: PREFIX + event.id, value: event }));
    // A pull that was under way already does not bring what is new: another one follows it.
    while (this.#news !== undefined) await this.#open.pull({ now: true });
  }

  async close(): Promise<void> {
    await this.#replica?.close();
  }

  get #open(): Replicache<typeof mutators> {
    if (this.#replica === undefined) throw new Error('not open');
    return this.#replica;
  }

  #answer(cookie: unknown): { cookie: number; lastMutationIDChanges: object; patch: PatchOperation[] } {
    const before = typeof cookie === 'number' ? cookie : 0;
    const patch = this.#news ?? [];
    this.#news = undefined;
    return { cookie: patch.length > 0 ? before + 1 : before, lastMutationIDChanges: {}, patch };
  }
}

const FINE = { httpStatusCode: 200, errorMessage: '' };

async function eventsOfDay(tx: ReadTransaction, [from, to]: Day): Promise<Event[]> {
  const events: Event[] = [];
  const found = tx.scan<Event>({ indexName: 'byStart', start: { key: [from] } }).entries();
  for await (const [[start], event] of found) {
    if (start >= to) break;
    events.push(event);
  }
  return events;
}

export const peer: Peer = new ReplicachePeer();
