/** What the app can show about disk, links and progress: live objects, read at any time. */
import type { StoreCondition } from '../drivers/storage.js';
import type { SpaceFacts, Stall } from '../replica/health.js';
import type { LinkHealth } from '../replica/session.js';

export interface StorageHealth {
  /** The driver in use: `indexeddb`, `memory`, `file`. */
  readonly kind: string;
  /**
   * `ok`: what is `saved` outlives the program. `failing`: writes fail at present and are repeated;
   * nothing is lost while the program runs, nothing new is sent. `memory`: the store that was asked
   * for could not be used; `saved` lasts as long as the page or process.
   */
  readonly status: 'ok' | 'failing' | 'memory';
  /** Why it is not `ok`: a documented code. */
  readonly code?: string;
  /** False: the browser may clear the store when space is short. Absent: not known. */
  readonly persisted?: boolean;
  /** Of the site, as the browser told last. Absent: not known. */
  readonly usageBytes?: number;
  readonly quotaBytes?: number;
  /**
   * Set when the store was found empty though there had been one, or was deleted under us: the
   * spaces whose unsynced updates went with it. Reported as `store-evicted`.
   */
  readonly evicted?: { readonly unsynced: readonly string[] };
}

interface Unshared {
  readonly unsynced: number;
  readonly unsaved: number;
}

/** Where health comes from: the host and its machine. */
export interface HealthSource {
  storage(): {
    readonly kind: string;
    readonly condition: StoreCondition;
    readonly failingCode: string | undefined;
    readonly lossCode: string | undefined;
    readonly evicted: StorageHealth['evicted'];
  };
  /** Own updates that only this replica has; and those that not even its disk has. */
  unshared(): Unshared;
  links(): readonly LinkHealth[];
  onChange(fn: () => void): () => void;
}

/** Health of a replica. Reading it costs little; the values are of now. */
export class ReplicaHealth {
  readonly #source: HealthSource;

  constructor(source: HealthSource) {
    this.#source = source;
  }

  get storage(): StorageHealth {
    const { kind, condition, failingCode, lossCode, evicted } = this.#source.storage();
    const code = failingCode ?? lossCode;
    return {
      kind,
      status: failingCode !== undefined ? 'failing' : lossCode !== undefined ? 'memory' : 'ok',
      ...(code === undefined ? {} : { code }),
      ...condition,
      ...(evicted && { evicted }),
    };
  }

  /** Own updates that nobody else is known to have, in all open spaces: what an eviction costs. */
  get unsynced(): number {
    return this.#source.unshared().unsynced;
  }

  /** Own updates that are not even on disk: what closing the page now costs. */
  get unsaved(): number {
    return this.atRisk(this.#source.unshared());
  }

  protected atRisk({ unsynced, unsaved }: Unshared): number {
    // What is saved in memory is not saved from the end of the page.
    return this.#source.storage().kind === 'memory' ? unsynced : unsaved;
  }

  /** State of the link over each transport. */
  get links(): readonly LinkHealth[] {
    return this.#source.links();
  }

  /** At least one link is live, or was a moment ago and is being replaced. */
  get online(): boolean {
    return this.links.some(({ state }) => state === 'live' || state === 'resuming');
  }

  /** Calls `fn` when anything here may have changed. Returns the way to stop it. */
  subscribe(fn: () => void): () => void {
    return this.#source.onChange(fn);
  }
}

export interface SpaceHealthSource extends HealthSource {
  facts(): SpaceFacts;
  /** Wall time, ms. */
  now(): number;
}

/** Health of one space: of its replica, and how far this space is. */
export class SpaceHealth extends ReplicaHealth {
  readonly #source: SpaceHealthSource;

  constructor(source: SpaceHealthSource) {
    super(source);
    this.#source = source;
  }

  override get links(): readonly LinkHealth[] {
    return this.#source.facts().links;
  }

  /** The commit sequence number up to which the committed view has come. */
  get csn(): number {
    return this.#source.facts().csn;
  }

  /** Commits known to exist that are not here yet; undefined until another side has told. */
  get behind(): number | undefined {
    return this.#source.facts().behind;
  }

  /**
   * Rows that have come so far while the committed data is transferred as a whole, as to a new
   * device; undefined otherwise. None of them is shown before all are here. How many there will be
   * nobody knows beforehand.
   */
  get arriving(): number | undefined {
    return this.#source.facts().arriving;
  }

  /** Own updates without a final place. */
  get pending(): number {
    return this.#source.facts().pending;
  }

  override get unsynced(): number {
    return this.#source.facts().unsynced;
  }

  override get unsaved(): number {
    return this.atRisk(this.#source.facts());
  }

  /**
   * Age of the oldest of them, ms; undefined if there is none. It grows while nothing moves: show
   * it.
   */
  get oldestPendingMs(): number | undefined {
    const at = this.#source.facts().oldestPendingAt;
    return at === undefined ? undefined : Math.max(0, this.#source.now() - at);
  }

  /**
   * What could not be read from disk when the space was opened: `store-damaged`, and what it costs.
   */
  get damage(): Stall | undefined {
    return this.#source.facts().damage;
  }

  /** Why something that should move does not; undefined while all is well. */
  get stalled(): Stall | undefined {
    return this.#source.facts().stalled;
  }
}
