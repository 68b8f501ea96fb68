/**
 * RxDB over its free Dexie storage, with its defaults and without schema checks, as in production.
 * Changes of others come by its replication plugin: it pulls them, pushes the local edits, and
 * takes the server's side in each conflict, which is its default handler.
 */
import { createRxDatabase, type RxCollection, type RxDatabase, type RxQuery } from 'rxdb/plugins/core';
import { replicateRxCollection, type PushRow } from 'rxdb/plugins/replication';
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';
import type { Day, Event } from '../document.js';
import type { Peer } from '../peer.js';

const text = { type: 'string' };
const keyed = (maxLength: number): object => ({ type: 'string', maxLength });
const schema = {
  version: 0, primaryKey: 'id', type: 'object', indexes: ['start'],
  properties: {
    id: keyed(32), title: text, start: keyed(24), end: text, room: text,
    attendees: { type: 'array', items: text }, notes: text,
  },
  required: ['id', 'title', 'start', 'end', 'room', 'attendees', 'notes'],
};
/** It retries failed exchanges; none fails here. */
const NEVER_MS = 1e9;

type Stored = Event & { readonly _deleted: boolean };

class RxdbPeer implements Peer {
  #database: RxDatabase | undefined;
  #events: RxCollection<Event> | undefined;
  #server = new Map<string, Stored>();

  async open(name: string): Promise<void> {
    this.#database = await createRxDatabase({
      name, storage: getRxStorageDexie(), multiInstance: true, eventReduce: true,
    });
    const { event } = await this.#database.addCollections<{ event: RxCollection<Event> }>({ event: { schema } });
    this.#events = event;
  }

  async put(event: Event): Promise<void> {
    await this.#open.insert(event);
  }

  putDurable(event: Event): Promise<void> {
    return this.put(event);
  }

  async putPipelined(events: readonly Event[]): Promise<void> {
    await Promise.all(events.map((event) => this.put(event)));
  }

  async retitle(id: string, title: string): Promise<void> {
    const found = await this.#open.findOne(id).exec();
    await found?.incrementalPatch({ title });
  }

  async bulk(events: readonly Event[]): Promise<void> {
    const { error } = await this.#open.bulkInsert(events);
    if (error.length > 0) throw new Error(`${error.length} events were refused`);
  }

  async durable(): Promise<void> {}

  async all(): Promise<Event[]> {
    const found = await this.#open.find().exec();
    return found.map((event) => event.toJSON());
  }

  async day(day: Day): Promise<Event[]> {
    const found = await this.#query(day).exec();
    return found.map((event) => event.toJSON());
  }

  subscribe(day: Day, changed: (events: readonly Event[]) => void): () => void {
    const subscription = this.#query(day).$.subscribe(changed);
    return () => subscription.unsubscribe();
  }

  /** All is in sync before the edits begin. */
  async prepareRemote(changed: readonly Event[]): Promise<void> {
    for (const event of changed) this.#server.set(event.id, { ...event, _deleted: false });
    await this.#sync([], () => []);
  }

  async receive(): Promise<void> {
    await this.#sync([...this.#server.values()], (rows) => rows.flatMap((row) => {
      const held = this.#server.get(row.newDocumentState.id);
      return held === undefined || row.assumedMasterState?.title === held.title ? [] : [held];
    }));
  }

  async close(): Promise<void> {
    await this.#database?.close();
  }

  get #open(): RxCollection<Event> {
    if (this.#events === undefined) throw new Error('not open');
    return this.#events;
  }

  #query([from, to]: Day): RxQuery<Event> {
    return this.#open.find({ selector: { start: { $gte: from, $lt: to } } });
  }

  async #sync(news: readonly Stored[], push: (rows: readonly PushRow<Stored>[]) => Stored[]): Promise<void> {
    let documents = news;
    const replication = replicateRxCollection<Event, Stored>({
      collection: this.#open, replicationIdentifier: 'server', live: false, retryTime: NEVER_MS,
      pull: {
        batchSize: 2_000,
        handler: async () => {
          const answer = { documents, checkpoint: { at: documents.length > 0 ? 1 : 0 } };
          documents = [];
          return answer;
        },
      },
      push: { batchSize: 1_000, handler: async (rows) => push(rows) },
    });
    await replication.awaitInitialReplication();
    await replication.awaitInSync();
    await replication.cancel();
  }
}

export const peer: Peer = new RxdbPeer();
