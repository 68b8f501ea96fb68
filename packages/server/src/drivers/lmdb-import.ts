/**
 * Takes a state into a file of its own, beside the present one and without a sync until its end;
 * then reads it back from the disk's view, checks the digest and lets the store replace its file.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { ImportHead, StateImport } from '../space/state-transfer.js';
import {
  incomingFolder, metaRecords, openDatabase, reasonOf, type Database,
} from './lmdb-environment.js';
import { PageFile } from './lmdb-walk.js';
import { Pace } from './pace.js';
import { badSnapshot, decodeRecords, digestOf } from './state-chunks.js';

export interface ImportOwner {
  readonly path: string;
  /** Closes the present file, renames the new one over it, opens that. */
  replace(head: ImportHead): Promise<void>;
  mapError(cause: unknown): Error;
}

export class LmdbImport implements StateImport {
  readonly #head: ImportHead;
  readonly #owner: ImportOwner;
  readonly #folder: string;
  readonly #database: Database;
  #last: Buffer | undefined;
  #isOver = false;
  /** One step after the other: a giving-up waits for the step under way. */
  #step: Promise<void> = Promise.resolve();

  constructor(head: ImportHead, owner: ImportOwner) {
    this.#head = head;
    this.#owner = owner;
    this.#folder = incomingFolder(owner.path);
    this.#database = openDatabase(this.#folder, { noSync: true });
  }

  write(bytes: Uint8Array, done: (error?: Error) => void): void {
    this.#next(() => this.#write(bytes), done);
  }

  finish(digest: string, done: (error?: Error) => void): void {
    this.#next(() => this.#finish(digest), done);
  }

  abort(done: () => void): void {
    this.giveUp().then(done, done);
  }

  async giveUp(): Promise<void> {
    if (this.#isOver) return this.#step;
    this.#isOver = true;
    this.#step = this.#step.then(() => this.#database.close(), () => this.#database.close());
    return this.#step;
  }

  #next(task: () => Promise<void>, done: (error?: Error) => void): void {
    const step = this.#step.then(() => {
      if (!this.#isOver) return task();
      throw new OxbowError('snapshot-given-up', 'This import was given up for another.');
    });
    this.#step = step.catch(() => undefined);
    step.then(
      () => done(), async (error: unknown) => done(this.#owner.mapError(await reasonOf(error))));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const records = decodeRecords(bytes, this.#last);
    await this.#put(records.map(({ key, value }) => [key, value.toString()]));
    this.#last = Buffer.from(records.at(-1)?.key ?? this.#last ?? []);
  }

  async #finish(digest: string): Promise<void> {
    await this.#put(metaRecords(this.#head));
    this.#isOver = true;
    await this.#database.close();
    const file = PageFile.open(this.#folder);
    if (file === undefined) throw badSnapshot('nothing was written');
    try {
      const found = await digestOf((after) => file.records(Pace.brisk(), after));
      if (found !== digest) throw badSnapshot('its digest is another one');
    } finally {
      file.close();
    }
    await this.#owner.replace(this.#head);
  }

  async #put(records: Iterable<readonly [Buffer, string]>): Promise<void> {
    await this.#database.batch(() => {
      for (const [key, value] of records) {
        // What goes wrong comes out of the batch's promise, too.
        this.#database.put(key, value).catch(() => undefined);
      }
    });
  }
}
