/**
 * Frozen views of a store that goes on writing: a read transaction keeps LMDB from using a
 * snapshot's pages again for as long as somebody looks at them. None may outlive its database, so
 * all of them are known here.
 */
import { mustBeSound, type Database } from './lmdb-environment.js';
import { PageFile } from './lmdb-walk.js';
import { Pace } from './pace.js';
import { damaged } from './store-records.js';

/** With 2 ms of work between: a twentieth of one core. */
const SCRUB_REST_MS = 40;

export interface Pin {
  readonly transaction: ReturnType<Database['useReadTransaction']>;
  readonly release: () => void;
}

export interface Snapshot {
  readonly file: PageFile;
  readonly release: () => void;
}

export class Snapshots {
  readonly #path: string;
  readonly #pins = new Set<() => void>();

  constructor(path: string) {
    this.#path = path;
  }

  pin(database: Database): Pin {
    const transaction = database.useReadTransaction();
    // It goes once, be it by its owner or because the database closes.
    const release = (): void => {
      if (this.#pins.delete(release)) transaction.done();
    };
    this.#pins.add(release);
    return { transaction, release };
  }

  /**
   * To be called between two transactions: then what is pinned is what the file's head names in
   * this turn. A file that is replaced meanwhile can be read on. Errors: `store-damaged`.
   */
  open(database: Database): Snapshot {
    const { release } = this.pin(database);
    try {
      const file = PageFile.open(this.#path);
      if (file === undefined) throw damaged('its file is gone');
      return {
        file,
        release: () => {
          release();
          file.close();
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Reads everything, calmly, so that rot is met here and not by LMDB. Errors: `store-damaged`. */
  async check(database: Database): Promise<void> {
    const { file, release } = this.open(database);
    try {
      await file.check(Pace.calm(SCRUB_REST_MS), mustBeSound);
    } finally {
      release();
    }
  }

  releaseAll(): void {
    for (const release of this.#pins) release();
  }
}
