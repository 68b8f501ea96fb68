/**
 * One replica of a space with everything around it in plain sight: disk, flushes, losses, reports.
 */
import type { AppDefinition } from '../../model/index.js';
import type {
  CommitEntry, OxbowError, ReplicaId, SpaceId, Update,
} from '../../protocol/index.js';
import type { IdentityLoss, SpaceOwner } from '../changes.js';
import { SpaceReplica } from '../space.js';
import { StoredSpace } from './stored-space.js';

// reason: tests name their replicas and spaces.
export const replicaId = (name: string): ReplicaId => name as ReplicaId;
// reason: as above.
const SPACE = 'shelves' as SpaceId;

export class OneSpace<A extends AppDefinition> {
  app: A;
  readonly stored = new StoredSpace();
  readonly errors: OxbowError[] = [];
  readonly losses: IdentityLoss[] = [];
  space: SpaceReplica<A>;
  #flushAsked = false;
  #now = 1000;

  constructor(app: A, replica = 'me') {
    this.app = app;
    this.space = this.#open(replicaId(replica));
  }

  mutate(name: string, args: unknown) {
    this.#now += 1;
    return this.space.mutate(name, args, this.#now);
  }

  /** The turn ends. */
  flush(): void {
    if (!this.#flushAsked) return;
    this.#flushAsked = false;
    this.space.flushNotifications();
  }

  /** Everything is on disk. */
  write(): void {
    this.stored.write();
    const last = this.ownUpdates().at(-1);
    if (last !== undefined) this.space.stages.saved([last.id]);
  }

  /** The program ends and starts again. What was not on disk is gone. */
  restart(replica: ReplicaId = this.space.replica, app: A = this.app): void {
    this.app = app;
    this.space = this.#open(replica);
  }

  ownUpdates(): Update[] {
    return this.stored.updatesOf(this.space.replica);
  }

  /** Its author sees nothing but commits up to `csn`. */
  commit(...entries: readonly CommitEntry[]) {
    return this.space.receiveCommits('h', entries);
  }

  #open(replica: ReplicaId): SpaceReplica<A> {
    const owner: SpaceOwner = {
      changes: this.stored,
      flushSoon: () => { this.#flushAsked = true; },
      pump: () => undefined,
      identityLost: (loss) => this.losses.push(loss),
      report: (error) => this.errors.push(error),
    };
    return new SpaceReplica<A>({
      app: this.app, space: SPACE, replica, user: 'ann', dev: true, owner,
      stored: this.stored.read(),
    });
  }
}

/** An update of another replica, whose author has seen commits up to `context`. */
export function foreign(
  [replica, seq, lamport]: readonly [replica: string, seq: number, lamport: number],
  [name, args]: readonly [name: string, args: unknown],
  context = 0,
): Update {
  return {
    id: { replica: replicaId(replica), seq }, lamport, context: { csn: context, vector: {} },
    name, version: 1, args, at: 5000 + lamport,
  };
}

type Decided = Partial<Pick<CommitEntry, 'outcome' | 'effects' | 'user'>>;

/** The commit of an update; as decided, or without effects. */
export function committed(csn: number, update: Update, decided: Decided = {}): CommitEntry {
  const { id, lamport, ...body } = update;
  return {
    csn, at: csn * 10, id, lamport, user: 'bob', outcome: { kind: 'applied' }, effects: [],
    ...decided, body,
  };
}

/** A put of an item by another replica, committed. */
export function putBy(
  [csn, replica, seq]: readonly [csn: number, replica: string, seq: number],
  row: { readonly id: string; readonly shelf: string; readonly rank: number },
): CommitEntry {
  const update = foreign([replica, seq, csn], ['put', row], csn - 1);
  return committed(csn, update, { effects: [{ table: 'item', key: row.id, row }] });
}
