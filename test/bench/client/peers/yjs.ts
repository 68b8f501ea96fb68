/**
 * Yjs with y-indexeddb: one document, a map an event. A live query is `observeDeep` that looks at
 * the touched events, as apps do it; the write is durable when a transaction that began after it
 * has completed.
 */
import { IndexeddbPersistence } from 'y-indexeddb';
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector, Map as YMap, type YEvent } from 'yjs';
import { isWithin, type Day, type Event } from '../document.js';
import type { Peer } from '../peer.js';

/** Its writes are joined so long after the last one. */
const COMPACTION_MS = 2_500;

class YjsPeer implements Peer {
  #doc = new Doc();
  #store: IndexeddbPersistence | undefined;
  #remote: Uint8Array | undefined;

  async open(name: string): Promise<void> {
    this.#doc = new Doc();
    this.#store = new IndexeddbPersistence(name, this.#doc);
    await this.#store.whenSynced;
  }

  async put(event: Event): Promise<void> {
    this.#doc.transact(() => this.#events.set(event.id, mapOf(event)));
  }

  async putDurable(event: Event): Promise<void> {
    await this.put(event);
    await this.durable();
  }

  async putPipelined(events: readonly Event[]): Promise<void> {
    for (const event of events) void this.put(event);
    await this.durable();
  }

  async retitle(id: string, title: string): Promise<void> {
    this.#events.get(id)?.set('title', title);
  }

  async bulk(events: readonly Event[]): Promise<void> {
    this.#doc.transact(() => {
      for (const event of events) this.#events.set(event.id, mapOf(event));
    });
  }

  durable(): Promise<void> {
    return new Promise((resolve) => {
      const transaction = this.#store?.db?.transaction(['updates'], 'readonly');
      if (transaction === undefined) throw new Error('not open');
      transaction.oncomplete = () => resolve();
      transaction.objectStore('updates').count();
    });
  }

  async settle(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, COMPACTION_MS));
    await this.durable();
  }

  async all(): Promise<Event[]> {
    return Array.from(this.#events.values(), (map) => map.toJSON());
  }

  async day(day: Day): Promise<Event[]> {
    const events: Event[] = [];
    for (const map of this.#events.values()) {
      if (isWithin({ start: map.get('start') }, day)) events.push(map.toJSON());
    }
    return events;
  }

  subscribe(day: Day, changed: (events: readonly Event[]) => void): () => void {
    const events = this.#events;
    const look = (changes: readonly YEvent[]): void => {
      const hits = changes.flatMap(touchedIds)
        .flatMap((id) => events.get(id) ?? [])
        .filter((map) => isWithin({ start: map.get('start') }, day))
        .map((map) => map.toJSON());
      if (hits.length > 0) changed(hits);
    };
    const touchedIds = (change: YEvent): string[] =>
      change.target === events ? [...change.changes.keys.keys()] : change.path.slice(0, 1);
    events.observeDeep(look);
    return () => events.unobserveDeep(look);
  }

  async prepareRemote(changed: readonly Event[]): Promise<void> {
    const other = new Doc();
    applyUpdate(other, encodeStateAsUpdate(this.#doc));
    const before = encodeStateVector(other);
    for (const { id, title } of changed) other.getMap<YMap<Event>>('event').get(id)?.set('title', title);
    this.#remote = encodeStateAsUpdate(other, before);
  }

  async receive(): Promise<void> {
    if (this.#remote === undefined) throw new Error('nothing was prepared');
    applyUpdate(this.#doc, this.#remote, 'remote');
  }

  async close(): Promise<void> {
    await this.#store?.destroy();
  }

  get #events(): YMap<YMap<Event>> {
    return this.#doc.getMap('event');
  }
}

function mapOf(event: Event): YMap<Event> {
  return new YMap(Object.entries(event));
}

export const peer: Peer = new YjsPeer();
