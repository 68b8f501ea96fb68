/** One script per peer for the page, and the weight of what an app would import of it. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { PeerName } from './metrics.js';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The least that an app imports: to write, to query live, to persist; with a way to sync where
 * that is part of the package. */
const LEAST: Readonly<Partial<Record<PeerName, string>>> = {
  oxbow: `import { defineApp, indexedDb, mutation, openReplica, server, table } from '@oxbow/sdk';
    globalThis.used = [defineApp, indexedDb, mutation, openReplica, server, table];`,
  replicache: `import { Replicache } from 'replicache'; globalThis.used = [Replicache];`,
  rxdb: `import { createRxDatabase } from 'rxdb/plugins/core';
    import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';
    import { replicateRxCollection } from 'rxdb/plugins/replication';
    globalThis.used = [createRxDatabase, getRxStorageDexie, replicateRxCollection];`,
  pouchdb: `import PouchDB from 'pouchdb-browser'; import find from 'pouchdb-find';
    PouchDB.plugin(find); globalThis.used = [PouchDB];`,
  dexie: `import { Dexie, liveQuery } from 'dexie'; globalThis.used = [Dexie, liveQuery];`,
  tinybase: `import { createStore } from 'tinybase/store'; import { createQueries } from 'tinybase/queries';
    import { createIndexedDbPersister } from 'tinybase/persisters/persister-indexed-db';
    globalThis.used = [createStore, createQueries, createIndexedDbPersister];`,
  yjs: `import { applyUpdate, Doc, encodeStateAsUpdate, Map } from 'yjs';
    import { IndexeddbPersistence } from 'y-indexeddb';
    globalThis.used = [applyUpdate, Doc, encodeStateAsUpdate, Map, IndexeddbPersistence];`,
};

export class Bundles {
  readonly #modules: string;

  /** `modules`: where the peers' packages lie. */
  constructor(modules: string) {
    this.#modules = modules;
  }

  script(peer: PeerName): Promise<string> {
    return this.#bundle(`import { peer } from './peers/${peer}.js'; import { install } from './page.js'; install(peer);`);
  }

  /** Undefined for what comes with the browser. */
  async gzipKib(peer: PeerName): Promise<number | undefined> {
    const least = LEAST[peer];
    if (least === undefined) return undefined;
    return gzipSync(await this.#bundle(least), { level: 9 }).length / 1024;
  }

  async #bundle(contents: string): Promise<string> {
    const { outputFiles: [output] } = await build({
      stdin: { contents, resolveDir: here, loader: 'ts' },
      bundle: true, minify: true, write: false, format: 'esm', platform: 'browser', target: 'es2022',
      legalComments: 'none', logLevel: 'error',
      conditions: ['oxbow-source'], nodePaths: [this.#modules],
      define: { global: 'globalThis', 'process.env.NODE_ENV': '"production"' },
    });
    if (output === undefined) throw new Error('a script was bundled into nothing');
    return output.text;
  }
}
