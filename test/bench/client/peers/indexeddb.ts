/** IndexedDB itself, without a library: the floor. One transaction a write, one for a bulk load. */
import type { Day, Event } from '../document.js';
import type { Peer } from '../peer.js';

const STORE = 'event';

class IndexedDbPeer implements Peer {
  #database: IDBDatabase | undefined;

  open(name: string): Promise<void> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE, { keyPath: 'id' }).createIndex('start', 'start');
    };
    return answer(request).then((database) => {
      this.#database = database;
    });
  }

  put(event: Event): Promise<void> {
    return this.#write((store) => store.put(event));
  }

  putDurable(event: Event): Promise<void> {
    return this.put(event);
  }

  async putPipelined(events: readonly Event[]): Promise<void> {
    await Promise.all(events.map((event) => this.put(event)));
  }

  retitle(id: string, title: string): Promise<void> {
    return this.#write((store) => {
      const found: IDBRequest<Event> = store.get(id);
      found.onsuccess = () => store.put({ ...found.result, title });
    }, false);
  }

  bulk(events: readonly Event[]): Promise<void> {
    return this.#write((store) => {
      for (const event of events) store.put(event);
    });
  }

  durable(): Promise<void> {
    return Promise.resolve();
  }

  all(): Promise<Event[]> {
    return answer(this.#store('readonly').getAll());
  }

  day([from, to]: Day): Promise<Event[]> {
    const range = IDBKeyRange.bound(from, to, false, true);
    return answer(this.#store('readonly').index('start').getAll(range));
  }

  async close(): Promise<void> {
    this.#database?.close();
  }

  #store(mode: IDBTransactionMode): IDBObjectStore {
    if (this.#database === undefined) throw new Error('not open');
    return this.#database.transaction(STORE, mode, { durability: 'relaxed' }).objectStore(STORE);
  }

  #write(task: (store: IDBObjectStore) => void, isWhole = true): Promise<void> {
    const store = this.#store('readwrite');
    const { transaction } = store;
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
    });
    task(store);
    if (isWhole) transaction.commit();
    return done;
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('refused'));
  });
}

export const peer: Peer = new IndexedDbPeer();
