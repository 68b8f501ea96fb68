/**
 * What the cluster machine asks of the world, and what it is told. Carried out by
 * host/cluster-host.ts.
 */
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration, Member, Membership } from '../paxos/configuration.js';
import type { ClusterMessage } from './cluster-message.js';

/** What a node keeps on its disk beside the log: whose it is, and where its cluster began. */
export interface Belonging {
  readonly cluster: string;
  readonly self: Member;
  /** Configuration 0: from it on any log is understood. Undefined: older data do not say. */
  readonly first: Configuration | undefined;
}

export type Disk =
  /**
   * It never belonged to a cluster. `id` is on disk by now. `slot`: where the state stands that it
   * was given (a restored backup, data of before there were clusters); 0: empty.
   */
  | { readonly kind: 'fresh'; readonly id: MemberId; readonly slot: number }
  /** It belonged to `cluster` and lost what it promised there: `id` is a new one. */
  | { readonly kind: 'forgetful'; readonly id: MemberId; readonly cluster: string }
  | { readonly kind: 'member'; readonly belonging: Belonging };

export type Order =
  | { readonly kind: 'add'; readonly name: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'transfer'; readonly name: string };

export interface OrderResult {
  /** `done`, or a code of docs/errors.md. */
  readonly code: string;
  readonly message: string;
}

export interface ClusterEffects {
  /** Keep links with these nodes, by name. */
  want(peers: ReadonlyMap<string, string>): void;
  send(name: string, message: ClusterMessage): void;
  /** On disk, for good. Answer: `persisted`. */
  persist(belonging: Belonging): void;
  /** Start the log as this member. Once. */
  join(belonging: Belonging): void;
  /** Behind the link with `name` stands this member of our cluster; or it is gone. */
  memberLinked(id: MemberId, name: string, isUp: boolean): void;
  /** Answer: `configured`, or `changeFailed`. */
  change(next: Membership): void;
  transfer(to: MemberId): void;
  answer(tag: number, result: OrderResult): void;
  log(
    level: 'debug' | 'info' | 'warn' | 'error',
    event: string,
    fields: Readonly<Record<string, unknown>>,
  ): void;
}

/** Where a node stands with its group, for operators: undefined when there is nothing to say. */
export interface Advice {
  readonly code: string;
  readonly message: string;
}
