/**
 * A store for tests without waiting: it answers in a later turn of a manual clock, fails when told,
 * and can be copied.
 */
import type { Clock } from '../../drivers/clock.js';
import { COLLECTIONS, type Collection, type Storage, type Store, type StoreOp } from '../../drivers/storage.js';
import { failed, succeeded } from '../../drivers/store-queue.js';
import { OxbowError } from '../../protocol/index.js';

type Records = Map<Collection, Map<string, string>>;

export class ManualStorage implements Storage {
  readonly #clock: Pick<Clock, 'soon'>;
  #records: Records;
  /** Set: writes fail with this code. */
  failing: string | undefined;
  /** Set: `open` fails with this code. */
  unavailable: string | undefined;
  /** Set: writes are not answered until `release`. */
  isHeld = false;
  writes = 0;
  /** Whether a lost store can be begun anew in its place. */
  isRenewable = false;
  /** What a witness outside would tell of a store that is gone. */
  vanished: readonly string[] | undefined;
  /** What `noteUnsynced` was told. */
  readonly unsyncedIn = new Set<string>();
  /** How often the browser was asked to keep it. */
  asked = 0;
  #waiting: (() => void)[] = [];
  #store: Store | undefined;

  constructor(clock: Pick<Clock, 'soon'>, records?: Records) {
    this.#clock = clock;
    this.#records = records ?? new Map(COLLECTIONS.map((name) => [name, new Map<string, string>()]));
  }

  open: Storage['open'] = (done) => {
    this.#clock.soon(() => {
      const code = this.unavailable;
      if (code !== undefined) done(failed(new OxbowError(code, 'As told.')));
      else done(succeeded((this.#store = this.#opened())));
    });
  };

  /** The same contents on another disk. */
  copy(): ManualStorage {
    const records: Records = new Map([...this.#records].map(([name, of]) => [name, new Map(of)]));
    return new ManualStorage(this.#clock, records);
  }

  /** Changes one record, or takes it away (`how` gives undefined). */
  damage(
    collection: Collection, pick: (keys: string[]) => string | undefined,
    how: (text: string) => string | undefined = (text) => `${text}?`,
  ): void {
    const records = this.#records.get(collection);
    const key = pick([...(records?.keys() ?? [])].sort());
    const text = key === undefined ? undefined : records?.get(key);
    if (key === undefined || text === undefined) throw new Error('there is no such record');
    const changed = how(text);
    if (changed === undefined) records?.delete(key);
    else records?.set(key, changed);
  }

  release(): void {
    this.isHeld = false;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  /** Somebody deletes it while it is open. */
  lose(): void {
    this.failing = 'store-lost';
    for (const records of this.#records.values()) records.clear();
    this.#store?.onLost?.(new OxbowError('store-lost', 'As told.'));
  }

  #opened(): Store {
    return {
      kind: 'manual',
      fresh: this.vanished !== undefined,
      vanished: this.vanished,
      asksToBeKept: true,
      keep: (done) => {
        this.asked++;
        this.#clock.soon(() => done(succeeded({ persisted: true })));
      },
      noteUnsynced: (space, hasUnsynced) => {
        if (hasUnsynced) this.unsyncedIn.add(space);
        else this.unsyncedIn.delete(space);
      },
      renew: (done) => this.#clock.soon(() => {
        if (!this.isRenewable) return done(failed(new OxbowError('store-unavailable', 'As told.')));
        this.failing = undefined;
        done(succeeded(undefined));
      }),
      read: (collection, { from, to }, done) => {
        const records = [...(this.#records.get(collection) ?? [])];
        const found = records.filter(([key]) => key >= from && key < to).sort(([a], [b]) => (a < b ? -1 : 1));
        this.#clock.soon(() => done(this.failing === 'store-lost'
          ? failed(new OxbowError('store-lost', 'As told.'))
          : succeeded(found)));
      },
      write: (ops, done) => {
        this.writes++;
        const code = this.failing;
        if (code === undefined && !this.isHeld) this.#apply(ops);
        const answer = (): void => {
          if (code === undefined) this.#apply(ops);
          done(code === undefined ? succeeded(undefined) : failed(new OxbowError(code, 'As told.')));
        };
        if (this.isHeld) this.#waiting.push(answer);
        else this.#clock.soon(answer);
      },
      close: (done) => this.#clock.soon(() => done(succeeded(undefined))),
    };
  }

  #apply(ops: readonly StoreOp[]): void {
    for (const op of ops) {
      const records = this.#records.get(op.collection);
      if (op.kind === 'put') records?.set(op.key, op.value);
      else records?.delete(op.key);
    }
  }
}
