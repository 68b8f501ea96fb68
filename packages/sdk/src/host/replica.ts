/** A replica as the app sees it: all spaces of one browser profile or process. */
import type { AppDefinition } from '../model/index.js';
import type { Clock } from '../drivers/clock.js';
import { invariant, isSpaceId, type ReplicaId, type SpaceId } from '../protocol/index.js';
import type { SpaceReplica } from '../replica/space.js';
import { Closing, type Waiting } from './closing.js';
import { Session } from './guarantees.js';
import { ReplicaHealth, SpaceHealth, type HealthSource } from './health.js';
import { INSPECTION, type Inspection } from './inspection.js';
import { loadRescue } from './on-demand.js';
import { promised } from './promised.js';
import type { ReplicaHost } from './replica-host.js';
import type { Imported, ImportOptions, RescueParts } from './rescue.js';
import { Space } from './space.js';

export interface ReplicaParts<A extends AppDefinition> {
  readonly app: A;
  readonly host: ReplicaHost<A>;
  readonly clock: Clock;
  readonly onClose: () => void;
}

export class Replica<A extends AppDefinition> {
  readonly #parts: ReplicaParts<A>;
  readonly #closing = new Closing();
  readonly #spaces = new Map<SpaceId, Space<A>>();
  readonly #source: HealthSource;
  #closed: Promise<void> | undefined;
  /** Disk and links. */
  readonly health: ReplicaHealth;

  constructor(parts: ReplicaParts<A>) {
    this.#parts = parts;
    this.#source = this.#healthSource();
    this.health = new ReplicaHealth(this.#source);
  }

  /** The way in for `@oxbow/sdk/inspector`; nothing there is promised to anyone else. */
  get [INSPECTION](): unknown {
    const { host, clock } = this.#parts;
    const parts: Inspection = { host, health: this.health, wallNow: () => clock.now() };
    return parts;
  }

  /**
   * What new spaces write under. It changes only if this store turns out to be a copy of another.
   */
  get id(): ReplicaId {
    return this.#parts.host.machine.replica;
  }

  /** The verified user, as last heard from a server, or as the app said; null: nobody. */
  get user(): string | null {
    return this.#parts.host.machine.user;
  }

  /** Offline on purpose: since `goOffline()`. Whether a link is live is in `health`. */
  get offline(): boolean {
    return !this.#parts.host.machine.isOnline;
  }

  /**
   * Opens a space: loads what the store holds of it, and syncs it from now on. Offline it opens as
   * it was left. The same name always gives the same object. Errors: `bad-space`,
   * `too-many-spaces`, `store-newer`, `replica-closed`, and the reason of the signal: then it may
   * be open all the same.
   */
  async open(name: string, waiting?: Waiting): Promise<Space<A>> {
    this.#closing.check();
    const { host } = this.#parts;
    const replica = await this.#closing.race<SpaceReplica<A>>((resolve, reject) => {
      host.open(name, (opened) => (opened.ok ? resolve(opened.value) : reject(opened.error)));
      return () => undefined;
    }, waiting);
    invariant(isSpaceId(name), 'only a space with a name opens');
    const space = this.#spaces.get(name) ?? this.#spaceOf(name, replica);
    this.#spaces.set(name, space);
    return space;
  }

  /** Ends all links until `goOnline()`; not remembered over a restart. Reads and writes go on. */
  goOffline(): void {
    this.#closing.check();
    this.#parts.host.goOffline();
  }

  /** Connects at once. */
  goOnline(): void {
    this.#closing.check();
    this.#parts.host.goOnline();
  }

  /**
   * Asks the browser never to evict this store by itself: true if it will not. Call it from a
   * button where you say `persist: false`, as Firefox shows a question for it. The answer stays in
   * `health.storage.persisted`.
   */
  keepStorage(): Promise<boolean> {
    this.#closing.check();
    return promised<boolean>((done) => this.#parts.host.keepStorage(done));
  }

  /**
   * A file with everything that has no final place yet, in all spaces, open or not: the last resort
   * when a disk fails or a browser is given up. Errors: `bundle-too-large`,
   * `part-unavailable`, and those of `open`.
   *
   * @example
   * const file = new Blob([await replica.exportUnsynced()]);
   */
  async exportUnsynced(): Promise<Uint8Array> {
    this.#closing.check();
    const spaces = await new Promise<readonly SpaceId[]>((resolve) => {
      this.#parts.host.spacesWithUpdates(resolve);
    });
    const { exportUnsynced } = await loadRescue();
    return exportUnsynced(this.#rescueParts(), spaces);
  }

  /**
   * Takes in such a file, of the same user; twice is harmless, and so is it if its former replica
   * comes back: each update happens once. Waits until the server has brought what the updates build
   * on. Answers with a receipt of each, by space. Keep the file until they are `committed`: read
   * again, as after a restart, it gives the same ones. `timeoutMs`: 30,000 unless told otherwise.
   * Errors: `bad-bundle`, `bundle-gap`, `bundle-other-user`, `bundle-other-app`,
   * `part-unavailable`, `replica-closed`, the reason of the signal, and those of `open`.
   */
  async importUnsynced(bytes: Uint8Array, options: ImportOptions = {}): Promise<Imported> {
    this.#closing.check();
    const { importUnsynced } = await loadRescue();
    return importUnsynced(this.#rescueParts(), bytes, options);
  }

  /** What was written and seen here, to be carried to another replica. */
  session(): Session {
    const { clock } = this.#parts;
    return new Session({
      clock,
      closing: this.#closing,
      openSpaces: () => [...this.#spaces.keys()]
        .map((space) => [space, this.#mustReplica(space)] as const),
      open: async (space, waiting) => {
        await this.open(space, waiting);
        return this.#mustReplica(space);
      },
    });
  }

  /**
   * Ends links, saves what is unsaved, closes the store; later calls that write or wait get
   * `replica-closed`. Calling it again gives the same promise. Rejects with `close-unsaved` when
   * the disk does not take the last changes in time.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #close(): Promise<void> {
    this.#closing.begin();
    this.#parts.onClose();
    return promised<void>((done) => this.#parts.host.close((closed) => {
      this.#closing.end();
      done(closed);
    }));
  }

  #rescueParts(): RescueParts<A> {
    const { app, clock } = this.#parts;
    const open: RescueParts<A>['open'] = async (id, waiting) => {
      const space = await this.open(id, waiting);
      return { space, replica: this.#mustReplica(id) };
    };
    return { app, user: this.user, clock, closing: this.#closing, open };
  }

  #mustReplica(space: SpaceId): SpaceReplica<A> {
    const replica = this.#parts.host.machine.space(space);
    invariant(replica, 'an open space has its replica');
    return replica;
  }

  #spaceOf(id: SpaceId, replica: SpaceReplica<A>): Space<A> {
    const { app, host, clock } = this.#parts;
    const health = new SpaceHealth({
      ...this.#source,
      now: () => clock.now(),
      facts: () => {
        const facts = host.facts(id);
        invariant(facts, 'an open space has facts');
        return facts;
      },
    });
    const whenCurrent = (ready: () => void): (() => void) => host.machine.read(id, ready);
    return new Space({ id, app, replica, health, closing: this.#closing, clock, whenCurrent });
  }

  #healthSource(): HealthSource {
    const { host } = this.#parts;
    return {
      storage: () => {
        const { kind, condition, loss, failing, evicted } = host.storage;
        return { kind, condition, failingCode: failing?.code, lossCode: loss?.code, evicted };
      },
      unshared: () => host.machine.unshared,
      links: () => host.machine.links,
      onChange: (fn) => host.machine.onHealthChange(fn),
    };
  }
}
