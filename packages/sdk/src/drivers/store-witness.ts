/**
 * Remembers outside of a store that there is one, and in which spaces it held what nobody else has.
 * A browser that evicts a database, or a user who deletes it, leaves no trace in it: the next start
 * would look like the first. In Chromium and Firefox `localStorage` outlives an evicted IndexedDB;
 * where everything of a site goes at once (Safari after a week, "clear site data") nobody here can
 * know.
 */

export class StoreWitness {
  readonly #key: string;
  #unsynced: ReadonlySet<string> | undefined;

  constructor(name: string) {
    this.#key = name;
  }

  /** To be called first, while the store opens: a browser takes its time for the first look. */
  recall(): void {
    this.#unsynced = remembered(this.#key);
  }

  /** Spaces with updates that nobody else had; undefined where no store is remembered. */
  get unsynced(): readonly string[] | undefined {
    return this.#unsynced && [...this.#unsynced];
  }

  /** There is a store now, and nothing in it. */
  begin(): void {
    this.#become(new Set());
  }

  /** A store that was there before its witness. */
  meet(): void {
    if (this.#unsynced === undefined) this.begin();
  }

  note(space: string, hasUnsynced: boolean): void {
    const spaces = new Set(this.#unsynced);
    if (spaces.has(space) === hasUnsynced) return;
    if (hasUnsynced) spaces.add(space);
    else spaces.delete(space);
    this.#become(spaces);
  }

  /** The store was deleted on purpose. */
  forget(): void {
    this.#unsynced = undefined;
    withStorage((storage) => storage.removeItem(this.#key));
  }

  #become(spaces: ReadonlySet<string>): void {
    this.#unsynced = spaces;
    withStorage((storage) => storage.setItem(this.#key, JSON.stringify([...spaces])));
  }
}

function remembered(key: string): ReadonlySet<string> | undefined {
  const text = withStorage((storage) => storage.getItem(key));
  if (typeof text !== 'string') return undefined;
  try {
    const spaces: unknown = JSON.parse(text);
    if (Array.isArray(spaces)) return new Set(spaces.filter((space) => typeof space === 'string'));
  } catch {
    // Somebody else wrote under this name; that a store was there it still says.
  }
  return new Set();
}

function withStorage<T>(use: (storage: globalThis.Storage) => T): T | undefined {
  try {
    return typeof localStorage === 'undefined' ? undefined : use(localStorage);
  } catch {
    // Blocked, or full: then an eviction goes unnoticed, which is what it was without a witness.
    return undefined;
  }
}
