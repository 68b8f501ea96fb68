/**
 * PouchDB with pouchdb-find: an index on `start`, which the first query builds. It has no live
 * queries: a changes feed with the documents, looked through in the callback, is what apps use.
 * Changes of others come through replication's own write path, as conflicting revisions.
 */
import PouchDB, { type PouchDocument } from 'pouchdb-browser';
import find from 'pouchdb-find';
import { isWithin, type Day, type Event } from '../document.js';
import type { Peer } from '../peer.js';

PouchDB.plugin(find);

const THEIR_REVISIONS = ['f', 'e'].map((digit) => digit.repeat(32));

class PouchdbPeer implements Peer {
  #database: PouchDB<Omit<Event, 'id'>> | undefined;

  async open(name: string): Promise<void> {
    this.#database = new PouchDB(name, { auto_compaction: true });
    await this.#database.createIndex({ index: { fields: ['start'], ddoc: 'by-start', name: 'by-start' } });
  }

  async put(event: Event): Promise<void> {
    await this.#open.put(documentOf(event));
  }

  putDurable(event: Event): Promise<void> {
    return this.put(event);
  }

  async putPipelined(events: readonly Event[]): Promise<void> {
    await Promise.all(events.map((event) => this.put(event)));
  }

  async retitle(id: string, title: string): Promise<void> {
    const found = await this.#open.get(id);
    await this.#open.put({ ...found, title });
  }

  async bulk(events: readonly Event[]): Promise<void> {
    await this.#open.bulkDocs(events.map(documentOf));
  }

  async durable(): Promise<void> {}

  async all(): Promise<Event[]> {
    const { rows } = await this.#open.allDocs({ include_docs: true });
    return rows.filter(({ id }) => !id.startsWith('_design')).map(({ doc }) => eventOf(doc));
  }

  async day([from, to]: Day): Promise<Event[]> {
    const { docs } = await this.#open.find({
      selector: { start: { $gte: from, $lt: to } }, limit: 100_000, use_index: 'by-start',
    });
    return docs.map(eventOf);
  }

  subscribe(day: Day, changed: (events: readonly Event[]) => void): () => void {
    const feed = this.#open.changes({ live: true, since: 'now', include_docs: true });
    feed.on('change', ({ doc }) => {
      if (isWithin(doc, day)) changed([eventOf(doc)]);
    });
    return () => feed.cancel();
  }

  async receive(changed: readonly Event[]): Promise<void> {
    const [newest = '', oldest = ''] = THEIR_REVISIONS;
    const docs = changed.map((event) => ({
      ...documentOf(event), _rev: `2-${newest}`, _revisions: { start: 2, ids: [newest, oldest] },
    }));
    await this.#open.bulkDocs(docs, { new_edits: false });
  }

  async close(): Promise<void> {
    await this.#database?.close();
  }

  get #open(): PouchDB<Omit<Event, 'id'>> {
    if (this.#database === undefined) throw new Error('not open');
    return this.#database;
  }
}

type Stored = PouchDocument<Omit<Event, 'id'>>;

const documentOf = ({ id, ...rest }: Event): Stored => ({ _id: id, ...rest });
const eventOf = ({ _id: id, _rev: _, ...rest }: Stored): Event => ({ id, ...rest });

export const peer: Peer = new PouchdbPeer();
