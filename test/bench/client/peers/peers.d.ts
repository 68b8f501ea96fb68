/**
 * As much of each peer as its adapter uses. The packages are fetched when the benchmark runs
 * (fetched-peers.ts), so the compiler cannot look into them.
 */
declare module 'dexie' {
  export interface Table<T> {
    put(row: T): Promise<unknown>;
    update(key: string, changes: Partial<T>): Promise<number>;
    bulkPut(rows: readonly T[]): Promise<unknown>;
    toArray(): Promise<T[]>;
    where(index: string): {
      between(from: string, to: string, withFrom: boolean, withTo: boolean): { toArray(): Promise<T[]> };
    };
  }
  export class Dexie {
    constructor(name: string);
    version(version: number): { stores(schema: Record<string, string>): void };
    open(): Promise<unknown>;
    close(): void;
    table<T>(name: string): Table<T>;
  }
  export function liveQuery<T>(query: () => Promise<T>): {
    subscribe(changed: (result: T) => void): { unsubscribe(): void };
  };
}

declare module 'replicache' {
  export interface PatchOperation {
    readonly op: 'put';
    readonly key: string;
    readonly value: unknown;
  }
  interface Scan<V, K> {
    values(): { toArray(): Promise<V[]> };
    entries(): AsyncIterable<readonly [key: K, value: V]>;
  }
  export interface ReadTransaction {
    has(key: string): Promise<boolean>;
    get<V>(key: string): Promise<V | undefined>;
    scan<V>(options: { readonly prefix: string }): Scan<V, string>;
    scan<V>(options: {
      readonly indexName: string;
      readonly start: { readonly key: readonly [string] };
    }): Scan<V, readonly [indexed: string, key: string]>;
  }
  export interface WriteTransaction extends ReadTransaction {
    set(key: string, value: unknown): Promise<void>;
  }
  type Mutators = Record<string, (tx: WriteTransaction, args: never) => Promise<void>>;
  export class Replicache<M extends Mutators> {
    constructor(options: {
      readonly name: string;
      readonly mutators: M;
      readonly logLevel: 'error';
      readonly pullInterval: null;
      readonly pushDelay: number;
      readonly indexes: Record<string, { readonly prefix: string; readonly jsonPointer: string }>;
      readonly puller: (request: { readonly cookie: unknown }) => Promise<unknown>;
      readonly pusher: () => Promise<never>;
    });
    readonly mutate: { readonly [N in keyof M]: (args: Parameters<M[N]>[1]) => Promise<void> };
    query<R>(task: (tx: ReadTransaction) => Promise<R>): Promise<R>;
    subscribe<R>(task: (tx: ReadTransaction) => Promise<R>, changed: (result: R) => void): () => void;
    pull(options: { readonly now: boolean }): Promise<void>;
    close(): Promise<void>;
  }
}

declare module 'rxdb/plugins/core' {
  export interface RxDocument<T> {
    incrementalPatch(changes: Partial<T>): Promise<unknown>;
    toJSON(): T;
  }
  export interface RxQuery<T> {
    exec(): Promise<(RxDocument<T> & T)[]>;
    readonly $: { subscribe(changed: (found: readonly T[]) => void): { unsubscribe(): void } };
  }
  export interface RxCollection<T> {
    insert(row: T): Promise<unknown>;
    bulkInsert(rows: readonly T[]): Promise<{ readonly error: readonly unknown[] }>;
    findOne(id: string): { exec(): Promise<RxDocument<T> | null> };
    find(query?: { readonly selector: object }): RxQuery<T>;
  }
  export interface RxDatabase {
    addCollections<C>(collections: Record<keyof C, { readonly schema: object }>): Promise<C>;
    close(): Promise<unknown>;
  }
  export function createRxDatabase(options: {
    readonly name: string;
    readonly storage: unknown;
    readonly multiInstance: boolean;
    readonly eventReduce: boolean;
  }): Promise<RxDatabase>;
}

declare module 'rxdb/plugins/storage-dexie' {
  export function getRxStorageDexie(): unknown;
}

declare module 'rxdb/plugins/replication' {
  import type { RxCollection } from 'rxdb/plugins/core';
  export interface PushRow<D> {
    readonly newDocumentState: D;
    readonly assumedMasterState?: D;
  }
  export function replicateRxCollection<T, D>(options: {
    readonly collection: RxCollection<T>;
    readonly replicationIdentifier: string;
    readonly live: boolean;
    readonly retryTime: number;
    readonly pull: {
      readonly batchSize: number;
      readonly handler: () => Promise<{ documents: readonly D[]; checkpoint: object }>;
    };
    readonly push: {
      readonly batchSize: number;
      readonly handler: (rows: readonly PushRow<D>[]) => Promise<D[]>;
    };
  }): {
    awaitInitialReplication(): Promise<unknown>;
    awaitInSync(): Promise<unknown>;
    cancel(): Promise<unknown>;
  };
}

declare module 'pouchdb-browser' {
  export type PouchDocument<T> = T & { readonly _id: string; readonly _rev?: string };
  export default class PouchDB<T> {
    static plugin(plugin: unknown): void;
    constructor(name: string, options: { readonly auto_compaction: boolean });
    put(document: PouchDocument<T>): Promise<unknown>;
    get(id: string): Promise<PouchDocument<T>>;
    bulkDocs(
      documents: readonly PouchDocument<T>[], options?: { readonly new_edits: boolean },
    ): Promise<unknown>;
    allDocs(options: { readonly include_docs: true }): Promise<{
      readonly rows: readonly { readonly id: string; readonly doc: PouchDocument<T> }[];
    }>;
    createIndex(options: { readonly index: object }): Promise<unknown>;
    find(query: {
      readonly selector: object;
      readonly limit: number;
      readonly use_index: string;
    }): Promise<{ readonly docs: readonly PouchDocument<T>[] }>;
    changes(options: { readonly live: true; readonly since: 'now'; readonly include_docs: true }): {
      on(event: 'change', changed: (change: { readonly doc: PouchDocument<T> }) => void): void;
      cancel(): void;
    };
    close(): Promise<void>;
  }
}

declare module 'pouchdb-find' {
  const plugin: unknown;
  export default plugin;
}

declare module 'yjs' {
  export class Doc {
    transact(task: () => void): void;
    getMap<T>(name: string): Map<T>;
  }
  export class Map<T> {
    constructor(entries?: Iterable<readonly [string, unknown]>);
    get<K extends string>(key: K): K extends keyof T ? T[K] : T;
    get(key: string): T | undefined;
    set(key: string, value: unknown): void;
    values(): IterableIterator<T>;
    toJSON(): T;
    observeDeep(changed: (events: readonly YEvent[]) => void): void;
    unobserveDeep(changed: (events: readonly YEvent[]) => void): void;
  }
  export interface YEvent {
    readonly target: unknown;
    readonly path: string[];
    readonly changes: { readonly keys: ReadonlyMap<string, unknown> };
  }
  export function applyUpdate(doc: Doc, update: Uint8Array, origin?: unknown): void;
  export function encodeStateAsUpdate(doc: Doc, since?: Uint8Array): Uint8Array;
  export function encodeStateVector(doc: Doc): Uint8Array;
}

declare module 'y-indexeddb' {
  import type { Doc } from 'yjs';
  export class IndexeddbPersistence {
    constructor(name: string, doc: Doc);
    readonly whenSynced: Promise<unknown>;
    readonly db: IDBDatabase | null;
    destroy(): Promise<void>;
  }
}

declare module 'tinybase' {
  export type Row = Record<string, unknown>;
  export interface Store {
    setRow(table: string, id: string, row: object): void;
    setCell(table: string, id: string, cell: string, value: unknown): void;
    getCell(table: string, id: string, cell: string): unknown;
    getRow(table: string, id: string): Row;
    getTable(table: string): Record<string, Row>;
    forEachRow(table: string, task: (id: string) => void): void;
    transaction(task: () => void): void;
  }
  export interface Queries {
    setQueryDefinition(id: string, table: string, define: (parts: {
      select(cell: string): void;
      where(test: (cell: (name: string) => unknown) => boolean): void;
    }) => void): void;
    delQueryDefinition(id: string): void;
    addResultTableListener(id: string, changed: () => void): string;
    delListener(listener: string): void;
    getResultTable(id: string): Record<string, Row>;
  }
  export function createStore(): Store;
  export function createQueries(store: Store): Queries;
}

declare module 'tinybase/persisters/persister-indexed-db' {
  import type { Store } from 'tinybase';
  export interface Persister {
    load(): Promise<unknown>;
    save(): Promise<unknown>;
    destroy(): Promise<unknown>;
  }
  export function createIndexedDbPersister(store: Store, name: string): Persister;
}
