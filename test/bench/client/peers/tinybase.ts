/**
 * TinyBase: a store in memory; its IndexedDB persister writes the whole table at every save. Live
 * queries by its queries module.
 */
import { createQueries, createStore, type Queries, type Row, type Store } from 'tinybase';
import { createIndexedDbPersister, type Persister } from 'tinybase/persisters/persister-indexed-db';
import { isWithin, type Day, type Event } from '../document.js';
import type { Peer } from '../peer.js';

const TABLE = 'event';
const FIELDS = ['title', 'start', 'end', 'room', 'attendees', 'notes'];

class TinybasePeer implements Peer {
  #store: Store = createStore();
  #queries: Queries | undefined;
  #persister: Persister | undefined;

  async open(name: string): Promise<void> {
    this.#store = createStore();
    this.#queries = createQueries(this.#store);
    this.#persister = createIndexedDbPersister(this.#store, name);
    await this.#persister.load();
  }

  async put(event: Event): Promise<void> {
    this.#set(event);
  }

  async putDurable(event: Event): Promise<void> {
    this.#set(event);
    await this.durable();
  }

  async putPipelined(events: readonly Event[]): Promise<void> {
    for (const event of events) this.#set(event);
    await this.durable();
  }

  async retitle(id: string, title: string): Promise<void> {
    this.#store.setCell(TABLE, id, 'title', title);
  }

  async bulk(events: readonly Event[]): Promise<void> {
    this.#store.transaction(() => {
      for (const event of events) this.#set(event);
    });
  }

  async durable(): Promise<void> {
    await this.#persister?.save();
  }

  async all(): Promise<Event[]> {
    return Object.entries(this.#store.getTable(TABLE)).map(eventOf);
  }

  async day(day: Day): Promise<Event[]> {
    const events: Event[] = [];
    this.#store.forEachRow(TABLE, (id) => {
      const start = String(this.#store.getCell(TABLE, id, 'start'));
      if (isWithin({ start }, day)) events.push(eventOf([id, this.#store.getRow(TABLE, id)]));
    });
    return events;
  }

  subscribe(day: Day, changed: (events: readonly Event[]) => void): () => void {
    const queries = this.#queries;
    if (queries === undefined) throw new Error('not open');
    queries.setQueryDefinition('day', TABLE, ({ select, where }) => {
      for (const field of FIELDS) select(field);
      where((cell) => isWithin({ start: String(cell('start')) }, day));
    });
    const listener = queries.addResultTableListener('day', () => {
      changed(Object.entries(queries.getResultTable('day')).map(eventOf));
    });
    return () => {
      queries.delListener(listener);
      queries.delQueryDefinition('day');
    };
  }

  async close(): Promise<void> {
    await this.#persister?.destroy();
  }

  #set({ id, ...row }: Event): void {
    this.#store.setRow(TABLE, id, row);
  }
}

// reason: the rows are those that `#set` wrote.
const eventOf = ([id, row]: [string, Row]): Event => ({ id, ...row }) as Event;

export const peer: Peer = new TinybasePeer();
