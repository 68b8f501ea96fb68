/**
 * A replica beside its oracle: whatever is done is done to both, and after it all that can be seen
 * is compared.
 */
import { expect } from 'vitest';
import { runQuery, sameValue } from '../../model/index.js';
import type { AppDefinition, Reader } from '../../model/index.js';
import { updateKey } from '../../protocol/index.js';
import type {
  CommitEntry, OxbowError, ReceivedBase, ReplicaId, SpaceId, Update,
} from '../../protocol/index.js';
import type { SpaceOwner } from '../changes.js';
import type { LiveQuery, View } from '../live.js';
import { SpaceReplica } from '../space.js';
import { Oracle } from './oracle.js';
import { userOf } from './primary.js';
import type { shelfApp } from './shelf-app.js';
import { StoredSpace } from './stored-space.js';

type App = typeof shelfApp;
type Query = Parameters<SpaceReplica<App>['query']>[0];

/** Every order of every table, both ways. */
const SCANS: readonly Query[] = [
  (tx) => tx.item.scan().all(),
  (tx) => tx.item.scan().reverse().all(),
  (tx) => tx.item.index('byShelf').all(),
  (tx) => tx.item.index('byShelf').reverse().all(),
  (tx) => tx.item.index('byRank').all(),
  (tx) => tx.item.index('byRank').reverse().all(),
  (tx) => tx.counter.scan().all(),
];

/** Queries of each kind that a screen may show. */
const QUERIES: readonly Query[] = [
  (tx) => tx.item.all(),
  (tx) => tx.item.index('byShelf').get('a').all(),
  (tx) => tx.item.index('byRank').reverse().limit(2).all(),
  (tx) => tx.counter.get('a')?.value,
  (tx) => tx.item.index('byShelf').between(['a', 1], ['b', 3]).count(),
  (tx) => {
    if (tx.item.get('1')?.shelf === 'b') throw new Error('not there');
    return tx.item.has('2');
  },
];

interface Watched {
  readonly query: Query;
  readonly view: View;
  readonly live: LiveQuery<unknown>;
  told: number;
  shown: unknown;
}

const failure = (error: unknown): unknown => ({ thrown: String(error) });

export class ComparedSpace {
  readonly app: App;
  readonly stored = new StoredSpace();
  readonly errors: OxbowError[] = [];
  readonly oracle: Oracle;
  space: SpaceReplica<App>;
  #lost = false;
  #flushAsked = false;
  #watched: Watched[] = [];

  constructor(app: AppDefinition, replica: ReplicaId) {
    // reason: an older version of the same app has the same tables.
    this.app = app as App;
    this.oracle = new Oracle(app, replica, userOf(replica));
    this.space = this.#open(replica);
  }

  mutate(name: string, args: unknown, now: number): void {
    const { id } = this.space.mutate(name, args, now);
    const update = this.#own().find((one) => updateKey(one.id) === updateKey(id));
    if (update !== undefined) this.oracle.add(update);
  }

  /** Everything is on disk now. */
  write(): void {
    this.stored.write();
    this.oracle.write();
    const last = this.#own().at(-1);
    if (last !== undefined) this.space.stages.saved([last.id]);
  }

  restart(): void {
    this.oracle.restart();
    this.space = this.#open(this.oracle.self);
  }

  receiveUpdates(updates: readonly Update[], fresh: () => ReplicaId): void {
    this.space.receiveUpdates(updates);
    this.oracle.receiveUpdates(updates);
    this.#reissueIfLost(fresh);
  }

  receiveCommits(history: string, entries: readonly CommitEntry[], fresh: () => ReplicaId): void {
    this.space.receiveCommits(history, entries);
    this.oracle.receiveCommits(history, entries);
    this.#reissueIfLost(fresh);
  }

  receiveBase(base: ReceivedBase, fresh: () => ReplicaId): void {
    this.space.receiveBase(base);
    this.oracle.receiveBase(base);
    this.#reissueIfLost(fresh);
  }

  reissue(replica: ReplicaId): void {
    this.space.reissue(replica);
    this.oracle.reissued(replica, this.#own());
    this.#lost = false;
  }

  /** All that may be sent, in causal order. */
  sendable(): readonly Update[] {
    return this.space.tentativeAfter(0, 1000).updates;
  }

  compare(): void {
    const believed = this.oracle.replay();
    const pending = this.space.pending();
    expect(pending.map(({ id, outcome }) => ({ id: updateKey(id), outcome }))).toEqual(believed.pending);
    this.#compareView('committed', believed.committed);
    this.#compareView('tentative', believed.tentative);
    this.#compareLive();
    // After a roll-back, of what a transfer had settled: it never was in the kept log.
    const unforeseen = this.errors.filter(({ code }) => code !== 'updates-rolled-back');
    expect(unforeseen).toEqual([]);
  }

  #compareView(view: View, truth: Reader): void {
    for (const scan of SCANS) {
      const shown = this.space.query(scan, { view });
      const { result } = runQuery(this.app, truth, scan);
      if (!sameValue(shown, result)) expect(shown, `${view} ${String(scan)}`).toEqual(result);
    }
  }

  /** Live results equal fresh ones; who watches was told if and only if something changed. */
  #compareLive(): void {
    if (this.#flushAsked) {
      this.#flushAsked = false;
      this.space.flushNotifications();
    }
    for (const watched of this.#watched) {
      const { query, view, live, shown } = watched;
      const fresh = outcomeOf(() => this.space.query(query, { view }));
      const now = outcomeOf(() => live.get());
      expect(now).toEqual(fresh);
      // An error is another one each time.
      if (sameValue(fresh, shown)) expect(watched.told === 0 || isFailure(fresh)).toBe(true);
      else expect(watched.told).toBe(1);
      if (!isFailure(fresh) && sameValue(fresh, shown)) expect(now).toBe(shown);
      watched.told = 0;
      watched.shown = now;
    }
  }

  #own(): Update[] {
    return this.stored.updatesOf(this.space.replica);
  }

  #reissueIfLost(fresh: () => ReplicaId): void {
    if (this.#lost) this.reissue(fresh());
  }

  #open(replica: ReplicaId): SpaceReplica<App> {
    const owner: SpaceOwner = {
      changes: this.stored,
      flushSoon: () => { this.#flushAsked = true; },
      pump: () => undefined,
      identityLost: () => { this.#lost = true; },
      report: (error) => this.errors.push(error),
    };
    const space = new SpaceReplica<App>({
      // reason: tests name their spaces.
      app: this.app, space: 'shelves' as SpaceId, replica, user: userOf(replica), dev: true, owner,
      stored: this.stored.read(),
    });
    this.#watched = QUERIES.flatMap((query) => (['tentative', 'committed'] as const).map((view) => {
      const live = space.live(query, { view });
      const watched: Watched = { query, view, live, told: 0, shown: undefined };
      live.subscribe(() => { watched.told += 1; });
      watched.shown = outcomeOf(() => live.get());
      return watched;
    }));
    return space;
  }
}

function outcomeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return failure(error);
  }
}

const isFailure = (shown: unknown): boolean =>
  typeof shown === 'object' && shown !== null && 'thrown' in shown;
