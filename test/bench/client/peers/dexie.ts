/** Dexie: `put`, `bulkPut`, and `liveQuery` over a range of an index. */
import { Dexie, liveQuery, type Table } from 'dexie';
import type { Day, Event } from '../document.js';
import type { Peer } from '../peer.js';

class DexiePeer implements Peer {
  #database: Dexie | undefined;

  async open(name: string): Promise<void> {
    this.#database = new Dexie(name);
    this.#database.version(1).stores({ event: 'id,start' });
    await this.#database.open();
  }

  async put(event: Event): Promise<void> {
    await this.#table.put(event);
  }

  putDurable(event: Event): Promise<void> {
    return this.put(event);
  }

  async putPipelined(events: readonly Event[]): Promise<void> {
    await Promise.all(events.map((event) => this.put(event)));
  }

  async retitle(id: string, title: string): Promise<void> {
    await this.#table.update(id, { title });
  }

  async bulk(events: readonly Event[]): Promise<void> {
    await this.#table.bulkPut(events);
  }

  async durable(): Promise<void> {}

  all(): Promise<Event[]> {
    return this.#table.toArray();
  }

  day([from, to]: Day): Promise<Event[]> {
    return this.#table.where('start').between(from, to, true, false).toArray();
  }

  subscribe(day: Day, changed: (events: readonly Event[]) => void): () => void {
    const subscription = liveQuery(() => this.day(day)).subscribe(changed);
    return () => subscription.unsubscribe();
  }

  async close(): Promise<void> {
    this.#database?.close();
  }

  get #table(): Table<Event> {
    if (this.#database === undefined) throw new Error('not open');
    return this.#database.table<Event>('event');
  }
}

export const peer: Peer = new DexiePeer();
