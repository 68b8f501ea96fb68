/**
 * The applied state of a node in LMDB (`lmdb`), far behind the commit log's critical path: what is applied while a
 * transaction is under way, or within `applyDelayMs`, shares the next one, so that a hot row or ledger line is written
 * once. The applied slot travels in the same transaction as the state (etcd #13766 is what happens otherwise).
 *
 * `overlappingSync` is off: with it lmdb-js calls a write done before it is on disk, and we trim the log on its word.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { open } from 'lmdb';
import { invariant, OxbowError, type SpaceId } from '@oxbow/sdk/protocol';
import { nodeLimits } from '../node/limits.js';
import type { SpaceEntries, StateStore, StoredSpace } from '../space/state-store.js';
import { findDamage } from './lmdb-header.js';
import { loadSpace, type Database, type SpaceRecord } from './lmdb-load.js';
import { gatherChanges, type SpaceChanges } from './state-changes.js';
import { entryKey, ledgerKey, metaKey, rowKey, spaceKey } from './store-keys.js';

export interface LmdbStoreOptions {
  /** A folder of its own; created if missing. */
  readonly path: string;
  /** The kept log of a space: at most so many entries, and so many characters (but always the newest entry). */
  readonly keptEntriesMax?: number;
  readonly keptCharsMax?: number;
  /**
   * How long what is applied waits for company. Costs nothing but log space, and a busy node writes each ledger line
   * less often. Default: 20.
   */
  readonly applyDelayMs?: number;
  /** Told how long each transaction took, ms. */
  readonly observeApply?: (durationMs: number) => void;
  readonly monotonicMs?: () => number;
}

interface Waiting {
  readonly slot: number;
  readonly batches: readonly SpaceEntries[];
  readonly done: (error?: Error) => void;
}

/** Raised when the content changes in a way that older code would misread. */
const LAYOUT = 1;
/** Each transaction is a sync that contends with the log for the disk; what waits is kept alive meanwhile. Measured: 25 to 200 do. */
const APPLY_DELAY_MS = 100;
const ENTRIES_PER_TRANSACTION_MAX = 20_000;

/** Opens or creates. Errors: `store-newer`, `store-damaged`, `data-unavailable`. */
export function openLmdbStore(options: LmdbStoreOptions): StateStore {
  let database: Database | undefined;
  try {
    fs.mkdirSync(options.path, { recursive: true });
    const damage = findDamage(options.path);
    if (damage !== undefined) throw damaged(damage);
    database = open<string, Buffer>({
      path: options.path,
      encoding: 'string',
      keyEncoding: 'binary',
      overlappingSync: false,
    });
    return new LmdbStore(database, options, mustBeOurs(database));
  } catch (error) {
    void database?.close();
    throw openError(options.path, error);
  }
}

interface Identity {
  readonly history: string;
  readonly appliedSlot: number;
}

function mustBeOurs(database: Database): Identity {
  const layout = database.get(metaKey('layout'));
  if (layout === undefined) {
    const history = randomUUID();
    database.transactionSync(() => {
      database.putSync(metaKey('layout'), String(LAYOUT));
      database.putSync(metaKey('history'), history);
      database.putSync(metaKey('applied'), '0');
    });
    return { history, appliedSlot: 0 };
  }
  if (Number(layout) > LAYOUT) {
    throw new OxbowError(
      'store-newer',
      `Cannot open the state store: it has layout ${layout}, this program knows ${LAYOUT}. ` +
        'Start the newer program, or restore a backup made by this one.',
    );
  }
  const appliedSlot = Number(database.get(metaKey('applied')));
  const history = database.get(metaKey('history')) ?? '';
  if (!Number.isSafeInteger(appliedSlot) || history === '') throw damaged('its head is missing');
  return { history, appliedSlot };
}

class LmdbStore implements StateStore {
  readonly #database: Database;
  readonly #options: LmdbStoreOptions;
  readonly #identity: Identity;
  readonly #delayMs: number;
  #appliedSlot: number;
  #spaces: number;
  #waiting: Waiting[] = [];
  #waitingEntries = 0;
  #timer: NodeJS.Timeout | undefined;
  #isWriting = false;
  /** Run when everything that was applied before is readable. */
  #afterWrites: (() => void)[] = [];
  /** The first failure is final: what the file holds after it is not known. */
  #failure: OxbowError | undefined;

  constructor(database: Database, options: LmdbStoreOptions, identity: Identity) {
    this.#database = database;
    this.#options = options;
    this.#identity = identity;
    this.#delayMs = options.applyDelayMs ?? APPLY_DELAY_MS;
    this.#appliedSlot = identity.appliedSlot;
    this.#spaces = Number(database.get(metaKey('spaces')) ?? '0');
  }

  opened(done: (at: Identity, error?: Error) => void): void {
    setImmediate(() => done(this.#identity));
  }

  load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void {
    this.#afterWrites.push(() => {
      if (this.#failure !== undefined) done(undefined, this.#failure);
      else this.#load(space, done);
    });
    this.#flushSoon(0);
  }

  apply(slot: number, batches: readonly SpaceEntries[], done: (error?: Error) => void): void {
    const last = this.#waiting.at(-1)?.slot ?? this.#appliedSlot;
    invariant(slot > last, 'slots are applied in order');
    this.#waiting.push({ slot, batches, done });
    for (const { entries } of batches) this.#waitingEntries += entries.length;
    const isMuch = this.#waitingEntries >= ENTRIES_PER_TRANSACTION_MAX;
    this.#flushSoon(isMuch ? 0 : this.#delayMs);
  }

  close(done: () => void): void {
    this.#afterWrites.push(() => {
      // Whoever closes after a failure has been told it by `apply`.
      this.#database.close().then(done, done);
    });
    this.#flushSoon(0);
  }

  #load(space: SpaceId, done: (stored: StoredSpace | undefined, error?: Error) => void): void {
    loadSpace(this.#database, space).then(
      (stored) => done(stored),
      (error: unknown) => done(undefined, damaged(`space '${space}' cannot be read`, error)),
    );
  }

  #flushSoon(delayMs: number): void {
    if (this.#isWriting) return;
    if (delayMs === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      // Later, never in the caller's turn; what else the caller applies comes along.
      this.#isWriting = true;
      setImmediate(() => this.#flush());
    } else {
      this.#timer ??= setTimeout(() => this.#flushSoon(0), delayMs);
    }
  }

  #flush(): void {
    const group = this.#takeGroup();
    const last = group.at(-1);
    if (last === undefined || this.#failure !== undefined) {
      this.#finish(group);
      return;
    }
    const startedMs = this.#options.monotonicMs?.() ?? 0;
    this.#write(group, last.slot).then(
      () => {
        this.#appliedSlot = last.slot;
        this.#options.observeApply?.((this.#options.monotonicMs?.() ?? 0) - startedMs);
        this.#finish(group);
      },
      (error: unknown) => {
        this.#failure = writeError(this.#options.path, error);
        this.#finish(group);
      },
    );
  }

  #takeGroup(): Waiting[] {
    let entries = 0;
    let count = 0;
    for (const { batches } of this.#waiting) {
      count += 1;
      for (const batch of batches) entries += batch.entries.length;
      if (entries >= ENTRIES_PER_TRANSACTION_MAX) break;
    }
    this.#waitingEntries -= entries;
    return this.#waiting.splice(0, count);
  }

  #finish(group: readonly Waiting[]): void {
    for (const { done } of group) done(this.#failure);
    if (this.#waiting.length > 0) {
      const isUrgent = this.#afterWrites.length > 0;
      this.#isWriting = isUrgent;
      if (isUrgent) setImmediate(() => this.#flush());
      else this.#flushSoon(this.#delayMs);
      return;
    }
    this.#isWriting = false;
    for (const task of this.#afterWrites.splice(0)) task();
  }

  async #write(group: readonly Waiting[], slot: number): Promise<void> {
    const changes = gatherChanges(group.flatMap(({ batches }) => batches));
    let spaces = this.#spaces;
    await this.#database.batch(() => {
      for (const change of changes) {
        const former = this.#record(change.space);
        const number = former?.number ?? ++spaces;
        invariant(
          change.entries[0]?.csn === (former?.csn ?? 0) + 1,
          'entries continue where the stored space ends',
        );
        this.#writeSpace(change, number, former);
      }
      this.#put(metaKey('applied'), String(slot));
      if (spaces > this.#spaces) this.#put(metaKey('spaces'), String(spaces));
    });
    this.#spaces = spaces;
  }

  #writeSpace(change: SpaceChanges, number: number, former: SpaceRecord | undefined): void {
    for (const [table, rows] of change.rows) {
      for (const [key, text] of rows) this.#put(rowKey(number, table, key), text);
    }
    for (const { replica, seq, user } of change.ledger.values()) {
      this.#put(ledgerKey(number, replica), JSON.stringify([replica, seq, user]));
    }
    const { first, chars } = this.#writeEntries(change, number, former);
    const record: SpaceRecord = { ...change.head, number, first, chars };
    this.#put(spaceKey(change.space), JSON.stringify(record));
  }

  /** Adds the new entries and forgets the oldest, old or new, that the kept log has no room for. */
  #writeEntries(
    { entries, head }: SpaceChanges,
    number: number,
    former: SpaceRecord | undefined,
  ): { first: number; chars: number } {
    const { keptEntriesMax = nodeLimits.keptEntriesMax } = this.#options;
    const { keptCharsMax = nodeLimits.keptCharsMax } = this.#options;
    const firstNew = entries[0]?.csn ?? head.csn;
    let chars = entries.reduce((sum, { text }) => sum + text.length, former?.chars ?? 0);
    let first = former?.first ?? firstNew;
    const isTooMuch = (): boolean => head.csn - first + 1 > keptEntriesMax || chars > keptCharsMax;
    while (first < head.csn && isTooMuch()) {
      if (first < firstNew) {
        chars -= this.#database.get(entryKey(number, first))?.length ?? 0;
        this.#put(entryKey(number, first), null);
      } else {
        chars -= entries[first - firstNew]?.text.length ?? 0;
      }
      first += 1;
    }
    for (const { csn, text } of entries) {
      if (csn >= first) this.#put(entryKey(number, csn), text);
    }
    return { first, chars };
  }

  #record(space: SpaceId): SpaceRecord | undefined {
    const text = this.#database.get(spaceKey(space));
    // reason: written by #writeSpace only; a damaged text fails the parse or the csn invariant.
    return text === undefined ? undefined : (JSON.parse(text) as SpaceRecord);
  }

  /** Within a batch; what goes wrong comes out of the batch's promise, too. */
  #put(key: Buffer, text: string | null): void {
    const result = text === null ? this.#database.remove(key) : this.#database.put(key, text);
    result.catch(() => undefined);
  }
}

export function damaged(what: string, cause?: unknown): OxbowError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new OxbowError(
    'store-damaged',
    `The state store is damaged: ${what}${why}. Restore the data directory from a backup.`,
    { cause },
  );
}

function openError(path: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError(
    'data-unavailable',
    `Cannot open the state store '${path}': ${why}. Check that the folder is writable.`,
    { cause },
  );
}

function writeError(path: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError(
    'store-failed',
    `Cannot write the state store '${path}': ${why}. What was acknowledged is safe in the log; ` +
      'mend the disk (is it full?) and start again.',
    { cause },
  );
}
